"""Journal of acknowledged requests of one replica, in the database. Knows nothing of what they contain.

An entry is removed in the transaction that writes its results, so a crash cannot come between the two.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from ...records.requests import Entry
from .connection import Connected, Connection, Target
from .lease import Lease

_SIZES: Final = "SELECT seq, length(body) FROM journal WHERE replica = %s ORDER BY seq"
_LAST: Final = "SELECT greatest(watermark, last_seq) FROM progress WHERE replica = %s"
_ENTRIES: Final = """SELECT seq, signal, media_type, encoding, body, received_at FROM journal
WHERE replica = %s AND seq > %s ORDER BY seq LIMIT 16"""
_UNACKNOWLEDGED: Final = "DELETE FROM journal WHERE replica = %s AND seq > %s"
# What is there already is of a commit whose connection was lost, and that the server ended only now.
_ADD: Final = """INSERT INTO journal VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (replica, seq) DO UPDATE SET received_at = excluded.received_at, signal = excluded.signal,
  media_type = excluded.media_type, encoding = excluded.encoding, body = excluded.body"""


class PostgresJournal:
    """The journal of one replica. ``commit`` and ``probe`` belong to one thread, all else to the event loop's."""

    leftover: tuple[int, ...] = ()
    """None: what is done with is removed with what was made of it."""

    def __init__(self, target: Target, lease: Lease, reading: Connection) -> None:
        self._lease = lease
        self._reading = reading
        self._writing = Connection(target)
        self._sizes: dict[int, int] = dict(reading.rows(_SIZES, (lease.replica,)))
        last = reading.rows(_LAST, (lease.replica,))
        self.last_seq = max([int(last[0][0]) if last else 0, *list(self._sizes)[-1:]])
        self.bytes = sum(self._sizes.values())
        """Of the bodies of all entries of this replica."""

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """What was not done with, in the order of acceptance, a few in memory at a time; raises StoreError."""
        seq = 0
        while rows := self._reading.rows(_ENTRIES, (self._lease.replica, seq)):
            for seq, *fields in rows:
                yield seq, Entry(*fields)

    def commit(self, entries: Sequence[tuple[int, Entry]], done: Sequence[int] = ()) -> None:
        """Make numbered entries durable, all or nothing; raises StoreError. Those that are done are gone already.

        Numbers go up from ``last_seq`` + 1.
        """
        replica = self._lease.replica
        if entries:
            rows = [(replica, seq, e.received_at, e.signal, e.media_type, e.encoding, e.body) for seq, e in entries]
            with self._writing.transaction() as connection:
                self._lease.check(connection)
                self._forget_unacknowledged(connection)
                with connection.cursor() as cursor:
                    cursor.executemany(_ADD, rows)
            self.last_seq = max(seq for seq, _ in entries)
        self._sizes |= {seq: len(entry.body) for seq, entry in entries}
        bodies = sum(len(entry.body) for _, entry in entries)
        self.bytes += bodies - sum(self._sizes.pop(seq, 0) for seq in done)

    def _forget_unacknowledged(self, connection: Connected) -> None:
        """A commit whose connection was lost may be there after all, yet nobody was told so."""
        connection.execute(_UNACKNOWLEDGED, (self._lease.replica, self.last_seq))

    def verify(self) -> None:
        """Nothing to see: the database is one, whatever happens to its files."""

    def checkpoint(self) -> None:
        """Nothing to do: the database does it."""

    def relieve(self) -> None:
        """Nothing to do: the database's disk is its own."""

    def probe(self) -> None:
        """Check whether anything can be written; raises StoreError."""
        with self._writing.transaction() as connection:
            self._lease.check(connection)
            self._forget_unacknowledged(connection)

    def close(self) -> None:
        """Close the connection; what was committed stays."""
        self._writing.close()
