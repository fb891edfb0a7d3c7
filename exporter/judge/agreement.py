"""How well a judge agrees with people, and what a judged rate says once its errors are known. Knows no text, no judge.

``pass`` is the positive verdict: sensitivity is the share of what people pass that the judge passes, specificity the
share of what people fail that the judge fails.
"""

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import Self

from msgspec import Struct

from ..model.score import Verdict
from .intervals import CONFIDENCE, Estimate, quantile, wilson

Pair = tuple[Verdict, Verdict]
"""What the judge said of a case, and what people said of it."""


class Confusion(Struct, frozen=True, kw_only=True):
    """Cases by verdict of the judge (first word) and of people (second word); each case once.

    Where only a part was asked again it is as many cases as that is worth, no whole number.
    """

    pass_pass: float = 0
    pass_fail: float = 0
    fail_pass: float = 0
    fail_fail: float = 0

    @classmethod
    def of(cls, pairs: Iterable[Pair]) -> Self:
        """Count pairs of (judge, human)."""
        counts = {f"{judge}_{human}": 0 for judge in ("pass", "fail") for human in ("pass", "fail")}
        for judge, human in pairs:
            counts[f"{judge}_{human}"] += 1
        return cls(**counts)

    @property
    def n(self) -> float:
        """All cases."""
        return self.human_pass + self.human_fail

    @property
    def human_pass(self) -> float:
        """Cases that people pass: what sensitivity rests on."""
        return self.pass_pass + self.fail_pass

    @property
    def human_fail(self) -> float:
        """Cases that people fail: what specificity rests on."""
        return self.pass_fail + self.fail_fail

    def counts(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Rows: the judge's pass and fail; columns: people's."""
        return (self.pass_pass, self.pass_fail), (self.fail_pass, self.fail_fail)


class Agreement(Struct, frozen=True, kw_only=True):
    """A confusion table and what it says, each with its interval; None where the table cannot say it."""

    confusion: Confusion
    agreement: Estimate | None
    kappa: Estimate | None
    sensitivity: Estimate | None
    specificity: Estimate | None


def agreement(confusion: Confusion, confidence: float = CONFIDENCE) -> Agreement:
    """Agreement, kappa, sensitivity and specificity of a judge; shares have Wilson intervals."""
    return Agreement(
        confusion=confusion,
        agreement=wilson(confusion.pass_pass + confusion.fail_fail, confusion.n, confidence),
        kappa=kappa(confusion.counts(), confidence),
        sensitivity=wilson(confusion.pass_pass, confusion.human_pass, confidence),
        specificity=wilson(confusion.fail_fail, confusion.human_fail, confidence),
    )


def kappa(counts: Sequence[Sequence[float]], confidence: float = CONFIDENCE) -> Estimate | None:
    """Cohen's kappa of a square table; None where one verdict is all there is, because chance then explains everything.

    The interval is the value ± z standard errors of J. L. Fleiss, J. Cohen and B. S. Everitt (1969), Large sample
    standard errors of kappa and weighted kappa, Psychological Bulletin 72, 323-327, both taken from the table with two
    more observations spread evenly over its cells: without them a table without errors would have no width, and small
    ones would miss the truth two to ten times too often (``benchmarks/judge_coverage.py`` measures it).
    """
    n = sum(map(sum, counts))
    if n <= 0:
        return None
    value, _ = _kappa(counts)
    if value is None:
        return None
    spread = 2 / len(counts) ** 2
    middle, error = _kappa([[count + spread for count in row] for row in counts])
    if middle is None:
        return None
    half = quantile(confidence) * error
    return Estimate(value, max(-1.0, min(value, middle - half)), min(1.0, max(value, middle + half)), round(n))


def _kappa(counts: Sequence[Sequence[float]]) -> tuple[float | None, float]:
    """Kappa and its standard error; kappa is None where agreement by chance is certain."""
    n = sum(map(sum, counts))
    shares = [[count / n for count in row] for row in counts]
    rows, columns = [sum(row) for row in shares], [sum(column) for column in zip(*shares, strict=True)]
    observed = sum(shares[at][at] for at in range(len(shares)))
    chance = sum(row * column for row, column in zip(rows, columns, strict=True))
    if chance >= 1:
        return None, 0.0
    value = (observed - chance) / (1 - chance)
    agree = sum(shares[at][at] * (1 - (rows[at] + columns[at]) * (1 - value)) ** 2 for at in range(len(shares)))
    differ = sum(
        share * (columns[i] + rows[j]) ** 2 for i, row in enumerate(shares) for j, share in enumerate(row) if i != j
    )
    variance = agree + (1 - value) ** 2 * differ - (value - chance * (1 - value)) ** 2
    return value, sqrt(max(0.0, variance) / n) / (1 - chance)


def corrected(passed: int, judged: int, judge: Confusion, confidence: float = CONFIDENCE) -> Estimate | None:
    """The share that people would pass, from the share that a judge with this confusion table passes.

    None without judged cases, without cases that people pass and cases that they fail, or where sensitivity plus
    specificity is at most 1: such a judge says nothing about people's verdicts.

    Value: W. J. Rogan and B. Gladen (1978), Estimating prevalence from the results of a screening test, American
    Journal of Epidemiology 107, 71-76, clipped to 0..1. The interval carries the uncertainty of all three shares: it
    holds every rate at which rate + specificity - 1 - true x (sensitivity + specificity - 1) is less than z of its own
    standard errors from 0 (E. C. Fieller, 1954, Some problems in interval estimation, JRSS B 16, 175-185), with each
    share drawn to the middle by pseudo-observations as in Z. Lang and J. Reiczigel (2014), Confidence limits for
    prevalence of disease adjusted for estimated sensitivity and specificity, Preventive Veterinary Medicine 113, 13-22.
    Where the judge is not clearly better than chance every rate is possible, and the interval says so: 0..1.
    """
    if judged <= 0 or not judge.human_pass or not judge.human_fail:
        return None
    skill = judge.pass_pass / judge.human_pass + judge.fail_fail / judge.human_fail - 1
    if skill <= 0:
        return None
    value = (passed / judged - judge.pass_fail / judge.human_fail) / skill
    value = min(1.0, max(0.0, value))
    low, high = _possible(passed, judged, judge, quantile(confidence))
    return Estimate(value, min(value, low), max(value, high), judged)


def _possible(passed: int, judged: int, judge: Confusion, z: float) -> tuple[float, float]:
    """Ends of the true rates that fit; the roots of a quadratic in the rate."""
    square = z * z
    rate, rate_variance = _padded(passed, judged, square)
    sensitivity, sensitivity_variance = _padded(judge.pass_pass, judge.human_pass, 2)
    specificity, specificity_variance = _padded(judge.fail_fail, judge.human_fail, 2)
    skill, excess = sensitivity + specificity - 1, rate + specificity - 1
    a = skill**2 - square * (sensitivity_variance + specificity_variance)
    b = excess * skill - square * specificity_variance
    c = excess**2 - square * (rate_variance + specificity_variance)
    if skill <= 0 or a <= 0:
        return 0.0, 1.0
    root = sqrt(max(0.0, b * b - a * c))
    return min(1.0, max(0.0, (b - root) / a)), min(1.0, max(0.0, (b + root) / a))


def _padded(successes: float, n: float, extra: float) -> tuple[float, float]:
    """A share and its variance with ``extra`` pseudo-observations, half of them successes."""
    share = (successes + extra / 2) / (n + extra)
    return share, share * (1 - share) / (n + extra)
