"""OTel GenAI spans, and those of packages that follow it: OpenLIT, Strands, pydantic-ai, Logfire, LiteLLM, MAF, ADK.

Read from semantic-conventions 1.26 (content events), 1.28-1.36 (an event per message), 1.37-1.41 (message attributes
and the details event) and semantic-conventions-genai (unreleased).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..model.trace import Document, Event, LogRecord, ToolDefinition
from .embedded import parsed
from .loose import asked, document, replied, requested, said, tool_definitions
from .loose import documents as read_documents
from .messages import Message, content_parts, is_message, message, messages
from .node import UNASKED, Dialect, Fields, Format, Node, UsageFields
from .schemas import json_schema
from .toolcalls import result_text

FIELDS = Fields(
    request_model=("gen_ai.request.model", "model_name"),
    response_model=("gen_ai.response.model",),
    response_id=("gen_ai.response.id",),
)
USAGE = UsageFields(
    input_tokens=("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    output_tokens=("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
)
_DETAILS = "gen_ai.client.inference.operation.details"
_CHOICE = "gen_ai.choice"
_EVENT_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_TRANSCRIPTS = ("pydantic_ai.all_messages", "all_messages_events", "events")
_TOOLS = ("gen_ai.tool.definitions", "model_request_parameters#function_tools")
_SCHEMAS = ("gen_ai.request.structured_output_schema", "model_request_parameters#output_object.json_schema")
_FORMATS = ("gen_ai.openai.request.response_format", "openai.request.response_format", "gen_ai.output.type")
_ASKED = _SCHEMAS + _FORMATS
_REQUESTS = (
    "request_data",
    "gcp.vertex.agent.llm_request",
    "mastra.agent_run.input",
    "mastra.model_step.input",
    "mastra.workflow_run.input",
)
_RESPONSES = (
    "response_data",
    "gcp.vertex.agent.llm_response",
    "mastra.agent_run.output",
    "mastra.model_step.output",
    "mastra.workflow_run.output",
)
"""Forms of their own: Logfire's default (version 1), Google ADK 1.x, Mastra."""
_TURN = re.compile(r"^(system|developer|user|assistant|tool): ", re.MULTILINE)
_PLACEHOLDER = "Function called with tools"


def inputs(node: Node) -> list[Message] | None:
    """Read what the model was given, from the first place that holds it."""
    found = messages(_content(node, "gen_ai.input.messages"), "user")
    if found is None:
        found = (
            _from_events(node, choice=False)
            or _prompt(_event_attribute(node, "gen_ai.content.prompt", "gen_ai.prompt") or node.get("gen_ai.prompt"))
            or _transcript(node, choice=False)
            or asked(node.pick_parsed(_REQUESTS))
        )
    system = _content(node, "gen_ai.system_instructions")
    return found if system is None else [_instructions(system), *(found or ())]


def outputs(node: Node) -> list[Message] | None:
    """Read what the model answered, from the first place that holds it."""
    found = messages(_content(node, "gen_ai.output.messages"), "assistant")
    if found is not None and not any(item.speaks() for item in found):
        return _flattened_calls(node) or found
    if found is None:
        found = (
            _from_events(node, choice=True)
            or _completion(_event_attribute(node, "gen_ai.content.completion", "gen_ai.completion"))
            or _completion(node.get("gen_ai.completion"))
            or _transcript(node, choice=True)
            or replied(node.pick_parsed(_RESPONSES))
        )
    if found is None and (result := node.get("final_result")) is not None:
        found = [Message("assistant", result if type(result) is str else result_text(result))]
    return found


def _flattened_calls(node: Node) -> list[Message] | None:
    """Read what LiteLLM tells of a reply without text: its calls, flattened, and nowhere else."""
    found = [message(item, "assistant") for item in node.flattened("gen_ai.completion.")]
    return found if any(item.speaks() for item in found) else None


def _content(node: Node, name: str) -> Any:
    """Return an attribute of the span, else of its details event (a log record or a span event)."""
    value = node.attributes.get(name)
    if value is not None and value != "":
        return value
    return _detail(node, name) if node.logs or node.span.events else None


def _detail(node: Node, name: str) -> Any:
    for record in node.logs:
        if event_name(record) == _DETAILS and record.attributes.get(name):
            return record.attributes[name]
    for event in node.span.events:
        if event.name == _DETAILS and (value := event.attributes.get(name)):
            return value
    return None


def _instructions(value: Any) -> Message:
    out = message({"role": "system", "parts": parts}, "system") if type(parts := parsed(value)) is list else None
    return out or Message("system", value if type(value) is str else None)


def event_name(record: LogRecord) -> str:
    """Return an event's name: a field of the record, or an attribute (SDKs up to 1.38)."""
    return record.event_name or str(record.attributes.get("event.name") or "")


def _events(node: Node) -> Iterator[tuple[str, Any, bool]]:
    """Yield (name, body, whether text may be JSON) of the node's message events."""
    for record in node.logs:
        yield event_name(record), record.body, False
    for event in node.span.events:
        yield event.name, event.attributes, True


def _from_events(node: Node, *, choice: bool) -> list[Message] | None:
    found = [
        read for name, body, loose in _events(node) if (read := _event_message(name, body, choice=choice, loose=loose))
    ]
    return found or None


def _event_message(name: str, body: Any, *, choice: bool, loose: bool) -> Message | None:
    if choice:
        return _choice(body, loose=loose) if name == _CHOICE else None
    role = _EVENT_ROLES.get(name)
    if role is None:
        return None
    body = parsed(body)
    if not isinstance(body, Mapping):
        return Message(role, body if type(body) is str else None)
    content = body.get("content")
    value = {"role": role, "content": content_parts(content) if loose else content}
    if body.get("tool_calls"):
        value["tool_calls"] = body["tool_calls"]
    return message(value, role)


