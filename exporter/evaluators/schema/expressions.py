"""Regular expressions of schemas: those of ECMAScript that re2 can run, in time linear in the text."""

import re

import re2

from .budget import ValidationRun

_COMPILING = 100
_SEARCH, _PER_STEP = 4, 128
"""Steps of a search in no text, and characters of text times instructions of the program that take another one."""

_TOKEN = re.compile(r"\\(?:u\{(\w{1,6})\}|u(\w{4})|c([A-Za-z])|([pP])\{(\w+)\}|(.))|[\[\]]", re.DOTALL)
_SPACES = r"\s\v\p{Z}\x{FEFF}"
_CATEGORIES = {
    "Letter": "L", "Lowercase_Letter": "Ll", "Uppercase_Letter": "Lu", "Mark": "M", "Number": "N", "digit": "Nd",
    "Decimal_Number": "Nd", "Punctuation": "P", "punct": "P", "Symbol": "S", "Separator": "Z", "Space_Separator": "Zs",
    "Other": "C", "Alphabetic": "L", "Uppercase": "Lu", "Lowercase": "Ll",
}  # fmt: skip


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = 256 << 10
    return options


_OPTIONS = _options()


class ExpressionError(ValueError):
    """A regular expression that cannot be used; says why."""


class Expression:
    """A regular expression; ExpressionError where re2 cannot take it, which is so of look-around and back-references.

    Its compilation takes steps of ``compiling``, its use those of the run in which it is used.
    """

    __slots__ = ("_compiled", "_size")

    def __init__(self, source: str, compiling: ValidationRun) -> None:
        compiling.spend(_COMPILING + len(source))
        try:
            self._compiled = re2.compile(translated(source), _OPTIONS)
        except re2.error:
            raise ExpressionError("cannot be used: it is wrong, large, or has look-around or back-references") from None
        self._size = self._compiled.programsize
        compiling.spend(self._size)

    def found(self, text: str, run: ValidationRun) -> bool:
        """Does it match anywhere in the text?"""
        run.spend(_SEARCH + len(text) * self._size // _PER_STEP)
        return self._compiled.search(text) is not None


def translated(source: str) -> str:
    """An expression of ECMAScript as re2 writes it."""
    in_class = False

    def written(found: re.Match[str]) -> str:
        nonlocal in_class
        whole = found.group()
        if whole in "[]":
            in_class = whole == "["
            return whole
        braced, short, control, sign, category, char = found.groups()
        if braced or short:
            return rf"\x{{{braced or short}}}"
        if control:
            return rf"\x{{{ord(control) % 32:02x}}}"
        if category:
            return rf"\{sign}{{{_CATEGORIES.get(category, category)}}}"
        if char == "s":
            return _SPACES if in_class else f"[{_SPACES}]"
        return f"[^{_SPACES}]" if char == "S" and not in_class else whole

    return _TOKEN.sub(written, source)
