"""The durable store on SQLite: journal, recorded traces, totals. Holds all SQL; knows no span, score or metric.

Every commit is one SQL statement, and there is a reason. Python's sqlite3 gives the GIL up at each step of a statement
and has to win it back from an event loop that is busy: up to 5 ms each time, so thousands of rows one by one take
seconds. All rows of a transaction therefore travel as parameters of one INSERT into a view, whose trigger spreads them
over the tables. A second backend replaces this module's strings and keeps the methods.

Threads: ``commit``, ``checkpoint`` and ``prune`` belong to one thread (the writer's); all other methods to another (the
event loop's). Each side has its own connection.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, repeat
from pathlib import Path
from typing import Any, Self

from .records import Entry, Recorded, StoreError, Transaction
from .sieve import Sieve
from .storefile import claim, locate

__all__ = ["SCHEMA_VERSION", "Entry", "Recorded", "Store", "StoreError", "Transaction"]

SCHEMA_VERSION = 1
_APPLICATION_ID = 0x6C6C6D71  # "llmq" in ASCII

_PAGE = 4096
_WAL_PAGES = 4000
"""Pages of WAL, about 16 MB, after which a checkpoint is worth its time; beyond 4096 look-ups begin to slow."""

_SCHEMA = f"""
PRAGMA page_size = {_PAGE};
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
BEGIN IMMEDIATE;
CREATE TABLE journal(
  seq INTEGER PRIMARY KEY, received_at REAL NOT NULL, signal TEXT NOT NULL, media_type TEXT NOT NULL,
  encoding TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE traces(
  id INTEGER PRIMARY KEY, trace_id BLOB NOT NULL UNIQUE, recorded_at REAL NOT NULL, app TEXT NOT NULL,
  route TEXT NOT NULL, model_version TEXT NOT NULL, prompt_version TEXT NOT NULL, spans BLOB NOT NULL,
  document BLOB NOT NULL);
CREATE TABLE totals(
  family TEXT NOT NULL, labels TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY(family, labels)) WITHOUT ROWID;
CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('watermark', 0), ('spent_seq', 0);
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""  # noqa: S608 (constants)

# FULL: 200 means durable, also against power loss. secure_delete FAST: ON would write every deleted journal body again.
_SETTINGS = """
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 0;
PRAGMA journal_size_limit = 268435456;
PRAGMA secure_delete = FAST;
PRAGMA cache_size = -16384;
"""

# What one row of a commit does, by its kind; a row without a kind does nothing.
# A trace may be there already: recorded before an LLM request was found in it, or by a commit whose fsync failed.
_SPREAD = {
    "entry": """INSERT INTO journal(seq, received_at, signal, media_type, encoding, body)
        VALUES (NEW.a, NEW.b, NEW.c, NEW.d, NEW.e, NEW.f)""",
    "trace": """INSERT INTO traces
          (trace_id, recorded_at, app, route, model_version, prompt_version, spans, document)
        VALUES (NEW.a, NEW.b, NEW.c, NEW.d, NEW.e, NEW.f, NEW.g, NEW.h)
        ON CONFLICT(trace_id) DO UPDATE SET recorded_at = excluded.recorded_at, app = excluded.app,
          route = excluded.route, model_version = excluded.model_version,
          prompt_version = excluded.prompt_version, spans = excluded.spans, document = excluded.document""",
    "late": "UPDATE traces SET spans = CAST(spans || NEW.b AS BLOB) WHERE trace_id = NEW.a",
    "document": "UPDATE traces SET document = NEW.b WHERE trace_id = NEW.a",
    "dropped_total": "DELETE FROM totals WHERE family = NEW.a AND labels = NEW.b",
    "total": """INSERT INTO totals(family, labels, value) VALUES (NEW.a, NEW.b, NEW.c)
        ON CONFLICT(family, labels) DO UPDATE SET value = excluded.value""",
    "done": "DELETE FROM journal WHERE seq = NEW.a",
    "meta": "UPDATE meta SET value = max(value, NEW.b) WHERE name = NEW.a",
}
_COLUMNS = 9
_PAIR = (None,) * 6  # what a row of a kind and two values lacks
_WORK = """CREATE TEMP VIEW work AS SELECT NULL AS kind,
  NULL AS a, NULL AS b, NULL AS c, NULL AS d, NULL AS e, NULL AS f, NULL AS g, NULL AS h;
""" + "".join(
    f"CREATE TEMP TRIGGER {kind} INSTEAD OF INSERT ON work WHEN NEW.kind = '{kind}' BEGIN {statement}; END;\n"
    for kind, statement in _SPREAD.items()
)

# A few sizes, so that each is compiled once; 2048 rows of 9 stay below SQLite's 32766 parameters.
_MAX_ROWS = 2048
_ROW = f"({','.join('?' * _COLUMNS)})"
_COMMIT = {
    1 << n: f"INSERT INTO work VALUES {','.join([_ROW] * (1 << n))}"  # noqa: S608 (constants)
    for n in range(_MAX_ROWS.bit_length())
}

_ENTRIES = """SELECT seq, signal, media_type, encoding, body, received_at FROM journal
WHERE seq > ? ORDER BY seq LIMIT 4"""
_LAST_SEQ = """SELECT max(coalesce((SELECT max(seq) FROM journal), 0), (SELECT max(value) FROM meta))"""
_UNACKNOWLEDGED = "DELETE FROM journal WHERE seq > ?"
_TRACE_IDS = "SELECT trace_id FROM traces ORDER BY trace_id"  # in this order the index suffices
_LAST_ID = "SELECT coalesce(max(id), 0) FROM traces"
_TOTALS = "SELECT family, labels, value FROM totals"
_WATERMARK = "SELECT value FROM meta WHERE name = 'watermark'"
_DOCUMENT = "SELECT document FROM traces WHERE trace_id = ?"
_PRUNE_OLD = """DELETE FROM traces WHERE id IN (
  SELECT id FROM (SELECT id, recorded_at FROM traces ORDER BY id LIMIT ?) WHERE recorded_at < ?)"""
_PRUNE_OLDEST = "DELETE FROM traces WHERE id IN (SELECT id FROM traces ORDER BY id LIMIT ?)"
_PAGES = "SELECT page_count, freelist_count, page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
_DUE = f"""SELECT page_count, freelist_count, page_size,
  (SELECT coalesce(sum(length(body)), 0) FROM journal),
  (SELECT coalesce(min(id), {1 << 62}) FROM traces),
  (SELECT min(recorded_at) FROM (SELECT recorded_at FROM traces ORDER BY id LIMIT ?))
FROM pragma_page_count, pragma_freelist_count, pragma_page_size"""  # noqa: S608 (a constant)
_CHECKPOINT = "PRAGMA wal_checkpoint(PASSIVE)"
_SHRINK = "PRAGMA incremental_vacuum(512)"

_KNOWN = {
    n: f"SELECT trace_id, spans, length(document) = 0 FROM traces WHERE trace_id IN ({','.join('?' * n)})"  # noqa: S608
    for n in (1, 8, 64)
}

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
        ("entry", seq, e.received_at, e.signal, e.media_type, e.encoding, e.body, None, None) for seq, e in entries
    ]
    rows += [
        ("trace", t.trace_id, t.recorded_at, t.app, t.route, t.model_version, t.prompt_version, t.spans, t.document)
        for t in transaction.traces
    ]
    rows += [("late", *pair, *_PAIR) for pair in transaction.late]
    rows += [("document", *pair, *_PAIR) for pair in transaction.documents]
    rows += [("dropped_total", *pair, *_PAIR) for pair in transaction.dropped_totals]
    rows += [("total", *total, *_PAIR[1:]) for total in transaction.totals]
    rows += [("done", seq, None, *_PAIR) for seq in transaction.done]
    rows += [("meta", "watermark", transaction.watermark, *_PAIR)] if transaction.watermark else []
    rows += [("meta", "spent_seq", max(transaction.done), *_PAIR)] if transaction.done else []
    return rows


