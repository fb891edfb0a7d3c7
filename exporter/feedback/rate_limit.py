"""Rate limit per client address: a token bucket each. Knows addresses, nothing of what is sent."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

_MOST_ADDRESSES: Final = 10_000


class RateLimit:
    """Token buckets: ``per_second`` signals on average and ``burst`` at once per address. ``clock`` is in seconds."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Seconds until the address may send again; 0 when it may."""
        left = self._now(address)
        return 0.0 if left >= 1.0 else (1.0 - left) / self._per_second

    def spend(self, address: str, signals: int) -> None:
        """Take tokens for what was sent from the address's bucket, which may go below zero."""
        self._left[address] = (self._now(address) - signals, self._clock())
        self._left.move_to_end(address)
        if len(self._left) > _MOST_ADDRESSES:
            self._left.popitem(last=False)

    def _now(self, address: str) -> float:
        left, at = self._left.get(address, (float(self._burst), self._clock()))
        return min(float(self._burst), left + (self._clock() - at) * self._per_second)
