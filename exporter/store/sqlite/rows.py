"""Blocking reads of a SQLite store, in the calling thread."""

from collections.abc import Collection, Sequence
from itertools import repeat
from typing import Any

from ...records.traces import FORGOTTEN, KnownParts, Located, Place, Reference
from ..changes import Key
from ..kinds import DOCUMENT, TOTAL, Ids, Kind
from . import statements as sql
from .database import Reading
from .seen_ids import SeenIds


class SqliteRows:
    """Reads with one connection, in the thread of whoever calls; raises StoreError."""

    def __init__(self, reading: Reading, seen: SeenIds) -> None:
        self._reading = reading
        self._seen = seen

    def record(self, kind: Kind[Any, Any], key: Key) -> tuple[bytes, int] | None:
        """One record as it is stored, and its version; None where there is none."""
        rows = self._reading.rows(sql.record(kind), key)
        return (rows[0][0], rows[0][1]) if rows else None

    def records(self, kind: Kind[Any, Any]) -> list[tuple[Key, float, bytes, int]]:
        """All of a kind as (key, time, record, version), in the order of times, then keys."""
        rows = self._reading.rows(sql.records(kind))
        return [(tuple(key), at, record, version) for *key, at, record, version in rows]

    def ids_among(self, ids: Ids, keys: Collection[bytes]) -> set[bytes]:
        """Those of the keys that are there."""
        found: set[bytes] = set()
        wanted = list(keys)
        for start in range(0, len(wanted), sql.MAX_ROWS):
            some = wanted[start : start + sql.MAX_ROWS]
            size = 1 << (len(some) - 1).bit_length()
            padded = (*some, *repeat(None, size - len(some)))
            found.update(key for (key,) in self._reading.rows(sql.ids_among(ids)[size], padded))
        return found

    def ids(self, ids: Ids) -> list[tuple[bytes, float]]:
        """All ids with their times, the earliest first."""
        return [(key, at) for key, at in self._reading.rows(sql.all_ids(ids))]

    def known(self, trace_ids: Sequence[bytes]) -> dict[bytes, KnownParts]:
        """What is known of the parts of those of the traces that are recorded."""
        found: dict[bytes, KnownParts] = {}
        candidates = self._seen.may_hold(trace_ids)
        for start in range(0, len(candidates), 64):
            some = candidates[start : start + 64]
            size = 1 if len(some) == 1 else 8 if len(some) <= 8 else 64
            padded = (*some, *repeat(some[0], size - len(some)))
            for trace_id, keys, bare in self._reading.rows(sql.KNOWN[size], padded):
                found[trace_id] = KnownParts(keys, bool(bare))
        return found

    def document(self, trace_id: bytes) -> bytes | None:
        """The document of a recorded trace, None where there is no such trace."""
        rows = self._reading.rows(sql.DOCUMENT, (trace_id,))
        document: bytes | None = rows[0][0] if rows else None
        return DOCUMENT.newest(document, rows[0][1]) if document and document != FORGOTTEN else document

    def located(self, by: Reference, value: str | bytes) -> list[Located]:
        """Recorded traces by an id: one or none, the last of a conversation, all of a user."""
        return [Located(*row) for row in self._reading.rows(sql.LOCATE[by], (value,))]

    def recorded(self, after: Place, before: float, most: int) -> list[tuple[bytes, Place]]:
        """Traces in the order of recording, after a place and recorded before a time, up to a limit."""
        rows = self._reading.rows(sql.RECORDED, (after.recorded_at, after.row, before, most))
        return [(trace_id, Place(at, row)) for trace_id, at, row in rows]

    def totals(self) -> list[tuple[str, str, str]]:
        """All totals as (family, labels, value)."""
        return [
            (family, labels, TOTAL.newest(value, version))
            for family, labels, value, version in self._reading.rows(sql.TOTALS)
        ]

    def watermark(self) -> int:
        """The last entry that the totals count as received."""
        return int(self._reading.rows(sql.WATERMARK)[0][0])
