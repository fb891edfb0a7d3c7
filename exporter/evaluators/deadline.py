"""Interrupts a call that runs too long, where Python can: in the main thread; knows nothing of what it interrupts."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import perf_counter
from types import FrameType

_MAIN = threading.main_thread().ident


class OverdueError(BaseException):
    """Raised inside a call that is past its deadline; not an Exception, so that the call cannot catch it by habit."""


class Deadline:
    """Watches one call at a time, inside ``watching``, which must end by ``due`` (of ``perf_counter``; inf: none runs).

    A repeating timer signal looks every ``tick`` seconds whether the call is overdue, so it ends at most one tick late.
    Outside the main thread nothing is interrupted: the caller measures and finds out afterwards.
    """

    def __init__(self, tick: float) -> None:
        self._tick = tick
        self.due = inf
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
        if perf_counter() >= self.due:
            raise OverdueError
