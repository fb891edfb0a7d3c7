"""Documents made ready to be compared with an answer; knows nothing of answers."""

from collections.abc import Sequence

from msgspec import Struct

from .facts import Facts, facts_of, together
from .vocabulary import Vocabulary
from .words import CONTEXT_LIMIT, joined_names, spaced

MOST_FACTS = 1000
"""Facts of all documents together that an answer is compared with."""


class Source(Struct, frozen=True, gc=False):
    """What several documents say together: their words, and the facts of those that are structured."""

    words: Vocabulary | tuple[str | bytes, ...]
    facts: Facts | None


def source(texts: Sequence[str]) -> Source:
    """The documents as one, of all together at most CONTEXT_LIMIT characters and MOST_FACTS facts."""
    return Source(*_ready(texts, MOST_FACTS))


def reusable(text: str, most: int = MOST_FACTS) -> Source:
    """A document for many answers, with so many facts of it at most.

    Its words are looked up in a table, not looked for in the text each time.
    """
    words, facts = _ready([text], most)
    return Source(Vocabulary(words[0]), facts)


def _ready(texts: Sequence[str], most: int) -> tuple[tuple[str | bytes, ...], Facts | None]:
    """What a Vocabulary reads of the documents, and the facts that they state."""
    pieces = _within(texts, CONTEXT_LIMIT)
    stated: list[Facts | None] = []
    for piece in pieces:
        found = facts_of(piece, most) if most and ("{" in piece or "[" in piece) else None
        most -= len(found.states) if found else 0
        stated.append(found)
    facts = [one for one in stated if one is not None]
    if facts:
        pieces = [joined_names(piece) if one else piece for piece, one in zip(pieces, stated, strict=True)]
    return tuple(map(spaced, pieces)), together(facts) if facts else None


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
