"""The evaluators `empty` and `truncated`: is there an answer, and is it complete? Reads no words."""

from ..model.score import Score
from ..model.trace import Trace
from .registry import evaluator
from .words import ANSWER_LIMIT

_INVISIBLE = " \t\r\n\f\v\x00\xa0\u200b\u200c\u200d\u2060\ufeff"


@evaluator("empty", version="2")
def empty(trace: Trace) -> bool | Score | None:
    """Nothing was said or shown, and no tool was called; a refusal in a field of its own is not empty."""
    if trace.content_state == "refused" or trace.refusal:
        return None
    if trace.tool_calls or trace.other_content or (trace.answer or "")[:ANSWER_LIMIT].strip(_INVISIBLE):
        return True
    return Score(0.0, explanation="the answer has no visible character and calls no tool")


@evaluator("truncated", version="2")
def truncated(trace: Trace) -> bool | Score | None:
    """The model stopped because it ran out of tokens; does not apply where no finish reason was sent."""
    if not trace.finish_reason:
        return None
    if trace.finish_reason == "length":
        return Score(0.0, explanation="the model stopped at its length limit")
    return True
