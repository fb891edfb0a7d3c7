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
from itertools import repeat
from pathlib import Path
from typing import Any, Self

import msgspec

from .storefile import StoreError, claim, locate

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

# Blobs of all rows come as one parameter, from which each row cuts its own; JSON could not hold them.
# A trace that is there already keeps its row: a commit that failed on its last fsync may have succeeded.
_COMMIT_TRIGGER = """
CREATE TEMP VIEW work AS SELECT 0 AS blobs, 0 AS entries, 0 AS traces, 0 AS late, 0 AS documents,
  0 AS dropped_totals, 0 AS totals, 0 AS done, 0 AS watermark, 0 AS spent_seq;
CREATE TEMP TRIGGER spread INSTEAD OF INSERT ON work BEGIN
  INSERT INTO journal(seq, received_at, signal, media_type, encoding, body)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4,
      substr(NEW.blobs, value ->> 5, value ->> 6)
    FROM json_each(NEW.entries);
  INSERT INTO traces(trace_id, recorded_at, app, route, model_version, prompt_version, spans, document)
    SELECT substr(NEW.blobs, value ->> 5, value ->> 6), value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4,
      substr(NEW.blobs, value ->> 7, value ->> 8), substr(NEW.blobs, value ->> 9, value ->> 10)
    FROM json_each(NEW.traces) WHERE true
    ON CONFLICT(trace_id) DO UPDATE SET spans = excluded.spans, document = excluded.document;
  UPDATE traces SET spans = CAST(spans || late.keys AS BLOB)
    FROM (SELECT substr(NEW.blobs, value ->> 0, value ->> 1) AS trace_id,
        substr(NEW.blobs, value ->> 2, value ->> 3) AS keys
      FROM json_each(NEW.late)) AS late
    WHERE traces.trace_id = late.trace_id;
  UPDATE traces SET document = new_document.text
    FROM (SELECT substr(NEW.blobs, value ->> 0, value ->> 1) AS trace_id,
        substr(NEW.blobs, value ->> 2, value ->> 3) AS text
      FROM json_each(NEW.documents)) AS new_document
    WHERE traces.trace_id = new_document.trace_id;
  DELETE FROM totals WHERE (family, labels) IN (SELECT value ->> 0, value ->> 1 FROM json_each(NEW.dropped_totals));
  INSERT INTO totals(family, labels, value)
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(NEW.totals) WHERE true
    ON CONFLICT(family, labels) DO UPDATE SET value = excluded.value;
  DELETE FROM journal WHERE seq IN (SELECT value FROM json_each(NEW.done));
  UPDATE meta SET value = NEW.watermark WHERE name = 'watermark' AND NEW.watermark IS NOT NULL;
  UPDATE meta SET value = max(value, NEW.spent_seq) WHERE name = 'spent_seq' AND NEW.spent_seq IS NOT NULL;
END;
"""
_COMMIT = "INSERT INTO work VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

_ENTRIES = """SELECT seq, signal, media_type, encoding, body, received_at FROM journal
WHERE seq > ? ORDER BY seq LIMIT 16"""
_LAST_SEQ = """SELECT max(coalesce((SELECT max(seq) FROM journal), 0), (SELECT max(value) FROM meta))"""
_UNACKNOWLEDGED = "DELETE FROM journal WHERE seq > ?"
_TOTALS = "SELECT family, labels, value FROM totals"
_WATERMARK = "SELECT value FROM meta WHERE name = 'watermark'"
_DOCUMENT = "SELECT document FROM traces WHERE trace_id = ?"
_PRUNE_OLD = """DELETE FROM traces WHERE id IN (
  SELECT id FROM (SELECT id, recorded_at FROM traces ORDER BY id LIMIT ?) WHERE recorded_at < ?)"""
_PRUNE_OLDEST = "DELETE FROM traces WHERE id IN (SELECT id FROM traces ORDER BY id LIMIT ?)"
_JOURNAL_BYTES = "SELECT coalesce(sum(length(body)), 0) FROM journal"
_PAGES = "SELECT page_count, freelist_count, page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
_CHECKPOINT = "PRAGMA wal_checkpoint(PASSIVE)"
_SHRINK = "PRAGMA incremental_vacuum(512)"

_KNOWN = {n: f"SELECT trace_id, spans FROM traces WHERE trace_id IN ({','.join('?' * n)})" for n in (1, 8, 64)}  # noqa: S608

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


class Entry(msgspec.Struct, frozen=True):
    """One acknowledged request as it was received, body still compressed; ``received_at`` in Unix seconds."""

    signal: str
    media_type: str
    encoding: str
    body: bytes
    received_at: float


class Recorded(msgspec.Struct, frozen=True):
    """One scored trace: its slice, the 8-byte keys of its spans and log records in a row, and its JSON document."""

    trace_id: bytes
    recorded_at: float
    app: str
    route: str
    model_version: str
    prompt_version: str
    spans: bytes
    document: bytes


