"""Evaluations by other systems, received as OpenTelemetry events: counted under bounded names. Knows no evaluator.

Their evaluators are named reported_…, so that none can pass for one of llmq's own.
"""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Final

from msgspec.structs import replace

from ..metrics.label_text import cleaned
from ..metrics.labels import OTHER, Slice
from ..model.score import Evaluation, Failure
from ..model.trace import LogRecord, Span
from ..semconv.evaluations import REPORTED, Reported, may_report, reported

_THEIRS: Final = f"{REPORTED}_"
MOST: Final = {"evaluator": 20, "evaluator_version": 60}
"""Names that may become label values in each app; further versions are __other__, further evaluators left out."""
MOST_KINDS: Final = 400
"""Evaluators, versions and slices in which they are counted, all combinations in use together."""
MOST_AT_ONCE: Final = 200
"""Evaluations that are read of one trace, or of its late parts in one request; more are left out, and counted."""
_LONGEST_VERSION: Final = 128

Kind = tuple[str, str, Slice]
"""An evaluator, its version, and the slice that it is counted in."""


def is_ours(result: Evaluation | Failure) -> bool:
    """Whether an evaluation was made here."""
    return not result.evaluator.startswith(_THEIRS)


class _App:
    """What is in use in one app: kinds and when each was last used, evaluators and versions."""

    def __init__(self, kinds: Mapping[Kind, float]) -> None:
        self.kinds = dict(kinds)
        self.evaluators = {evaluator for evaluator, _, _ in kinds}
        self.versions = {version for _, version, _ in kinds} - {OTHER}

    def use(self, kind: Kind, at: float) -> None:
        self.kinds[kind] = at
        self.evaluators.add(kind[0])
        if kind[1] != OTHER:
            self.versions.add(kind[1])


class ExternalEvaluations:
    """Reads evaluations by other systems and bounds their names and series.

    An application may hold three times as many series as are left for all. ``now`` is Unix seconds.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._apps: dict[str, _App] = {}
        self._overflow: dict[str, int] = {}

    def restore(self, used: Mapping[tuple[str, ...], float]) -> None:
        """Take what is in use already: (evaluator, version, slice…) and when it was last used."""
        for (evaluator, version, *labels), at in used.items():
            if evaluator.startswith(_THEIRS):
                where = Slice(*labels)
                self._app(where.app).use((evaluator, version, where), at)

    def expire(self, before: float) -> None:
        """Forget what was last used before that, so that others may have its place."""
        for name, app in list(self._apps.items()):
            if any(at < before for at in app.kinds.values()):
                self._apps[name] = _App({kind: at for kind, at in app.kinds.items() if at >= before})

    def take_overflow(self) -> dict[str, int]:
        """How many evaluations were left out or folded since the last call, by the label that was full."""
        taken, self._overflow = self._overflow, {}
        return taken

    def read(
        self, spans: Collection[Span], logs: Collection[LogRecord], locate: Callable[[], Slice | None]
    ) -> list[Reported]:
        """What the parts of a trace report; users' feedback among it keeps its own name.

        ``locate`` finds the slice of the trace, where there is something to count; None: nothing is.
        """
        if not may_report(spans, logs) or not (said := list(reported(spans, logs))) or (where := locate()) is None:
            return []
        if len(said) > MOST_AT_ONCE:
            self._overflowed("evaluator", len(said) - MOST_AT_ONCE)
        found = []
        for one in said[:MOST_AT_ONCE]:
            bounded = one.evaluation if one.is_feedback else self._bounded(one.evaluation, where)
            if bounded is not None:
                found.append(replace(one, evaluation=bounded))
        return found

    def _bounded(self, evaluation: Evaluation, where: Slice) -> Evaluation | None:
        app, evaluator = self._app(where.app), evaluation.evaluator
        version = cleaned(evaluation.evaluator_version, _LONGEST_VERSION)
        if evaluator not in app.evaluators and len(app.evaluators) >= MOST["evaluator"]:
            self._overflowed("evaluator")
            return None
        if version not in app.versions and len(app.versions) >= MOST["evaluator_version"]:
            version = OTHER
        kind = evaluator, version, where
        if kind not in app.kinds and len(app.kinds) >= 3 * self._free():
            self._overflowed("evaluator")
            return None
        app.use(kind, self._now())
        if version == OTHER:
            self._overflowed("evaluator_version")
        return replace(evaluation, evaluator=evaluator, evaluator_version=version)

    def _free(self) -> int:
        return MOST_KINDS - sum(len(app.kinds) for app in self._apps.values())

    def _app(self, name: str) -> _App:
        return self._apps.setdefault(name, _App({}))

    def _overflowed(self, label: str, count: int = 1) -> None:
        self._overflow[label] = self._overflow.get(label, 0) + count
