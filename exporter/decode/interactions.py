"""Plain JSON interactions → the spans that an instrumented application would have sent.

Knows the names of the OTel GenAI conventions, in which it writes; refuses what it does not understand.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from ..runtime import mismatch
from .batch import OVERHEAD, Batch, BatchBuilder, DecodeError, DecodeLimits, TooLarge, count
from .mend import mended

SCOPE = "llmq.interactions"
_NANOSECONDS = 1_000_000_000
_MAX_DEPTH = 64
_SPAN_SIZE_FACTOR = 2
_QUOTES_PER_VALUE = 2

_Count = Annotated[int, Meta(ge=0, le=10**12)]
_Seconds = Annotated[float, Meta(ge=0, le=10**9)]
_UnixSeconds = Annotated[float, Meta(ge=0, le=10**10)]
_Moment = Annotated[datetime, Meta(tz=True)]
TraceId = Annotated[
    str,
    Meta(
        pattern="^(?![0-]+$)(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$",
        description="32 hexadecimal digits, not all zero, or a UUID",
    ),
]
_Name = Annotated[str, Meta(min_length=1)]


class _Strict(Struct, forbid_unknown_fields=True, kw_only=True):
    """Unknown keys are mistakes."""


class _Document(_Strict):
    text: str
    id: str | None = None
    score: float | None = None


class _ToolCall(_Strict):
    name: _Name
    arguments: Any = None


class _ToolDefinition(_Strict):
    name: _Name
    description: str | None = None
    parameters: dict[str, Any] | None = None


class _Tokens(_Strict):
    input: _Count | None = None
    output: _Count | None = None


class Interaction(_Strict):
    """One question and its answer; ``started_at`` is Unix seconds or RFC 3339 with a time zone."""

    question: str | None = None
    answer: str | None = None
    context: list[str | _Document] | None = None
    system_prompt: str | None = None
    model: str | None = None
    provider: str | None = None
    prompt_name: str | None = None
    prompt_version: str | int | None = None
    app: str | None = None
    route: str | None = None
    conversation_id: str | None = None
    user: str | None = None
    environment: str | None = None
    tool_calls: list[_ToolCall] | None = None
    tool_definitions: list[_ToolDefinition] | None = None
    response_schema: dict[str, Any] | None = None
    refusal: str | None = None
    finish_reason: str | None = None
    tokens: _Tokens | None = None
    duration_seconds: _Seconds | None = None
    error: str | None = None
    trace_id: TraceId | None = None
    id: _Name | None = None
    started_at: _UnixSeconds | _Moment | None = None


_list = msgspec.json.Decoder(list[msgspec.Raw])
_interaction = msgspec.json.Decoder(Interaction)


def decode(body: bytes, limits: DecodeLimits, received_at: float) -> Batch:
    """Decode one interaction or a list of them; raises DecodeError, naming the place and the cure, or TooLarge.

    Ids depend on the body and on ``received_at`` alone, so that the same entry always gives the same spans.
    """
    most = _QUOTES_PER_VALUE * limits.values
    if len(body) > most and body.count(b'"') > most:
        raise TooLarge("the body holds too many values; send fewer interactions in one request")
    try:
        return _decode(body, limits, received_at)
    except DecodeError:
        whole = mended(body)
        if whole == body:
            raise
    batch = _decode(whole, limits, received_at)
    count(batch.anomalies, "invalid_utf8")
    return batch


def _decode(body: bytes, limits: DecodeLimits, received_at: float) -> Batch:
    items, is_list = _items(body)
    if len(items) > limits.interactions:
        raise TooLarge(f"{len(items)} interactions in one request; send at most {limits.interactions}")
    size = _SPAN_SIZE_FACTOR * len(body) // max(len(items), 1) + OVERHEAD
    builder = BatchBuilder(limits, received_at, size)
    for index, item in enumerate(items):
        interaction = _checked(item, f"$[{index}]" if is_list else "$")
        identity = (
            interaction.id or f"{'' if interaction.trace_id else received_at} {index} {_digest(bytes(item)).hex()}"
        )
        _add(builder, interaction, identity, received_at)
    return builder.batch


def _items(body: bytes) -> tuple[Sequence[msgspec.Raw], bool]:
    if body.lstrip()[:1] != b"[":
        return [msgspec.Raw(body)], False
    try:
        return _list.decode(body), True
    except (msgspec.DecodeError, RecursionError):
        raise DecodeError("the body is not valid JSON; send one object or a list of objects") from None


def _checked(item: msgspec.Raw, place: str) -> Interaction:
    try:
        interaction = _interaction.decode(item)
    except RecursionError:
        raise _too_deep(place) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise DecodeError(mismatch.of_json(item, Interaction).at(place)) from None
    if not _says_something(interaction):
        raise DecodeError(f"{place}: says nothing; give at least a question, an answer, a refusal or an error")
    if interaction.answer and interaction.refusal:
        raise DecodeError(f"{place}: has an answer and a refusal; give the one that the user saw")
    if _is_too_deep(interaction):
        raise _too_deep(place)
    return interaction


def _too_deep(place: str) -> DecodeError:
    return DecodeError(f"{place}: nested too deeply; at most {_MAX_DEPTH} levels")


def _says_something(interaction: Interaction) -> bool:
    return any(
        part is not None for part in (interaction.question, interaction.answer, interaction.refusal, interaction.error)
    ) or bool(interaction.tool_calls)


def _is_too_deep(interaction: Interaction) -> bool:
    level: list[Any] = [interaction.response_schema]
    level += [call.arguments for call in interaction.tool_calls or ()]
    level += [tool.parameters for tool in interaction.tool_definitions or ()]
    for _ in range(_MAX_DEPTH):
        level = [child for item in level for child in _children(item)]
    return bool(level)


def _children(item: Any) -> Sequence[Any]:
    if isinstance(item, dict):
        return list(item.values())
    return item if isinstance(item, list) else ()


def _digest(data: bytes, size: int = 16) -> bytes:
    return blake2b(data, digest_size=size, person=b"llmq interaction").digest()


def trace_id_of(app: str, identity: str) -> bytes:
    """The trace id of an interaction that names none, by its own id."""
    return _digest(f"{app}\0{identity}".encode())


def _add(builder: BatchBuilder, interaction: Interaction, identity: str, received_at: float) -> None:
    app = interaction.app or ""
    given = interaction.trace_id
    trace_id = bytes.fromhex(given.replace("-", "")) if given else trace_id_of(app, identity)
    start, end = _times(interaction, received_at)
    builder.span(
        trace_id,
        _digest(trace_id + identity.encode(), 8),
        b"",
        "chat",
        start,
        end,
        dict(_attributes(interaction)),
        (),
        2 if interaction.error is not None else 0,
        interaction.error or "",
        0,
        0,
        dict(_resource(interaction)),
        SCOPE,
    )


def _times(interaction: Interaction, received_at: float) -> tuple[int, int]:
    duration = interaction.duration_seconds or 0.0
    start = interaction.started_at
    if start is None:
        start = received_at - duration
    elif isinstance(start, datetime):
        start = start.timestamp()
    nanoseconds = max(int(start * _NANOSECONDS), 1)
    return nanoseconds, nanoseconds + int(duration * _NANOSECONDS)


def _resource(interaction: Interaction) -> Iterator[tuple[str, Any]]:
    if interaction.app:
        yield "service.name", interaction.app
    if interaction.environment:
        yield "deployment.environment.name", interaction.environment


def _attributes(interaction: Interaction) -> Iterator[tuple[str, Any]]:
    yield "gen_ai.operation.name", "chat"
    for name, value in _plain_attributes(interaction).items():
        if value is not None:
            yield name, value
    if interaction.question is not None:
        yield "gen_ai.input.messages", [{"role": "user", "parts": [_text(interaction.question)]}]
    if interaction.system_prompt is not None:
        yield "gen_ai.system_instructions", [_text(interaction.system_prompt)]
    if parts := list(_answer_parts(interaction)):
        yield "gen_ai.output.messages", [_message(parts, interaction.finish_reason)]
    if interaction.context is not None:
        yield "gen_ai.retrieval.documents", [_document(item) for item in interaction.context]
    if interaction.tool_definitions is not None:
        yield "gen_ai.tool.definitions", [_definition(tool) for tool in interaction.tool_definitions]
    if interaction.finish_reason is not None:
        yield "gen_ai.response.finish_reasons", [interaction.finish_reason]
    if interaction.response_schema is not None:
        yield "gen_ai.output.type", "json"


def _plain_attributes(interaction: Interaction) -> Mapping[str, Any]:
    version, tokens = interaction.prompt_version, interaction.tokens or _Tokens()
    return {
        "gen_ai.request.model": interaction.model,
        "gen_ai.response.model": interaction.model,
        "gen_ai.provider.name": interaction.provider,
        "gen_ai.prompt.name": interaction.prompt_name,
        "gen_ai.prompt.version": None if version is None else str(version),
        "gen_ai.conversation.id": interaction.conversation_id,
        "gen_ai.request.structured_output_schema": interaction.response_schema,
        "gen_ai.usage.input_tokens": tokens.input,
        "gen_ai.usage.output_tokens": tokens.output,
        "http.route": interaction.route,
        "user.id": interaction.user,
    }


def _text(content: str) -> dict[str, Any]:
    return {"type": "text", "content": content}


def _answer_parts(interaction: Interaction) -> Iterator[dict[str, Any]]:
    if interaction.answer is not None:
        yield _text(interaction.answer)
    if interaction.refusal is not None:
        yield {"type": "refusal", "content": interaction.refusal}
    for number, call in enumerate(interaction.tool_calls or ()):
        yield {"type": "tool_call", "id": str(number), "name": call.name, "arguments": call.arguments}


def _message(parts: list[dict[str, Any]], finish_reason: str | None) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "parts": parts}
    if finish_reason is not None:
        message["finish_reason"] = finish_reason
    return message


def _document(item: str | _Document) -> dict[str, Any]:
    if isinstance(item, str):
        return {"content": item}
    document: dict[str, Any] = {"content": item.text}
    if item.id is not None:
        document["id"] = item.id
    if item.score is not None:
        document["score"] = item.score
    return document


def _definition(tool: _ToolDefinition) -> dict[str, Any]:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }
