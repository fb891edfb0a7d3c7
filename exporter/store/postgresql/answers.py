"""The index by which recorded answers are searched in PostgreSQL; see ``searching``."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from ...records.traces import FORGOTTEN, NO_ANSWER
from ..kinds import DOCUMENT
from ..search import COLUMNS, FoundAnswer, Place, Search
from .connection import Connection, Target

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


class AnswersIndex:
    """Walks one index. Raises StoreError."""

    def __init__(self, target: Target) -> None:
        self._connection = Connection(target)

    def end(self, place: Place, since: float, walked: int) -> Place | None:
        """The place so many entries before a place; None where fewer are left that were recorded since then."""
        ends = self._connection.rows(_END, (*place, since, walked))
        return (ends[0][0], ends[0][1]) if ends else None

    @contextmanager
    def candidates(
        self, wanted: Search, place: Place, end: Place | None, most: int
    ) -> Iterator[Iterator[tuple[FoundAnswer | None, Place]]]:
        """Answers before a place and not before the end, newest first, with their places."""
        query, values = _query(wanted, place, end)
        rows = self._connection.rows(query, (*values, most))
        yield ((_row(row), (row[1], row[-3])) for row in rows)

    def one(self, trace_id: bytes) -> FoundAnswer | None:
        """One recorded answer, None where there is no such one."""
        rows = self._connection.rows(_ONE, (trace_id,))
        return _row(rows[0]) if rows else None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _row(row: tuple[Any, ...]) -> FoundAnswer:
    trace_id, recorded_at, app, route, model_version, prompt_version, _, document, version = row
    return FoundAnswer(
        trace_id, recorded_at, app, route, model_version, prompt_version, DOCUMENT.newest(document, version)
    )


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
