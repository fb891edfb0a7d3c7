"""Text → words, cheaply: lower case bytes split at what is no letter or digit; knows no word's meaning."""

import re
from functools import lru_cache

ANSWER_LIMIT = 64 * 1024
"""Characters of an answer that are looked at."""

CONTEXT_LIMIT = 512 * 1024
"""Characters of all documents together that are looked at."""

_SEPARATED = bytes(
    code if chr(code).isalnum() or code > 127 or code == ord("_") else 32 for code in bytes(range(256)).lower()
)
_PUNCTUATION = dict.fromkeys(
    [0xA0, 0xAB, 0xBB, 0xB7, *range(0x2000, 0x2070), *range(0x3000, 0x3012), *range(0xFF00, 0xFF10)], " "
)
_UNSPACED = re.compile("([\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0e7f])")


def plain(text: str) -> bytes:
    """The text as lower case UTF-8, words between spaces; characters of unspaced scripts stand alone."""
    if not text.isascii():
        text = _UNSPACED.sub(r" \1 ", text.lower().translate(_PUNCTUATION))
    return text.encode("utf-8", "replace").translate(_SEPARATED)


@lru_cache(maxsize=8)
def answer_words(text: str) -> tuple[bytes, ...]:
    """The words of an answer, at most ANSWER_LIMIT characters of it; remembered, since several evaluators ask."""
    return tuple(plain(text[:ANSWER_LIMIT]).split())
