"""Scored traces, late verdicts and feedback → items of the review queue. Knows no reviewer and no HTTP.

Each event is evaluated with everything known by then, so a rule over scores and feedback matches once the last of them
has come.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from ..config.settings import Config, Reason, ReviewSettings
from ..features.feature import Signalled
from ..judge.case import Case, Judgement
from ..judge.queue import Job
from ..model.score import Evaluation, Verdict
from ..model.trace import Trace
from ..recording.scored import Scored
from ..recording.trace_document import document
from ..recording.unit_of_work import Recorder
from ..records.judge import Judge
from ..records.review import Evidence, Item
from ..store.errors import StoreError
from .evidence import MOST_BYTES as LARGEST
from .evidence import Redact, gather, said
from .quota import NoPlaceError, place
from .routing import KnownTrace, asked_about, matching
from .similar import sketch
from .store import MOST_BYTES, ReviewStore

_UNMARKED: Final = 0.5
_SENT: Final = Reason(name="sent")
"""Why an item is there that a person sent from its page; it has no cap, and is not compared with others."""

_log = logging.getLogger(__name__)


class Enqueuer:
    """Queues traces that match a rule. ``marks``: the pass mark of each evaluator.

    ``late`` is called with an item and a judge's verdict that came after the item was queued.
    """

    def __init__(
        self,
        config: Config,
        recorder: Recorder,
        shelf: ReviewStore,
        now: Callable[[], float],
        *,
        redact: Redact,
        late: Callable[[Item, Judge, Verdict], None],
    ) -> None:
        self._recorder = recorder
        self._shelf = shelf
        self._now = now
        self._redact = redact
        self._late = late
        self.configure(config, {})

    def configure(self, config: Config, marks: Mapping[str, float]) -> None:
        """Apply other settings; where no text may be stored, nothing is queued."""
        self._settings: ReviewSettings = config.review
        self._marks = marks
        self.is_open = config.review.enabled and config.store.content != "none"

    # Events.

    def follow(self, scored: Scored) -> None:
        """A trace was scored."""
        if not self.is_open or self._shelf.get(scored.trace.trace_id):
            return
        verdicts = {
            one.evaluator: (one.verdict, one.score, self._mark(one.evaluator)) for one in scored.outcome.evaluations
        }
        trace = scored.trace
        known = KnownTrace(trace_id=trace.trace_id, app=scored.where[0], route=scored.where[1], verdicts=verdicts)
        reasons = matching(self._settings.reasons, known)
        if reasons and trace.content_state in ("answered", "refused", "empty"):
            self._queue(reasons, scored.where, lambda: _document(scored), None)

    def judged(self, job: Job, evaluation: Evaluation) -> None:
        """The judge gave a verdict that counts."""
        self._compare(job, evaluation.verdict, news=evaluation.evaluator)

    def observe(self, job: Job, judgement: Judgement | None) -> None:
        """The judge was asked a second time, or in a version whose verdicts do not count yet."""
        if judgement is None:
            return
        if job.role == "repeat" and judgement.verdict != job.first:
            self._look_again(job.trace_id, job.where, job.case, flipped=(job.evaluator,))
        elif job.role == "shadow":
            self._compare(job, judgement.verdict)

    def told(self, told: Signalled) -> None:
        """A user signal, explicit or derived, was counted for an answer."""
        self._look_again(told.trace_id.hex(), told.where, told.trace, signal=told.signal)

    def send(self, trace_id: str) -> str:
        """Queue a trace at a person's request; returns the outcome. Raises StoreError."""
        if not self.is_open:
            return "off"
        key = bytes.fromhex(trace_id)
        stored, where = self._recorder.document(key), self._recorder.locate("trace", key)
        if stored is None or where is None:
            return "unknown"
        shown = msgspec.json.decode(stored)
        evidence = gather(shown, None, self._redact)
        outcome = "no_text"
        if evidence is not None:
            slice_ = (where.app, where.route, where.model_version, where.prompt_version)
            item = self._item(_SENT, (_SENT.name,), shown, slice_, evidence)
            outcome = self._place(replace(item, ready_at=item.created_at, sketch=()), evidence, None)
        self._recorder.tally.review_routed(_SENT.name, outcome)
        return "done" if outcome == "queued" else outcome

    # Decisions.

    def _compare(self, job: Job, said: Verdict, *, news: str = "") -> None:
        """Look at a trace whose document has a judge's verdict by now, and hold that beside what people said."""
        item = self._shelf.get(job.trace_id)
        self._look_again(job.trace_id, job.where, job.case, verdict=news)
        if item is not None:
            self._late(item, (job.evaluator, job.version), said)

    def _look_again(
        self,
        trace_id: str,
        where: tuple[str, str, str, str],
        text: Trace | Case | None,
        *,
        verdict: str = "",
        signal: str = "",
        flipped: Collection[str] = (),
    ) -> None:
        """Look at a recorded trace with all that is known of it by now.

        Only news lead to the queue: the evaluator that gave its ``verdict``, a user's ``signal``, what ``flipped``.
        What was known before has had its chance, and is not counted again.
        """
        if not self.is_open:
            return
        try:
            stored = self._recorder.document(bytes.fromhex(trace_id))
            if stored is None:  # retention was faster
                return
            shown = msgspec.json.decode(stored)
            known = self._known(shown, where)
            reasons = matching(self._settings.reasons, replace(known, flipped=flipped))
            before = matching(self._settings.reasons, _without(known, verdict, signal))
            item = self._shelf.get(trace_id)
            with self._recorder.redacting():
                if item is not None:
                    self._update(item, reasons, shown)
                elif any(reason not in before for reason in reasons):
                    self._queue(reasons, where, lambda: shown, text)
        except StoreError as error:
            _log.error("trace not looked at for review: reason=%s", error.reason)

    def _known(self, shown: Mapping[str, Any], where: tuple[str, str, str, str]) -> KnownTrace:
        verdicts: dict[str, tuple[Verdict, float, float]] = {
            one["evaluator"]: (one["verdict"], one["score"], self._mark(one["evaluator"]))
            for one in shown["evaluations"]
            if one["sample"] != "shadow"
        }
        signals = [one["signal"] for one in shown["feedback"]]
        return KnownTrace(trace_id=shown["trace_id"], app=where[0], route=where[1], verdicts=verdicts, signals=signals)

    def _update(self, item: Item, reasons: tuple[Reason, ...], shown: Mapping[str, Any]) -> None:
        evidence = self._shelf.evidence(item.trace_id)
        if evidence is not None:
            self._shelf.keep_evidence(item.trace_id, replace(evidence, **said(shown, self._redact)))
        why = tuple(dict.fromkeys((*item.why, *(reason.name for reason in reasons))))
        if why != item.why:
            self._shelf.keep(replace(item, why=why))

    def _queue(
        self,
        reasons: tuple[Reason, ...],
        where: tuple[str, str, str, str],
        show: Callable[[], Mapping[str, Any]],
        text: Trace | Case | None,
    ) -> None:
        """Put a trace on the shelf; its text is looked at only if a reason has room today, for most days are full."""
        for reason in reasons:
            try:
                displaced = place(self._shelf.today(reason.name, self._now()), reason.per_day, where)
            except NoPlaceError:
                self._recorder.tally.review_routed(reason.name, "over_cap")
                continue
            shown = show()
            evidence = gather(shown, text, self._redact)
            outcome = "no_text"
            if evidence is not None:
                why = tuple(one.name for one in reasons)
                outcome = self._place(self._item(reason, why, shown, where, evidence), evidence, displaced)
            self._recorder.tally.review_routed(reason.name, outcome)
            return

    def _item(
        self,
        reason: Reason,
        why: tuple[str, ...],
        shown: Mapping[str, Any],
        where: tuple[str, str, str, str],
        evidence: Evidence,
    ) -> Item:
        now, has_context = self._now(), bool(evidence.context and evidence.answer)
        return Item(
            trace_id=shown["trace_id"],
            reason=reason.name,
            why=why,
            where=where,
            ask=asked_about(reason, self._settings.ask, has_context=has_context),
            annotators=reason.annotators,
            created_at=now,
            ready_at=now + self._settings.wait,
            sketch=sketch(shown["app"], evidence.question),
            size=evidence.size,
            user=shown["user"],
        )

    def _place(self, item: Item, evidence: Evidence, displaced: Item | None) -> str:
        settings, shelf = self._settings, self._shelf
        if not item.ask:
            return "nothing_to_ask"
        if item.size > LARGEST:
            return "too_large"
        if shelf.sketches.has_near(item.sketch, settings.similarity):
            return "near_duplicate"
        if displaced is None and (len(shelf.open) >= settings.items or shelf.bytes + item.size > MOST_BYTES):
            return "full"
        if displaced is not None:
            shelf.remove(displaced.trace_id)
            self._recorder.tally.review_routed(item.reason, "displaced")
        shelf.add(item, evidence)
        return "queued"

    def _mark(self, evaluator: str) -> float:
        return self._marks.get(evaluator, _UNMARKED)


def _document(scored: Scored) -> Mapping[str, Any]:
    """The trace's document with all text, as it would be read from the store."""
    found: Mapping[str, Any] = msgspec.json.decode(
        msgspec.json.encode(document(scored.kept, scored.outcome, content=True))
    )
    return found


def _without(known: KnownTrace, verdict: str, signal: str) -> KnownTrace:
    """What was known before an evaluator gave its verdict, or a user's signal came."""
    signals = list(known.signals)
    if signal in signals:
        signals.remove(signal)
    verdicts = {name: said for name, said in known.verdicts.items() if name != verdict}
    return replace(known, verdicts=verdicts, signals=signals)
