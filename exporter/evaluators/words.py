"""Text → sentences and words, cheaply: lower case bytes, split at what is no letter or digit; knows no meaning."""

import re
from functools import lru_cache

import msgspec
from msgspec import Struct

from .scan import MARK, apart, has_other_capitals
from .scripts import composed, in_words, is_unspaced
from .vocabulary import SEPARATED, Vocabulary

ANSWER_LIMIT = 64 * 1024
"""Characters of an answer that are looked at."""

CONTEXT_LIMIT = 512 * 1024
"""Characters of all documents together that are looked at."""

_JSON_LIMIT = 4 * ANSWER_LIMIT
"""Characters of an answer that may be JSON: what is longer is text, cut as any other."""

_REMEMBERED = 16 * 1024

STEM = 5
"""Bytes of a word's beginning that stand for the word, so that most of its forms are one."""

FUNCTION_WORDS = frozenset(
    word[:STEM]
    for word in b"""
    a about am an and any are as at be been but by can could d did do does for from get had has have how i if in is
    it its just ll m me my of on or please re s so t that the their them then there these they this those to up us
    ve was we were what when where which who why will with would you your
    """.split()
)
"""The stems of English words that say little of what a question is about."""

_HUMP = re.compile("([A-Z])(?<=[a-z][A-Z])")
_LIST_NUMBER = re.compile(r"(?m)^[ \t]{0,20}\d{1,3}[.)]\s")  # \s there would be quadratic in blank lines
SENTENCE_ENDS = b".?!"
"""What ends a sentence where a space follows."""

_ENDS = (*[f"{chr(mark)} " for mark in SENTENCE_ENDS], "。")
_DIGIT_FIRST = re.compile(r"\n[ \t]{0,20}\d")  # what begins with a certain character is found many times as fast
_BRACKET = re.compile(r"\[\^?\d[\d,;\s-]*\]|\[(?i:doc|source)[ :]{0,2}\d{1,3}\]")
_MARK = re.compile(rf"{_BRACKET.pattern}|【[^】\n]{{0,80}}】")


class ReadText(Struct, frozen=True, gc=False):
    """An answer without its citation marks and list numbers, and its words."""

    text: str
    vocabulary: Vocabulary


def spaced(text: str) -> str | bytes:
    """What a Vocabulary reads: ASCII as it is, any other text as UTF-8 as ``plain`` says, but for ASCII in it."""
    return text if text.isascii() else _apart(text)


def compared(text: str) -> str | bytes:
    """What a Vocabulary reads to compare texts: as ``spaced``, but words of unspaced scripts are more than a character.

    Of a text that is ``composed``.
    """
    if text.isascii():
        return text
    if not is_unspaced(text):
        return _apart(text)
    return in_words(MARK.sub(" ", text.lower())).encode("utf-8", "replace")


def utf8(text: str) -> str | bytes:
    """What C reads as UTF-8 at once: ASCII as it is, any other text as bytes."""
    return text if text.isascii() else text.encode("utf-8", "replace")


def _apart(text: str) -> bytes:
    encoded = text.encode("utf-8", "replace")
    if has_other_capitals(encoded):
        encoded = text.lower().encode("utf-8", "replace")  # which costs more than all else that is done with a text
    return apart(encoded)


def plain(text: str) -> bytes:
    """The text as lower case UTF-8, words between spaces, lines kept; characters of unspaced scripts stand alone."""
    return (text.encode() if text.isascii() else _apart(text)).translate(SEPARATED)


def read(text: str) -> ReadText:
    """The words of an answer's first ANSWER_LIMIT characters; those of the last answers that are not long are kept."""
    return remembered(text) if len(text) <= _REMEMBERED else _read(text)


def _read(text: str) -> ReadText:
    text = text[:ANSWER_LIMIT]
    if not text.isascii():
        text = composed(text)
    if "[" in text or "【" in text:
        text = (_MARK if "【" in text else _BRACKET).sub(" ", text)
    if "\n" in text and _DIGIT_FIRST.search("\n" + text):
        text = _LIST_NUMBER.sub(" ", text)
    return ReadText(text, Vocabulary(spaced(text)))


remembered = lru_cache(maxsize=40)(_read)
"""What ``read`` said of the last answers: more than are evaluated together, since several evaluators ask."""


def in_lines(text: str) -> str:
    """The text with each sentence on a line of its own."""
    for end in _ENDS:
        if end[0] in text:  # to look for one character is much cheaper than for two
            text = text.replace(end, end[0] + "\n")
    return text


def sentences(text: str) -> list[tuple[str, bytes]]:
    """Each sentence as it stands, and as plain words."""
    lines = in_lines(text)
    return list(zip(lines.split("\n"), plain(lines).split(b"\n"), strict=True))


def joined_names(text: str) -> str:
    """The text with the words of names like OutdoorSeating set apart."""
    return _HUMP.sub(r" \1", text)


def prose(text: str) -> str:
    """The sentences in an answer that is JSON, one to a line; any other answer as it is."""
    if len(text) > _JSON_LIMIT or not text.lstrip().startswith(("{", "[")):
        return text
    try:
        value = msgspec.json.decode(text.encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError):
        return text
    return "\n".join(piece for piece in _strings(value) if piece.count(" ") > 1)


def _strings(value: object) -> list[str]:
    found: list[str] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, dict):
            waiting += reversed(one.values())
        elif isinstance(one, list):
            waiting += reversed(one)
    return found
