"""Card numbers and IBANs, by their checksums."""

from collections.abc import Iterable
from typing import Final

from .budget import Budget
from .forms import DIGITS, Form, Span, goes_on, next_word, pattern
from .marks import Mark

_SEPARATORS: Final = b" .-"
_IBAN_COUNTRIES: Final = {
    15: "NO",
    16: "BE",
    18: "DK FI FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
_IBAN_LENGTHS: Final = {code: length for length, codes in _IBAN_COUNTRIES.items() for code in codes.split()}
_IBAN: Final = rf"(?i)(?:{'|'.join(_IBAN_LENGTHS)})\d\d(?:[ .-]?[a-z0-9]){{11,30}}"
_VALUE_OF_LETTER: Final = {code: str(int(chr(code), 36)) for code in b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"}

_CARD: Final = r"[2-6]\d{12,18}|[2-6]\d{3}[ .-]\d{4}[ .-]\d{4}[ .-]\d{4}(?:[ .-]\d{1,3})?|3\d{3}[ .-]\d{6}[ .-]\d{4,5}"
_ISSUERS: Final = (
    ("4000-4999", (13, 16, 19)),
    ("3400-3499 3700-3799", (15,)),
    ("5100-5599 2221-2720", (16,)),
    ("2200-2204 3528-3589 6011-6011 6440-6499 6500-6599 6200-6299 6000-6099", (16, 17, 18, 19)),
    ("3000-3059 3090-3099 3600-3699 3800-3999", (14, 15, 16, 17, 18, 19)),
    ("5000-5099 5600-5899 6300-6399 6700-6799 6900-6999", (16, 17, 18, 19)),
)
"""How the numbers of issuers begin, and how many digits they have."""
_LENGTHS: Final = {
    b"%04d" % number: lengths
    for spans, lengths in _ISSUERS
    for first, last in (span.split("-") for span in spans.split())
    for number in range(int(first), int(last) + 1)
}
_DOUBLED: Final = bytes(sum(divmod(2 * (byte - 48), 10)) if byte in DIGITS else 0 for byte in range(256))


def _iban(data: bytes, start: int, end: int, _budget: Budget) -> Iterable[Span]:
    if data[max(0, start - 1) : start].isalnum():
        return ()
    length = _IBAN_LENGTHS[data[start : start + 2].decode().upper()]
    places = [at for at in range(start, end) if data[at] not in _SEPARATORS]
    if len(places) < length or data[places[length - 1] + 1 : places[length - 1] + 2].isalnum():
        return ()
    number = bytes(data[at] for at in places[:length]).decode().upper()
    digits = (number[4:] + number[:4]).translate(_VALUE_OF_LETTER)
    return ((start, places[length - 1] + 1),) if int(digits) % 97 == 1 else ()


def _card(data: bytes, start: int, end: int, _budget: Budget) -> Iterable[Span]:
    """The match, or without its last group, which may be of the next number."""
    groups = data[start:end].replace(b".", b" ").replace(b"-", b" ").rpartition(b" ")
    ends = (end, start + len(groups[0])) if groups[0] else (end,)
    return [(start, last) for last in ends if _is_card(data, start, last)][:1]


def _is_card(data: bytes, start: int, end: int) -> bool:
    digits = data[start:end].translate(None, _SEPARATORS)
    if goes_on(data, start, end) or not _is_issued(digits):
        return False
    return (sum(digits[-1::-2]) - 48 * len(digits[-1::-2]) + sum(digits[-2::-2].translate(_DOUBLED))) % 10 == 0


def _is_issued(digits: bytes) -> bool:
    return len(digits) in _LENGTHS.get(digits[:4], ()) and not (len(digits) == 13 and _is_ean(digits))


def _is_ean(digits: bytes) -> bool:
    """Whether it is the number of an article or a book."""
    return (sum(digits[::2]) + 3 * sum(digits[1::2]) - 48 * 25) % 10 == 0


IBAN: Final = Form(
    kind="iban",
    pattern=pattern(_IBAN),
    check=_iban,
    after=next_word,
    marks=(Mark(of=DIGITS, least=2, counted=DIGITS, near=tuple(_IBAN_LENGTHS), before=2, inside=False, begins=True),),
)
CARD: Final = Form(
    kind="card",
    pattern=pattern(_CARD),
    check=_card,
    after=next_word,
    marks=(Mark(of=DIGITS + _SEPARATORS, counted=DIGITS, count=13),),
)
