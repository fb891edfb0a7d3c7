"""Keys, tokens and passwords: recognised by their prefix, their context, or the name of their field.

Which services have keys of a form of their own was looked up in their documentation; the patterns are ours.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from .budget import Budget
from .forms import DIGITS, WORD, Form, Span, pattern
from .marks import Mark

KEYS: Final = (
    r"sk-|[srp]k_(?:live|test)_|whsec_|gh[opsur]_|github_pat_|gl[a-z]{2,5}-|xox[a-z]-|xapp-|AKIA|ASIA|AIza|ya29\.|hf_|"
    r"npm_|pypi-|SG\.|dop_v1_|doo_v1_|gsk_|lsv2_|hvs\.|shp[a-z]{2}_|dapi|r8_|pat-|nvapi-|tvly-|AGE-SECRET-KEY-|pplx-|"
    r"xai-|sq0[a-z]{3}-|EAA|rubygems_|dckr_pat_|lin_api_|glsa_|NRAK-|PMAK-|sntrys_|SK[0-9a-f]{8}|AC[0-9a-f]{8}|ATATT3|"
    r"ntn_|figd_|phc_|sbp_|GOCSPX-|shippo_live_"
)
"""How the keys of well-known services begin."""
CERTAIN: Final = (
    r"passwor[td]|passwd|passphrase|pwd|api[_ -]?key|access[_-]?key|private[_-]?key|secret[_-]?key|account[_-]?key|"
    "client[_-]?secret|mot[_ -]de[_ -]passe|contrase[n\xe1]a|senha"
)
"""What a secret is called whose value is always one, in small letters."""
NAMES: Final = CERTAIN + (
    r"|secret|token|credential|authorization|signature|\bsig|cookie|sess(?:ion)?[._-]?id|\bsid|webhook|"
    r"shared[_-]?access|subscription[_-]?key|signing[_-]?key|encryption[_-]?key|master[_-]?key|auth[_-]?key"
)
"""What secrets are called, in small letters: alternatives of letters, classes of characters and what may be missing."""

_CERTAIN_LEAST, _LEAST, _KEY = 6, 8, 14
"""Bytes that the value of a certain name has at least, that of another, and what follows the beginning of a key."""
_NEAR: Final = 64
"""Bytes from where a name begins to where its value does, at most."""
_VALUE: Final = r"\w+/.~!@#$%^&*=-"
_TOKEN: Final = WORD + b"+/.~!@#$%^&*=-"
_NOT_SPACE: Final = bytes(byte for byte in range(256) if byte not in b" \t\n\r\f")
_TELLING: Final = 64
"""Bytes of a value that tell how few of them come twice."""
_LOGARITHM: Final = (0.0, *(math.log2(count) for count in range(1, _TELLING + 1)))
_BITS: Final = tuple(count * bits for count, bits in enumerate(_LOGARITHM))
_URLS: Final = (
    r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[\w/+-]{14,}",
    r"discord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d+/[\w-]{14,}",
    r"[\w-]+\.webhook\.office\.com/webhookb2/[\w@/.-]{14,}",
    r"outlook\.office(?:365)?\.com/webhook/[\w@/.-]{14,}",
    r"api\.telegram\.org/bot\d+:[\w-]{14,}",
)
"""Addresses that whoever knows them may use."""
_NOTHING: Final = (
    rb"(?i)string|text|str|null|none|true|false|required|optional|hidden|redacted|changeme|\[secret\]|(.)\1*|"
    rb"[<$%{].*|your[ _-].*"
)
"""Values that are none, after a certain name."""

# No alternative has a group. In order: a private key, with or without its end; a JSON web token; the password in a URL;
# what begins as keys do; tokens of bots; webhooks; a token after its scheme. Those from the third on have a digit.
_FIXED: Final = (
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
    r"\b(?-i:eyJ)[\w-]{8,}\.[\w-]+(?:\.[\w-]*)*",
    r"://[^\s/:@]*:[^\s/]+@",
    rf"\b(?-i:{KEYS})[\w.-]{{{_KEY},}}",
    r"\b\d{8,10}:[\w-]{32,40}|\b(?-i:[MNO])[\w-]{23,25}\.[\w-]{6}\.[\w-]{27,38}",
    *_URLS,
    r"\b(?:bearer|authorization\W{1,6}[\w-]+)\s+[\w.~+/-]{12,}=*",
)
_SCHEME: Final = rb"(?:bearer|authorization\W{1,6}[\w-]+)\s+"
# A certain name, in quotation marks or not, and what opens its value: a quotation mark, which is escaped where JSON
# stands in JSON, or a digit. The name may be a value itself, of a field beside.
_QUOTED: Final = (
    rf"(?:{CERTAIN})s?[\d_]*"
    r"""(?:\\*["']\s*:\s*\d|\\*["']?\s*(?:[:=]|,\s*\\*["']value\\*["']\s*:)\s*\\*["'])"""
)
# What stands between a name and its value.
_BETWEEN: Final = r"""[\w\xe1.-]*[\\"'\]]*(?:\s*(?::=|=>|[:=]|%3D)\s*|\s+(?:is|ist|est)\s*:?\s+)[\\"'\[(]*"""
_part: Final = re.compile(r"(?:\(\?:(?P<group>[^()]*)\)|\[(?P<some>[^]]+)\]|(?P<one>[a-z0-9 _\xe1-]))(?P<maybe>\??)")
_scheme: Final = re.compile(_SCHEME, re.IGNORECASE)
_quoted_number: Final = re.compile(rf"""(?:{CERTAIN})s?[\d_]*\\*["']\s*:\s*\d\Z""".encode("latin-1"), re.IGNORECASE)
_certain: Final = re.compile(CERTAIN.encode("latin-1"), re.IGNORECASE)
_certain_key: Final = re.compile(rf"(?:{CERTAIN})s?[\d_]*\Z".encode("latin-1"), re.IGNORECASE)
_is_key: Final = re.compile(rb"""\\*["']\s*:""")
_nothing: Final = re.compile(_NOTHING, re.DOTALL)
_number: Final = re.compile(rb"[^\s,}\]]+(?: \d+)*")
_mixed: Final = re.compile(rb"(?=.*?[0-9]).*?[A-Za-z]", re.DOTALL)
_other_field: Final = re.compile(rb"&(?:amp;)?[\w.-]+=")
_cookie: Final = re.compile(rb"""[\w.-]+=[^\s;"']+""")
_all_cookies: Final = re.compile(rb"""[^\s;"']+(?:;\s*[\w.-]+=[^\s;"']*)*""")
_one_value: Final = re.compile(rf"[{_VALUE}]+".encode())


class Secrets:
    """Finds secrets, in text and as values in objects. ``names``: how those are called that nothing else tells of."""

    def __init__(self, names: str = NAMES) -> None:
        self._head = re.compile(f"(?:{names}){_BETWEEN}".encode("latin-1"), re.IGNORECASE)
        self._key = re.compile(names.encode("latin-1"), re.IGNORECASE)
        self.is_named = lru_cache(4096)(self._is_named)
        named = rf"(?:{names}){_BETWEEN}[{_VALUE}]{{{_CERTAIN_LEAST},}}"
        self.form = Form(
            kind="secret",
            pattern=pattern("(?i)" + "|".join((*_FIXED, _QUOTED, named))),
            check=self._check,
            after=self._after,
            marks=(
                Mark(of=b"-", least=5, counted=b"-", near=("begin",), after=5),
                Mark(of=b"J", counted=b"J", near=("eyj",), before=2),
                Mark(of=_NOT_SPACE, counted=b"@", near=("://",)),
                Mark(of=_TOKEN, least=_KEY + 3, counted=DIGITS),
                Mark(
                    of=_TOKEN,
                    least=_CERTAIN_LEAST,
                    counted=DIGITS,
                    near=(*literals(names), "bearer", "authorization"),
                    before=_NEAR,
                ),
                Mark(of=b":=", counted=b":=", near=literals(CERTAIN), before=_NEAR),
            ),
        )

    def _is_named(self, key: str) -> bool:
        """Whether the values of such a key in an object may be secrets."""
        return self._key.search(key.encode("latin-1", "replace")) is not None

    def goes(self, key: str, value: str, *, inside: bool = False) -> bool:
        """Whether a value of a named key is a secret; ``inside``: of a mapping that is the key's value."""
        data = value.encode("latin-1", "replace")
        if not inside and _certain_key.search(key.encode("latin-1", "replace")):
            return bool(data.strip()) and not _nothing.fullmatch(data)
        return _one_value.fullmatch(data) is not None and _is_secret(data, _CERTAIN_LEAST, 2.0)

    def _check(self, data: bytes, start: int, end: int, _budget: Budget) -> Iterable[Span]:
        if data.startswith((b"-----", b"eyJ"), start):
            return ((start, end),)
        if data.startswith(b"://", start):
            at = data.index(b":", start + 3) + 1
            return ((at, end - 1),) if data[at : end - 1] != b"[secret]" else ()
        if data[end - 1] in b"\"'" or _quoted_number.match(data, start, end):
            return _quoted(data, start, end)
        if scheme := _scheme.match(data, start, end):
            return _plain(data, scheme.end(), end) if scheme.end() - start <= _NEAR else ()
        if head := self._head.match(data, start, end):
            return _named(data, start, head.end(), end)
        return _plain(data, start, end) if data[max(0, start - 1) : start] != b"-" else ()

    def _after(self, data: bytes, start: int, end: int) -> int:
        """A value that is none may hold a name, or be one."""
        head = self._head.match(data, start, end)
        return head.end() if head else max(start + 1, end - 1)


def literals(names: str) -> tuple[str, ...]:
    """All that the names may be, written out; raises ValueError for names that are more than NAMES may be."""
    return tuple(dict.fromkeys(found for name in _alternatives(names) for found in _written_out(name)))


def _alternatives(names: str) -> list[str]:
    return re.findall(r"(?:\(\?:[^)]*\)|[^|])+", names)


def _written_out(name: str) -> list[str]:
    found, at = [""], 0
    for part in _part.finditer(name.replace(r"\b", "")):
        if part.start() != at:
            break
        at = part.end()
        choices = _alternatives(part["group"]) if part["group"] else list(part["some"] or part["one"])
        found = [before + one for before in found for one in ([*choices, ""] if part["maybe"] else choices)]
    if at != len(name.replace(r"\b", "")) or not all(len(one) > 1 for one in found):
        raise ValueError(f'"{name}" is not a name of letters, [classes] and (?:groups), each with or without ?')
    return found


def _plain(data: bytes, start: int, end: int) -> Iterable[Span]:
    return ((start, end),) if _is_secret(data[start:end], _LEAST, 2.5) else ()


def _named(data: bytes, start: int, value: int, end: int) -> Iterable[Span]:
    if value - start > _NEAR:
        return ()
    if data[start : start + 6].lower() == b"cookie" and (cookies := _cookies(data, start, value)):
        return cookies
    is_certain = _certain.match(data, start) is not None
    if not is_certain and not any(sign in data[start:value] for sign in b":="):  # it "is"
        return ()
    if field := _other_field.search(data, value, end):
        end = field.start()
    least, bits = (_CERTAIN_LEAST, 2.0) if is_certain else (_LEAST, 2.5)
    return ((value, end),) if _is_secret(data[value:end], least, bits) else ()


def _cookies(data: bytes, start: int, value: int) -> Iterable[Span]:
    """All cookies of a header, if one of the first is a secret."""
    pairs = [pair.span() for pair in _cookie.finditer(data, value, value + _NEAR)]
    if not any(first - start <= _NEAR and _is_secret(data[first:last], _LEAST, 2.5) for first, last in pairs):
        return ()
    return ((value, _all_cookies.match(data, value).end()),)  # type: ignore[union-attr]


def _quoted(data: bytes, start: int, end: int) -> Iterable[Span]:
    """What is between the quotation marks that end a match, or the number that begins there."""
    if end - start > _NEAR:
        return ()
    if data[end - 1] in DIGITS:
        return ((end - 1, _number.match(data, end - 1).end()),)  # type: ignore[union-attr]
    close = _closing(data, end)
    if _is_key.match(data, close) and _certain.search(data, end, close):
        return ()  # the value is the next name
    return ((end, close),) if data[end:close].strip() and not _nothing.fullmatch(data, end, close) else ()


def _closing(data: bytes, opened: int) -> int:
    """Where a quotation ends that was opened before a place: at a mark escaped no more often, or with the line."""
    mark = data[opened - 1 : opened]
    escapes = _escapes(data, opened - 1)
    at = data.find(mark, opened)
    while at >= 0 and _escapes(data, at) > escapes:
        at = data.find(mark, at + 1)
    close = at - _escapes(data, at) if at >= 0 else len(data)
    line_end = data.find(b"\n", opened, close)
    return close if line_end < 0 else line_end


def _escapes(data: bytes, at: int) -> int:
    first = at
    while first and data[first - 1] == 0x5C:
        first -= 1
    return at - first


def _is_secret(value: bytes, least: int, bits: float) -> bool:
    """Whether there are digits and letters in it, and few twice."""
    return len(value) >= least and _mixed.match(value) is not None and _entropy(value[:_TELLING]) >= bits


def _entropy(value: bytes) -> float:
    """Bits in one character."""
    more = sum(_BITS[count] for count in Counter(value).values() if count > 1)
    return _LOGARITHM[len(value)] - more / len(value)
