"""What the exporter asks of a store, whichever database is under it. Knows no SQL.

A backend is a folder beside this file with one class that is a ``Store``: ``sqlite/`` is one. It must

- read what is durable (``Reads``), without blocking the event loop;
- make ``Changes`` durable, all of them or none, in the order in which ``commit`` was called, so that the same changes
  may be committed again (a key is written in the place of what is there; deleting what is gone is nothing);
- run one unit of work after the other (``work``), each seeing what all before it have written;
- say with a ``StoreError`` and its reason what it could not do, and have done none of it then.

``tests/test_store_promises.py`` is what all of them must pass. Totals and the journal belong to a replica, by its name;
everything else is shared by all that use the database.
"""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from ..records.traces import KnownParts, Located, Place, Reference
from .changes import Changes, Key
from .kinds import Ids, Kind
from .repositories import Repositories

Total = tuple[str, str, str]
"""Family, labels and value of one total."""


class Reads(Protocol):
    """Reads what is durable; raises StoreError. Nothing in here blocks the event loop."""

    async def record(self, kind: Kind[Any, Any], key: Key) -> tuple[bytes, int] | None:
        """One record as it is stored, and its version; None where there is none."""

    async def records(self, kind: Kind[Any, Any]) -> list[tuple[Key, float, bytes, int]]:
        """All of a kind as (key, time, record, version), in the order of times, then keys."""

    async def ids_among(self, ids: Ids, keys: Collection[bytes]) -> set[bytes]:
        """Those of the keys that are there."""

    async def ids(self, ids: Ids) -> list[tuple[bytes, float]]:
        """All ids with their times, the earliest first."""

    async def known(self, trace_ids: Sequence[bytes]) -> dict[bytes, KnownParts]:
        """What is known of the parts of those of the traces that are recorded."""

    async def document(self, trace_id: bytes) -> bytes | None:
        """The document of a recorded trace, which may be empty or that of a forgotten one; None without a trace."""

    async def located(self, by: Reference, value: str | bytes) -> list[Located]:
        """Recorded traces by an id: one or none, the last of a conversation, all of a user."""

    async def recorded(self, after: Place, before: float, most: int) -> list[tuple[bytes, Place]]:
        """Traces in the order of recording, after a place and recorded before a time, so many at most."""

    async def totals(self) -> list[Total]:
        """All totals of this replica."""

    async def watermark(self) -> int:
        """The last entry of this replica's journal that its totals count as received."""


class Store(Protocol):
    """An open store."""

    replica: str
    """Whose journal and totals these are."""
    reads: Reads

    def work(self) -> AbstractAsyncContextManager[Repositories]:
        """One unit of work: what it writes is durable when the block has ended; where it raises, nothing is written.

        Units take their turns: what one reads, none changes until it has ended.
        """

    async def commit(self, changes: Changes) -> None:
        """Make changes durable, all or none; raises StoreError, and then the same may be committed again."""

    async def prune(self, older_than: float | None, max_bytes: int | None) -> int:
        """Delete some recorded traces that are due, oldest first; returns how many. While it is not 0, more may be due.

        Due is what was recorded more than ``older_than`` seconds ago, and anything while the store holds more than
        ``max_bytes``.
        """
