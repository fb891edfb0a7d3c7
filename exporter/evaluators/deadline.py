"""Interrupts a call that runs too long, where Python can: in the main thread, by a timer signal."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import perf_counter, thread_time
from types import FrameType

MOST = 0.15
"""Seconds of processor time that a call may take, however late it is due: meanwhile everybody waits."""

LONGEST_TICK = 0.05

_MAIN = threading.main_thread().ident


class OverdueError(BaseException):
    """Raised inside a call that is past its deadline; not an Exception, so that the call cannot catch it by habit."""


class Deadline:
    """Watches calls inside ``watching``; each must end by ``due`` (``perf_counter`` seconds; inf: none runs).

    A repeating timer signal looks every ``tick`` seconds, LONGEST_TICK at most, whether the call is overdue, or has
    taken MOST since it was first seen, so it ends at most two ticks late. Outside the main thread nothing is
    interrupted: the caller measures and finds out afterwards.
    """

    def __init__(self, tick: float) -> None:
        self._tick = min(tick, LONGEST_TICK)
        self.due = inf
        self._seen, self._began = inf, 0.0
        """When the call was due that the last tick saw, and the processor time then."""
        self._watching = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Arm the timer once for any number of calls; afterwards timer and handler are as they were."""
        if self._watching or threading.get_ident() != _MAIN:
            yield
            return
        handler = signal.signal(signal.SIGALRM, self._on_tick)
        timer = signal.setitimer(signal.ITIMER_REAL, self._tick, self._tick)
        self._watching = True
        try:
            yield
        finally:
            self._watching = False
            self.due = inf
            signal.setitimer(signal.ITIMER_REAL, *timer)
            signal.signal(signal.SIGALRM, handler)

    def _on_tick(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's signature
        if self.due == inf:
            return
        if self.due != self._seen:
            self._seen, self._began = self.due, thread_time()
        if perf_counter() >= self.due or thread_time() - self._began >= MOST:
            raise OverdueError
