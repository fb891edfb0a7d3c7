"""Text → the same text with a placeholder for each e-mail address, phone number, card, IBAN, address or secret in it.

Knows text only: not where it comes from or where it is stored. Every pattern runs in re2, whose time is linear, and
what a pattern finds is checked by what it must be (a checksum, a length, a digit), because a bare pattern finds too
much. Nothing here finds names, places or anything else that has no form.
"""

import ipaddress
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Literal, get_args

import re2
from msgspec import Struct

from .mismatch import of_pattern
from .native import COMPILED

if COMPILED:
    from .native._kernels import has_mark
else:

    def has_mark(_text: str, /) -> bool:
        """Without the kernel every text is looked at closely."""
        return True


Kind = Literal["secret", "email", "iban", "card", "ip", "phone"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""In the order in which they are looked for: a key may look like a phone number in the middle."""

_ROUNDS: Final = 4
"""What was cut may leave something at its edge that is found only then; once nothing is found, nothing ever is."""
_MOST: Final = 2_000
"""Places in one text that one pattern is asked about; what follows goes as a whole, because each takes its time."""
_LONG_NUMBERS: Final = range(10**7 + 1, 1 << 128)
_LISTS: Final = (list, tuple)
_SILENT: Final = re2.Options()
_SILENT.log_errors = False

_Span = tuple[int, int]

KEYS: Final = (
    r"sk-|[srp]k_(?:live|test)_|whsec_|gh[opsur]_|github_pat_|gl[a-z]{2,5}-|xox[a-z]-|xapp-|AKIA|ASIA|AIza|ya29\.|hf_|"
    r"npm_|pypi-|SG\.|dop_v1_|gsk_|lsv2_|hvs\.|shp[a-z]{2}_|dapi|r8_|pat-|nvapi-|tvly-|AGE-SECRET-KEY-"
)
"""How the keys of well-known services begin."""
NAMES: Final = (
    r"api[_-]?key|access[_-]?key|secret|token|passwor[td]|passwd|passphrase|pwd|credential|authorization|"
    r"private[_-]?key"
)
"""What secrets are called, in small letters."""

# No pattern has a group: what re2 matches without groups it matches ten times faster.
# The alternatives of the first: a private key, with or without its end; a JSON web token; what begins as keys do; the
# password in a URL; a bearer's token; the value of something that is named as a secret.
_SECRET: Final = (
    r"(?i)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?s:.*?)"
    r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\z)"
    r"|\b(?-i:eyJ)[\w-]{8,}\.[\w-]+(?:\.[\w-]*)*"
    rf"|\b(?-i:{KEYS})[\w.-]{{14,}}"
    r"|://[^\s/:@]*:[^\s/@]+@"
    r"|\b(?:bearer|basic)\s+[\w.~+/-]{12,}=*"
    rf"|(?:{NAMES})"
    r"""[\w-]{0,40}\\?["']?\s*(?::=|=>|[:=])\s*\\?["']?[\w+/.~!@#$%^&*=-]{8,}"""
)
_EMAIL: Final = r"[\pL\pN._%+'-]+@(?:[\pL\pN](?:[\pL\pN-]*[\pL\pN])?\.)+\pL{2,}"
_CARD: Final = r"[2-6](?:\d{12,18}|\d{3}[ -]\d{4}[ -]\d{4}[ -]\d{4}(?:[ -]\d{1,3})?|\d{3}[ -]\d{6}[ -]\d{4,5})"
_IP: Final = r"(?i)\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:\.\d{1,3}){0,3}"
# International, with + or 00; North American; and national ones, which elsewhere begin with 0.
_PHONE: Final = (
    r"(?:\+|\b00)[1-9][\d ().\-/]{5,40}\d\b"
    r"|(?:1[ .-]?)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])\d{3}[ .-]\d{4}\b"
    r"|\(?0[1-9]\d{0,4}\)?[ /-]?\d[\d ]{3,11}\d\b|0[1-9](?:[ .-]\d\d){4}\b"
)
_DIGITS: Final = re2.compile(r"\d[ ().+/-]{0,3}\d[ ().+/-]{0,3}\d[ ().+/-]{0,3}\d[ ().+/-]{0,3}\d[ ().+/-]{0,3}\d")
_MARKED: Final = frozenset(KINDS) - {"ip"}
"""Kinds of which nothing goes from a text that has none of these marks; ``native/marks.c`` looks for them in one pass:

- ``@``: an e-mail address, a password in a URL;
- ``-----B`` or ``eyJ``: a private key, a web token;
- two letters and two digits at the start of a word: an IBAN;
- nine digits, a plus taken for one, with nothing but ``().+-/`` and spaces between them: a card, a phone number;
- a digit among 17 of the bytes that a secret may have: a key that tells by its beginning what it is;
- a digit among 8 of them, and part of a name there or in those in front, beyond what may be ``_BETWEEN``: any other
  secret, since those without a digit stay.
"""
_BETWEEN: Final = b" \t\r\n\f\v:=>\"'\\"

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
# Both cases are spelled out: without regard to case, re2 would take the three bytes of the Kelvin sign for a k.
_IBAN_CODES: Final = "|".join("".join(f"[{one}{one.lower()}]" for one in code) for code in _IBAN_LENGTHS)
_IBAN: Final = rf"\b(?:{_IBAN_CODES})\d{{2}}(?:[ -]?[A-Za-z0-9]){{11,30}}"


class PatternError(ValueError):
    """A pattern that cannot be used; says why and what to do."""


class _Finder(Struct, frozen=True):
    """What finds one kind: ``check`` gives the part of a match that goes, or None; ``may`` says cheaply that none is.

    ``own`` patterns are a user's.
    """

    kind: str
    pattern: Any
    check: Callable[[bytes, _Span], _Span | None]
    may: Callable[[bytes], object] | None = None
    own: bool = False


class Redactor:
    """Replaces what is of these kinds, and what the user's own patterns (by the name of the placeholder) match."""

    def __init__(self, kinds: Iterable[str] = (), own: Mapping[str, str] | None = None) -> None:
        wanted, own = set(kinds), own or {}
        named = [_Finder(name, compiled(pattern), _whole, own=True) for name, pattern in own.items()]
        built_in = [finder for finder in _FINDERS if finder.kind in wanted]
        keys = sum(finder.kind == "secret" for finder in built_in)
        # A user's own number may be a phone number, too; and it must not cut a private key in two.
        self._finders = (*built_in[:keys], *named, *built_in[keys:])
        self.kinds = tuple(finder.kind for finder in self._finders)
        self._placeholder = re2.compile("|".join(rf"\[{kind}\]" for kind in self.kinds)) if self.kinds else None
        # One pass over most texts is enough to see that there is nothing in them. A user's pattern may hold anything.
        self._any = None if own else _any_of(finder.pattern.pattern for finder in built_in)
        self._marked = _MARKED.issuperset(self.kinds)

    def text(self, text: str, found: Counter[str] | None = None) -> str:
        """The text with placeholders, such as [email]; the same text where nothing is found. Adds to ``found``."""
        return text if not text or self._is_clean([text]) else self._redacted(text, found)

    def value(self, value: Any, found: Counter[str] | None = None) -> Any:
        """The same of all text in a value of lists and mappings, keys included; long whole numbers are text, too."""
        return value if self._is_clean(_texts(value, [])) else self._each(value, found)

    def _is_clean(self, texts: list[str]) -> bool:
        """Seen in one pass; a user's pattern may be anything, and is not asked here."""
        if not self._finders:
            return True
        if self._any is None:
            return False
        if self._marked:
            texts = list(filter(has_mark, texts))
        # A line end belongs to no more than its neighbours: what stands in one of the texts is found in all together.
        return not texts or self._any.Match("\n".join(texts).encode("utf-8", "replace")) is None

    def _each(self, value: Any, found: Counter[str] | None) -> Any:
        if isinstance(value, str):
            return self.text(value, found)
        if isinstance(value, dict):
            return {self._each(key, found): self._each(one, found) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self._each(one, found) for one in value)
        if _is_long(value):
            written = str(value)
            return value if (redacted := self.text(written, found)) == written else redacted
        return value

    def _redacted(self, text: str, found: Counter[str] | None) -> str:
        data = before = text.encode("utf-8", "replace")
        for _ in range(_ROUNDS):
            data, last = self._once(data, found), data
            if data == last:
                break
        return text if data == before else data.decode("utf-8", "replace")

    def _once(self, data: bytes, found: Counter[str] | None) -> bytes:
        for finder in self._finders:
            spans = list(self._spans(finder, data))
            if spans:
                data = _replaced(data, spans, f"[{finder.kind}]".encode())
                if found is not None:
                    found[finder.kind] += len(spans)
        return data

    def _spans(self, finder: _Finder, data: bytes) -> Iterator[_Span]:
        """A user's pattern sees no placeholder: it could match its letters, again and again."""
        if not finder.own or self._placeholder is None:
            return _found(finder, data)
        gaps, at = [], 0
        for match in self._placeholder.finditer(data):
            gaps.append((at, match.start()))
            at = match.end()
        return (
            (start + first, start + last)
            for start, end in [*gaps, (at, len(data))]
            for first, last in _found(finder, data[start:end])
        )


def _any_of(patterns: Iterable[str]) -> Any:
    either = re2.Set.SearchSet()
    either.Add("|".join(f"(?:{pattern})" for pattern in patterns))
    either.Compile()
    return either


def _texts(value: Any, found: list[str]) -> list[str]:
    """All that is text in a value of lists and mappings, added to what was found before."""
    if isinstance(value, str):
        found.append(value)
    elif isinstance(value, _LISTS):
        for one in value:
            if isinstance(one, str):
                found.append(one)
            elif one is not None:
                _texts(one, found)
    elif isinstance(value, dict):
        _texts([*value, *value.values()], found)
    elif _is_long(value):
        found.append(str(value))
    return found


def _is_long(value: object) -> bool:
    return isinstance(value, int) and value in _LONG_NUMBERS


def compiled(pattern: str) -> Any:
    """A user's pattern, compiled; raises PatternError."""
    if r"\C" in pattern:
        raise PatternError(r"has \C, which cuts letters in two: write a dot")
    try:
        found = re2.compile(pattern, _SILENT)
    except re2.error:
        what = of_pattern(pattern)
        raise PatternError(f"{what}: write it in the syntax of RE2") from None
    if found.search(b"") is not None:
        raise PatternError("matches where there is nothing: make it match one character at least")
    return found


def _found(finder: _Finder, data: bytes) -> Iterator[_Span]:
    if finder.may is not None and not finder.may(data):
        return
    at = 0
    for _ in range(_MOST):
        match = finder.pattern.search(data, at)
        if match is None:
            return
        span = finder.check(data, match.span())
        if span is not None and span[0] < span[1]:
            yield span
            at = span[1]
        else:
            at = match.end() if finder.kind == "secret" else _next_word(data, match.start())
    if finder.pattern.search(data, at) is not None:
        yield at, len(data)


def _next_word(data: bytes, at: int) -> int:
    at += 1
    while data[at : at + 1].isalnum():
        at += 1
    return at


def _replaced(data: bytes, spans: list[_Span], placeholder: bytes) -> bytes:
    pieces, at = [], 0
    for start, end in spans:
        pieces += [data[at:start], placeholder]
        at = end
    return b"".join([*pieces, data[at:]])


def _whole(_data: bytes, span: _Span) -> _Span:
    return span


def _secret(data: bytes, span: _Span) -> _Span | None:
    """A private key, a web token or a password in a URL; of all others what has digits and letters, and few twice."""
    start, end = span
    if data.startswith((b"-----", b"eyJ"), start):
        return span
    if data.startswith(b"://", start):
        start, end = data.index(b":", start + 3) + 1, end - 1
        return None if data[start:end] == b"[secret]" else (start, end)
    name_ends = next((at for at in range(start, end) if data[at] in _BETWEEN), None)
    if name_ends is not None:
        start = next((at for at in range(name_ends, end) if data[at] not in _BETWEEN), end)
    value = data[start:end]
    mixed = value.upper() != value.lower() and any(byte in b"0123456789" for byte in value)
    return (start, end) if mixed and _entropy(value) >= 2.5 else None


def _entropy(value: bytes) -> float:
    """Bits in one character."""
    shares = [count / len(value) for count in Counter(value).values()]
    return -sum(share * math.log2(share) for share in shares)


def _iban(data: bytes, span: _Span) -> _Span | None:
    start = span[0]
    places = [at for at in range(*span) if data[at : at + 1].isalnum()]
    length = _IBAN_LENGTHS.get(data[start : start + 2].decode().upper(), 0)
    if not length or len(places) < length or data[places[length - 1] + 1 : places[length - 1] + 2].isalnum():
        return None
    number = bytes(data[at] for at in places[:length]).decode()
    digits = "".join(str(int(one, 36)) for one in number[4:] + number[:4])
    return (start, places[length - 1] + 1) if int(digits) % 97 == 1 else None


def _card(data: bytes, span: _Span) -> _Span | None:
    digits = [byte - 48 for byte in data[slice(*span)] if byte not in b" -"]
    if not 13 <= len(digits) <= 19 or _goes_on(data, span):
        return None
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return span if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 else None


def _ip(data: bytes, span: _Span) -> _Span | None:
    text = data[slice(*span)].decode()
    if len(text) < 7 or data[max(0, span[0] - 1) : span[0]].isalnum() or _goes_on(data, span):
        return None
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return None
    return span


def _phone(data: bytes, span: _Span) -> _Span | None:
    start, end = span
    if data[max(0, start - 1) : start].isalnum() or _goes_on(data, span):
        return None
    places = [at for at in range(start, end) if 48 <= data[at] <= 57]
    if len(places) > 15:  # the last groups belong to something else
        end = next((at for at in range(places[15], start, -1) if not 48 <= data[at - 1] <= 57), start)
        places = [at for at in places if at < end]
    return (start, places[-1] + 1) if len(places) >= 9 or (len(places) == 8 and data[start] == 43) else None


def _goes_on(data: bytes, span: _Span) -> bool:
    """Whether a number is part of a longer one, such as a date, a version or an amount."""
    start, end = span
    before, after = data[max(0, start - 2) : start], data[end : end + 2]
    if before[-1:].isdigit() or after[:1].isalnum() or after[:1] == b"_":
        return True
    return (before[:1].isdigit() and before[-1:] in b".,-/") or (after[1:].isdigit() and after[:1] in b".,-/")


_FINDERS: Final = (
    _Finder("secret", re2.compile(_SECRET), _secret),
    _Finder("email", re2.compile(_EMAIL), _whole, lambda data: b"@" in data),
    _Finder("iban", re2.compile(_IBAN), _iban),
    _Finder("card", re2.compile(_CARD), _card, _DIGITS.search),
    _Finder("ip", re2.compile(_IP), _ip),
    _Finder("phone", re2.compile(_PHONE), _phone, _DIGITS.search),
)
