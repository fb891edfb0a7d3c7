"""Estimates a judge's current agreement when only some anchors were asked again recently. Knows verdicts and times.

An old verdict on an anchor describes the judge as it was then, so only anchors asked again in the current window are
evidence of now. How many of the others would change is estimated from similar anchors: those with the same human label
and the same first verdict. That is post-stratification with double sampling (W. G. Cochran, 1977, Sampling Techniques,
chapters 5A and 12): for a judge that repeats itself a few anchors suffice, for one that changed the estimate is only as
good as the sample asked again.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from typing import Final

from msgspec import Struct

from ..model.score import Verdict
from .agreement import Confusion
from .intervals import CONFIDENCE, Estimate, quantile

HOUR: Final = 3600.0
LEAST: Final = 10
"""Anchors asked again of each kind (people pass, people fail) below which nothing is said: it is not known yet."""
ENOUGH_ASKED: Final = 60
ENOUGH_JUDGED: Final = 200
LONGEST_HOURS: Final = 7 * 24

Stratum = tuple[Verdict, Verdict]
"""What people and what the judge first said of an anchor."""


class AskedAnchor(Struct, frozen=True, kw_only=True):
    """An anchor: what people say, what the judge said at ``first``, and ``again`` in the window (None: not asked).

    ``weight`` is the share of production that its time stands for, relative to the other anchors'.
    """

    human: Verdict
    first: Verdict
    again: Verdict | None = None
    weight: float = 1.0


class JudgeEvidence(Struct, frozen=True, kw_only=True):
    """What is known of the judge now. ``confusion`` holds as many cases as the evidence is worth, which is no whole
    number; of a kind of anchor of which too few were asked again it holds none.

    ``shift`` is the change of its pass rate on the anchors since they were asked first; ``asked`` of ``anchors`` were
    asked again in the window.
    """

    confusion: Confusion
    shift: Estimate | None
    asked: int
    anchors: int


class _Kind(Struct, frozen=True):
    """A pass rate: its value, the variance of that value, and how many anchors it is of and rests on."""

    rate: float
    variance: float
    size: int
    asked: int

    @property
    def worth(self) -> float:
        """How many independent cases would tell the rate as well."""
        if self.asked < min(LEAST, self.size):
            return 0.0
        padded = (self.rate * self.size + 1) / (self.size + 2)
        return min(float(self.size), padded * (1 - padded) / self.variance)

    def cases(self, share: float) -> float:
        """How many of those cases a share is; rounded, so that whole cases stay whole."""
        return round(share * self.worth, 6)


def evidence(anchors: Iterable[AskedAnchor], confidence: float = CONFIDENCE) -> JudgeEvidence:
    """What the anchors say of the judge in the window."""
    found = list(anchors)
    passed, failed = (_kind([one for one in found if one.human == human]) for human in ("pass", "fail"))
    return JudgeEvidence(
        confusion=Confusion(
            pass_pass=passed.cases(passed.rate),
            fail_pass=passed.cases(1 - passed.rate),
            pass_fail=failed.cases(failed.rate),
            fail_fail=failed.cases(1 - failed.rate),
        ),
        shift=_shift(found, confidence),
        asked=passed.asked + failed.asked,
        anchors=len(found),
    )


def _kind(anchors: Sequence[AskedAnchor]) -> _Kind:
    """The share of some anchors that the judge passes now; its variance is that of the whole and of the part asked."""
    if not anchors:
        return _Kind(0.0, 1.0, 0, 0)
    rate, variance = _stratified(anchors)
    size = len(anchors)
    padded = (rate * size + 1) / (size + 2)
    asked = sum(one.again is not None for one in anchors)
    return _Kind(rate, variance + padded * (1 - padded) / size, size, asked)


def _stratified(anchors: Sequence[AskedAnchor]) -> tuple[float, float]:
    """The pass rate of now, put together from strata by their sizes; its variance for what was not asked again."""
    rate = variance = 0.0
    for stratum in _strata(anchors):
        share = len(stratum) / len(anchors)
        found, doubt = _rate(stratum)
        rate += share * found
        variance += share * share * doubt
    return rate, variance


def _strata(anchors: Sequence[AskedAnchor]) -> list[list[AskedAnchor]]:
    strata: dict[Stratum, list[AskedAnchor]] = {}
    for one in anchors:
        strata.setdefault((one.human, one.first), []).append(one)
    return list(strata.values())


def _rate(stratum: Sequence[AskedAnchor]) -> tuple[float, float]:
    """The pass rate of a stratum, and its variance, for the part that was not asked: with two pseudo-observations."""
    asked = [one for one in stratum if one.again is not None]
    total = sum(one.weight for one in asked)
    if not total:
        return 0.5, 1 / 8
    n = total * total / sum(one.weight**2 for one in asked)
    rate = sum(one.weight for one in asked if one.again == "pass") / total
    middle = (rate * n + 1) / (n + 2)
    left = 1 - min(n, len(asked)) / len(stratum)
    return rate, left * middle * (1 - middle) / (n + 2)


def _shift(anchors: Sequence[AskedAnchor], confidence: float) -> Estimate | None:
    """How the pass rate on the anchors changed since they were asked first; None where too few were asked again."""
    asked, size = sum(one.again is not None for one in anchors), len(anchors)
    if not size or asked < min(LEAST, size):
        return None
    now, variance = _stratified(anchors)
    before = sum(one.first == "pass" for one in anchors) / size
    change = now - before
    flipped = sum(len(one) / size * _flipped(one) for one in _strata(anchors))
    variance += max(0.0, (flipped * size + 1) / (size + 2) - change**2) / size
    half = quantile(confidence) * sqrt(variance)
    return Estimate(change, max(-1.0, change - half), min(1.0, change + half), asked)


def _flipped(stratum: Sequence[AskedAnchor]) -> float:
    """The share of a stratum that the judge says otherwise of now."""
    rate, _ = _rate(stratum)
    return 1 - rate if stratum[0].first == "pass" else rate


# Which window, and which anchor next.


class EvidenceWindow(Struct, frozen=True, kw_only=True):
    """From when on verdicts and anchors are looked at (Unix seconds), and the verdicts of each of its hours."""

    since: float
    hours: dict[int, tuple[int, int]]

    @property
    def judged(self) -> tuple[int, int]:
        """Verdicts on production in the window: passed, and all."""
        counts = self.hours.values()
        return sum(passed for passed, _ in counts), sum(judged for _, judged in counts)

    def weights(self, asked_at: Sequence[float]) -> list[float]:
        """The share of production that each anchor stands for: that of its hour, divided by the anchors of the hour.

        So the anchors tell of the judge as production met it, also where they were asked faster for a while.
        """
        anchors: dict[int, int] = {}
        for at in asked_at:
            anchors[int(at // HOUR)] = anchors.get(int(at // HOUR), 0) + 1
        _, judged = self.judged
        if not judged:
            return [1.0] * len(asked_at)
        return [self.hours.get(hour, (0, 0))[1] / anchors[hour] for hour in (int(at // HOUR) for at in asked_at)]


def window(hours: dict[int, tuple[int, int]], asked_at: Iterable[Sequence[float]], now: float) -> EvidenceWindow:
    """The shortest span of whole hours up to now with enough of both: anchors asked, and verdicts on production.

    ``hours`` are (passed, judged) by hour; ``asked_at`` are the times of the last verdicts on each kind of anchors. A
    span with every anchor of a kind in it is not made longer: it would hold verdicts of a time of which none tells any
    more.
    """
    kinds = [sorted(times) for times in asked_at if times]
    this = int(now // HOUR)
    judged, first = 0, this
    for first in range(this, this - LONGEST_HOURS, -1):
        judged += hours.get(first, (0, 0))[1]
        counts = [len(times) - bisect_left(times, first * HOUR) for times in kinds]
        is_lap = any(count == len(times) for count, times in zip(counts, kinds, strict=True))
        if is_lap or not kinds or (sum(counts) >= ENOUGH_ASKED and judged >= ENOUGH_JUDGED):
            break
    return EvidenceWindow(since=first * HOUR, hours={hour: counts for hour, counts in hours.items() if hour >= first})


def kind_due(sizes: Mapping[Verdict, int], lately: Sequence[Verdict]) -> Verdict:
    """Of which kind, by what people say, an anchor is to be asked next: the rarer kind tells most.

    ``sizes`` are the anchors of each kind, ``lately`` the kinds of those asked last, the newest last. Both kinds get
    half of the questions, evenly in time, but never so many that a window would hold one anchor twice: then the rest is
    the other's. It goes by nothing that the judge says: else those asked would be chosen by what they are to tell.
    """
    rarer: Verdict = "pass" if sizes["pass"] < sizes["fail"] else "fail"
    other: Verdict = "fail" if rarer == "pass" else "pass"
    if not sizes[rarer]:
        return other
    share = max(sizes[rarer] / sum(sizes.values()), min(0.5, sizes[rarer] / ENOUGH_ASKED))
    others_between = round(1 / share) - 1
    return other if rarer in lately[len(lately) - others_between :] else rarer
