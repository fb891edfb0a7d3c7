"""The store on PostgreSQL: recorded traces, records, totals of one replica, and the journal. Knows no span or metric.

The driver is psycopg, whose connections are used by threads, as those of SQLite are: libpq under it finds the primary
among several hosts, and reads certificates and passwords as all other programs of PostgreSQL do.

Threads: ``commit``, ``probe`` and ``prune`` belong to one thread (the writer's); what ``reads`` does to another; all
other methods to the event loop's. Each has its own connection.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

from ...records.requests import Entry
from ...records.traces import FORGOTTEN, NO_ANSWER
from ..changes import Changes
from ..errors import StoreError
from ..in_work import InWork
from ..reads import ThreadedReads
from ..searching import Searching
from ..writer import ThreadedWriter
from . import statements as sql
from .answers import AnswersIndex
from .connection import Connected, Connection, Target
from .journal import PostgresJournal
from .lease import Lease
from .migrations import migrate
from .rows import PostgresRows, as_bytes, as_text, key_values

_BATCH: Final = 1024
"""Traces that are deleted at a time."""
_MOST_BYTES: Final = 64 << 20
"""Of one transaction, about."""
_ANY_DISK: Final = 1 << 62
"""The disk of the database is another's."""


class PostgresStore:
    """One replica's share of a store, whose schema is created or migrated where need be. Raises StoreError.

    ``path`` is beside which this process marks what it works on. ``now`` is Unix seconds.
    """

    most_bytes = _MOST_BYTES
    disk_bytes = _ANY_DISK
    ballast_bytes = 0

    def __init__(self, target: Target, replica: str, path: Path, now: Callable[[], float] = time.time) -> None:
        self.replica = replica
        self.path = path
        self._target = target
        self._now = now
        self._lease = Lease(replica)
        self._size = 0
        with ExitStack() as opened:
            self._writing = opened.enter_context(closing(Connection(target, self._begin_session)))
            self._reading = opened.enter_context(closing(Connection(target)))
            with self._writing.use():
                pass
            self.journal = opened.enter_context(closing(PostgresJournal(target, self._lease, self._reading)))
            try:
                self.in_work = InWork.beside(path)
            except OSError as error:
                raise StoreError(
                    "cannot_open", f"{path.parent}: cannot be written: name another store.files"
                ) from error
            self.rows = PostgresRows(self._reading, replica)
            other = Connection(target)
            self.reads = ThreadedReads(PostgresRows(other, replica), other.close)
            self._measure()
            opened.pop_all()

    def _begin_session(self, connection: Connected) -> None:
        if not self._lease.fence:
            migrate(connection, self._target.schema)
        self._lease.take(connection)
        connection.execute(sql.SESSION.encode())

    def writer(
        self,
        on_durable: Callable[[int, Entry, Any], None],
        *,
        on_commit: Callable[[float], None],
        on_error: Callable[[str], None],
    ) -> ThreadedWriter:
        """What writes this store, see ``port.Store``; one at a time."""
        return ThreadedWriter(self, on_durable, on_commit=on_commit, on_error=on_error)

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """What an earlier run left in the journal, in the order of acceptance; raises StoreError."""
        return self.journal.entries()

    def resize_ballast(self, size: int) -> None:
        """Nothing to do: the disk of the database is its own."""

    def answers(self) -> Searching:
        """Searches of its answers, with a connection of their own."""
        return Searching(AnswersIndex(self._target))

    def close(self) -> None:
        """Close the connections; what was committed stays."""
        self.in_work.close()
        self.reads.close()
        self.journal.close()
        self._reading.close()
        self._writing.close()

    # The writer's side.

    def commit(self, changes: Changes) -> None:
        """Make changes durable, all or nothing; raises StoreError. The same may be committed again."""
        self._writing.commit(lambda connection: self._write(connection, changes))

    def _write(self, connection: Connected, changes: Changes) -> None:
        connection.execute(sql.TAKE_TIME.encode())
        self._lease.check(connection)
        _add_traces(connection, changes)
        with connection.pipeline(), connection.cursor() as cursor:
            for statement, rows in self._statements(changes).items():
                if rows:
                    cursor.executemany(statement.encode(), rows)
        self._add_totals(connection, changes)

    def _statements(self, changes: Changes) -> dict[str, list[tuple[Any, ...]]]:
        """What is to be run, in this order, and with which values."""
        replica = self.replica
        found: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
        found[sql.LATE] = [(keys, trace_id) for trace_id, keys in changes.late.items()]
        found[sql.REWRITE] = [(text, as_text(marks), id_) for id_, (text, marks) in changes.documents.items()]
        found[sql.ASKERS] = [(as_bytes(talk), as_bytes(user), trace_id) for trace_id, talk, user in changes.askers]
        found[sql.FORGET] = [(FORGOTTEN, NO_ANSWER, trace_id) for trace_id in changes.forgotten]
        found[sql.DROP_TOTALS] = [(replica, family, as_text(labels)) for family, labels in changes.dropped_totals]
        if changes.done or changes.watermark:
            found[sql.DONE] = [(replica, changes.done)]
            found[sql.PROGRESS] = [(replica, changes.watermark, max(changes.done, default=0))]
        for (kind, key), (at, encoded) in changes.records.items():
            values = key_values(kind, key, replica)
            if encoded is None:
                found[sql.drop_records(kind)].append(values)
            else:
                found[sql.put_records(kind)].append((*values, at, encoded, kind.version))
        for (ids, id_), met_at in changes.ids.items():
            if met_at is None:
                found[sql.drop_ids(ids)].append((id_,))
            else:
                found[sql.put_ids(ids)].append((id_, met_at))
        for ids, before, most in changes.old_ids:
            found[sql.drop_old_ids(ids)].append((before, most))
        return found

    def _add_totals(self, connection: Connected, changes: Changes) -> None:
        totals = {(family, labels): value for family, labels, value in changes.totals}  # the last one counts
        if not totals:
            return
        connection.execute("TRUNCATE incoming_totals")
        with connection.cursor() as cursor, cursor.copy(sql.COPY_TOTALS.encode()) as copy:
            copy.set_types(["text", "text", "text"])
            for (family, labels), value in totals.items():
                copy.write_row((family, as_text(labels), as_text(value)))
        connection.execute(sql.ADD_TOTALS.encode(), (self.replica,))

    def verify(self) -> None:
        """Nothing to see: the database is one, whatever happens to its files."""

    def checkpoint(self) -> None:
        """Nothing to do: the database does it."""

    def relieve(self) -> None:
        """Nothing to do: the database's disk is its own."""

    def make_room(self) -> None:
        """Nothing to do, as above."""

    def keep_ballast(self) -> bool:
        """There is none to lay."""
        return True

    def probe(self) -> None:
        """Check whether anything can be written; raises StoreError."""
        with self._writing.transaction() as connection:
            self._lease.check(connection)

    def prune(self, older_than: float | None, max_bytes: int | None, batch: int = _BATCH) -> int:
        """Delete up to ``batch`` recorded traces, oldest first, and return how many; 0 means that nothing is due.

        Due is what was recorded more than ``older_than`` seconds ago, and anything while the traces take more than
        ``max_bytes``, by a sample of their sizes. Replicas that prune together delete different ones.
        Raises StoreError.
        """
        with self._writing.use() as connection:
            deleted = 0
            if older_than is not None:
                deleted = connection.execute(sql.PRUNE.encode(), (batch, self._now() - older_than)).rowcount
            if not deleted and max_bytes is not None:
                row = connection.execute(sql.USED.encode()).fetchone()
                if row and row[0] > max_bytes:
                    deleted = connection.execute(sql.PRUNE.encode(), (batch, float("inf"))).rowcount
                    connection.execute("ANALYZE traces")
        if not deleted:
            self._measure()
        return deleted

    def _measure(self) -> None:
        with self._writing.use() as connection:
            row = connection.execute(sql.SIZE.encode()).fetchone()
            self._size = int(row[0]) if row else 0

    # The event loop's side.

    def size_bytes(self) -> int:
        """Bytes of all tables and indexes in the schema, of all replicas, as they were when it was last pruned."""
        return self._size


def _add_traces(connection: Connected, changes: Changes) -> None:
    traces = {row.trace_id: row for row in changes.traces}  # the last one counts
    if not traces:
        return
    connection.execute("TRUNCATE incoming_traces")
    with connection.cursor() as cursor, cursor.copy(sql.COPY_TRACES.encode()) as copy:
        copy.set_types(sql.TYPES)
        for one in traces.values():
            labels = map(as_text, (one.app, one.route, one.model_version, one.prompt_version))
            ids = map(as_bytes, (one.response_id, one.conversation_id, one.user))
            copy.write_row((one.trace_id, one.recorded_at, *labels, one.spans, one.document, *ids, as_text(one.marks)))
    connection.execute(sql.ADD_TRACES.encode())
