"""Regular expressions that users write; runs them in linear time where it can, and says where it cannot."""

import re
from typing import Protocol, Self

import re2

from ..runtime.mismatch import of_pattern

_SILENT = re2.Options()
_SILENT.log_errors = False


class _Compiled(Protocol):
    def search(self, text: str, /) -> object: ...


class Pattern:
    """A regular expression: re2 (linear time), or Python's own where it uses look-around or back-references."""

    option_type = "regular expression"

    def __init__(self, source: str, compiled: _Compiled, note: str) -> None:
        self.source = source
        self.note = note
        self._compiled = compiled

    @classmethod
    def parse(cls, value: object) -> Self:
        """Compile; raises ValueError with what is wrong with the expression."""
        if not isinstance(value, str):
            raise TypeError(f"expected a regular expression, got {type(value).__name__}")
        try:
            return cls(value, re2.compile(value, _SILENT), "")
        except re2.error:
            pass
        try:
            return cls(value, re.compile(value), "not linear: runs in Python's re, interrupted after 0.15 s")
        except re.error:
            raise ValueError(f"invalid regular expression {value!r}: {of_pattern(value)}") from None

    def found(self, text: str) -> bool:
        """Does it match anywhere in the text?"""
        try:
            return self._compiled.search(text) is not None
        except UnicodeEncodeError:  # half a surrogate pair, of which re2 wants nothing
            return self._compiled.search(text.encode("utf-8", "replace").decode()) is not None

    def __repr__(self) -> str:
        return self.source
