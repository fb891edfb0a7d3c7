"""How many series a config can cause: the worst case and the likely case, by metric."""

from math import prod
from typing import Final

from msgspec import Struct

from ..metrics import families as f
from ..metrics.catalogue import CATALOGUE
from ..metrics.families import SLICE
from ..metrics.series import Family
from .settings import Config

LIVE_VERSIONS: Final = 2
"""Model or prompt versions that a route is likely to have at one time: the old and the new."""
_UNNAMED: Final = 2  # every label can also be unknown and __other__
_SIGNALS: Final = {"llmq_feedback_total": 9, "llmq_feedback_retracted_total": 2}  # of six said and three derived ones
_KEPT: Final = {f.OFFLINE_QUESTIONS.name: 20} | dict.fromkeys((one.name for one in f.OFFLINE_GAUGES), 500)
"""Series of offline results: as many as the desk keeps, whatever is pushed."""
_REPORTED: Final = 400
"""Evaluators made elsewhere, times the slices that they are counted in: as many as ``elsewhere`` admits."""
_OPEN: Final = 10  # values of a label that the exporter itself fills, such as a reason
_COUNTS: Final = {"source": 2, "estimate": 3, "judge": 2, "human": 2, "window": 2, "unit": 2, "state": 5, "rate": 2}
"""How many values the exporter gives to labels of its own, where the family does not list them."""
_SAMPLES: Final = 4
"""Samples that verdicts of one judge can be of; those of a code evaluator are of every trace."""
_VALUE_BYTES: Final = {"evaluator": 11, "evaluator_version": 2, "verdict": 4, "sample": 4, "direction": 6, "signal": 11}
_OTHER_VALUE_BYTES: Final = 18
"""Bytes of a label value, as most are: support-assistant, /v1/chat/completions, model-2026-08-06, answer@v12."""
_NUMBER_BYTES: Final = 10
_LE_BYTES: Final = len(',le="0.25"_bucket')


class SeriesCost(Struct, frozen=True):
    """How many series a metric can have, how many are likely, and the bytes of a scrape that it can have."""

    metric: str
    worst: int
    likely: int
    worst_bytes: int


def series_cost(config: Config) -> tuple[SeriesCost, ...]:
    """The cost of each metric about quality, and of all those about the exporter itself together."""
    quality = [family for family in CATALOGUE if not family.name.startswith("llmq_exporter_")]
    own = [family for family in CATALOGUE if family.name.startswith("llmq_exporter_")]
    costs = [_cost(family, config) for family in quality]
    theirs = [_cost(family, config) for family in own]
    worst, size = sum(one.worst for one in theirs), sum(one.worst_bytes for one in theirs)
    return (*costs, SeriesCost("llmq_exporter_*", worst, worst, size))


def _cost(family: Family, config: Config) -> SeriesCost:
    worst = _worst(family, config)
    return SeriesCost(family.name, worst, min(worst, _likely(family, config)), worst * _line_bytes(family))


def _values(config: Config) -> dict[str, int]:
    """How many values each label may have, those of routes and versions in each app."""
    allow, budgets = config.labels.allow, config.labels.budgets
    return {name: len(allow.get(name, ())) or budgets[name] for name in SLICE}


def _slices(family: Family, config: Config) -> int:
    """How many combinations of its slice labels a family can have."""
    values = [_values(config)[name] + _UNNAMED for name in SLICE if name in family.labels]
    rest = _values(config)["app"] + _UNNAMED  # what is folded but for its app, which needs no room
    return min(prod(values), config.labels.slices + rest) if values else 1


def _worst(family: Family, config: Config) -> int:
    every = _others(family, config) * _slices(family, config)
    if family in {f.EVALUATIONS, f.SCORE}:
        every += _REPORTED * _others(family, config) // max(1, _scored(family, config))
    return _KEPT.get(family.name, every)


def _likely(family: Family, config: Config) -> int:
    """A route is one application's, and a version one route's: their numbers do not multiply."""
    values = _values(config)
    places = max((values[name] for name in ("app", "route") if name in family.labels), default=1)
    versions = [min(LIVE_VERSIONS, values[name]) for name in SLICE[2:] if name in family.labels]
    return _others(family, config) * places * prod(versions)


def _line_bytes(family: Family) -> int:
    labels = sum(len(f',{name}=""') + _VALUE_BYTES.get(name, _OTHER_VALUE_BYTES) for name in family.labels)
    le = _LE_BYTES if family.type == "histogram" else 0
    return len(family.name) + labels + le + _NUMBER_BYTES


def _scored(family: Family, config: Config) -> int:
    """How many evaluators a family has series of: judges alone where it is about judges, each with its samples."""
    judges = len(config.judge.rubrics) if config.judge.enabled else 0
    if family.name.startswith("llmq_judge_"):
        return judges
    samples = _SAMPLES if "sample" in family.labels else 1
    return sum(spec.enabled for spec in config.evaluators.values()) + judges * samples


def _others(family: Family, config: Config) -> int:
    """The series of a family for one slice."""
    if family.name in _SIGNALS:
        return _SIGNALS[family.name]
    evaluators = _scored(family, config)
    counts = _COUNTS | {name: len(values) for name, values in family.siblings.items()}
    counts |= {"evaluator": evaluators, "evaluator_version": 1, "sample": 1, "suite": 1}
    numbers = [counts.get(name, _OPEN) for name in family.labels if name not in SLICE]
    return prod(numbers) * _per_child(family, config)


def _per_child(family: Family, config: Config) -> int:
    """One series; of a histogram one a bucket, and sum and count."""
    if family.type != "histogram":
        return 1
    marks = {spec.pass_mark for spec in config.evaluators.values() if spec.pass_mark is not None}
    bounds = {*family.bounds, *marks} if family.name == "llmq_evaluation_score" else set(family.bounds)
    return len(bounds) + 3
