"""The store on SQLite: recorded traces, records, totals, and the journal beside it. Knows no span or metric.

A file belongs to one process, and so to one replica.

Every commit is a few bulk SQL statements, for a reason: Python's sqlite3 releases the GIL at each step of a statement
and has to get it back from a busy event loop, up to 5 ms each time, so thousands of single-row statements take seconds.
Traces and records are therefore parameters of multi-row INSERTs, and all other rows those of one INSERT into a view,
whose triggers distribute them over the tables.

Threads: ``commit``, ``checkpoint``, ``probe`` and ``prune`` belong to one thread (the writer's); what ``reads`` does to
another; all other methods to the event loop's. Each has its own connection.
"""

import logging
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import chain
from pathlib import Path
from typing import Any, Self

from msgspec.structs import astuple

from ...records.requests import Entry
from ...records.traces import FORGOTTEN
from ..changes import Changes
from ..errors import StoreError
from ..in_work import InWork
from ..kinds import KINDS, Ids, Kind
from ..reads import ThreadedReads
from ..searching import Searching
from ..writer import ThreadedWriter
from . import statements as sql
from .answers import AnswersIndex
from .ballast import Ballast
from .database import Reading, Statement, Writing, naming_what_is_damaged, statements
from .errors import as_store_errors
from .files import FileClaim, beside, claim, locate
from .journal import SqliteJournal
from .rows import SqliteRows
from .seen_ids import SeenIds

_BATCH = 1024
"""Traces that are deleted at a time."""
_FEW, _BATCHES_AT_ONCE = 256, 64
"""The same on a full disk, where there is little room to do it in; and how often, before others get their turn."""
_LARGE = 4
"""A store of more than one part in so many of its disk is large."""
_LEAST_BYTES, _MOST_BYTES = 256 << 10, 256 << 20

_log = logging.getLogger(__name__)


def _rows(changes: Changes) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = [("late", *pair, *sql.PAIR) for pair in changes.late.items()]
    rows += [("document", trace_id, *document) for trace_id, document in changes.documents.items()]
    rows += [("asker", *asker) for asker in changes.askers]
    rows += [("forgotten", trace_id, FORGOTTEN, *sql.PAIR) for trace_id in changes.forgotten]
    rows += [("dropped_total", *pair, *sql.PAIR) for pair in changes.dropped_totals]
    rows += [("done", seq, None, *sql.PAIR) for seq in changes.done]
    rows += [("meta", "watermark", changes.watermark, *sql.PAIR)] if changes.watermark else []
    rows += [("meta", "spent_seq", max(changes.done), *sql.PAIR)] if changes.done else []
    return rows


def _records(changes: Changes) -> Iterator[Statement]:
    """What puts and drops records, a few statements for each kind."""
    put: defaultdict[Kind[Any, Any], list[tuple[Any, ...]]] = defaultdict(list)
    dropped: defaultdict[Kind[Any, Any], list[tuple[Any, ...]]] = defaultdict(list)
    for (kind, key), (at, encoded) in changes.records.items():
        if encoded is None:
            dropped[kind].append(key)
        else:
            put[kind].append((*key, at, encoded, kind.version))
    for kind, rows in put.items():
        yield from statements(sql.put_records(kind), rows)
    for kind, keys in dropped.items():
        yield from statements(sql.drop_records(kind), keys)


def _ids(changes: Changes) -> Iterator[Statement]:
    put: defaultdict[Ids, list[tuple[bytes, float]]] = defaultdict(list)
    dropped: defaultdict[Ids, list[tuple[bytes]]] = defaultdict(list)
    for (ids, key), at in changes.ids.items():
        if at is None:
            dropped[ids].append((key,))
        else:
            put[ids].append((key, at))
    for ids, rows in put.items():
        yield from statements(sql.put_ids(ids), rows)
    for ids, keys in dropped.items():
        yield from statements(sql.drop_ids(ids), keys)
    for ids, before, most in changes.old_ids:
        yield sql.drop_old_ids(ids), (before, most)


