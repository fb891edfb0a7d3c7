"""Journal of acknowledged requests, in a file of its own. Knows nothing of what they contain.

In the file of the recorded traces a request would wait for the transaction that records the last second's results; here
it waits only for requests of its own group. That an entry is processed becomes durable in the store, together with the
results; only then it is removed here. After a crash between the two the store knows that it is processed.

Threads: ``commit``, ``checkpoint`` and ``probe`` belong to one thread; ``entries`` and ``size_bytes`` to another.
"""

import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from ...records.requests import Entry
from ..errors import StoreError
from . import statements as sql
from .database import Reading, Writing, statements

_LITTLE, _MUCH, _SOME = 16 << 20, 64 << 20, 1 << 20
"""Bytes: what is written anew at most, to give how much free space back to the file system; on a full disk, some."""


class SqliteJournal:
    """``done`` are entries of an earlier run that may still be in the file; numbers go on after ``last_seq``."""

    def __init__(self, path: Path, *, last_seq: int = 0, done: Iterable[int] = (), most_wal: int | None = None) -> None:
        self.path = path
        with ExitStack() as opened:
            self._writing = opened.enter_context(
                closing(Writing(path, sql.JOURNAL, self._opened_again, most_wal=most_wal))
            )
            self._reading = opened.enter_context(closing(Reading(path)))
            self._sizes: dict[int, int] = dict(self._reading.rows(sql.SIZES_BY_SEQ))
            self._done = frozenset(self._sizes).intersection(done)
            self.last_seq = max([last_seq, *list(self._sizes)[-1:]])
            self.bytes = sum(self._sizes.values())
            """Of the bodies of all entries in the file."""
            self.oldest = 0
            """No entry before this one is in the file, or ever will be."""
            self._look()
            opened.pop_all()

    def _opened_again(self, connection: sqlite3.Connection) -> None:
        """A commit whose fsync failed may be there after all, yet nobody was told so."""
        connection.execute(sql.UNACKNOWLEDGED, (self.last_seq,))

    @property
    def leftover(self) -> tuple[int, ...]:
        """Entries that were already processed when the file was opened; ``commit`` removes them like others."""
        return tuple(self._done)

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """What was not done with, in the order of acceptance, a few in memory at a time; raises StoreError."""
        seq = 0
        while rows := self._reading.rows(sql.ENTRIES, (seq,)):
            for seq, *fields in rows:
                if seq not in self._done:
                    yield seq, Entry(*fields)

    def commit(self, entries: Sequence[tuple[int, Entry]], done: Sequence[int] = ()) -> None:
        """Make numbered entries durable and remove those that are done, all or nothing; raises StoreError.

        Numbers go up from ``last_seq`` + 1.
        """
        rows = [(seq, e.received_at, e.signal, e.media_type, e.encoding, e.body) for seq, e in entries]
        work = [*statements(sql.ADD_ENTRIES, rows), *statements(sql.REMOVE_ENTRIES, [(seq,) for seq in done])]
        bodies = sum(len(entry.body) for _, entry in entries)
        self._writing.commit(work, 2 + len(rows) + len(done) + bodies // sql.JOURNAL.page)
        self.last_seq = max([self.last_seq, *(seq for seq, _ in entries)])
        self._sizes |= {seq: len(entry.body) for seq, entry in entries}
        self.bytes += bodies - sum(self._sizes.pop(seq, 0) for seq in done)
        if done:
            with suppress(StoreError):  # what was committed is durable whether or not this can be read
                self._look()

    def _look(self) -> None:
        with self._writing.connection() as connection:
            (first,) = connection.execute(sql.FIRST_ENTRY).fetchone()
        self.oldest = min(first, self.last_seq + 1)

    def verify(self) -> None:
        """Check that its files are those that were opened; raises StoreError."""
        self._writing.verify()

    def checkpoint(self) -> None:
        """Copy the WAL into the file when it has grown enough, and give back much free space; raises StoreError."""
        self._writing.verify()
        self._writing.checkpoint()
        self._give_back(_MUCH)

    def _give_back(self, much: int) -> None:
        """Vacuum the file where that is cheap, has room, and frees enough."""
        with suppress(OSError):
            needed, free = 2 * self.bytes + _SOME, shutil.disk_usage(self.path.parent).free
            if self.bytes > _LITTLE or needed > free or self.path.stat().st_size - self.bytes < much:
                return
        with suppress(StoreError), self._writing.connection() as connection:  # a full disk has no room for it
            connection.execute(sql.REWRITE)
            self._writing.truncate_wal(connection)

    def relieve(self) -> None:
        """On a full disk, when some of it was freed: give back what is not needed; raises StoreError."""
        self._writing.relieve()
        self._give_back(_SOME)
        self._writing.probe()

    def probe(self) -> None:
        """Check whether anything can be written; raises StoreError."""
        self._writing.probe()

    def size_bytes(self) -> int:
        """Bytes of the file in use: without free pages, without the WAL; raises StoreError."""
        pages, free, size = self._reading.rows(sql.PAGES)[0]
        return int((pages - free) * size)

    def close(self) -> None:
        """Close the file; what was committed stays."""
        self._reading.close()
        self._writing.close()
