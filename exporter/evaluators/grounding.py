"""Are the answer's claims supported by what was retrieved: `grounding`."""

from ..score import Score
from ..trace import Trace
from .refusal import declined
from .registry import evaluator
from .words import answer_words, plain


@evaluator("grounding", version="1")
def grounding(trace: Trace) -> bool | float | Score | None:
    """The answer's claims are supported by the documents, else by the tool results; names those that are not."""
    texts = [one.text for one in trace.context] or list(trace.tool_results)
    if not trace.answer or not texts or declined(trace.answer) > 0.5:
        return None
    known = set(plain(" ".join(texts)).split())
    words = set(answer_words(trace.answer))
    return len(words & known) / len(words) if words else None
