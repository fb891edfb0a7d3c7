"""Lists of words, and how many words of each are in a text; knows bytes, and no language.

Written twice: here, and in C (``native/lexicon.c``).
"""

from collections.abc import Sequence

from ..native import COMPILED
from .vocabulary import SEPARATED

__all__ = ["Lexicon"]

_MOST = 64


class PlainLexicon:
    """Lists of words in UTF-8, 64 at most; a word is what it is in a Vocabulary."""

    def __init__(self, lists: Sequence[bytes]) -> None:
        if len(lists) > _MOST:
            raise ValueError(f"more than {_MOST} lists")
        self._lists = [_words(one) for one in lists]

    def counts(self, text: str | bytes, /) -> list[int]:
        """How many distinct words of each list are in a text."""
        words = _words(text.encode() if isinstance(text, str) else text)
        return [len(words & one) for one in self._lists]


def _words(text: bytes) -> frozenset[bytes]:
    return frozenset(text.translate(SEPARATED).split())


if COMPILED:
    from ..native._kernels import Lexicon
else:
    Lexicon = PlainLexicon  # type: ignore[misc, assignment]
