"""Makes text from an endpoint safe to show to an operator: short, on one line, without secrets and without the case."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Final, Self

from ..redaction import KINDS, Redactor

LONGEST: Final = 200
"""Characters of a text that are shown."""
_LOOKED_AT: Final = 500
_RUN: Final = 12
"""Characters in a row that a text shares with the case only by quoting it."""
_LEFT_OUT: Final = "[…]"
_QUOTES: Final = "\"'`\u201c\u201d\u2018\u2019\u00ab\u00bb"


class HiddenTexts:
    """Texts that are never shown, not even as part of this object's own repr."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._texts = sorted({*texts} - {""}, key=len, reverse=True)

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Self:
        """The values of headers, with and without their scheme, such as Bearer."""
        return cls(part for value in headers.values() for part in (value, value.split()[-1] if value.split() else ""))

    def without(self, text: str) -> str:
        """The text with a placeholder for each of them."""
        for secret in self._texts:
            text = text.replace(secret, "[secret]")
        return text


_NONE: Final = HiddenTexts()


def shown(text: str, private: Iterable[str] = (), secrets: HiddenTexts = _NONE) -> str:
    """A text of an endpoint without what it quotes of ``private`` (the case) and without ``secrets``, shortened."""
    text = secrets.without(_plain(text)[:_LOOKED_AT])
    text = _without(text, [_plain(one).casefold() for one in private])
    text = _redactor().text(text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def name(text: str) -> str:
    """A name that an endpoint gave, such as a model's: on one line and at most 100 characters, ? for what is odd."""
    kept = "".join(one if one.isprintable() and one != '"' else "?" for one in text[:100])
    return kept if len(text) <= 100 else f"{kept}…"


def _plain(text: str) -> str:
    """On one line; what JSON escapes is written out, for an error may hold its request as JSON."""
    text = text.replace("\\n", " ").replace("\\t", " ").replace('\\"', '"')
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def _without(text: str, private: Sequence[str]) -> str:
    """The text without runs of characters that the private texts hold, and without what it quotes of them."""
    folded = "".join(one.casefold() for one in text)
    at = [place for place, one in enumerate(text) for _ in one.casefold()]
    runs = ((start, start + _RUN) for start in range(len(folded) - _RUN + 1))
    spans = (span for span in (*runs, *_quoted(folded)) if any(folded[slice(*span)] in one for one in private))
    hidden = {at[place] for span in spans for place in range(*span)}
    pieces = [_LEFT_OUT if place in hidden else one for place, one in enumerate(text)]
    return "".join(one for place, one in enumerate(pieces) if place not in hidden or place - 1 not in hidden)


def _quoted(text: str) -> Iterable[tuple[int, int]]:
    """Where something stands between quotation marks, the marks left aside."""
    marks = [at for at, one in enumerate(text) if one in _QUOTES]
    yield from ((start + 1, end) for start, end in pairwise(marks) if text[start + 1 : end].strip())


@cache
def _redactor() -> Redactor:
    return Redactor(KINDS)
