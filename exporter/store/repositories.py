"""Repositories: typed reads and writes of each kind of record, over the database and pending writes. Knows no database.

Writes are buffered in ``Changes`` without an await: a unit of work is one transaction, written at its end in a few bulk
statements. Reads are awaited, and see the buffered writes.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Generic

from ..judge.agreement import Confusion
from ..records.judge import Judge, LiveTraffic
from ..records.traces import FORGOTTEN, KnownParts, Located, Place, Recorded, Reference
from . import kinds
from .changes import Changes
from .kinds import Ids, K, Kind, R

if TYPE_CHECKING:
    from .port import Reads

Pending = Callable[[], Sequence[Changes]]
"""What is not durable yet, the latest first; into the first of them is written."""

_FOUND_BY = {"response": "response_id", "conversation": "conversation_id", "user": "user"}


class Records(Generic[K, R]):
    """All records of one kind, by their keys. Reading raises StoreError."""

    def __init__(self, kind: Kind[K, R], reads: "Reads", pending: Pending) -> None:
        self._kind = kind
        self._reads = reads
        self._pending = pending

    async def get(self, key: K) -> R | None:
        """One record; None where there is none."""
        columns = self._kind.columns(key)
        for changes in self._pending():
            if (self._kind, columns) in changes.records:
                _, encoded = changes.records[self._kind, columns]
                return None if encoded is None else self._kind.decode(encoded, self._kind.version)
        row = await self._reads.record(self._kind, columns)
        return None if row is None else self._kind.decode(*row)

    async def all(self) -> list[tuple[K, R]]:
        """Every record with its key, in the order of their times."""
        kind = self._kind
        pending = reversed(list(self._pending()))
        rows = {key: (at, record, version) for key, at, record, version in await self._reads.records(kind)}
        for changes in pending:
            for (other, key), (at, encoded) in changes.records.items():
                if other is kind and encoded is None:
                    rows.pop(key, None)
                elif other is kind and encoded is not None:
                    rows[key] = (at, encoded, kind.version)
        ordered = sorted(rows.items(), key=lambda row: (row[1][0], row[0]))
        return [(kind.key_of(key), kind.decode(record, version)) for key, (_, record, version) in ordered]

    def put(self, key: K, record: R, *, at: float = 0.0) -> None:
        """Keep a record in the place of what is there; ``at`` (Unix seconds) orders the records of a kind."""
        self._pending()[0].put(self._kind, self._kind.columns(key), self._kind.encode(record), at)

    def drop(self, key: K) -> None:
        """Keep a record no longer."""
        self._pending()[0].drop(self._kind, self._kind.columns(key))


class DatedIds:
    """Deduplication ids with the time they were met. Reading raises StoreError."""

    def __init__(self, ids: Ids, reads: "Reads", pending: Pending) -> None:
        self._ids = ids
        self._reads = reads
        self._pending = pending

    async def among(self, keys: Collection[bytes]) -> set[bytes]:
        """Those of the keys that are there."""
        pending = reversed(list(self._pending()))
        found = await self._reads.ids_among(self._ids, keys) if keys else set()
        for changes in pending:
            for key in keys:
                if (self._ids, key) in changes.ids:
                    (found.discard if changes.ids[self._ids, key] is None else found.add)(key)
        return found

    async def all(self) -> dict[bytes, float]:
        """Every id with its time, the earliest first."""
        pending = reversed(list(self._pending()))
        found = dict(await self._reads.ids(self._ids))
        for changes in pending:
            for (ids, key), at in changes.ids.items():
                if ids is self._ids:
                    found.pop(key, None)
                    found |= {} if at is None else {key: at}
        return dict(sorted(found.items(), key=lambda one: (one[1], one[0])))

    def put(self, key: bytes, *, at: float) -> None:
        """Keep an id, met at that time (Unix seconds)."""
        self._pending()[0].ids[self._ids, key] = at

    def drop(self, key: bytes) -> None:
        """Take an id away."""
        self._pending()[0].ids[self._ids, key] = None

    def drop_older(self, before: float, most: int) -> None:
        """Delete the earliest ids that are older than that, up to a limit."""
        self._pending()[0].old_ids.append((self._ids, before, most))


class Traces:
    """Recorded traces. Reading raises StoreError."""

    def __init__(self, reads: "Reads", pending: Pending) -> None:
        self._reads = reads
        self._pending = pending

    async def document(self, trace_id: bytes) -> bytes | None:
        """The document of a trace; None where there is none, or no more."""
        for changes in self._pending():
            if (document := changes.document(trace_id)) is not None:
                return _kept(document)
        return _kept(await self._reads.document(trace_id))

    async def known(self, trace_ids: Sequence[bytes]) -> dict[bytes, KnownParts]:
        """What is known of the parts of those of the traces that are recorded."""
        pending = reversed(list(self._pending()))
        found = await self._reads.known(trace_ids)
        for changes in pending:
            changes.add_known(trace_ids, found)
        return found

    async def find(self, by: Reference, value: str | bytes) -> Located | None:
        """The trace of that id, the last one of a conversation or of a user."""
        pending = list(self._pending())
        for changes in pending:
            row = new_row(changes, by, value)
            if row is not None and not _is_forgotten(pending, row.trace_id):
                return Located(row.trace_id, row.app, row.route, row.model_version, row.prompt_version)
        found = await self._reads.located(by, value)
        return found[-1] if found and not _is_forgotten(pending, found[-1].trace_id) else None

    async def of_user(self, names: Collection[str]) -> list[bytes]:
        """The ids of all traces of a user, by the names that they may be stored under."""
        pending = list(self._pending())
        found: dict[bytes, None] = {}
        for name in names:
            found |= dict.fromkeys(one.trace_id for one in await self._reads.located("user", name))
        for changes in pending:
            found |= dict.fromkeys(row.trace_id for row in changes.traces if row.user in names)
            found |= dict.fromkeys(trace_id for trace_id, _, user in changes.askers if user in names)
        return list(found)

    async def recorded(self, after: Place, before: float, most: int) -> list[tuple[bytes, Place]]:
        """Durable traces in the order of recording, after a place and recorded before a time, up to a limit."""
        return await self._reads.recorded(after, before, most)

    def add(self, row: Recorded) -> None:
        """Record a trace, in the place of what is recorded under its id."""
        self._pending()[0].add_trace(row)

    def add_parts(self, trace_id: bytes, keys: Iterable[bytes]) -> None:
        """Add the keys of parts to a recorded trace, which does not have them."""
        self._pending()[0].add_parts(trace_id, b"".join(keys))

    def take_back(self, trace_id: bytes) -> None:
        """Undo ``add``: do not record this trace."""
        self._pending()[0].take_back(trace_id)

    def rewrite(self, trace_id: bytes, document: bytes, marks: str) -> None:
        """Replace the document of a recorded trace, and what it is searched by."""
        self._pending()[0].rewrite(trace_id, document, marks)

    def set_asker(self, trace_id: bytes, conversation_id: str | None, user: str | None) -> None:
        """Have a trace found by its conversation and its user."""
        self._pending()[0].askers.append((trace_id, conversation_id, user))

    def forget(self, trace_id: bytes) -> None:
        """Delete a trace's document and what it is found by; its parts stay known."""
        self._pending()[0].forget(trace_id)


