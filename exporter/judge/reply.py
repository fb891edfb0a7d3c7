"""A judge's reply → a score on the rubric's scale, or a JudgeError. Tolerant in form, strict in meaning: no guesses.

What counts is the one JSON object with a "score": alone, in a code fence, or with words around it. Objects that
disagree, a score off the scale, and anything that looks like an object and cannot be read make the reply unparseable.
"""

import json
import re
from typing import Any, Final

from msgspec import Struct

from ..model.visible_text import visible
from .case import JudgeError
from .rubric import Rubric

LONGEST_EXPLANATION: Final = 2_000
_LONGEST: Final = 100_000
_MOST_OBJECTS: Final = 16
_CUT_OFF: Final = frozenset({"length", "max_tokens", "max_output_tokens", "model_length"})
_FILTERED: Final = frozenset({"content_filter", "content-filter", "guardrail_intervened", "refusal", "safety"})
"""How endpoints say why a reply ended, in lower case."""
_PLACEHOLDER: Final = re.compile(r"\{[^{}\"':\[\]]{0,100}\}")
_NUMBER: Final = re.compile(r"(-?\d{1,6}(?:\.\d{1,6})?)(?:\s*/\s*(\d{1,6}))?", re.ASCII)


class Reply(Struct, frozen=True):
    """What a judge said: a score on the rubric's own scale, and why."""

    score: float
    explanation: str


def read(text: str | None, rubric: Rubric, *, finish_reason: str = "stop", refusal: str | None = None) -> Reply:
    """The judge's score and explanation; JudgeError "refused" or "unparseable", whose message quotes nothing."""
    if refusal or finish_reason in _FILTERED:
        raise JudgeError("refused", "the judge declined to judge", retry=False, stop="refused")
    try:
        found = _objects(text or "")
        scores = {_score(one["score"], rubric) for one in found}
    except _Unclear as error:
        raise _unparseable(str(error), finish_reason) from None
    except (ValueError, RecursionError):
        raise _unparseable("it is not JSON", finish_reason) from None
    if len(scores) != 1:
        what = "it holds different scores" if scores else "it holds no object with a score"
        raise _unparseable(what, finish_reason)
    explanation = found[-1].get("explanation")
    return Reply(scores.pop(), explanation[:LONGEST_EXPLANATION] if isinstance(explanation, str) else "")


class _Unclear(ValueError):  # noqa: N818 - private
    """Why a reply cannot be parsed, without quoting it."""


def _unparseable(what: str, finish_reason: str) -> JudgeError:
    is_cut = finish_reason in _CUT_OFF
    message = f"the judge's reply cannot be read: {what}{'; it was cut off at max_tokens' if is_cut else ''}"
    return JudgeError("unparseable", message, stop="cut_off" if is_cut else "unparseable")


def _objects(text: str) -> list[dict[str, Any]]:
    """The outermost JSON objects of a reply that have a score; an object that cannot be read fails them all.

    For in a broken object the next brace may open a quotation of the very answer that is judged.
    """
    if len(text) > _LONGEST:
        raise _Unclear("it is too long")
    text = visible(text)
    found: list[dict[str, Any]] = []
    at = text.find("{")
    while at >= 0:
        if placeholder := _PLACEHOLDER.match(text, at):
            at = text.find("{", placeholder.end())
            continue
        value, end = _DECODER.raw_decode(text, at)
        found.append(value)
        if len(found) > _MOST_OBJECTS:
            raise _Unclear("it holds too many objects")
        at = text.find("{", end)
    return [one for one in found if "score" in one]


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise _Unclear("a key is there twice")
    return value


def _refuse(constant: str) -> float:
    raise _Unclear(f"{constant} is no number")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_without_repeats, parse_constant=_refuse, strict=False)


def _score(value: object, rubric: Rubric) -> float:
    """A number on the scale: as a number, or as text such as "4" or "4/5"."""
    if isinstance(value, str):
        match = _NUMBER.fullmatch(value.strip())
        if match is None or (match[2] and int(match[2]) != rubric.highest):
            raise _Unclear("its score is no number")
        value = float(match[1])
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Unclear("its score is no number")
    if not rubric.lowest <= value <= rubric.highest:
        raise _Unclear(f"its score is not between {rubric.lowest} and {rubric.highest}")
    return float(value)