class SqliteStore:
    """One open SQLite store. ``path`` is its file, which this process has ``claimed``."""

    replica = "main"
    """A file is moved and copied, and stays that of one process; so the host's name would not do."""

    def __init__(self, path: Path, claimed: FileClaim, now: Callable[[], float], ballast: int) -> None:
        self.path = path
        self._claim = claimed
        self._now = now
        self.disk_bytes = shutil.disk_usage(path.parent).total
        self.ballast = Ballast(path, ballast)
        self.most_bytes = max(_LEAST_BYTES, (self.ballast.size or _MOST_BYTES) // 2)
        """Of one transaction, about; half as much of a WAL before it is copied, and a quarter of one group of requests.

        Together it is less than the ballast, which must have room for what a checkpoint adds to a file.
        """
        with ExitStack() as opened:
            with naming_what_is_damaged(path):
                self._writing = opened.enter_context(closing(Writing(path, sql.STORE, most_wal=self.most_bytes // 2)))
                self._reading = opened.enter_context(closing(Reading(path)))
                self._learn_formats()
                self._sieve = SeenIds(trace_id for (trace_id,) in self._reading.rows(sql.TRACE_IDS))
                last_seq = self._reading.rows(sql.LAST_SEQ)[0][0]
                done = [seq for (seq,) in self._reading.rows(sql.DONE)]
            with naming_what_is_damaged(beside(path)):
                journal = SqliteJournal(beside(path), last_seq=last_seq, done=done, most_wal=self.most_bytes // 2)
                self.journal = opened.enter_context(closing(journal))
            with as_store_errors(f"store {path}"):
                self.in_work = InWork.beside(path)
            self.rows = SqliteRows(self._reading, self._sieve)
            other = Reading(path)
            self.reads = ThreadedReads(SqliteRows(other, self._sieve), other.close)
            opened.pop_all()

    @classmethod
    def open(cls, url: str, now: Callable[[], float] = time.time, *, ballast: int = 0) -> Self:
        """Open or create the store that ``url`` names, for this process alone; raises StoreError with the cure.

        ``ballast`` is how many bytes of the disk it keeps for when that is full.
        """
        path = locate(url)
        claimed = claim(path)
        try:
            return cls(path, claimed, now, ballast)
        except StoreError:
            claimed.close()
            raise

    def close(self) -> None:
        """Close the store; what was committed stays, and its files are whole without a WAL."""
        self.in_work.close()
        self.reads.close()
        self.ballast.give_up()  # the files need it no more without their WALs, which go now, and may need it
        self.journal.close()
        self._reading.close()
        self._writing.close()
        self._claim.close()

    def writer(
        self,
        on_durable: Callable[[int, Entry, Any], None],
        *,
        on_commit: Callable[[float], None],
        on_error: Callable[[str], None],
    ) -> ThreadedWriter:
        """What writes this store, see ``port.Store``; one at a time."""
        return ThreadedWriter(self, on_durable, on_commit=on_commit, on_error=on_error)

    def answers(self) -> Searching:
        """What searches recorded answers, in a thread and a connection of its own."""
        return Searching(AnswersIndex(self.path))

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """What an earlier run left in the journal, in the order of acceptance; raises StoreError."""
        return self.journal.entries()

    def resize_ballast(self, size: int) -> None:
        """Hold so many bytes of the disk for when it is full."""
        self.ballast.resize(size)

    def _learn_formats(self) -> None:
        """Refuse what only a newer llmq can read, and note for older ones what this one writes."""
        stored = dict(self._reading.rows(sql.FORMATS))
        newer = [name for name, version in stored.items() if name not in KINDS or KINDS[name].version < version]
        if newer:
            raise StoreError(
                "newer",
                f'store {self.path} was written by a newer llmq (it holds "{newer[0]}" of version '
                f"{stored[newer[0]]}): upgrade llmq, or name another store",
            )
        new = [(sql.LEARN_FORMAT, (kind.name, kind.version)) for kind in KINDS.values() if kind.name not in stored]
        new += [
            (sql.LEARN_FORMAT, (name, KINDS[name].version))
            for name, version in stored.items()
            if KINDS[name].version > version
        ]
        if new:
            self._writing.commit(new, 1)

    # The writer's side.

    def commit(self, changes: Changes) -> None:
        """Make changes durable, all or nothing; raises StoreError. The same may be committed again."""
        traces, rows = [astuple(one) for one in changes.traces], _rows(changes)
        rows.append(("settled", self.journal.oldest, None, *sql.PAIR))
        if self._sieve.is_full:
            with self._writing.connection() as connection:
                self._sieve.next_generation(connection.execute(sql.LAST_ID).fetchone()[0])
        # Before they are there: it may hold too many, never too few.
        self._sieve.add([trace.trace_id for trace in changes.traces])
        work = chain(
            statements(sql.TRACES, traces),
            statements(sql.COMMIT, rows),
            _records(changes),
            _ids(changes),
            statements(sql.ADD_TOTALS, changes.totals),
        )
        large = sum(len(trace.document) for trace in changes.traces) // sql.STORE.page
        small = len(rows) + len(changes.records) + len(changes.ids) + len(changes.totals)
        self._writing.commit(list(work), 8 + len(traces) + large + small)

    def verify(self) -> None:
        """Check that its files are those that were opened; raises StoreError."""
        self._writing.verify()

    def checkpoint(self) -> None:
        """Copy the WAL into the database when it has grown enough; readers are not disturbed. Raises StoreError."""
        self._writing.checkpoint()

    def relieve(self) -> None:
        """On a full disk: delete the ballast file, and empty the WAL; raises StoreError."""
        self.ballast.give_up()
        self._writing.relieve()

    def make_room(self) -> None:
        """Delete the oldest traces of a large store, until there is room for the ballast; raises StoreError."""
        deleted = 0
        for _ in range(_BATCHES_AT_ONCE):
            if self.ballast.has_room or not self._is_large():
                break
            pruned, free = self._give_back_some()
            deleted += pruned
            if not pruned and not free:
                break
        if deleted:
            _log.warning("deleted the oldest traces, because the disk is full: traces=%d", deleted)

    def keep_ballast(self) -> bool:
        """Write the ballast file, freeing space for it; returns whether it is there. Raises StoreError."""
        if self.ballast.lay():
            return True
        self.make_room()
        return self.ballast.lay()

    def _is_large(self) -> bool:
        """Whether the store takes a large part of the disk; if not, something else fills it."""
        return _LARGE * self.path.stat().st_size > self.disk_bytes

    def _give_back_some(self) -> tuple[int, int]:
        """Delete some of the oldest traces, and give free pages to the file system; returns how many of each."""
        with self._writing.connection() as connection:
            pruned = connection.execute(sql.PRUNE_OLDEST, (_FEW,)).rowcount
            (free,) = connection.execute("PRAGMA freelist_count").fetchone()
            connection.executescript(sql.SHRINK)
            self._writing.truncate_wal(connection)
        return pruned, free

    def probe(self) -> None:
        """Check whether anything can be written; raises StoreError."""
        self._writing.probe()

    def prune(self, older_than: float | None, max_bytes: int | None, batch: int = _BATCH) -> int:
        """Delete up to ``batch`` recorded traces, oldest first, and return how many; 0 means that nothing is due.

        Due is what was recorded more than ``older_than`` seconds ago, and anything while the store holds more than
        ``max_bytes``. Freed pages are used again; what is free beyond a quarter of the file goes
        back to the file system. Raises StoreError.
        """
        pruned = 0
        with self._writing.connection() as connection:
            pages, free, page, first_id, oldest = connection.execute(sql.DUE, (batch,)).fetchone()
            used = (pages - free) * page
            if oldest is not None and older_than is not None and oldest < self._now() - older_than:
                pruned = connection.execute(sql.PRUNE_OLD, (batch, self._now() - older_than)).rowcount
            elif oldest is not None and max_bytes is not None and used > max_bytes:
                pruned = connection.execute(sql.PRUNE_OLDEST, (batch,)).rowcount
            if free > max(pages // 4, sql.STORE.wal_pages):
                # In one go: execute() gives a row, and the GIL away, for each page.
                connection.executescript(sql.SHRINK)
        self._sieve.forget(first_id)
        self._writing.wrote(2 * pruned)
        return pruned

    # The event loop's side.

    @property
    def ballast_bytes(self) -> int:
        """Bytes of the disk that are held for when it is full."""
        return self.ballast.held

    def size_bytes(self) -> int:
        """Bytes in use of its files: without free pages, without the WAL; raises StoreError."""
        pages, free, size = self._reading.rows(sql.PAGES)[0]
        return int((pages - free) * size) + self.journal.size_bytes()
