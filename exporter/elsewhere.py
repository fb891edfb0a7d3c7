"""Evaluations that were made elsewhere and come as events: counted as theirs, under bounded names. Knows no evaluator.

Their evaluators are named reported_…, so that nobody can speak for one of ours.
"""

from collections.abc import Collection, Iterable
from typing import Final

from msgspec.structs import replace

from .metrics.labels import OTHER, Limiter
from .score import Evaluation, Failure
from .semconv.evaluations import REPORTED, Reported, may_report, reported
from .trace import LogRecord, Span

_THEIRS: Final = f"{REPORTED}_"
MOST: Final = {"evaluator": 20, "evaluator_version": 60}
"""Names that may become label values; evaluations under further ones are counted as overflow, and left out."""


def is_ours(result: Evaluation | Failure) -> bool:
    """Whether an evaluation was made here."""
    return not result.evaluator.startswith(_THEIRS)


class Elsewhere:
    """Reads evaluations made elsewhere, and keeps their names bounded."""

    def __init__(self) -> None:
        self._names = Limiter(MOST)

    def learn(self, label: str, values: Iterable[str]) -> None:
        """Take names that are in use already; of a version nobody can tell whose it is."""
        self._names.learn(label, (value for value in values if label != "evaluator" or value.startswith(_THEIRS)))

    def take_overflow(self) -> dict[str, int]:
        """How many evaluations were left out since the last call, by the label that was full."""
        return self._names.take_overflow()

    def read(self, spans: Collection[Span], logs: Collection[LogRecord]) -> list[Reported]:
        """What the parts of a trace report; users' feedback among it keeps its own name."""
        if not may_report(spans, logs):
            return []
        found = []
        for one in reported(spans, logs):
            bounded = one.evaluation if one.is_feedback else self._bounded(one.evaluation)
            if bounded is not None:
                found.append(replace(one, evaluation=bounded))
        return found

    def _bounded(self, evaluation: Evaluation) -> Evaluation | None:
        evaluator = self._names.fold("evaluator", evaluation.evaluator)
        if evaluator == OTHER:
            return None
        version = self._names.fold("evaluator_version", evaluation.evaluator_version)
        return replace(evaluation, evaluator=evaluator, evaluator_version=version)
