"""What one unit of work writes, gathered until it becomes durable in one transaction. Knows no database.

Nothing is written before that, so a unit of work that fails, or whose process ends, has done nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from ..records.traces import FORGOTTEN, NO_ANSWER, KnownParts, Recorded
from .kinds import Ids, Kind

Key = tuple[Any, ...]
"""The values of a key's columns."""


class Changes:
    """All writes of one transaction.

    ``traces`` are new rows, in order. ``late`` are the 8-byte keys of spans and log records that arrived after their
    trace was recorded, concatenated. ``documents`` replace the documents of recorded traces, and their search marks;
    ``askers`` are (trace, conversation, user). ``forgotten`` traces are erased except for their part keys and their
    slice. ``records`` are (time, encoded record), None to delete one; ``ids`` are times, None to delete one;
    ``old_ids`` are (older than this time, at most this many) to delete. ``totals`` are (family, labels, absolute
    value), written after ``dropped_totals`` were deleted. ``done`` are journal entries to remove; ``watermark`` is the
    last journal entry whose arrival the totals count, and never decreases.
    """

    def __init__(
        self,
        *,
        traces: Iterable[Recorded] = (),
        totals: Iterable[tuple[str, str, str]] = (),
        dropped_totals: Iterable[tuple[str, str]] = (),
        done: Iterable[int] = (),
        watermark: int = 0,
    ) -> None:
        self.traces: list[Recorded] = []
        self.late: defaultdict[bytes, bytes] = defaultdict(bytes)
        self.documents: dict[bytes, tuple[bytes, str]] = {}
        self.askers: list[tuple[bytes, str | None, str | None]] = []
        self.forgotten: list[bytes] = []
        self.records: dict[tuple[Kind[Any, Any], Key], tuple[float, bytes | None]] = {}
        self.ids: dict[tuple[Ids, bytes], float | None] = {}
        self.old_ids: list[tuple[Ids, float, int]] = []
        self.totals = list(totals)
        self.dropped_totals = list(dropped_totals)
        self.done = list(done)
        self.watermark = watermark
        self.size = 0
        """Bytes of the traces, documents and records, roughly."""
        self._rows: dict[bytes, Recorded] = {}
        for row in traces:
            self.add_trace(row)

    def __bool__(self) -> bool:
        """Whether anything is to be written."""
        return bool(
            self.traces
            or self.late
            or self.documents
            or self.askers
            or self.records
            or self.ids
            or self.old_ids
            or self.totals
            or self.dropped_totals
            or self.done
            or self.watermark
        )

    def row(self, trace_id: bytes) -> Recorded | None:
        """The new row of a trace, if it has one."""
        return self._rows.get(trace_id)

    def add_trace(self, row: Recorded) -> None:
        """Record a trace, in the place of what is recorded under its id."""
        self.traces.append(row)
        self.size += len(row.document) + len(row.spans)
        self._rows[row.trace_id] = row
        self.late.pop(row.trace_id, None)
        self.documents.pop(row.trace_id, None)

    def take_back(self, trace_id: bytes) -> None:
        """Undo ``add_trace``: write no row for this trace."""
        self._rows.pop(trace_id, None)
        self.traces = [row for row in self.traces if row.trace_id != trace_id]

    def add_parts(self, trace_id: bytes, keys: bytes) -> None:
        """Add the 8-byte keys of late spans and log records, concatenated, to a recorded trace."""
        self.late[trace_id] += keys

    def rewrite(self, trace_id: bytes, document: bytes, marks: str) -> None:
        """Replace the document of a recorded trace, and what it is searched by."""
        self.documents[trace_id] = (document, marks)
        self.size += len(document)

    def forget(self, trace_id: bytes) -> None:
        """Delete a trace's document and what it is found by; the keys of its parts stay."""
        self.documents[trace_id] = (FORGOTTEN, NO_ANSWER)
        self.forgotten.append(trace_id)
        if (row := self._rows.get(trace_id)) is not None:
            at = next(at for at, one in enumerate(self.traces) if one is row)
            bare = replace(row, document=FORGOTTEN, marks=NO_ANSWER, response_id=None, conversation_id=None, user=None)
            self.traces[at] = self._rows[trace_id] = bare

    def put(self, kind: Kind[Any, Any], key: Key, encoded: bytes, at: float) -> None:
        """Keep a record, in the place of what is there."""
        self.records[kind, key] = (at, encoded)
        self.size += len(encoded)

    def drop(self, kind: Kind[Any, Any], key: Key) -> None:
        """Keep a record no longer."""
        self.records[kind, key] = (0.0, None)

    def document(self, trace_id: bytes) -> bytes | None:
        """The new document of a trace; None where these changes leave it as it is."""
        if trace_id in self.documents:
            return self.documents[trace_id][0]
        row = self._rows.get(trace_id)
        return None if row is None else row.document

    def forgets(self, trace_id: bytes) -> bool:
        """Whether these changes delete the document of this trace."""
        return self.documents.get(trace_id, (b"", ""))[0] == FORGOTTEN

    def add_known(self, trace_ids: Sequence[bytes], found: dict[bytes, KnownParts]) -> None:
        """Merge the part keys that these changes add into those that are already known."""
        for trace_id in self._rows.keys() & trace_ids:
            row = self._rows[trace_id]
            found[trace_id] = KnownParts(row.spans, not row.document)
        for trace_id in self.late.keys() & found.keys():
            known = found[trace_id]
            found[trace_id] = KnownParts(known.spans + self.late[trace_id], known.bare)
