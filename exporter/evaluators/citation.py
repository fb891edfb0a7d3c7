"""Do cited documents exist and support the sentence that cites them: `citation`."""

import re

from ..score import Score
from ..trace import Trace
from .registry import evaluator

_MARK = re.compile(r"\[(\d{1,3})\]")


@evaluator("citation", version="1")
def citation(trace: Trace) -> bool | float | Score | None:
    """Cited ids exist among the documents, and the citing sentence is supported by that document."""
    if not trace.answer or not trace.context or "[" not in trace.answer:
        return None
    numbers = [int(one) for one in _MARK.findall(trace.answer)]
    if not numbers:
        return None
    return sum(1 <= one <= len(trace.context) for one in numbers) / len(numbers)
