"""Applies reviewers' requests (claims, releases, skips, labels) in the order of the journal. Knows no HTTP.

Times are those at which requests arrived, so that replaying the journal after a crash gives the same result.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final, Literal

from msgspec.structs import replace

from ..config.settings import Config
from ..model.score import Verdict
from ..recording.unit_of_work import Recorder
from ..records.judge import Judge
from ..records.requests import Entry
from ..records.review import Claim, Evidence, Item, Label, Skip, State
from ..store.errors import StoreError
from . import requests
from .enqueue import Enqueuer
from .evidence import Redact
from .item import claimed, ended, labelled, released, skipped
from .requests import ReviewRequest
from .store import ReviewStore

SIGNAL: Final = "review"
Outcome = Literal["done", "again", "gone", "taken"]
"""What became of a request: done, the same was said before, there is no such item, somebody else has it."""
_LOOK_EVERY: Final = 1.0

_log = logging.getLogger(__name__)


class ReviewQueue:
    """The review queue of one exporter.

    ``now`` is Unix seconds; ``redact`` redacts every text before it is kept; ``compared`` is called with each pair of a
    judge's and a human verdict on the same trace, once both are known.
    """

    def __init__(
        self,
        config: Config,
        recorder: Recorder,
        now: Callable[[], float] = time.time,
        redact: Redact = lambda text: text,
        compared: Callable[[Judge, Verdict, Verdict], None] = lambda _judge, _said, _human: None,
    ) -> None:
        self.shelf = ReviewStore(recorder)
        self._redact = redact
        self.reception = Enqueuer(config, recorder, self.shelf, now, redact=redact, late=self._compare)
        self._compared = compared
        self.settings = config.review
        self._recorder = recorder
        self._now = now

    def configure(self, config: Config, marks: Mapping[str, float]) -> None:
        """Apply other settings; ``marks``: the pass mark of each evaluator."""
        self.settings = config.review
        self.reception.configure(config, marks)

    async def recover(self) -> None:
        """Load the state of an earlier run, before the journal is replayed; raises StoreError."""
        await self.shelf.recover()

    # Requests.

    def read(self, entry: Entry) -> ReviewRequest:
        """Decode a reviewer's request, as the handler encoded it; raises DecodeError."""
        return requests.again(entry.body)

    def take(self, entry: Entry, wanted: ReviewRequest) -> None:
        """Apply a request; the outcome is written into ``wanted.outcome``."""
        item = self.shelf.get(wanted.trace_id)
        if wanted.action == "send":
            wanted.outcome = "again" if item else self.reception.send(wanted.trace_id)
            return
        if item is None:
            wanted.outcome = "gone"
            return
        act = {"claim": self._claim, "release": self._release, "skip": self._skip, "label": self._label}
        wanted.outcome = act[wanted.action](item, wanted, entry.received_at)

    def _claim(self, item: Item, wanted: ReviewRequest, at: float) -> Outcome:
        if item.claim_of(wanted.reviewer, at):
            return "again"
        if not item.is_for(wanted.reviewer, at):
            return "taken"
        item = self._without_expired(item, at)
        self.shelf.keep(claimed(item, Claim(reviewer=wanted.reviewer, at=at, until=at + self.settings.claim)))
        self._recorder.tally.review_claim("claimed")
        return "done"

    def _release(self, item: Item, wanted: ReviewRequest, at: float) -> Outcome:
        if item.claim_of(wanted.reviewer, at) is None:
            return "again"
        self.shelf.keep(released(item, wanted.reviewer))
        self._recorder.tally.review_claim("released")
        return "done"

    def _skip(self, item: Item, wanted: ReviewRequest, at: float) -> Outcome:
        if item.has_skipped(wanted.reviewer):
            return "again"
        if item.claim_of(wanted.reviewer, at) is None:
            return "taken"
        skip = Skip(reviewer=wanted.reviewer, at=at, note=self._redact(wanted.note))
        self._recorder.tally.review_claim("skipped")
        self._keep(item, skipped(item, skip))
        return "done"

    def _label(self, item: Item, wanted: ReviewRequest, at: float) -> Outcome:
        """A label whose claim ran out counts all the same, unless somebody else has the place."""
        if item.label_of(wanted.reviewer):
            return "again"
        claim = item.claim_of(wanted.reviewer, at)
        if claim is None and not item.is_for(wanted.reviewer, at):
            return "taken"
        answers = tuple(
            replace(one, note=self._redact(one.note)) for one in wanted.answers if one.evaluator in item.ask
        )
        label = Label(
            reviewer=wanted.reviewer,
            at=at,
            answers=answers,
            corrected=None if wanted.corrected is None else self._redact(wanted.corrected),
            token=wanted.token,
            seconds=at - claim.at if claim else 0.0,
        )
        if claim is not None:
            self._recorder.tally.review_claim("labelled")
            self._recorder.tally.review_took(max(0.0, label.seconds))
        for answer in answers:
            self._recorder.tally.review_labelled(answer.evaluator, answer.verdict, item.reason)
        self._keep(self._without_expired(item, at), labelled(item, label))
        return "done"

    # What follows.

    def _keep(self, before: Item, after: Item) -> None:
        """Keep an item that changed, and count what that means."""
        for evaluator in set(after.disputed) - set(before.disputed):
            self._recorder.tally.review_disagreed(evaluator)
        self.shelf.keep(after)
        if after.ended and not before.ended:
            self._recorder.tally.review_done(after.reason, after.ended)
            self._calibrate(after)

    def _calibrate(self, item: Item) -> None:
        """Hold what people say beside what judges said of the trace."""
        verdicts = item.verdicts()
        evidence = self._evidence(item.trace_id) if verdicts else None
        for one in evidence.evaluations if evidence else ():
            if one.is_of_judge and one.evaluator in verdicts:
                said: Verdict = "pass" if one.verdict == "pass" else "fail"
                self._compared((one.evaluator, one.evaluator_version), said, verdicts[one.evaluator])

    def _compare(self, item: Item, judge: Judge, said: Verdict) -> None:
        """A judge's verdict that came after people had decided."""
        human = item.verdicts().get(judge[0]) if item.ended else None
        if human is not None:
            self._compared(judge, said, human)

    def _evidence(self, trace_id: str) -> Evidence | None:
        try:
            return self.shelf.evidence(trace_id)
        except StoreError as error:
            _log.error("label not compared with the judge: reason=%s", error.reason)
            return None

    def _without_expired(self, item: Item, at: float) -> Item:
        """The item without the claims that ran out, which are counted."""
        over = [claim for claim in item.claims if claim.until <= at]
        for claim in over:
            self._recorder.tally.review_claim("expired")
            item = released(item, claim.reviewer)
        return item

    # The clockwork.

    def tick(self) -> None:
        """Release expired claims, close items that nobody finished, delete items past their retention."""
        now = self._now()
        for item in list(self.shelf.open.values()):
            if any(claim.until <= now for claim in item.claims):
                self.shelf.keep(item := self._without_expired(item, now))
            if item.created_at + self.settings.expire <= self._recorder.aged() and not item.claims:
                self._keep(item, ended(item, "expired", now))
        for item in list(self.shelf.done.values()):
            if (item.done_at or 0.0) + self.settings.keep <= self._recorder.aged():
                self.shelf.remove(item.trace_id)

    def forget(self, trace_id: str) -> bool:
        """Delete the item of a trace with its text and labels; returns whether there was one."""
        found = self.shelf.get(trace_id) is not None
        self.shelf.remove(trace_id)
        return found

    def count(self, state: State, reason: str) -> float:
        """How many items stand in a state."""
        return self.shelf.count(state, reason, self._now())

    def age(self) -> float:
        """Age of the oldest open item in seconds."""
        oldest = self.shelf.oldest()
        return 0.0 if oldest is None else max(0.0, self._now() - oldest)

    def reasons(self) -> set[str]:
        """The reasons of the config and of the items."""
        return {reason.name for reason in self.settings.reasons} | self.shelf.reasons()

    async def run(self) -> None:
        """Call ``tick`` periodically until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            self.tick()
