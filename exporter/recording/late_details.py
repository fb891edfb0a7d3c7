"""Uses late spans of a recorded trace: user and conversation ids, evaluations by other systems."""

import logging
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from ..ingest.late_spans import Late
from ..metrics.labels import Slice
from ..model.score import Unscored
from ..model.trace import UNKNOWN, Trace
from ..semconv import Sources, normalise
from ..semconv.evaluations import Reported
from .external_evaluations import ExternalEvaluations
from .identifiers import Identifiers
from .trace_document import asker, told_later, with_late_fields
from .unit_of_work import Recorder

_log = logging.getLogger(__name__)


def late_trace(late: Late, sources: Sources) -> Trace | None:
    """The trace as normalised from its late spans; None where they contain no model call."""
    try:
        return normalise(late.trace_id, late.spans, late.logs, sources)
    except Exception as error:  # noqa: BLE001 - parts that nobody foresaw must stop nothing, now or at the next start
        _log.error("late parts not understood: error=%s", type(error).__name__)
        return None


def late_asker(trace_id: bytes, trace: Trace, identifiers: Identifiers, recorder: Recorder) -> Trace | None:
    """Write conversation and user into the document; returns the trace where they were new."""
    stored = recorder.document(trace_id)
    changed = with_late_fields(stored, identifiers.stored(trace)) if stored else None
    if changed is None:
        return None
    recorder.rewrite(trace_id, changed)
    recorder.traces.set_asker(trace_id, *asker(changed))
    return trace


def late_evaluations(
    late: Late, elsewhere: ExternalEvaluations, recorder: Recorder, hear: Callable[[bytes, Slice, Reported], None]
) -> bool:
    """Count evaluations by other systems, which often come after their trace; returns whether there were any."""
    where: Slice | None = None

    def located() -> Slice | None:
        nonlocal where
        found = recorder.locate("trace", late.trace_id)
        if found is not None:
            told = Slice(found.app, found.route, found.model_version, found.prompt_version)
            where = recorder.limiter.current(told)
        return where

    said = elsewhere.read(late.spans, late.logs, located)
    if where is None:
        return False
    for one in said:
        if one.is_feedback:
            hear(late.trace_id, where, one)
        else:
            recorder.tally.evaluated(where, late.trace_id.hex(), one.evaluation)
    theirs = [one.evaluation for one in said if not one.is_feedback]
    if theirs and (stored := recorder.document(late.trace_id)) is not None:
        shown = [replace(one, quotes=recorder.redact(one.quotes)) for one in theirs]
        recorder.rewrite(late.trace_id, told_later(stored, shown))
    return True


def missed(trace_id: bytes, evaluators: Iterable[str], recorder: Recorder) -> None:
    """Count for each evaluator that it did not see what came late."""
    found = recorder.locate("trace", trace_id)
    app = UNKNOWN if found is None else found.app
    for evaluator in evaluators:
        recorder.tally.left_unscored(Unscored(evaluator=evaluator, reason="late"), app)
