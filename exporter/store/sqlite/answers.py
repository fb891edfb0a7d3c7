"""The index by which recorded answers are searched in SQLite; see ``searching``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ...records.traces import FORGOTTEN, NO_ANSWER
from ..kinds import DOCUMENT
from ..search import COLUMNS, FoundAnswer, Place, Search
from .database import Reading


class AnswersIndex:
    """Walks one index, which has all that is filtered by except text. Raises StoreError."""

    def __init__(self, path: Path) -> None:
        self._reading = Reading(path)

    def end(self, place: Place, since: float, walked: int) -> Place | None:
        """The place so many entries before a place; None where fewer are left that were recorded since then."""
        ends = self._reading.rows(_END, (*place, since, walked))
        return ends[0] if ends else None

    @contextmanager
    def candidates(
        self, wanted: Search, place: Place, end: Place | None, most: int
    ) -> Iterator[Iterator[tuple[FoundAnswer | None, Place]]]:
        """Answers before a place and not before the end, newest first, with their places; None: the text is another."""
        query, values = _query(wanted, place, end)
        with self._reading.each(query, (*values, most)) as rows:
            yield ((None if row[-2] is None else _row(row), (row[1], row[-3])) for row in rows)

    def one(self, trace_id: bytes) -> FoundAnswer | None:
        """One recorded answer, None where there is no such one."""
        rows = self._reading.rows(_ONE, (trace_id,))
        return _row(rows[0]) if rows else None

    def close(self) -> None:
        """Close the file."""
        self._reading.close()


def _row(row: tuple[Any, ...]) -> FoundAnswer:
    trace_id, recorded_at, app, route, model_version, prompt_version, _, document, version = row
    return FoundAnswer(
        trace_id, recorded_at, app, route, model_version, prompt_version, DOCUMENT.newest(document, version)
    )


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
