"""Searches recorded answers, newest first, on a thread of its own. Knows columns, no SQL, and not what is in text.

A search scans one index, and reads a document only where all other filters match. It is bounded by the number of index
entries and of documents that it reads: where it stops before the last entry, it returns the position where the next
search continues. Positions are keys of the index, so answers recorded meanwhile do not shift them.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Final, Protocol, TypeVar

from .errors import StoreError
from .search import NEWEST, FoundAnswer, Page, Place, Search

_T = TypeVar("_T")
WALKED: Final = 250_000
"""Entries of the index that one search walks at most."""
READ: Final = 5_000
"""Documents that one search reads at most."""


class Index(Protocol):
    """The queries of a search, on a backend's connection of its own; called on one thread. Raises StoreError."""

    def end(self, place: Place, since: float, walked: int) -> Place | None:
        """The place so many entries before a place; None where fewer are left that were recorded since then."""

    def candidates(
        self, wanted: Search, place: Place, end: Place | None, most: int
    ) -> AbstractContextManager[Iterator[tuple[FoundAnswer | None, Place]]]:
        """Answers before a place and not before the end, newest first, with their places; None: the text is another."""

    def one(self, trace_id: bytes) -> FoundAnswer | None:
        """One recorded answer, None where there is no such one."""

    def close(self) -> None:
        """Close the connection."""


class Searching:
    """Searches an index. Its thread starts with the first search."""

    def __init__(self, index: Index, *, walked: int = WALKED, read: int = READ) -> None:
        self._index = index
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="answers")
        self._walked, self._read = walked, read

    async def find(
        self, wanted: Search, understand: Callable[[FoundAnswer], _T | None], after: Place = NEWEST, most: int = 50
    ) -> Page[_T]:
        """Search the newest answers after a position; ``understand`` makes a result of a row, or None to skip it."""
        return await self._do(lambda: self._find(wanted, understand, after, most))

    async def one(self, trace_id: bytes) -> FoundAnswer | None:
        """One recorded answer, None where there is no such one; raises StoreError."""
        return await self._do(lambda: self._index.one(trace_id))

    def close(self) -> None:
        """Wait for the running search, and close the connection."""
        self._thread.shutdown()
        self._index.close()

    async def _do(self, work: Callable[[], _T]) -> _T:
        try:
            working = asyncio.get_running_loop().run_in_executor(self._thread, work)
        except RuntimeError:
            raise StoreError("closed", "the store is closed") from None
        return await working

    def _find(
        self, wanted: Search, understand: Callable[[FoundAnswer], _T | None], after: Place, most: int
    ) -> Page[_T]:
        found: list[_T] = []
        place: Place = min(after, (wanted.until, 0))
        end = self._index.end(place, wanted.since, self._walked)
        with self._index.candidates(wanted, place, end, self._read) as rows:
            for read, (row, at) in enumerate(rows, 1):
                understood = None if row is None else understand(row)
                if understood is not None:
                    found.append(understood)
                if len(found) == most or read == self._read:
                    return Page(found, at)
        return Page(found, end)
