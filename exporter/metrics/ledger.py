"""Durable totals of all series: staged, stored, restored. Knows no metric by name and no file format.

A total changes in three steps. ``Deltas`` gather the increments of one batch; ``Ledger.stage`` returns the resulting
absolute totals, for the store's transaction; ``Ledger.apply`` adds the increments to the exposed totals, once that
transaction is durable. Stage and apply one batch before the next is staged.

A new series is first exposed at 0 (see ``births``). Its release is stored before it is exposed: after a crash it is
either still at 0 for every scraper, or has been counted from 0.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from .births import Births
from .series import INF, Exemplar, Family, Histogram, Observed, Series, series_of

MOST = 2.0**53
"""What a float can count to by ones: no single amount is as much."""
Row = tuple[str, str, str]
"""One stored total: family name, labels as a JSON object, value as JSON."""

_log = logging.getLogger(__name__)


class Deltas:
    """The increments of one batch; ``at`` (Unix seconds) is its time. ``released`` are new series to expose with it."""

    __slots__ = ("at", "counters", "exemplars", "gauges", "observed", "released")

    def __init__(self, at: float) -> None:
        self.at = at
        self.counters: defaultdict[Series, float] = defaultdict(float)
        self.gauges: dict[Series, float] = {}
        self.observed: defaultdict[Series, Observed] = defaultdict(Observed)
        self.exemplars: dict[Series, Exemplar] = {}
        self.released: list[Series] = []

    def __bool__(self) -> bool:
        return bool(self.counters or self.gauges or self.observed)

    def inc(
        self, family: Family, labels: tuple[str, ...] = (), amount: float = 1.0, exemplar: Exemplar | None = None
    ) -> None:
        """Add to a counter; raises ValueError unless the amount is at least 0 and below MOST."""
        _require_countable(family, amount)
        series = series_of(family, labels)
        self.counters[series] += amount
        if exemplar is not None:
            self.exemplars[series] = exemplar

    def observe(self, family: Family, labels: tuple[str, ...], value: float, exemplar: Exemplar | None = None) -> None:
        """Count a value in a histogram; raises ValueError unless it is at least 0 and below MOST."""
        _require_countable(family, value)
        observed = self.observed[series_of(family, labels)]
        observed.values.append(value)
        if exemplar is not None:
            observed.exemplars.append(exemplar)

    def set(self, family: Family, labels: tuple[str, ...], value: float) -> None:
        """Give a gauge a finite value, combined with an earlier one as its family says."""
        series = series_of(family, labels)
        self.gauges[series] = combined(family, self.gauges.get(series), value)

    def settle(self) -> None:
        """Add increments that were gathered elsewhere to these; called before they are read."""


class SeriesTotals(Struct):
    """The value of every series, and the newest exemplar of every counter that has one."""

    numbers: dict[Series, float]
    histograms: dict[Series, Histogram]
    exemplars: dict[Series, Exemplar]


class Ledger:
    """The totals of every series of the given families; see the module for how they change.

    ``births`` holds the series that are exposed at 0.
    """

    def __init__(self, families: Iterable[Family], births: Births | None = None) -> None:
        self.births = Births(wait=0) if births is None else births
        self._families = {family.name: family for family in families}
        self._numbers: dict[Series, float] = {}
        self._histograms: dict[Series, Histogram] = {}
        self._exemplars: dict[Series, Exemplar] = {}
        self._updated: dict[Series, float] = {}
        self._none_expires_before = -INF
        self._staged: _Changed | None = None

    def totals(self) -> SeriesTotals:
        """Return the totals as they are now; they do not change, so another thread may read them."""
        return SeriesTotals(self._numbers.copy(), self._histograms.copy(), self._exemplars.copy())

    def held(self) -> SeriesTotals:
        """Return the totals as scrapers see them: new series at 0."""
        totals = self.totals()
        for series in self.births:
            totals.exemplars.pop(series, None)
            if series in totals.numbers:
                totals.numbers[series] = 0.0
            else:
                totals.histograms[series] = Histogram(totals.histograms[series].bounds)
        return totals

    def last_updated(self, names: tuple[str, ...]) -> dict[tuple[str, ...], float]:
        """Return the values of these labels that any series has, and when one of its series last changed."""
        found: dict[tuple[str, ...], float] = {}
        positions: dict[Family, list[int]] = {}
        for series, at in self._updated.items():
            family = series.family
            if family not in positions:
                has_all = set(names) <= set(family.labels)
                positions[family] = [family.labels.index(name) for name in names] if has_all else []
            if positions[family]:
                values = tuple([series.labels[position] for position in positions[family]])
                found[values] = max(at, found.get(values, 0.0))
        return found

    def keys_of(self, belongs: Callable[[Series], bool], keep: Deltas) -> list[tuple[str, str]]:
        """Return (family, labels JSON) of the durable series for which that holds and that ``keep`` does not touch."""
        touched = set(_touched(keep))
        return [series.key for series in self._updated if belongs(series) and series not in touched]

    def born(self, family: Family, labels: tuple[str, ...]) -> None:
        """Show a child and its siblings at 0 from the start, where they have no total yet."""
        children = list(series_of(family, labels).siblings())
        self.births.add(self._newborn(children))
        for series in children:
            if family.type == "histogram":
                self._histograms.setdefault(series, Histogram(family.bounds))
            else:
                self._numbers.setdefault(series, 0.0)

    def stage(self, deltas: Deltas) -> list[Row]:
        """Return the stored rows that correspond to these deltas; exposes nothing."""
        changed = self._staged = self._changed(deltas)
        deltas.released = self.births.due()
        held = {*filter(self.births.__contains__, changed), *self._newborn(changed)}.difference(deltas.released)
        rows = [_row(series, total, deltas.at, held=series in held) for series, total in changed.items()]
        rows += [
            _row(series, self._total(series), self._updated[series])
            for series in deltas.released
            if series in self._updated and series not in changed
        ]
        return [row for row in rows if self._families[row[0]].durable]

    def apply(self, deltas: Deltas) -> None:
        """Add a batch to the exposed totals."""
        staged = self._staged
        changed = staged if staged is not None and staged.deltas is deltas else self._changed(deltas)
        if staged is not None and (staged is changed or staged.shares(changed)):
            self._staged = None
        self.births.add(self._newborn(changed))
        self.births.release(deltas.released)
        self._numbers.update(changed.numbers)
        self._histograms.update(changed.histograms)
        self._exemplars.update(deltas.exemplars)
        self._updated.update(dict.fromkeys(changed.numbers, deltas.at))
        self._updated.update(dict.fromkeys(changed.histograms, deltas.at))
        self._none_expires_before = min(self._none_expires_before, deltas.at)

    def restore(self, rows: Iterable[Row]) -> None:
        """Load the totals from the store.

        Rows of a family that is unknown, or that has other labels now, stay there for the version that knows them; a
        histogram with other bounds is fitted (see ``Histogram.fitted``). Both are logged by family.
        """
        self._staged, self._none_expires_before = None, -INF
        notes: Counter[tuple[str, str]] = Counter()
        for name, labels_json, value_json in rows:
            note = self._restore_one(name, labels_json, value_json)
            if note:
                notes[name, note] += 1
        for (name, note), count in notes.items():
            _log.warning("stored totals: family=%s rows=%d note=%s", name, count, note)

    def expired(self, before: float, keep: Deltas | None = None) -> list[tuple[str, str]]:
        """Return (family, labels JSON) of the series idle since ``before`` (Unix seconds) with all their kin.

        Series that ``keep`` touches stay. Nothing changes until ``drop``. Costs nothing while none can have expired.
        """
        if before <= self._none_expires_before:
            return []
        mortal = {series: series.lifetime() for series in self._updated if series.family.expires_with}
        newest: defaultdict[object, float] = defaultdict(float)
        for series, lifetime in mortal.items():
            newest[lifetime] = max(newest[lifetime], self._updated[series])
        self._none_expires_before = min(newest.values(), default=before)
        for series in _touched(keep):
            newest[series.lifetime()] = INF
        return [series.key for series, lifetime in mortal.items() if newest[lifetime] < before]

    def drop(self, keys: Collection[tuple[str, str]]) -> None:
        """Forget series by family and labels JSON; those that are not there are passed over."""
        self._staged = None
        for name, labels_json in keys:
            family = self._families[name]
            series = series_of(family, _label_values(family, labels_json))
            self._forget(series)

    def refit(self, family: Family) -> None:
        """Take a family's new declaration (other bounds) and fit its histograms to it."""
        self._staged = None
        self._families[family.name] = family
        self._histograms = {
            _redeclared(series, family): histogram.fitted(family.bounds)
            if series.family.name == family.name
            else histogram
            for series, histogram in self._histograms.items()
        }

    def _newborn(self, some: Iterable[Series]) -> list[Series]:
        """Those that count, that have no total yet, and that are to be shown at 0 first."""
        known: tuple[dict[Series, Any], ...] = (self._numbers, self._histograms)
        if self.births.wait == 0:
            return []
        return [each for each in some if each.family.type != "gauge" and not any(each in one for one in known)]

    def _total(self, series: Series) -> "float | Histogram":
        number = self._numbers.get(series)
        return self._histograms[series] if number is None else number

    def _forget(self, series: Series) -> None:
        self.births.release([series])
        held: tuple[dict[Series, Any], ...] = (self._numbers, self._histograms, self._exemplars, self._updated)
        for by_series in held:
            by_series.pop(series, None)

    def _changed(self, deltas: Deltas) -> "_Changed":
        """What a batch makes of the totals."""
        deltas.settle()
        return _Changed(deltas, self._new_numbers(deltas), self._new_histograms(deltas))

    def _new_numbers(self, deltas: Deltas) -> dict[Series, float]:
        held = self._numbers
        new = {series: held.get(series, 0.0) + amount for series, amount in deltas.counters.items()}
        for series, value in deltas.gauges.items():
            new[series] = combined(series.family, held.get(series), value)
        for series in [series for series in new if series.family.siblings and series not in held]:
            for sibling in series.siblings():
                if sibling not in held:
                    new.setdefault(sibling, 0.0)
        return new

    def _new_histograms(self, deltas: Deltas) -> dict[Series, Histogram]:
        new = {}
        for series, observed in deltas.observed.items():
            family = self._families[series.family.name]
            base = self._histograms.get(series) or Histogram(family.bounds)
            added = Histogram.of(series.family.bounds, observed.values, observed.exemplars)
            new[_redeclared(series, family)] = base.plus(added)
        return new

    def _restore_one(self, name: str, labels_json: str, value_json: str) -> str | None:
        family = self._families.get(name)
        if family is None or not family.durable:
            return "unknown family, left"
        try:
            series = series_of(family, _label_values(family, labels_json))
            if family.type == "histogram":
                return self._restore_histogram(series, msgspec.json.decode(value_json, type=_Buckets))
            number = msgspec.json.decode(value_json, type=_Number)
        except KeyError:
            return "other labels, left"
        except (msgspec.MsgspecError, ValueError):
            return "unreadable, left"
        self._numbers[series], self._updated[series] = number.value, number.updated_at
        self._restore_birth(series, held=number.held)
        return None

    def _restore_histogram(self, series: Series, stored: "_Buckets") -> str | None:
        if len(stored.counts) != len(stored.bounds) + 1:
            raise ValueError(series)
        bounds = series.family.bounds
        as_before = stored.bounds == bounds
        histogram = Histogram(bounds if as_before else stored.bounds, stored.counts, stored.sum)
        self._histograms[series], self._updated[series] = histogram.fitted(bounds), stored.updated_at
        self._restore_birth(series, held=stored.held)
        return None if as_before else "fitted to other bounds"

    def _restore_birth(self, series: Series, *, held: bool) -> None:
        self.births.release([series])
        if held:
            self.births.add([series])


