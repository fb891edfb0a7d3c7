"""The road of a trace: durable, assembled, normalised, evaluated, recorded. Knows the order, nothing of the stations.

Everything that a request or a trace changes is gathered (rows, totals, journal entries no longer needed) and becomes
durable in one transaction; only then /metrics shows it. What a crash undoes was never shown, so no counter goes back.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import msgspec
from msgspec import Struct

from .admission import Door, NoRoomError
from .assembly import Added, Assembler, Late, Limits, OpenTrace, RecordedKeys
from .decode import decode, decompress
from .decode.batch import Batch, DecodeError, DecodeLimits, TooLarge
from .document import document, with_late_fields
from .evaluators.panel import Panel
from .intake import Busy
from .metrics.events import Metrics, Tally
from .metrics.labels import Limiter, Slice
from .prices import Prices
from .semconv import Sources, normalise
from .store.sqlite import Entry, Recorded, Store, StoreError, Transaction
from .store.writer import Writer

SLICE_OF_WORK = 0.005
"""Seconds of scoring after which the event loop gets its turn."""
SCORE_EVERY = 0.05
FLUSH_EVERY = 1.0
"""Seconds between transactions: each writes a total of every series that changed, however few traces it records."""
MUCH_UNRECORDED = 1_000
"""Traces scored and not yet recorded, which are recorded without waiting for the time."""
HOUSEKEEPING_EVERY = 30.0
RETRY_AFTER = 1
MOST_UNRECORDED = 2_000
"""Traces scored and not yet recorded, after which scoring waits for the store."""
_NO_DOCUMENT = b""

_log = logging.getLogger(__name__)


class Settings(Struct, frozen=True, kw_only=True):
    """What a reload swaps: how traces are read, scored and labelled, and how much may wait."""

    sources: Sources
    panel: Panel
    limiter: Limiter
    prices: Prices
    decode: DecodeLimits
    assembly: Limits
    content: str = "failing"
    pending_bytes: int = 256 << 20
    expire_after: float = 7 * 86_400.0
    retention_age: float = 7 * 86_400.0
    retention_bytes: int = 2 << 30


class Unrecorded:
    """What the next transaction makes durable."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.transaction = Transaction()
        self.keys: dict[bytes, RecordedKeys] = {}
        """The parts of the traces in this transaction, which the store does not know yet."""

    def __bool__(self) -> bool:
        rows = self.transaction
        return bool(self.tally or rows.traces or rows.late or rows.documents or rows.done)


