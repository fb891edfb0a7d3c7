"""The OpenAI chat-completions format: request bodies, replies, errors. Knows JSON, and neither HTTP nor rubrics.

Endpoints differ in what they take: structured output, a seed, a temperature, the name of the limit on tokens. A Form
says what to send; what an endpoint turns down is left out of the next.
"""

import json
from typing import Any, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from .case import Usage
from .endpoint import Endpoint, Format

_REASONING: Final = frozenset({"reasoning", "thinking", "thought", "redacted_thinking", "reasoning_text"})
"""Types of parts of a reply in which the model thinks."""


class RequestForm(Struct, frozen=True, kw_only=True):
    """Which parameters a request has: those that are configured, without what the endpoint turned down."""

    format: Format = "json_schema"
    temperature: bool = True
    seed: bool = True
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"

    @classmethod
    def of(cls, endpoint: Endpoint) -> "RequestForm":
        """The form that is configured."""
        temperature, seed = endpoint.temperature is not None, endpoint.seed is not None
        return cls(format=endpoint.format, temperature=temperature, seed=seed)

    def without(self, parameter: str) -> "RequestForm | None":
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


class ChatRequest(Struct, frozen=True, kw_only=True):
    """The content of a request, independent of its form."""

    model: str
    messages: tuple[dict[str, str], ...]
    schema: dict[str, Any]
    max_tokens: int
    seed: int | None = None
    temperature: float | None = None

    def body(self, form: RequestForm) -> bytes:
        """The body of the request."""
        fields: dict[str, Any] = {"model": self.model, "messages": self.messages, form.limit: self.max_tokens}
        if form.temperature:
            fields["temperature"] = self.temperature
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
    """A reply, read as far as it is one; None where the body is no JSON object, or an error."""
    reply = _object(body)
    if reply is None or ("error" in reply and not reply.get("choices")):
        return None
    choice = _first(reply.get("choices"))
    message = _mapping(choice.get("message"))
    refusal = message.get("refusal")
    return Completion(
        text=_text(message.get("content")),
        refusal=refusal if isinstance(refusal, str) else None,
        finish_reason=str(choice.get("finish_reason") or "").lower(),
        model=str(reply.get("model") or ""),
        fingerprint=str(reply.get("system_fingerprint") or ""),
        usage=_usage(_mapping(reply.get("usage"))),
    )


def billed(body: bytes) -> Usage | None:
    """What a body says that was billed, a reply or an error; None where it does not say."""
    return _usage(_mapping((_object(body) or {}).get("usage")))


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
    """The content, which is text or a list of parts of which some are, those aside in which the model thinks."""
    if isinstance(content, list):
        parts = [_mapping(part) for part in content]
        texts = [part.get("text") for part in parts if part.get("type") not in _REASONING]
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else None


def _usage(usage: dict[str, Any]) -> Usage | None:
    """Tokens billed. Some endpoints leave thinking out of the completion's tokens and have it in the total alone."""
    told = _count(usage.get("prompt_tokens", usage.get("input_tokens")))
    written = _count(usage.get("completion_tokens", usage.get("output_tokens")))
    if told is None or written is None:
        return None
    total = _count(usage.get("total_tokens")) or 0
    return Usage(told, max(written, total - told))


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 40 else None
