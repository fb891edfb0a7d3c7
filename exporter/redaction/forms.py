"""What one kind of private text looks like: a pattern over shadows, what its matches must be, and its marks.

Every pattern runs in re2, whose time is linear. What it matches is checked by what it must be (a checksum, a length, a
digit), because a bare pattern finds too much.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import re2
from msgspec import Struct

from .budget import Budget
from .marks import Mark
from .shadow import LETTER

Span = tuple[int, int]
Check = Callable[[bytes, int, int, Budget], Iterable[Span]]
Next = Callable[[bytes, int, int], int]

DIGITS: Final = b"0123456789"
SMALL: Final = b"abcdefghijklmnopqrstuvwxyz"
LETTERS: Final = SMALL + SMALL.upper()
WORD: Final = LETTERS + DIGITS + b"_"
ANY_LETTER: Final = f"a-zA-Z\\x{LETTER:x}"
"""Of a character class: letters of all scripts, as they are in shadows."""

_word: Final = re.compile(rb"[0-9A-Za-z]*")
LATIN: Final = re2.Options()
LATIN.encoding = re2.Options.Encoding.LATIN1
"""Shadows have one byte for each character."""


class Form(Struct, frozen=True, kw_only=True):
    """The pattern of one kind; ``check`` returns the parts of a match to redact. Such a match has one of ``marks``.

    ``check`` pays for more than a few microseconds. ``after`` says from where on to look again after a match of which
    nothing goes.
    """

    kind: str
    pattern: Any
    check: Check
    marks: tuple[Mark, ...]
    after: Next = lambda _data, _start, end: end

    def spans(self, data: bytes, budget: Budget) -> Iterator[Span]:
        """Where in a shadow it is, in order; raises SpentError."""
        budget.search(len(data))
        at = 0
        while (match := self.pattern.search(data, at)) is not None:
            start, end = match.span()
            budget.match(end - start)
            at = self.after(data, start, end)
            for span in self.check(data, start, end, budget):
                yield span
                at = max(span[1], start + 1)


def pattern(text: str) -> Any:
    """A pattern over shadows, compiled; one without groups is ten times faster in re2."""
    return re2.compile(text.encode("latin-1"), LATIN)


def whole(_data: bytes, start: int, end: int, _budget: Budget) -> Iterable[Span]:
    """All of every match goes."""
    return ((start, end),)


def next_word(data: bytes, start: int, _end: int) -> int:
    """Where a word ends that begins at the start of a match."""
    return _word.match(data, start + 1).end()  # type: ignore[union-attr]


def goes_on(data: bytes, start: int, end: int) -> bool:
    """Whether a number is part of a longer one, such as a date, a version or an amount."""
    before, after = data[max(0, start - 2) : start], data[end : end + 2]
    if before[-1:].isalnum() or after[:1].isalnum() or after[:1] == b"_":
        return True
    return (before[:1].isdigit() and before[-1:] in b".,-/:") or (after[1:].isdigit() and after[:1] in b".,-/:")
