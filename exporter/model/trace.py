"""The data types: spans and log records as received, and the normalised Trace. Imports no other package of llmq."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

UNKNOWN = "unknown"
"""The value of a slice field that no attribute gave; never an absent label."""

REMOTE = 0x300
"""The bits of OTLP's span flags that say together: it is known whether the parent is remote, and it is."""
SERVER, CONSUMER = 2, 5
"""Kinds of spans that begin in a process what another one asked for."""
CLIENT = 3
"""The kind of a span that calls another service."""

ContentState = Literal["answered", "empty", "refused", "not_captured", "error"]


class Event(Struct, frozen=True, gc=False):
    """A span event: a name, a time (Unix nanoseconds) and attributes. Printing it shows no text, as of all parts."""

    name: str
    time: int
    attributes: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Event(<{len(self.attributes)} attributes>)"


class Span(Struct, frozen=True, gc=False):
    """One OTLP span; times are Unix nanoseconds, ids raw bytes, an empty parent means a root.

    ``attributes`` and ``resource`` map names to plain Python values (str, bool, int, float, bytes, list, dict, None).
    ``size`` is the approximate memory in bytes, for the limits. ``kind`` is OTLP's number: 0 where it was not sent.
    ``has_remote_parent``: the SDK said that the parent is in another process; False where it did not say.
    """

    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes
    name: str
    start: int
    end: int
    attributes: Mapping[str, Any]
    events: Sequence[Event]
    status_code: int
    status_message: str
    resource: Mapping[str, Any]
    scope: str
    size: int
    kind: int = 0
    has_remote_parent: bool = False

    def __repr__(self) -> str:
        return f"Span({self.span_id.hex()}, <{len(self.attributes)} attributes>)"


class LogRecord(Struct, frozen=True, gc=False):
    """One OTLP log record that belongs to a trace.

    ``key`` (8 bytes) identifies the record, as ``span_id`` does a span: a retried record has the same key.
    ``span_id`` is the span that the record belongs to, or empty.
    """

    trace_id: bytes
    span_id: bytes
    key: bytes
    event_name: str
    time: int
    attributes: Mapping[str, Any]
    body: Any
    resource: Mapping[str, Any]
    scope: str
    size: int

    def __repr__(self) -> str:
        return f"LogRecord({self.key.hex()}, <{len(self.attributes)} attributes>)"


class Document(Struct, frozen=True, gc=False):
    """One retrieved document: its text, and its id and rank score where sent."""

    text: str
    id: str | None = None
    score: float | None = None


class ToolCall(Struct, frozen=True, kw_only=True):
    """A tool that the model called; ``arguments`` is the parsed object, or the text as sent where it does not parse."""

    name: str
    arguments: Any = None
    id: str | None = None


class ToolDefinition(Struct, frozen=True, kw_only=True):
    """A tool that the model was offered; ``parameters`` is a JSON schema, or None where it was not sent."""

    name: str
    parameters: dict[str, Any] | None = None


class Trace(Struct, frozen=True, gc=False):
    """One request of an LLM application: the question, the retrieved documents, the answer that the user saw.

    The unit that is scored. Text is None where it was not sent and "" where it was sent empty. ``started_at`` is in
    Unix seconds. ``response_schema`` is the JSON schema that was requested, ``json_requested`` says that JSON was (with
    or without a schema). ``tool_results`` are the texts that tools returned, in order; ``tool_errors`` counts the tools
    that were said to have failed, with a result or without. Tokens and duration cover the whole trace: each generation
    once. ``cache_read_tokens`` and ``cache_write_tokens`` are part of the input. ``other_content``: the answer holds
    what is no text, such as an image. Of the call that answered: ``first_token_seconds`` until its first token,
    ``generation_seconds`` until its end, ``generation_tokens`` of output. ``error_kind`` is one of semconv's.
    ``earlier`` are the texts of the conversation before the question, of users, assistants and tools. ``retries`` and
    ``fallbacks``: calls that repeated a failed one, with the same model and with another.
    """

    trace_id: str
    app: str = UNKNOWN
    route: str = UNKNOWN
    model_version: str = UNKNOWN
    prompt_version: str = UNKNOWN
    prompt_name: str | None = None
    request_model: str | None = None
    provider: str | None = None
    environment: str | None = None
    conversation_id: str | None = None
    user: str | None = None
    response_id: str | None = None
    dialect: str = UNKNOWN
    content_state: ContentState = "not_captured"
    question: str | None = None
    system_prompt: str | None = None
    answer: str | None = None
    refusal: str | None = None
    context: tuple[Document, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_definitions: tuple[ToolDefinition, ...] = ()
    tool_results: tuple[str, ...] = ()
    json_requested: bool = False
    response_schema: dict[str, Any] | None = None
    finish_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    started_at: float | None = None
    duration_seconds: float | None = None
    error: str | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    other_content: bool = False
    error_kind: str | None = None
    first_token_seconds: float | None = None
    generation_seconds: float | None = None
    generation_tokens: int | None = None
    retries: int = 0
    fallbacks: int = 0
    tool_errors: int = 0
    earlier: tuple[str, ...] = ()
