"""The schemas of the store: recorded traces, objects by kind and key, totals."""

from typing import Final

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
    SELECT DISTINCT traces.id AS id, iif(list.key = 'feedback', 'signal ' || json_extract(one.value, '$.signal'),
        'fail ' || json_extract(one.value, '$.evaluator')) AS mark
      FROM traces, json_each(iif(json_valid(CAST(document AS TEXT)), CAST(document AS TEXT), '{{}}')) AS list,
        json_each(iif(list.key IN ('evaluations', 'feedback'), list.value, '[]')) AS one
      WHERE traces.marks = '' AND (list.key = 'feedback' OR json_extract(one.value, '$.verdict') = 'fail'
        AND json_extract(one.value, '$.sample') <> 'shadow'))
  GROUP BY id) AS found WHERE found.id = traces.id;
DROP INDEX traces_recorded;
CREATE INDEX traces_found ON traces(recorded_at, id, app, route, model_version, prompt_version, marks);
""",  # noqa: S608 (constants)
)

STORE: Final = History(
    application=0x6C6C6D71,  # "llmq" in ASCII
    called="store",
    cure="name another store",
    first=4,
    tables=_TABLES,
    changes=(_VERSIONED_ROWS, _SEARCH),
    vacuum="INCREMENTAL",
)
