"""Vercel AI SDK spans up to version 6, and version 7's LegacyOpenTelemetry; version 7 itself speaks OTel GenAI."""

from ..model.trace import Span, ToolDefinition
from . import loose
from .embedded import label, parsed
from .messages import Message, messages
from .node import Dialect, Fields, Format, Node, UsageFields
from .recognition import Recognition, Teller, Told
from .schemas import json_schema

FIELDS = Fields(
    request_model=("gen_ai.request.model", "ai.model.id"),
    response_model=("gen_ai.response.model", "ai.response.model"),
    response_id=("gen_ai.response.id", "ai.response.id"),
)
USAGE = UsageFields(
    input_tokens=("ai.usage.inputTokens", "ai.usage.promptTokens", "gen_ai.usage.input_tokens"),
    output_tokens=("ai.usage.outputTokens", "ai.usage.completionTokens", "gen_ai.usage.output_tokens"),
)


def inputs(node: Node) -> list[Message] | None:
    """Read the messages of a model call, or the prompt of the root."""
    found = messages(node.get("ai.prompt.messages"), "user")
    return loose.asked(node.parsed("ai.prompt")) if found is None else found


def outputs(node: Node) -> list[Message] | None:
    """Read the text, the object (in version 6 it is the model's text as it was) and the tool calls."""
    text = node.pick(("ai.response.text", "ai.response.object", "ai.result.text", "ai.result.object"))
    calls = parsed(node.pick(("ai.response.toolCalls", "ai.result.toolCalls")))
    if text is None and type(calls) is not list:
        # An empty text is left out; that inputs are recorded says that outputs are, too.
        is_empty = "ai.response.finishReason" in node.names and "ai.prompt.messages" in node.names
        return [Message("assistant", "")] if is_empty else None
    return messages([{"role": "assistant", "content": text if type(text) is str else None, "tool_calls": calls}], "")


def tools(node: Node) -> list[ToolDefinition]:
    """Read the tools that the model was offered."""
    return loose.tool_definitions(node.get("ai.prompt.tools"))


def format_of(node: Node) -> Format:
    """Read whether an object was asked for; the schema is on the root alone."""
    wanted = json_schema(node.get("ai.schema"))
    operation = label(node.get("ai.operationId")) or ""
    return Format(
        wanted is not None or "generateObject" in operation or node.get("ai.settings.output") == "object", wanted
    )


DIALECT = Dialect(
    name="vercel",
    fields=FIELDS,
    provider=("ai.model.provider", "gen_ai.system"),
    finish=("ai.response.finishReason", "gen_ai.response.finish_reasons", "ai.finishReason"),
    usage=USAGE,
    inputs=inputs,
    outputs=outputs,
    format=format_of,
    tools=tools,
    tool_name=("ai.toolCall.name",),
    tool_arguments=("ai.toolCall.args",),
    tool_id=("ai.toolCall.id",),
    tool_result=("ai.toolCall.result",),
)


_CHAINS = frozenset({"ai.generateText", "ai.streamText", "ai.generateObject", "ai.streamObject"})


def _told(span: Span, _names: frozenset[str]) -> Told:
    operation = span.attributes["ai.operationId"]
    if type(operation) is not str:
        return DIALECT, "ignored"
    if operation in _CHAINS:
        return DIALECT, "chain"
    if operation == "ai.toolCall":
        return DIALECT, "tool"
    return DIALECT, "generation" if operation.endswith((".doGenerate", ".doStream")) else "ignored"


RECOGNITION = Recognition(marks=frozenset({"ai.operationId"}), teller=lambda _names: Teller(_told))