class Pipeline:
    """One exporter's road. ``now`` is Unix seconds; nothing in here sleeps but ``run``."""

    def __init__(
        self, store: Store, metrics: Metrics, settings: Settings, now: Callable[[], float] = time.time
    ) -> None:
        self.settings = settings
        self.writer = Writer(store, self._durable, on_commit=self._committed, on_error=metrics.store_failed)
        self.assembler = Assembler(settings.assembly, self._recorded)
        self.door = Door(lambda: self.assembler.bytes, lambda: self.assembler.limits.max_bytes)
        self.problem: str | None = None
        """Why nothing can be recorded at the moment; None while it can."""
        self._store = store
        self._metrics = metrics
        self._now = now
        self._seq = store.watermark
        self._gathering = Unrecorded(metrics.tally())
        self._committing: Unrecorded | None = None
        self._one_flush = asyncio.Lock()
        self._much = asyncio.Event()

    def configure(self, settings: Settings) -> None:
        """Go on with other settings; what is open stays open."""
        self.settings = settings
        self.assembler.limits = settings.assembly

    @property
    def unrecorded(self) -> int:
        """Traces that are scored and not recorded yet."""
        return sum(len(some.transaction.traces) for some in (self._gathering, self._committing) if some is not None)

    def lag(self) -> float:
        """Age of the oldest open trace in seconds."""
        opened_at = self.assembler.oldest()
        return 0.0 if opened_at is None else max(0.0, self._now() - opened_at)

    # What comes in.

    def recover(self) -> int:
        """Take the totals and the journal of an earlier run; returns how many requests had not been scored yet."""
        self._metrics.restore(self._store.totals())
        for label, values in self._metrics.label_values().items():
            self.settings.limiter.learn(label, values)
        counted = self._seq
        entries = 0
        for seq, entry in self._store.entries():
            entries += 1
            self._assemble(seq, entry, self._decoded_again(entry), counted=seq <= counted)
        return entries

    def _decoded_again(self, entry: Entry) -> Batch:
        """A stricter limit of today must not lose what was acknowledged yesterday: then nothing of it can be scored."""
        limits = self.settings.decode
        try:
            body = decompress(entry.encoding, entry.body, limits.decompressed_bytes)
            return decode(entry.signal, entry.media_type, body, limits, entry.received_at)  # type: ignore[arg-type]
        except (DecodeError, TooLarge) as error:
            _log.error("journal entry not understood: signal=%s reason=%s", entry.signal, error)
            return Batch(rejected={"journal": 1})

    async def accept(self, entry: Entry, batch: Batch) -> None:
        """Make a request durable and hand it on; raises Busy or StoreError, and then nothing of it was taken."""
        size = sum(span.size for span in batch.spans) + sum(log.size for log in batch.logs)
        try:
            async with self.door.enter(size, self.settings.pending_bytes):
                await self.writer.journal(entry, batch)
        except NoRoomError:
            raise Busy(RETRY_AFTER, "scoring is behind") from None
        except StoreError as error:
            self._failed(error)
            raise

    def _durable(self, seq: int, entry: Entry, batch: Batch) -> None:
        self._assemble(seq, entry, batch, counted=False)

    def _assemble(self, seq: int, entry: Entry, batch: Batch, *, counted: bool) -> None:
        opened = len(self.assembler)
        added = self.assembler.add(seq, batch.spans, batch.logs, entry.received_at)
        if not added.kept:
            self._gathering.transaction.done.append(seq)
        if not counted:
            self._count(entry, batch, added)
            self._gathering.tally.traces_opened(len(self.assembler) - opened)
        for late in added.late:
            self._take_late(late, counted=counted)
        self._seq = max(self._seq, seq)

    def _count(self, entry: Entry, batch: Batch, added: Added) -> None:
        tally = self._gathering.tally
        tally.received(entry.signal, len(batch.spans), len(batch.logs), batch.rejected, batch.anomalies)
        for (signal, kind), count in added.duplicates.items():
            tally.duplicate(signal, kind, count)
        for (signal, reason), count in added.dropped.items():
            tally.rejected(signal, reason, count)

    def _recorded(self, trace_ids: Sequence[bytes]) -> Mapping[bytes, RecordedKeys]:
        """What is known of traces that are closed: in the store, or on its way there."""
        found = {
            trace_id: RecordedKeys(keys, ignored) for trace_id, (keys, ignored) in self._store.known(trace_ids).items()
        }
        for unrecorded in (some for some in (self._committing, self._gathering) if some is not None):
            for trace_id in trace_ids:
                if trace_id in unrecorded.keys:
                    found[trace_id] = unrecorded.keys[trace_id]
        return found

    def _take_late(self, late: Late, *, counted: bool) -> None:
        """Late parts change no verdict and no label; who asked, and in which conversation, may still become known."""
        keys = b"".join((*(span.span_id for span in late.spans), *(log.key for log in late.logs)))
        gathering = self._gathering
        gathering.transaction.late.append((late.trace_id, keys))
        before = self._recorded([late.trace_id]).get(late.trace_id, RecordedKeys(b""))
        gathering.keys[late.trace_id] = RecordedKeys(before.keys + keys)
        used = self._use_late(late)
        if not counted:
            outcome = "used" if used else "dropped"
            if late.spans:
                gathering.tally.late("traces", outcome, len(late.spans))
            if late.logs:
                gathering.tally.late("logs", outcome, len(late.logs))

    def _use_late(self, late: Late) -> bool:
        trace = normalise(late.trace_id, late.spans, late.logs, self.settings.sources)
        stored = self.document(late.trace_id)
        if trace is None or not stored:
            return False
        changed = with_late_fields(stored, trace)
        if changed is None:
            return False
        self._gathering.transaction.documents.append((late.trace_id, changed))
        return True

    def rejected(self, signal: str, reason: str, count: int) -> None:
        """Count what was refused before it could be accepted."""
        self._gathering.tally.rejected(signal, reason, count)

    # What is scored.

    def score(self, *, seconds: float = SLICE_OF_WORK) -> bool:
        """Score traces that are due for about so many seconds; says whether more are due."""
        until = time.perf_counter() + seconds
        if len(self._gathering.transaction.traces) >= MOST_UNRECORDED:
            return False
        with self.settings.panel.armed():
            for trace in self.assembler.due(self._now()):
                self._score(trace)
                if time.perf_counter() > until:
                    self.door.look()
                    return True
        self.door.look()
        return False

    def _score(self, parts: OpenTrace) -> None:
        keys = parts.keys()
        self._gathering.tally.trace_closed(parts.reason)
        try:
            row = self._row(parts, keys)
        except Exception as error:  # noqa: BLE001 - one trace that nobody foresaw must not stop all others
            _log.error("trace not understood: error=%s", type(error).__name__)
            row = self._ignored(parts.trace_id, keys, "not_understood")
        gathering = self._gathering
        gathering.transaction.traces.append(row)
        gathering.transaction.done += self.assembler.release(parts)
        gathering.keys[parts.trace_id] = RecordedKeys(keys, ignored=not row.document)
        if len(gathering.transaction.traces) >= MUCH_UNRECORDED:
            self._much.set()

    def _row(self, parts: OpenTrace, keys: bytes) -> Recorded:
        settings = self.settings
        trace = normalise(parts.trace_id, tuple(parts.spans.values()), tuple(parts.logs.values()), settings.sources)
        if trace is None:
            return self._ignored(parts.trace_id, keys, "no_llm_request")
        outcome = settings.panel.evaluate(trace)
        where = settings.limiter.slice(trace.app, trace.route, trace.model_version, trace.prompt_version)
        cost = settings.prices.cost(trace)
        failing = any(evaluation.verdict == "fail" for evaluation in outcome.evaluations)
        content = settings.content == "all" or (settings.content == "failing" and failing)
        text = msgspec.json.encode(document(trace, outcome, content=content))
        row = Recorded(parts.trace_id, self._now(), *where, keys, text)
        self._gathering.tally.trace_recorded(where, trace, outcome, cost)
        return row

    def _ignored(self, trace_id: bytes, keys: bytes, reason: str) -> Recorded:
        self._gathering.tally.trace_ignored(reason)
        return Recorded(trace_id, self._now(), *Slice("", "", "", ""), keys, _NO_DOCUMENT)

    # What becomes durable.

    async def flush(self) -> None:
        """Make all that was gathered durable, then show it; raises StoreError, and then it is tried again next time."""
        async with self._one_flush:
            if self._committing is None:
                if not self._gathering and self.problem is None:
                    return  # while there is a problem, even an empty transaction tells whether it is over
                self._committing, self._gathering = self._gathering, Unrecorded(self._metrics.tally())
                self._seal(self._committing)
            unrecorded = self._committing
            await self.writer.record(unrecorded.transaction)
            self._metrics.apply(unrecorded.tally)
            self._committing = None
            self._forget(unrecorded.transaction.dropped_totals)

    def _forget(self, dropped: Sequence[tuple[str, str]]) -> None:
        """What expired gives its labels' budgets back."""
        if dropped:
            self._metrics.drop(dropped)
            for label, values in self._metrics.label_values().items():
                self.settings.limiter.retain(label, values)

    def _seal(self, unrecorded: Unrecorded) -> None:
        unrecorded.tally.labels_overflowed(self.settings.limiter.take_overflow())
        transaction = unrecorded.transaction
        transaction.watermark = self._seq
        transaction.totals = self._metrics.stage(unrecorded.tally)
        transaction.dropped_totals = self._metrics.expired(
            self._now() - self.settings.expire_after, keep=unrecorded.tally
        )

    def document(self, trace_id: bytes) -> bytes | None:
        """The document of a recorded trace, durable or on its way; None where there is none."""
        for unrecorded in (some for some in (self._gathering, self._committing) if some is not None):
            for changed_id, text in reversed(unrecorded.transaction.documents):
                if changed_id == trace_id:
                    return text
            for row in unrecorded.transaction.traces:
                if row.trace_id == trace_id:
                    return row.document or None
        return self._store.document(trace_id) or None

    # The clockwork.

    async def run(self) -> None:
        """Score, flush and keep house until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_scoring())
            tasks.create_task(self._keep_flushing())
            tasks.create_task(self._keep_house())

    async def _keep_scoring(self) -> None:
        while True:
            more = self.score()
            await asyncio.sleep(0 if more else SCORE_EVERY)

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
        """Delete recorded traces beyond the retention, a few at a time."""
        while True:
            await asyncio.sleep(HOUSEKEEPING_EVERY)
            try:
                while await self.writer.prune(self.settings.retention_age, self.settings.retention_bytes):
                    pass
            except StoreError as error:
                self._failed(error)

    def _committed(self, seconds: float) -> None:
        self.problem = None
        self._metrics.committed(seconds)

    def _failed(self, error: StoreError) -> None:
        self.problem = f"the store cannot be written: {error.reason}"
        _log.error("not recorded, will try again: reason=%s", error.reason)

    async def stop(self) -> None:
        """Make durable what was scored, as far as the store can."""
        try:
            await self.flush()
            await self.flush()
        except StoreError as error:
            self._failed(error)
        await self.writer.stop()
