"""Did the assistant decline: `refusal`; tells by what is said, never by what was asked."""

from functools import lru_cache
from typing import Literal

import re2

from ..score import Score
from ..trace import Trace
from .registry import evaluator

_PATTERN = re2.compile(
    rb"(?i)\b(i('m| am) sorry,? but|i (cannot|can't|won't) (help|assist|provide|answer)|unable to (answer|help))"
)
_ABSENT = re2.compile(rb"(?i)\bnot (in|covered by) the (context|documents)\b")


@evaluator("refusal", version="1")
def refusal(trace: Trace, *, not_in_context: Literal["pass", "fail"] = "fail") -> bool | float | Score | None:
    """The assistant declined: in a field of its own, or in words."""
    if trace.refusal or trace.content_state == "refused":
        return Score(0.0, explanation="declined in the refusal field")
    if not trace.answer:
        return None
    if not_in_context == "pass" and _ABSENT.search(trace.answer.encode("utf-8", "replace")):
        return True
    return 1.0 - declined(trace.answer)


@lru_cache(maxsize=8)
def declined(text: str) -> float:
    """The probability that the text declines."""
    return 0.95 if _PATTERN.search(text[:2000].encode("utf-8", "replace")) else 0.02