class Transaction(msgspec.Struct):
    """What becomes durable together when traces are recorded.

    ``late`` appends span keys to recorded traces; ``documents`` replaces documents; ``totals`` are absolute values
    (family, labels, value), written after ``dropped_totals`` went; ``done`` are journal entries no longer needed;
    ``watermark`` is the last entry that the totals count as received (None: as before).
    """

    traces: list[Recorded] = msgspec.field(default_factory=list)
    late: list[tuple[bytes, bytes]] = msgspec.field(default_factory=list)
    documents: list[tuple[bytes, bytes]] = msgspec.field(default_factory=list)
    totals: list[tuple[str, str, str]] = msgspec.field(default_factory=list)
    dropped_totals: list[tuple[str, str]] = msgspec.field(default_factory=list)
    done: list[int] = msgspec.field(default_factory=list)
    watermark: int | None = None


class _Blobs:
    """Lays byte strings end to end; says where each starts (from 1, as SQL counts) and how long it is."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def add(self, *blobs: bytes) -> tuple[int, ...]:
        places: list[int] = []
        for blob in blobs:
            places += (self.size + 1, len(blob))
            self.size += len(blob)
        self._parts += blobs
        return tuple(places)

    def joined(self) -> bytes:
        return b"".join(self._parts)


def _json(rows: Any) -> str | None:
    return msgspec.json.encode(rows).decode() if rows else None


def _appended(late: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    keys: dict[bytes, bytes] = {}
    for trace_id, more in late:
        keys[trace_id] = keys.get(trace_id, b"") + more
    return keys


def _work(entries: Sequence[tuple[int, Entry]], transaction: Transaction, blobs: _Blobs) -> tuple[Any, ...]:
    """The parameters of ``_COMMIT`` after the first."""
    journal = [(seq, e.received_at, e.signal, e.media_type, e.encoding, *blobs.add(e.body)) for seq, e in entries]
    traces = [
        (t.recorded_at, t.app, t.route, t.model_version, t.prompt_version, *blobs.add(t.trace_id, t.spans, t.document))
        for t in transaction.traces
    ]
    late = [blobs.add(*pair) for pair in _appended(transaction.late).items()]
    documents = [blobs.add(*pair) for pair in dict(transaction.documents).items()]
    tables = (journal, traces, late, documents, transaction.dropped_totals, transaction.totals, transaction.done)
    return (*map(_json, tables), transaction.watermark, max(transaction.done, default=None))


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
        connection.executescript(_SETTINGS + _COMMIT_TRIGGER)
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
        blobs = _Blobs()
        work = _work(entries, transaction or Transaction(), blobs)
        with self._writer() as connection:
            connection.execute(_COMMIT, (blobs.joined(), *work))
        self.last_seq = max([self.last_seq, *(seq for seq, _ in entries)])
        rows = 0 if transaction is None else len(transaction.traces) + len(transaction.late)
        self._wal_pages += 8 + blobs.size // _PAGE + rows

    def checkpoint(self) -> None:
        """Copy the WAL into the database when it has grown enough; readers are not disturbed. Raises StoreError."""
        if self._wal_pages < _WAL_PAGES:
            return
        with self._writer() as connection:
            _, in_wal, copied = connection.execute(_CHECKPOINT).fetchone()
        self._wal_pages = in_wal - copied

    def prune(self, older_than: float | None, max_bytes: int | None, batch: int = 256) -> int:
        """Delete up to ``batch`` recorded traces, oldest first, and return how many; 0 means that nothing is due.

        Due is what was recorded more than ``older_than`` seconds ago, and anything while the store holds more than
        ``max_bytes`` beside the journal. Freed pages are used again; what is free beyond a quarter of the file goes
        back to the file system. Raises StoreError.
        """
        with self._writer() as connection:
            pruned = 0
            if older_than is not None:
                pruned = connection.execute(_PRUNE_OLD, (batch, self._now() - older_than)).rowcount
            if not pruned and max_bytes is not None and _bytes_beside_journal(connection) > max_bytes:
                pruned = connection.execute(_PRUNE_OLDEST, (batch,)).rowcount
            _shrink(connection)
        self._wal_pages += 2 * pruned
        return pruned

    @contextmanager
    def _writer(self) -> Iterator[sqlite3.Connection]:
        try:
            with _as_store_errors():
                if self._writing is None:
                    self._writing = _open_writing(self.path)
                    # A commit whose fsync failed may be there after all, yet nobody was told so.
                    self._writing.execute(_UNACKNOWLEDGED, (self.last_seq,))
                yield self._writing
        except StoreError as error:
            if error.reason in _NEEDS_REOPENING and self._writing is not None:
                self._writing.close()
                self._writing = None
            raise

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

    def known(self, trace_ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """The span keys, in a row, of those of the traces that are recorded; raises StoreError."""
        found: dict[bytes, bytes] = {}
        for start in range(0, len(trace_ids), 64):
            some = trace_ids[start : start + 64]
            size = 1 if len(some) == 1 else 8 if len(some) <= 8 else 64
            found.update(self._read(_KNOWN[size], (*some, *repeat(some[0], size - len(some)))))
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


def _bytes_beside_journal(connection: sqlite3.Connection) -> int:
    pages, free, size = connection.execute(_PAGES).fetchone()
    (journal,) = connection.execute(_JOURNAL_BYTES).fetchone()
    return int((pages - free) * size - journal)


def _shrink(connection: sqlite3.Connection) -> None:
    pages, free, _ = connection.execute(_PAGES).fetchone()
    if free > max(pages // 4, _WAL_PAGES):
        connection.executescript(_SHRINK)  # in one go: execute() would give one row, and lose the GIL, per page
