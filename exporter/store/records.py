"""What is made durable: journal entries, recorded traces, totals; and its one error. Knows nothing of how or where."""

from typing import Literal

from msgspec import Struct, field

from .kinds import Kind

Reference = Literal["trace", "response", "conversation", "user"]
"""By which id recorded traces are looked for."""


FORGOTTEN = b"null"
"""The document of a trace that was forgotten: not empty, which would say that nothing in it was to be scored."""

NO_ANSWER = "-"
"""The marks of a trace without a document: searches of answers pass it over."""


class StoreError(Exception):
    """The store could not do it, and did none of it.

    ``reason`` is one of disk_full, read_only, io_error, locked, corrupt, cannot_open, replaced, in_use, foreign, newer,
    older, url, closed, internal.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Entry(Struct, frozen=True):
    """One acknowledged request as it was received, body still compressed; ``received_at`` in Unix seconds."""

    signal: str
    media_type: str
    encoding: str
    body: bytes
    received_at: float


class Recorded(Struct, frozen=True):
    """One scored trace: its slice, the 8-byte keys of its spans and log records in a row, and its JSON document.

    It can be found again by the id of its response, of its conversation, and of its user, where they were sent.
    ``marks`` are what an answer is searched by, one a line. The fields are in the order of the columns that
    ``statements.TRACES`` fills.
    """

    trace_id: bytes
    recorded_at: float
    app: str
    route: str
    model_version: str
    prompt_version: str
    spans: bytes
    document: bytes
    response_id: str | None = None
    conversation_id: str | None = None
    user: str | None = None
    marks: str = NO_ANSWER


class Located(Struct, frozen=True):
    """Where a recorded trace stands: its id and its slice."""

    trace_id: bytes
    app: str
    route: str
    model_version: str
    prompt_version: str


class Transaction(Struct):
    """What becomes durable together when traces are recorded.

    ``late`` appends span keys to recorded traces; ``documents`` replaces documents and marks, ``askers`` conversation
    and user of a trace; ``forgotten`` traces keep their keys and their slice alone; ``objects`` are (kind, key, at,
    value), where None instead of a value drops the object; ``totals`` are absolute values (family, labels, value),
    written after ``dropped_totals`` went; ``done`` are journal entries no longer needed; ``watermark`` is the last
    entry that the totals count as received; it only goes up.
    """

    traces: list[Recorded] = field(default_factory=list)
    late: list[tuple[bytes, bytes]] = field(default_factory=list)
    documents: list[tuple[bytes, bytes, str]] = field(default_factory=list)
    askers: list[tuple[bytes, str | None, str | None]] = field(default_factory=list)
    forgotten: list[bytes] = field(default_factory=list)
    objects: list[tuple[Kind, bytes, float, bytes | None]] = field(default_factory=list)
    totals: list[tuple[str, str, str]] = field(default_factory=list)
    dropped_totals: list[tuple[str, str]] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    watermark: int = 0