def _insert(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    if len(rows) <= _MAX_ROWS:
        _insert_some(connection, rows)
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for start in range(0, len(rows), _MAX_ROWS):
            _insert_some(connection, rows[start : start + _MAX_ROWS])
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls back when the disk is full
            connection.execute("ROLLBACK")
        raise


def _insert_some(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        size = 1 << (len(rows) - 1).bit_length()
        padding = repeat(None, (size - len(rows)) * _COLUMNS)
        connection.execute(_COMMIT[size], [*chain.from_iterable(rows), *padding])


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
    if application == _APPLICATION_ID and version > SCHEMA_VERSION:
        raise StoreError(
            "newer",
            f"store {path} was written by a newer llmq (schema {version}, this one knows {SCHEMA_VERSION}): upgrade "
            "llmq, or name another store",
        )
    if application == _APPLICATION_ID:
        return
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] or application or version:
        raise StoreError("foreign", f"store {path} is the database of another program: name another store")
    connection.executescript(_SCHEMA)


def _open_writing(path: Path) -> sqlite3.Connection:
    connection = _connect(path, timeout=5.0)
    try:
        _check_schema(connection, path)
        connection.executescript(_SETTINGS + _WORK)
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
        self.last_seq: int = self._writing.execute(_LAST_SEQ).fetchone()[0]
        self._sieve = Sieve(trace_id for (trace_id,) in self._writing.execute(_TRACE_IDS))

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
        rows = _rows(entries, transaction)
        with self._writer() as connection:
            if self._sieve.is_full:
                self._sieve.next_generation(connection.execute(_LAST_ID).fetchone()[0])
            # Before they are there: it may hold too many, never too few.
            self._sieve.add([trace.trace_id for trace in transaction.traces])
            _insert(connection, rows)
        self.last_seq = max([self.last_seq, *(seq for seq, _ in entries)])
        self._wal_pages += 8 + len(rows) + sum(len(entry.body) for _, entry in entries) // _PAGE

    def checkpoint(self) -> None:
        """Copy the WAL into the database when it has grown enough; readers are not disturbed. Raises StoreError."""
        if self._wal_pages < _WAL_PAGES:
            return
        with self._writer() as connection:
            _, in_wal, copied = connection.execute(_CHECKPOINT).fetchone()
        self._wal_pages = in_wal - copied

    def prune(self, older_than: float | None, max_bytes: int | None, batch: int = 1024) -> int:
        """Delete up to ``batch`` recorded traces, oldest first, and return how many; 0 means that nothing is due.

        Due is what was recorded more than ``older_than`` seconds ago, and anything while the store holds more than
        ``max_bytes`` beside the journal. Freed pages are used again; what is free beyond a quarter of the file goes
        back to the file system. Raises StoreError.
        """
        pruned = 0
        with self._writer() as connection:
            pages, free, page, journal, first_id, oldest = connection.execute(_DUE, (batch,)).fetchone()
            used = (pages - free) * page - journal
            if oldest is not None and older_than is not None and oldest < self._now() - older_than:
                pruned = connection.execute(_PRUNE_OLD, (batch, self._now() - older_than)).rowcount
            elif oldest is not None and max_bytes is not None and used > max_bytes:
                pruned = connection.execute(_PRUNE_OLDEST, (batch,)).rowcount
            if free > max(pages // 4, _WAL_PAGES):
                connection.executescript(_SHRINK)  # in one go: execute() gives a row, and the GIL away, for each page
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
                self._wal_pages = _WAL_PAGES  # a checkpoint lets the next commit use the WAL's space again
            raise

    def _open_again(self) -> sqlite3.Connection:
        connection = _open_writing(self.path)
        try:
            # A commit whose fsync failed may be there after all, yet nobody was told so.
            connection.execute(_UNACKNOWLEDGED, (self.last_seq,))
        except BaseException:
            connection.close()
            raise
        return connection

    # The event loop's side.

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """The journal in the order of acceptance, a few in memory at a time; raises StoreError."""
        seq = 0
        while rows := self._read(_ENTRIES, (seq,)):
            for seq, *fields in rows:
                yield seq, Entry(*fields)

    def totals(self) -> Iterator[tuple[str, str, str]]:
        """All durable totals as (family, labels, value); raises StoreError."""
        yield from self._read(_TOTALS)

    @property
    def watermark(self) -> int:
        """The last entry that the totals count as received; raises StoreError."""
        return int(self._read(_WATERMARK)[0][0])

    def known(self, trace_ids: Sequence[bytes]) -> dict[bytes, tuple[bytes, bool]]:
        """The span keys, in a row, of those of the traces that are recorded, and whether without a document.

        Raises StoreError.
        """
        found: dict[bytes, tuple[bytes, bool]] = {}
        candidates = self._sieve.may_hold(trace_ids)
        for start in range(0, len(candidates), 64):
            some = candidates[start : start + 64]
            size = 1 if len(some) == 1 else 8 if len(some) <= 8 else 64
            for trace_id, keys, bare in self._read(_KNOWN[size], (*some, *repeat(some[0], size - len(some)))):
                found[trace_id] = (keys, bool(bare))
        return found

    def document(self, trace_id: bytes) -> bytes | None:
        """The document of a recorded trace, None where there is no such trace; raises StoreError."""
        rows = self._read(_DOCUMENT, (trace_id,))
        return rows[0][0] if rows else None

    def size_bytes(self) -> int:
        """Bytes of the database in use: without free pages, without the WAL; raises StoreError."""
        pages, free, size = self._read(_PAGES)[0]
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
