"""Attributes a signal: counts it for the version that answered, adds it to its trace's document, notifies features.

Knows where traces are recorded; not how feedback arrives, nor how it is derived.
"""

import logging
from collections.abc import Callable
from typing import Any

import msgspec

from ..features.feature import Signalled
from ..metrics.labels import Slice
from ..model.trace import Document, Trace
from ..recording.trace_document import has_expired
from ..recording.unit_of_work import Recorder
from ..records.feedback import Feedback
from ..redaction import WITHHELD
from ..store.errors import StoreError
from .annotate import Annotated, Outcome, Said, annotate
from .derive import Derived
from .distance import edit_ratio
from .recent import Recent

_log = logging.getLogger(__name__)


class Attribution:
    """Attributes a feedback signal to the trace it is about, and reports each counted signal.

    ``content`` is the store's setting: which traces are kept with text.
    """

    def __init__(self, recorder: Recorder, recent: Recent, content: str, tell: Callable[[Signalled], None]) -> None:
        self.content = content
        self._tell = tell
        self._recorder = recorder
        self._recent = recent

    def explicit(self, feedback: Feedback, trace_id: bytes, where: Slice, at: float) -> Outcome | None:
        """Count explicit feedback on a recorded trace; None where its document was deleted. Raises StoreError."""
        stored = self._recorder.document(trace_id)
        if stored is None:
            return None
        document = msgspec.json.decode(stored)
        trace = self._trace(trace_id, document)
        done = annotate(document, self._said(feedback, document, trace, at))
        if done.outcome != "surplus":
            self._recorder.rewrite(trace_id, msgspec.json.encode(document))
        self._count(feedback, trace_id, where, done, trace)
        return done.outcome

    def derived(self, signal: Derived, trace_id: bytes, where: Slice, at: float, after: str = "") -> None:
        """Count a signal that was derived from a conversation."""
        trace = self._recent.get(trace_id)
        try:
            stored = self._recorder.document(trace_id)
        except StoreError as error:  # it counts all the same
            _log.error("derived signal not written into its trace: reason=%s", error.reason)
            stored = None
        if stored is not None:
            document = msgspec.json.decode(stored)
            trace = self._trace(trace_id, document)
            annotate(document, Said(signal=signal, source="derived", at=at, after=after))
            self._recorder.rewrite(trace_id, msgspec.json.encode(document))
        self._recorder.tally.feedback(where, signal, "derived", trace_id.hex())
        self._tell(Signalled(trace_id=trace_id, where=where, signal=signal, source="derived", trace=trace))

    def _said(self, feedback: Feedback, document: dict[str, Any], trace: Trace | None, at: float) -> Said:
        keep = self.content == "all" or (self.content == "failing" and _is_failing(document))
        keep = keep and not has_expired(document)
        edited = feedback.edited_text
        known = edited is not None and trace is not None and trace.answer is not None
        is_whole = bytes.fromhex(document["trace_id"]) in self._recent
        comment, kept = self._recorder.redact((feedback.comment, edited)) if keep or known else (None, None)
        compared = edited if is_whole else kept
        known = known and compared != WITHHELD
        return Said(
            signal=feedback.signal,
            source="explicit",
            at=at,
            user=feedback.user,
            comment=comment if keep else None,
            edited_text=kept if keep else None,
            edit_ratio=round(edit_ratio(trace.answer, compared), 4) if known else None,  # type: ignore[union-attr, arg-type]
        )

    def _count(self, feedback: Feedback, trace_id: bytes, where: Slice, done: Annotated, trace: Trace | None) -> None:
        tally = self._recorder.tally
        if done.edit_ratio is not None:
            tally.edited(where, done.edit_ratio, trace_id.hex())
        if done.outcome not in ("joined", "corrected"):
            return
        tally.feedback(where, feedback.signal, "explicit", trace_id.hex())
        if done.retracted:
            tally.feedback_retracted(where, done.retracted, "explicit")
        self._tell(
            Signalled(
                trace_id=trace_id,
                where=where,
                signal=feedback.signal,
                source="explicit",
                retracted=done.retracted,
                trace=trace,
            )
        )

    def _trace(self, trace_id: bytes, document: dict[str, Any]) -> Trace | None:
        """The trace with its text: from memory, else as much as the document holds of it."""
        if (recent := self._recent.get(trace_id)) is not None:
            return recent
        if document["question"] is None and document["answer"] is None:
            return None
        return Trace(
            trace_id=trace_id.hex(),
            app=document["app"],
            route=document["route"],
            model_version=document["model_version"],
            prompt_version=document["prompt_version"],
            content_state=document["content_state"],
            question=document["question"],
            answer=document["answer"],
            refusal=document["refusal"],
            context=tuple(Document(id=one["id"], text=one["text"] or "") for one in document["context"]),
        )


def _is_failing(document: dict[str, Any]) -> bool:
    return any(one["verdict"] == "fail" for one in document["evaluations"])
