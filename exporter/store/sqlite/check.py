"""Integrity check of a SQLite file and what it contains. Read-only, also while an exporter uses the file."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from ...records.traces import FORGOTTEN
from ..errors import StoreError
from ..kinds import DOCUMENT, KINDS, TOTAL, Ids
from .errors import as_store_errors
from .files import beside
from .migrations.history import History
from .migrations.journal import JOURNAL
from .migrations.ledger import LEDGER
from .migrations.store import STORE
from .upgrade import checked

_HISTORIES: Final = {history.application: history for history in (STORE, JOURNAL, LEDGER)}
_MOST_FAULTS: Final = 100
_KEYS: Final = 8
"""Bytes of the key of one part of a trace."""


class HeldRows(Struct, frozen=True, kw_only=True):
    """Rows of one kind: their number, versions, bytes of their values, first and last time (Unix seconds)."""

    kind: str
    rows: int
    versions: tuple[int, ...] = ()
    bytes: int
    oldest: float | None = None
    newest: float | None = None


class Report(Struct, frozen=True, kw_only=True):
    """The result for one file; ``faults`` are sentences, none where it is sound."""

    path: str
    called: str
    schema: int
    newest_schema: int
    bytes: int
    held: tuple[HeldRows, ...]
    faults: tuple[str, ...]


def check(path: Path) -> list[Report]:
    """The file, and for a store its journal, too; raises StoreError where a file is missing, or cannot be read."""
    path = path.resolve()  # journal and WAL stand beside the file itself, whatever link it is named by
    found = _check(path)
    if found.called == STORE.called and beside(path).exists():
        return [found, _check(beside(path))]
    return [found]


def _check(path: Path) -> Report:
    if not path.is_file():
        raise StoreError("cannot_open", f"{path}: there is no such file; name a store, such as llmq.db")
    with as_store_errors(str(path)), closing(_connected(path)) as connection, _one_moment(connection):
        history = _history(connection, path)
        version = checked(connection, path, history)
        faults = list(_damage(connection))
        held = () if faults else tuple(_READERS[history.application](connection))
        faults += _wrong(held) if held else []
        faults += [] if faults else _INVARIANTS[history.application](connection)
        return Report(
            path=str(path),
            called=history.called,
            schema=version or 0,
            newest_schema=history.version,
            bytes=path.stat().st_size,
            held=held,
            faults=tuple(faults),
        )


def _connected(path: Path) -> sqlite3.Connection:
    """Without a WAL nobody has the file open, and it can be read without writing even the smallest file beside it."""
    unused = not path.with_name(f"{path.name}-wal").exists()
    uri = f"{path.as_uri()}?{'immutable=1' if unused else 'mode=ro'}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5.0)


@contextmanager
def _one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    """Read everything as of one moment."""
    connection.execute("BEGIN")
    yield
    connection.execute("COMMIT")


def _history(connection: sqlite3.Connection, path: Path) -> History:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application not in _HISTORIES:
        raise StoreError("foreign", f"{path} is no file of llmq: name a store, a journal or a ledger")
    return _HISTORIES[application]


def _damage(connection: sqlite3.Connection) -> Iterator[str]:
    found = [line for (line,) in connection.execute(f"PRAGMA integrity_check({_MOST_FAULTS})") if line != "ok"]
    if found:
        more = "at least " if len(found) >= _MOST_FAULTS else ""
        yield f"damaged: {more}{len(found)} faults in its pages and indexes; put a copy of it in its place"


def _wrong(held: tuple[HeldRows, ...]) -> list[str]:
    known = {name: kind.version for name, kind in KINDS.items()} | dict.fromkeys(("request", "hour", "reservation"), 1)
    unknown = [
        f'holds "{one.kind}", which this llmq does not know: upgrade llmq' for one in held if one.kind not in known
    ]
    newer = [
        f'holds "{one.kind}" of version {max(one.versions)}, and this llmq reads up to {known[one.kind]}: upgrade llmq'
        for one in held
        if one.kind in known and one.versions and max(one.versions) > known[one.kind]
    ]
    return unknown + newer


# The store.


def _store(connection: sqlite3.Connection) -> Iterator[HeldRows]:
    columns = {name for (name,) in connection.execute("SELECT name FROM pragma_table_info('totals')")}
    version = "coalesce(version, 1)" if "version" in columns else "1"
    yield from _table(connection, f"SELECT '{DOCUMENT.name}', recorded_at, length(document), {version} FROM traces")  # noqa: S608
    yield from _table(connection, f"SELECT '{TOTAL.name}', NULL, length(value), {version} FROM totals")  # noqa: S608
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if "objects" in tables:  # until schema 5
        yield from _table(connection, f"SELECT kind, nullif(at, 0), length(value), {version} FROM objects")  # noqa: S608
    if "formats" in tables:
        names = [name for (name,) in connection.execute("SELECT kind FROM formats ORDER BY kind")]
        yield from (HeldRows(kind=name, rows=0, bytes=0) for name in names if name not in KINDS)
    for kind in sorted(KINDS.values(), key=lambda one: one.name):
        if kind in (DOCUMENT, TOTAL) or kind.table not in tables:
            continue
        row = "nullif(at, 0), 0, 1" if isinstance(kind, Ids) else "nullif(at, 0), length(record), version"
        yield from _table(connection, f"SELECT '{kind.name}', {row} FROM {kind.table}")  # noqa: S608


def _table(connection: sqlite3.Connection, rows: str) -> Iterator[HeldRows]:
    query = f"""WITH rows(kind, at, size, version) AS ({rows})
        SELECT kind, count(*), group_concat(DISTINCT version), sum(size), min(at), max(at)
        FROM rows GROUP BY kind ORDER BY kind"""  # noqa: S608 (constants)
    for kind, count, versions, size, oldest, newest in connection.execute(query):
        several = tuple(sorted(int(one) for one in str(versions).split(",")))
        yield HeldRows(kind=kind, rows=count, versions=several, bytes=size, oldest=oldest, newest=newest)


def _store_invariants(connection: sqlite3.Connection) -> list[str]:
    connection.create_function("is_json", 1, _is_json, deterministic=True)
    queries = {
        "traces whose parts' keys are cut off": f"SELECT count(*) FROM traces WHERE length(spans) % {_KEYS}",  # noqa: S608
        "traces whose document is not JSON": "SELECT count(*) FROM traces WHERE NOT is_json(document)",
        "totals that are not JSON": "SELECT count(*) FROM totals WHERE NOT (is_json(value) AND is_json(labels))",
        "marks of how far the journal is done are missing": "SELECT 2 - count(*) FROM meta "
        "WHERE name IN ('watermark', 'spent_seq')",
    }
    return _counted(connection, queries)


def _is_json(value: bytes | str) -> bool:
    if value in (b"", FORGOTTEN):
        return True
    try:
        json.loads(value)
    except ValueError:
        return False
    return True


# The journal, and the ledger.


def _journal(connection: sqlite3.Connection) -> Iterator[HeldRows]:
    for held in _table(connection, "SELECT 'request', received_at, length(body), 1 FROM journal"):
        yield HeldRows(kind=held.kind, rows=held.rows, bytes=held.bytes, oldest=held.oldest, newest=held.newest)


def _journal_invariants(connection: sqlite3.Connection) -> list[str]:
    return _counted(connection, {"requests without a number": "SELECT count(*) FROM journal WHERE seq < 1"})


def _ledger(connection: sqlite3.Connection) -> Iterator[HeldRows]:
    for kind, table in (("hour", "spent"), ("reservation", "reserved")):
        query = f"SELECT count(*), 3600.0 * min(hour), 3600.0 * max(hour) FROM {table}"  # noqa: S608 (a constant)
        for count, oldest, newest in connection.execute(query):
            yield HeldRows(kind=kind, rows=count, bytes=0, oldest=oldest, newest=newest)


def _ledger_invariants(connection: sqlite3.Connection) -> list[str]:
    query = "SELECT count(*) FROM spent WHERE tokens < 0 OR micros < 0"
    return _counted(connection, {"hours in which less than nothing was spent": query})


def _counted(connection: sqlite3.Connection, queries: dict[str, str]) -> list[str]:
    found = {what: connection.execute(query).fetchone()[0] for what, query in queries.items()}
    return [f"{count} {what}; put a copy of it in its place" for what, count in found.items() if count]


_READERS: Final = {STORE.application: _store, JOURNAL.application: _journal, LEDGER.application: _ledger}
_INVARIANTS: Final = {
    STORE.application: _store_invariants,
    JOURNAL.application: _journal_invariants,
    LEDGER.application: _ledger_invariants,
}
