"""Every SQL statement of the store, in SQLite's dialect; knows nothing of when they run."""

from msgspec import Struct


class Schema(Struct, frozen=True):
    """One kind of file: whose it is, how it is made, and what is set whenever it is opened to be written.

    ``page`` is the size of its pages in bytes; ``wal_pages`` are the pages of WAL after which a checkpoint is worth its
    time.
    """

    application: int
    version: int
    creation: str
    settings: str
    page: int
    wal_pages: int


def _creation(application: int, version: int, page: int, vacuum: str, tables: str) -> str:
    return f"""
PRAGMA page_size = {page};
PRAGMA auto_vacuum = {vacuum};
PRAGMA journal_mode = WAL;
BEGIN IMMEDIATE;
{tables}
PRAGMA application_id = {application};
PRAGMA user_version = {version};
COMMIT;
"""


# A statement of many rows that may fail alone keeps a journal of its own: each page that it changes is copied, and
# written to a temporary file. Here what cannot be written takes its whole transaction with it.
_NEEDED = "NOT NULL ON CONFLICT ROLLBACK"

# A trace may be there already: recorded before an LLM request was found in it, or by a commit whose fsync failed.
_TABLES = f"""
CREATE TABLE traces(
  id INTEGER PRIMARY KEY, trace_id BLOB {_NEEDED} UNIQUE ON CONFLICT REPLACE, recorded_at REAL {_NEEDED},
  app TEXT {_NEEDED}, route TEXT {_NEEDED}, model_version TEXT {_NEEDED}, prompt_version TEXT {_NEEDED},
  spans BLOB {_NEEDED}, document BLOB {_NEEDED}, response_id TEXT, conversation_id TEXT, user TEXT);
CREATE INDEX traces_response ON traces(response_id) WHERE response_id IS NOT NULL;
CREATE INDEX traces_conversation ON traces(conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX traces_user ON traces(user) WHERE user IS NOT NULL;
CREATE TABLE objects(
  kind TEXT {_NEEDED}, key BLOB {_NEEDED}, at REAL {_NEEDED}, value BLOB {_NEEDED},
  PRIMARY KEY(kind, key) ON CONFLICT REPLACE);
CREATE INDEX objects_at ON objects(kind, at);
CREATE TABLE totals(
  family TEXT {_NEEDED}, labels TEXT {_NEEDED}, value TEXT {_NEEDED},
  PRIMARY KEY(family, labels) ON CONFLICT REPLACE) WITHOUT ROWID;
CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER {_NEEDED}) WITHOUT ROWID;
INSERT INTO meta VALUES ('watermark', 0), ('spent_seq', 0);
CREATE TABLE done(seq INTEGER PRIMARY KEY);
CREATE INDEX traces_recorded ON traces(recorded_at);
"""  # noqa: S608 (a constant)

_JOURNAL_TABLES = """
CREATE TABLE journal(
  seq INTEGER PRIMARY KEY, received_at REAL NOT NULL, signal TEXT NOT NULL, media_type TEXT NOT NULL,
  encoding TEXT NOT NULL, body BLOB NOT NULL);
"""

# FULL: 200 means durable, also against power loss. secure_delete FAST: ON would write every deleted journal body again.
_DURABLE = """
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 0;
PRAGMA journal_size_limit = 268435456;
PRAGMA secure_delete = FAST;
"""
READING = "PRAGMA query_only = ON; PRAGMA cache_size = -2048;"

