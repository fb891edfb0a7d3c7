"""Searches recorded answers, newest first, in a thread and a connection of its own. Knows columns, not what is in text.

A search walks one index. It is bounded by the entries that it walks and by the documents that it reads: where it ends
before the last one, it says from which place on the next search goes on.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from ...records.traces import FORGOTTEN, NO_ANSWER
from ..errors import StoreError
from ..kinds import DOCUMENT
from ..search import COLUMNS, NEWEST, Page, Place, Row, Search
from .connection import Connection, Target

_T = TypeVar("_T")
WALKED: Final = 250_000
"""Entries of the index that one search walks at most."""
READ: Final = 5_000
"""Documents that one search reads at most."""
_FIELDS: Final = f"trace_id, recorded_at, {', '.join(COLUMNS)}, id"
_FIND: Final = (
    f"SELECT {_FIELDS}, document, version FROM traces "  # noqa: S608 (constants)
    f"WHERE {{}} AND marks <> '{NO_ANSWER}' ORDER BY recorded_at DESC, id DESC LIMIT %s"
)
_ONE: Final = (
    f"SELECT {_FIELDS}, document, version FROM traces "  # noqa: S608 (constants)
    f"WHERE trace_id = %s AND document NOT IN ('', '{FORGOTTEN.decode()}')"
)
_END: Final = """SELECT recorded_at, id FROM traces
WHERE (recorded_at, id) < (%s, %s) AND recorded_at >= %s ORDER BY recorded_at DESC, id DESC LIMIT 1 OFFSET %s"""


class PostgresAnswers:
    """Searches one store. Its thread begins with the first search."""

    def __init__(self, target: Target, *, walked: int = WALKED, read: int = READ) -> None:
        self._connection = Connection(target)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="answers")
        self._walked, self._read = walked, read

    async def find(
        self, wanted: Search, understand: Callable[[Row], _T | None], after: Place = NEWEST, most: int = 50
    ) -> Page[_T]:
        """What ``understand`` makes of the newest answers after a place; None: not this one. Raises StoreError."""
        return await self._do(lambda: self._find(wanted, understand, after, most))

    async def one(self, trace_id: bytes) -> Row | None:
        """One recorded answer, None where there is no such one; raises StoreError."""
        rows = await self._do(lambda: self._connection.rows(_ONE, (trace_id,)))
        return _row(rows[0]) if rows else None

    def close(self) -> None:
        """Wait for the search that runs, and close the connection."""
        self._thread.shutdown()
        self._connection.close()

    async def _do(self, work: Callable[[], _T]) -> _T:
        try:
            working = asyncio.get_running_loop().run_in_executor(self._thread, work)
        except RuntimeError:
            raise StoreError("closed", "the store is closed") from None
        return await working

    def _find(self, wanted: Search, understand: Callable[[Row], _T | None], after: Place, most: int) -> Page[_T]:
        found: list[_T] = []
        place: Place = min(after, (wanted.until, 0))
        ends = self._connection.rows(_END, (*place, wanted.since, self._walked))
        end: Place | None = ends[0] if ends else None
        query, values = _query(wanted, place, end)
        rows = self._connection.rows(query, (*values, self._read))
        for number, row in enumerate(rows, 1):
            understood = understand(_row(row))
            if understood is not None:
                found.append(understood)
            if len(found) == most or number == self._read:
                return Page(found, (row[1], row[-3]))
        return Page(found, end)


def _row(row: tuple[Any, ...]) -> Row:
    trace_id, recorded_at, app, route, model_version, prompt_version, _, document, version = row
    return Row(trace_id, recorded_at, app, route, model_version, prompt_version, DOCUMENT.newest(document, version))


def _query(wanted: Search, place: Place, end: Place | None) -> tuple[str, tuple[Any, ...]]:
    """The statement and its values; the last one, how many documents are read, comes after them."""
    conditions = ["(recorded_at, id) < (%s, %s)", "recorded_at >= %s"]
    values: list[Any] = [*place, wanted.since]
    if end is not None:
        conditions.append("(recorded_at, id) >= (%s, %s)")
        values += end
    for column in COLUMNS:
        if allowed := wanted.where.get(column):
            conditions.append(f"{column} = ANY(%s)")
            values.append(list(allowed))
    for group in wanted.marks:
        conditions.append(f"({' OR '.join(['strpos(marks, %s) > 0'] * len(group))})")
        values += group
    if wanted.pattern:
        conditions.append("convert_from(document, 'UTF8') ILIKE %s")
        values.append(wanted.pattern)
    return _FIND.format(" AND ".join(conditions)), tuple(values)
