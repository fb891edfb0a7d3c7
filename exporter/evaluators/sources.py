"""Documents made ready to be compared with an answer; knows nothing of answers."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from .facts import Facts, decoded, facts_of, leaves, together
from .scripts import composed
from .values import Numbers
from .vocabulary import Vocabulary
from .words import CONTEXT_LIMIT, compared, joined_names

MOST_FACTS = 1000
"""Facts of all documents together that an answer is compared with."""

_NESTED = 3
"""Levels of JSON in texts of JSON that are read."""

_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


class Source(Struct, frozen=True, gc=False):
    """What several documents say together: their words, their numbers, and the facts of those that are JSON."""

    words: Vocabulary | tuple[str | bytes, ...]
    numbers: Numbers
    facts: Facts | None

    @property
    def structured(self) -> bool:
        """Are these fields and their values rather than prose?"""
        return self.facts is not None and self.facts.structured


def source(texts: Sequence[str]) -> Source:
    """The documents as one, of all together at most CONTEXT_LIMIT characters and MOST_FACTS facts."""
    read, facts = _ready(texts, MOST_FACTS)
    return Source(tuple(map(compared, read)), Numbers(read), facts)


def reusable(text: str, most: int = MOST_FACTS) -> Source:
    """A document for many answers, with so many facts of it at most.

    Its words are looked up in a table, not looked for in the text each time.
    """
    read, facts = _ready([text], most)
    return Source(Vocabulary(compared(read[0])), Numbers(read), facts)


def _ready(texts: Sequence[str], most: int) -> tuple[tuple[str, ...], Facts | None]:
    """The documents as text, and the facts that they state."""
    pieces: list[str] = []
    stated: list[Facts] = []
    for piece in _within(texts, CONTEXT_LIMIT):
        value = decoded(piece) if "{" in piece or "[" in piece else None
        if value is None:
            pieces.append(piece if "\\" not in piece and piece.isascii() else composed(_unescaped(piece)))
            continue
        escaped = "\\" in piece
        if escaped:
            value = _opened(value, _NESTED)
        if most:
            stated.append(facts_of(value, most))
            most -= len(stated[-1].states)
        pieces.append(composed(joined_names(_written(value) if escaped else piece)))
    return tuple(pieces), together(stated) if stated else None


def _opened(value: Any, levels: int) -> Any:
    """A decoded document with the JSON in its texts decoded too, as tools that answer in JSON wrap it."""
    if isinstance(value, str):
        inner = decoded(value) if levels else None
        return _unescaped(value) if inner is None else _opened(inner, levels - 1)
    if isinstance(value, list):
        return [_opened(one, levels) for one in value]
    if isinstance(value, dict):
        return {name: _opened(one, levels) for name, one in value.items()}
    return value


def _written(value: Any) -> str:
    """A decoded document with a line for each value: the keys above it, and the value."""
    return "\n".join(_lines(value))


def _lines(value: Any) -> Iterator[str]:
    above = ""
    for path, one in leaves(value):
        yield f"{one}" if path == above else f"{path}: {one}"
        above = path


def _unescaped(text: str) -> str:
    r"""The text with characters for what is written as \\uXXXX."""
    if "\\u" not in text:
        return text
    characters = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return characters.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _within(texts: Sequence[str], room: int) -> Sequence[str]:
    """The texts, cut where they have more characters than there is room for."""
    if sum(map(len, texts)) <= room:
        return texts
    pieces: list[str] = []
    for text in texts:
        pieces.append(text[:room])
        room -= len(pieces[-1])
        if not room:
            break
    return pieces