# What one row of a commit does, by its kind; a row without a kind does nothing.
SPREAD = {
    "late": "UPDATE traces SET spans = CAST(spans || NEW.b AS BLOB) WHERE trace_id = NEW.a",
    "document": "UPDATE traces SET document = NEW.b WHERE trace_id = NEW.a",
    "asker": "UPDATE traces SET conversation_id = NEW.b, user = NEW.c WHERE trace_id = NEW.a",
    "forgotten": """UPDATE traces SET document = NEW.b, response_id = NULL, conversation_id = NULL, user = NULL
        WHERE trace_id = NEW.a""",
    "dropped_object": "DELETE FROM objects WHERE kind = NEW.a AND key = NEW.b",
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

_STORE, _STORE_VERSION, _STORE_PAGE = 0x6C6C6D71, 4, 4096  # "llmq" in ASCII
STORE = Schema(
    _STORE,
    _STORE_VERSION,
    _creation(_STORE, _STORE_VERSION, _STORE_PAGE, "INCREMENTAL", _TABLES),
    f"{_DURABLE} PRAGMA cache_size = -16384; {_WORK}",
    page=_STORE_PAGE,
    wal_pages=4000,  # about 16 MB; beyond 4096 look-ups begin to slow
)
# Its pages are used again and again: the file is as large as the longest journal was. They are large, as bodies are: a
# page costs two writes into the WAL and one out of it, whatever its size.
_JOURNAL, _JOURNAL_VERSION, _JOURNAL_PAGE = 0x6C6C6D6A, 1, 16384  # "llmj"
JOURNAL = Schema(
    _JOURNAL,
    _JOURNAL_VERSION,
    _creation(_JOURNAL, _JOURNAL_VERSION, _JOURNAL_PAGE, "NONE", _JOURNAL_TABLES),
    f"{_DURABLE} PRAGMA cache_size = -1024;",
    page=_JOURNAL_PAGE,
    wal_pages=250,
)

# A few sizes, so that each is compiled once. A statement keeps what was last bound to it, so none is of many rows.
MAX_ROWS = 256
SIZES = tuple(1 << n for n in range(MAX_ROWS.bit_length()))


def _rows(count: int, columns: int) -> str:
    return ",".join([f"({','.join('?' * columns)})"] * count)


COMMIT = {size: f"INSERT INTO work VALUES {_rows(size, WORK_COLUMNS)}" for size in SIZES}  # noqa: S608 (constants)


def _insert(into: str, columns: int) -> dict[int, str]:
    """Inserts of rows by their number; a row of None is left out."""
    return {
        size: f"INSERT INTO {into} SELECT * FROM (VALUES {_rows(size, columns)}) WHERE column1 IS NOT NULL"  # noqa: S608
        for size in SIZES
    }


TRACE_COLUMNS = 11
TRACES = _insert(
    """traces(trace_id, recorded_at, app, route, model_version, prompt_version, spans, document,
  response_id, conversation_id, user)""",
    TRACE_COLUMNS,
)
OBJECT_COLUMNS = 4
PUT_OBJECTS = _insert("objects(kind, key, at, value)", OBJECT_COLUMNS)
TOTAL_COLUMNS = 3
ADD_TOTALS = _insert("totals(family, labels, value)", TOTAL_COLUMNS)
ENTRY_COLUMNS = 6
ADD_ENTRIES = _insert("journal(seq, received_at, signal, media_type, encoding, body)", ENTRY_COLUMNS)
REMOVE_ENTRIES = {size: f"DELETE FROM journal WHERE seq IN ({','.join('?' * size)})" for size in SIZES}  # noqa: S608
ENTRIES = """SELECT seq, signal, media_type, encoding, body, received_at FROM journal
WHERE seq > ? ORDER BY seq LIMIT 4"""
FIRST_ENTRY = f"SELECT coalesce(min(seq), {1 << 62}) FROM journal"  # noqa: S608 (a constant)
SEQS = "SELECT seq FROM journal ORDER BY seq"
UNACKNOWLEDGED = "DELETE FROM journal WHERE seq > ?"

DONE = "SELECT seq FROM done"
LAST_SEQ = "SELECT max(value) FROM meta"
TRACE_IDS = "SELECT trace_id FROM traces ORDER BY trace_id"  # in this order the index suffices
LAST_ID = "SELECT coalesce(max(id), 0) FROM traces"
TOTALS = "SELECT family, labels, value FROM totals"
WATERMARK = "SELECT value FROM meta WHERE name = 'watermark'"
RECORDED = """SELECT trace_id, recorded_at, id FROM traces
WHERE (recorded_at, id) > (?, ?) AND recorded_at < ? ORDER BY recorded_at, id LIMIT ?"""
DOCUMENT = "SELECT document FROM traces WHERE trace_id = ?"
OBJECT = "SELECT value FROM objects WHERE kind = ? AND key = ?"
OLD_OBJECTS = "SELECT key FROM objects WHERE kind = ? AND at < ? ORDER BY at LIMIT ?"
OBJECTS = "SELECT key, at, value FROM objects WHERE kind = ? ORDER BY at, key"
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
SHRINK = "PRAGMA incremental_vacuum(512)"

KNOWN = {
    n: f"SELECT trace_id, spans, length(document) = 0 FROM traces WHERE trace_id IN ({','.join('?' * n)})"  # noqa: S608
    for n in (1, 8, 64)
}
