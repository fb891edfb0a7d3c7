"""One SQLite file: a connection that writes and one that reads, each for one thread. Knows no table.

Every SQLite error becomes a StoreError with a reason. A connection that an error may have damaged is opened again for
the next call.
"""

import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from ..errors import StoreError
from . import statements as sql
from .errors import as_store_errors
from .files import Identity
from .upgrade import prepare

Statement = tuple[str, Sequence[Any]]

_NEEDS_REOPENING = frozenset({"io_error", "corrupt", "cannot_open"})


def _connect(path: Path, timeout: float) -> sqlite3.Connection:
    """Open a file that is there: one that was deleted is not to be made anew."""
    return sqlite3.connect(
        f"{path.as_uri()}?mode=rw",
        uri=True,
        timeout=timeout,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=32,
    )


@contextmanager
def naming_what_is_damaged(path: Path) -> Iterator[None]:
    """Names the file and the cure where it is found damaged while it is opened."""
    try:
        yield
    except StoreError as error:
        if error.reason != "corrupt":
            raise
        raise StoreError("corrupt", f"store {path} is not a database, or damaged: name another store") from error


def statements(by_size: dict[int, str], rows: Sequence[Sequence[Any]]) -> Iterator[Statement]:
    """Bulk inserts for this many rows: a few statements of fixed sizes, padded with rows of None."""
    for start in range(0, len(rows), sql.MAX_ROWS):
        some = rows[start : start + sql.MAX_ROWS]
        size = 1 << (len(some) - 1).bit_length()
        padding = repeat(None, (size - len(some)) * len(some[0]))
        yield by_size[size], [*chain.from_iterable(some), *padding]


class Reading:
    """The connection that reads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def rows(self, query: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """All that a query finds; raises StoreError."""
        with self._open() as connection:
            return connection.execute(query, parameters).fetchall()

    @contextmanager
    def each(self, query: str, parameters: tuple[Any, ...] = ()) -> Iterator[Iterator[tuple[Any, ...]]]:
        """The rows of a query, fetched one at a time as they are consumed. Raises StoreError."""
        with self._open() as connection, closing(connection.execute(query, parameters)) as rows:
            yield rows

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one query; what SQLite raises becomes a StoreError."""
        try:
            with as_store_errors():
                if self._connection is None:
                    self._connection = _connect(self._path, timeout=0.1)
                    self._connection.executescript(sql.READING)
                yield self._connection
        except StoreError as error:
            if error.reason in _NEEDS_REOPENING:
                self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next query opens another."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class Writing:
    """The connection that writes. Opens or creates the file; raises StoreError with the cure.

    ``most_wal`` is the size of the WAL in bytes after which a checkpoint is due, where that is less than the default.
    ``opened_again`` is called with a new connection before it is used: the last commit may be in the file although it
    was reported as failed.
    """

    def __init__(
        self,
        path: Path,
        schema: sql.FileSchema,
        opened_again: Callable[[sqlite3.Connection], object] = lambda _: None,
        *,
        most_wal: int | None = None,
    ) -> None:
        self._path = path
        self._schema = schema
        self._opened_again = opened_again
        self._most_wal_pages = min(schema.wal_pages, (most_wal or sys.maxsize) // schema.page)
        self._wal_pages = 0
        self._unacknowledged = False
        """Whether something was committed and nobody told so, because the files had gone."""
        with as_store_errors():
            self._connection: sqlite3.Connection | None = self._open()
            self._identity = Identity(path)  # now that SQLite has opened the WAL, too

    def _open(self, then: Callable[[sqlite3.Connection], object] = lambda _: None) -> sqlite3.Connection:
        connection = _connect(self._path, timeout=5.0)
        try:
            prepare(connection, self._path, self._schema.history)
            connection.executescript(self._schema.settings)
            then(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """The connection, for some statements; what SQLite raises becomes a StoreError."""
        try:
            with as_store_errors():
                if self._connection is None:
                    self._identity.verify(beside=False)  # the WAL may have gone with the last connection
                    self._connection = self._open(self._opened_again)
                    self._identity = Identity(self._path)
                yield self._connection
        except StoreError as error:
            if error.reason in _NEEDS_REOPENING:
                self.close()
            if error.reason == "disk_full":
                self._wal_pages = self._most_wal_pages  # a checkpoint lets the next commit use the WAL's space again
            raise

    def commit(self, work: Sequence[Statement], pages: int) -> None:
        """Execute statements, which write about ``pages`` pages, in one transaction; raises StoreError.

        Also raises where the files were deleted meanwhile: what is written to them is lost with the process.
        """
        with self.connection() as connection:
            self._verify(connection)
            if self._unacknowledged:
                self._opened_again(connection)
                self._unacknowledged = False
            if len(work) == 1:
                connection.execute(*work[0])
            elif work:
                _all_or_none(connection, work)
            self._unacknowledged = True
            self._verify(connection)
            self._unacknowledged = False
        self.wrote(pages)

    def verify(self) -> None:
        """Check that the files are those that were opened; raises StoreError."""
        with self.connection() as connection:
            self._verify(connection)

    def _verify(self, connection: sqlite3.Connection) -> None:
        """Where only the WAL was deleted, its content, which SQLite can still read, is copied into the database."""
        try:
            self._identity.verify()
        except StoreError:
            with suppress(StoreError, sqlite3.Error):
                self._identity.verify(beside=False)
                connection.execute(sql.CHECKPOINT)
            raise

    def wrote(self, pages: int) -> None:
        """Count pages that were added to the WAL."""
        self._wal_pages += pages

    def checkpoint(self) -> None:
        """Copy the WAL into the database when it has grown enough; readers are not disturbed. Raises StoreError."""
        if self._wal_pages < self._most_wal_pages:
            return
        with self.connection() as connection:
            _, in_wal, copied = connection.execute(sql.CHECKPOINT).fetchone()
            self._wal_pages = in_wal - copied
            if in_wal == copied and in_wal > sql.MUCH_WAL * self._schema.wal_pages:
                self.truncate_wal(connection)

    def truncate_wal(self, connection: sqlite3.Connection) -> None:
        """Copy the whole WAL into the database and make its file empty, unless somebody reads it now."""
        connection.execute(sql.TRUNCATE_WAL).fetchone()

    def relieve(self) -> None:
        """On a full disk: empty the WAL, so that it takes no space; raises StoreError."""
        with self.connection() as connection:
            self._verify(connection)
            self.truncate_wal(connection)
        self._wal_pages = 0

    def probe(self) -> None:
        """Rewrite an unchanged value, to check that the file can be written; raises StoreError."""
        with self.connection() as connection:
            self._verify(connection)
            connection.execute(f"PRAGMA user_version = {self._schema.history.version}")

    def close(self) -> None:
        """Close the connection; what was committed stays, and the last to close leaves the file without a WAL."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _all_or_none(connection: sqlite3.Connection, work: Sequence[Statement]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in work:
            connection.execute(*statement)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls back when the disk is full
            connection.execute("ROLLBACK")
        raise
