"""Makes the reads of a blocking backend asynchronous: they run one at a time on one thread."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from ..records.traces import KnownParts, Located, Place, Reference
from .changes import Key
from .errors import StoreError
from .kinds import Ids, Kind
from .port import BlockingReads, Total

_T = TypeVar("_T")


class Rows(BlockingReads, Protocol):
    """All that ``port.Reads`` promises, in the thread of whoever calls; raises StoreError."""

    def records(self, kind: Kind[Any, Any]) -> list[tuple[Key, float, bytes, int]]:
        """See ``port.Reads``."""

    def ids(self, ids: Ids) -> list[tuple[bytes, float]]:
        """See ``port.Reads``."""

    def recorded(self, after: Place, before: float, most: int) -> list[tuple[bytes, Place]]:
        """See ``port.Reads``."""

    def totals(self) -> list[Total]:
        """See ``port.Reads``."""


class ThreadedReads:
    """``rows`` has a connection of its own, which ``close`` closes."""

    def __init__(self, rows: Rows, close: Callable[[], None]) -> None:
        self._rows = rows
        self._close = close
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="llmq-reads")

    async def record(self, kind: Kind[Any, Any], key: Key) -> tuple[bytes, int] | None:
        """One record as it is stored, and its version; None where there is none."""
        return await self._do(self._rows.record, kind, key)

    async def records(self, kind: Kind[Any, Any]) -> list[tuple[Key, float, bytes, int]]:
        """All of a kind as (key, time, record, version), in the order of times, then keys."""
        return await self._do(self._rows.records, kind)

    async def ids_among(self, ids: Ids, keys: Collection[bytes]) -> set[bytes]:
        """Those of the keys that are there."""
        return await self._do(self._rows.ids_among, ids, keys)

    async def ids(self, ids: Ids) -> list[tuple[bytes, float]]:
        """All ids with their times, the earliest first."""
        return await self._do(self._rows.ids, ids)

    async def known(self, trace_ids: Sequence[bytes]) -> dict[bytes, KnownParts]:
        """What is known of the parts of those of the traces that are recorded."""
        return await self._do(self._rows.known, trace_ids)

    async def document(self, trace_id: bytes) -> bytes | None:
        """The document of a recorded trace, None where there is no such trace."""
        return await self._do(self._rows.document, trace_id)

    async def located(self, by: Reference, value: str | bytes) -> list[Located]:
        """Recorded traces by an id: one or none, the last of a conversation, all of a user."""
        return await self._do(self._rows.located, by, value)

    async def recorded(self, after: Place, before: float, most: int) -> list[tuple[bytes, Place]]:
        """Traces in the order of recording, after a place and recorded before a time, up to a limit."""
        return await self._do(self._rows.recorded, after, before, most)

    async def totals(self) -> list[tuple[str, str, str]]:
        """All totals of this replica as (family, labels, value)."""
        return await self._do(self._rows.totals)

    async def watermark(self) -> int:
        """The last entry that the totals count as received."""
        return await self._do(self._rows.watermark)

    async def _do(self, read: Callable[..., _T], *arguments: Any) -> _T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, read, *arguments)
        except RuntimeError as error:
            raise StoreError("closed", "the store is closing") from error

    def close(self) -> None:
        """Wait for what is being read, and close the connection."""
        self._thread.shutdown()
        self._close()
