"""Text from outside → a text that a label may have: short, without ids and without what hides or breaks lines."""

import re
from hashlib import blake2b
from typing import Final

UNKNOWN: Final = "unknown"
"""What stands for a value that was not sent or is blank."""

SHORTEST: Final = 9
"""Bytes that a cut value needs at least: its mark and its hash."""

_READ_LENGTH = 4096
_CUT_MARK = "~"
_HASH_CHARS = 8

# Controls, marks that hide or reorder text, and what UTF-8 cannot say (lone surrogates).
_UNFIT = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffe\uffff\ud800-\udfff]+"
)
_QUERY = re.compile(r"[?#].*", re.DOTALL)
# Only what cannot be a name: two routes under one value are worse than a spent budget.
_ID = re.compile(
    r"""
    [0-9]+                                          # a number
    | [^@]+@[^@]+\.[a-z]+                           # an address
    | (?:[a-z]+[_-])?                               # perhaps a prefix, as in user_, then:
      (?: [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}                                   # a UUID
        | (?=[a-f]*[0-9]) [0-9a-f]{12,}                                                 # a hash
        | (?=[^0-9]*[0-9]+[^0-9]+[0-9]) [0-9a-z]{20,}                                   # a ULID and its like
        | (?-i: (?=[^0-9]*[0-9]+[^0-9]+[0-9]) (?=[^A-Z]*[A-Z]) (?=[^a-z]*[a-z]) [0-9A-Za-z]{16,} )       # base 62
        | (?-i: (?=[^0-9]*(?:[0-9]+[^0-9]+){3}[0-9]) (?=[^A-Z]*[A-Z]) (?=[^a-z]*[a-z]) [0-9A-Za-z_+=-]{24,} )  # base 64
      )
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)


def cleaned(value: str | None, max_length: int, *, is_route: bool = False) -> str:
    """Return what a label shows for a text: at most so many bytes of UTF-8; ``is_route``: ids become ``:id``."""
    if value is None:
        return UNKNOWN
    text = value if len(value) <= _READ_LENGTH else _cut(value, max_length)
    text = _UNFIT.sub("_", text.strip()).strip()
    return _cut(templated(text) if is_route else text, max_length) or UNKNOWN


def templated(route: str) -> str:
    """Return a route with each path segment that is an id replaced by ``:id``, and without its query."""
    if "/" in route:
        route = _QUERY.sub("", route).strip()
    return "/".join(":id" if _ID.fullmatch(segment) else segment for segment in route.split("/"))


def _cut(text: str, max_length: int) -> str:
    """Cut a text to a number of UTF-8 bytes, between characters; what is cut ends in a hash that keeps it apart."""
    if len(text) * 4 <= max_length:
        return text
    encoded = text.encode("utf-8", "surrogatepass")
    if len(encoded) <= max_length:
        return text
    digest = blake2b(encoded, digest_size=_HASH_CHARS // 2).hexdigest()
    head = encoded[: max_length - len(_CUT_MARK) - _HASH_CHARS]
    return head.decode("utf-8", "ignore") + _CUT_MARK + digest
