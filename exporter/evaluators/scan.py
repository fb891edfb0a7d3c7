"""What one look over a text tells: its names, its longest runs, what it is recognised by; knows bytes, and no language.

Written twice: here, and in C (``_scan.c``), which is used where a compiler was there when llmq was installed.
"""

import re
from struct import pack
from zlib import crc32

import re2

__all__ = ["has_run", "names", "sketch"]

_BREAK = re.compile(rb"[\s=_*~#.|+-]")
_NAMES = re2.compile(rb"[a-z,;'\")] ((?:[A-Z][\w'-]*\W?)+)")


def plain_has_run(text: bytes, length: int, /) -> bool:
    """Are there so many bytes in a row without white space and what Markdown draws lines with?"""
    return max(map(len, _BREAK.split(text))) >= length


def plain_names(text: bytes, /) -> bytes:
    """The words of UTF-8 that begin with a capital elsewhere than at a sentence's start; a space behind each name."""
    return b"".join([name + b" " for name in _NAMES.findall(text)])


def plain_sketch(text: bytes, beginning: int, most: int, /) -> tuple[int, bytes]:
    """What tells a text again without keeping it: a checksum of its words in order, and 16 bits of each word.

    Of a word it is its first bytes that count (``beginning``, so many), of the words the first ones (``most``); those
    bits are distinct, in order, and two bytes each, the lower one first.
    """
    words = text.split()
    bits = sorted({crc32(word[:beginning]) & 0xFFFF for word in words[:most]})
    return crc32(b" ".join(words)), pack(f"<{len(bits)}H", *bits)


try:
    from ._scan import has_run, names, sketch
except ImportError:
    has_run, names, sketch = plain_has_run, plain_names, plain_sketch
