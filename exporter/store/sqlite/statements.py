"""Every SQL statement of the store, in SQLite's dialect; knows nothing of when they run."""

from functools import cache
from typing import Any

from msgspec import Struct

from ...records.traces import NO_ANSWER
from .. import kinds
from .migrations.history import History
from .migrations.journal import JOURNAL as JOURNAL_HISTORY
from .migrations.store import STORE as STORE_HISTORY


class FileSchema(Struct, frozen=True):
    """One kind of file: how it came to be, and what is set whenever it is opened to be written.

    ``wal_pages`` are the pages of WAL after which a checkpoint is worth its time.
    """

    history: History
    settings: str
    wal_pages: int

    @property
    def page(self) -> int:
        """The size of its pages in bytes."""
        return self.history.page


# FULL: 200 means durable, also against power loss. secure_delete FAST: ON would write every deleted journal body again.
_DURABLE = """
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 0;
PRAGMA journal_size_limit = 67108864;
PRAGMA secure_delete = FAST;
"""
READING = "PRAGMA query_only = ON; PRAGMA cache_size = -2048;"

# What one row of a commit does, by its kind; a row without a kind does nothing.
SPREAD = {
    "late": "UPDATE traces SET spans = CAST(spans || NEW.b AS BLOB) WHERE trace_id = NEW.a",
    "document": f"""UPDATE traces SET document = NEW.b, marks = NEW.c, version = {kinds.DOCUMENT.version}
        WHERE trace_id = NEW.a""",  # noqa: S608 (a constant)
    "asker": "UPDATE traces SET conversation_id = NEW.b, user = NEW.c WHERE trace_id = NEW.a",
    "forgotten": f"""UPDATE traces SET document = NEW.b, marks = '{NO_ANSWER}',
        response_id = NULL, conversation_id = NULL, user = NULL WHERE trace_id = NEW.a""",  # noqa: S608 (a constant)
    "dropped_total": "DELETE FROM totals WHERE family = NEW.a AND labels = NEW.b",
    "done": "INSERT OR IGNORE INTO done VALUES (NEW.a)",
    "settled": "DELETE FROM done WHERE seq < NEW.a",
    "meta": "UPDATE meta SET value = max(value, NEW.b) WHERE name = NEW.a",
}
_WORK = """CREATE TEMP VIEW work AS SELECT NULL AS kind,
  NULL AS a, NULL AS b, NULL AS c;
""" + "".join(
    f"CREATE TEMP TRIGGER {kind} INSTEAD OF INSERT ON work WHEN NEW.kind = '{kind}' BEGIN {statement}; END;\n"
    for kind, statement in SPREAD.items()
)
WORK_COLUMNS = 4
PAIR = (None,)  # what a row of a kind and two values lacks

STORE = FileSchema(
    STORE_HISTORY,
    f"{_DURABLE} PRAGMA cache_size = -16384; {_WORK}",
    wal_pages=4000,  # about 16 MB; beyond 4096 look-ups begin to slow
)
# Its pages are used again and again; where many stay free, the file is written anew.
JOURNAL = FileSchema(JOURNAL_HISTORY, f"{_DURABLE} PRAGMA cache_size = -1024;", wal_pages=250)

# A few sizes, so that each is compiled once. A statement keeps what was last bound to it, so none is of many rows.
MAX_ROWS = 256
SIZES = tuple(1 << n for n in range(MAX_ROWS.bit_length()))


def _rows(count: int, columns: int) -> str:
    return ",".join([f"({','.join('?' * columns)})"] * count)


COMMIT = {size: f"INSERT INTO work VALUES {_rows(size, WORK_COLUMNS)}" for size in SIZES}  # noqa: S608 (constants)


def _insert(table: str, columns: str, version: int | None = None) -> dict[int, str]:
    """Inserts of rows by their number, each with the version of its value; a row of None is left out."""
    count = columns.count(",") + 1
    into, selected = (columns, "*") if version is None else (f"{columns}, version", f"*, {version}")
    return {
        size: f"INSERT INTO {table}({into}) SELECT {selected} FROM (VALUES {_rows(size, count)}) "  # noqa: S608
        "WHERE column1 IS NOT NULL"
        for size in SIZES
    }


def _delete(table: str, key: tuple[str, ...]) -> dict[int, str]:
    """Deletes of rows by their number; a row of None is none."""
    columns = ", ".join(key)
    return {
        size: f"DELETE FROM {table} WHERE ({columns}) IN (VALUES {_rows(size, len(key))})"  # noqa: S608 (constants)
        for size in SIZES
    }


TRACES = _insert(
    "traces",
    "trace_id, recorded_at, app, route, model_version, prompt_version, spans, document, response_id, "
    "conversation_id, user, marks",
    kinds.DOCUMENT.version,
)
ADD_TOTALS = _insert("totals", "family, labels, value", kinds.TOTAL.version)
ADD_ENTRIES = _insert("journal", "seq, received_at, signal, media_type, encoding, body")
REMOVE_ENTRIES = {size: f"DELETE FROM journal WHERE seq IN ({','.join('?' * size)})" for size in SIZES}  # noqa: S608
ENTRIES = """SELECT seq, signal, media_type, encoding, body, received_at FROM journal
WHERE seq > ? ORDER BY seq LIMIT 4"""
FIRST_ENTRY = f"SELECT coalesce(min(seq), {1 << 62}) FROM journal"  # noqa: S608 (a constant)
SIZES_BY_SEQ = "SELECT seq, length(body) FROM journal ORDER BY seq"
UNACKNOWLEDGED = "DELETE FROM journal WHERE seq > ?"

