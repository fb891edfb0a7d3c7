"""Documents made ready to be searched, and a bounded memory of those that recur; knows nothing of answers."""

from collections import OrderedDict
from collections.abc import Iterable

from msgspec import Struct

from .facts import Facts, facts_of
from .words import CONTEXT_LIMIT, joined_names, plain

_BYTES = 16 << 20
_SEEN = 8192
_ADMITTED = 8
"""Once full, each so-manieth newcomer is taken: where more documents go round than fit, some stay and are found."""


class Source(Struct, frozen=True):
    """One document: its words, and its facts where it is structured."""

    words: frozenset[bytes] | list[bytes]
    facts: Facts | None


class Sources:
    """Remembers documents from the second time on that they are seen, within a budget of bytes (estimated)."""

    def __init__(self, limit: int = _BYTES) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, tuple[Source, int]] = OrderedDict()
        self._seen: dict[int, None] = {}
        self._offered = 0
        self.size = 0

    def ready(self, texts: Iterable[str]) -> list[Source]:
        """The documents, of all together at most CONTEXT_LIMIT characters; those never seen before may come as one."""
        room = CONTEXT_LIMIT
        found: list[Source] = []
        new: list[str] = []
        for text in texts:
            if room <= 0:
                break
            piece = text if len(text) <= room else text[:room]
            room -= len(piece)
            source = self._known(piece)
            if source is not None:
                found.append(source)
            elif piece[:1] in ("{", "["):
                found.append(_source(piece))
            else:
                new.append(piece)
        if new:
            found.append(Source(plain("\n".join(new)).split(), None))
        return found

    def _known(self, text: str) -> Source | None:
        """The document as remembered, or to be remembered from now on; None the first time that it is seen."""
        kept = self._kept.get(text)
        if kept is not None:
            self._kept.move_to_end(text)
            return kept[0]
        mark = hash(text)
        if mark in self._seen:
            return self._keep(text)
        self._seen[mark] = None
        if len(self._seen) > _SEEN:
            del self._seen[next(iter(self._seen))]
        return None

    def _keep(self, text: str) -> Source:
        source = _source(text)
        # A distinct word costs a bytes object and its share of the set; the text is kept as the key.
        cost = 90 * len(source.words) + 2 * len(text) + 500
        self._offered += 1
        if self.size + cost > self._limit and self._offered % _ADMITTED:
            return source
        self._kept[text] = source, cost
        self.size += cost
        while self.size > self._limit:
            self.size -= self._kept.popitem(last=False)[1][1]
        return source


def _source(text: str) -> Source:
    facts = facts_of(text)
    return Source(frozenset(plain(joined_names(text) if facts else text).split()), facts)
