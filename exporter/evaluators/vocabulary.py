"""The distinct words of a text, to compare with those of others; knows bytes, and no language.

Written twice: here, and in C (``native/vocabulary.c``), which does the same at a tenth of the cost.
"""

from collections.abc import KeysView, Sequence

from ..native import COMPILED

__all__ = ["SEPARATED", "Vocabulary"]

SEPARATED = bytes(code if chr(code).isalnum() or code > 127 or code == 10 else 32 for code in bytes(range(256)).lower())
"""The bytes to which bytes are mapped: lower case letters, digits, what is not ASCII, line ends; else a space."""

_MOST = 3
_SHORT = 3


class PlainVocabulary:
    """The distinct words of a text: letters, digits and what is not ASCII, in lower case; of a str, of its UTF-8."""

    __slots__ = ("distinct", "order")

    def __init__(self, text: str | bytes) -> None:
        self.order = _words(text)
        self.distinct = dict.fromkeys(self.order)

    def __len__(self) -> int:
        """How many distinct words there are."""
        return len(self.distinct)

    @property
    def total(self) -> int:
        """How many words the text has, repeated ones too."""
        return len(self.order)

    def words(self) -> list[bytes]:
        """The words in order of appearance."""
        return list(self.distinct)

    def digits_first(self) -> list[bytes]:
        """The words that begin with a digit, in order of appearance."""
        return [word for word in self.distinct if word[:1].isdigit()]

    def overlap(self, other: "PlainVocabulary | str | bytes") -> int:
        """How many words are in another vocabulary, or in a text, too."""
        others = other.distinct if isinstance(other, PlainVocabulary) else dict.fromkeys(_words(other))
        return len(self.distinct.keys() & others.keys())

    def against(
        self, known: "PlainVocabulary | Sequence[str | bytes]", ignored: "PlainVocabulary"
    ) -> tuple[int, "PlainVocabulary"]:
        """How many words are not ignored, and those of them that ``known`` has not, nor with another ending."""
        counted = [word for word in self.distinct if word not in ignored.distinct]
        words = _known(known)
        strange = [word for word in counted if word not in words and words.isdisjoint(_forms(word))]
        return len(counted), PlainVocabulary(b" ".join(strange))

    def numbers(self) -> int:
        """How many words are numbers: digits alone."""
        return sum(map(bytes.isdigit, self.distinct))

    def share(self, text: str | bytes, ignored: "PlainVocabulary") -> float:
        """The share of these words of the distinct ones of a text that are not ignored; fewer than 3 count as 3."""
        words = set(_words(text))
        return len(self.distinct.keys() & words) / max(_SHORT, len(words - ignored.distinct.keys()))

    def densest(self, text: str | bytes, ends: bytes) -> list[tuple[int, int]]:
        """Where the three sentences begin and end of which these words, if any, are the largest share.

        A sentence is a line, or ends with one of the marks ``ends`` before a space. One of fewer words counts as of 3.
        """
        text = text.encode() if isinstance(text, str) else text
        for mark in ends:
            text = text.replace(b"%c " % mark, b"%c\n" % mark)
        found, start = [], 0
        for line in text.split(b"\n"):
            words = _words(line)
            share = len(self.distinct.keys() & words) / max(_SHORT, len(words))
            found.append((-share, start, start + len(line)))
            start += len(line) + 1
        return [(start, end) for share, start, end in sorted(found)[:_MOST] if share]

    def repeats(self, length: int) -> int:
        """How many runs of so many words of the text occurred before in it."""
        runs = list(zip(*[self.order[start:] for start in range(length)], strict=False))
        return len(runs) - len(set(runs))


def _words(text: str | bytes) -> list[bytes]:
    return (text.encode() if isinstance(text, str) else text).translate(SEPARATED).split()


def _known(known: PlainVocabulary | Sequence[str | bytes]) -> KeysView[bytes]:
    """The words of a vocabulary, or of texts."""
    if isinstance(known, PlainVocabulary):
        return known.distinct.keys()
    return dict.fromkeys(word for text in known for word in _words(text)).keys()


def _forms(word: bytes) -> tuple[bytes, ...]:
    """A word without s, ed or ing; with e instead; with s."""
    stem = word.removesuffix(b"s").removesuffix(b"ed").removesuffix(b"ing")
    return stem, stem + b"e", word + b"s"


if COMPILED:
    from ..native._kernels import Vocabulary
else:
    Vocabulary = PlainVocabulary  # type: ignore[misc, assignment]
