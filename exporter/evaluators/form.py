"""The evaluator `format`: the form of the answer against rules that the user configured; has no rule of its own."""

import re
from collections.abc import Iterator, Sequence
from typing import Literal

import re2

from ..model.score import Score
from ..model.trace import Trace
from .languages import Language, spoken
from .patterns import Pattern
from .registry import evaluator
from .words import ANSWER_LIMIT

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
_DELIMITER = re2.compile(r"^\s*\|?(?:\s*:?-+:?\s*\|)*\s*:?-+:?\s*\|?\s*$")
_DELIMITING = frozenset("|:- \t")
_CODE = re.compile(r"`[^`]*`")
_NO_RULES = ((), (), None, None, None, False, "any")


@evaluator("format", version="2")
def format_(
    trace: Trace,
    *,
    must_match: Sequence[Pattern] = (),
    must_not_match: Sequence[Pattern] = (),
    min_length: int | None = None,
    max_length: int | None = None,
    language: Language | None = None,
    table: bool = False,
    code_fence: Literal["any", "balanced", "required"] = "any",
) -> bool | Score | None:
    """The answer keeps the configured rules: patterns, length in characters, language, Markdown table, code fences."""
    rules = (must_match, must_not_match, min_length, max_length, language, table, code_fence)
    if not trace.answer or rules == _NO_RULES:
        return None
    text = trace.answer[:ANSWER_LIMIT]
    broken = [
        *(f"does not match {pattern}" for pattern in must_match if not pattern.found(text)),
        *(f"matches {pattern}" for pattern in must_not_match if pattern.found(text)),
        *_length(len(trace.answer), min_length, max_length),
        *_language(text, language),
        *(["has no well-formed Markdown table"] if table and not well_formed_table(text) else []),
        *_fences(text, code_fence),
    ]
    return Score(0.0, explanation="the answer " + "; ".join(broken)) if broken else True


def _length(length: int, least: int | None, most: int | None) -> Iterator[str]:
    if least is not None and length < least:
        yield f"has {length} characters, fewer than {least}"
    if most is not None and length > most:
        yield f"has {length} characters, more than {most}"


def _language(text: str, wanted: Language | None) -> Iterator[str]:
    if wanted is None:
        return
    seen = spoken(text)
    if seen is not None and seen != wanted:
        yield f"is in {'another language' if seen == 'other' else seen}, not in {wanted}"


def _fences(text: str, wanted: str) -> Iterator[str]:
    if wanted == "any":
        return
    opened, blocks = "", 0
    for mark in _FENCE.findall(text):
        if not opened:
            opened, blocks = mark, blocks + 1
        elif mark[0] == opened[0] and len(mark) >= len(opened):
            opened = ""
    if opened:
        yield "has a code fence that is not closed"
    if wanted == "required" and not blocks:
        yield "has no code fence"


def well_formed_table(text: str) -> bool:
    """Is there a Markdown table, and has each row of every table as many cells as its header?"""
    found, width, before = False, 0, ""
    for line in text.splitlines():
        if width:
            width = width if "|" in line else 0
            if width and _cells(line) != width:
                return False
        elif "|" in before and _is_delimiter(line):
            found, width = True, _cells(line)
            if _cells(before) != width:
                return False
        before = line
    return found


def _is_delimiter(line: str) -> bool:
    return "|" in line and "-" in line and set(line) <= _DELIMITING and _DELIMITER.match(line) is not None


def _cells(row: str) -> int:
    row = _CODE.sub("", row).replace(r"\|", "").strip()
    return len(row.removeprefix("|").removesuffix("|").split("|"))
