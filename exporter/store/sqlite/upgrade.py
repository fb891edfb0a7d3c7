"""Prepares a SQLite file for this version of llmq: creates it, upgrades it, or refuses it with the cure.

Upgrades only go forward, in one transaction: after a crash the file is the old or the new one. Before that, a copy of
the file is written beside it, for going back to the older llmq.
"""

import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from ..errors import StoreError
from .errors import as_store_errors
from .migrations.history import Change, History

_ROOM: Final = 16 << 20
"""Bytes that must be free beside what the copy takes."""

_log = logging.getLogger(__name__)


def prepare(connection: sqlite3.Connection, path: Path, history: History) -> None:
    """Create or upgrade the file that a connection has open; raises StoreError and sqlite3.Error."""
    version = checked(connection, path, history)
    if version is None:
        _create(connection, history)
    elif version < history.version:
        _upgrade(connection, path, history, version)


def checked(connection: sqlite3.Connection, path: Path, history: History) -> int | None:
    """The version of a file, None where it is empty; raises StoreError where this llmq cannot make it its own."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != history.application:
        if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] or application or version:
            raise StoreError("foreign", f"{history.called} {path} is the database of another program: {history.cure}")
        return None
    if version > history.version:
        raise StoreError(
            "newer",
            f"{history.called} {path} was written by a newer llmq (schema {version}, this one knows "
            f"{history.version}): upgrade llmq, or {history.cure}",
        )
    if version < history.first:
        raise StoreError(
            "older",
            f"{history.called} {path} was written by an llmq too old to upgrade from (schema {version}, this one "
            f"upgrades from {history.first} on): {history.cure}, or go on with the older llmq",
        )
    return int(version)


def copy_of(path: Path, version: int) -> Path:
    """The path of the copy that was kept before the file was upgraded to that version."""
    return path.with_name(f"{path.name}.before-{version}")


def _create(connection: sqlite3.Connection, history: History) -> None:
    connection.execute(f"PRAGMA page_size = {history.page}")
    connection.execute(f"PRAGMA auto_vacuum = {history.vacuum}")
    connection.execute("PRAGMA journal_mode = WAL")
    _apply(connection, history, 0, [Change(history.first, history.tables), *history.changes])


def _upgrade(connection: sqlite3.Connection, path: Path, history: History, version: int) -> None:
    what = f"{history.called} {path} (schema {version}) must be upgraded to schema {history.version}"
    with as_store_errors(f"{what}; its copy could not be written, and it is as it was"):
        copy = _keep_copy(connection, copy_of(path, history.version), what)
    with as_store_errors(f"{what}; it could not be, and is as it was"):
        _apply(connection, history, version, history.since(version))
    _log.warning(
        "%s upgraded: file=%s schema=%d->%d; as it was before: %s (delete it when you no longer want to go back)",
        *(history.called, path, version, history.version, copy),
    )


def _apply(connection: sqlite3.Connection, history: History, version: int, changes: Sequence[Change]) -> None:
    """Make all changes, or none; none where another process has made them meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] == version:
            for change in changes:
                for statement in _statements(change.statements):
                    connection.execute(statement)
                if change.then is not None:
                    change.then(connection)
            connection.execute(f"PRAGMA application_id = {history.application}")
            connection.execute(f"PRAGMA user_version = {history.version}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls back when the disk is full
            connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    """The statements of a script one by one: executescript() would commit before the first."""
    statement = ""
    for part in script.split(";"):
        statement += f"{part};"
        if part.strip() and sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _keep_copy(connection: sqlite3.Connection, copy: Path, what: str) -> Path:
    """Copy the file with what stands in its WAL; a copy that was broken off has another name and is written anew."""
    _require_room(connection, copy, what)
    unfinished = copy.with_name(f"{copy.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    with closing(sqlite3.connect(unfinished)) as target:
        connection.backup(target)
    _sync(unfinished)
    unfinished.replace(copy)
    _sync(copy.parent)
    return copy


def _require_room(connection: sqlite3.Connection, copy: Path, what: str) -> None:
    pages, page = connection.execute("SELECT page_count, page_size FROM pragma_page_count, pragma_page_size").fetchone()
    needed, free = pages * page + _ROOM, shutil.disk_usage(copy.parent).free
    if free < needed:
        raise StoreError(
            "disk_full",
            f"{what}, and the copy that is kept beside it needs {_megabytes(needed)}, but only "
            f"{_megabytes(free)} are free in {copy.parent}: free some, or move the store to a larger disk",
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
