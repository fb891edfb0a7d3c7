"""What a config can cost in series: the worst case and the likely case, by metric. Counts families; moves no metric."""

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
_KEPT: Final = {f.OFFLINE_QUESTIONS.name: 20} | dict.fromkeys((one.name for one in f.OFFLINE_GAUGES), 2000)
"""Series of offline results: as many as the desk keeps, whatever is pushed."""
_OPEN: Final = 10  # values of a label that the exporter itself fills, such as a reason


class SeriesCost(Struct, frozen=True):
    """How many series a metric has if every combination of label values occurs, and how many are likely."""

    metric: str
    worst: int
    likely: int


def series_cost(config: Config) -> tuple[SeriesCost, ...]:
    """The cost of each metric about quality, and of all those about the exporter itself together."""
    quality = [family for family in CATALOGUE if not family.name.startswith("llmq_exporter_")]
    own = [family for family in CATALOGUE if family.name.startswith("llmq_exporter_")]
    costs = [SeriesCost(family.name, _worst(family, config), _likely(family, config)) for family in quality]
    total = sum(_worst(family, config) for family in own)
    return (*costs, SeriesCost("llmq_exporter_*", total, total))


def _worst(family: Family, config: Config) -> int:
    allow, budgets = config.labels.allow, config.labels.budgets
    values = {name: len(allow.get(name, ())) or budgets[name] for name in SLICE}
    every = _others(family, config) * prod(values[name] + _UNNAMED for name in SLICE if name in family.labels)
    return _KEPT.get(family.name, every)


def _likely(family: Family, config: Config) -> int:
    """A route is one application's, and a version one route's: their numbers do not multiply."""
    allow, budgets = config.labels.allow, config.labels.budgets
    values = {name: len(allow.get(name, ())) or budgets[name] for name in SLICE}
    places = max((values[name] for name in ("app", "route") if name in family.labels), default=1)
    versions = [min(LIVE_VERSIONS, values[name]) for name in SLICE[2:] if name in family.labels]
    likely = _others(family, config) * places * prod(versions)
    return min(likely, _KEPT.get(family.name, likely))


def _others(family: Family, config: Config) -> int:
    """The series of a family for one slice."""
    if family.name in _SIGNALS:
        return _SIGNALS[family.name]
    evaluators = sum(spec.enabled for spec in config.evaluators.values())
    counts = {name: len(values) for name, values in family.siblings.items()}
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
