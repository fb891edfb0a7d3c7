"""Phone numbers: international ones, and national ones in the groups of digits in which each country writes them.

Which numbers there are and how they are grouped is the data of the library ``phonenumbers``; its own search would take
a hundred times as long.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise, product
from typing import Any, Final

import phonenumbers
import re2
from msgspec import Struct

from .budget import Budget
from .forms import DIGITS, Form, Span, goes_on, pattern
from .marks import Mark

_REGIONS: Final = (
    "US AR AT AU BE BR CH CL CN CO CZ DE DK ES FI FR GB GR HK HU IE IL IN IT JP KR MX MY NL NO NZ PH PL PT RO RU SE SG "
    "TH TR TW UA VN ZA"
)
_TYPES: Final = ("fixed_line", "mobile", "toll_free", "shared_cost", "voip", "uan", "premium_rate", "personal_number")
_LOOSE: Final = "[2-9]\\d{9}"
"""North American numbers are written into examples that nobody has."""
_LEAST, _LONGEST, _MOST = 8, 13, 15
"""Digits of a number, at least; at most in its country, and with its country's code."""
_ALONE: Final = 9
"""Digits of a number that is all of a text, or begins with what is dialled before national numbers."""
_CERTAIN: Final = 10
"""Digits of a number that needs no word beside it."""
_GROUPS: Final = 6
_LARGEST: Final = (b"2147483647", b"2147483648", b"4294967295", b"4294967296")
"""Numbers of 32 bits."""
_TELLING: Final = ((3, 3, 4), (1, 3, 3, 4), (3, 4, 4), (3, 3, 2, 2))
"""Groups of digits in which little else is written."""
_WEIGHT, _CANDIDATE = 60, 1_000
"""Steps for each byte of a row of numbers, and for what in it may be a phone number, besides those of a match."""
_SEPARATORS: Final = b" ./()-"
HINTS: Final = (
    "phone|call|mobil|cell|tel|fax|contact|whatsapp|sms|dial|ring|reach|text me|hotline|fono|ruf|handy|llam|ll\xe1m|"
    "ligue|kontakt|volej|zadzwo|my number|her number|his number|your number|our number|mon num|meine nummer"
)
"""What stands before phone numbers, in small letters: alternatives of letters."""
_OTHERS: Final = (
    r"order|invoice|\bid\b|\bref|ticket|case|isbn|issn|\bean\b|\bupc\b|sku|serial|version|build|commit|timestamp|epoch|track|"
    r"part|item|\blot\b|batch|size|bytes|total|amount|price|sum|customer|account|konto|#|\bnr\b|[$\xa3\xa4\xa5]|code"
)
"""What stands before other numbers."""
_HINTED: Final = 40
"""Bytes before a number in which a hint may be."""
_hint: Final = re.compile(f"\\b(?P<phone>{HINTS})|(?:{_OTHERS})".encode("latin-1"), re.IGNORECASE)
_groups: Final = re.compile(rb"\d+")


class _Numbers(Struct, frozen=True):
    """What the countries have: ``valid`` tells from digits which patterns they match.

    ``groups``: which patterns are written in groups of so many digits; ``begins``: the first one or two of the groups;
    ``national``: which begin with what is dialled before national numbers; ``plain``: which need no word beside them,
    though they are written in one piece.
    """

    valid: Any
    groups: dict[tuple[int, ...], frozenset[int]]
    begins: frozenset[tuple[int, ...]]
    national: frozenset[int]
    plain: frozenset[int]


@cache
def countries() -> _Numbers:
    """Read from the library once."""
    valid = re2.Set.FullMatchSet()
    groups: dict[tuple[int, ...], set[int]] = {(3, 3, 4): {0}, (1, 3, 3, 4): {1}}
    for begins in ("", "1"):
        valid.Add(begins + _LOOSE)
    national, plain, index = {1}, set[int](), 1
    for region in _REGIONS.split():
        known: Any = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
        digits = "|".join(
            f"(?:{kind.national_number_pattern})"
            for kind in (getattr(known, name) for name in _TYPES)
            if kind is not None and kind.national_number_pattern
        )
        for begins in dict.fromkeys(("", known.national_prefix or "")):
            valid.Add(f"{begins}(?:{digits})")
            index += 1
            if begins:
                national.add(index)
            if region in ("US", "CN"):
                plain.add(index)
            for form in known.number_format:
                for lengths in _lengths(form, begins):
                    groups.setdefault(lengths, set()).add(index)
    valid.Compile()
    return _Numbers(
        valid,
        {key: frozenset(some) for key, some in groups.items()},
        frozenset(key[:2] for key in groups),
        frozenset(national),
        frozenset(plain),
    )


def _lengths(form: Any, begins: str) -> Iterator[tuple[int, ...]]:
    """In what groups of digits a country writes its numbers."""
    found = re.findall(r"\(((?:\\d|\[[^]]*\])(?:\{(\d+)(?:,(\d+))?\})?)\)", form.pattern)
    sizes = [range(int(least or 1), int(most or least or 1) + 1) for _, least, most in found]
    for lengths in product(*sizes):
        if begins:
            yield lengths[0] + len(begins), *lengths[1:]
            yield len(begins), *lengths
        else:
            yield lengths


