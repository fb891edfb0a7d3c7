"""LangSmith's OTel export (0.15): the run's inputs and outputs as JSON in two attributes."""

from ..model.trace import Document, ToolDefinition
from . import loose
from .embedded import inside
from .messages import Message
from .node import Dialect, Fields, Format, Node, Role, Usage
from .recognition import by_kind

FIELDS = Fields(
    request_model=("gen_ai.request.model", "langsmith.metadata.ls_model_name"),
    response_model=("gen_ai.response.model", "gen_ai.completion#model"),
    response_id=("gen_ai.response.id", "gen_ai.completion#id"),
)
USAGE = Usage(
    input_tokens=("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    output_tokens=("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
)


def inputs(node: Node) -> list[Message] | None:
    """Read a run's inputs."""
    return loose.asked(node.parsed("gen_ai.prompt"))


def outputs(node: Node) -> list[Message] | None:
    """Read a run's outputs, for a model call in the provider's own form."""
    return loose.replied(node.parsed("gen_ai.completion"))


def documents(node: Node) -> list[Document]:
    """Read what a retriever gave back."""
    return loose.documents(node.get("gen_ai.completion"))


def query(node: Node) -> str | None:
    """Return what was searched for."""
    asked = inputs(node)
    return asked[-1].text if asked else None


def tools(node: Node) -> list[ToolDefinition]:
    """Read the tools that the model was offered."""
    value = node.pick(("gen_ai.tool.definitions", "gen_ai.prompt#tools"))
    return loose.tool_definitions(value) if value is not None else []


def format_of(node: Node) -> Format:
    """Read the response format of the request."""
    asked = inside(node.parsed("gen_ai.prompt"), "response_format")
    return Format() if asked is None else loose.response_format(asked)


DIALECT = Dialect(
    name="langsmith",
    fields=FIELDS,
    provider=("gen_ai.provider.name", "gen_ai.system", "langsmith.metadata.ls_provider"),
    finish=("gen_ai.response.finish_reasons",),
    usage=USAGE,
    inputs=inputs,
    outputs=outputs,
    format=format_of,
    documents=documents,
    query=query,
    tools=tools,
    tool_name=("gen_ai.tool.name", "langsmith.trace.name"),
    tool_arguments=("gen_ai.prompt",),
    tool_result=("gen_ai.completion",),
)


_ROLES: dict[str, Role] = {"llm": "generation", "retriever": "retrieval", "tool": "tool", "chain": "chain"}
RECOGNITION = by_kind("langsmith.span.kind", DIALECT, _ROLES)
