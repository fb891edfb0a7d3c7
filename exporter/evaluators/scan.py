"""What one look over a text tells: where its words are, its names and runs, a sketch; knows bytes, and no language.

Written twice: here, and in C (``_scan.c``), which is used where a compiler was there when llmq was installed.
"""

import re
from struct import pack
from zlib import crc32

import re2

__all__ = ["apart", "has_run", "names", "sketch"]

_MARK = re.compile("[\u00a0\u00ab\u00b7\u00bb\u2000-\u206f\u3000-\u3011\uff00-\uff0f]")
_ALONE = re.compile("([\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])")
_NAMES = re2.compile(rb"[a-z,;'\")] ((?:[A-Z][\w'-]*\W?)+)")


def plain_apart(text: bytes, /) -> bytes:
    """UTF-8 with a space for each mark that is not ASCII, and spaces around the characters of unspaced scripts."""
    characters = _MARK.sub(" ", text.decode("utf-8", "surrogateescape"))
    return _ALONE.sub(r" \1 ", characters).encode("utf-8", "surrogateescape")


def plain_has_run(text: str | bytes, length: int, /) -> bool:
    """Are there so many characters of UTF-8 in a row without white space and what Markdown draws lines with?"""
    return re2.search(rb"[^\t\n\f\r =_*~#.|+-]{%d}" % length, _utf8(text)) is not None


def plain_names(text: str | bytes, /) -> bytes:
    """The words of UTF-8 that begin with a capital elsewhere than at a sentence's start; a space behind each name."""
    return b"".join([name + b" " for name in _NAMES.findall(_utf8(text))])


def plain_sketch(text: bytes, beginning: int, most: int, /) -> tuple[int, bytes]:
    """What tells a text again without keeping it: a checksum of its words in order, and 16 bits of each word.

    Of a word it is its first bytes that count (``beginning``, so many), of the words the first ones (``most``); those
    bits are distinct, in order, and two bytes each, the lower one first.
    """
    words = text.split()
    bits = sorted({crc32(word[:beginning]) & 0xFFFF for word in words[:most]})
    return crc32(b" ".join(words)), pack(f"<{len(bits)}H", *bits)


def _utf8(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


try:
    from ._scan import apart, has_run, names, sketch
except ImportError:
    apart, has_run, names, sketch = plain_apart, plain_has_run, plain_names, plain_sketch
