"""Similarity of questions by signatures, which are sent and stored in the place of text. Pure.

A signature (MinHash) has 64 numbers. Each is the least of a hash over the question's words, so two signatures agree in
as many of them as the questions have words in common, of all words that either has; function words weigh little. No
text can be read from a signature, but who has a guess can test it: it is less than text, and more than nothing.
"""

import struct
from array import array
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from hashlib import shake_128
from typing import Final

from ..evaluators.words import FUNCTION_WORDS, STEM, plain

NUMBERS: Final = 64
BYTES: Final = 2 * NUMBERS
NEAR: Final = 0.45
"""From which likeness on two questions are near neighbours; README.md beside this file says how often that is right."""

_LAYOUT: Final = struct.Struct(f"<{NUMBERS}H")
_LONGEST: Final = 4000
_MOST_WORDS: Final = 256
_CONTENT_WEIGHT: Final = 5

Signature = bytes
"""128 bytes."""


def signature(text: str) -> Signature:
    """The signature of a question's first 4,000 characters; empty for a text without a word."""
    words = {word[:STEM] for word in plain(text[:_LONGEST]).split()[:_MOST_WORDS]}
    if not words:
        return b""
    hashes = [_hashes(word) for word in words]
    return _LAYOUT.pack(*(map(min, *hashes) if len(hashes) > 1 else hashes[0]))


@lru_cache(maxsize=1 << 13)
def _hashes(word: bytes) -> "array[int]":
    """The least hashes of a word, which counts as several words where it says something."""
    copies = 1 if word in FUNCTION_WORDS else _CONTENT_WEIGHT
    drawn = [_LAYOUT.unpack(shake_128(b"%d %b" % (copy, word)).digest(BYTES)) for copy in range(copies)]
    return array("H", map(min, *drawn) if copies > 1 else drawn[0])


def written(found: Signature) -> str:
    """A signature as text (base64)."""
    return b64encode(found).decode()


def read(text: str) -> Signature:
    """A signature from text; raises ValueError where it is none."""
    found = b64decode(text, validate=True)
    if len(found) != BYTES:
        raise ValueError(f"a signature has {BYTES} bytes, not {len(found)}")
    return found


class Neighbours:
    """Signatures, and for each of their numbers who has it: the nearest is found without comparing with all."""

    def __init__(self, signatures: Iterable[Signature] = ()) -> None:
        self._all: set[Signature] = set()
        self._having: dict[int, list[Signature]] = {}
        for one in signatures:
            self.add(one)

    def __len__(self) -> int:
        return len(self._all)

    def add(self, one: Signature) -> None:
        """Add a signature, once."""
        if one not in self._all:
            self._all.add(one)
            for number in _numbers(one):
                self._having.setdefault(number, []).append(one)

    def remove(self, one: Signature) -> None:
        """Take a signature out."""
        if one in self._all:
            self._all.discard(one)
            for number in _numbers(one):
                self._having[number].remove(one)
                if not self._having[number]:
                    del self._having[number]

    def near(self, one: Signature) -> Signature | None:
        """The most alike of all near neighbours; None where there is none."""
        counts: Counter[Signature] = Counter()
        for number in _numbers(one):
            counts.update(self._having.get(number, ()))
        (found, same), *_ = counts.most_common(1) or [(b"", 0)]
        return found if same >= NEAR * NUMBERS else None


def _numbers(one: Signature) -> Iterable[int]:
    """The numbers of a signature, each with its place."""
    return (place << 16 | number for place, number in enumerate(_LAYOUT.unpack(one)))
