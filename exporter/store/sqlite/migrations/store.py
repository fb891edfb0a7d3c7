"""The schemas of the store: recorded traces, a table for each kind of record, totals."""

import sqlite3
from collections.abc import Callable
from typing import Any, Final

from .history import NEEDED, Change, History

# A trace may be there already: recorded before an LLM request was found in it, or by a commit whose fsync failed.
_TABLES: Final = f"""
CREATE TABLE traces(
  id INTEGER PRIMARY KEY, trace_id BLOB {NEEDED} UNIQUE ON CONFLICT REPLACE, recorded_at REAL {NEEDED},
  app TEXT {NEEDED}, route TEXT {NEEDED}, model_version TEXT {NEEDED}, prompt_version TEXT {NEEDED},
  spans BLOB {NEEDED}, document BLOB {NEEDED}, response_id TEXT, conversation_id TEXT, user TEXT);
CREATE INDEX traces_response ON traces(response_id) WHERE response_id IS NOT NULL;
CREATE INDEX traces_conversation ON traces(conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX traces_user ON traces(user) WHERE user IS NOT NULL;
CREATE TABLE objects(
  kind TEXT {NEEDED}, key BLOB {NEEDED}, at REAL {NEEDED}, value BLOB {NEEDED},
  PRIMARY KEY(kind, key) ON CONFLICT REPLACE);
CREATE INDEX objects_at ON objects(kind, at);
CREATE TABLE totals(
  family TEXT {NEEDED}, labels TEXT {NEEDED}, value TEXT {NEEDED},
  PRIMARY KEY(family, labels) ON CONFLICT REPLACE) WITHOUT ROWID;
CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER {NEEDED}) WITHOUT ROWID;
INSERT INTO meta VALUES ('watermark', 0), ('spent_seq', 0);
CREATE TABLE done(seq INTEGER PRIMARY KEY);
CREATE INDEX traces_recorded ON traces(recorded_at);
"""  # noqa: S608 (a constant)

# The version of each row's value, see kinds.py; what was written before rows had one is of version 1. ``formats`` has
# the newest version of each kind that was ever written: an older llmq, which cannot read it, refuses the file.
_VERSIONED_ROWS: Final = Change(
    5,
    """
ALTER TABLE traces ADD COLUMN version INTEGER DEFAULT 1;
ALTER TABLE objects ADD COLUMN version INTEGER DEFAULT 1;
ALTER TABLE totals ADD COLUMN version INTEGER DEFAULT 1;
CREATE TABLE formats(kind TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
""",
)

# What answers are searched by, see ``marks`` in document.py; and an index in which a search finds all but text, newest
# first. The traces that have no answer are few bytes each; of the others, only those that have marks are written.
_SEARCH: Final = Change(
    6,
    f"""
ALTER TABLE traces ADD COLUMN marks TEXT {NEEDED} DEFAULT '';
UPDATE traces SET marks = '-' WHERE document IN (x'', x'6e756c6c');
UPDATE traces SET marks = char(10) || found.marks || char(10) FROM (
  SELECT id, group_concat(mark, char(10)) AS marks FROM (
    SELECT DISTINCT traces.id AS id, CASE list.key
        WHEN 'feedback' THEN 'signal ' || json_extract(one.value, '$.signal')
        WHEN 'evaluations' THEN 'fail ' || json_extract(one.value, '$.evaluator') ELSE 'error' END AS mark
      FROM traces, json_each(iif(json_valid(CAST(document AS TEXT)), CAST(document AS TEXT), '{{}}')) AS list,
        json_each(CASE WHEN list.key IN ('evaluations', 'feedback') THEN list.value
          WHEN list.key = 'content_state' AND list.value = 'error' THEN '[0]' ELSE '[]' END) AS one
      WHERE traces.marks = '' AND (list.key <> 'evaluations' OR json_extract(one.value, '$.verdict') = 'fail'
        AND json_extract(one.value, '$.sample') <> 'shadow'))
  GROUP BY id) AS found WHERE found.id = traces.id;
DROP INDEX traces_recorded;
CREATE INDEX traces_found ON traces(recorded_at, id, app, route, model_version, prompt_version, marks);
""",  # noqa: S608 (constants)
)

