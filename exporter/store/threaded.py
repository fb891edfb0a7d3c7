"""The protocol of a store whose driver blocks: the writer calls it on threads. Both backends implement it."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from ..records.requests import Entry
from .changes import Changes
from .port import Reads


class ThreadedJournal(Protocol):
    """Acknowledged requests until they are processed; ``commit`` and what follows are called on one thread.

    ``last_seq`` is the last number, ``bytes`` the size of the bodies of all entries, ``leftover`` entries that were
    already processed when it was opened.
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
        """Check that its files are those that were opened; raises StoreError."""

    def checkpoint(self) -> None:
        """Tidy up after a commit, where that is worth its time; raises StoreError."""

    def relieve(self) -> None:
        """After space was freed on a full disk: return unused pages to the file system; raises StoreError."""

    def probe(self) -> None:
        """Check whether anything can be written; raises StoreError."""


class ThreadedStore(Protocol):
    """One opened store; all methods are called on one thread. ``most_bytes``: approximate bound of one transaction."""

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
        """Check that its files are those that were opened; raises StoreError."""

    def checkpoint(self) -> None:
        """Tidy up after a commit, where that is worth its time; raises StoreError."""

    def relieve(self) -> None:
        """On a full disk: free space for acknowledged requests; raises StoreError."""

    def make_room(self) -> None:
        """On a full disk: delete the oldest traces, until there is room for the ballast; raises StoreError."""

    def keep_ballast(self) -> bool:
        """Reserve the emergency disk space; returns whether it is held. Raises StoreError."""

    def probe(self) -> None:
        """Check whether anything can be written; raises StoreError."""

    def prune(self, older_than: float | None, max_bytes: int | None) -> int:
        """Delete some recorded traces that are due, and return how many; see ``port.Writer``. Raises StoreError."""
