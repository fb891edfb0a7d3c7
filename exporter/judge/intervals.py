"""Estimates with intervals: shares, differences, and what a sample can say at all. Knows counts, not what they count.

Small samples are the rule here, so every interval is one that keeps its level there: where a plain normal interval
would have no width (all successes), pseudo-observations give it one.
"""

from collections.abc import Iterable
from math import atanh, sqrt, tanh
from statistics import NormalDist
from typing import Final

from msgspec import Struct

CONFIDENCE: Final = 0.95


class Estimate(Struct, frozen=True):
    """A value, the two-sided interval that belongs to it, and the number of cases behind it."""

    value: float
    low: float
    high: float
    n: int


def quantile(confidence: float) -> float:
    """Standard deviations either side of the middle that hold this share of a normal distribution."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(successes: float, n: float, confidence: float = CONFIDENCE) -> Estimate | None:
    """A share with its score interval; None of no cases.

    E. B. Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22, 209-212.
    """
    if n <= 0:
        return None
    z, share = quantile(confidence), successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2) / (1 + z * z / n)
    return Estimate(share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)), round(n))


def shifted(differences: Iterable[float], confidence: float = CONFIDENCE) -> Estimate | None:
    """The mean of paired differences within -1..1, with an interval; None of no cases.

    For differences of verdicts (-1, 0, 1) this is the adjusted interval of A. Agresti and Y. Min (2005), Simple
    improved confidence intervals for comparing matched proportions, Statistics in Medicine 24, 729-740.
    """
    moments = _Moments.of(differences)
    if not moments.n:
        return None
    middle, variance = moments.padded(2)
    half = quantile(confidence) * sqrt(variance)
    return _within(moments.total / moments.n, middle, half, moments.n)


def gap(first: Iterable[float], second: Iterable[float], confidence: float = CONFIDENCE) -> Estimate | None:
    """Mean of the first group minus mean of the second, values within -1..1; None where a group is empty. n is of both.

    Each group gets one pseudo-observation, as in A. Agresti and B. Caffo (2000), Simple and effective confidence
    intervals for proportions and differences of proportions, The American Statistician 54, 280-288.
    """
    one, two = _Moments.of(first), _Moments.of(second)
    if not one.n or not two.n:
        return None
    (middle_one, variance_one), (middle_two, variance_two) = one.padded(1), two.padded(1)
    half = quantile(confidence) * sqrt(variance_one + variance_two)
    return _within(one.total / one.n - two.total / two.n, middle_one - middle_two, half, one.n + two.n)


def moved(change: Estimate | None) -> bool:
    """Whether the interval of a change lies on one side of 0."""
    return change is not None and (change.low > 0 or change.high < 0)


def correlation(pairs: Iterable[tuple[float, float]], confidence: float = CONFIDENCE) -> Estimate | None:
    """Spearman's rank correlation with an interval; None of fewer than ten pairs or where one side does not vary.

    Interval: D. G. Bonett and T. A. Wright (2000), Sample size requirements for estimating Pearson, Kendall and
    Spearman correlations, Psychometrika 65, 23-28 (Fisher's z with variance (1 + r²/2) / (n - 3)).
    """
    both = list(pairs)
    xs, ys = _ranks([x for x, _ in both]), _ranks([y for _, y in both])
    n, mean = len(both), (len(both) + 1) / 2
    spread = sqrt(sum((x - mean) ** 2 for x in xs) * sum((y - mean) ** 2 for y in ys))
    if n < 10 or spread == 0:
        return None
    r = sum((x - mean) * (y - mean) for x, y in zip(xs, ys, strict=True)) / spread
    bounded = max(-0.9999, min(0.9999, r))
    half = quantile(confidence) * sqrt((1 + bounded**2 / 2) / (n - 3))
    return Estimate(r, min(r, _moved(bounded, -half)), max(r, _moved(bounded, half)), n)


def chi_square_limit(freedom: int, confidence: float) -> float:
    """What a chi-square value stays below with this probability, nearly.

    E. B. Wilson and M. M. Hilferty (1931), The distribution of chi-square, PNAS 17, 684-688.
    """
    part = 2 / (9 * freedom)
    return freedom * float((1 - part + NormalDist().inv_cdf(confidence) * sqrt(part)) ** 3)


class _Moments(Struct, frozen=True):
    n: int
    total: float
    squares: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "_Moments":
        found = list(values)
        return cls(len(found), sum(found), sum(value * value for value in found))

    def padded(self, extra: int) -> tuple[float, float]:
        """Mean, and variance of the mean, with ``extra`` pseudo-observations: a quarter +1, a quarter -1, half 0."""
        n = self.n + extra
        mean = self.total / n
        return mean, max(0.0, ((self.squares + extra / 2) / n - mean * mean) / n)


def _within(value: float, middle: float, half: float, n: int) -> Estimate:
    return Estimate(value, min(value, middle - half), max(value, middle + half), n)


def _ranks(values: list[float]) -> list[float]:
    """Ranks from 1; equal values share the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or values[order[end]] != values[order[start]]:
            for at in order[start:end]:
                ranks[at] = (start + 1 + end) / 2
            start = end
    return ranks


def _moved(r: float, by: float) -> float:
    """The correlation that lies ``by`` away on Fisher's scale."""
    return tanh(atanh(r) + by)
