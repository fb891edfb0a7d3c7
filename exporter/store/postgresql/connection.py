"""One PostgreSQL connection, opened on first use and reopened after it was lost; driver errors become StoreError."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg
from msgspec import Struct
from psycopg.conninfo import conninfo_to_dict

from ..errors import StoreError

Connected = psycopg.Connection[tuple[Any, ...]]
_PATIENCE: Final = 3
"""Seconds until a server that does not answer is given up, for one address."""
_STATEMENT: Final = 30_000
"""Milliseconds that one statement may take."""
_IDLE: Final = 60_000
"""The same that a transaction may rest."""
_DEAD_PEER: Final = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
_SESSION: Final = {
    "statement_timeout": _STATEMENT,
    "idle_in_transaction_session_timeout": _IDLE,
    # The server notices a dead client as soon as the client notices a dead server, and gives its locks up.
    **{name if name.startswith("tcp") else f"tcp_{name}": value for name, value in _DEAD_PEER.items()},
}
_TRIES: Final = 5
_ENDED_FOR_ANOTHER: Final = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
_DURABLE: Final = "-c synchronous_commit=on"
"""What is acknowledged is on the disk, whatever the role's default is; options in the URL may say otherwise."""
_REASONS: Final[tuple[tuple[type[psycopg.Error], str, str], ...]] = (
    (psycopg.errors.DiskFull, "disk_full", "its disk is full"),
    (psycopg.errors.ReadOnlySqlTransaction, "read_only", "it is read-only: a standby, perhaps"),
    (psycopg.errors.InsufficientPrivilege, "read_only", "its role may not do that: it must own the schema"),
    (psycopg.errors.LockNotAvailable, "locked", "somebody has locked it"),
    (psycopg.errors.DeadlockDetected, "locked", "somebody has locked it"),
    (psycopg.errors.SerializationFailure, "locked", "somebody changed it meanwhile"),
    (psycopg.errors.QueryCanceled, "locked", "it took too long"),
    (psycopg.errors.DataCorrupted, "corrupt", "it is damaged"),
    (psycopg.errors.InvalidAuthorizationSpecification, "cannot_open", "it refuses the role or its password"),
    (psycopg.errors.InvalidCatalogName, "cannot_open", "there is no such database"),
    (psycopg.OperationalError, "unreachable", "it cannot be reached, or refuses the role, its password or its name"),
    (psycopg.InterfaceError, "unreachable", "it cannot be reached"),
)


class Target(Struct, frozen=True):
    """Which database, in which schema, with which password; ``url`` as libpq reads it, without a password."""

    url: str
    schema: str
    password: str = ""

    def __repr__(self) -> str:
        return f"<schema {self.schema} of a PostgreSQL database>"

    @property
    def options(self) -> dict[str, Any]:
        """The parameters of a connection."""
        given = conninfo_to_dict(self.url)
        settings = {"search_path": self.schema, **_SESSION}
        options = [f"-c {name}={value}" for name, value in settings.items()]
        given["options"] = " ".join([_DURABLE, str(given.get("options") or ""), *options])
        password = {"password": self.password} if self.password else {}
        return {"connect_timeout": _PATIENCE, "application_name": "llmq", **_DEAD_PEER, **given, **password}


@contextmanager
def as_store_errors() -> Iterator[None]:
    """Turn what the driver raises into StoreError."""
    try:
        yield
    except psycopg.Error as error:
        for kind, reason, words in _REASONS:
            if isinstance(error, kind):
                raise StoreError(reason, f"the database: {words}") from error
        state = error.sqlstate or type(error).__name__
        raise StoreError("internal", f"the database refused (SQLSTATE {state})") from error


class Connection:
    """One connection, used by one thread at a time. ``prepare`` is called with each new connection."""

    def __init__(self, target: Target, prepare: Callable[[Connected], None] = lambda _: None) -> None:
        self._target = target
        self._prepare = prepare
        self._turn = threading.RLock()
        self._connection: Connected | None = None
        self._closed = False
        self._process = os.getpid()
        self._of_others: list[Connected] = []

    @contextmanager
    def use(self) -> Iterator[Connected]:
        """The connection; raises StoreError. What is done with it is committed statement by statement."""
        with self._turn, as_store_errors():
            try:
                yield self._open()
            except psycopg.Error as error:
                if self._is_useless() or isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
                    self._drop()  # of several hosts another one may be the primary now
                raise

    @contextmanager
    def transaction(self) -> Iterator[Connected]:
        """The connection in a transaction, which is committed at the end, or not at all; raises StoreError."""
        with self.use() as connection, connection.transaction():
            yield connection

    def commit(self, work: Callable[[Connected], None]) -> None:
        """Do some work in a transaction, and again where the server ended it for another's sake; raises StoreError."""
        with self.use() as connection:
            for others in reversed(range(_TRIES)):
                try:
                    with connection.transaction():
                        work(connection)
                except _ENDED_FOR_ANOTHER:
                    if not others:
                        raise
                else:
                    return

    def _is_useless(self) -> bool:
        connection = self._connection
        return connection is not None and connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query; raises StoreError. It is asked once more where the connection was lost meanwhile."""
        try:
            return self._rows(query, values)
        except StoreError as error:
            if error.reason != "unreachable":
                raise
            return self._rows(query, values)

    def _rows(self, query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self.use() as connection:
            return connection.execute(query.encode(), values, binary=True).fetchall()

    def _open(self) -> Connected:
        if self._closed:
            raise StoreError("closed", "the store is closed")
        if self._connection is not None and os.getpid() != self._process:
            self._of_others.append(self._connection)  # a copy of the process must neither use nor close it
            self._connection = None
        if self._connection is None or self._connection.closed:
            connection = psycopg.connect("", autocommit=True, **self._target.options)
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection, self._process = connection, os.getpid()
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()

    def close(self) -> None:
        """Close it for good."""
        with self._turn:
            self._closed = True
            self._drop()
