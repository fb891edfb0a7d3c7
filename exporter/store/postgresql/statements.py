"""The SQL that is put together for each kind of record, in PostgreSQL's dialect; knows nothing of when it runs."""

from functools import cache
from typing import Any, Final

from ..kinds import DOCUMENT, TOTAL, Ids, Kind

COLUMNS: Final = (
    "trace_id, recorded_at, app, route, model_version, prompt_version, spans, document, response_id, conversation_id, "
    "asker, marks"
)
TYPES: Final = [
    *("bytea", "float8", "text", "text", "text", "text", "bytea", "bytea", "bytea", "bytea", "bytea", "text"),
]
_SET: Final = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS.split(", ")[1:])

# A large commit to a slow database takes longer than a read may; given up, it would be tried again for ever.
TAKE_TIME: Final = "SET LOCAL statement_timeout = '5min'"
# COPY is the fastest way in, and knows no conflict: rows go into a table of the session first.
SESSION: Final = f"""
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_traces AS SELECT {COLUMNS} FROM traces WITH NO DATA;
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_totals AS SELECT family, labels, value FROM totals WITH NO DATA;
"""  # noqa: S608 (constants)
COPY_TRACES: Final = f"COPY incoming_traces({COLUMNS}) FROM STDIN (FORMAT BINARY)"
# A trace that is recorded again is the newest: it gets a new place in the order of recording. In order, so that
# replicas that record the same traces wait for each other, and neither for both.
ADD_TRACES: Final = f"""
INSERT INTO traces({COLUMNS}, version) SELECT {COLUMNS}, {DOCUMENT.version} FROM incoming_traces
ORDER BY trace_id
ON CONFLICT (trace_id) DO UPDATE SET {_SET}, version = excluded.version, id = DEFAULT"""  # noqa: S608 (constants)
COPY_TOTALS: Final = "COPY incoming_totals FROM STDIN (FORMAT BINARY)"
ADD_TOTALS: Final = f"""
INSERT INTO totals SELECT %s, family, labels, value, {TOTAL.version} FROM incoming_totals
ON CONFLICT (replica, family, labels) DO UPDATE SET value = excluded.value, version = excluded.version"""  # noqa: S608
DROP_TOTALS: Final = "DELETE FROM totals WHERE replica = %s AND family = %s AND labels = %s"
LATE: Final = "UPDATE traces SET spans = spans || %s WHERE trace_id = %s"
REWRITE: Final = f"UPDATE traces SET document = %s, marks = %s, version = {DOCUMENT.version} WHERE trace_id = %s"  # noqa: S608
ASKERS: Final = "UPDATE traces SET conversation_id = %s, asker = %s WHERE trace_id = %s"
FORGET: Final = """UPDATE traces SET document = %s, marks = %s, response_id = NULL, conversation_id = NULL, asker = NULL
WHERE trace_id = %s"""
DONE: Final = "DELETE FROM journal WHERE replica = %s AND seq = ANY(%s)"
PROGRESS: Final = """INSERT INTO progress VALUES (%s, %s, %s) ON CONFLICT (replica) DO UPDATE
SET watermark = greatest(progress.watermark, excluded.watermark),
  last_seq = greatest(progress.last_seq, excluded.last_seq)"""
PRUNE: Final = """DELETE FROM traces WHERE id IN (
  SELECT id FROM (SELECT id, recorded_at FROM traces ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED) AS oldest
  WHERE recorded_at < %s)"""
SIZE: Final = """SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'"""
# What rows take, by a sample: the size of the table falls only when vacuum can give its end back.
USED: Final = """SELECT (greatest(c.reltuples, s.n_live_tup, 0) * coalesce((
  SELECT avg(pg_column_size(sample.*)) FROM (SELECT * FROM traces ORDER BY id DESC LIMIT 500) AS sample), 0))::bigint
FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid WHERE c.oid = 'traces'::regclass"""


@cache
def put_records(kind: Kind[Any, Any]) -> str:
    """One record in the place of what is there: key, at, record, version."""
    columns = _columns(kind)
    key = ", ".join(columns)
    places = ", ".join(["%s"] * (len(columns) + 3))
    return f"""INSERT INTO {kind.table}({key}, at, record, version) VALUES ({places})
ON CONFLICT ({key}) DO UPDATE SET at = excluded.at, record = excluded.record, version = excluded.version"""  # noqa: S608


@cache
def drop_records(kind: Kind[Any, Any]) -> str:
    """One record by its key."""
    return f"DELETE FROM {kind.table} WHERE {_is(kind)}"  # noqa: S608 (constants)


@cache
def record(kind: Kind[Any, Any]) -> str:
    """One record by its key."""
    return f"SELECT record, version FROM {kind.table} WHERE {_is(kind)}"  # noqa: S608 (constants)


@cache
def records(kind: Kind[Any, Any]) -> str:
    """All records of a kind in the order of their times."""
    key = ", ".join(kind.key)
    whose = "WHERE replica = %s " if kind.own else ""
    return f"SELECT {key}, at, record, version FROM {kind.table} {whose}ORDER BY at, {key}"  # noqa: S608 (constants)


def _columns(kind: Kind[Any, Any]) -> tuple[str, ...]:
    return ("replica", *kind.key) if kind.own else kind.key


def _is(kind: Kind[Any, Any]) -> str:
    return " AND ".join(f"{column} = %s" for column in _columns(kind))


@cache
def put_ids(ids: Ids) -> str:
    """One id with its time."""
    return f"INSERT INTO {ids.table} VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET at = excluded.at"  # noqa: S608


@cache
def drop_ids(ids: Ids) -> str:
    """One id."""
    return f"DELETE FROM {ids.table} WHERE key = %s"  # noqa: S608 (a constant)


@cache
def drop_old_ids(ids: Ids) -> str:
    """The earliest ids that are older than a time, up to a limit."""
    table = ids.table
    return f"DELETE FROM {table} WHERE key IN (SELECT key FROM {table} WHERE at < %s ORDER BY at LIMIT %s)"  # noqa: S608


@cache
def ids_among(ids: Ids) -> str:
    """Which of some ids are there."""
    return f"SELECT key FROM {ids.table} WHERE key = ANY(%s)"  # noqa: S608 (a constant)


@cache
def all_ids(ids: Ids) -> str:
    """All ids with their times, the earliest first."""
    return f"SELECT key, at FROM {ids.table} ORDER BY at, key"  # noqa: S608 (a constant)


WATERMARK: Final = "SELECT watermark FROM progress WHERE replica = %s"
TOTALS: Final = "SELECT family, labels, value, version FROM totals WHERE replica = %s"
KNOWN: Final = "SELECT trace_id, spans, length(document) = 0 FROM traces WHERE trace_id = ANY(%s)"
DOCUMENT_OF: Final = "SELECT document, version FROM traces WHERE trace_id = %s"
RECORDED: Final = """SELECT trace_id, recorded_at, id FROM traces
WHERE (recorded_at, id) > (%s, %s) AND recorded_at < %s ORDER BY recorded_at, id LIMIT %s"""
_LOCATED: Final = "SELECT trace_id, app, route, model_version, prompt_version FROM traces WHERE "
LOCATE: Final = {
    "trace": f"{_LOCATED} trace_id = %s AND document NOT IN ('', 'null')",
    "response": f"{_LOCATED} response_id = %s ORDER BY id DESC LIMIT 1",
    "conversation": f"{_LOCATED} conversation_id = %s ORDER BY id DESC LIMIT 1",
    "user": f"{_LOCATED} asker = %s ORDER BY id",
}