# A table for each kind of what was in one, ``objects``, by kind and key.
_RECORDS: Final = {
    "clocks": "replica TEXT",
    "content_retention": "replica TEXT",
    "conversations": "conversation BLOB",
    "early_feedback": "number INTEGER",
    "erasures": "whom BLOB",
    "judge_anchors": "evaluator TEXT, judge_version TEXT, anchor TEXT",
    "judge_drips": "drip TEXT",
    "judge_jobs": "job BLOB",
    "judge_reviews": "evaluator TEXT, judge_version TEXT",
    "judge_samplers": "replica TEXT",
    "judge_standings": "evaluator TEXT",
    "judge_traffic": "evaluator TEXT, judge_version TEXT",
    "offline_gaps": "gap BLOB",
    "offline_results": "result BLOB",
    "offline_suites": "suite BLOB",
    "review_evidence": "trace_id TEXT",
    "review_items": "trace_id TEXT",
}
_IDS: Final = ("feedback_ids", "offline_failures", "tombstones")


def _record_table(name: str, key: str) -> str:
    columns = key.replace(",", f" {NEEDED},")
    names = ", ".join(column.split()[0] for column in key.split(", "))
    return f"""
CREATE TABLE {name}(
  {columns} {NEEDED}, at REAL {NEEDED}, record BLOB {NEEDED}, version INTEGER {NEEDED},
  PRIMARY KEY({names}) ON CONFLICT REPLACE);
"""


def _id_table(name: str) -> str:
    return f"""
CREATE TABLE {name}(key BLOB {NEEDED}, at REAL {NEEDED}, PRIMARY KEY(key) ON CONFLICT REPLACE);
CREATE INDEX {name}_at ON {name}(at);
"""


def _text(key: bytes) -> tuple[Any, ...]:
    return (key.decode(),)


def _lines(key: bytes) -> tuple[Any, ...]:
    return tuple(key.decode().split("\n"))


def _raw(key: bytes) -> tuple[Any, ...]:
    return (key,)


def _main(_: bytes) -> tuple[Any, ...]:
    """A file has one replica, see ``sqlite/store.py``."""
    return ("main",)


_MOVED: Final[dict[str, tuple[str, Callable[[bytes], tuple[Any, ...]]]]] = {
    "clock": ("clocks", _main),
    "content retention": ("content_retention", _main),
    "conversation": ("conversations", _raw),
    "early feedback": ("early_feedback", lambda key: (int.from_bytes(key, "big"),)),
    "forget request": ("erasures", _raw),
    "judge anchor": ("judge_anchors", _lines),
    "judge drip": ("judge_drips", _text),
    "judge job": ("judge_jobs", _raw),
    "judge review": ("judge_reviews", _lines),
    "judge sampler": ("judge_samplers", _main),
    "judge standing": ("judge_standings", _text),
    "judge traffic": ("judge_traffic", _lines),
    "offline gap": ("offline_gaps", _raw),
    "offline result": ("offline_results", _raw),
    "offline suite": ("offline_suites", _raw),
    "review evidence": ("review_evidence", _text),
    "review item": ("review_items", _text),
}
_MOVED_IDS: Final = {
    "feedback id": "feedback_ids",
    "offline failure": "offline_failures",
    "tombstone": "tombstones",
}


def _move_objects(connection: sqlite3.Connection) -> None:
    """Each object into the table of its kind."""
    for kind, table in _MOVED_IDS.items():
        connection.execute(f"INSERT INTO {table} SELECT key, at FROM objects WHERE kind = ?", (kind,))  # noqa: S608
    for kind, (table, columns) in _MOVED.items():
        rows = connection.execute("SELECT key, at, value, coalesce(version, 1) FROM objects WHERE kind = ?", (kind,))
        for key, *row in rows.fetchall():
            values = (*columns(bytes(key)), *row)
            places = ",".join("?" * len(values))
            connection.execute(f"INSERT INTO {table} VALUES ({places})", values)  # noqa: S608 (constants)
    connection.execute("DROP TABLE objects")


_A_TABLE_EACH: Final = Change(
    7,
    "".join(_record_table(name, key) for name, key in _RECORDS.items()) + "".join(map(_id_table, _IDS)),
    _move_objects,
)

STORE: Final = History(
    application=0x6C6C6D71,  # "llmq" in ASCII
    called="store",
    cure="name another store",
    first=4,
    tables=_TABLES,
    changes=(_VERSIONED_ROWS, _SEARCH, _A_TABLE_EACH),
    vacuum="INCREMENTAL",
)
