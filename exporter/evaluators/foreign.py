"""Runs the evaluators of plugins in a separate process, so that hangs, leaks and crashes end that process only."""

import logging
import os
import pickle
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from math import inf
from pathlib import Path
from time import perf_counter
from typing import Any, Final
from weakref import finalize

import msgspec

from ..model.score import Evaluation, Failure, Unscored
from ..model.trace import Trace
from .bound import Bound, Said

HEADER: Final = 5
"""Bytes in front of every message: its length, and what it is."""
MEMORY: Final = 4 << 30
"""Bytes of address space that the process may take by default; libraries of numbers reserve more than they use."""
LOADING: Final = 60.0
"""Seconds in which plugins must be loaded."""
_MOST_SAID: Final = 1 << 20
_KINDS: Final[Mapping[bytes, Any]] = {b"E": Evaluation, b"U": Unscored, b"F": Failure}

_log = logging.getLogger(__name__)


class _EndedError(Exception):
    """The process ended, or was ended: ``is_late`` where it took too long."""

    def __init__(self, *, is_late: bool) -> None:
        self.is_late = is_late
        super().__init__()


class Foreign:
    """The process in which plugins run: started at first use, and restarted after it ended.

    ``specs`` say which evaluators there are and with which options; ``memory`` is in bytes. For one thread at a time.
    """

    def __init__(self, specs: Mapping[str, Any], memory: int = MEMORY) -> None:
        self._setup = pickle.dumps((dict(specs), memory), pickle.HIGHEST_PROTOCOL)
        self._process: _Process | None = None
        self._end_process: Callable[[], Any] = lambda: None
        self._again_at = 0.0
        """When to try again (of ``perf_counter``) after plugins did not load."""

    def ask(self, trace: Trace, wanted: Sequence[Bound]) -> Iterator[tuple[Bound, Said, float]]:
        """The result of each evaluator for a trace, and its duration in seconds; a missing result is a failure."""
        left = list(wanted)
        while left:
            began = perf_counter()
            try:
                process = self._started()
                process.send(_job(trace, left), left[0].timeout)
                while left:
                    began = perf_counter()
                    said = process.received(left[0].timeout)
                    yield left.pop(0), said, perf_counter() - began
            except (_EndedError, OSError) as error:
                bound, is_late = left.pop(0), isinstance(error, _EndedError) and error.is_late
                _log.warning("the plugins' process ended: evaluator=%s reason=%s", bound.name, _reason(late=is_late))
                self._end()
                yield bound, bound.interrupted if is_late else _crashed(bound), perf_counter() - began

    def _started(self) -> "_Process":
        if self._process is None:
            if perf_counter() < self._again_at:
                raise _EndedError(is_late=False)
            process = self._process = _Process()
            self._end_process = finalize(self, process.end)
            self._again_at = perf_counter() + LOADING
            process.send(self._setup, LOADING)
            process.is_loaded(LOADING)
            self._again_at = 0.0
        return self._process

    def close(self) -> None:
        """End the process, if there is one; it is not started again."""
        self._again_at = inf
        if self._process is not None:
            self._process.kill()  # its pipes may be waited at in another thread

    def _end(self) -> None:
        if self._process is not None:
            self._process = None
            self._end_process()


def _job(trace: Trace, wanted: Sequence[Bound]) -> bytes:
    return pickle.dumps((trace, [(one.name, one.rule) for one in wanted]), pickle.HIGHEST_PROTOCOL)


def _reason(*, late: bool) -> str:
    return "timeout" if late else "crashed"


def _crashed(bound: Bound) -> Failure:
    return bound.failed("crashed", "its process ended")


class _Process:
    """One process and the pipes to it; each wait has a time limit, after which the process is ended."""

    def __init__(self) -> None:
        paths = [str(Path(__file__).parents[2]), *filter(None, sys.path)]
        self._popen = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-c", f"from {__package__}.guest import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))},
            start_new_session=True,
        )
        if self._popen.stdin is None or self._popen.stdout is None:
            raise OSError("a process without pipes")
        self._to, self._from = self._popen.stdin.fileno(), self._popen.stdout.fileno()
        os.set_blocking(self._to, False)

    def send(self, content: bytes, seconds: float) -> None:
        """Send a message; raises _EndedError."""
        until, view = perf_counter() + seconds, memoryview(len(content).to_bytes(HEADER - 1) + b"J" + content)
        while view:
            _, ready, _ = select.select((), (self._to,), (), max(0.0, until - perf_counter()))
            if not ready:
                raise _EndedError(is_late=True)
            try:
                view = view[os.write(self._to, view) :]
            except OSError:
                raise _EndedError(is_late=False) from None

    def is_loaded(self, seconds: float) -> None:
        """Wait until the plugins are loaded; raises _EndedError."""
        self._message(seconds)

    def received(self, seconds: float) -> Said:
        """The next thing that was said; raises _EndedError."""
        kind, content = self._message(seconds)
        try:
            said: Said = msgspec.msgpack.decode(content, type=_KINDS[kind])
        except (KeyError, msgspec.MsgspecError):
            raise _EndedError(is_late=False) from None
        return said

    def _message(self, seconds: float) -> tuple[bytes, bytes]:
        until = perf_counter() + seconds
        header = self._read(HEADER, until)
        size = int.from_bytes(header[:-1])
        if size > _MOST_SAID:
            raise _EndedError(is_late=False)
        return header[-1:], self._read(size, until)

    def _read(self, size: int, until: float) -> bytes:
        content = b""
        while len(content) < size:
            ready, _, _ = select.select((self._from,), (), (), max(0.0, until - perf_counter()))
            if not ready:
                raise _EndedError(is_late=True)
            piece = os.read(self._from, size - len(content))
            if not piece:
                raise _EndedError(is_late=False)
            content += piece
        return content

    def kill(self) -> None:
        """Kill it, with all that it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)

    def end(self) -> None:
        """Kill it, and give back what it took."""
        if self._popen.returncode is None:
            self.kill()
            self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
