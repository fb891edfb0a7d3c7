"""Searches recorded answers, newest first, in a thread and a connection of its own. Knows columns, not what is in text.

A search walks one index, which has all that it filters by except text, and reads a document only where the rest is
right. It is bounded twice, by the entries that it walks and by the documents that it reads: where it ends before the
last one, it says from which place on the next search goes on. Places are keys of the index, so what is recorded
meanwhile moves nothing.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from ...records.traces import FORGOTTEN, NO_ANSWER
from ..errors import StoreError
from ..kinds import DOCUMENT
from ..search import COLUMNS, NEWEST, Page, Place, Row, Search
from .database import Reading

_T = TypeVar("_T")
WALKED: Final = 250_000
"""Entries of the index that one search walks at most."""
READ: Final = 5_000
"""Documents that one search reads at most."""


class Answers:
    """Searches one store. Its thread begins with the first search."""

    def __init__(self, path: Path, *, walked: int = WALKED, read: int = READ) -> None:
        self._reading = Reading(path)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="answers")
        self._walked, self._read = walked, read

    async def find(
        self, wanted: Search, understand: Callable[[Row], _T | None], after: Place = NEWEST, most: int = 50
    ) -> Page[_T]:
        """What ``understand`` makes of the newest answers after a place; None: not this one. Raises StoreError."""
        return await self._do(lambda: self._find(wanted, understand, after, most))

    async def one(self, trace_id: bytes) -> Row | None:
        """One recorded answer, None where there is no such one; raises StoreError."""
        rows = await self._do(lambda: self._reading.rows(_ONE, (trace_id,)))
        return _row(rows[0]) if rows else None

    def close(self) -> None:
        """Wait for the search that runs, and close the file."""
        self._thread.shutdown()
        self._reading.close()

    async def _do(self, work: Callable[[], _T]) -> _T:
        try:
            working = asyncio.get_running_loop().run_in_executor(self._thread, work)
        except RuntimeError:
            raise StoreError("closed", "the store is closed") from None
        return await working

    def _find(self, wanted: Search, understand: Callable[[Row], _T | None], after: Place, most: int) -> Page[_T]:
        found: list[_T] = []
        place: Place = min(after, (wanted.until, 0))
        ends = self._reading.rows(_END, (*place, wanted.since, self._walked))
        end: Place | None = ends[0] if ends else None
        read = 0
        query, values = _query(wanted, place, end)
        with self._reading.each(query, (*values, self._read)) as rows:
            for row in rows:
                read += 1
                understood = None if row[-2] is None else understand(_row(row))
                if understood is not None:
                    found.append(understood)
                if len(found) == most or read == self._read:
                    return Page(found, (row[1], row[-3]))
        return Page(found, end)


def _row(row: tuple[Any, ...]) -> Row:
    trace_id, recorded_at, app, route, model_version, prompt_version, _, document, version = row
    return Row(trace_id, recorded_at, app, route, model_version, prompt_version, DOCUMENT.newest(document, version))


def _query(wanted: Search, place: Place, end: Place | None) -> tuple[str, tuple[Any, ...]]:
    """The statement and its values; the last one, how many documents are read, comes after them."""
    conditions = ["(recorded_at, id) < (?, ?)", "recorded_at >= ?"]
    values: list[str | float] = [*place, wanted.since]
    if end is not None:
        conditions.append("(recorded_at, id) >= (?, ?)")
        values += end
    for column in COLUMNS:
        if allowed := wanted.where.get(column):
            conditions.append(f"{column} IN ({','.join('?' * len(allowed))})")
            values += allowed
    for group in wanted.marks:
        conditions.append(f"({' OR '.join(['instr(marks, ?)'] * len(group))})")
        values += group
    document = "document"
    if wanted.pattern:
        document = "iif(CAST(document AS TEXT) LIKE ? ESCAPE '\\', document, NULL)"
        values.insert(0, wanted.pattern)
    return _FIND.format(document, " AND ".join(conditions)), tuple(values)


_FIELDS: Final = f"trace_id, recorded_at, {', '.join(COLUMNS)}, id"
_FIND: Final = (
    f"SELECT {_FIELDS}, {{}}, version FROM traces INDEXED BY traces_found "  # noqa: S608 (constants)
    f"WHERE {{}} AND marks <> '{NO_ANSWER}' ORDER BY recorded_at DESC, id DESC LIMIT ?"
)
_ONE: Final = (
    f"SELECT {_FIELDS}, document, version FROM traces "  # noqa: S608 (constants)
    f"WHERE trace_id = ? AND document NOT IN (x'', x'{FORGOTTEN.hex()}')"
)
_END: Final = """SELECT recorded_at, id FROM traces INDEXED BY traces_found
WHERE (recorded_at, id) < (?, ?) AND recorded_at >= ? ORDER BY recorded_at DESC, id DESC LIMIT 1 OFFSET ?"""
