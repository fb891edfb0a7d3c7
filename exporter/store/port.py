"""What the exporter asks of a store, whichever database is under it. Knows no SQL.

A backend is a folder beside this file with a ``Store`` and its ``Writer``, and a line in ``opening.py``: ``sqlite/`` is
one. It must

- read what is durable (``Reads``), without blocking the event loop;
- make ``Changes`` durable, all of them or none, in the order in which ``commit`` was called, so that the same changes
  may be committed again (a key is written in the place of what is there; deleting what is gone is nothing);
- run one unit of work after the other (``work``), each seeing what all before it have written;
- say with a ``StoreError`` and its reason what it could not do, and have done none of it then.

``tests/test_store_promises.py`` is what all of them must pass. Totals and the journal belong to a replica, by its name;
everything else is shared by all that use the database.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ..judge.budget import Caps, Short, Spent
from ..records.requests import Entry
from ..records.traces import KnownParts, Located, Place, Reference
from .changes import Changes, Key
from .in_work import InWork
from .kinds import Ids, Kind
from .repositories import Repositories
from .search import NEWEST, FoundAnswer, Page, Search

T = TypeVar("T")
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
        """Traces in the order of recording, after a place and recorded before a time, up to a limit."""

    async def totals(self) -> list[Total]:
        """All totals of this replica."""

    async def watermark(self) -> int:
        """The last entry of this replica's journal that its totals count as received."""


class BlockingReads(Protocol):
    """Reads durable data in the calling thread; raises StoreError.

    Only for code that must not yield to the event loop between reading and deciding. Everything else uses ``Reads``.
    """

    def record(self, kind: Kind[Any, Any], key: Key) -> tuple[bytes, int] | None:
        """See ``Reads``."""

    def ids_among(self, ids: Ids, keys: Collection[bytes]) -> set[bytes]:
        """See ``Reads``."""

    def known(self, trace_ids: Sequence[bytes]) -> dict[bytes, KnownParts]:
        """See ``Reads``; of ids that were never recorded nearly all are answered without asking the database."""

    def document(self, trace_id: bytes) -> bytes | None:
        """See ``Reads``."""

    def located(self, by: Reference, value: str | bytes) -> list[Located]:
        """See ``Reads``."""

    def watermark(self) -> int:
        """See ``Reads``."""


class Answers(Protocol):
    """Searches recorded answers without blocking the event loop; raises StoreError."""

    async def find(
        self,
        wanted: Search,
        understand: Callable[[FoundAnswer], T | None],
        after: tuple[float, int] = NEWEST,
        most: int = 50,
    ) -> Page[T]:
        """Search the newest answers after a position; ``understand`` makes a result of a row, or None to skip it."""

    async def one(self, trace_id: bytes) -> FoundAnswer | None:
        """One recorded answer by its id; None where there is none."""

    def close(self) -> None:
        """Wait for the search that runs, and close what it reads."""


class Writer(Protocol):
    """Everything that writes to a store; all writes are ordered here."""

    @property
    def reads(self) -> Reads:
        """What is durable."""

    @property
    def problem(self) -> str | None:
        """The reason why requests or results cannot be written at the moment; None while they can."""

    @property
    def journal_bytes(self) -> int:
        """Bytes of the bodies of all journal entries, durable and pending."""

    async def start(self) -> None:
        """Begin to write."""

    async def stop(self) -> None:
        """Refuse new work, write all that waits, and return when it is durable or has failed."""

    async def journal(self, entry: Entry, payload: Any) -> int:
        """Make a request durable and return its number; raises StoreError when it is not durable."""

    def work(self) -> AbstractAsyncContextManager[Repositories]:
        """One unit of work: its writes are durable when the block has ended; if the block raises, nothing is written.

        Units are serialised: no other unit changes what this one has read before it ends.
        """

    async def commit(self, changes: Changes) -> None:
        """Make changes durable, all or none; raises StoreError, and then the same may be committed again.

        In the order of the calls; entries that are done leave the journal.
        """

    async def prune(self, older_than: float | None, max_bytes: int | None) -> int:
        """Delete some recorded traces that are due, oldest first; returns how many. While it is not 0, more may be due.

        Due is what was recorded more than ``older_than`` seconds ago, and anything while the store holds more than
        ``max_bytes``.
        """

    async def relieve(self) -> None:
        """On a full disk, free space for acknowledged requests, and only for those; raises StoreError."""

    async def keep_ballast(self) -> None:
        """Reserve the emergency disk space again, where there is room; raises StoreError."""

    async def probe(self) -> None:
        """Check whether writing that failed works again; raises StoreError."""


class Store(Protocol):
    """An open store, which belongs to one process."""

    replica: str
    """Whose journal and totals these are."""
    path: Path
    """Where files of this process stand: what ended it (``quarantine``), what it works on (``in_work``)."""
    in_work: InWork
    most_bytes: int
    """Of one transaction, about."""
    disk_bytes: int
    """Of the disk that the journal is on."""

    @property
    def reads(self) -> Reads:
        """What is durable."""

    @property
    def rows(self) -> BlockingReads:
        """Blocking reads of durable data, see ``BlockingReads``."""

    def writer(
        self,
        on_durable: Callable[[int, Entry, Any], None],
        *,
        on_commit: Callable[[float], None],
        on_error: Callable[[str], None],
    ) -> Writer:
        """The writer of this store; one at a time.

        ``on_durable(seq, entry, payload)`` is called for every journal entry once it is durable, in order of the
        numbers and before its sender is answered; ``on_commit`` with the duration of each commit (seconds),
        ``on_error`` with the reason of each failure.
        """

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """What an earlier run left in the journal, in the order of acceptance; for a start. Raises StoreError."""

    def answers(self) -> Answers:
        """What searches recorded answers."""

    def commit(self, changes: Changes) -> None:
        """Make changes durable without a writer, for a trial in a copy of this process."""

    def resize_ballast(self, size: int) -> None:
        """Set aside so many bytes for when there is no room."""

    @property
    def ballast_bytes(self) -> int:
        """Bytes that are set aside for when there is no room."""

    def size_bytes(self) -> int:
        """Bytes in use; raises StoreError."""

    def close(self) -> None:
        """Close the store; what was committed stays."""


class SpendLedger(Protocol):
    """What all judges that open the same ledger have spent; raises StoreError.

    A reservation is spent from the moment it is made; settling corrects it to what was billed. Nobody spends more than
    the limits, however many reserve at a time.
    """

    spent: Spent | None
    """What was spent when it was last looked at; None where that cannot be read."""

    @property
    def caps(self) -> Caps:
        """The limits in force."""

    def configure(self, caps: Caps) -> None:
        """Apply other limits."""

    async def reserve(self, tokens: int, micros: int, *, targeted: bool = False) -> int | Short:
        """Spend what a call costs at most: the number of the reservation, or the limit that has no room for it."""

    async def settle(self, reservation: int, tokens: int, micros: int) -> None:
        """Correct a reservation to what was billed; without effect where that has been done."""

    async def look(self) -> None:
        """Check that the ledger is still the one that was opened, and read what was spent."""

    def close(self) -> None:
        """Close the ledger; what was reserved stays spent."""