DONE = "SELECT seq FROM done"
LAST_SEQ = "SELECT max(value) FROM meta"
TRACE_IDS = "SELECT trace_id FROM traces ORDER BY trace_id"  # in this order the index suffices
LAST_ID = "SELECT coalesce(max(id), 0) FROM traces"
TOTALS = "SELECT family, labels, value, version FROM totals"
WATERMARK = "SELECT value FROM meta WHERE name = 'watermark'"
RECORDED = """SELECT trace_id, recorded_at, id FROM traces
WHERE (recorded_at, id) > (?, ?) AND recorded_at < ? ORDER BY recorded_at, id LIMIT ?"""
DOCUMENT = "SELECT document, version FROM traces WHERE trace_id = ?"
LOCATED = "SELECT trace_id, app, route, model_version, prompt_version FROM traces WHERE "
LOCATE = {
    "trace": f"{LOCATED} trace_id = ? AND document NOT IN (x'', x'6e756c6c')",
    "response": f"{LOCATED} response_id = ? ORDER BY id DESC LIMIT 1",
    "conversation": f"{LOCATED} conversation_id = ? ORDER BY id DESC LIMIT 1",
    "user": f"{LOCATED} user = ? ORDER BY id",
}
PRUNE_OLD = """DELETE FROM traces WHERE id IN (
  SELECT id FROM (SELECT id, recorded_at FROM traces ORDER BY id LIMIT ?) WHERE recorded_at < ?)"""
PRUNE_OLDEST = "DELETE FROM traces WHERE id IN (SELECT id FROM traces ORDER BY id LIMIT ?)"
PAGES = "SELECT page_count, freelist_count, page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
DUE = f"""SELECT page_count, freelist_count, page_size,
  (SELECT coalesce(min(id), {1 << 62}) FROM traces),
  (SELECT min(recorded_at) FROM (SELECT recorded_at FROM traces ORDER BY id LIMIT ?))
FROM pragma_page_count, pragma_freelist_count, pragma_page_size"""  # noqa: S608 (a constant)
CHECKPOINT = "PRAGMA wal_checkpoint(PASSIVE)"
TRUNCATE_WAL = "PRAGMA wal_checkpoint(TRUNCATE)"
MUCH_WAL = 4
"""A WAL is given back to the file system when it is so many times as large as one that is copied."""
REWRITE = "VACUUM"
SHRINK = "PRAGMA incremental_vacuum(512)"

# Records and ids, each kind in a table of its own.


@cache
def put_records(kind: kinds.Kind[Any, Any]) -> dict[int, str]:
    """Inserts of records by their number: key, at, record, version."""
    return _insert(kind.table, f"{', '.join(kind.key)}, at, record, version")


@cache
def drop_records(kind: kinds.Kind[Any, Any]) -> dict[int, str]:
    """Deletes of records by their number, by their keys."""
    return _delete(kind.table, kind.key)


@cache
def record(kind: kinds.Kind[Any, Any]) -> str:
    """One record by its key."""
    where = " AND ".join(f"{column} = ?" for column in kind.key)
    return f"SELECT record, version FROM {kind.table} WHERE {where}"  # noqa: S608 (constants)


@cache
def records(kind: kinds.Kind[Any, Any]) -> str:
    """All records of a kind in the order of their times."""
    columns = ", ".join(kind.key)
    return f"SELECT {columns}, at, record, version FROM {kind.table} ORDER BY at, {columns}"  # noqa: S608 (constants)


@cache
def put_ids(ids: kinds.Ids) -> dict[int, str]:
    """Inserts of ids by their number: key, at."""
    return _insert(ids.table, "key, at")


@cache
def drop_ids(ids: kinds.Ids) -> dict[int, str]:
    """Deletes of ids by their number, by their keys."""
    return _delete(ids.table, ("key",))


@cache
def drop_old_ids(ids: kinds.Ids) -> str:
    """The earliest ids that are older than a time, up to a limit."""
    table = ids.table
    return f"DELETE FROM {table} WHERE key IN (SELECT key FROM {table} WHERE at < ? ORDER BY at LIMIT ?)"  # noqa: S608


@cache
def ids_among(ids: kinds.Ids) -> dict[int, str]:
    """Which of so many ids are there."""
    return {size: f"SELECT key FROM {ids.table} WHERE key IN ({','.join('?' * size)})" for size in SIZES}  # noqa: S608


@cache
def all_ids(ids: kinds.Ids) -> str:
    """All ids with their times, the earliest first."""
    return f"SELECT key, at FROM {ids.table} ORDER BY at, key"  # noqa: S608 (a constant)


FORMATS = "SELECT kind, version FROM formats"
LEARN_FORMAT = "INSERT OR REPLACE INTO formats VALUES (?, ?)"

KNOWN = {
    n: f"SELECT trace_id, spans, length(document) = 0 FROM traces WHERE trace_id IN ({','.join('?' * n)})"  # noqa: S608
    for n in (1, 8, 64)
}
