"""The pipeline of a trace: durable, assembled, normalised, evaluated, recorded. Knows the order of the stages only.

Other requests (feedback, labels) are few: each is one unit of work, and is answered once that is durable.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from ..decode.batch import Batch
from ..ingest.assembly import Assembler, OpenTrace, several
from ..ingest.backpressure import Backpressure, NoRoomError
from ..ingest.late_spans import Late, split
from ..ingest.port import Busy, what_is_kept
from ..ingest.split import Reading, reading
from ..metrics.registry import Metrics
from ..model.score import Outcome
from ..model.trace import Trace
from ..recording.external_evaluations import ExternalEvaluations
from ..recording.late_details import late_asker, late_evaluations, late_trace, missed
from ..recording.retention import Retention
from ..recording.scored import Scored, recorded
from ..recording.trace_document import encoded
from ..recording.unit_of_work import Recorder
from ..records.requests import Entry
from ..semconv import normalise
from ..store.errors import StoreError
from ..store.in_work import key_of
from ..store.port import Store
from .arrivals import Arrivals
from .hooks import Hooks
from .scoring import Round
from .settings import Settings

SLICE_OF_WORK = 0.005  # seconds of scoring after which the event loop gets its turn
TURNS = 4  # of the event loop after a slice: as many as a request needs to be read and answered
SCORE_EVERY = 0.05
FLUSH_EVERY = 1.0  # seconds between transactions: each writes a total of every series that changed
MUCH_UNRECORDED = 2_000  # traces scored and not yet recorded, which are recorded without waiting for the time
HOUSEKEEPING_EVERY = 30.0
RETRY_AFTER = 1
_JOURNAL_SHARE = 4  # one part in so many of the disk is what the journal may take
MOST_UNRECORDED = 4_000  # traces scored and not yet recorded, after which scoring waits for the store

_log = logging.getLogger(__name__)


class Pipeline:
    """The pipeline of one exporter. ``now`` is Unix seconds; only ``run`` sleeps."""

    def __init__(
        self, store: Store, metrics: Metrics, settings: Settings, hooks: Hooks, now: Callable[[], float] = time.time
    ) -> None:
        self.settings = settings
        self.writer = store.writer(self._arrived, on_commit=metrics.committed, on_error=metrics.store_failed)
        self.recorder = Recorder(store, metrics, self.writer, now)
        self.assembler = Assembler(settings.assembly, self.recorder.keys)
        self.door = Backpressure(lambda: self.assembler.bytes, lambda: self.assembler.limits.max_bytes)
        self.hooks = hooks
        self.elsewhere = ExternalEvaluations(now)
        self.retention = Retention(self.recorder, self.writer)
        self.in_work = store.in_work
        self._store = store
        self._most_bytes = store.most_bytes
        self._now = now
        self._much = asyncio.Event()
        self._round: Round | None = None
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="plugins")  # where plugins are waited for
        self.arrivals = Arrivals(self.recorder, self.assembler, self.in_work, self._use_late)
        self.configure(settings)

    def configure(self, settings: Settings) -> None:
        """Apply other settings; open traces stay open."""
        self.settings = settings
        self.assembler.limits = settings.assembly
        self.recorder.limiter, self.recorder.expire_after = settings.limiter, settings.expire_after
        self.recorder.redactor = settings.redactor
        self._store.resize_ballast(settings.ballast_bytes)
        self.retention.configure(settings.retention_age, settings.retention_bytes, settings.content_age)

    @property
    def unrecorded(self) -> int:
        """Traces that are scored and not recorded yet."""
        return self.recorder.waiting

    @property
    def problem(self) -> str | None:
        """Why nothing can be recorded at the moment; None while it can."""
        if self.writer.problem == "replaced":
            return "files of the store were deleted, moved or replaced (see the log): move them back, or restart llmq"
        return self.writer.problem and f"the store cannot be written: {self.writer.problem}"

    def lag(self) -> float:
        """Age of the oldest open trace in seconds."""
        return max(0.0, self._now() - (self.assembler.oldest() or self._now()))

    # What comes in.

    async def room(self) -> None:
        """Wait until there is room among the open traces; raises Busy."""
        try:
            await self.door.opened()
        except NoRoomError:
            raise Busy(RETRY_AFTER, "scoring is behind") from None

    async def accept(self, entry: Entry, batch: Batch) -> None:
        """Make a request durable and pass it on; raises Busy or StoreError, and then nothing of it was accepted."""
        kept = what_is_kept(entry, batch)
        self._check(kept)
        try:
            with self.door.entering(batch.size):
                seq = await self.writer.journal(kept, batch)
                await self.arrivals.taken(seq)
        except StoreError as error:
            self._failed(error)
            raise

    async def submit(self, entry: Entry, asked: Any) -> None:
        """Apply a request that is not OTLP, and return when its effects are durable.

        Raises StoreError, and then it may have been applied nevertheless: a repeated request is applied once. Raises
        PoisonError for a request that crashed the process each time.
        """
        if (reason := self.writer.problem) is not None:
            raise StoreError(reason, "nothing can be made durable at the moment")
        with self.in_work.taking(entry.body), self.recorder.redacting():
            self.hooks.desks[entry.signal].take(entry, asked)
        try:
            await self.recorder.durable()
        except StoreError as error:
            self._failed(error)
            raise

    @property
    def journal_bytes(self) -> int:
        """Bytes of requests that may be pending; on a small disk, only so many that their results still fit."""
        return min(self.settings.journal_bytes, self._store.disk_bytes // _JOURNAL_SHARE)

    def _check(self, entry: Entry) -> None:
        self.in_work.check(entry.body)
        if self.writer.journal_bytes + len(entry.body) > self.journal_bytes:
            raise Busy(
                RETRY_AFTER, "the journal is full of requests that are not recorded yet", counted_as="journal_full"
            )

    def _arrived(self, seq: int, entry: Entry, batch: Batch) -> None:
        self.arrivals.begin(seq, entry, batch)

    def take_up(self, seq: int, entry: Entry, asked: Any) -> None:
        """Apply a request that is not OTLP and that an earlier llmq wrote to the journal.

        Its effects and the removal of its entry become durable in one transaction.
        """
        with self.in_work.on("assemble", (key_of(seq),)), self.recorder.redacting():
            self.hooks.desks[entry.signal].take(entry, asked)
            self.done(seq)

    def done(self, seq: int) -> None:
        """Remove a journal entry with the next transaction."""
        self.recorder.changes.done.append(seq)
        self.recorder.seq = max(self.recorder.seq, seq)

    def assemble(self, seq: int, entry: Entry, batch: Batch, *, counted: bool, with_late: bool = True) -> None:
        """Take an entry of an earlier run; ``counted``: its arrival was. Late parts are used only ``with_late``."""
        for _ in self.arrivals.steps(seq, entry, batch, counted=counted, with_late=with_late):
            pass

    def _use_late(self, late: Late) -> bool:
        """A model call among late spans would have changed the verdicts, so it counts against coverage."""
        told = late_trace(late, self.settings.sources)
        trace = None if told is None else late_asker(late.trace_id, told, self.settings.identifiers, self.recorder)
        if trace is not None:
            self.hooks.is_erased(trace, self._now())
        if told is not None and told.content_state != "not_captured":
            missed(late.trace_id, self.settings.panel.names, self.recorder)
        reported = late_evaluations(late, self.elsewhere, self.recorder, self.hooks.reported)
        return trace is not None or reported

    def rejected(self, signal: str, reason: str, count: int) -> None:
        """Count items that were refused before they could be accepted."""
        self.recorder.tally.rejected(signal, reason, count)

    # What is scored.

    def score(self, *, seconds: float = SLICE_OF_WORK) -> bool:
        """Score due traces for about this many seconds; returns whether more are due."""
        more = False
        if self._begin():
            with self.settings.panel.armed():
                more = self._score_until(time.perf_counter() + seconds)
        self.door.look()
        return more

    def _score_until(self, until: float) -> bool:
        while self._begin():
            is_done = self._round is None or self._round.go_on(until)
            self._round = None if is_done else self._round
            if not is_done or time.perf_counter() > until:
                return True
        return False

    def _begin(self) -> bool:
        """Select the next batch of traces, if none is under way."""
        if self._round is None and not self._has_enough():
            some = several(self.assembler.due(self._now()))
            self._round = self._round_of(some) if some else None
        return self._round is not None

    def _round_of(self, some: Sequence[OpenTrace]) -> Round:
        scoring, executor = self.arrivals.scoring, self._executor
        return Round(
            some, self.settings.panel, self.in_work, scoring, executor, read=self._requests, record=self.record
        )

    def _has_enough(self) -> bool:
        """Whether the next transaction has reached its size limit."""
        recorder = self.recorder
        return len(recorder.changes.traces) >= MOST_UNRECORDED or recorder.size >= self._most_bytes

    def score_closed(self, some: Sequence[OpenTrace]) -> None:
        """Score closed traces as one batch, to the end."""
        self._round_of(some).finish()

    def _requests(self, parts: OpenTrace) -> Reading:
        """Split a trace into its requests; late spans make none."""
        if self._is_late(parts):
            return []
        return (yield from reading(parts, self.read))

    def _is_late(self, parts: OpenTrace) -> bool:
        """Handle spans that came after their request was recorded: without a root they are no further request."""
        if not parts.again or parts.roots:
            return False
        late = Late(parts.trace_id, list(parts.spans.values()), list(parts.logs.values()))
        try:
            self.arrivals.late(late)
        except StoreError as error:
            self._failed(error)
            self.arrivals.late(late, used=False)  # nobody will send them again: they are counted as dropped
        self.recorder.tally.traces_closed([parts.reason])
        self.recorder.changes.done += self.assembler.release([parts])
        return True

    def read(self, parts: OpenTrace) -> Trace | None:
        """The normalised Trace of the spans; None, counted, where there is none."""
        spans, logs = tuple(parts.spans.values()), tuple(parts.logs.values())
        try:
            trace = normalise(parts.request_id, spans, logs, self.settings.sources, self.settings.helpers)
        except Exception as error:  # noqa: BLE001 - one trace that nobody foresaw must not stop all others
            self._not_understood(error)
            return None
        if trace is None:
            self.recorder.tally.trace_ignored("no_llm_request")
        return trace

    def _not_understood(self, error: Exception) -> None:
        _log.error("trace not understood: error=%s", type(error).__name__)
        self.recorder.tally.trace_ignored("not_understood")

    def record(
        self, some: Sequence[OpenTrace], traces: Sequence[Trace | None], outcomes: Sequence[Outcome | None]
    ) -> None:
        """Record a batch of traces. Running one step over many traces keeps its code in the CPU cache."""
        scored = [
            Scored(parts.request_id, parts, trace, outcome)
            for parts, trace, outcome in zip(some, traces, outcomes, strict=True)
            if trace is not None and outcome is not None
        ]
        with self.recorder.redacting():
            for step in (self._place, self._describe, self._count_scored):
                scored = self._done_with(step, scored)
        understood, at = {one.trace_id: one for one in scored}, self._now()
        for parts in some:
            if parts.again:
                self.recorder.late(parts.trace_id, [*split(parts.own_keys())])
            if not parts.again or parts.request_id in understood:
                self.recorder.trace(recorded(parts, understood.get(parts.request_id), at))
        self.recorder.tally.traces_closed([parts.reason for parts in some])
        self.recorder.changes.done += self.assembler.release(some)
        with self.recorder.redacting():
            for one in scored:
                self.recorder.share(one.budget)
                self._tell(one)
        if len(self.recorder.changes.traces) >= MUCH_UNRECORDED or self.recorder.size >= self._most_bytes // 2:
            self._much.set()

    def _done_with(self, step: Callable[[Scored], None], some: Sequence[Scored]) -> list[Scored]:
        done = []
        for one in some:
            try:
                self.recorder.share(one.budget)
                step(one)
                done.append(one)
            except Exception as error:  # noqa: BLE001 - as above
                self._not_understood(error)
        return done

    def _place(self, one: Scored) -> None:
        """Determine the slice of a trace, and read evaluations by other systems."""
        trace, settings = one.trace, self.settings
        one.where = settings.limiter.slice(trace.app, trace.route, trace.model_version, trace.prompt_version)
        if reported := self.elsewhere.read(one.parts.spans.values(), one.parts.logs.values(), lambda: one.where):
            one.reported, theirs = reported, tuple(said.evaluation for said in reported if not said.is_feedback)
            one.outcome = replace(one.outcome, evaluations=one.outcome.evaluations + theirs)
        if left := self.hooks.choose(trace, one.where, one.outcome):
            one.outcome = replace(one.outcome, unscored=one.outcome.unscored + left)

    def _describe(self, one: Scored) -> None:
        kept = self.settings.content
        content = kept == "all" or (kept == "failing" and one.is_failing)
        one.kept = self.settings.identifiers.stored(one.trace)
        one.document = encoded(one.kept, one.outcome, content=content, redact=self.recorder.redact)

    def _count_scored(self, one: Scored) -> None:
        self.recorder.tally.trace_recorded(one.where, one.trace, one.outcome, self.settings.prices.cost(one.trace))

    def _tell(self, one: Scored) -> None:
        if self.hooks.is_erased(one.trace, one.parts.opened_at):
            return
        self.hooks.recorded(one)
        for said in [said for said in one.reported if said.is_feedback]:
            self.hooks.reported(one.trace_id, one.where, said)

    # What becomes durable.

    async def flush(self) -> None:
        """Commit all pending writes, then publish their metrics; raises StoreError, and the next flush tries again."""
        if left_out := self.elsewhere.take_overflow():
            self.recorder.tally.labels_overflowed(left_out)
        self.elsewhere.expire(self.recorder.aged() - self.settings.expire_after)
        with suppress(StoreError):  # counted; what follows finds out whether it can go on
            await self.writer.relieve()
        await self.recorder.flush()
        await self.writer.probe()

    async def document(self, trace_id: bytes) -> bytes | None:
        """The document of a recorded trace, durable or pending; None where there is none. Raises StoreError."""
        return await self.recorder.traces.document(trace_id)

    # The clockwork.

    async def run(self) -> None:
        """Score, flush and do periodic work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_scoring())
            tasks.create_task(self._keep_flushing())
            tasks.create_task(self._keep_house())

    async def _keep_scoring(self) -> None:
        while True:
            if not self.score():
                await self.door.pressed(SCORE_EVERY)
            elif self._round is not None and self._round.waiting is not None:
                await asyncio.wait([asyncio.wrap_future(self._round.waiting)])
            for _ in range(TURNS):
                await asyncio.sleep(0)

    async def _keep_flushing(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._much.wait(), FLUSH_EVERY)
            self._much.clear()
            try:
                await self.flush()
            except StoreError as error:
                self._failed(error)
                await asyncio.sleep(RETRY_AFTER)

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(HOUSEKEEPING_EVERY)
            try:
                self.hooks.tick()
                await self.writer.keep_ballast()
                await self.retention.apply()
            except StoreError as error:
                self._failed(error)

    def _failed(self, error: StoreError) -> None:
        _log.error("not recorded, will try again: reason=%s: %s", error.reason, error)

    async def stop(self) -> None:
        """Commit the scored traces, as far as the store can."""
        if self._round is not None:
            self._round.give_up()
        self.settings.panel.close()
        self._executor.shutdown(wait=False)
        await self.arrivals.all_taken()
        try:
            await self.recorder.flush()
            await self.flush()
        except StoreError as error:
            self._failed(error)
        await self.writer.stop()
