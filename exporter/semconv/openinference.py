"""OpenInference spans (openinference-semantic-conventions 0.1.42): flattened messages beside raw input and output."""

from typing import Any

from ..model.trace import Document, Span, ToolDefinition
from . import loose
from .embedded import inside, literal, parsed
from .messages import Message, message
from .node import CACHE_READ, CACHE_WRITE, Dialect, Fields, Format, Node, Role, UsageFields
from .recognition import Recognition, Teller, Told, by_kind, role_of

FIELDS = Fields(
    request_model=("llm.invocation_parameters#model", "gen_ai.request.model", "llm.request.model_name"),
    response_model=("llm.response.model_name", "llm.model_name", "gen_ai.response.model"),
    response_id=("gen_ai.response.id", "output.value#id"),
)
USAGE = UsageFields(
    input_tokens=("llm.token_count.prompt", "gen_ai.usage.input_tokens"),
    output_tokens=("llm.token_count.completion", "gen_ai.usage.output_tokens"),
    cache_read=("llm.token_count.prompt_details.cache_read", *CACHE_READ),
    cache_write=("llm.token_count.prompt_details.cache_write", *CACHE_WRITE),
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
    """Read the messages, the prompts of the completions API, the tasks of a crew, or the raw input."""
    found = _messages(node, "llm.input_messages.", "user")
    if found and not any(item.text or item.results for item in found if item.role != "system"):
        found = loose.asked(literal(node.get("llm.invocation_parameters"))) or found  # Guardrails: Python's repr
    if not found:
        prompts = node.flattened("llm.prompts.")
        found = [Message("user", text) for item in prompts if type(text := inside(item, "prompt.text")) is str]
    return found or _crew(node) or loose.asked(_parsed(node, "input.value"))


def _crew(node: Node) -> list[Message] | None:
    """Read what CrewAI was asked: the descriptions of its tasks, the last of which makes the answer.

    A description with placeholders is told filled in by the output, or by the inputs of the crew.
    """
    output, tasks = _parsed(node, "output.value"), _parsed(node, "crew_tasks")
    done = inside(output, "tasks_output")
    for items in (_parsed(node, "crew_inputs"), [output], done, tasks):
        if type(items) is dict and items:
            return loose.asked(items)
        last = items[-1] if type(items) is list and items else None
        if type(text := inside(last, "description")) is str and text:
            return [Message("user", text)]
    return None


def outputs(node: Node) -> list[Message] | None:
    """Read the messages, the choices of the completions API, or the raw output; a refusal is only in the last."""
    found = _messages(node, "llm.output_messages.", "assistant")
    if not found:
        choices = node.flattened("llm.choices.")
        found = [Message("assistant", text) for item in choices if type(text := inside(item, "completion.text")) is str]
    raw = _value(node, "output.value")
    if not found:
        data = _parsed(node, "output.value")
        found = (loose.said(raw, data) if node.role == "generation" else loose.replied(data)) or []
    elif type(raw) is str and raw[:1] == "{" and any(sign in raw for sign in _RAW):
        _complete(found, loose.replied(_parsed(node, "output.value")))
    if calls := node.flattened("message.tool_calls."):  # Google's function calls, at the span itself
        _add_calls(found, calls)
    return found or None


_RAW = (
    '"refusal"',
    '"object":"response"',
    '"object": "response"',
    '"finish_reason"',
    '"finishReason"',
    '"stop_reason"',
)
"""What a raw response holds that tells more than its messages."""


def _complete(found: list[Message], raw: list[Message] | None) -> None:
    """Add what only the raw response tells, to the message that speaks: a refusal, and how the call ended."""
    spoken = next((item for item in found if item.text), None) or next((m for m in found if m.speaks()), found[0])
    refusal = next((item.refusal for item in raw or () if item.refusal), None)
    if refusal and (not spoken.text or spoken.text == refusal):
        spoken.text, spoken.refusal = None, refusal
    if raw and spoken.finish_reason is None:
        spoken.finish_reason = raw[-1].finish_reason


def _add_calls(found: list[Message], calls: list[dict[str, Any]]) -> None:
    if not any(item.tool_calls for item in found):
        made = message({"role": "assistant", "tool_calls": [item.get("tool_call") for item in calls]}, "assistant")
        if found:
            found[0].tool_calls = made.tool_calls
        else:
            found.append(made)


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


def passed(node: Node) -> list[Document]:
    """Read the documents that a chain was called with, in a field of their own."""
    data = _parsed(node, "input.value")
    for name in ("context", "documents", "docs", "passages"):
        value = inside(data, name)
        if loose.holds_documents(value) or (type(value) is list and value and all(type(item) is str for item in value)):
            return loose.documents(value)
    return []


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
        if (wanted := loose.requested(_parsed(node, name))) is not None:
            return wanted
    return Format(json=node.get("gen_ai.output.type") == "json")


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
    passed=passed,
    query=query,
    reranks=lambda node: node.get("openinference.span.kind") == "RERANKER",
    tools=tools,
    tool_name=("tool.name",),
    tool_arguments=("input.value",),
    tool_id=("tool_call.id", "tool.id"),
    tool_result=("output.value",),
)


_KIND = "openinference.span.kind"
_ROLES: dict[str, Role] = {
    "LLM": "generation",
    "RETRIEVER": "retrieval",
    "RERANKER": "retrieval",
    "TOOL": "tool",
    "AGENT": "chain",
    "CHAIN": "chain",
}
_SIGNS = ("llm.input_messages.", "llm.output_messages.", "llm.model_name", "llm.token_count.")
"""How the names of attributes begin that only model calls carry."""
_NO_CALLS = ("EVALUATOR", "EMBEDDING")


def _teller(names: frozenset[str]) -> Teller:
    if not any(name.startswith(_SIGNS) for name in names):
        return _BY_KIND.teller(names)
    return Teller(_told_by_signs)


def _told_by_signs(span: Span, _names: frozenset[str]) -> Told:
    """A span with the signs of a model call is likely to be one, although it calls itself a chain, or nothing known."""
    kind = span.attributes[_KIND]
    role = role_of(kind, _ROLES)
    is_no_call = type(kind) is str and kind.upper() in _NO_CALLS
    return DIALECT, "likely" if role in ("chain", "ignored") and not is_no_call else role


_BY_KIND = by_kind(_KIND, DIALECT, _ROLES)
RECOGNITION = Recognition(marks=_BY_KIND.marks, teller=_teller)
