"""Tries work in a copy of this process, which alone ends where the work ends a process. Knows nothing of the work."""

import contextlib
import faulthandler
import logging
import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn

_LOOK_EVERY: Final = 0.005
_MOST_CPU: Final = 3600
"""Seconds of CPU for a copy whose first process is gone."""


def survives(work: Callable[[], None], progress: Callable[[], Any], patience: float = 60.0) -> bool:
    """Whether a copy of this process does some work to its end, without an error and without being ended by it.

    The copy changes nothing in this process. It is killed when ``progress`` does not change for ``patience`` seconds.
    To be called while this process has one thread.
    """
    child = os.fork()
    if child == 0:
        _work_and_end(work)
    seen, since = progress(), time.monotonic()
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status == 0
        if (now_seen := progress()) != seen:
            seen, since = now_seen, time.monotonic()
        if time.monotonic() - since > patience:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return False
        time.sleep(_LOOK_EVERY)


def _work_and_end(work: Callable[[], None]) -> NoReturn:
    """Nothing of the copy may reach the world: neither its log lines nor its core."""
    code = 1
    try:
        logging.disable(logging.CRITICAL)
        faulthandler.disable()
        signal.set_wakeup_fd(-1)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU, _MOST_CPU))
        with contextlib.suppress(OSError):  # it, and not its parent, is to go where it takes all memory
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
        work()
        code = 0
    finally:
        os._exit(code)
