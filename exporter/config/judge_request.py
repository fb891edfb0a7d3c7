"""The section ``judge.request``: which parameters, headers and query a judge's endpoint is asked with."""

import re
from collections.abc import Callable
from typing import Any, Final, get_args

from msgspec import Struct

from ..judge.endpoint import Format
from ..runtime.mismatch import closest
from .configfile import Part
from .settings import Secret

Report = Callable[[Part, str], None]

_FORMATS: Final = get_args(Format)
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)
_OURS: Final = frozenset({"accept", "connection", "content-length", "content-type", "host", "transfer-encoding"})
_SECRET: Final = re.compile(r"auth|cookie|credential|key|passw|secret|token", re.IGNORECASE)
_LARGEST_SEED: Final = (1 << 31) - 1
_HOTTEST: Final = 2


class JudgeRequest(Struct, frozen=True, kw_only=True):
    """What the section says; ``parameters`` are fields of an Endpoint, only those that are given."""

    parameters: dict[str, Any] = {}
    headers: dict[str, Secret] = {}


def request(section: Part | None, secret: Callable[[Part], Secret | None], wrong: Report) -> JudgeRequest:
    """Read the section; ``secret`` reads where a secret is kept, ``wrong`` takes what is wrong."""
    if section is None:
        return JudgeRequest()
    readers = {"seed": _seed, "temperature": _temperature, "response_format": _format}
    given = {name: (part, read) for name, read in readers.items() if (part := section.find(name)) is not None}
    parameters: dict[str, Any] = {name: read(part, wrong) for name, (part, read) in given.items()}
    if "response_format" in parameters:
        parameters["format"] = parameters.pop("response_format")
    query = section.find("query")
    if query is not None:
        parameters["query"] = tuple(query.plain().items())
    return JudgeRequest(parameters=parameters, headers=_headers(section.find("headers"), secret, wrong))


def _seed(part: Part, wrong: Report) -> int | None:
    value = part.value
    if value is False or value == "none":
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_SEED:
        return value
    wrong(part, f"expected a whole number from 0 to {_LARGEST_SEED}, or false to send none")
    return None


def _temperature(part: Part, wrong: Report) -> float | None:
    value = part.value
    if value is False or value == "none":
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _HOTTEST:
        return float(value)
    wrong(part, f"expected a number from 0 to {_HOTTEST}, or false to send none")
    return None


def _format(part: Part, wrong: Report) -> Format:
    value = "none" if part.value is False else str(part.value)
    found: Format | None = next((one for one in _FORMATS if one == value), None)
    if found is None:
        wrong(part, f"expected {', '.join(_FORMATS)}; {closest(value, _FORMATS)}")
    return found or "none"


def _headers(section: Part | None, secret: Callable[[Part], Secret | None], wrong: Report) -> dict[str, Secret]:
    """The headers, all of them as secrets: nobody needs to see what an endpoint is sent."""
    found: dict[str, Secret] = {}
    for name, part in section.value.items() if section else ():
        value = _header(name, part, secret, wrong)
        if value is not None:
            found[name] = value
    return found


def _header(name: str, part: Part, secret: Callable[[Part], Secret | None], wrong: Report) -> Secret | None:
    if not _HEADER.fullmatch(name):
        wrong(part, "is not the name of an HTTP header: it has letters, digits and - alone")
    elif name.lower() in _OURS:
        wrong(part, "is set by llmq itself: leave it out")
    elif isinstance(part.value, dict):
        return secret(part)
    elif not isinstance(part.value, str) or not part.value.isascii() or not part.value.isprintable():
        wrong(part, "expected text in ASCII, in quotes, or {env: VARIABLE} or {file: FILE} for a secret")
    elif _SECRET.search(name):
        wrong(part, "looks like a secret: say where it is kept, {env: VARIABLE} or {file: FILE}")
    else:
        return Secret(part.value)
    return None
