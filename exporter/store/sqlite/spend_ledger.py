"""Spend ledger: what a judge has spent, in one SQLite file that several processes share. Knows no judge and no model.

A reservation counts as spent from the moment it is made; settling corrects it to the billed amount. One that is never
settled, because its process ended, counts in full: the ledger never shows less than was billed. Hours and days are UTC,
and a call belongs to the hour in which it was reserved.
"""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ...judge.budget import Caps, Short, Spent, short_of
from .errors import as_store_errors
from .files import Identity
from .migrations.ledger import LEDGER
from .upgrade import prepare

_HOUR: Final = 3600
_DAY: Final = 24
_HOURS_KEPT: Final = 24 * 32
_BUSY: Final = 30.0
_SPENT: Final = """SELECT targeted, hour = :hour, sum(tokens), sum(micros) FROM spent
WHERE hour BETWEEN :first AND :first + 23 GROUP BY targeted, hour = :hour"""
_ADD: Final = """INSERT INTO spent(hour, targeted, tokens, micros) VALUES (?, ?, ?, ?)
ON CONFLICT(hour, targeted) DO UPDATE SET tokens = tokens + excluded.tokens, micros = micros + excluded.micros"""
_RESERVE: Final = "INSERT INTO reserved(hour, targeted, tokens, micros) VALUES (?, ?, ?, ?)"
_RELEASE: Final = "DELETE FROM reserved WHERE id = ? RETURNING hour, targeted, tokens, micros"
_FORGET: Final = ("DELETE FROM reserved WHERE hour < ?", "DELETE FROM spent WHERE hour < ?")


class LedgerFile:
    """One open ledger. Its methods may be called from any thread, wait for each other, and raise StoreError."""

    def __init__(self, path: Path, caps: Caps, *, now: Callable[[], float] = time.time) -> None:
        self.path = path
        self.caps = caps
        self._now = now
        self._turn = threading.Lock()
        with as_store_errors(f"ledger {path}"):
            self._connection = _open(path)
            self._identity = Identity(path)

    def close(self) -> None:
        """Close the ledger; what was reserved stays spent."""
        with self._turn:
            self._connection.close()

    def reserve(self, tokens: int, micros: int, *, targeted: bool = False) -> int | Short:
        """Spend what a call costs at most: the number of the reservation, or the limit that has no room for it."""
        hour = self._hour()
        with self._transaction() as connection:
            if short := short_of(self.caps, _spent(connection, hour), tokens, micros, targeted=targeted):
                return short
            connection.execute(_ADD, (hour, targeted, tokens, micros))
            return connection.execute(_RESERVE, (hour, targeted, tokens, micros)).lastrowid or 0

    def settle(self, reservation: int, tokens: int, micros: int) -> None:
        """Correct a reservation to what was billed; without effect where that has been done."""
        with self._transaction() as connection:
            found = connection.execute(_RELEASE, (reservation,)).fetchall()
            for hour, targeted, reserved_tokens, reserved_micros in found:
                connection.execute(_ADD, (hour, targeted, tokens - reserved_tokens, micros - reserved_micros))
            oldest = self._hour() - _HOURS_KEPT
            for statement in _FORGET:
                connection.execute(statement, (oldest,))

    def spent(self) -> Spent:
        """What was spent in this hour and this day, by all processes."""
        with self._turn, as_store_errors(f"ledger {self.path}"):
            return _spent(self._connection, self._hour())

    def verify(self) -> None:
        """Check whether the ledger is the one that was opened."""
        self._identity.verify()

    def look(self) -> Spent:
        """What was spent in this hour and this day, in the ledger that was opened."""
        self.verify()
        return self.spent()

    def _hour(self) -> int:
        return int(self._now() // _HOUR)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction that holds the ledger against every other process from its first reading."""
        with self._turn, as_store_errors(f"ledger {self.path}"):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
                self._identity.verify()  # what was spent in a file that is gone would be forgotten
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


def _spent(connection: sqlite3.Connection, hour: int) -> Spent:
    return Spent.of(connection.execute(_SPENT, {"hour": hour, "first": hour // _DAY * _DAY}))


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.with_name(f"{path.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # SQLite does not wait where two processes turn a new file to WAL at once
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
        try:
            prepare(connection, path, LEDGER)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("SELECT count(*) FROM spent")  # opens the WAL
        except BaseException:
            connection.close()
            raise
        return connection
