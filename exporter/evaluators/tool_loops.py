"""The evaluator `tool_loop`: does an agent repeat the same calls? Compares calls, not their results."""

import re
from collections import Counter
from collections.abc import Iterable

import msgspec

from ..model.score import Score
from ..model.trace import ToolCall, Trace
from .registry import evaluator

_MOST = 1000
"""Calls of one trace that are looked at."""
_LONGEST = 4096
"""Characters of a call's arguments that are compared."""
_PATIENCE = 4
"""How many times as often a call may be made that is meant to be repeated."""
_REPEATABLE = re.compile(
    r"(?:^|_)(?:poll|wait|sleep|status|progress|watch|next|more|scroll|screenshot|snapshot|press|key|click|tap|tick|"
    r"heartbeat|ping|roll|draw|flip|random|shuffle|undo|redo|back|forward|refresh|time|now)(?:_|$|\d)"
)
"""What waits, turns pages, moves a screen or draws by chance."""
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")


@evaluator("tool_loop", version="1")
def tool_loop(trace: Trace, *, times: int = 3) -> bool | Score | None:
    """No tool was called with the same arguments again and again, ids apart.

    A call without arguments counts where it follows upon itself; one that waits, turns pages, moves a screen or draws
    by chance may be made four times as often.
    """
    calls = trace.tool_calls[:_MOST]
    if not calls:
        return None
    if len(calls) < times:
        return True
    made = [(call.name, _arguments(call)) for call in calls]
    counts = Counter(one for one in made if one[1])
    for one, count in _rows(made):
        counts[one] = max(count, counts[one])
    loops = {one: count for one, count in counts.items() if count >= times * (_PATIENCE if _repeatable(one[0]) else 1)}
    if not loops:
        return True
    most = max(loops.values())
    return Score(1 - most / (len(calls) + 1), False, f"the same call {most} times among {len(calls)}")


def _rows(made: Iterable[tuple[str, str]]) -> list[tuple[tuple[str, str], int]]:
    """The calls without arguments that follow upon themselves, and how often."""
    rows: list[tuple[tuple[str, str], int]] = []
    for one in made:
        rows.append((one, rows[-1][1] + 1 if rows and rows[-1][0] == one else 1))
    return [row for row in rows if not row[0][1]]


def _arguments(call: ToolCall) -> str:
    """A call's arguments, in one order; "" where there are none."""
    value = call.arguments
    if not value:
        return ""
    if isinstance(value, str):
        return value.strip()[:_LONGEST]
    try:
        text = msgspec.json.encode(value, order="sorted", enc_hook=str).decode()
    except (TypeError, ValueError, RecursionError, UnicodeEncodeError):
        text = repr(value)
    return text[:_LONGEST]


def _repeatable(name: str) -> bool:
    return _REPEATABLE.search(_WORDS.sub("_", name).lower()) is not None
