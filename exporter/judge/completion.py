"""The OpenAI chat-completions format: request bodies, replies, errors. Knows JSON, and neither HTTP nor rubrics.

Endpoints differ in what they take: structured output, a seed, a temperature, the name of the limit on tokens. A Form
says what to send; what an endpoint turns down is left out of the next.
"""

import json
import re
from typing import Any, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from .case import Usage

Format = Literal["json_schema", "json_object", "none"]

_PARAMETER: Final = re.compile(
    r"\b(response_format|json_schema|json_object|seed|temperature|max_completion_tokens|max_tokens)\b"
)
_LONGEST_MESSAGE: Final = 500


class Form(Struct, frozen=True, kw_only=True):
    """Which parameters a request has; the default is everything that we would like to send."""

    format: Format = "json_schema"
    temperature: bool = True
    seed: bool = True
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"

    def without(self, parameter: str) -> "Form | None":
        """The next best form when an endpoint turns a parameter down; None where there is none.

        A limit on tokens is never left out: the budget counts on it.
        """
        if parameter in ("response_format", "json_schema", "json_object") and self.format != "none":
            return replace(self, format="json_object" if self.format == "json_schema" else "none")
        if parameter == "seed" and self.seed:
            return replace(self, seed=False)
        if parameter == "temperature" and self.temperature:
            return replace(self, temperature=False)
        if parameter == "max_tokens" and self.limit == "max_tokens":
            return replace(self, limit="max_completion_tokens")
        return None


class Asked(Struct, frozen=True, kw_only=True):
    """What is asked, whatever the form."""

    model: str
    messages: tuple[dict[str, str], ...]
    schema: dict[str, Any]
    max_tokens: int
    seed: int

    def body(self, form: Form) -> bytes:
        """The body of the request."""
        fields: dict[str, Any] = {"model": self.model, "messages": self.messages, form.limit: self.max_tokens}
        if form.temperature:
            fields["temperature"] = 0
        if form.seed:
            fields["seed"] = self.seed
        if form.format == "json_schema":
            shape = {"name": "judgement", "strict": True, "schema": self.schema}
            fields["response_format"] = {"type": "json_schema", "json_schema": shape}
        elif form.format == "json_object":
            fields["response_format"] = {"type": "json_object"}
        return json.dumps(fields).encode()


class Completion(Struct, frozen=True, kw_only=True):
    """What an endpoint replied; ``usage`` is None where it did not say."""

    text: str | None
    refusal: str | None
    finish_reason: str
    model: str
    fingerprint: str
    usage: Usage | None


def completion(body: bytes) -> Completion | None:
    """A reply, read as far as it is one; None where the body is no JSON object at all."""
    reply = _object(body)
    if reply is None:
        return None
    choice = _first(reply.get("choices"))
    message = _mapping(choice.get("message"))
    refusal = message.get("refusal")
    return Completion(
        text=_text(message.get("content")),
        refusal=refusal if isinstance(refusal, str) else None,
        finish_reason=str(choice.get("finish_reason") or ""),
        model=str(reply.get("model") or ""),
        fingerprint=str(reply.get("system_fingerprint") or ""),
        usage=_usage(_mapping(reply.get("usage"))),
    )


class Refused(Struct, frozen=True, kw_only=True):
    """An error that an endpoint replied: the parameter that it names, its code, and what it billed all the same."""

    parameter: str = ""
    code: str = ""
    usage: Usage = Usage()


def refused(body: bytes) -> Refused:
    """What an endpoint's error says; its message is searched for the name of a parameter and kept nowhere."""
    reply = _object(body) or {}
    error = _mapping(reply.get("error"))
    said = [error.get("param"), *_places(reply.get("detail")), error.get("message"), reply.get("message")]
    texts = (text[:_LONGEST_MESSAGE] for text in said if isinstance(text, str))
    found = next((match[1] for match in map(_PARAMETER.search, texts) if match), "")
    usage = _usage(_mapping(reply.get("usage"))) or Usage()
    return Refused(parameter=found, code=str(error.get("code") or ""), usage=usage)


def _places(detail: Any) -> list[str]:
    """Where a validating server says that the request is wrong: the "loc" of each of its details."""
    if not isinstance(detail, list):
        return []
    return [
        " ".join(map(str, one["loc"])) for one in detail if isinstance(one, dict) and isinstance(one.get("loc"), list)
    ]


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _first(value: Any) -> dict[str, Any]:
    return _mapping(value[0]) if isinstance(value, list) and value else {}


def _text(content: Any) -> str | None:
    """The content, which is text or a list of parts of which some are."""
    if isinstance(content, list):
        texts = [_mapping(part).get("text") for part in content]
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else None


def _usage(usage: dict[str, Any]) -> Usage | None:
    """Tokens billed. Some endpoints leave thinking out of the completion's tokens and have it in the total alone."""
    told, written = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    if told is None or written is None:
        return None
    total = _count(usage.get("total_tokens")) or 0
    return Usage(told, max(written, total - told))


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 40 else None
