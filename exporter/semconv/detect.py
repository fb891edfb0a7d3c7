"""Which dialect a span speaks, and what the span is: decided by a few look-ups, never by name or kind alone.

Read from: OpenInference 0.1.42, Langfuse 3-5, MLflow 3.17, LangSmith 0.15, AI SDK 4-7, Traceloop 0.47-0.62,
OTel semantic-conventions 1.22-1.41 and semantic-conventions-genai (``CONVENTIONS`` §1.0 and §1.1).
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from msgspec import Struct

from ..model.trace import Span
from . import haystack, langfuse, langsmith, mlflow, openinference, otel, traceloop, vercel
from .node import Dialect, Node, Role
from .shape import Met, shape_of

_Told = tuple[Dialect, Role]


class _Teller(Struct, frozen=True):
    """How to tell what a span is: by the usual values of one of its attributes, or by whatever else it takes."""

    otherwise: Callable[[Span, frozenset[str]], _Told]
    mark: str = ""
    known: Mapping[str, _Told] = {}


OTEL = otel.DIALECT
OPENINFERENCE = openinference.DIALECT
LANGFUSE = langfuse.DIALECT
MLFLOW = mlflow.DIALECT
LANGSMITH = langsmith.DIALECT
VERCEL = vercel.DIALECT
TRACELOOP = traceloop.DIALECT
_HAYSTACK = frozenset(haystack.MARKS + haystack.CHAINS)

_NOT_CALLS = re.compile(
    r"embed|moderat|transcri|speech|rerank|(?:image|video|audio)_?generat|tokeni|count_tokens|memory|fetch|model_chunk"
    r"|model_step|model_generation|evaluat|batch|^(?:list|upload|delete|get|create|update)_"
)
"""Operations that answer nobody, whatever they carry."""
_CALL_MARKS = frozenset({"gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.prompt", "gen_ai.completion"})
_CALL_SIGNS = frozenset({"gen_ai.request.model", "gen_ai.response.model", "gen_ai.usage.output_tokens"})
_LLM_SIGNS = ("llm.input_messages.", "llm.output_messages.", "llm.model_name", "llm.token_count.")
_OPENINFERENCE: dict[str, Role] = {
    "LLM": "generation",
    "RETRIEVER": "retrieval",
    "RERANKER": "retrieval",
    "TOOL": "tool",
    "AGENT": "chain",
    "CHAIN": "chain",
}
_LANGFUSE: dict[str, Role] = {
    "generation": "generation",
    "retriever": "retrieval",
    "tool": "tool",
    "span": "chain",
    "agent": "chain",
    "chain": "chain",
}
_MLFLOW: dict[str, Role] = {
    "LLM": "generation",
    "CHAT_MODEL": "generation",
    "RETRIEVER": "retrieval",
    "RERANKER": "retrieval",
    "TOOL": "tool",
    "AGENT": "chain",
    "CHAIN": "chain",
    "WORKFLOW": "chain",
    "UNKNOWN": "chain",
}
_LANGSMITH: dict[str, Role] = {"llm": "generation", "retriever": "retrieval", "tool": "tool", "chain": "chain"}
_PRODUCTS: tuple[tuple[str, Dialect, Mapping[str, Role]], ...] = (
    ("openinference.span.kind", OPENINFERENCE, _OPENINFERENCE),
    ("langfuse.observation.type", LANGFUSE, _LANGFUSE),
    ("mlflow.spanType", MLFLOW, _MLFLOW),
    ("langsmith.span.kind", LANGSMITH, _LANGSMITH),
)
_VERCEL_CHAINS = frozenset({"ai.generateText", "ai.streamText", "ai.generateObject", "ai.streamObject"})
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


_MARKS = frozenset(
    {
        "openinference.span.kind",
        "langfuse.observation.type",
        "mlflow.spanType",
        "langsmith.span.kind",
        "ai.operationId",
        "gen_ai.operation.name",
        "traceloop.span.kind",
        "llm.request.type",
        *(name for name, _, _ in _ANCIENT),
    }
)


def classify(span: Span) -> Node | None:
    """Return the span as a node of its dialect; None where it has nothing to do with language models."""
    attributes = span.attributes
    shape = shape_of(attributes)
    names = shape.names
    teller = _tellers[names]
    if teller is None:
        return None
    value = attributes[teller.mark] if teller.known else None
    told = teller.known.get(value) if type(value) is str else None
    dialect, role = teller.otherwise(span, names) if told is None else told
    return Node(attributes, shape, names, span=span, dialect=dialect, role=role)


def _teller(names: frozenset[str]) -> _Teller | None:
    """Choose how to tell what spans with such names are: first the dialects that mark every span of theirs."""
    if not _HAYSTACK.isdisjoint(names):
        return _Teller(lambda span, names: (haystack.DIALECT, haystack.role(span, names)))
    if names.isdisjoint(_MARKS):
        return _Teller(_database) if "db.system" in names or "db.system.name" in names else None
    for mark, dialect, roles in _PRODUCTS:
        if mark in names:
            if dialect is OPENINFERENCE and any(name.startswith(_LLM_SIGNS) for name in names):
                return _Teller(partial(_product, mark, dialect, roles))
            known = {kind: (dialect, role) for kind, role in roles.items()}
            return _Teller(partial(_product, mark, dialect, roles), mark, known)
    if "ai.operationId" in names:
        return _Teller(_vercel)
    if "gen_ai.operation.name" in names and "logfire.span_type" not in names:
        known = {operation: (_speaker(names, role), role) for operation, role in _OPERATIONS.items()}
        return _Teller(_genai, "gen_ai.operation.name", known)
    return _Teller(_genai)


_tellers: Met[frozenset[str], _Teller | None] = Met(_teller)


def _database(span: Span, _names: frozenset[str]) -> _Told:
    """Recognise a vector database's query by the rows that it found (OpenLLMetry)."""
    found = any(event.name in ("db.query.result", "db.search.result") for event in span.events)
    return OTEL, "retrieval" if found else "ignored"


