"""Distinguishes spans of OTel GenAI and OpenLLMetry, which share attribute names with each other and older packages."""

import re
from typing import Any

from ..model.trace import Span
from . import otel, traceloop
from .node import Dialect, Role
from .recognition import Recognition, Teller, Told

OTEL = otel.DIALECT
TRACELOOP = traceloop.DIALECT

_NOT_CALLS = re.compile(
    r"embed|moderat|transcri|speech|rerank|(?:image|video|audio)_?generat|tokeni|count_tokens|memory|fetch|model_chunk"
    r"|model_step|model_generation|evaluat|batch|^(?:list|upload|delete|get|create|update)_"
)
"""Operations that answer nobody, whatever they carry."""
_CALL_MARKS = frozenset({"gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.prompt", "gen_ai.completion"})
_CALL_SIGNS = frozenset({"gen_ai.request.model", "gen_ai.response.model", "gen_ai.usage.output_tokens"})
_OPERATIONS: dict[str, Role] = {
    "chat": "generation",
    "text_completion": "generation",
    "generate_content": "generation",
    "chat.completions": "generation",
    "text.completions": "generation",
    "completion": "generation",
    "acompletion": "generation",
    "atext_completion": "generation",
    "responses": "generation",
    "aresponses": "generation",
    "anthropic_messages": "generation",
    "llm_call": "generation",
    "retrieval": "retrieval",
    "vector_db_retrieve": "retrieval",
    "execute_tool": "tool",
    "invoke_agent": "chain",
    "create_agent": "chain",
    "invoke_workflow": "chain",
    "plan": "chain",
    "handle_conversation_turn": "chain",
    "execute_event_loop_cycle": "chain",
    "agent_step": "chain",
    "execute_task": "chain",
    "chain": "chain",
    "workflow": "chain",
    "invoke_subagent": "chain",
}
_TRACELOOP: dict[str, Role] = {"workflow": "chain", "task": "chain", "agent": "chain", "tool": "tool"}
_REQUESTS: dict[str, Role] = {"chat": "generation", "completion": "generation"}
_ANCIENT: tuple[tuple[str, Dialect, Role], ...] = (
    ("gen_ai.retrieval.documents", OTEL, "retrieval"),
    ("gen_ai.prompt.0.role", TRACELOOP, "generation"),
    ("gen_ai.tool.name", OTEL, "tool"),
    ("gen_ai.request.model", OTEL, "generation"),
    ("gen_ai.output.messages", OTEL, "generation"),
    ("all_messages_events", OTEL, "chain"),
    ("pydantic_ai.all_messages", OTEL, "chain"),
)
"""Tell-tales of spans that name no operation: older packages, and retrievers made by hand."""


def _teller(names: frozenset[str]) -> Teller:
    if "gen_ai.operation.name" not in names or "logfire.span_type" in names:
        return Teller(_told)
    known = {operation: (_speaker(names, role), role) for operation, role in _OPERATIONS.items()}
    return Teller(_told, "gen_ai.operation.name", known)


def _told(span: Span, names: frozenset[str]) -> Told:
    """Recognise OTel GenAI and Traceloop, which share names; an operation of their own is looked at last."""
    attributes = span.attributes
    operation = attributes["gen_ai.operation.name"] if "gen_ai.operation.name" in names else None
    role = _OPERATIONS.get(operation) if type(operation) is str else None
    if role is not None:
        is_pending = attributes.get("logfire.span_type") == "pending_span"
        return (OTEL, "ignored") if is_pending else (_speaker(names, role), role)
    if type(operation) is str and _NOT_CALLS.search(operation.lower()):
        return OTEL, "ignored"
    if operation and (role := _unknown(operation, names)) != "ignored":
        return _speaker(names, "generation"), role
    if "traceloop.span.kind" in names:
        return TRACELOOP, _traceloop_role(attributes["traceloop.span.kind"], attributes.get("traceloop.entity.name"))
    if "llm.request.type" in names:
        kind = attributes["llm.request.type"]
        return TRACELOOP, _REQUESTS.get(kind, "ignored") if type(kind) is str else "ignored"
    if operation:
        return OTEL, "ignored"
    return _ancient(span, names)


def _unknown(operation: Any, names: frozenset[str]) -> Role:
    """Return what a span of an operation without a known name is, by what it carries."""
    if type(operation) is not str:
        return "ignored"
    if not _CALL_MARKS.isdisjoint(names) or len(_CALL_SIGNS & names) > 1:
        return "likely"
    return "ignored"


def _speaker(names: frozenset[str], role: Role) -> Dialect:
    """Return whose dialect it is that a span with an operation speaks."""
    if role == "generation":
        return TRACELOOP if "gen_ai.prompt.0.role" in names else OTEL
    return TRACELOOP if "traceloop.span.kind" in names or "traceloop.entity.output" in names else OTEL


def _traceloop_role(kind: Any, entity: Any) -> Role:
    if kind == "task" and type(entity) is str and "retriev" in entity.lower():
        return "retrieval"
    return _TRACELOOP.get(kind, "ignored") if type(kind) is str else "ignored"


def _ancient(span: Span, names: frozenset[str]) -> Told:
    """LiteLLM's raw spans are a copy in Python's repr."""
    if span.name != "raw_gen_ai_request":
        for name, dialect, role in _ANCIENT:
            if name in names:
                return dialect, role
    return OTEL, "ignored"


RECOGNITION = Recognition(
    marks=frozenset(
        {"gen_ai.operation.name", "traceloop.span.kind", "llm.request.type", *(name for name, _, _ in _ANCIENT)}
    ),
    teller=_teller,
)


def _of_database(span: Span, _names: frozenset[str]) -> Told:
    """Recognise a vector database's query by the rows that it found (OpenLLMetry)."""
    found = any(event.name in ("db.query.result", "db.search.result") for event in span.events)
    return OTEL, "retrieval" if found else "ignored"


DATABASES = Recognition(marks=frozenset({"db.system", "db.system.name"}), teller=lambda _names: Teller(_of_database))