class Totals:
    """The totals of this replica, absolute: (family, labels, value)."""

    def __init__(self, pending: Pending) -> None:
        self._pending = pending

    def put(self, rows: Iterable[tuple[str, str, str]]) -> None:
        """Write totals in the place of what they were."""
        self._pending()[0].totals += rows

    def drop(self, keys: Iterable[tuple[str, str]]) -> None:
        """Delete totals by family and labels, before any are written."""
        self._pending()[0].dropped_totals += keys


class JournalProgress:
    """Which entries of this replica's journal were processed."""

    def __init__(self, pending: Pending) -> None:
        self._pending = pending

    def done(self, seqs: Iterable[int]) -> None:
        """Remove these entries: they were processed."""
        self._pending()[0].done += seqs

    def counted(self, seq: int) -> None:
        """The totals count all entries up to this one as received."""
        changes = self._pending()[0]
        changes.watermark = max(changes.watermark, seq)


class Repositories:
    """One repository for each kind of thing."""

    def __init__(self, reads: "Reads", pending: Pending) -> None:
        def records(kind: Kind[K, R]) -> Records[K, R]:
            return Records(kind, reads, pending)

        def ids(of: Ids) -> DatedIds:
            return DatedIds(of, reads, pending)

        self.traces = Traces(reads, pending)
        self.totals = Totals(pending)
        self.journal = JournalProgress(pending)
        self.feedback_ids = ids(kinds.FEEDBACK_ID)
        self.early_feedback = records(kinds.EARLY_FEEDBACK)
        self.conversations = records(kinds.CONVERSATION)
        self.judge_jobs = records(kinds.JUDGE_JOB)
        self.judge_samplers = records(kinds.JUDGE_SAMPLER)
        self.judge_standings = records(kinds.JUDGE_STANDING)
        self.judge_anchors = records(kinds.JUDGE_ANCHOR)
        self.judge_drips = records(kinds.JUDGE_DRIP)
        self.judge_reviews: Records[Judge, Confusion] = records(kinds.JUDGE_REVIEW)
        self.judge_traffic: Records[Judge, LiveTraffic] = records(kinds.JUDGE_TRAFFIC)
        self.review_items = records(kinds.REVIEW_ITEM)
        self.review_evidence = records(kinds.REVIEW_EVIDENCE)
        self.suite_results = records(kinds.OFFLINE_RESULT)
        self.suite_questions = records(kinds.OFFLINE_SUITE)
        self.suite_gaps = records(kinds.OFFLINE_GAP)
        self.compared_failures = ids(kinds.OFFLINE_FAILURE)
        self.tombstones = ids(kinds.TOMBSTONE)
        self.erasures = records(kinds.ERASURE)
        self.clocks = records(kinds.CLOCK)
        self.content_retention = records(kinds.CONTENT_RETENTION)


def new_row(changes: Changes, by: Reference, value: str | bytes) -> Recorded | None:
    """The last trace of that id among the new ones that have a document."""
    if by == "trace":
        row = changes.row(value) if isinstance(value, bytes) else None
        return row if row is not None and row.document else None
    field = _FOUND_BY[by]
    return next((row for row in reversed(changes.traces) if getattr(row, field) == value), None)


def _kept(document: bytes | None) -> bytes | None:
    return None if not document or document == FORGOTTEN else document


def _is_forgotten(pending: Iterable[Changes], trace_id: bytes) -> bool:
    return any(changes.forgets(trace_id) for changes in pending)
