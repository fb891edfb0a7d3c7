"""Splits a text into words, names and runs in one pass; knows bytes, and no language.

Written twice: here, and in C (``native/scan.c``, ``native/figures.c``).
"""

import re
from collections.abc import Sequence

import re2

from ..native import COMPILED

__all__ = [
    "MARK",
    "apart",
    "digit_groups",
    "figures",
    "first_sentences",
    "has_other_capitals",
    "has_run",
    "names",
    "other_figures",
]

MARK = re.compile(
    "[\u00a0\u00a2-\u00a9\u00ab\u00ae-\u00b1\u00b7\u00bb\u060c\u061b\u061f\u0964\u0965\u2000-\u206f"
    "\u20a0-\u20cf\u2190-\u27bf\u3000-\u3011\uff00-\uff0f]"
)
"""Marks that are not ASCII: spaces, punctuation, currencies, arrows and other symbols."""

_ALONE = re.compile("([\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])")
_LOWERED = {code: chr(code).lower() for code in (*range(0xC0, 0xDF), *range(0x400, 0x430))}
_MAY_HAVE_LOWER = re.compile(
    "[\u0100-\u03ff\u0430-\u058f\u10a0-\u1fff\u2100-\u218f\u24b0-\u24cf\u2c00-\u2dff\ua640-\uabff\uff20-\uff3f"
    "\U00010000-\U0001efff]"
)
_FIGURES = re.compile(rb"[0-9]+(?:[.,:'/-][0-9]+)*")
_BETWEEN_WORDS: dict[int, str] = {
    **dict.fromkeys((*range(0x21, 0x27), *range(0x28, 0x2D), 0x2E, 0x2F, *range(0x3C, 0x41), *range(0x5B, 0x61)), " "),
    **dict.fromkeys((*range(0x7B, 0xC0), *range(0x2010, 0x205F), *range(0x3000, 0x3020), *range(0xFF01, 0xFF10)), " "),
    **dict.fromkeys(map(ord, "!?\u3002\uff01\uff1f\u0964\u061f"), "\n"),
    **dict.fromkeys(map(ord, ",;:\u060c\u3001\uff0c\uff1b\uff1a"), " , "),
    0x2019: "'",
}
"""Marks between words: nothing is left of them but apostrophes, commas, and the ends of sentences."""
_GROUPS = re.compile(rb"[0-9]+")
_NAMES = re2.compile(rb"[a-z,;'\")] ((?:[A-Z][\w'-]*\W?)+)")


def plain_apart(text: bytes, /) -> bytes:
    """UTF-8 with a space for each mark that is not ASCII, and spaces around the characters of unspaced scripts.

    Letters of Latin-1 and Cyrillic, of those that are not ASCII, are made lower case.
    """
    characters = MARK.sub(" ", text.decode("utf-8", "surrogateescape").translate(_LOWERED))
    return _ALONE.sub(r" \1 ", characters).encode("utf-8", "surrogateescape")


def plain_digit_groups(texts: Sequence[str | bytes], /) -> list[bytes]:
    """The digits in UTF-8, those without anything between them in one piece."""
    return [group for text in texts for group in _GROUPS.findall(_utf8(text))]


def plain_figures(text: str | bytes, /) -> list[bytes]:
    """The numbers in UTF-8 as they are written: digits, with single marks between them as in 1,200.50 or 17:30."""
    return _FIGURES.findall(_utf8(text))


def plain_first_sentences(text: str | bytes, most: int, /) -> bytes:
    """The first sentences of UTF-8, so many at most, one to a line; ASCII in lower case.

    Of a sentence only words are left, and commas as words of their own: a space before the first and behind each.
    """
    characters = _utf8(text).lower().decode("utf-8", "surrogateescape").replace(". ", "\n").translate(_BETWEEN_WORDS)
    sentences = [words for sentence in characters.split("\n") if (words := sentence.split())][:most]
    return "\n".join([f" {' '.join(words)} " for words in sentences]).encode("utf-8", "surrogateescape")


def plain_other_figures(text: str | bytes, texts: Sequence[str | bytes], /) -> list[bytes]:
    """The figures of UTF-8 that are none of other texts, as often as they occur."""
    known = {figure for one in texts for figure in plain_figures(one)}
    return [figure for figure in plain_figures(text) if figure not in known]


def plain_has_other_capitals(text: bytes, /) -> bool:
    """Could any character of UTF-8 have a lower case, but those of ASCII and those that ``apart`` gives?"""
    return _MAY_HAVE_LOWER.search(text.decode("utf-8", "surrogateescape")) is not None


def plain_has_run(text: str | bytes, length: int, /) -> bool:
    """Are there so many characters of UTF-8 in a row without white space and what Markdown draws lines with?"""
    return re2.search(rb"[^\t\n\f\r =_*~#.|+-]{%d}" % length, _utf8(text)) is not None


def plain_names(text: str | bytes, /) -> bytes:
    """The words of UTF-8 that begin with a capital elsewhere than at a sentence's start; a space behind each name."""
    return b"".join([name + b" " for name in _NAMES.findall(_utf8(text))])


def _utf8(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


if COMPILED:
    from ..native._kernels import (
        apart,
        digit_groups,
        figures,
        first_sentences,
        has_other_capitals,
        has_run,
        names,
        other_figures,
    )
else:
    apart, figures, first_sentences, names = plain_apart, plain_figures, plain_first_sentences, plain_names
    digit_groups, has_other_capitals, has_run = plain_digit_groups, plain_has_other_capitals, plain_has_run
    other_figures = plain_other_figures
