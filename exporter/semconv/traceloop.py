"""OpenLLMetry spans: flattened prompts (0.47), messages as OTel's (0.62), decorators and LangChain callbacks."""

from typing import Any

from ..model.trace import Document, ToolDefinition
from . import loose, otel
from .embedded import inside, parsed
from .messages import Message, content_parts, message
from .node import Dialect, Fields, Node, UsageFields

FIELDS = Fields(
    request_model=("gen_ai.request.model",),
    response_model=("gen_ai.response.model",),
    response_id=("gen_ai.response.id",),
)
USAGE = UsageFields(
    input_tokens=("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    output_tokens=("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
)


def _flattened(node: Node, prefix: str, role: str) -> list[Message] | None:
    items = node.flattened(prefix)
    return [message({**item, "content": _content(item)}, role) for item in items] or None


def _content(item: dict[str, Any]) -> Any:
    """Return the content; a filtered answer has the package's own word in its place."""
    filtered = item.get("finish_reason") == "content_filter" and item.get("content") == "FILTERED"
    return "" if filtered else content_parts(item.get("content"))


def _input(node: Node) -> Any:
    return _unwrapped(node.pick_parsed(("traceloop.entity.input", "gen_ai.task.input")), "inputs")


def _output(node: Node) -> Any:
    return _unwrapped(node.pick_parsed(("traceloop.entity.output", "gen_ai.task.output")), "outputs")


def _unwrapped(value: Any, name: str) -> Any:
    """Return a decorator's input or output without LangChain's wrapper."""
    return value[name] if type(value) is dict and "kwargs" in value and name in value else value


def inputs(node: Node) -> list[Message] | None:
    """Read messages, flattened prompts, or what a decorated function was called with."""
    if (found := _flattened(node, "gen_ai.prompt.", "user")) or (found := otel.inputs(node)):
        return found
    return loose.asked(parsed(_input(node)))


def outputs(node: Node) -> list[Message] | None:
    """Read messages, flattened completions, or what a decorated function returned."""
    if (found := _flattened(node, "gen_ai.completion.", "assistant")) or (found := otel.outputs(node)):
        return found
    return loose.replied(parsed(_output(node)))


def is_fragment(node: Node) -> bool:
    """Say so of a task, and of LangChain's steps: its package tells of every model call, in a trace of its own."""
    return bool(node.get("traceloop.span.kind") == "task" or node.get("gen_ai.provider.name") == "langchain")


def passed(node: Node) -> list[Document]:
    """Read the documents that a step was called with."""
    value = parsed(_input(node))
    value = value.get("input", value) if type(value) is dict else value
    return loose.documents(value) if loose.holds_documents(value) else []


def documents(node: Node) -> list[Document]:
    """Read what a retrieval task returned."""
    return otel.documents(node) or loose.documents(_output(node))


def query(node: Node) -> str | None:
    """Return what was searched for."""
    asked = loose.asked(parsed(_input(node)))
    return otel.query(node) or (asked[-1].text if asked else None)


def tools(node: Node) -> list[ToolDefinition]:
    """Read the tools that the model was offered."""
    items = node.flattened("llm.request.functions.")
    found = [loose.tool_definition({**item, "parameters": parsed(inside(item, "parameters"))}) for item in items]
    return [tool for tool in found if tool] or otel.tools(node)


DIALECT = Dialect(
    name="traceloop",
    fields=FIELDS,
    provider=("gen_ai.provider.name", "gen_ai.system"),
    finish=("gen_ai.response.finish_reasons",),
    usage=USAGE,
    inputs=inputs,
    outputs=outputs,
    format=otel.format_of,
    documents=documents,
    passed=passed,
    query=query,
    is_fragment=is_fragment,
    tools=tools,
    tool_name=("gen_ai.tool.name", "traceloop.entity.output#kwargs.name", "traceloop.entity.name"),
    tool_arguments=("gen_ai.tool.call.arguments", "traceloop.entity.input"),
    tool_result=("gen_ai.tool.call.result", "traceloop.entity.output"),
)
