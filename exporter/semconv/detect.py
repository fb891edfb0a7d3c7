"""Which dialect a span speaks, and what the span is: decided by a few look-ups, never by name or kind alone.

Read from: OpenInference 0.1.42, Langfuse 3-5, MLflow 3.17, LangSmith 0.15, AI SDK 4-7, Traceloop 0.47-0.62,
OTel semantic-conventions 1.22-1.41 and semantic-conventions-genai (``CONVENTIONS`` §1.0 and §1.1).
"""

from collections.abc import Mapping
from typing import Any

from ..trace import Span
from .node import Node, Role

OTEL = "otel"
OPENINFERENCE = "openinference"
LANGFUSE = "langfuse"
MLFLOW = "mlflow"
LANGSMITH = "langsmith"
VERCEL = "vercel"
TRACELOOP = "traceloop"

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
_ANCIENT: tuple[tuple[str, str, Role], ...] = (
    ("gen_ai.retrieval.documents", OTEL, "retrieval"),
    ("gen_ai.prompt.0.role", TRACELOOP, "generation"),
    ("gen_ai.tool.name", OTEL, "tool"),
    ("gen_ai.request.model", OTEL, "generation"),
    ("gen_ai.output.messages", OTEL, "generation"),
    ("all_messages_events", OTEL, "chain"),
    ("pydantic_ai.all_messages", OTEL, "chain"),
)
"""Tell-tales of spans that name no operation: older packages, and retrievers made by hand."""


def classify(span: Span) -> Node | None:
    """Return the span as a node of its dialect; None where it has nothing to do with language models."""
    get = span.attributes.get
    if (kind := get("openinference.span.kind")) is not None:
        return _node(span, OPENINFERENCE, _OPENINFERENCE, kind.upper() if type(kind) is str else None)
    if (kind := get("langfuse.observation.type")) is not None:
        return _node(span, LANGFUSE, _LANGFUSE, kind)
    if (kind := get("mlflow.spanType")) is not None:
        return _node(span, MLFLOW, _MLFLOW, kind.strip('"').upper() if type(kind) is str else None)
    if (kind := get("langsmith.span.kind")) is not None:
        return _node(span, LANGSMITH, _LANGSMITH, kind)
    if (kind := get("ai.operationId")) is not None:
        return Node(span, VERCEL, _vercel_role(kind))
    return _genai(span, span.attributes)


def _node(span: Span, dialect: str, roles: Mapping[str, Role], kind: Any) -> Node:
    return Node(span, dialect, roles.get(kind, "ignored") if type(kind) is str else "ignored")


def _vercel_role(operation: Any) -> Role:
    if operation in _VERCEL_CHAINS:
        return "chain"
    if operation == "ai.toolCall":
        return "tool"
    ends = type(operation) is str and operation.endswith((".doGenerate", ".doStream"))
    return "generation" if ends else "ignored"


def _genai(span: Span, attributes: Mapping[str, Any]) -> Node | None:
    """Recognise OTel GenAI and Traceloop, which share names; an operation of their own is looked at last."""
    get = attributes.get
    operation = get("gen_ai.operation.name")
    role = _OPERATIONS.get(operation) if type(operation) is str else None
    if role is not None:
        if get("logfire.span_type") == "pending_span":
            return Node(span, OTEL, "ignored")
        return Node(span, _family(attributes, role), role)
    if type(kind := get("traceloop.span.kind")) is str:
        return Node(span, TRACELOOP, _traceloop_role(kind, get("traceloop.entity.name")))
    if type(kind := get("llm.request.type")) is str:
        return Node(span, TRACELOOP, _REQUESTS.get(kind, "ignored"))
    if type(operation) is str and operation:
        return Node(span, OTEL, "ignored")
    return _ancient(span, attributes)


def _family(attributes: Mapping[str, Any], role: Role) -> str:
    if role == "generation":
        return TRACELOOP if "gen_ai.prompt.0.role" in attributes else OTEL
    return TRACELOOP if "traceloop.span.kind" in attributes or "traceloop.entity.output" in attributes else OTEL


def _traceloop_role(kind: str, entity: Any) -> Role:
    if kind == "task" and type(entity) is str and "retriev" in entity.lower():
        return "retrieval"
    return _TRACELOOP.get(kind, "ignored")


def _ancient(span: Span, attributes: Mapping[str, Any]) -> Node | None:
    for name, dialect, role in _ANCIENT:
        if name in attributes:
            ignored = span.name == "raw_gen_ai_request"
            return Node(span, dialect, "ignored" if ignored else role)
    return None
