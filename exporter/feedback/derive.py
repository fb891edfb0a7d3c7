"""What the turns of a conversation say without words: regenerate, rephrase, abandon. Pure; knows no store.

Where it is not certain there is no signal: each is meant to be right nine times of ten.

- regenerate: the same text again, after the answer to it had ended, where that asks for another answer. "ok", "next",
  a move in a game or an order to an agent can be sent twice.
- rephrase: the same question in other words. A question that differs in a name, a number or in what it asks for, or
  that adds something, is another question.
- abandon: nothing came after an answer that failed, or after the user gave up in words. Whoever leaves after an answer
  or with thanks got what they needed, as far as anyone can tell.
"""

import re
from typing import Final, Literal
from zlib import crc32

from msgspec.structs import replace

from ..metrics.labels import Slice
from ..model.score import Outcome
from ..model.trace import Trace
from ..records.feedback import QuestionSketch, Trouble, Turn
from .lexicon import ASKING, GOES_ON, KINDS, UNANSWERED, WordMark
from .wording import bits_of, folded, question

Derived = Literal["regenerate", "rephrase", "abandon"]

_SPECIFIC: Final = WordMark.WHO | WordMark.WHY | WordMark.WHERE | WordMark.WHEN | WordMark.LONG | WordMark.MUCH
"""Kinds of questions that tell as much as a word that both have."""
_CANCELLED: Final = re.compile(r"cancel|abort|disconnect|generatorexit", re.IGNORECASE)
_ASKS_BACK: Final = re.compile(r"[?？]\W{0,20}\Z|か。\Z")
_SHORT_ANSWER: Final = 240
_ANSWER_END: Final = 200
_ANSWER_HEAD: Final = 8000
_RETRY: Final = 1.0
"""Seconds after a failed call in which only a program asks again."""
_MOST_WORDS: Final = 60
"""Words up to which a text can be told in others."""
_GIVE_UP_WORDS: Final = 10
_TIMES: Final = 2
"""Rephrased so often in a row, a question was not answered."""
_DROPPED: Final = 3
"""Words in common from which on a question may lack others of the one before."""


def turn(trace: Trace, where: Slice, outcome: Outcome, trace_id: bytes) -> Turn:
    """The stored turn of a trace, for comparison with the next one."""
    started, duration = trace.started_at, trace.duration_seconds
    ended = None if started is None else started + (duration or 0.0)
    asked = question(trace.question) if trace.question else None
    trouble = None if _is_thanks(asked) else _trouble(trace, outcome)
    answer = trace.answer or ""
    said = crc32(answer[:_ANSWER_HEAD].strip().encode("utf-8", "replace")) if answer.strip() else 0
    asks_back = _ASKS_BACK.search(answer[-_ANSWER_END:].rstrip()) is not None
    return Turn(trace_id, where, started, ended, asked, trouble, said, asks_back)


def _trouble(trace: Trace, outcome: Outcome) -> Trouble | None:
    if trace.error is not None:
        return "cancelled" if _CANCELLED.search(trace.error) else "error"
    if trace.content_state == "error":
        return "error"
    if trace.content_state == "empty":
        return "empty"
    if _has_no_answer(trace.answer or ""):
        return "refusal"
    declined = [one.verdict for one in outcome.evaluations if one.evaluator == "refusal"]
    return "refusal" if "fail" in declined or trace.content_state == "refused" else None


def _has_no_answer(answer: str) -> bool:
    """Whether a short answer says that it knows none."""
    if not answer or len(answer) > _SHORT_ANSWER:
        return False
    text = folded(answer)
    return UNANSWERED.search(text) is not None and GOES_ON.search(text) is None


def _is_thanks(asked: QuestionSketch | None) -> bool:
    return asked is not None and bool(asked.marks & WordMark.THANKS) and not asked.marks & WordMark.REPEATABLE


def gives_up(asked: QuestionSketch | None) -> bool:
    """Whether a user says in few words that the answer was of no use, and nothing else."""
    if asked is None or asked.length > _GIVE_UP_WORDS:
        return False
    if not asked.marks & WordMark.GIVE_UP or asked.marks & (WordMark.THANKS | WordMark.SOLVED):
        return False
    return not asked.content or not asked.marks & (ASKING | KINDS)


def is_later(before: Turn, now: Turn | Trace) -> bool:
    """Whether a turn began after the one before had begun: traces are not recorded in the order of their times."""
    return before.started_at is None or now.started_at is None or now.started_at > before.started_at


