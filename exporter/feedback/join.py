"""Joins feedback with its trace, whichever comes first. Knows no HTTP.

Feedback that names a conversation is about the last answer before it. That answer's trace may not have arrived yet, so
such feedback waits some seconds before it is joined.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from ..config.settings import Config
from ..decode import decompress
from ..features.feature import Signalled
from ..metrics.labels import Slice
from ..model.trace import Trace
from ..recording.identifiers import Identifiers, stored_names
from ..recording.scored import Scored
from ..recording.unit_of_work import Recorder
from ..records.feedback import EarlyFeedback, Feedback
from ..records.requests import Entry
from ..records.traces import Located
from ..semconv.evaluations import Reported
from ..store.errors import StoreError
from ..store.kinds import FEEDBACK_ID
from .attribution import Attribution
from .conversations import Conversations
from .recent import Recent
from .signals import ReadSignals, digest, read
from .waiting import EarlyFeedbackQueue

SIGNAL: Final = "feedback"
_LOOK_EVERY: Final = 1.0
_FORGET_EVERY: Final = 10.0
_FORGET_AT_ONCE: Final = 5000

_log = logging.getLogger(__name__)


class FeedbackJoin:
    """Handler of feedback requests and traces; ``tell`` is called with each counted signal. ``now`` is Unix seconds."""

    def __init__(
        self,
        config: Config,
        recorder: Recorder,
        tell: Callable[[Signalled], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self.recent = Recent()
        self.credit = Attribution(recorder, self.recent, config.store.content, tell)
        self.waiting = EarlyFeedbackQueue(recorder, config.feedback.early_items)
        self.conversations = Conversations(config.feedback, recorder, self.credit, now)
        self._recorder = recorder
        self._now = now
        self._forgot_at = 0.0
        self.configure(config)

    def configure(self, config: Config) -> None:
        """Apply other settings; pending feedback stays pending."""
        self.settings = self.conversations.settings = config.feedback
        self.waiting.most_items = config.feedback.early_items
        self.waiting.keep_text = config.store.content != "none"
        self.credit.content = config.store.content
        self._identifiers = self.conversations.identifiers = Identifiers(config.store.identifiers)
        self._most_bytes = config.limits.decompressed_bytes
        self._kept_for = config.store.retention.age

    async def recover(self) -> None:
        """Load the state of an earlier run, before the journal is replayed; raises StoreError."""
        await self.waiting.recover()
        await self.conversations.recover()

    # Requests.

    def read(self, entry: Entry) -> ReadSignals:
        """Decode a request; raises DecodeError, TooLarge or UnsupportedEncoding."""
        return read(decompress(entry.encoding, entry.body, self._most_bytes))

    def take(self, entry: Entry, asked: ReadSignals) -> None:
        """Count each signal, or keep it pending until its trace arrives."""
        known = [bool(one.id) and self._recorder.has_id(FEEDBACK_ID, one.id) for one in asked.items]
        # Nothing is read between here and the end that could fail and leave half a request taken.
        taken: set[bytes] = set()
        for feedback, is_known in zip(asked.items, known, strict=True):
            if is_known or feedback.id in taken:
                self._recorder.tally.feedback_received("duplicate")
                continue
            if feedback.id:
                taken.add(feedback.id)
                self._recorder.feedback_ids.put(feedback.id, at=entry.received_at)
            self._join_or_wait(feedback, entry.received_at)
        if asked.errors:
            self._recorder.tally.rejected(SIGNAL, "invalid", len(asked.errors))

    def _join_or_wait(self, feedback: Feedback, at: float) -> None:
        waiting = EarlyFeedback(feedback=feedback, received_at=at, look_at=at + self.settings.settle)
        try:
            located = self._recorder.locate(feedback.by, _value(feedback))
            if located is None:
                waiting = replace(waiting, look_at=at + self.settings.early_age)
            elif feedback.by == "conversation":
                waiting = replace(waiting, trace_id=located.trace_id)
            elif self._join(feedback, located, at):
                return
        except StoreError as error:
            _log.error("feedback waits for the store: reason=%s", error.reason)
        if feedback.by != "trace":
            stored = replace(feedback, reference=self._identifiers.key(feedback.reference))
            waiting = replace(waiting, feedback=stored)
        for _ in range(self.waiting.add(waiting)):
            self._recorder.tally.feedback_received("displaced")

    def _join(self, feedback: Feedback, located: Located, at: float) -> bool:
        where = Slice(located.app, located.route, located.model_version, located.prompt_version)
        outcome = self.credit.explicit(feedback, located.trace_id, where, at)
        if outcome is not None:
            self._recorder.tally.feedback_received(outcome)
        return outcome is not None

    def reported(self, trace_id: bytes, where: Slice, said: Reported) -> None:
        """Count feedback on a recorded trace that an application reports as an evaluation."""
        passed = said.evaluation.verdict == "pass"
        feedback = Feedback(
            signal="thumbs_up" if passed else "thumbs_down",
            by="trace",
            reference=trace_id.hex(),
            comment=" ".join(said.evaluation.quotes) or None,
        )
        self._join(feedback, Located(trace_id, *where), self._now())

    # Traces.

    def follow(self, scored: Scored) -> None:
        """Join feedback that waits for a trace that was just recorded, and derive signals about the previous turn."""
        early = self._waiting_for(scored.trace) if self.waiting else []
        self.recent.add(scored.trace_id, scored.trace, wanted=bool(early))
        for number, one in early:
            self._join_early(number, one, scored)
        self.conversations.follow(scored)

    def _waiting_for(self, trace: Trace) -> list[tuple[int, EarlyFeedback]]:
        early = self.waiting.about("trace", trace.trace_id)
        for name in stored_names(trace.response_id) if trace.response_id else ():
            early += self.waiting.about("response", name)
        for name in stored_names(trace.conversation_id) if trace.conversation_id else ():
            about = self.waiting.about("conversation", name)
            early += [one for one in about if trace.started_at is None or trace.started_at <= one[1].received_at]
        return early

    def _join_early(self, number: int, waiting: EarlyFeedback, scored: Scored) -> None:
        if waiting.feedback.by == "conversation":
            look_at = max(self._now(), waiting.received_at + self.settings.settle)
            self.waiting.update(number, replace(waiting, trace_id=scored.trace_id, look_at=look_at))
        else:
            self._join(waiting.feedback, Located(scored.trace_id, *scored.where), waiting.received_at)
            self.waiting.remove(number)

    def forget(self, trace_ids: Sequence[bytes], user: str | None) -> None:
        """Delete state beside the documents of traces, and pending feedback of a user."""
        gone = frozenset(trace_ids)
        for trace_id in gone:
            self.recent.remove(trace_id)
        self.conversations.forget(gone)
        for number in self.waiting.of(gone, digest(user) if user else ""):
            self.waiting.remove(number)
            self._recorder.tally.feedback_received("forgotten")

    # The clockwork.

    def tick(self) -> None:
        """Periodic work: join, expire, end idle conversations, delete old ids. Raises StoreError."""
        now = self._now()
        self.recent.compress()
        with self._recorder.redacting():
            for number, waiting in self.waiting.due(now):
                self._look(number, waiting, now)
        self.conversations.end_idle()
        if now >= self._forgot_at + _FORGET_EVERY:
            self._forgot_at = now
            self._recorder.feedback_ids.drop_older(self._recorder.aged() - self._kept_for, _FORGET_AT_ONCE)

    def _look(self, number: int, waiting: EarlyFeedback, now: float) -> None:
        feedback, expires_at = waiting.feedback, waiting.received_at + self.settings.early_age
        try:
            located = self._found(waiting)
            joined = located is not None and self._join(feedback, located, waiting.received_at)
        except StoreError:
            self.waiting.update(number, replace(waiting, look_at=now + self.settings.settle))
            raise
        if joined:
            self.waiting.remove(number)
        elif now >= expires_at:
            self.waiting.remove(number)
            self._recorder.tally.feedback_received("expired")
        else:
            self.waiting.update(number, replace(waiting, trace_id=None, look_at=expires_at))

    def _found(self, waiting: EarlyFeedback) -> Located | None:
        if waiting.feedback.by != "conversation":
            return self._recorder.locate(waiting.feedback.by, _value(waiting.feedback))
        return self._recorder.locate("trace", waiting.trace_id) if waiting.trace_id else None

    async def run(self) -> None:
        """Call ``tick`` periodically until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            try:
                self.tick()
            except StoreError as error:
                _log.error("feedback waits for the store: reason=%s", error.reason)


def _value(feedback: Feedback) -> str | bytes:
    return bytes.fromhex(feedback.reference) if feedback.by == "trace" else feedback.reference
