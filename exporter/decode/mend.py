"""Makes JSON readable whose text is not valid Unicode; knows bytes and escapes only."""

import re

_ESCAPES = re.compile(
    rb"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|(\\.)", re.DOTALL
)
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")


def mended(body: bytes) -> bytes:
    """Replace bytes that are not UTF-8, and escaped halves of a surrogate pair (where a cut string ends), by U+FFFD."""
    text = body.decode("utf-8", "replace").encode()
    if _HALF.search(text) is None:
        return text
    return _ESCAPES.sub(lambda match: match[1] or match[2] or rb"\ufffd", text)
