"""A clock of Unix seconds that never jumps, whatever the machine's clock is set to. Knows no store and no metric.

All times that are stored or compared come from here. This clock begins with the machine's and then goes by how much
time has passed since the machine booted. Small differences (drift, NTP) are followed, so slowly that no time comes
twice. A jump is not followed: it would make everything old at once, or keep open what is due. A restart on the same
boot goes on as if there had been none. The machine's time is taken over at a start, once it has been off by the same
for a day.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct

JUMP: Final = 10.0
"""Seconds by which the machine's clock must be off to have jumped."""
SLEW: Final = 0.05
"""Seconds in a second by which smaller differences are made up for."""
BELIEVED: Final = 86_400.0
"""Seconds for which the machine's clock must stay off by the same before a start takes its time over."""
GAP: Final = 3600.0
"""Seconds between two boots after which nothing is deleted because of its age for as long."""


_SINCE_BOOT: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def since_boot() -> float:
    """Seconds since the machine booted, sleep included."""
    return time.clock_gettime(_SINCE_BOOT)


def boot() -> str:
    """What names this boot of the machine; "" where that is not to be had."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


class KeptTime(Struct, frozen=True):
    """What a restart goes on from: when it was which time, on which boot; ``off``: how far the machine's clock was
    ahead, and since when by so much.
    """

    boot: str
    elapsed: float
    time: float
    off: float = 0.0
    since: float = 0.0


class SteadyClock:
    """Call it for Unix seconds; ``wall`` is the machine's clock, ``elapsed`` is monotonic, both in seconds."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        elapsed: Callable[[], float] = since_boot,
        boot: Callable[[], str] = boot,
    ) -> None:
        self._wall, self._elapsed, self._boot = wall, elapsed, boot()
        self.off = 0.0
        """Seconds by which the machine's clock is ahead of this one since it jumped; 0: it did not."""
        self._gap, self._gap_ends = 0.0, 0.0
        self._looked_at = elapsed()
        self._begin = wall() - self._looked_at
        self._since = wall()

    def __call__(self) -> float:
        """Unix seconds."""
        return self._begin + self._elapsed()

    def aged(self) -> float:
        """The time by which what is kept is old: after a long time between two boots the time before, for an hour.

        Whether so much time has passed, or the clock was set wrongly meanwhile, nobody can tell; NTP will, if it runs.
        """
        if self._gap and not self.off and self._elapsed() >= self._gap_ends:
            self._gap = 0.0
        return self() - self._gap

    def look(self) -> float | None:
        """Compare with the machine's clock, now and then; returns by how many seconds it has just jumped, if it has."""
        elapsed = self._elapsed()
        passed, self._looked_at = elapsed - self._looked_at, elapsed
        ahead = self._wall() - self()
        if abs(ahead) > JUMP:
            return self._off_by(ahead)
        jumped = self._off_by(0.0) if self.off else None
        self._begin += max(-SLEW * passed, min(SLEW * passed, ahead))
        return jumped

    def _off_by(self, ahead: float) -> float | None:
        jumped = ahead - self.off
        if abs(jumped) <= JUMP:
            return None
        self.off, self._since = ahead, self()
        return jumped

    def kept(self) -> KeptTime:
        """What ``resume`` goes on from."""
        return KeptTime(self._boot, self._elapsed(), self(), self.off, self._since)

    def resume(self, before: KeptTime) -> None:
        """Go on from what an earlier run kept, before anybody has asked for the time."""
        same_boot = bool(self._boot) and before.boot == self._boot and self._elapsed() >= before.elapsed
        now = before.time + (self._elapsed() - before.elapsed if same_boot else 0.0)
        ahead = self._wall() - now
        was_off = bool(before.off) and now - before.since >= BELIEVED
        is_believed = was_off and (abs(ahead - before.off) <= JUMP if same_boot else ahead < 0.0)
        if is_believed or (not same_boot and ahead >= -JUMP):
            self._gap = 0.0 if same_boot or ahead < GAP else ahead
            self._gap_ends = self._elapsed() + GAP
            return  # with the machine's time, as it began
        self._begin = now - self._elapsed()
        self.off, self._since = before.off, before.since
