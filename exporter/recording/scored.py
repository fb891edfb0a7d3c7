"""A scored trace that is not recorded yet. Knows neither judge nor store."""

from collections.abc import Sequence

from msgspec import Struct, field

from ..ingest.assembly import OpenTrace
from ..metrics.labels import Slice
from ..model.score import Outcome
from ..model.trace import Trace
from ..records.traces import Recorded
from ..redaction import Budget
from ..semconv.evaluations import Reported
from .trace_document import marks_of

_NOWHERE = Slice("", "", "", "")


class Scored(Struct):
    """A scored trace: its spans, evaluation results, slice, and the form in which it is stored.

    ``trace_id`` is the raw one; ``kept`` is the trace with its identifiers as they are stored; ``reported`` are
    evaluations by others: those of evaluators are also in the outcome, users' feedback is not. ``budget`` is what
    remains of the limit on redacting all its text.
    """

    trace_id: bytes
    parts: OpenTrace
    trace: Trace
    outcome: Outcome
    where: Slice = _NOWHERE
    reported: Sequence[Reported] = ()
    kept: Trace = Trace("")
    document: bytes = b""
    budget: Budget = field(default_factory=Budget)

    @property
    def is_failing(self) -> bool:
        """Whether any evaluator failed it."""
        return "fail" in [one.verdict for one in self.outcome.evaluations]


def recorded(parts: OpenTrace, scored: Scored | None, at: float) -> Recorded:
    """The row of a closed trace; it has no document where nothing in the trace was to be scored."""
    keys = b"" if parts.again else parts.keys()  # those of a later request are with the first one's
    if scored is None:
        return Recorded(parts.request_id, at, *_NOWHERE, keys, document=b"")
    trace = scored.kept
    found_by = trace.response_id, trace.conversation_id, trace.user, marks_of(trace, scored.outcome)
    return Recorded(parts.request_id, at, *scored.where, keys, scored.document, *found_by)
