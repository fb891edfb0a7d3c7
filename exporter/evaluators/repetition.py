"""Degenerate loops: phrases, lines or characters over and over; judges form alone, never meaning."""

import re

from ..model.score import Score
from ..model.trace import Trace
from .records import apart, looped_share
from .registry import evaluator
from .scan import has_run
from .vocabulary import Vocabulary
from .words import ANSWER_LIMIT, read, utf8

_FEWEST_WORDS = 24
_FEWEST_OF_ONE = 10
_LONG_RUN = 80
_RUNS = re.compile(rb"[^\s=_*~#.|+-]{80,1000}+")
_LONGEST_PERIOD = 16
_NUMERIC = b"0123456789,.;:[](){}"


@evaluator("repetition", version="2")
def repetition(trace: Trace, *, share: float = 0.3) -> bool | Score | None:
    """The answer loops: too many of its word 4-grams occurred before, or a few characters repeat at length.

    Of code, JSON, tables and lists of records only exact repetition of the same block counts.
    """
    if not trace.answer:
        return None
    looped = _looped_characters(trace.answer)
    if looped:
        return Score(0.0, explanation=f"{looped} characters repeat a pattern of at most {_LONGEST_PERIOD} bytes")
    repeated = _repeated_share(read(trace.answer).vocabulary, share)
    if repeated > share:
        prose, records = apart(trace.answer)
        if looped_share(records) <= share:
            repeated = max((_repeated_share(read(one).vocabulary, share) for one in prose), default=0.0)
    if repeated <= share:
        return True
    return Score(1.0 - repeated, passed=False, explanation=f"{repeated:.0%} of the word 4-grams occurred before")


def _repeated_share(words: Vocabulary, share: float) -> float:
    """The share of 4-grams that occurred before, or 0 where it is surely not above ``share``."""
    count, distinct = words.total, len(words)
    total = count - 3
    if count >= _FEWEST_OF_ONE and distinct <= 2:
        return 1.0 - distinct / count
    # A text has at least as many distinct 4-grams as it has distinct words or pairs, less what its end cuts off:
    # where those already vary enough there is no need to count.
    if count < _FEWEST_WORDS or distinct - 3 >= total * (1 - share):
        return 0.0
    if count - 1 - words.repeats(2) - 2 >= total * (1 - share):
        return 0.0
    return 1.0 - (total - words.repeats(4)) / total


def _looped_characters(text: str) -> int:
    """The length of a run without spaces that repeats a few characters; rules of Markdown are none."""
    text = text[:ANSWER_LIMIT]
    if not has_run(utf8(text), _LONG_RUN):
        return 0
    plain = text.encode("utf-8", "replace")
    for piece in _RUNS.findall(plain):
        if not piece.strip(_NUMERIC):
            continue  # a list of numbers may repeat one
        # A period p shows as a text that equals itself moved by p.
        if any(piece[period:] == piece[:-period] for period in range(1, _LONGEST_PERIOD + 1)):
            return len(piece)
    return 0