def follows(before: Turn, now: Turn, *, alike: float, words: int) -> Derived | None:
    """What the question of a turn says of the answer before it.

    Of a rephrase at least so large a share of the words that matter is in both (``alike``, 0 to 1), and so many.
    """
    if before.question is None or now.question is None or not _is_reaction(before, now):
        return None
    if before.question.same == now.question.same:
        return "regenerate" if _is_repeat(before, before.question) else None
    return "rephrase" if is_rephrase(before.question, now.question, alike=alike, words=words) else None


def after(before: Turn, now: Turn, signal: Derived | None) -> Turn:
    """The turn as it stands after the one before, whose answer ``signal`` is about.

    A user who gives up in words gives up on the answer before: the turn takes its place.
    """
    if gives_up(now.question):
        return replace(now, trace_id=before.trace_id, where=before.where, trouble="gave_up")
    if signal is None:
        return now
    again = before.again + (signal == "rephrase")
    trouble = now.trouble
    if trouble is None and now.said and now.said == before.said:
        trouble = "repeated"
    elif trouble is None and again >= _TIMES:
        trouble = "rephrase"
    return replace(now, again=again, trouble=trouble)


def _is_reaction(before: Turn, now: Turn) -> bool:
    if before.ended_at is None or now.started_at is None:
        return True
    pause = now.started_at - before.ended_at
    if pause < 0:
        return False  # two requests at one time are not a reaction
    return not (before.trouble == "error" and pause < _RETRY)


def _is_repeat(before: Turn, asked: QuestionSketch) -> bool:
    marks = WordMark(asked.marks)
    if not marks & WordMark.REPEATABLE:
        return False
    return bool(marks & (KINDS | ASKING)) or not before.asks_back


def is_rephrase(before: QuestionSketch, now: QuestionSketch, *, alike: float, words: int) -> bool:
    """Whether two texts ask for the same in other words."""
    if max(before.length, now.length) > _MOST_WORDS or before.bag == now.bag:
        return False
    first, second = WordMark(before.marks), WordMark(now.marks)
    strong, weak = bits_of(before.content), bits_of(before.weak)
    now_strong, now_weak = bits_of(now.content), bits_of(now.weak)
    here, there = strong | weak, now_strong | now_weak
    common, lacks, adds = here & there, here - there, there - here
    if second & WordMark.COMPLAINT:
        return _is_insisting(before, now) and len(common) > len(lacks - weak) and len(common) >= len(adds - now_weak)
    if before.values != now.values or not _asks_alike(first, second):
        return False
    if WordMark.FROM & first and before.order != now.order:
        return False
    new = len(adds - now_weak)
    if (lacks and adds) or new > bool(second & WordMark.MEANT) or (lacks - weak and len(common) < _DROPPED):
        return False
    asks_the_same = bool(first & second & _SPECIFIC) and not lacks - weak
    enough = 1 if second & WordMark.UNSPACED else words - asks_the_same
    return len(common) >= enough and len(common) >= alike * len((strong | now_strong) | common)


def _is_insisting(before: QuestionSketch, now: QuestionSketch) -> bool:
    """Whether a complaint names the same numbers, if any."""
    return not now.values or before.values == now.values[: len(before.values)]


def _asks_alike(first: WordMark, second: WordMark) -> bool:
    """Whether two texts ask for the same kind of thing: a person, a time, a way, yes or no."""
    asks = KINDS | ASKING
    if first & asks and not second & (asks | WordMark.MEANT):
        return False  # tells what was done, perhaps
    if first & WordMark.MANNER and not second & (WordMark.MANNER | WordMark.WANT | WordMark.MEANT):
        return False  # asks that it be done, perhaps
    if (first ^ second) & WordMark.FROM:
        return False
    if bool(first & WordMark.MINE) != bool(second & WordMark.MINE) and bool(first & WordMark.YOURS) != bool(
        second & WordMark.YOURS
    ):
        return False
    here, there = first & KINDS, second & KINDS
    if here and there:
        return bool(here & there) or {WordMark.LONG, WordMark.WHEN} >= {here, there}
    return _is_open(here | there, WordMark.WHAT & (first if there else second))


def _is_open(kind: WordMark, other: WordMark) -> bool:
    return not other or not kind or kind == WordMark.MUCH
