"""Types of metrics: families, their children (series), histograms and exemplars. Knows no metric by name."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from operator import add
from typing import Literal, NamedTuple, Self

import msgspec
from msgspec import Struct

INF = math.inf


class Family(Struct, frozen=True, eq=False, kw_only=True):
    """A metric: its literal name, type, help and labels, and how its children are born, combined and forgotten.

    ``siblings`` lists, by label, the values whose children are born together at 0. ``expires_with`` are the labels
    that a child shares with all that expire together with it (none: it never expires). ``combine`` is how a gauge
    takes a new value. What is not ``durable`` starts again at every start.
    """

    name: str
    type: Literal["counter", "histogram", "gauge"]
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    siblings: Mapping[str, tuple[str, ...]] = {}
    expires_with: tuple[str, ...] = ()
    combine: Literal["last", "min", "max"] = "last"
    durable: bool = True


def counter(
    name: str,
    help: str,  # noqa: A002
    *labels: str,
    siblings: Mapping[str, tuple[str, ...]] | None = None,
    expires_with: tuple[str, ...] = (),
    durable: bool = True,
) -> Family:
    """Declare a counter; it survives restarts unless told otherwise."""
    return Family(
        name=name,
        type="counter",
        help=help,
        labels=labels,
        siblings=siblings or {},
        expires_with=expires_with,
        durable=durable,
    )


def histogram(
    name: str,
    help: str,  # noqa: A002
    *labels: str,
    bounds: tuple[float, ...],
    expires_with: tuple[str, ...] = (),
    durable: bool = True,
) -> Family:
    """Declare a histogram; it survives restarts unless told otherwise."""
    return Family(
        name=name,
        type="histogram",
        help=help,
        labels=labels,
        bounds=bounds,
        expires_with=expires_with,
        durable=durable,
    )


def gauge(name: str, help: str, *labels: str) -> Family:  # noqa: A002
    """Declare a gauge of the moment."""
    return Family(name=name, type="gauge", help=help, labels=labels, durable=False)


class Series(str):
    """One child of a family: a string, its name in an exposition, with its family and label values attached.

    Being a string makes it a quick dictionary key (the hash is kept) that is equal to any other of the same name.
    """

    __slots__ = ("family", "key", "labels")
    family: Family
    labels: tuple[str, ...]
    key: tuple[str, str]
    """What names it in the store: its family, and its labels as a JSON object."""

    def __new__(cls, family: Family, labels: tuple[str, ...]) -> Self:
        """Name the child of ``family`` with these label values, in the family's order."""
        if len(labels) != len(family.labels):
            raise ValueError(f"{family.name} has {len(family.labels)} labels, not {len(labels)}")
        pairs = ",".join(f'{name}="{escape(value)}"' for name, value in zip(family.labels, labels, strict=True))
        series = super().__new__(cls, f"{family.name}{{{pairs}}}" if pairs else family.name)
        series.family, series.labels = family, labels
        series.key = family.name, msgspec.json.encode(dict(zip(family.labels, labels, strict=True))).decode()
        return series

    def siblings(self) -> Iterator["Series"]:
        """Yield the children that are born together with this one, itself included."""
        choices = [
            self.family.siblings.get(name, (value,))
            for name, value in zip(self.family.labels, self.labels, strict=True)
        ]
        yield from (series_of(self.family, labels) for labels in product(*choices))

    def lifetime(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return what this child shares with all that expire together; two empty tuples if it never expires."""
        shared = self.family.expires_with
        return shared, tuple([self.labels[at] for at in _positions(self.family)])


@lru_cache(maxsize=64)
def _positions(family: Family) -> tuple[int, ...]:
    return tuple(family.labels.index(name) for name in family.expires_with)


@lru_cache(maxsize=8192)
def series_of(family: Family, labels: tuple[str, ...]) -> Series:
    """Return the child of a family with these label values, kept for the next call."""
    return Series(family, labels)


def escape(value: str) -> str:
    """Escape a label value as both exposition formats want it."""
    if "\\" in value or "\n" in value or '"' in value:
        return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return value


class Exemplar(NamedTuple):
    """An example trace of a value: its id, the value observed, and when (Unix seconds)."""

    trace_id: str
    value: float
    at: float


class Observed:
    """The observations of one batch in one series: the values, in order, and their exemplars."""

    __slots__ = ("exemplars", "values")

    def __init__(self) -> None:
        self.values: list[float] = []
        self.exemplars: list[Exemplar] = []


class Histogram:
    """Counts by bucket (not cumulative, the last is +Inf), their sum, and the newest exemplar of each bucket."""

    __slots__ = ("bounds", "counts", "exemplars", "sum")

    def __init__(self, bounds: tuple[float, ...], counts: Iterable[int] = (), total: float = 0.0) -> None:
        self.bounds = bounds
        self.counts = list(counts) or [0] * (len(bounds) + 1)
        self.sum = total
        self.exemplars: dict[float, Exemplar] = {}

    @classmethod
    def of(cls, bounds: tuple[float, ...], values: Sequence[float], exemplars: Iterable[Exemplar] = ()) -> Self:
        """Count finite values of at least 0; of the exemplars among them, each bucket keeps the last."""
        histogram = cls(bounds, _counts(bounds, sorted(values)), sum(values, 0.0))
        ends = (*bounds, INF)
        for exemplar in exemplars:
            histogram.exemplars[ends[bisect_left(bounds, exemplar.value)]] = exemplar
        return histogram

    def plus(self, other: "Histogram") -> "Histogram":
        """Return the sum of two histograms, with this one's bounds and the other's exemplars first."""
        other = other.fitted(self.bounds)
        both = Histogram(self.bounds, map(add, self.counts, other.counts), self.sum + other.sum)
        both.exemplars = self.exemplars | other.exemplars
        return both

    def fitted(self, bounds: tuple[float, ...]) -> "Histogram":
        """Return this histogram with other bounds: exact at every bound both have, at a new one never too high.

        What an old bucket held is counted at its upper end, because where inside it lay nobody knows.
        """
        if bounds == self.bounds:
            return self
        fitted = Histogram(bounds, total=self.sum)
        for bound, count in zip((*self.bounds, INF), self.counts, strict=True):
            fitted.counts[bisect_left(bounds, bound)] += count
        fitted.exemplars = {le: found for le, found in self.exemplars.items() if le == INF or le in bounds}
        return fitted


def _counts(bounds: tuple[float, ...], ordered: Sequence[float]) -> list[int]:
    """How many values each bucket holds; to find a bound among values in order is one look for all of them."""
    counts, before = [], 0
    for bound in bounds:
        at = bisect_right(ordered, bound, before)
        counts.append(at - before)
        before = at
    return [*counts, len(ordered) - before]
