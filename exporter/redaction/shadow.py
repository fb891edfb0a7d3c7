"""Text → one byte for each character, so that patterns see plain spaces, dashes, digits and letters of any script."""

import codecs
import unicodedata
from functools import cache
from itertools import compress
from typing import Final

from ..native import COMPILED

if COMPILED:
    from ..native import _kernels

LETTER: Final = 0xE1
"""Stands for every letter and mark that is not ASCII."""
OTHER: Final = 0xB7
"""Stands for every other character that is not ASCII, and at the end of the table for those beyond it."""
_KNOWN: Final = 0x10000
_LIKE: Final = {"Cf": 0, "Zs": ord(" "), "Pd": ord("-"), "Pi": ord('"'), "Pf": ord('"')}
_NOTHING: Final = "\uffff"
_HANDLER: Final = "llmq-shadow"


def shadow(text: str) -> bytes:
    """The text with an ASCII look-alike for each of its characters, or LETTER or OTHER; nothing for invisible ones.

    Spaces and dashes of all kinds, digits of all scripts, full-width forms and typographic quotes are like the plain
    ones.
    """
    if text.isascii():
        return text.encode()
    if COMPILED:
        try:
            return _kernels.shadow(text, table())
        except UnicodeEncodeError:  # half a character
            pass
    return text.translate(_characters()).encode("latin-1", _HANDLER)


def places(text: str, shadowed: bytes) -> list[int] | None:
    """For each byte of the shadow the place of its character; None where nothing is invisible: then it is the same."""
    if len(text) == len(shadowed):
        return None
    known = table()
    return list(compress(range(len(text)), (known[min(ord(one), _KNOWN)] for one in text)))


@cache
def table() -> bytes:
    """The byte for each character by its code, zero for none; the last stands for all that are beyond.

    ASCII stands for itself, and is not looked up: so does the zero.
    """
    return bytes([OTHER, *range(1, 128), *(_stand_in(chr(code)) for code in range(128, _KNOWN)), OTHER])


def _stand_in(one: str) -> int:
    if one.isalpha() and not unicodedata.decomposition(one).startswith("<"):
        return LETTER
    category = unicodedata.category(one)
    if category in _LIKE:
        return _LIKE[category]
    if category == "Nd":
        return 48 + unicodedata.digit(one)
    like = unicodedata.normalize("NFKC", one)
    if len(like) == 1 and like.isascii():
        return ord(like)
    if one == "\N{MINUS SIGN}":
        return ord("-")
    return LETTER if category[0] in "LMN" else OTHER


@cache
def _characters() -> str:
    """The table as str.translate reads it; what it leaves as it is, is beyond it."""
    return "".join(chr(byte) if byte else _NOTHING for byte in table()[:-1]).replace(chr(OTHER), "\0", 1)


def _stand_ins(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    beyond = error.object[error.start : error.end].replace(_NOTHING, "")
    return bytes([OTHER]) * len(beyond), error.end


codecs.register_error(_HANDLER, _stand_ins)
