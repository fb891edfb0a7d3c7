"""OpenInference spans (openinference-semantic-conventions 0.1.42): flattened messages beside raw input and output."""

from typing import Any

from ..trace import Document, ToolDefinition
from . import loose
from .embedded import inside, parsed
from .messages import Message, message
from .node import Dialect, Fields, Format, Node, Usage

FIELDS = Fields(
    request_model=("llm.invocation_parameters#model", "gen_ai.request.model", "llm.request.model_name"),
    response_model=("llm.response.model_name", "llm.model_name", "gen_ai.response.model"),
    response_id=("gen_ai.response.id", "output.value#id"),
)
USAGE = Usage(
    input_tokens=("llm.token_count.prompt", "gen_ai.usage.input_tokens"),
    output_tokens=("llm.token_count.completion", "gen_ai.usage.output_tokens"),
)
_REDACTED = "__REDACTED__"
_DOCUMENTS = (
    ("reranker.output_documents.", "document"),
    ("retrieval.documents.", "document"),
    ("reranker.input_documents.", "document"),
    ("input.documents.", "document"),
)


def _value(node: Node, name: str) -> Any:
    value = node.get(name)
    return None if value == _REDACTED else value


def _parsed(node: Node, name: str) -> Any:
    value = node.parsed(name)
    return None if value == _REDACTED else value


def _messages(node: Node, prefix: str, role: str) -> list[Message]:
    items = node.flattened(prefix)
    return [_message(item["message"], role) for item in items if type(item.get("message")) is dict]


def _message(value: dict[str, Any], role: str) -> Message:
    contents = value.get("contents")
    parts = [item.get("message_content") for item in contents if type(item) is dict] if type(contents) is list else None
    calls = value.get("tool_calls")
    flat = {
        "role": value.get("role"),
        "content": parts if value.get("content") is None else value["content"],
        "tool_calls": [item.get("tool_call") for item in calls if type(item) is dict] if type(calls) is list else None,
    }
    out = message(flat, role)
    for field in ("text", "refusal"):
        if getattr(out, field) == _REDACTED:
            setattr(out, field, None)
    return out


def inputs(node: Node) -> list[Message] | None:
    """Read the messages, the prompts of the completions API, or the raw input."""
    found = _messages(node, "llm.input_messages.", "user")
    if not found:
        prompts = node.flattened("llm.prompts.")
        found = [Message("user", text) for item in prompts if type(text := inside(item, "prompt.text")) is str]
    return found or loose.asked(_parsed(node, "input.value"))


def outputs(node: Node) -> list[Message] | None:
    """Read the messages, the choices of the completions API, or the raw output; a refusal is only in the last."""
    found = _messages(node, "llm.output_messages.", "assistant")
    if not found:
        choices = node.flattened("llm.choices.")
        found = [Message("assistant", text) for item in choices if type(text := inside(item, "completion.text")) is str]
    raw = _value(node, "output.value")
    if not found:
        data = _parsed(node, "output.value")
        return loose.said(raw, data) if node.role == "generation" else loose.replied(data)
    if type(raw) is str and ('"refusal"' in raw or '"object":"response"' in raw):
        _complete(found[0], loose.replied(_parsed(node, "output.value")))
    return found


def _complete(first: Message, raw: list[Message] | None) -> None:
    """Add what only the raw response tells: a refusal, and how a Responses call ended."""
    refusal = next((item.refusal for item in raw or () if item.refusal), None)
    if refusal and (not first.text or first.text == refusal):
        first.text, first.refusal = None, refusal
    if raw and first.finish_reason is None:
        first.finish_reason = raw[-1].finish_reason


def documents(node: Node) -> list[Document]:
    """Read what was retrieved, or what a reranker kept of it."""
    for prefix, key in _DOCUMENTS:
        items = node.flattened(prefix)
        found = [read for item in items if (read := loose.document(item.get(key))) and read.text != _REDACTED]
        if found:
            return found if any(read.id for read in found) else _identified(node, found)
    return []


def _identified(node: Node, found: list[Document]) -> list[Document]:
    """LangChain retrievers send ids only in the raw output."""
    raw = loose.documents(_value(node, "output.value"))
    return raw if [item.text for item in raw] == [item.text for item in found] else found


def query(node: Node) -> str | None:
    """Return what was searched for."""
    value = _value(node, "input.value") or node.get("reranker.query")
    return value if type(value) is str and value[0] not in "[{" else None


def tools(node: Node) -> list[ToolDefinition]:
    """Read the tools that the model was offered."""
    items = node.flattened("llm.tools.")
    found = [loose.tool_definition(parsed(inside(item, "tool.json_schema"))) for item in items]
    return [tool for tool in found if tool]


def format_of(node: Node) -> Format:
    """Read the response format of chat completions or of the Responses API."""
    for name in ("llm.invocation_parameters", "input.value"):
        value = _parsed(node, name)
        asked = inside(value, "response_format") or inside(value, "text.format")
        if asked is not None:
            return response_format(asked)
    return Format(json=node.get("gen_ai.output.type") == "json")


def response_format(asked: Any) -> Format:
    """Read a provider's response format: a name, ``{type, json_schema: {schema}}`` or ``{type, schema}``."""
    if type(asked) is not dict:
        return Format(json=type(asked) is str and asked != "text" and bool(asked))
    wanted = loose.first_schema((inside(asked, "json_schema.schema"), asked.get("schema")))
    return Format(wanted is not None or str(asked.get("type", "")).startswith("json"), wanted)


DIALECT = Dialect(
    name="openinference",
    fields=FIELDS,
    provider=("llm.provider", "llm.system", "gen_ai.provider.name"),
    finish=("llm.finish_reason", "gen_ai.response.finish_reasons"),
    usage=USAGE,
    inputs=inputs,
    outputs=outputs,
    format=format_of,
    documents=documents,
    query=query,
    reranks=lambda node: node.get("openinference.span.kind") == "RERANKER",
    tools=tools,
    tool_name=("tool.name",),
    tool_arguments=("input.value",),
    tool_id=("tool_call.id", "tool.id"),
    tool_result=("output.value",),
)
