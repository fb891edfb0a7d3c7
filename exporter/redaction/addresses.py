"""E-mail and IP addresses."""

import ipaddress
import re
from collections.abc import Iterable
from typing import Final

from .budget import Budget
from .forms import ANY_LETTER, DIGITS, Form, Span, goes_on, next_word, pattern, whole
from .marks import Mark

_AT: Final = ("%40", r"\u0040", "&#64;")
"""How an @ is written in URLs, JSON and HTML."""
_L: Final = ANY_LETTER
_EMAIL: Final = (
    rf"""(?:[{_L}0-9._%+-][{_L}0-9._%+'-]*|"[{_L}0-9._%+' -]+")(?:@|\\*(?:{"|".join(map(re.escape, _AT))}))"""
    rf"(?:[{_L}0-9](?:[{_L}0-9-]*[{_L}0-9])?\.)+[{_L}]{{2,}}"
)
_IP: Final = r"(?i)\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:\.\d{1,3}){0,3}"
_SHORTEST_IP: Final = 7


def _ip(data: bytes, start: int, end: int, _budget: Budget) -> Iterable[Span]:
    if end - start < _SHORTEST_IP or goes_on(data, start, end):
        return ()
    try:
        ipaddress.ip_address(data[start:end].decode())
    except ValueError:
        return ()
    return ((start, end),)


EMAIL: Final = Form(
    kind="email",
    pattern=pattern(_EMAIL),
    check=whole,
    marks=(
        Mark(of=b"@", counted=b"@"),
        Mark(of=DIGITS, least=2, counted=DIGITS, near=_AT, before=3, inside=False),
    ),
)
IP: Final = Form(
    kind="ip",
    pattern=pattern(_IP),
    check=_ip,
    after=next_word,
    marks=(
        Mark(of=DIGITS + b".", least=_SHORTEST_IP, counted=b".", count=3),
        Mark(of=DIGITS + b"abcdefABCDEF:.", least=_SHORTEST_IP, counted=b":", count=2),
    ),
)
