"""Spend ledger: what a judge has spent, in a schema that several replicas share. Knows no judge and no model.

A reservation counts as spent from the moment it is made; settling corrects it to the billed amount. One that is never
settled, because its process ended, counts in full: the ledger never shows less than was billed. Hours and days are UTC,
and a call belongs to the hour in which it was reserved.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from ...judge.budget import Caps, Short, Spent, short_of
from .connection import Connected, Connection, Target
from .migrations import migrate

_HOUR: Final = 3600
_DAY: Final = 24
_HOURS_KEPT: Final = 24 * 32
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('llmq ledger ' || current_schema(), 0))"
_SPENT: Final = """SELECT targeted, hour = %s, sum(tokens)::bigint, sum(micros)::bigint FROM spent
WHERE hour BETWEEN %s AND %s GROUP BY 1, 2"""
_ADD: Final = """INSERT INTO spent(hour, targeted, tokens, micros) VALUES (%s, %s, %s, %s)
ON CONFLICT (hour, targeted)
DO UPDATE SET tokens = spent.tokens + excluded.tokens, micros = spent.micros + excluded.micros"""
_RESERVE: Final = "INSERT INTO reserved(hour, targeted, tokens, micros) VALUES (%s, %s, %s, %s) RETURNING id"
_RELEASE: Final = "DELETE FROM reserved WHERE id = %s RETURNING hour, targeted, tokens, micros"
_FORGET: Final = ("DELETE FROM reserved WHERE hour < %s", "DELETE FROM spent WHERE hour < %s")


class LedgerTables:
    """One open ledger. Its methods may be called from any thread, wait for each other, and raise StoreError."""

    def __init__(self, target: Target, caps: Caps, *, now: Callable[[], float] = time.time) -> None:
        self.caps = caps
        self._now = now
        self._connection = Connection(target)
        with self._connection.use() as connection:
            migrate(connection, target.schema)

    def close(self) -> None:
        """Close the connection; what was reserved stays spent."""
        self._connection.close()

    def reserve(self, tokens: int, micros: int, *, targeted: bool = False) -> int | Short:
        """Spend what a call costs at most: the number of the reservation, or the limit that has no room for it."""
        hour = self._hour()
        with self._alone() as connection:
            if short := short_of(self.caps, _spent(connection, hour), tokens, micros, targeted=targeted):
                return short
            connection.execute(_ADD.encode(), (hour, targeted, tokens, micros))
            row = connection.execute(_RESERVE.encode(), (hour, targeted, tokens, micros)).fetchone()
            return int(row[0]) if row else 0

    def settle(self, reservation: int, tokens: int, micros: int) -> None:
        """Correct a reservation to what was billed; without effect where that has been done."""
        with self._alone() as connection:
            found = connection.execute(_RELEASE.encode(), (reservation,)).fetchall()
            for hour, targeted, reserved_tokens, reserved_micros in found:
                more = (hour, targeted, tokens - reserved_tokens, micros - reserved_micros)
                connection.execute(_ADD.encode(), more)
            for statement in _FORGET:
                connection.execute(statement.encode(), (self._hour() - _HOURS_KEPT,))

    def look(self) -> Spent:
        """What all replicas have spent in this hour and this day."""
        with self._connection.use() as connection:
            return _spent(connection, self._hour())

    @contextmanager
    def _alone(self) -> Iterator[Connected]:
        """One transaction, while that of every other replica waits."""
        with self._connection.transaction() as connection:
            connection.execute(_LOCK.encode())
            yield connection

    def _hour(self) -> int:
        return int(self._now() // _HOUR)


def _spent(connection: Connected, hour: int) -> Spent:
    first = hour // _DAY * _DAY
    return Spent.of(connection.execute(_SPENT.encode(), (hour, first, first + _DAY - 1)).fetchall())
