"""The durable store on SQLite: journal, recorded traces, objects, totals. Knows no span or metric.

Objects are values by kind and key, each with a time to order it by; whoever keeps some knows what they mean.

Every commit is few SQL statements, and there is a reason. Python's sqlite3 gives the GIL up at each step of a statement
and has to win it back from an event loop that is busy: up to 5 ms each time, so thousands of rows one by one take
seconds. Traces therefore travel as parameters of one INSERT, and all other rows as those of one INSERT into a view,
whose triggers spread them over the tables. A second backend brings other statements, and keeps the methods.

Threads: ``commit``, ``checkpoint`` and ``prune`` belong to one thread (the writer's); all other methods to another (the
event loop's). Each side has its own connection.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, repeat
from pathlib import Path
from typing import Any, Self

from . import statements as sql
from .records import FORGOTTEN, Entry, Located, Recorded, Reference, StoreError, Transaction
from .sieve import Sieve
from .storefile import claim, locate

__all__ = ["Entry", "Recorded", "Store", "StoreError", "Transaction"]

_REASONS = {
    sqlite3.SQLITE_FULL: "disk_full",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_PERM: "read_only",
    sqlite3.SQLITE_IOERR: "io_error",
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_CORRUPT: "corrupt",
    sqlite3.SQLITE_NOTADB: "corrupt",
    sqlite3.SQLITE_CANTOPEN: "cannot_open",
}
_NEEDS_REOPENING = frozenset({"io_error", "corrupt", "cannot_open"})


def _rows(entries: Sequence[tuple[int, Entry]], transaction: Transaction) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = [
        ("entry", seq, e.received_at, e.signal, e.media_type, e.encoding, e.body) for seq, e in entries
    ]
    rows += [("late", *pair, *sql.PAIR) for pair in transaction.late]
    rows += [("document", *pair, *sql.PAIR) for pair in transaction.documents]
    rows += [("asker", *asker, *sql.PAIR[1:]) for asker in transaction.askers]
    rows += [("forgotten", trace_id, FORGOTTEN, *sql.PAIR) for trace_id in transaction.forgotten]
    rows += [
        ("dropped_object", kind, key, *sql.PAIR) if value is None else ("object", kind, key, at, value, *sql.PAIR[2:])
        for kind, key, at, value in transaction.objects
    ]
    rows += [("dropped_total", *pair, *sql.PAIR) for pair in transaction.dropped_totals]
    rows += [("done", seq, None, *sql.PAIR) for seq in transaction.done]
    rows += [("meta", "watermark", transaction.watermark, *sql.PAIR)] if transaction.watermark else []
    rows += [("meta", "spent_seq", max(transaction.done), *sql.PAIR)] if transaction.done else []
    return rows


def _trace(t: Recorded) -> tuple[Any, ...]:
    where = t.app, t.route, t.model_version, t.prompt_version
    return t.trace_id, t.recorded_at, *where, t.spans, t.document, t.response_id, t.conversation_id, t.user


def _totals(transaction: Transaction) -> Iterator[tuple[str, list[Any]]]:
    return _statements(sql.ADD_TOTALS, transaction.totals)


def _insert(connection: sqlite3.Connection, statements: Sequence[tuple[str, list[Any]]]) -> None:
    if len(statements) <= 1:
        for statement in statements:
            connection.execute(*statement)
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in statements:
            connection.execute(*statement)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls back when the disk is full
            connection.execute("ROLLBACK")
        raise


def _statements(by_size: Mapping[int, str], rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[str, list[Any]]]:
    for start in range(0, len(rows), sql.MAX_ROWS):
        some = rows[start : start + sql.MAX_ROWS]
        size = 1 << (len(some) - 1).bit_length()
        padding = repeat(None, (size - len(some)) * len(some[0]))
        yield by_size[size], [*chain.from_iterable(some), *padding]


@contextmanager
def _as_store_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        reason = "internal" if code is None else _REASONS.get(code & 0xFF, "internal")
        raise StoreError(reason, f"the store failed: {error}") from error


def _connect(path: Path, timeout: float) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False, cached_statements=32)


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse what llmq cannot use; give an empty database its tables."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application == sql.APPLICATION_ID and version > sql.SCHEMA_VERSION:
        raise StoreError(
            "newer",
            f"store {path} was written by a newer llmq (schema {version}, this one knows {sql.SCHEMA_VERSION}): "
            "upgrade llmq, or name another store",
        )
    if application == sql.APPLICATION_ID and version < sql.SCHEMA_VERSION:
        raise StoreError(
            "older",
            f"store {path} was written by an older llmq (schema {version}, this one needs {sql.SCHEMA_VERSION}): name "
            "another store, or go on with the older llmq",
        )
    if application == sql.APPLICATION_ID:
        return
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] or application or version:
        raise StoreError("foreign", f"store {path} is the database of another program: name another store")
    connection.executescript(sql.SCHEMA)


def _open_writing(path: Path) -> sqlite3.Connection:
    connection = _connect(path, timeout=5.0)
    try:
        _check_schema(connection, path)
        connection.executescript(sql.SETTINGS + sql.WORK)
    except BaseException:
        connection.close()
        raise
    return connection


def _open_reading(path: Path) -> sqlite3.Connection:
    connection = _connect(path, timeout=0.1)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cache_size = -8192")
    return connection


class Store:
    """One open SQLite store. ``path`` is its file."""

    def __init__(self, path: Path, lock: int, now: Callable[[], float]) -> None:
        self.path = path
        self._lock = lock
        self._now = now
        self._wal_pages = 0
        self._writing: sqlite3.Connection | None = _open_writing(path)
        self._reading: sqlite3.Connection | None = _open_reading(path)
        self.last_seq: int = self._writing.execute(sql.LAST_SEQ).fetchone()[0]
        self._sieve = Sieve(trace_id for (trace_id,) in self._writing.execute(sql.TRACE_IDS))

    @classmethod
    def open(cls, url: str, now: Callable[[], float] = time.time) -> Self:
        """Open or create the store that ``url`` names, for this process alone; raises StoreError and says the cure."""
        path = locate(url)
        lock = claim(path)
        try:
            with _as_store_errors():
                return cls(path, lock, now)
        except StoreError as error:
            os.close(lock)
            if error.reason == "corrupt":
                raise StoreError(
                    "corrupt", f"store {path} is not a database, or damaged: name another store"
                ) from error
            raise

    def close(self) -> None:
        """Close the store; what was committed stays, and the file is whole without its WAL."""
        for connection in (self._reading, self._writing):
            if connection is not None:
                connection.close()
        self._reading = self._writing = None
        os.close(self._lock)

    # The writer's side.

    def commit(self, entries: Sequence[tuple[int, Entry]], transaction: Transaction | None = None) -> None:
        """Make numbered entries and a transaction durable, all or nothing; raises StoreError.

        Numbers go up from ``last_seq`` + 1.
        """
        transaction = transaction or Transaction()
        traces = [_trace(one) for one in transaction.traces]
        rows = _rows(entries, transaction)
        with self._writer() as connection:
            if self._sieve.is_full:
                self._sieve.next_generation(connection.execute(sql.LAST_ID).fetchone()[0])
            # Before they are there: it may hold too many, never too few.
            self._sieve.add([trace.trace_id for trace in transaction.traces])
            many = _statements(sql.TRACES, traces), _statements(sql.COMMIT, rows), _totals(transaction)
            _insert(connection, list(chain.from_iterable(many)))
        self.last_seq = max([self.last_seq, *(seq for seq, _ in entries)])
        bodies = sum(len(entry.body) for _, entry in entries)
        self._wal_pages += 8 + len(traces) + len(rows) + len(transaction.totals) + bodies // sql.PAGE

    def checkpoint(self) -> None:
        """Copy the WAL into the database when it has grown enough; readers are not disturbed. Raises StoreError."""
        if self._wal_pages < sql.WAL_PAGES:
            return
        with self._writer() as connection:
            _, in_wal, copied = connection.execute(sql.CHECKPOINT).fetchone()
        self._wal_pages = in_wal - copied

    def prune(self, older_than: float | None, max_bytes: int | None, batch: int = 1024) -> int:
        """Delete up to ``batch`` recorded traces, oldest first, and return how many; 0 means that nothing is due.

        Due is what was recorded more than ``older_than`` seconds ago, and anything while the store holds more than
        ``max_bytes`` beside the journal. Freed pages are used again; what is free beyond a quarter of the file goes
        back to the file system. Raises StoreError.
        """
        pruned = 0
        with self._writer() as connection:
            pages, free, page, journal, first_id, oldest = connection.execute(sql.DUE, (batch,)).fetchone()
            used = (pages - free) * page - journal
            if oldest is not None and older_than is not None and oldest < self._now() - older_than:
                pruned = connection.execute(sql.PRUNE_OLD, (batch, self._now() - older_than)).rowcount
            elif oldest is not None and max_bytes is not None and used > max_bytes:
                pruned = connection.execute(sql.PRUNE_OLDEST, (batch,)).rowcount
            if free > max(pages // 4, sql.WAL_PAGES):
                connection.executescript(
                    sql.SHRINK
                )  # in one go: execute() gives a row, and the GIL away, for each page
        self._sieve.forget(first_id)
        self._wal_pages += 2 * pruned
        return pruned

    @contextmanager
    def _writer(self) -> Iterator[sqlite3.Connection]:
        try:
            with _as_store_errors():
                if self._writing is None:
                    self._writing = self._open_again()
                yield self._writing
        except StoreError as error:
            if error.reason in _NEEDS_REOPENING and self._writing is not None:
                self._writing.close()
                self._writing = None
            if error.reason == "disk_full":
                self._wal_pages = sql.WAL_PAGES  # a checkpoint lets the next commit use the WAL's space again
            raise

    def _open_again(self) -> sqlite3.Connection:
        connection = _open_writing(self.path)
        try:
            # A commit whose fsync failed may be there after all, yet nobody was told so.
            connection.execute(sql.UNACKNOWLEDGED, (self.last_seq,))
        except BaseException:
            connection.close()
            raise
        return connection

    # The event loop's side.

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """The journal in the order of acceptance, a few in memory at a time; raises StoreError."""
        seq = 0
        while rows := self._read(sql.ENTRIES, (seq,)):
            for seq, *fields in rows:
                yield seq, Entry(*fields)

    def totals(self) -> Iterator[tuple[str, str, str]]:
        """All durable totals as (family, labels, value); raises StoreError."""
        yield from self._read(sql.TOTALS)

    @property
    def watermark(self) -> int:
        """The last entry that the totals count as received; raises StoreError."""
        return int(self._read(sql.WATERMARK)[0][0])

    def known(self, trace_ids: Sequence[bytes]) -> dict[bytes, tuple[bytes, bool]]:
        """The span keys, in a row, of those of the traces that are recorded, and whether without a document.

        Raises StoreError.
        """
        found: dict[bytes, tuple[bytes, bool]] = {}
        candidates = self._sieve.may_hold(trace_ids)
        for start in range(0, len(candidates), 64):
            some = candidates[start : start + 64]
            size = 1 if len(some) == 1 else 8 if len(some) <= 8 else 64
            for trace_id, keys, bare in self._read(sql.KNOWN[size], (*some, *repeat(some[0], size - len(some)))):
                found[trace_id] = (keys, bool(bare))
        return found

    def document(self, trace_id: bytes) -> bytes | None:
        """The document of a recorded trace, None where there is no such trace; raises StoreError."""
        rows = self._read(sql.DOCUMENT, (trace_id,))
        return rows[0][0] if rows else None

    def recorded(self, after: tuple[float, int], before: float, most: int) -> list[tuple[bytes, float, int]]:
        """Traces as (trace id, when recorded, row), in the order of recording, from a place on; raises StoreError."""
        return self._read(sql.RECORDED, (*after, before, most))

    def located(self, by: Reference, value: str | bytes) -> list[Located]:
        """Recorded traces by an id: one or none, the last of a conversation, all of a user; raises StoreError."""
        return [Located(*row) for row in self._read(sql.LOCATE[by], (value,))]

    def object(self, kind: str, key: bytes) -> bytes | None:
        """One object's value, None where there is none; raises StoreError."""
        rows = self._read(sql.OBJECT, (kind, key))
        return rows[0][0] if rows else None

    def objects(self, kind: str) -> list[tuple[bytes, float, bytes]]:
        """All objects of a kind as (key, at, value), in the order of their times; raises StoreError."""
        return self._read(sql.OBJECTS, (kind,))

    def old_objects(self, kind: str, before: float, most: int) -> list[bytes]:
        """The keys of the earliest objects of a kind whose time is before that; raises StoreError."""
        return [key for (key,) in self._read(sql.OLD_OBJECTS, (kind, before, most))]

    def size_bytes(self) -> int:
        """Bytes of the database in use: without free pages, without the WAL; raises StoreError."""
        pages, free, size = self._read(sql.PAGES)[0]
        return int((pages - free) * size)

    def _read(self, query: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            with _as_store_errors():
                if self._reading is None:
                    self._reading = _open_reading(self.path)
                return self._reading.execute(query, parameters).fetchall()
        except StoreError as error:
            if error.reason in _NEEDS_REOPENING and self._reading is not None:
                self._reading.close()
                self._reading = None
            raise
