"""Buffers writes until the next commit; reads see buffered data first. Knows no span, no evaluator and no HTTP.

Every decision is written to a repository of the ``Recorder``, and its counter increments to the ``Recorder``'s tally.
All of it becomes durable in one transaction; only then /metrics shows it. What a crash undoes was never shown, so no
counter goes back.
"""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from ..ingest.late_spans import RecordedKeys
from ..metrics.events import Tally
from ..metrics.labels import Limiter
from ..metrics.registry import Metrics
from ..records.traces import FORGOTTEN, Located, Recorded, Reference
from ..redaction import Budget, Redactor
from ..store.changes import Changes
from ..store.errors import StoreError
from ..store.in_work import key_of
from ..store.kinds import Ids, K, Kind, R
from ..store.port import Store, Writer
from ..store.repositories import Repositories, new_row
from .identifiers import stored_names
from .trace_document import marks

_MOST_PAUSE: Final = 0.02
"""Seconds from one transaction to the next that requests wait for, at most."""


class Unrecorded:
    """The content of one transaction: writes, counter increments, and the callers that wait for it."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.changes = Changes()
        self.afterwards: list[Callable[[], None]] = []

    def __bool__(self) -> bool:
        return bool(self.tally or self.changes)


class _Large:
    """Cache of the keys of recently read traces with many spans: reading them again for each span is quadratic."""

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


class Recorder(Repositories):
    """Gathers writes for the next commit; one transaction runs at a time. ``now`` is Unix seconds."""

    def __init__(self, store: Store, metrics: Metrics, writer: Writer, now: Callable[[], float] = time.time) -> None:
        super().__init__(store.reads, self._pending)
        self.replica = store.replica
        self.seq = store.rows.watermark()
        """The last journal entry whose arrival was counted."""
        self.expire_after = 7 * 86_400.0
        self.aged = now
        """The time by which what is kept is old, in Unix seconds; see ``clock``."""
        self.limiter = Limiter({})
        self.redactor = Redactor()
        self._budget: Budget | None = None
        self._redacted = Counter[str]()
        """What was replaced in the text that was redacted last, by kind."""
        self._store, self._rows = store, store.rows
        self._metrics = metrics
        self._writer = writer
        self._gathering = Unrecorded(metrics.tally())
        self._committing: Unrecorded | None = None
        self._on_its_way: asyncio.Future[None] | None = None
        self._one_flush = asyncio.Lock()
        self._next_at = 0.0
        self.whole = asyncio.Event()
        """Set while no request is half taken; nothing is made durable until it is."""
        self.whole.set()
        self._large = _Large()

    @property
    def tally(self) -> Tally:
        """Counter increments of the next transaction."""
        return self._gathering.tally

    @property
    def changes(self) -> Changes:
        """Writes of the next transaction."""
        return self._gathering.changes

    @property
    def waiting(self) -> int:
        """Traces that are scored and not durable yet, in the next transaction and in the one on its way."""
        return sum(len(changes.traces) for changes in self._pending())

    @property
    def size(self) -> int:
        """Approximate bytes of the next transaction."""
        return self.changes.size

    def afterwards(self, call: Callable[[], None]) -> None:
        """Call this once all pending writes are durable; never, if the process ends before."""
        self._gathering.afterwards.append(call)

    def redact(self, value: Any) -> Any:
        """Text, or lists and mappings with text in them, as it may be stored.

        Counts what is replaced, and what is withheld because the budget of ``redacting``, or else of this call, is
        spent.
        """
        budget, found = self._budget or Budget(), self._redacted
        found.clear()
        redacted = self.redactor.value(value, found, budget)
        if found:
            self.tally.redacted(found)
        if budget.withheld:
            self.tally.texts_withheld(budget.withheld)
            budget.withheld.clear()
        return redacted

    @contextmanager
    def redacting(self, budget: Budget | None = None) -> Iterator[None]:
        """Have all texts of one trace or request share a budget; within another, without one given, share that."""
        before = self._budget
        self.share(budget or before or Budget())
        try:
            yield
        finally:
            self._budget = before

    def share(self, budget: Budget | None) -> None:
        """Have all texts share this budget from now on; None: each call has its own. Cheaper than a ``with`` block."""
        self._budget = budget

    # Traces.

    def trace(self, row: Recorded) -> None:
        """Record one trace."""
        self.changes.add_trace(row)
        self._large.drop(row.trace_id)

    def late(self, trace_id: bytes, keys: Sequence[bytes]) -> None:
        """Add the keys of late parts to a recorded trace."""
        try:
            known = self.keys([trace_id]).get(trace_id, RecordedKeys())
        except StoreError:
            known = RecordedKeys()  # a key that is there twice says what it says once
        new = [key for key in dict.fromkeys(keys) if key not in known]
        known.keys.update(new)
        self.traces.add_parts(trace_id, new)

    def keys(self, trace_ids: Sequence[bytes]) -> Mapping[bytes, RecordedKeys]:
        """What is known of the parts of traces that are closed."""
        large = self._large.of(trace_ids)
        others = [trace_id for trace_id in trace_ids if trace_id not in large] if large else trace_ids
        parts = self._rows.known(others)
        for changes in reversed(self._pending()):
            changes.add_known(others, parts)
        found = {trace_id: RecordedKeys(known.spans, ignored=known.bare) for trace_id, known in parts.items()}
        self._large.put(found)
        return found | large

    def pruned(self) -> None:
        """Recorded traces were deleted, and with them the keys of their parts."""
        self._large.clear()

    def document(self, trace_id: bytes) -> bytes | None:
        """The document of a recorded trace; None where there is none. Raises StoreError."""
        for changes in self._pending():
            if (document := changes.document(trace_id)) is not None:
                return _known(document)
        return _known(self._rows.document(trace_id))

    def rewrite(self, trace_id: bytes, document: bytes) -> None:
        """Replace the document of a recorded trace."""
        self.traces.rewrite(trace_id, document, marks(document))

    def forget(self, trace_id: bytes) -> bool:
        """Delete a trace's document and what it is found by; returns whether it had one. Raises StoreError.

        Its parts stay known: one that is sent again is a late one.
        """
        if self.document(trace_id) is None:
            return False
        self.changes.forget(trace_id)
        return True

    def of_user(self, user: str) -> list[bytes]:
        """The ids of all recorded traces of a user; raises StoreError."""
        names = stored_names(user)
        found = dict.fromkeys(one.trace_id for name in names for one in self._rows.located("user", name))
        for changes in self._pending():
            found |= dict.fromkeys(row.trace_id for row in changes.traces if row.user in names)
            found |= dict.fromkeys(trace_id for trace_id, _, asker in changes.askers if asker in names)
        return list(found)

    def locate(self, by: Reference, value: str | bytes) -> Located | None:
        """Where the trace of that id stands, the last one of a conversation or a user; raises StoreError."""
        names = (value,) if isinstance(value, bytes) else stored_names(value)
        return next((found for name in names if (found := self._located(by, name)) is not None), None)

    def _located(self, by: Reference, value: str | bytes) -> Located | None:
        for changes in self._pending():
            row = new_row(changes, by, value)
            if row is not None and not self._is_forgotten(row.trace_id):
                return Located(row.trace_id, row.app, row.route, row.model_version, row.prompt_version)
        found = self._rows.located(by, value)
        return found[-1] if found and not self._is_forgotten(found[-1].trace_id) else None

    def _is_forgotten(self, trace_id: bytes) -> bool:
        return any(changes.forgets(trace_id) for changes in self._pending())

    # For steps that do not let others have their turn between what they read and what they decide.

    def get(self, kind: Kind[K, R], key: K) -> R | None:
        """One record; None where there is none. Raises StoreError."""
        columns = kind.columns(key)
        for changes in self._pending():
            if (kind, columns) in changes.records:
                _, encoded = changes.records[kind, columns]
                return None if encoded is None else kind.decode(encoded, kind.version)
        row = self._rows.record(kind, columns)
        return None if row is None else kind.decode(*row)

    def has_id(self, ids: Ids, key: bytes) -> bool:
        """Whether an id is there. Raises StoreError."""
        for changes in self._pending():
            if (ids, key) in changes.ids:
                return changes.ids[ids, key] is not None
        return bool(self._rows.ids_among(ids, [key]))

    # What becomes durable.

    async def durable(self) -> None:
        """Return when all that is gathered now is durable; raises StoreError.

        After a transaction requests wait for as long as it took, within bounds, so that those who come meanwhile share
        the next one: each writes a total of every series that changed.
        """
        gathered = self._gathering
        if not gathered:
            return
        await asyncio.sleep(self._next_at - asyncio.get_running_loop().time())
        while gathered is self._gathering or gathered is self._committing:
            await self.flush()

    async def flush(self) -> None:
        """Commit all pending writes, then publish their metrics.

        Raises StoreError, and then the next call commits the same.
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
        started = asyncio.get_running_loop().time()
        await self._written(unrecorded.changes)
        self._metrics.apply(unrecorded.tally)
        self._committing = None
        ended = asyncio.get_running_loop().time()
        self._next_at = ended + min(_MOST_PAUSE, ended - started)
        self._forget(unrecorded.changes.dropped_totals)
        for call in unrecorded.afterwards:
            call()

    async def _written(self, changes: Changes) -> None:
        """Wait until it is durable; a write whose waiter was cancelled goes on, and the next one waits for it."""
        if self._on_its_way is None:
            self._mark(changes)
            self._on_its_way = asyncio.ensure_future(self._writer.commit(changes))
            self._on_its_way.add_done_callback(lambda _: self._store.in_work.committed())
        try:
            await asyncio.shield(self._on_its_way)
        finally:
            if self._on_its_way.done():
                self._on_its_way = None

    def _mark(self, changes: Changes) -> None:
        """Remember what is committed, should that end the process."""
        traces = [row.trace_id for row in changes.traces]
        self._store.in_work.committing(traces + [key_of(seq) for seq in changes.done])

    def rehearse(self, scratch: Store, keys: Sequence[bytes]) -> None:
        """Commit what was gathered, of these traces or entries, into another store, in a copy of this process."""
        unrecorded, self._gathering = self._gathering, Unrecorded(self._metrics.tally())
        self._seal(unrecorded)
        self._store.in_work.committing(keys)
        scratch.commit(unrecorded.changes)
        self._store.in_work.committed()

    def _seal(self, unrecorded: Unrecorded) -> None:
        unrecorded.tally.labels_overflowed(self.limiter.take_overflow())
        changes = unrecorded.changes
        changes.watermark = self.seq
        changes.totals = self._metrics.stage(unrecorded.tally)
        expired = self._metrics.expired(self.aged() - self.expire_after, keep=unrecorded.tally)
        changes.dropped_totals = [*expired, *self._metrics.forgotten(keep=unrecorded.tally)]

    def _forget(self, dropped: Sequence[tuple[str, str]]) -> None:
        """What expired gives its labels' budgets back."""
        if dropped:
            self._metrics.drop(dropped)
            self.limiter.expire(self.aged() - self.expire_after)

    def _pending(self) -> tuple[Changes, ...]:
        """Transactions that are not durable yet, the latest first."""
        if self._committing is None:
            return (self._gathering.changes,)
        return self._gathering.changes, self._committing.changes


def _known(document: bytes | None) -> bytes | None:
    return None if not document or document == FORGOTTEN else document
