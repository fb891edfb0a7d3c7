"""The distinct words of a text, to compare with those of others; knows bytes and white space, no letters.

Written twice: here, and in C (``_vocabulary.c``), which does the same at a tenth of the cost and is used where a
compiler was there when llmq was installed.
"""

from itertools import chain
from struct import pack
from zlib import crc32

__all__ = ["Vocabulary", "sketch"]


class PlainVocabulary:
    """The distinct words of a text: what stands between white space. ``total`` counts repeated ones too."""

    __slots__ = ("total", "words")

    def __init__(self, text: bytes) -> None:
        words = text.split()
        self.total = len(words)
        self.words = frozenset(words)

    def __len__(self) -> int:
        """How many distinct words there are."""
        return len(self.words)

    def overlap(self, other: "PlainVocabulary") -> int:
        """How many words are in another vocabulary too."""
        return len(self.words & other.words)

    def shared(self, *others: "PlainVocabulary") -> frozenset[bytes]:
        """The words that are in at least one of the others."""
        return self.words.intersection(chain.from_iterable(other.words for other in others))

    def without(self, *others: "PlainVocabulary") -> frozenset[bytes]:
        """The words that are in none of the others."""
        return self.words.difference(*[other.words for other in others])

    def strange(self, known: "PlainVocabulary", *others: "PlainVocabulary") -> frozenset[bytes]:
        """The words that are in none of the others, in ``known`` with no other ending either."""
        strange = self.without(known, *others)
        return frozenset(word for word in strange if known.words.isdisjoint(_forms(word)))


def _forms(word: bytes) -> tuple[bytes, ...]:
    """A word without s, ed or ing; with e instead; with s."""
    stem = word.removesuffix(b"s").removesuffix(b"ed").removesuffix(b"ing")
    return stem, stem + b"e", word + b"s"


def plain_sketch(text: bytes, beginning: int, most: int, /) -> tuple[int, bytes]:
    """What tells a text again without keeping it: a checksum of its words in order, and 16 bits of each word.

    Of a word it is its first bytes that count (``beginning``, so many), of the words the first ones (``most``); those
    bits are distinct, in order, and two bytes each, the lower one first.
    """
    words = text.split()
    bits = sorted({crc32(word[:beginning]) & 0xFFFF for word in words[:most]})
    return crc32(b" ".join(words)), pack(f"<{len(bits)}H", *bits)


try:
    from ._vocabulary import Vocabulary, sketch
except ImportError:
    Vocabulary = PlainVocabulary  # type: ignore[misc, assignment]
    sketch = plain_sketch
