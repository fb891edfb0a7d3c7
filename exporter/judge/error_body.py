"""What an endpoint's error says: which parameter it does not take, its codes, its message. Knows JSON, no HTTP.

Read are the errors of OpenAI, Azure, Anthropic, vLLM, Ollama, llama.cpp, LiteLLM, OpenRouter, Gemini, Mistral, Bedrock
and of servers that validate with FastAPI. They differ in how deep they hide the same few fields, so these are looked
for wherever they are.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from ..model.stops import StopReason

_PARAMETER: Final = re.compile(
    r"\b(response[_ ]format|json_schema|json_object|seed|temperature|max_completion_tokens|max_tokens)\b"
)
_LONGEST_MESSAGE: Final = 500
_MOST_NODES: Final = 200
_DEEPEST: Final = 8
_MESSAGES: Final = ("message", "msg", "detail", "error", "error_description", "raw", "title")
_CODES: Final = ("code", "type", "status", "reason", "__type", "error_type")
_LITELLM: Final = re.compile(r"\blitellm\.(\w{1,60})")
_TAG: Final = re.compile(r"<[^<>]{0,500}>")
_UNHELPFUL: Final = frozenset({"Provider returned error"})
"""A message of a gateway that has the upstream's beside it."""

_KINDS: Final[tuple[tuple[StopReason, re.Pattern[str]], ...]] = (
    ("refused", re.compile(r"content_?(filter|policy)|responsibleaipolicy|safety", re.IGNORECASE)),
    (
        "credentials",
        re.compile(
            r"api_?key|authenti|unauthorized|unrecognizedclient|permission_?denied|permission_error|access_?denied",
            re.IGNORECASE,
        ),
    ),
    ("not_found", re.compile(r"not_?found", re.IGNORECASE)),
)
_BUSY: Final = re.compile(
    r"rate_?limit|resource_exhausted|throttl|overloaded|insufficient_quota|unavailable|too_?many", re.IGNORECASE
)

Node = tuple[str, Any]
"""A key and what is under it."""


class EndpointError(Struct, frozen=True, kw_only=True):
    """The content of an error response. ``message`` may quote the case: never show it as it is.

    ``kind`` is why the judge cannot judge, where the codes tell it; ``busy``: the endpoint says to come back later.
    """

    parameter: str = ""
    message: str = ""
    kind: StopReason | None = None
    busy: bool = False
    status: int = 0
    """An HTTP status that the body names, as gateways do that answer 200."""


def told(body: bytes) -> EndpointError:
    """Parse an error body; if it is not JSON, its text without tags is the message."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        text = _TAG.sub(" ", body[: 4 * _LONGEST_MESSAGE].decode(errors="replace"))
        return EndpointError(message=" ".join(text.split())[:_LONGEST_MESSAGE])
    nodes = list(_nodes(value))
    messages = [text[:_LONGEST_MESSAGE] for key, text in nodes if key in _MESSAGES and isinstance(text, str)]
    codes = [str(code) for key, code in nodes if key in _CODES and isinstance(code, str | int)]
    codes += [name for message in messages for name in _LITELLM.findall(message)]
    return EndpointError(
        parameter=_parameter(nodes, messages),
        message=next((text for text in messages if text.strip() and text not in _UNHELPFUL), ""),
        kind=next((kind for kind, pattern in _KINDS if any(map(pattern.search, codes))), None),
        busy=any(map(_BUSY.search, codes)),
        status=next((int(code) for code in codes if re.fullmatch(r"[45]\d\d", code)), 0),
    )


def _parameter(nodes: list[Node], messages: list[str]) -> str:
    """The parameter that is not taken: as a field says it, else as the first message that names one."""
    fields = [value for key, value in nodes if key == "param" and isinstance(value, str)]
    places = [" ".join(map(str, value)) for key, value in nodes if key == "loc" and isinstance(value, list)]
    found = next((match[1] for match in map(_PARAMETER.search, (*fields, *places, *messages)) if match), "")
    return found.replace(" ", "_")


def _nodes(value: Any) -> Iterator[Node]:
    """Every key with its value, outer ones first; of JSON within a text, too. Bounded."""
    left: list[tuple[str, Any, int]] = [("", value, 0)]
    for _ in range(_MOST_NODES):
        if not left:
            return
        key, one, depth = left.pop(0)
        yield key, one
        if isinstance(one, str) and one[:1] in ("{", "["):
            one = _parsed(one)
        if depth == _DEEPEST:
            continue
        if isinstance(one, dict):
            left += [(str(name), inner, depth + 1) for name, inner in one.items()][:_MOST_NODES]
        elif isinstance(one, list):
            left += [(key, inner, depth + 1) for inner in one[:_MOST_NODES]]


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
