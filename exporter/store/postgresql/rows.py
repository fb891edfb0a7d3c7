"""Blocking reads of a PostgreSQL store, in the calling thread."""

from collections.abc import Collection, Sequence
from typing import Any

from ...records.traces import FORGOTTEN, KnownParts, Located, Place, Reference
from ..changes import Key
from ..kinds import DOCUMENT, TOTAL, Ids, Kind
from . import statements as sql
from .connection import Connection


def as_text(value: str) -> str:
    """Text as PostgreSQL can hold it, which knows no NUL."""
    return value.replace("\0", "\ufffd")


def as_bytes(value: str | None) -> bytes | None:
    """An id from outside, which may hold any character."""
    return None if value is None else value.encode("utf-8", "surrogatepass")


def key_values(kind: Kind[Any, Any], key: Key, replica: str) -> tuple[Any, ...]:
    """The values of the columns that say which record it is, as they are stored."""
    values = tuple(as_text(one) if isinstance(one, str) else one for one in key)
    return (replica, *values) if kind.own else values


class PostgresRows:
    """Reads with one connection; raises StoreError."""

    def __init__(self, connection: Connection, replica: str) -> None:
        self._connection = connection
        self._replica = replica

    def record(self, kind: Kind[Any, Any], key: Key) -> tuple[bytes, int] | None:
        """One record as it is stored, and its version; None where there is none."""
        rows = self._connection.rows(sql.record(kind), key_values(kind, key, self._replica))
        return (rows[0][0], rows[0][1]) if rows else None

    def records(self, kind: Kind[Any, Any]) -> list[tuple[Key, float, bytes, int]]:
        """All of a kind as (key, time, record, version), in the order of times, then keys."""
        rows = self._connection.rows(sql.records(kind), (self._replica,) if kind.own else ())
        return [(tuple(key), at, record, version) for *key, at, record, version in rows]

    def ids_among(self, ids: Ids, keys: Collection[bytes]) -> set[bytes]:
        """Those of the keys that are there."""
        return {key for (key,) in self._connection.rows(sql.ids_among(ids), (list(keys),))} if keys else set()

    def ids(self, ids: Ids) -> list[tuple[bytes, float]]:
        """All ids with their times, the earliest first."""
        return [(key, at) for key, at in self._connection.rows(sql.all_ids(ids))]

    def known(self, trace_ids: Sequence[bytes]) -> dict[bytes, KnownParts]:
        """What is known of the parts of those of the traces that are recorded, by whichever replica."""
        rows = self._connection.rows(sql.KNOWN, (list(trace_ids),)) if trace_ids else []
        return {trace_id: KnownParts(keys, bare) for trace_id, keys, bare in rows}

    def document(self, trace_id: bytes) -> bytes | None:
        """The document of a recorded trace, None where there is no such trace."""
        rows = self._connection.rows(sql.DOCUMENT_OF, (trace_id,))
        document: bytes | None = rows[0][0] if rows else None
        return DOCUMENT.newest(document, rows[0][1]) if document and document != FORGOTTEN else document

    def located(self, by: Reference, value: str | bytes) -> list[Located]:
        """Recorded traces by an id: one or none, the last of a conversation, all of a user."""
        wanted = value if isinstance(value, bytes) else as_bytes(value)
        return [Located(*row) for row in self._connection.rows(sql.LOCATE[by], (wanted,))]

    def recorded(self, after: Place, before: float, most: int) -> list[tuple[bytes, Place]]:
        """Traces in the order of recording, after a place and recorded before a time, up to a limit."""
        rows = self._connection.rows(sql.RECORDED, (after.recorded_at, after.row, before, most))
        return [(trace_id, Place(at, row)) for trace_id, at, row in rows]

    def totals(self) -> list[tuple[str, str, str]]:
        """All totals of this replica as (family, labels, value)."""
        rows = self._connection.rows(sql.TOTALS, (self._replica,))
        return [(family, labels, TOTAL.newest(value, version)) for family, labels, value, version in rows]

    def watermark(self) -> int:
        """The last entry that the totals of this replica count as received."""
        rows = self._connection.rows(sql.WATERMARK, (self._replica,))
        return int(rows[0][0]) if rows else 0
