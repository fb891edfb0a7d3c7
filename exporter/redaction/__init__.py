"""Text → the same text with a placeholder for each e-mail address, phone number, card, IBAN, address or secret in it.

Knows text only: not where it comes from or where it is stored. Nothing here finds names, places or anything else that
has no form.

    shadow      text → one byte for each character, so that patterns see plain spaces, dashes, digits and letters
    look        the first look: which kinds a text may hold; in C by their marks
    marks       rules that the kinds declare, and their table for C
    forms       what a kind is: a pattern, what its matches must be, its marks
    secrets, numbers, phones, addresses   the kinds
    budget      how much may be looked at for one trace
    redactor    finds and replaces, in text and in lists and mappings
"""

from .budget import Budget, SpentError
from .redactor import KINDS, WITHHELD, Found, Kind, PatternError, Redactor, compiled
from .secrets import KEYS, NAMES

__all__ = [
    "KEYS",
    "KINDS",
    "NAMES",
    "WITHHELD",
    "Budget",
    "Found",
    "Kind",
    "PatternError",
    "Redactor",
    "SpentError",
    "compiled",
]
