"""Circuit breaker for a failing endpoint, and jittered backoff for retries. Knows no endpoint, only outcomes."""

import random
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

State = Literal["closed", "open", "half_open"]


class Backoff(Struct, frozen=True, kw_only=True):
    """Exponential backoff from ``first`` to ``longest`` seconds, of which ``least`` is the share without jitter."""

    first: float = 1.0
    longest: float = 300.0
    least: float = 0.0

    def wait(self, attempt: int, chance: random.Random) -> float:
        """Seconds to wait after the ``attempt``-th failure (from 1); random, so that callers do not synchronise."""
        most = min(self.longest, self.first * 2.0 ** min(attempt - 1, 60))
        return chance.uniform(self.least * most, most)


class Breaker:
    """Circuit breaker: opens after consecutive failures, then lets one call through at a time until one succeeds.

    Every ``allow`` that returned true is followed by one of ``succeeded``, ``failed`` and ``abandoned``. For one
    thread.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float],
        chance: random.Random,
        failures: int = 5,
        backoff: Backoff = Backoff(first=10.0, longest=300.0),  # noqa: B008 (frozen)
    ) -> None:
        self._now = now
        self._chance = chance
        self._failures = failures
        self._backoff = backoff
        self._in_a_row = 0
        self._openings = 0
        self._open_until = 0.0
        self._probing = False

    @property
    def state(self) -> State:
        """Closed: calls go through; open: none does; half open: one may find out."""
        if not self._openings:
            return "closed"
        return "open" if self._now() < self._open_until else "half_open"

    @property
    def in_a_row(self) -> int:
        """Consecutive failures since the last success."""
        return self._in_a_row

    @property
    def wait(self) -> float:
        """Seconds until a call may be allowed; 0 where one may be now."""
        return max(self._open_until - self._now(), 0.0) if self._openings else 0.0

    def allow(self) -> bool:
        """Whether a call may be made now."""
        if self.state == "closed":
            return True
        if self.state == "open" or self._probing:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        """The endpoint answered, whether or not its answer could be used; of no weight while the breaker is open."""
        if self.state != "open":
            self._in_a_row = self._openings = 0
        self._probing = False

    def failed(self, after: float | None = None) -> None:
        """The endpoint failed; ``after`` is how many seconds it asked to be left alone.

        That is heeded at once, and however little it asks for, the waits grow.
        """
        state = self.state
        self._in_a_row += 1
        self._probing = False
        if state == "open":  # it was on its way when another one opened it
            self._open_until = max(self._open_until, self._now() + (after or 0.0))
        elif after is not None or state == "half_open" or self._in_a_row >= self._failures:
            self._openings += 1
            wait = self._backoff.wait(self._openings, self._chance)
            self._open_until = self._now() + max(wait, after or 0.0)

    def abandoned(self) -> None:
        """The call was not made after all, or its outcome is unknown."""
        self._probing = False
