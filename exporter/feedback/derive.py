"""What the turns of a conversation say without words: regenerate, rephrase, abandon. Pure; knows no store.

- regenerate: the same question again, after the answer to it had ended. Not every one is a user's: an application that
  repeats a failed call, or tells of one request in two traces, looks the same.
- rephrase: a near-repeat of the question before. It is no more than that: a user who asks for the next item of a list
  in the same words is one, too. Most of those who are unhappy ask something else.
- abandon: nothing came after a refusal, an empty or failed answer, a cancelled stream, or a rephrase. Whoever got what
  they needed from the last answer leaves just as silently.
"""

import re
from struct import unpack
from typing import Final, Literal
from zlib import crc32

from msgspec import Struct

from ..evaluators.scan import sketch
from ..evaluators.words import FUNCTION_WORDS, STEM, plain
from ..metrics.labels import Slice
from ..model.score import Outcome
from ..model.trace import Trace

Derived = Literal["regenerate", "rephrase", "abandon"]
Trouble = Literal["refusal", "empty", "error", "cancelled", "rephrase"]
"""What was wrong with a turn, if anything, for the case that the conversation ends with it."""

_LONGEST: Final = 4000
_MOST_WORDS: Final = 256
_FUNCTION_WEIGHT: Final = 0.2
_FUNCTION_BITS: Final = frozenset(crc32(word) & 0xFFFF for word in FUNCTION_WORDS)
_CANCELLED: Final = re.compile(r"cancel|abort|disconnect|generatorexit", re.IGNORECASE)


class Question(Struct, frozen=True, array_like=True):
    """A question as far as it must be known to recognise it: never its text.

    ``same`` is a checksum of its words in order, ``sketch`` has 16 bits of each distinct word's beginning.
    """

    same: int
    sketch: bytes

    @property
    def words(self) -> set[int]:
        """The distinct words, as far as they are told apart."""
        return set(unpack(f"<{len(self.sketch) // 2}H", self.sketch))


class Turn(Struct, frozen=True, array_like=True):
    """One question and its answer; times are Unix seconds, None where the trace did not tell them."""

    trace_id: bytes
    where: tuple[str, str, str, str]
    started_at: float | None
    ended_at: float | None
    question: Question | None
    trouble: Trouble | None = None


def question(text: str) -> Question:
    """What is kept of a question."""
    return Question(*sketch(plain(text[:_LONGEST]), STEM, _MOST_WORDS))


def similarity(one: Question, other: Question) -> float:
    """The weight of the words that both have, of all words that either has; function words weigh little."""
    left, right = one.words, other.words
    either = _weight(left | right)
    return _weight(left & right) / either if either else 0.0


def _weight(words: set[int]) -> float:
    return len(words) - len(words & _FUNCTION_BITS) * (1 - _FUNCTION_WEIGHT)


def turn(trace: Trace, where: Slice, outcome: Outcome, trace_id: bytes) -> Turn:
    """What a conversation remembers of a trace."""
    started, duration = trace.started_at, trace.duration_seconds
    ended = None if started is None else started + (duration or 0.0)
    asked = question(trace.question) if trace.question else None
    return Turn(trace_id, where, started, ended, asked, _trouble(trace, outcome))


def _trouble(trace: Trace, outcome: Outcome) -> Trouble | None:
    if trace.error is not None:
        return "cancelled" if _CANCELLED.search(trace.error) else "error"
    if trace.content_state == "error":
        return "error"
    if trace.content_state == "empty":
        return "empty"
    declined = [one.verdict for one in outcome.evaluations if one.evaluator == "refusal"]
    return "refusal" if "fail" in declined or trace.content_state == "refused" else None


def is_later(before: Turn, now: Turn | Trace) -> bool:
    """Whether a turn began after the one before had begun: traces are not recorded in the order of their times."""
    return before.started_at is None or now.started_at is None or now.started_at > before.started_at


def follows(before: Turn, now: Turn, *, alike: float, words: int) -> Derived | None:
    """What the question of a turn says of the answer before it.

    A rephrase is at least so similar (``alike``, 0 to 1), and both questions have at least so many distinct words.
    """
    if before.question is None or now.question is None:
        return None
    if before.ended_at is not None and now.started_at is not None and now.started_at < before.ended_at:
        return None  # two requests at one time are not a reaction
    if before.question.same == now.question.same:
        return "regenerate"
    if min(len(before.question.words), len(now.question.words)) < words:
        return None
    return "rephrase" if similarity(before.question, now.question) >= alike else None
