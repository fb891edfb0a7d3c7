"""Drift: whether scores moved, and whether the system or the judge caused it. Knows verdicts of two periods, no clock.

Anchors decide: their answers never change, so a change there is the judge's. A change on live traffic that the anchors
do not show is the system's.
"""

from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from math import hypot, log
from typing import Final, Literal

from msgspec import Struct

from .intervals import CONFIDENCE, Estimate, chi_square_limit, gap, moved

BINS: Final = 10
NOTEWORTHY: Final = 0.1
"""Population stability index from which a shift is usually worth a look."""

Cause = Literal["steady", "system", "judge", "both", "unclear"]


class Drift(Struct, frozen=True):
    """Population stability index of scores against a reference, and the index that chance alone seldom reaches."""

    index: float
    chance: float
    reference: int
    n: int

    @property
    def moved(self) -> bool:
        """Whether the distribution changed by more than chance, and by enough to matter."""
        return self.index > max(self.chance, NOTEWORTHY)


class Diagnosis(Struct, frozen=True, kw_only=True):
    """Changes of the pass rate: on live traffic, by the judge (on the anchors), and of the system (the rest)."""

    cause: Cause
    live: Estimate | None
    judge: Estimate | None
    system: Estimate | None


def score_drift(reference: Sequence[float], now: Sequence[float], confidence: float = 0.999) -> Drift | None:
    """Compare scores in 0..1 of two periods; None where one is empty.

    Without a change the index times nm/(n+m) follows nearly a chi-square distribution with one less degree of freedom
    than there are bins in use: B. Yurdakul (2018), Statistical properties of population stability index, dissertation,
    Western Michigan University. Half an observation is added to each bin in use.
    """
    if not reference or not now:
        return None
    before, after = _counted(reference), _counted(now)
    used = [at for at in range(BINS) if before[at] or after[at]]
    shares = [
        ((before[at] + 0.5) / (len(reference) + len(used) / 2), (after[at] + 0.5) / (len(now) + len(used) / 2))
        for at in used
    ]
    index = sum((new - old) * log(new / old) for old, new in shares)
    scale = 1 / len(reference) + 1 / len(now)
    chance = chi_square_limit(len(used) - 1, confidence) * scale if len(used) > 1 else 0.0
    return Drift(index, chance, len(reference), len(now))


def diagnose(
    before: tuple[int, int],
    now: tuple[int, int],
    judge: Estimate | None,
    confidence: float = CONFIDENCE,
) -> Diagnosis:
    """Tell a changed system from a changed judge.

    ``before`` and ``now`` are (passed, judged) of live traffic; ``judge`` is by how much its pass rate changed on the
    same anchors, None where that is not known. It assumes that the judge changed on live traffic by as much as on the
    anchors, so anchors must resemble traffic. Where neither change alone can be told from chance, though live traffic
    moved: unclear.
    """
    live = gap(_verdicts(*now), _verdicts(*before), confidence)
    system = _difference(live, judge) if live and judge else None
    return Diagnosis(cause=_cause(live, judge, system), live=live, judge=judge, system=system)


def _cause(live: Estimate | None, judge: Estimate | None, system: Estimate | None) -> Cause:
    if moved(judge):
        return "both" if moved(system) else "judge"
    if moved(system):
        return "system"
    return "unclear" if moved(live) else "steady"


def _difference(one: Estimate, other: Estimate) -> Estimate:
    """The difference of two independent estimates, its interval put together from theirs.

    G. Y. Zou and A. Donner (2008), Construction of confidence limits about effect measures: a general approach,
    Statistics in Medicine 27, 1693-1702.
    """
    value = one.value - other.value
    low = value - hypot(one.value - one.low, other.high - other.value)
    high = value + hypot(one.high - one.value, other.value - other.low)
    return Estimate(value, low, high, min(one.n, other.n))


def _verdicts(passed: int, judged: int) -> Iterable[float]:
    return chain(repeat(1.0, passed), repeat(0.0, judged - passed))


def _counted(scores: Sequence[float]) -> list[int]:
    counts = [0] * BINS
    for score in scores:
        counts[min(BINS - 1, max(0, int(score * BINS)))] += 1
    return counts
