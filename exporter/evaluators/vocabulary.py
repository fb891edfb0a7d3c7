"""The distinct words of a text, to compare with those of others; knows bytes and white space, no letters.

Written twice: here, and in C (``_vocabulary.c``), which does the same at a tenth of the cost and is used where a
compiler was there when llmq was installed.
"""

from itertools import chain

__all__ = ["Vocabulary"]


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


try:
    from ._vocabulary import Vocabulary
except ImportError:
    Vocabulary = PlainVocabulary  # type: ignore[misc, assignment]
