"""What was decided and is not durable yet, over what the store has. Knows no span, no evaluator and no HTTP.

Whoever decides something puts it here: rows and objects, and the tally of what they add to the metrics. All of it
becomes durable in one transaction; only then /metrics shows it. What a crash undoes was never shown, so no counter goes
back. Who reads here sees what was decided, durable or not.
"""

import asyncio
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from ..ingest.late_spans import RecordedKeys, split
from ..metrics.events import Tally
from ..metrics.labels import Limiter
from ..metrics.registry import Metrics
from ..redaction import Budget, Redactor
from ..store.in_work import key_of
from ..store.kinds import Kind
from ..store.records import FORGOTTEN, NO_ANSWER, Located, Recorded, Reference, Transaction
from ..store.sqlite.store import Store
from ..store.sqlite.writer import Writer
from .identifiers import stored_names
from .trace_document import marks

_FORGOTTEN = {"document": FORGOTTEN, "marks": NO_ANSWER, **dict.fromkeys(("response_id", "conversation_id", "user"))}
_REFERENCES = {"response": "response_id", "conversation": "conversation_id", "user": "user"}


class Unrecorded:
    """What one transaction makes durable."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.transaction = Transaction()
        self.rows: dict[bytes, Recorded] = {}
        self.late: defaultdict[bytes, bytes] = defaultdict(bytes)
        """The keys of late parts, side by side, by their trace."""
        self.documents: dict[bytes, bytes] = {}
        self.objects: dict[tuple[Kind, bytes], tuple[float, bytes | None]] = {}
        self.afterwards: list[Callable[[], None]] = []
        self.size = 0
        """Bytes of the traces, documents and objects, roughly."""

    def __bool__(self) -> bool:
        rows = self.transaction
        return bool(self.tally or rows.traces or self.late or rows.done or self.documents or self.objects)

    def add_known(self, trace_ids: Sequence[bytes], found: dict[bytes, RecordedKeys]) -> None:
        """Add what this transaction makes known of traces to what is known without it."""
        for trace_id in self.rows.keys() & trace_ids:
            row = self.rows[trace_id]
            found[trace_id] = RecordedKeys(row.spans, ignored=not row.document)
        for trace_id in self.late.keys() & found.keys():
            found[trace_id].keys.update(split(self.late[trace_id]))

    def seal(self) -> None:
        """Lay all that was gathered into the transaction."""
        self.transaction.late = list(self.late.items())
        self.transaction.documents = [(key, value, marks(value)) for key, value in self.documents.items()]
        self.transaction.objects = [(*name, at, value) for name, (at, value) in self.objects.items()]


class _Large:
    """The keys of the traces with many parts that were looked up last: to read them for each part anew is quadratic."""

    _FROM, _MOST = 64, 100_000  # keys of one trace, from which on it is kept here, and of all that are

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, RecordedKeys] = OrderedDict()

    def of(self, trace_ids: Sequence[bytes]) -> dict[bytes, RecordedKeys]:
        """What is known of those of the traces that are kept here."""
        found = {trace_id: self._kept[trace_id] for trace_id in trace_ids if trace_id in self._kept}
        for trace_id in found:
            self._kept.move_to_end(trace_id)
        return found

    def put(self, found: Mapping[bytes, RecordedKeys]) -> None:
        """Keep those that are large, instead of those that were not asked for the longest."""
        self._kept |= {trace_id: known for trace_id, known in found.items() if len(known) >= self._FROM}
        while len(self._kept) > 1 and sum(map(len, self._kept.values())) > self._MOST:
            self._kept.popitem(last=False)

    def drop(self, trace_id: bytes) -> None:
        """Keep nothing of a trace."""
        self._kept.pop(trace_id, None)

    def clear(self) -> None:
        """Keep nothing."""
        self._kept.clear()


class Recorder:
    """Gathers what is decided, one transaction on its way at a time. ``now`` is Unix seconds."""

    def __init__(self, store: Store, metrics: Metrics, writer: Writer, now: Callable[[], float] = time.time) -> None:
        self.seq = store.watermark
        """The last journal entry whose arrival was counted."""
        self.expire_after = 7 * 86_400.0
        self.aged = now
        """The time by which what is kept is old, in Unix seconds; see ``clock``."""
        self.limiter = Limiter({})
        self.redactor = Redactor()
        self._budget: Budget | None = None
        self._store = store
        self._metrics = metrics
        self._writer = writer
        self._gathering = Unrecorded(metrics.tally())
        self._committing: Unrecorded | None = None
        self._on_its_way: asyncio.Future[None] | None = None
        self._one_flush = asyncio.Lock()
        self.whole = asyncio.Event()
        """Set while no request is half taken; nothing is made durable until it is."""
        self.whole.set()
        self._large = _Large()

    @property
    def tally(self) -> Tally:
        """What the next transaction adds to the metrics."""
        return self._gathering.tally

    @property
    def transaction(self) -> Transaction:
        """The rows of the next transaction."""
        return self._gathering.transaction

    @property
    def waiting(self) -> int:
        """Traces that are scored and not durable yet, in the next transaction and in the one on its way."""
        return sum(len(some.transaction.traces) for some in self._pending())

    @property
    def size(self) -> int:
        """Bytes of what the next transaction makes durable, roughly."""
        return self._gathering.size

    def afterwards(self, call: Callable[[], None]) -> None:
        """Call this once all that is gathered now is durable; never, if the process ends before."""
        self._gathering.afterwards.append(call)

    def redact(self, value: Any) -> Any:
        """Text, or lists and mappings with text in them, as it may be stored.

        Counts what is replaced, and what is withheld because the budget of ``redacting``, or else of this call, is
        spent.
        """
        found: Counter[str] = Counter()
        budget = self._budget or Budget()
        redacted = self.redactor.value(value, found, budget)
        self.tally.redacted(found)
        self.tally.texts_withheld(budget.withheld)
        budget.withheld.clear()
        return redacted

    @contextmanager
    def redacting(self, budget: Budget | None = None) -> Iterator[None]:
        """Have all texts of one trace or request share a budget; within another, without one given, share that."""
        before = self._budget
        self._budget = budget or before or Budget()
        try:
            yield
        finally:
            self._budget = before

    # Traces.

    def trace(self, row: Recorded) -> None:
        """Record one trace."""
        gathering, trace_id = self._gathering, row.trace_id
        gathering.transaction.traces.append(row)
        gathering.size += len(row.document) + len(row.spans)
        gathering.rows[trace_id] = row
        self._large.drop(trace_id)
        for changed in (gathering.late, gathering.documents):
            changed.pop(trace_id, None)

    def without_row(self, trace_id: bytes) -> None:
        """Do not record a trace after all, but for what was counted of it."""
        rows = self._gathering
        rows.rows.pop(trace_id, None)
        rows.transaction.traces = [row for row in rows.transaction.traces if row.trace_id != trace_id]

    def late(self, trace_id: bytes, keys: Sequence[bytes]) -> None:
        """Add the keys of late parts to a recorded trace."""
        known = self.keys([trace_id]).get(trace_id, RecordedKeys())
        new = [key for key in dict.fromkeys(keys) if key not in known]
        known.keys.update(new)
        self._gathering.late[trace_id] += b"".join(new)

    def keys(self, trace_ids: Sequence[bytes]) -> Mapping[bytes, RecordedKeys]:
        """What is known of the parts of traces that are closed."""
        large = self._large.of(trace_ids)
        others = [trace_id for trace_id in trace_ids if trace_id not in large] if large else trace_ids
        stored = self._store.known(others)
        found = {trace_id: RecordedKeys(keys, ignored=bare) for trace_id, (keys, bare) in stored.items()}
        for unrecorded in reversed(list(self._pending())):
            unrecorded.add_known(others, found)
        self._large.put(found)
        return found | large

    def pruned(self) -> None:
        """Recorded traces were deleted, and with them the keys of their parts."""
        self._large.clear()

    def document(self, trace_id: bytes) -> bytes | None:
        """The document of a recorded trace; None where there is none. Raises StoreError."""
        for unrecorded in self._pending():
            if trace_id in unrecorded.documents:
                return _known(unrecorded.documents[trace_id])
            if trace_id in unrecorded.rows:
                return _known(unrecorded.rows[trace_id].document)
        return _known(self._store.document(trace_id))

    def rewrite(self, trace_id: bytes, document: bytes) -> None:
        """Replace the document of a recorded trace."""
        self._gathering.documents[trace_id] = document
        self._gathering.size += len(document)

    def forget(self, trace_id: bytes) -> bool:
        """Delete a trace's document and what it is found by; says whether it had one. Raises StoreError.

        Its parts stay known: one that is sent again is a late one.
        """
        if self.document(trace_id) is None:
            return False
        self._gathering.documents[trace_id] = FORGOTTEN
        self._gathering.transaction.forgotten.append(trace_id)
        if (row := self._gathering.rows.get(trace_id)) is not None:
            traces = self._gathering.transaction.traces
            at = next(at for at, one in enumerate(traces) if one is row)
            traces[at] = replace(row, **_FORGOTTEN)
            self._gathering.rows[trace_id] = traces[at]
        return True

    def of_user(self, user: str) -> list[bytes]:
        """The ids of all recorded traces of a user; raises StoreError."""
        names = stored_names(user)
        found = dict.fromkeys(one.trace_id for name in names for one in self._store.located("user", name))
        for unrecorded in self._pending():
            rows = unrecorded.transaction
            found |= dict.fromkeys(row.trace_id for row in rows.traces if row.user in names)
            found |= dict.fromkeys(trace_id for trace_id, _, asker in rows.askers if asker in names)
        return list(found)

    def recorded(self, after: tuple[float, int], before: float, most: int) -> list[tuple[bytes, float, int]]:
        """Durable traces as (trace id, when recorded, row), in this order, from a place on; raises StoreError."""
        return self._store.recorded(after, before, most)

    def locate(self, by: Reference, value: str | bytes) -> Located | None:
        """Where the trace of that id stands, the last one of a conversation or a user; raises StoreError."""
        names = (value,) if isinstance(value, bytes) else stored_names(value)
        return next((found for name in names if (found := self._located(by, name)) is not None), None)

    def _located(self, by: Reference, value: str | bytes) -> Located | None:
        for unrecorded in self._pending():
            row = _row(unrecorded, by, value)
            if row is not None and not self._is_forgotten(row.trace_id):
                return Located(row.trace_id, row.app, row.route, row.model_version, row.prompt_version)
        found = self._store.located(by, value)
        return found[-1] if found and not self._is_forgotten(found[-1].trace_id) else None

    def _is_forgotten(self, trace_id: bytes) -> bool:
        return any(unrecorded.documents.get(trace_id) == FORGOTTEN for unrecorded in self._pending())

    # Objects.

    def put(self, kind: Kind, key: bytes, value: bytes, *, at: float = 0.0) -> None:
        """Keep a value by kind and key, in the place of what is there; ``at`` orders the objects of a kind."""
        self._gathering.objects[kind, key] = (at, value)
        self._gathering.size += len(value)

    def drop(self, kind: Kind, key: bytes) -> None:
        """Keep it no longer."""
        self._gathering.objects[kind, key] = (0.0, None)

    def get(self, kind: Kind, key: bytes) -> bytes | None:
        """The value of that kind and key, None where there is none; raises StoreError."""
        for unrecorded in self._pending():
            if (kind, key) in unrecorded.objects:
                return unrecorded.objects[kind, key][1]
        return self._store.object(kind, key)

    def kept(self, kind: Kind) -> list[tuple[bytes, float, bytes]]:
        """All durable objects of a kind as (key, at, value), the earliest first; for a start. Raises StoreError."""
        return self._store.objects(kind)

    def oldest(self, kind: Kind, before: float, most: int) -> list[bytes]:
        """The keys of the earliest durable objects of a kind that are of a time before that; raises StoreError."""
        return self._store.old_objects(kind, before, most)

    # What becomes durable.

    async def flush(self) -> None:
        """Make all that was gathered durable, then show it.

        Raises StoreError, and then the same is tried again next time.
        """
        async with self._one_flush:
            if self._committing is None:
                while not self.whole.is_set():
                    await self.whole.wait()
                if not self._gathering and not self._metrics.births.due():
                    return
                self._committing, self._gathering = self._gathering, Unrecorded(self._metrics.tally())
                self._seal(self._committing)
            await self._commit(self._committing)

    async def _commit(self, unrecorded: Unrecorded) -> None:
        await self._written(unrecorded.transaction)
        self._metrics.apply(unrecorded.tally)
        self._committing = None
        self._forget(unrecorded.transaction.dropped_totals)
        for call in unrecorded.afterwards:
            call()

    async def _written(self, transaction: Transaction) -> None:
        """Wait until it is durable; a write whose waiter was cancelled goes on, and the next one waits for it."""
        if self._on_its_way is None:
            self._mark(transaction)
            self._on_its_way = asyncio.ensure_future(self._writer.record(transaction))
            self._on_its_way.add_done_callback(lambda _: self._store.in_work.committed())
        try:
            await asyncio.shield(self._on_its_way)
        finally:
            if self._on_its_way.done():
                self._on_its_way = None

    def _mark(self, transaction: Transaction) -> None:
        """Remember what is committed, should that end the process."""
        traces = [row.trace_id for row in transaction.traces]
        self._store.in_work.committing(traces + [key_of(seq) for seq in transaction.done])

    def rehearse(self, scratch: Store, keys: Sequence[bytes]) -> None:
        """Commit what was gathered, of these traces or entries, into another store, in a copy of this process."""
        unrecorded, self._gathering = self._gathering, Unrecorded(self._metrics.tally())
        self._seal(unrecorded)
        self._store.in_work.committing(keys)
        scratch.commit(unrecorded.transaction)
        self._store.in_work.committed()

    def _seal(self, unrecorded: Unrecorded) -> None:
        unrecorded.tally.labels_overflowed(self.limiter.take_overflow())
        unrecorded.seal()
        transaction = unrecorded.transaction
        transaction.watermark = self.seq
        transaction.totals = self._metrics.stage(unrecorded.tally)
        expired = self._metrics.expired(self.aged() - self.expire_after, keep=unrecorded.tally)
        transaction.dropped_totals = [*expired, *self._metrics.forgotten(keep=unrecorded.tally)]

    def _forget(self, dropped: Sequence[tuple[str, str]]) -> None:
        """What expired gives its labels' budgets back."""
        if dropped:
            self._metrics.drop(dropped)
            self.limiter.expire(self.aged() - self.expire_after)

    def _pending(self) -> Iterator[Unrecorded]:
        """What is not durable yet, the latest first."""
        yield self._gathering
        if self._committing is not None:
            yield self._committing


def _known(document: bytes | None) -> bytes | None:
    return None if not document or document == FORGOTTEN else document


def _row(unrecorded: Unrecorded, by: Reference, value: str | bytes) -> Recorded | None:
    if by == "trace":
        row = unrecorded.rows.get(value)  # type: ignore[arg-type]
        return row if row is not None and row.document else None
    field = _REFERENCES[by]
    return next((row for row in reversed(unrecorded.transaction.traces) if getattr(row, field) == value), None)
