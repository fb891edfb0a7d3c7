"""Limits the number of exposed slices, shared fairly by the apps. Knows no metric and no text.

A slice that is evicted is *parked*: its totals are kept but not exposed, and if the slice is used again it continues
from them, so that no counter returns lower than it was. Where the budget is used up,

1. the least recently used slice is evicted, if it was unused for ``IDLE`` seconds; 2. or an app below its share (the
budget divided by the apps in use) evicts the least recently used slice of the app that has the most; 3. or the new
slice is refused, and the caller folds one of its labels.

The last quarter of the budget, and of a share, is for slices with a folded version, and half of that for slices with
both folded, so that an explosion of versions leaves room for the other routes of its app.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

OTHER: Final = "__other__"
"""What stands for every value past a budget."""
IDLE: Final = 3600.0
"""Seconds without an event after which a slice makes room for new ones where the budget is spent."""
SLICES: Final = 150
"""The budget unless a config has another; see ``config.cardinality`` for what it costs."""
_EIGHTHS: Final = (6, 7, 8)
"""What part of a budget is for slices with no version folded, with one, with both."""


class Slice(NamedTuple):
    """The label values that every quality metric has, already bounded."""

    app: str
    route: str
    model_version: str
    prompt_version: str

    @property
    def is_rest(self) -> bool:
        """Whether only the app is named: each app has one such slice, which needs no room."""
        return self[1:] == (OTHER, OTHER, OTHER)


class SliceBudget:
    """Exposes at most ``most`` slices, and parks as many. ``now`` is seconds of any clock."""

    def __init__(self, most: int = SLICES, now: Callable[[], float] = time.time) -> None:
        self.most = most
        self.shown: dict[Slice, float] = {}
        """The slices that are shown, and when each was last used."""
        self.parked: dict[Slice, float] = {}
        """The slices of which the totals alone are kept, and when each was last used; the longest parked first."""
        self.parkings = 0
        """How often a slice was parked so far."""
        self._now = now
        self._by_app: dict[str, set[Slice]] = {}
        self._count = 0
        self._none_idle_before = 0.0
        self._forgotten: list[Slice] = []

    def take(self, where: Slice) -> bool:
        """Expose a slice that is used now, evicting another where the rules allow; False: it must be folded."""
        if where not in self.shown:
            if not where.is_rest and not self._make_room(where):
                return False
            self._show(where)
        self.shown[where] = self._now()
        return True

    def of_app(self, app: str | None) -> Iterable[Slice]:
        """Return the slices of an app that are shown; None for all slices."""
        return self.shown if app is None else self._by_app.get(app, ())

    def park(self, where: Slice) -> None:
        """Stop exposing a slice, and keep its totals."""
        self.parked[where] = self._hide(where)
        self.parkings += 1
        self._bound_parked()

    def resize(self, most: int) -> None:
        """Take another budget; what is too much is parked."""
        self.most = most
        while self._count > most:
            self.park(self._resting(where for where in self.shown if not where.is_rest))
        self._bound_parked()

    def expire(self, before: float) -> bool:
        """Forget the slices that were last used before that; returns whether there were any."""
        gone = [where for where, used in self.shown.items() if used < before]
        for where in gone:
            self._hide(where)
        self.parked = {where: used for where, used in self.parked.items() if used >= before}
        return bool(gone)

    def restore(self, used: Mapping[Slice, float]) -> None:
        """Take the slices of an earlier run, and when each was last used: those used last are shown."""
        for where in sorted(used, key=used.__getitem__, reverse=True):
            if where.is_rest or self._count < _part(self.most, where):
                self._show(where)
                self.shown[where] = used[where]
            else:
                self.parked[where] = used[where]
        self.parked = dict(sorted(self.parked.items(), key=lambda one: one[1]))
        self._bound_parked()

    def take_forgotten(self) -> list[Slice]:
        """Return the slices whose totals have to go, because too many are parked, since the last call."""
        taken, self._forgotten = self._forgotten, []
        return taken

    def _bound_parked(self) -> None:
        while len(self.parked) > self.most:
            longest = next(iter(self.parked))
            del self.parked[longest]
            self._forgotten.append(longest)

    def _make_room(self, where: Slice) -> bool:
        if self._count < _part(self.most, where) or self._park_an_idle_one():
            return True
        mine = len(self._by_app.get(where.app, ()))
        biggest = max(self._by_app.values(), key=len)
        share = self.most // (len(self._by_app) + (where.app not in self._by_app))
        if mine >= _part(share, where) or len(biggest) <= mine + 1:
            return False
        self.park(self._resting(biggest))
        return True

    def _park_an_idle_one(self) -> bool:
        now = self._now()
        if now < self._none_idle_before:
            return False
        longest = self._resting(where for where in self.shown if not where.is_rest)
        if self.shown[longest] > now - IDLE:
            self._none_idle_before = self.shown[longest] + IDLE
            return False
        self.park(longest)
        return True

    def _resting(self, some: Iterable[Slice]) -> Slice:
        """Return the one that was used least recently."""
        return min(some, key=self.shown.__getitem__)

    def _show(self, where: Slice) -> None:
        self.parked.pop(where, None)
        self.shown[where] = 0.0
        if not where.is_rest:
            self._by_app.setdefault(where.app, set()).add(where)
            self._count += 1

    def _hide(self, where: Slice) -> float:
        if not where.is_rest:
            self._count -= 1
            self._by_app[where.app].discard(where)
            if not self._by_app[where.app]:
                del self._by_app[where.app]
        return self.shown.pop(where)


def _part(budget: int, where: Slice) -> int:
    folded = (where.model_version == OTHER) + (where.prompt_version == OTHER)
    return max(1, budget * _EIGHTHS[folded] // 8)
