"""Documents made ready to be compared with an answer; knows nothing of answers."""

from collections.abc import Iterable

from msgspec import Struct

from .facts import Facts, facts_of, together
from .vocabulary import Vocabulary
from .words import CONTEXT_LIMIT, joined_names, plain


class Source(Struct, frozen=True):
    """What several documents say together: their words, and the facts of those that are structured."""

    vocabulary: Vocabulary
    facts: Facts | None


def source(texts: Iterable[str]) -> Source:
    """The documents as one, of all together at most CONTEXT_LIMIT characters."""
    room = CONTEXT_LIMIT
    pieces: list[str] = []
    facts: list[Facts] = []
    for text in texts:
        piece = text[:room]
        room -= len(piece)
        found = facts_of(piece)
        if found is not None:
            facts.append(found)
            piece = joined_names(piece)
        pieces.append(piece)
        if room <= 0:
            break
    return Source(Vocabulary(plain("\n".join(pieces))), together(facts) if facts else None)
