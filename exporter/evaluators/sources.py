"""Documents made ready to be searched, and a bounded memory of those that recur; knows nothing of answers."""

from collections import OrderedDict
from collections.abc import Iterable

from msgspec import Struct

from .facts import Facts, facts_of
from .words import CONTEXT_LIMIT, joined_names, plain

_BYTES = 16 << 20
_SEEN = 8192


class Source(Struct, frozen=True):
    """One document: its plain text between spaces, its words, and its facts where it is structured."""

    text: bytes
    words: frozenset[bytes] | list[bytes]
    facts: Facts | None


class Sources:
    """Remembers documents from the second time on that they are seen, within a budget of bytes (estimated)."""

    def __init__(self, limit: int = _BYTES) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, tuple[Source, int]] = OrderedDict()
        self._seen: dict[int, None] = {}
        self.size = 0

    def ready(self, texts: Iterable[str]) -> list[Source]:
        """The documents, of all together at most CONTEXT_LIMIT characters."""
        room = CONTEXT_LIMIT
        found: list[Source] = []
        for text in texts:
            if room <= 0:
                break
            found.append(self._one(text if len(text) <= room else text[:room]))
            room -= len(text)
        return found

    def _one(self, text: str) -> Source:
        kept = self._kept.get(text)
        if kept is not None:
            self._kept.move_to_end(text)
            return kept[0]
        source = _source(text)
        mark = hash(text)
        if mark not in self._seen:
            self._seen[mark] = None
            if len(self._seen) > _SEEN:
                del self._seen[next(iter(self._seen))]
            return source
        source = Source(source.text, frozenset(source.words), source.facts)
        # A distinct word costs a bytes object and its share of the set; key and text are kept beside them.
        cost = 110 * len(source.words) + len(source.text) + 2 * len(text) + 500
        self._kept[text] = source, cost
        self.size += cost
        while self.size > self._limit:
            self.size -= self._kept.popitem(last=False)[1][1]
        return source


def _source(text: str) -> Source:
    facts = facts_of(text)
    lines = plain(joined_names(text) if facts else text).replace(b"\n", b" ")
    return Source(b" " + lines + b" ", lines.split(), facts)
