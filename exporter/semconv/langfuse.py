"""Langfuse SDK spans (3.15 and 5.0): one input and one output attribute of any JSON, by observation type."""

from typing import Any

from ..model.trace import Document, ToolDefinition
from . import loose
from .embedded import inside
from .messages import Message
from .node import Dialect, Fields, Format, Node, Role, UsageFields
from .recognition import by_kind

FIELDS = Fields(
    request_model=("langfuse.observation.model.name", "gen_ai.request.model"),
    response_model=("langfuse.observation.model.name", "gen_ai.response.model"),
    response_id=("gen_ai.response.id", "langfuse.observation.output#id"),
)
USAGE = UsageFields(
    input_tokens=("langfuse.observation.usage_details#input", "langfuse.observation.usage_details#prompt_tokens"),
    output_tokens=("langfuse.observation.usage_details#output", "langfuse.observation.usage_details#completion_tokens"),
    details="langfuse.observation.usage_details",
)
_INPUT = ("langfuse.observation.input", "langfuse.trace.input")
_OUTPUT = ("langfuse.observation.output", "langfuse.trace.output")


def _value(node: Node, names: tuple[str, ...]) -> Any:
    """The trace-level copies of older SDKs stand on the root, so only a chain may fall back on them."""
    return node.pick(names if node.role == "chain" else names[:1])


def _parsed(node: Node, names: tuple[str, ...]) -> Any:
    return node.pick_parsed(names if node.role == "chain" else names[:1])


def inputs(node: Node) -> list[Message] | None:
    """Read what an observation was given."""
    return loose.asked(_parsed(node, _INPUT))


def outputs(node: Node) -> list[Message] | None:
    """Read what an observation gave back; a model's text exactly as sent."""
    data = _parsed(node, _OUTPUT)
    return loose.said(_value(node, _OUTPUT), data) if node.role == "generation" else loose.replied(data)


def documents(node: Node) -> list[Document]:
    """Read what a retriever gave back."""
    return loose.documents(node.get("langfuse.observation.output"))


def query(node: Node) -> str | None:
    """Return what was searched for."""
    asked = inputs(node)
    return asked[-1].text if asked else None


def tools(node: Node) -> list[ToolDefinition]:
    """Read the tools that the model was offered."""
    return loose.tool_definitions(inside(node.parsed("langfuse.observation.input"), "tools"))


def format_of(node: Node) -> Format:
    """Read the response format that the OpenAI wrapper notes."""
    asked = node.parsed("langfuse.observation.metadata.response_format")
    return Format() if asked is None else loose.response_format(asked)


DIALECT = Dialect(
    name="langfuse",
    fields=FIELDS,
    provider=("gen_ai.provider.name", "gen_ai.system"),
    finish=("langfuse.observation.metadata.finish_reason", "gen_ai.response.finish_reasons"),
    usage=USAGE,
    inputs=inputs,
    outputs=outputs,
    format=format_of,
    documents=documents,
    query=query,
    tools=tools,
    tool_name=("gen_ai.tool.name",),
    tool_arguments=("langfuse.observation.input",),
    tool_result=("langfuse.observation.output",),
)


_ROLES: dict[str, Role] = {
    "generation": "generation",
    "retriever": "retrieval",
    "tool": "tool",
    "span": "chain",
    "agent": "chain",
    "chain": "chain",
}
RECOGNITION = by_kind("langfuse.observation.type", DIALECT, _ROLES)
