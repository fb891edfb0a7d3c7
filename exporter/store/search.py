"""What recorded answers are searched for by, and what a search finds. Knows no backend."""

from collections.abc import Mapping
from typing import Final, Generic, TypeVar

from msgspec import Struct

_T = TypeVar("_T")
Place = tuple[float, int]
"""When a trace was recorded (Unix seconds), and its row."""
NEWEST: Final[Place] = (float("inf"), 1 << 62)
COLUMNS: Final = ("app", "route", "model_version", "prompt_version")


class Search(Struct, frozen=True, kw_only=True):
    """What is looked for; everything that is given must hold.

    ``where``: the values that each of COLUMNS may have. ``marks``: of each group one mark, or what one begins with.
    ``since`` and ``until``: recorded then or later, and before then, in Unix seconds. ``pattern``: a LIKE pattern (its
    escape is a backslash) of the whole document, which leads to candidates.
    """

    where: Mapping[str, tuple[str, ...]] = {}
    marks: tuple[tuple[str, ...], ...] = ()
    since: float = 0.0
    until: float = float("inf")
    pattern: str = ""


class FoundAnswer(Struct, frozen=True):
    """A recorded answer: its trace, when it was recorded, the slice it counts in, its document."""

    trace_id: bytes
    recorded_at: float
    app: str
    route: str
    model_version: str
    prompt_version: str
    document: bytes


class Page(Struct, Generic[_T], frozen=True):
    """What was found, and the place from which on the next search goes on; None where there is no more."""

    found: list[_T]
    next: Place | None
