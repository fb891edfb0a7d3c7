"""What the writer asks of a store whose driver blocks: it is called in threads. Each backend here has such a store."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from ..records.requests import Entry
from .changes import Changes
from .port import Reads


class ThreadedJournal(Protocol):
    """Acknowledged requests until they are done with; ``commit`` and what follows belong to one thread.

    ``last_seq`` is the last number, ``bytes`` are those of the bodies of all entries, ``leftover`` are entries that
    were done with when it was opened.
    """

    last_seq: int
    bytes: int

    @property
    def leftover(self) -> tuple[int, ...]:
        """Entries that were done with when it was opened; ``commit`` removes them as others."""

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """What was not done with, in the order of acceptance; raises StoreError."""

    def commit(self, entries: Sequence[tuple[int, Entry]], done: Sequence[int] = ()) -> None:
        """Make numbered entries durable and remove those that are done, all or nothing; raises StoreError."""

    def verify(self) -> None:
        """See whether it is what was opened; raises StoreError."""

    def checkpoint(self) -> None:
        """Tidy up after a commit, where that is worth its time; raises StoreError."""

    def relieve(self) -> None:
        """On a full disk, when some of it was freed: give back what is not needed; raises StoreError."""

    def probe(self) -> None:
        """See whether anything can be written; raises StoreError."""


class ThreadedStore(Protocol):
    """One opened store; all methods belong to one thread. ``most_bytes``: of one transaction, about."""

    most_bytes: int

    @property
    def journal(self) -> ThreadedJournal:
        """The requests of this replica."""

    @property
    def reads(self) -> Reads:
        """What is durable."""

    def commit(self, changes: Changes) -> None:
        """Make changes durable, all or nothing; raises StoreError. The same may be committed again."""

    def verify(self) -> None:
        """See whether it is what was opened; raises StoreError."""

    def checkpoint(self) -> None:
        """Tidy up after a commit, where that is worth its time; raises StoreError."""

    def relieve(self) -> None:
        """On a full disk: make room for what was acknowledged; raises StoreError."""

    def make_room(self) -> None:
        """On a full disk: delete the oldest traces, until there is room for the ballast; raises StoreError."""

    def keep_ballast(self) -> bool:
        """Lay the ballast; says whether it is there. Raises StoreError."""

    def probe(self) -> None:
        """See whether anything can be written; raises StoreError."""

    def prune(self, older_than: float | None, max_bytes: int | None) -> int:
        """Delete some recorded traces that are due, and return how many; see ``port.Writer``. Raises StoreError."""
