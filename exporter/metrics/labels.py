"""Free text → bounded label values and slices. Knows budgets; knows nothing of metrics or traces.

A value is named while its label has room: ``budgets`` are numbers of values, of the apps, and within each app of its
routes, model versions and prompt versions, because all three are an app's own: what one app does to its labels folds
nothing of another's. A slice is named while the budget of slices has room (``slice_budget``); where it has none, the
version with the most values in that app folds first, then the other version, the route last, and never the app.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

from .label_text import SHORTEST, UNKNOWN, cleaned, templated
from .slice_budget import IDLE, OTHER, SLICES, Slice, SliceBudget

__all__ = ["OTHER", "UNKNOWN", "Limiter", "Slice", "templated"]

_CACHED_VALUES: Final = 4096
_CACHED_LENGTH: Final = 256
_VERSIONS: Final = ("prompt_version", "model_version")

Told = tuple[str | None, str | None, str | None, str | None]


class Limiter:
    """Bounds the values of each label, and the number of slices, to their budgets.

    ``budgets`` are numbers of values by label; ``slices`` is how many slices are shown at a time; ``max_length`` is
    bytes of UTF-8; ``allow`` closes a label to the values listed, which then need no budget; ``template_routes``
    replaces the ids in routes by ``:id``. ``now`` is seconds.
    """

    def __init__(
        self,
        budgets: Mapping[str, int],
        *,
        slices: int = SLICES,
        max_length: int = 128,
        allow: Mapping[str, tuple[str, ...]] | None = None,
        template_routes: bool = True,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.slices = SliceBudget(slices, now)
        self._now = now
        self._overflow: dict[str, int] = {}
        self.configure(budgets, slices=slices, max_length=max_length, allow=allow, template_routes=template_routes)

    def configure(
        self,
        budgets: Mapping[str, int],
        *,
        slices: int = SLICES,
        max_length: int = 128,
        allow: Mapping[str, tuple[str, ...]] | None = None,
        template_routes: bool = True,
    ) -> None:
        """Take other limits; values that are in use stay named, unless an allow list leaves them out."""
        self._budgets = dict(budgets)
        self._max_length = max(max_length, SHORTEST)
        self._allow = {label: frozenset(values) for label, values in (allow or {}).items() if values}
        self._template_routes = template_routes
        self._cleaned: dict[str, dict[str | None, str]] = {}
        self.slices.resize(slices)
        self._look_again()

    def slice(self, app: str | None, route: str | None, model_version: str | None, prompt_version: str | None) -> Slice:
        """Return the bounded slice of a trace."""
        told = app, route, model_version, prompt_version
        found = self._placed.get(told)
        if found is None:
            return self._place(told)
        self.slices.shown[found] = self._now()
        return found

    def current(self, where: Slice) -> Slice:
        """Return the slice to count under what comes later than its trace, of which this was the slice."""
        return self.slice(*where)

    def peek(self, app: str, model_version: str, prompt_version: str) -> tuple[str, str, str]:
        """Return what the labels of these would show, so that others name them alike; takes no room of the budgets."""
        shown = self._fits("app", self.named("app", app), None)
        model = self._fits("model_version", self.named("model_version", model_version), shown)
        return shown, model, self._fits("prompt_version", self.named("prompt_version", prompt_version), shown)

    def named(self, label: str, value: str | None) -> str:
        """Return a text as a label shows it, whatever the budgets; it must be of the allow list, where there is one."""
        known = self._cleaned.setdefault(label, {})
        found = known.get(value)
        if found is None:
            is_route = label == "route" and self._template_routes
            found = cleaned(value, self._max_length, is_route=is_route)
            if value is None or len(value) <= _CACHED_LENGTH:
                if len(known) >= _CACHED_VALUES:
                    known.clear()
                known[value] = found
        allowed = self._allow.get(label)
        return found if allowed is None or found in allowed or found == UNKNOWN else OTHER

    def restore(self, used: Mapping[Slice, float]) -> None:
        """Take the slices of restored totals, and when each was last used; their values stay named."""
        self.slices.restore(used)
        self._look_again()

    def expire(self, before: float) -> None:
        """Forget the slices that were last used before that: what no other one has is free again."""
        if self.slices.expire(before):
            self._look_again()

    def take_overflow(self) -> dict[str, int]:
        """Return how many values were folded into ``__other__`` since the last call, by label."""
        taken, self._overflow = self._overflow, {}
        return taken

    def _place(self, told: Told) -> Slice:
        named = Slice(*map(self.named, Slice._fields, told))
        parkings = self.slices.parkings
        found = self._within_budgets(named)
        if self.slices.parkings != parkings:
            self._look_again()
        self._learn(found)
        for label, value, sent in zip(Slice._fields, found, told, strict=True):
            if value == OTHER and sent != OTHER:
                self._overflow[label] = self._overflow.get(label, 0) + 1
        if OTHER not in found and all(value is None or len(value) <= _CACHED_LENGTH for value in told):
            if len(self._placed) >= _CACHED_VALUES:
                self._placed.clear()
            self._placed[told] = found
        return found

    def _within_budgets(self, named: Slice) -> Slice:
        app = self._bounded("app", named.app, None)
        where = Slice(app, *(self._bounded(label, getattr(named, label), app) for label in Slice._fields[1:]))
        for label in self._folding_order(app):
            if self.slices.take(where):
                return where
            where = where._replace(**{label: OTHER})
        self.slices.take(where)  # now it names the app alone, which needs no room
        return where

    def _folding_order(self, app: str) -> list[str]:
        most_first = sorted(_VERSIONS, key=lambda label: len(self._values(label, app)), reverse=True)
        return [*most_first, "route"]

    def _bounded(self, label: str, value: str, app: str | None) -> str:
        """Return a value if it may be named in that app (None: the value is an app), else ``__other__``."""
        fitting = self._fits(label, value, app)
        return value if fitting == OTHER and value != OTHER and self._give_back(label, app) else fitting

    def _fits(self, label: str, value: str, app: str | None) -> str:
        """Return a value if it has room as things are, else ``__other__``."""
        if value in {UNKNOWN, OTHER} or label in self._allow:
            return value
        known = self._values(label, app)
        return value if value in known or len(known) < self._budgets[label] else OTHER

    def _values(self, label: str, app: str | None) -> set[str]:
        """Return the values of a label that are named in an app; they are those of the slices that are shown."""
        known = self._known.get((label, app))
        if known is None:
            at = Slice._fields.index(label)
            known = {where[at] for where in self.slices.of_app(app)} - {UNKNOWN, OTHER}
            self._known[label, app] = known
        return known

    def _learn(self, where: Slice) -> None:
        for label, value in zip(Slice._fields, where, strict=True):
            if value not in {UNKNOWN, OTHER}:
                self._values(label, None if label == "app" else where.app).add(value)

    def _give_back(self, label: str, app: str | None) -> bool:
        """Park the slices of the value that rests longest, if it has rested long enough."""
        now = self._now()
        if now < self._none_idle_before.get((label, app), 0.0):
            return False
        at, last = Slice._fields.index(label), dict[str, float]()
        for where in self.slices.of_app(app):
            last[where[at]] = max(last.get(where[at], 0.0), self.slices.shown[where])
        named = (value for value in last if value not in {UNKNOWN, OTHER})
        value = min(named, key=last.__getitem__, default=None)
        if value is None or last[value] > now - IDLE:
            self._none_idle_before[label, app] = (now if value is None else last[value]) + IDLE
            return False
        for where in [where for where in self.slices.of_app(app) if where[at] == value]:
            self.slices.park(where)
        self._look_again()
        return True

    def _look_again(self) -> None:
        """Forget what was decided by the slices that were shown."""
        self._placed: dict[Told, Slice] = {}
        self._known: dict[tuple[str, str | None], set[str]] = {}
        self._none_idle_before: dict[tuple[str, str | None], float] = {}
