"""MLflow spans (3.17): every attribute value is JSON, also the plain strings."""

from ..model.trace import Document, ToolDefinition
from . import loose
from .embedded import inside
from .messages import Message
from .node import Dialect, Fields, Format, Node, Role, Usage
from .recognition import by_kind

FIELDS = Fields(
    request_model=("mlflow.llm.model", "mlflow.spanInputs#model", "gen_ai.request.model"),
    response_model=("mlflow.spanOutputs#model", "gen_ai.response.model"),
    response_id=("mlflow.spanOutputs#id", "gen_ai.response.id"),
)
USAGE = Usage(
    input_tokens=("mlflow.chat.tokenUsage#input_tokens", "gen_ai.usage.input_tokens"),
    output_tokens=("mlflow.chat.tokenUsage#output_tokens", "gen_ai.usage.output_tokens"),
)


def inputs(node: Node) -> list[Message] | None:
    """Read a span's inputs."""
    return loose.asked(node.parsed("mlflow.spanInputs"))


def outputs(node: Node) -> list[Message] | None:
    """Read a span's outputs; a model's text exactly as sent."""
    data = node.parsed("mlflow.spanOutputs")
    found = loose.replied(data)
    return found or loose.said(node.get("mlflow.spanOutputs"), data) if node.role == "generation" else found


def documents(node: Node) -> list[Document]:
    """Read what a retriever gave back."""
    return loose.documents(node.get("mlflow.spanOutputs"))


def query(node: Node) -> str | None:
    """Return what was searched for."""
    asked = inputs(node)
    return asked[-1].text if asked else None


def tools(node: Node) -> list[ToolDefinition]:
    """Read the tools that the model was offered."""
    value = node.pick(("mlflow.chat.tools", "mlflow.spanInputs#tools"))
    return loose.tool_definitions(value) if value is not None else []


def format_of(node: Node) -> Format:
    """Read the response format of the request."""
    asked = inside(node.parsed("mlflow.spanInputs"), "response_format")
    return Format() if asked is None else loose.response_format(asked)


DIALECT = Dialect(
    name="mlflow",
    fields=FIELDS,
    provider=("mlflow.llm.provider", "gen_ai.provider.name", "gen_ai.system"),
    finish=("gen_ai.response.finish_reasons",),
    usage=USAGE,
    inputs=inputs,
    outputs=outputs,
    format=format_of,
    documents=documents,
    query=query,
    tools=tools,
    tool_name=("mlflow.spanFunctionName", "mlflow.spanName"),
    tool_arguments=("mlflow.spanInputs",),
    tool_result=("mlflow.spanOutputs",),
)


_ROLES: dict[str, Role] = {
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
RECOGNITION = by_kind("mlflow.spanType", DIALECT, _ROLES)
