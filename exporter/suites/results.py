"""The newest result of every suite, evaluator and version → gauges. Bounded; knows no HTTP and no questions."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import Final, Literal

from ..metrics import families as f
from ..metrics.registry import Metrics
from ..metrics.series import Family
from ..offline.result import OfflineResult
from ..records.suites import SuiteResult

MOST: Final = 500
"""Results that are kept; beyond it the one of the earliest run goes."""

Outcome = Literal["newest", "duplicate", "older"]
Key = tuple[str, str, str, str, str, str]
Fold = Callable[[str, str, str], tuple[str, str, str]]
"""App, model and prompt version → the same as the labels of production's metrics have them."""


def kept(result: OfflineResult) -> SuiteResult:
    """The stored form of a checked result."""
    if not isinstance(result.timestamp, float | int):
        raise TypeError("the result was not checked")
    return SuiteResult(
        result.suite,
        result.evaluator,
        result.evaluator_version,
        result.app,
        result.model_version,
        result.prompt_version,
        result.run_id,
        float(result.timestamp),
        result.cases,
        result.passed,
        result.mean_score,
    )


class Results:
    """All stored results. ``fold`` bounds app and versions like those of traces, so that both join."""

    def __init__(self, metrics: Metrics, fold: Fold) -> None:
        self._metrics = metrics
        self._fold = fold
        self._kept: dict[Key, SuiteResult] = {}
        self._labels: dict[Key, Key] = {}
        self._sharing: defaultdict[Key, dict[Key, None]] = defaultdict(dict)
        """The kept results that are shown under the same labels."""
        self._by_age: list[tuple[tuple[float, str], Key]] = []
        """A heap of all kept results, and of some that were replaced since."""

    def __len__(self) -> int:
        return len(self._kept)

    def outcome(self, one: SuiteResult) -> Outcome:
        """The outcome for a result: it is the newest, a repetition, or older than a stored one."""
        known = self._kept.get(one.key)
        if known is not None and one.run_id == known.run_id:
            return "duplicate"
        return "newest" if known is None or one.age > known.age else "older"

    def add(self, one: SuiteResult) -> list[SuiteResult]:
        """Store the newest result of its key; returns the results that were evicted for it."""
        self._kept[one.key] = one
        labels = (*one.key[:3], *self._fold(*one.key[3:]))
        if (before := self._labels.get(one.key)) is not None:
            self._sharing[before].pop(one.key, None)
        self._labels[one.key] = labels
        self._sharing[labels][one.key] = None
        heappush(self._by_age, (one.age, one.key))
        gone: list[SuiteResult] = []
        while len(self._kept) > MOST:
            gone.append(self._kept.pop(self._oldest()))
        return gone

    def _oldest(self) -> Key:
        """The key of the earliest result; what was replaced before is dropped from the heap."""
        while True:
            age, key = heappop(self._by_age)
            if key in self._kept and self._kept[key].age == age:
                return key

    def show(self, keys: Iterable[Key]) -> None:
        """Expose the newest of all results that share these labels, or remove the series where none is left."""
        for labels in {self._labels[key] for key in keys if key in self._labels}:
            sharing = self._sharing[labels]
            for key in [key for key in sharing if key not in self._kept]:
                del sharing[key], self._labels[key]
            newest = max((self._kept[key] for key in sharing), key=lambda one: one.age, default=None)
            if not sharing:
                del self._sharing[labels]
            for family, value in _gauges(newest):
                self._metrics.measured(family, labels, value)


def _gauges(one: SuiteResult | None) -> list[tuple[Family, float | None]]:
    values = (one.cases, one.passed, one.mean_score, one.timestamp) if one else (None, None, None, None)
    return list(zip(f.OFFLINE_GAUGES, values, strict=True))
