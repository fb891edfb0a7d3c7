"""Near-duplicate detection: sketches of questions, compared by the words they share. Keeps no text."""

import re
from collections import Counter
from hashlib import blake2b
from typing import Final

Sketch = tuple[int, ...]
"""The smallest hashes of a question's words, ascending: of short questions all, of long ones a fair sample."""

SIZE: Final = 32
_INDEXED: Final = 8
_LONGEST: Final = 20_000
_WORDS: Final = re.compile(r"\w+")


def sketch(app: str, question: str) -> Sketch:
    """The sketch of a question to an app; those of two apps never match."""
    text = question[:_LONGEST].casefold()
    words = set(_WORDS.findall(text)) or {text}
    return tuple(sorted(_hash(app, word) for word in words)[:SIZE])


def similarity(one: Sketch, other: Sketch) -> float:
    """The share of words that two questions have in common (Jaccard); exact where both have at most ``SIZE``."""
    union = sorted({*one, *other})[: max(len(one), len(other))] if max(len(one), len(other)) == SIZE else {*one, *other}
    both = set(one) & set(other)
    return sum(word in both for word in union) / len(union) if union else 0.0


class Sketches:
    """Sketches by key; as many as there are items, which the queue bounds."""

    def __init__(self) -> None:
        self._sketches: dict[str, Sketch] = {}
        self._keys: dict[int, set[str]] = {}

    def add(self, key: str, one: Sketch) -> None:
        """Remember a sketch."""
        self._sketches[key] = one
        for word in one[:_INDEXED]:
            self._keys.setdefault(word, set()).add(key)

    def discard(self, key: str) -> None:
        """Forget a sketch."""
        for word in self._sketches.pop(key, ())[:_INDEXED]:
            keys = self._keys[word]
            keys.discard(key)
            if not keys:
                del self._keys[word]

    def has_near(self, one: Sketch, least: float) -> bool:
        """Whether a sketch is remembered that is at least so similar."""
        found = Counter(key for word in one[:_INDEXED] for key in self._keys.get(word, ()))
        return any(similarity(one, self._sketches[key]) >= least for key, _ in found.most_common())


def _hash(app: str, word: str) -> int:
    return int.from_bytes(blake2b(f"{app}\n{word}".encode("utf-8", "replace"), digest_size=6).digest(), "big")
