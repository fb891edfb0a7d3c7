"""A recorded trace, its slice, and the ids and search marks it is found by."""

from typing import Final, Literal

from msgspec import Struct

Reference = Literal["trace", "response", "conversation", "user"]
"""By which id recorded traces are looked for."""

FORGOTTEN: Final = b"null"
"""The document of a trace that was erased: not empty, which would say that nothing in it was to be scored."""


NO_ANSWER: Final = "-"
"""The marks of a trace without a document: searches of answers pass it over."""


class Recorded(Struct, frozen=True):
    """One scored trace: its slice, the 8-byte keys of its spans and log records in a row, and its JSON document.

    It can be found again by the id of its response, of its conversation, and of its user, where they were sent.
    ``marks`` are what an answer is searched by, one a line.
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
    """The id of a recorded trace and its slice."""

    trace_id: bytes
    app: str
    route: str
    model_version: str
    prompt_version: str


class KnownParts(Struct, frozen=True):
    """The 8-byte keys of the spans and log records of a recorded trace, and whether it has no document."""

    spans: bytes
    bare: bool


class Place(Struct, frozen=True, array_like=True):
    """A position in the order of recording: a time (Unix seconds), and a row number among traces of that time."""

    recorded_at: float = 0.0
    row: int = 0