def _phones(data: bytes, start: int, end: int, budget: Budget) -> Iterator[Span]:
    budget.look((end - start) * _WEIGHT)
    groups = [match.span() for match in _groups.finditer(data, start, end)]
    if data[groups[0][0] - 1 : groups[0][0]].isalnum():
        return  # of a word, such as an IBAN with a wrong checksum
    lengths = tuple(last - first for first, last in groups)
    has_plus = b"+" in data[start:end]
    at = 0
    while at < len(groups):
        taken = _international(data, groups, at) if has_plus or at == 0 else 0
        taken = taken or _national(data, groups, lengths, at, budget)
        if taken:
            yield _with_sign(data, groups[at][0], start), groups[at + taken - 1][1]
        at += taken or 1


def _with_sign(data: bytes, at: int, start: int) -> int:
    """Where a number begins whose first digit is there."""
    first = at
    while first > start and data[first - 1] in b"+( ":
        first -= 1
    return first + len(data[first:at]) - len(data[first:at].lstrip(b" "))


def _international(data: bytes, groups: list[Span], at: int) -> int:
    """How many of the groups from one on are a number with its country's code; none: 0."""
    start, end = groups[at]
    has_plus = data[max(0, start - 2) : start].strip(b" (")[-1:] == b"+"
    has_zeros = at == 0 and data.startswith(b"00", start) and not data[max(0, start - 1) : start].isalnum()
    digits = data[start:end].removeprefix(b"00") if has_zeros else data[start:end]
    if not (has_plus or has_zeros) or digits[:1] in b"0":
        return 0
    count, taken = len(digits), 1
    for first, last in groups[at + 1 : at + 1 + _MOST]:
        if count + last - first > _MOST:
            break
        count, taken = count + last - first, taken + 1
    last = groups[at + taken - 1][1]
    is_long = _LEAST <= count <= _MOST if has_plus else _ALONE <= count <= _MOST
    return taken if is_long and not data[last : last + 1].isalnum() else 0


def _national(data: bytes, groups: list[Span], lengths: tuple[int, ...], at: int, budget: Budget) -> int:
    """The same of a number as it is written in its country."""
    numbers, is_free = countries(), data[groups[at][0]] == 48
    if at and not is_free and lengths[at : at + 2] not in numbers.begins:
        return 0
    for taken in range(min(_GROUPS, len(groups) - at), 0, -1):
        written, is_all = lengths[at : at + taken], taken == len(groups)
        if _LEAST <= sum(written) <= _LONGEST and (is_all or is_free or written in numbers.groups):
            budget.match(_CANDIDATE)
            if _is_national(data, groups[at : at + taken], written, is_all=is_all):
                return taken
    return 0


def _is_national(data: bytes, groups: list[Span], lengths: tuple[int, ...], *, is_all: bool) -> bool:
    start, end, count = groups[0][0], groups[-1][1], sum(lengths)
    if goes_on(data, start, end):
        return False
    between = {data[one[1] : two[0]] for one, two in pairwise(groups)}
    is_free = data[start] == 48 and len(between) <= 2 and count >= _ALONE and min(lengths[0], lengths[-1]) > 1
    is_free = is_free and not _is_date(lengths)
    written = countries().groups.get(lengths, frozenset())
    if (b"." in between and len(between) > 1) or not (written or is_free or is_all):
        return False
    if data[start:end] in _LARGEST or (data.endswith(b" 000", start, end) and set(lengths[1:]) == {3}):
        return False
    valid = frozenset(countries().valid.Match(data[start:end].translate(None, _SEPARATORS)) or ())
    return bool(valid) and _is_told(data, groups, valid, valid & written, is_free=is_free, is_all=is_all)


def _is_told(
    data: bytes, groups: list[Span], valid: frozenset[int], written: frozenset[int], *, is_free: bool, is_all: bool
) -> bool:
    """Whether a number that may be one is: by how it is written, by the words before it, or because it is alone."""
    numbers, (start, end) = countries(), (groups[0][0], groups[-1][1])
    digits = sum(last - first for first, last in groups)
    hint = _hinted(data, start)
    if hint is not None:
        return hint and (bool(written) or is_all)
    if valid & numbers.national and (is_free or written & numbers.national):
        return digits >= _ALONE
    lengths = tuple(last - first for first, last in groups)
    if written and (lengths in _TELLING or data[max(0, start - 1) : start] == b"("):
        return digits >= _CERTAIN
    if len(groups) == 1 and valid & numbers.plain:
        return digits >= _CERTAIN
    return digits >= _ALONE and bool(written) and data.strip(b" ()\n") == data[start:end]


def _is_date(lengths: tuple[int, ...]) -> bool:
    return lengths[:3] in ((2, 2, 4), (4, 2, 2), (1, 2, 4), (2, 1, 4))


def _hinted(data: bytes, start: int) -> bool | None:
    """Whether the words before a number say that it is a phone number, or another one; None: neither."""
    said = None
    before = data[max(0, start - _HINTED) : start]
    for match in _hint.finditer(before[before.rfind(b"\n") + 1 :]):
        said = match["phone"] is not None
    return said


PHONE: Final = Form(
    kind="phone",
    pattern=pattern(r"\+?[( ]{0,2}\d(?:[ ./()-]{0,3}\d){7,}"),
    check=_phones,
    marks=(
        Mark(of=DIGITS + _SEPARATORS, counted=DIGITS, count=_ALONE),
        Mark(
            of=DIGITS + _SEPARATORS,
            counted=DIGITS,
            count=_LEAST,
            near=(*HINTS.split("|"), *(f"+{space}{digit}" for space in ("", " ", "(") for digit in range(1, 10))),
            before=_HINTED,
        ),
    ),
)
