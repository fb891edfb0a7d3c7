"""Was anything said, and was it said to the end: `empty` and `truncated`; looks at no word of the answer."""

from ..score import Score
from ..trace import Trace
from .registry import evaluator

_INVISIBLE = " \t\r\n\f\v\x00\xa0\u200b\u200c\u200d\u2060\ufeff"

_CUT_OFF = frozenset(
    {
        "length",
        "max_tokens",
        "max_output_tokens",
        "max_completion_tokens",
        "model_length",
        "token_limit",
        "model_context_window_exceeded",
        "incomplete",
    }
)


@evaluator("empty", version="1")
def empty(trace: Trace) -> bool | Score | None:
    """Nothing was said, and no tool was called; a refusal in a field of its own is not empty."""
    if trace.content_state == "refused" or trace.refusal:
        return None
    if trace.tool_calls or (trace.answer or "").strip(_INVISIBLE):
        return True
    return Score(0.0, explanation="the answer has no visible character and calls no tool")


@evaluator("truncated", version="1")
def truncated(trace: Trace) -> bool | Score | None:
    """The model stopped because it ran out of tokens; does not apply where no finish reason was sent."""
    if not trace.finish_reason:
        return None
    if trace.finish_reason.lower() in _CUT_OFF:
        return Score(0.0, explanation="the model stopped at its length limit")
    return True