def _product(mark: str, dialect: Dialect, roles: Mapping[str, Role], span: Span, names: frozenset[str]) -> _Told:
    kind = span.attributes[mark]
    role = roles.get(_named(kind, roles), "ignored") if type(kind) is str else "ignored"
    if dialect is OPENINFERENCE and role != "generation" and _may_be_a_call(kind, role, names):
        return dialect, "likely"
    return dialect, role


def _named(kind: str, roles: Mapping[str, Role]) -> str:
    """Return a kind as the table has it: hand-written plug-ins write it in any case."""
    kind = kind.strip('"')
    if kind in roles:
        return kind
    return kind.upper() if kind.upper() in roles else kind.lower()


def _may_be_a_call(kind: Any, role: Role, names: frozenset[str]) -> bool:
    if role not in ("chain", "ignored") or (type(kind) is str and kind.upper() in ("EVALUATOR", "EMBEDDING")):
        return False
    return any(name.startswith(_LLM_SIGNS) for name in names)


def _vercel(span: Span, _names: frozenset[str]) -> _Told:
    operation = span.attributes["ai.operationId"]
    if type(operation) is not str:
        return VERCEL, "ignored"
    if operation in _VERCEL_CHAINS:
        return VERCEL, "chain"
    if operation == "ai.toolCall":
        return VERCEL, "tool"
    return VERCEL, "generation" if operation.endswith((".doGenerate", ".doStream")) else "ignored"


def _genai(span: Span, names: frozenset[str]) -> _Told:
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


def _ancient(span: Span, names: frozenset[str]) -> _Told:
    """LiteLLM's raw spans are a copy in Python's repr."""
    if span.name != "raw_gen_ai_request":
        for name, dialect, role in _ANCIENT:
            if name in names:
                return dialect, role
    return OTEL, "ignored"
