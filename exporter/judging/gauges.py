"""Measures of a judge → its gauges. Measures and decides nothing."""

from typing import Final

from ..judge.agreement import Agreement
from ..judge.drift import Diagnosis, Drift
from ..judge.intervals import Estimate, wilson
from ..judge.measures import Measures
from ..metrics import families as f
from ..metrics.catalogue import CATALOGUE
from ..metrics.registry import Metrics
from ..metrics.series import Family
from ..model.stops import StopReason

Judge = tuple[str, str]
"""An evaluator and its version."""

_SHARES: Final = {
    "agreement": f.JUDGE_AGREEMENT,
    "kappa": f.JUDGE_KAPPA,
    "sensitivity": f.JUDGE_SENSITIVITY,
    "specificity": f.JUDGE_SPECIFICITY,
}


_OF_VERSIONS: Final = tuple(one for one in CATALOGUE if one.type == "gauge" and one.labels[:2] == f.JUDGE)


def show_nothing(metrics: Metrics, judge: Judge) -> None:
    """Remove the gauges of a judge that is not used any more, so that no alert fires on it."""
    for family in _OF_VERSIONS:
        metrics.gone(family, judge)


def show_gate(metrics: Metrics, judge: Judge, *, is_open: bool) -> None:
    """Show whether a version's verdicts count."""
    metrics.measured(f.JUDGE_GATE, judge, float(is_open))


def show_fallen(metrics: Metrics, judge: Judge, *, is_fallen: bool) -> None:
    """Show whether an admitted version has dropped below the gate."""
    metrics.measured(f.JUDGE_FALLEN, judge, float(is_fallen))


def show_state(metrics: Metrics, judge: Judge, stopped: StopReason | None, replied: str) -> None:
    """Show whether a version is stopped and why, and the name under which its model ``replied`` ("": not so far)."""
    metrics.gone(f.JUDGE_STOPPED, judge)
    metrics.gone(f.JUDGE_REPLIED, judge)
    if stopped:
        metrics.measured(f.JUDGE_STOPPED, (*judge, stopped), 1.0)
    if replied:
        metrics.measured(f.JUDGE_REPLIED, (*judge, replied), 1.0)


def show_agreement(metrics: Metrics, judge: Judge, source: str, found: Agreement) -> None:
    """Show a judge's agreement with people, from ``source`` (anchor or review): table, four measures, intervals."""
    verdicts = ("pass", "fail")
    for said, counts in zip(verdicts, found.confusion.counts(), strict=True):
        for human, count in zip(verdicts, counts, strict=True):
            metrics.measured(f.JUDGE_LABELLED, (*judge, source, said, human), count)
    for name, family in _SHARES.items():
        _show(metrics, family, (*judge, source), getattr(found, name))


def show_measures(metrics: Metrics, judge: Judge, found: Measures) -> None:
    """Show what the anchors say of a judge: agreement, length preference and its own family, relative to people."""
    show_agreement(metrics, judge, "anchor", found.agreement)
    _show(metrics, f.JUDGE_LENGTH_PREFERENCE, judge, found.length)
    _show(metrics, f.JUDGE_OWN_FAMILY, (*judge, "anchor"), found.own_family)
    _show_cases(metrics, judge, "length_preference", found.length)
    _show_cases(metrics, judge, "own_family_anchor", found.own_family)


def show_traffic(metrics: Metrics, judge: Judge, length: Estimate | None, own_family: Estimate | None) -> None:
    """Show what live traffic says of a judge: does it score by length, and its own family higher?"""
    _show(metrics, f.JUDGE_LENGTH_CORRELATION, judge, length)
    _show(metrics, f.JUDGE_OWN_FAMILY, (*judge, "live"), own_family)
    _show_cases(metrics, judge, "length_correlation", length)
    _show_cases(metrics, judge, "own_family_live", own_family)


def show_rates(metrics: Metrics, judge: Judge, judged: tuple[int, int], corrected: Estimate | None) -> None:
    """Show the pass rate of (passed, judged) verdicts on live traffic, raw, and corrected for the judge's errors."""
    _show(metrics, f.JUDGE_PASS, (*judge, "raw"), wilson(*judged))
    _show(metrics, f.JUDGE_PASS, (*judge, "corrected"), corrected)
    metrics.measured(f.JUDGE_CASES, (*judge, "pass_ratio"), judged[1])


def show_drift(metrics: Metrics, judge: Judge, scores: Drift | None, found: Diagnosis, asked: int = 0) -> None:
    """Show how far scores and pass rate have moved since a reference, and which part of it is the judge's.

    ``asked`` anchors were asked again: what the judge's part would rest on, also while they are too few to tell it.
    """
    metrics.measured(f.JUDGE_SCORE_DRIFT, (*judge, "value"), scores.index if scores else None)
    metrics.measured(f.JUDGE_SCORE_DRIFT, (*judge, "chance"), scores.chance if scores else None)
    metrics.measured(f.JUDGE_CASES, (*judge, "score_drift"), scores.n if scores else 0)
    for part in ("live", "judge", "system"):
        _show(metrics, f.JUDGE_SHIFT, (*judge, part), getattr(found, part))
        _show_cases(metrics, judge, f"shift_{part}", getattr(found, part))
    metrics.measured(f.JUDGE_CASES, (*judge, "shift_judge"), asked)


def _show(metrics: Metrics, family: Family, labels: tuple[str, ...], found: Estimate | None) -> None:
    for name in f.ESTIMATE:
        metrics.measured(family, (*labels, name), None if found is None else getattr(found, name))


def _show_cases(metrics: Metrics, judge: Judge, measure: str, found: Estimate | None) -> None:
    metrics.measured(f.JUDGE_CASES, (*judge, measure), found.n if found else 0)
