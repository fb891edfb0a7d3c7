"""Which dialect a span speaks, and what the span is: decided by a few look-ups, never by name or kind alone.

Read from: OpenInference 0.1.42, Langfuse 3-5, MLflow 3.17, LangSmith 0.15, AI SDK 4-7, Traceloop 0.47-0.62,
OTel semantic-conventions 1.22-1.41 and semantic-conventions-genai (``CONVENTIONS`` §1.0 and §1.1).
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ..trace import Span
from . import langfuse, langsmith, mlflow, openinference, otel, traceloop, vercel
from .node import Dialect, Node, Role
from .shape import Met, shape_of

_Teller = Callable[[Span, frozenset[str]], tuple[Dialect, Role]]

OTEL = otel.DIALECT
OPENINFERENCE = openinference.DIALECT
LANGFUSE = langfuse.DIALECT
MLFLOW = mlflow.DIALECT
LANGSMITH = langsmith.DIALECT
VERCEL = vercel.DIALECT
TRACELOOP = traceloop.DIALECT

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
    shape = shape_of(span.attributes)
    tell = _tellers[shape.names]
    return None if tell is None else Node(span, shape, *tell(span, shape.names))


def _teller(names: frozenset[str]) -> _Teller | None:
    """Choose how to tell what spans with such names are: first the dialects that mark every span of theirs."""
    if names.isdisjoint(_MARKS):
        return None
    for mark, dialect, roles in _PRODUCTS:
        if mark in names:
            return partial(_product, mark, dialect, roles)
    return _vercel if "ai.operationId" in names else _genai


_tellers = Met(_teller)


def _product(
    mark: str, dialect: Dialect, roles: Mapping[str, Role], span: Span, _names: frozenset[str]
) -> tuple[Dialect, Role]:
    kind = span.attributes[mark]
    return dialect, roles.get(kind.strip('"'), "ignored") if type(kind) is str else "ignored"


def _vercel(span: Span, _names: frozenset[str]) -> tuple[Dialect, Role]:
    operation = span.attributes["ai.operationId"]
    if type(operation) is not str:
        return VERCEL, "ignored"
    if operation in _VERCEL_CHAINS:
        return VERCEL, "chain"
    if operation == "ai.toolCall":
        return VERCEL, "tool"
    return VERCEL, "generation" if operation.endswith((".doGenerate", ".doStream")) else "ignored"


def _genai(span: Span, names: frozenset[str]) -> tuple[Dialect, Role]:
    """Recognise OTel GenAI and Traceloop, which share names; an operation of their own is looked at last."""
    attributes = span.attributes
    operation = attributes["gen_ai.operation.name"] if "gen_ai.operation.name" in names else None
    role = _OPERATIONS.get(operation) if type(operation) is str else None
    if role is not None:
        return _operation(attributes, names, role)
    if "traceloop.span.kind" in names:
        return TRACELOOP, _traceloop_role(attributes["traceloop.span.kind"], attributes.get("traceloop.entity.name"))
    if "llm.request.type" in names:
        kind = attributes["llm.request.type"]
        return TRACELOOP, _REQUESTS.get(kind, "ignored") if type(kind) is str else "ignored"
    if operation:
        return OTEL, "ignored"
    return _ancient(span, names)


def _operation(attributes: Mapping[str, Any], names: frozenset[str], role: Role) -> tuple[Dialect, Role]:
    if "logfire.span_type" in names and attributes["logfire.span_type"] == "pending_span":
        return OTEL, "ignored"
    if role == "generation":
        return (TRACELOOP if "gen_ai.prompt.0.role" in names else OTEL), role
    return (TRACELOOP if "traceloop.span.kind" in names or "traceloop.entity.output" in names else OTEL), role


def _traceloop_role(kind: Any, entity: Any) -> Role:
    if kind == "task" and type(entity) is str and "retriev" in entity.lower():
        return "retrieval"
    return _TRACELOOP.get(kind, "ignored") if type(kind) is str else "ignored"


def _ancient(span: Span, names: frozenset[str]) -> tuple[Dialect, Role]:
    """LiteLLM's raw spans are a copy in Python's repr."""
    if span.name != "raw_gen_ai_request":
        for name, dialect, role in _ANCIENT:
            if name in names:
                return dialect, role
    return OTEL, "ignored"