def _choice(body: Any, *, loose: bool) -> Message:
    body = parsed(body)
    if not isinstance(body, Mapping):
        return Message("assistant", body if type(body) is str else None)
    inner = body.get("message")
    if inner is None and ("content" in body or "tool_calls" in body):  # LiveKit's
        inner = {"role": "assistant", "content": content_parts(body.get("content")) if loose else body.get("content")}
    if loose and type(inner) is str:
        inner = whole if is_message(whole := parsed(inner)) else content_parts(inner)
    if type(inner) is dict:
        out = message(inner, "assistant")
    else:
        out = message({"role": "assistant", "content": inner}, "assistant")
    if not out.tool_calls and type(calls := body.get("tool_calls")) is list:
        out.tool_calls = message({"tool_calls": calls}, "assistant").tool_calls
    out.finish_reason = body.get("finish_reason") or out.finish_reason
    return out


def _event_attribute(node: Node, event_name: str, name: str) -> Any:
    for event in node.span.events:
        if event.name == event_name and name in event.attributes:
            return event.attributes.get(name)
    return None


def _prompt(value: Any) -> list[Message] | None:
    """Read the prompt of 1.26: messages as JSON, or lines that start with a role."""
    if type(value) is not str or type(parsed(value)) in (list, dict):
        return messages(value, "user")
    pieces = _TURN.split(value)
    turns = [Message(role, text.rstrip("\n")) for role, text in zip(pieces[1::2], pieces[2::2], strict=True)]
    return turns or messages(value, "user")


def _completion(value: Any) -> list[Message] | None:
    """Read the completion of 1.26; a tool call is only hinted at, an answer without text is Python's None."""
    if value == _PLACEHOLDER:
        return [Message("assistant", finish_reason="tool_calls")]
    return [Message("assistant")] if value == "None" else said(value, parsed(value))


def _transcript(node: Node, *, choice: bool) -> list[Message] | None:
    """Read the whole conversation that pydantic-ai keeps as one JSON list."""
    name = next((name for name in _TRANSCRIPTS if name in node.names), None)
    items = node.parsed(name) if name else None
    if type(items) is not list:
        return None
    found = [_transcript_item(item) for item in items if type(item) is dict]
    ends = len(found) if not found or found[-1].role != "assistant" else len(found) - 1
    return (found[ends:] if choice else found[:ends]) or None


def _transcript_item(item: dict[str, Any]) -> Message:
    is_choice = item.get("event.name") == _CHOICE or ("message" in item and "role" not in item)
    return _choice(item, loose=False) if is_choice else message(item, "user")


def documents(node: Node) -> list[Document]:
    """Read the documents of a retrieval span, or those that a team put on its generation span, or a database's rows."""
    if value := node.attributes.get("gen_ai.retrieval.documents"):
        return read_documents(value)
    return [found for event in node.span.events if (found := _row(event))]


def _row(event: Event) -> Document | None:
    """Read a row that a vector database found (OpenLLMetry)."""
    if event.name not in ("db.query.result", "db.search.result"):
        return None
    row = {name.removeprefix(f"{event.name}."): value for name, value in event.attributes.items()}
    return document({**row, "text": row.get("document") or row.get("entity"), "document": None})


def query(node: Node) -> str | None:
    """Return what was searched for."""
    value = node.get("gen_ai.retrieval.query.text")
    return value if type(value) is str else None


def tools(node: Node) -> list[ToolDefinition]:
    """Read the tools that the model was offered; ADK sends their parameters in the details event alone."""
    has_events = node.logs or node.span.events
    if not has_events and not node.shape[_TOOLS]:
        return []
    value = node.pick(_TOOLS)
    found = tool_definitions(value) if value is not None else []
    if has_events and not any(tool.parameters for tool in found):
        return tool_definitions(_detail(node, "gen_ai.tool.definitions")) or found
    return found


def format_of(node: Node) -> Format:
    """Read whether JSON was requested: by type, by the provider's response format, or by a schema."""
    if not node.shape[_ASKED]:
        request = node.pick_parsed(_REQUESTS) if node.shape[_REQUESTS] else None
        return (requested(request) if request is not None else None) or UNASKED
    value = json_schema(found) if (found := node.pick(_SCHEMAS)) is not None else None
    wanted = node.pick(_FORMATS)
    return Format(value is not None or (type(wanted) is str and wanted.startswith("json")), value)


def tool_results(node: Node) -> Sequence[str]:
    """Return what a tool span returned in its events (Strands) rather than in an attribute."""
    texts: list[str] = []
    for item in outputs(node) or ():
        texts.extend(item.results or ([item.text] if item.text else ()))
    return texts


DIALECT = Dialect(
    name="otel",
    fields=FIELDS,
    provider=("gen_ai.provider.name", "gen_ai.system"),
    finish=(
        "gen_ai.response.finish_reasons",
        "gen_ai.response.finish_reason",
        "gcp.vertex.agent.llm_response#finish_reason",
    ),
    usage=USAGE,
    inputs=inputs,
    outputs=outputs,
    format=format_of,
    documents=documents,
    query=query,
    tools=tools,
    tool_arguments=("gen_ai.tool.call.arguments", "tool_arguments"),
    tool_result=("gen_ai.tool.call.result", "tool_response"),
    results=tool_results,
)