def combined(family: Family, old: float | None, new: float) -> float:
    """Return the value of a gauge after it was ``old`` and is told ``new``."""
    if old is None or family.combine == "last":
        return new
    return min(old, new) if family.combine == "min" else max(old, new)


class _Changed(Struct):
    """The totals that a batch changes, as it makes them."""

    deltas: Deltas
    numbers: dict[Series, float]
    histograms: dict[Series, Histogram]

    def __iter__(self) -> Iterator[Series]:
        yield from self.numbers
        yield from self.histograms

    def __contains__(self, series: Series) -> bool:
        return series in self.numbers or series in self.histograms

    def items(self) -> "Iterator[tuple[Series, float | Histogram]]":
        """Yield each series with its total."""
        yield from self.numbers.items()
        yield from self.histograms.items()

    def shares(self, other: "_Changed") -> bool:
        """Whether both change a series."""
        mine, others = self.numbers.keys(), self.histograms.keys()
        return not (mine.isdisjoint(other.numbers) and others.isdisjoint(other.histograms))


class _Number(Struct, omit_defaults=True):
    """A stored number; ``held``: whoever scrapes is shown 0 still."""

    value: float
    updated_at: float
    held: bool = False


class _Buckets(Struct, omit_defaults=True):
    """A stored histogram; ``held`` as of a number."""

    bounds: tuple[float, ...]
    counts: list[int]
    sum: float
    updated_at: float
    held: bool = False


def _row(series: Series, total: float | Histogram, updated_at: float, *, held: bool = False) -> Row:
    if isinstance(total, Histogram):
        stored: Struct = _Buckets(total.bounds, total.counts, total.sum, updated_at, held)
    else:
        stored = _Number(total, updated_at, held)
    return (*series.key, _encode(stored))


def _encode(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _label_values(family: Family, labels_json: str) -> tuple[str, ...]:
    labels = msgspec.json.decode(labels_json, type=dict[str, str])
    if len(labels) != len(family.labels):
        raise KeyError(family.name)
    return tuple(labels[name] for name in family.labels)


def _redeclared(series: Series, family: Family) -> Series:
    same = series.family is family or series.family.name != family.name
    return series if same else series_of(family, series.labels)


def _touched(deltas: Deltas | None) -> Iterator[Series]:
    if deltas is not None:
        deltas.settle()
        yield from deltas.counters
        yield from deltas.gauges
        yield from deltas.observed


def _require_countable(family: Family, value: float) -> None:
    if not 0.0 <= value < MOST:
        raise ValueError(f"{family.name} cannot count {value}")
