"""Inputs and outputs without a schema (of chains, functions, raw provider calls) → messages and documents.

Knows the shapes that frameworks wrap text in, not the attributes that carry them.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from ..trace import Document, ToolDefinition
from .embedded import bounded, compact, inside, number, parsed
from .messages import Message, is_message, message, messages

_QUESTIONS = (
    "question",
    "query",
    "user_input",
    "user_query",
    "prompt",
    "input",
    "inputs",
    "message",
    "text",
    "content",
)
_ANSWERS = (
    "answer",
    "output",
    "response",
    "result",
    "final_result",
    "text",
    "content",
    "completion",
    "message",
    "outputs",
)
_TEXTS = ("content", "text", "page_content", "pageContent", "document", "body", "chunk")
_LISTS = (
    "documents",
    "output",
    "outputs",
    "results",
    "docs",
    "context",
    "source_documents",
    "matches",
    "nodes",
    "data",
)
_DEEPEST = 6
_LONG_NAME = 2_048


def asked(data: Any) -> list[Message] | None:
    """Read what a call was given (parsed); None where nothing in it is recognisably text or messages."""
    return _read(data, "user", _QUESTIONS, _DEEPEST)


def replied(data: Any) -> list[Message] | None:
    """Read what a call returned (parsed); None where nothing in it is recognisably text or messages."""
    return _read(data, "assistant", _ANSWERS, _DEEPEST)


def said(value: Any, data: Any) -> list[Message] | None:
    """Read what a model returned, as sent and parsed: a message, a provider's response, else text exactly as sent."""
    if value is None:
        return None
    known = _provider(data, _DEEPEST) if type(data) is dict else None
    if known is not None:
        return known
    if is_message(data) or (type(data) is list and data and all(is_message(item) for item in data)):
        return messages(data, "assistant")
    return [Message("assistant", data if type(data) is str else value if type(value) is str else compact(data))]


def _read(value: Any, role: str, keys: tuple[str, ...], depth: int) -> list[Message] | None:
    if depth <= 0 or value is None:
        return None
    if type(value) is str:
        return [Message(role, value)] if value and not _is_repr(value) else None
    if type(value) is list:
        return _read_list(value, role, keys, depth)
    return _read_object(value, role, keys, depth) if type(value) is dict else None


def _is_repr(text: str) -> bool:
    return text[0] == "<" and text[-1] == ">" and " object at 0x" in text


def _read_list(value: list[Any], role: str, keys: tuple[str, ...], depth: int) -> list[Message] | None:
    if value and all(is_message(item) for item in value):
        return messages(value, role)
    for item in value:
        if found := _read(parsed(item) if depth == _DEEPEST else item, role, keys, depth - 1):
            return found
    return None


def _read_object(value: dict[str, Any], role: str, keys: tuple[str, ...], depth: int) -> list[Message] | None:
    known = _provider(value, depth) if role == "assistant" else _request(value)
    if known is not None:
        return known
    if is_message(value):
        return [message(value, role)]
    for key in ("messages", "chat_history"):
        if type(value.get(key)) is list and (found := _read_list(value[key], role, keys, depth - 1)):
            return found
    if "args" in value or "kwargs" in value:
        return _read(value.get("args") or None, role, keys, depth - 1) or _read(
            value.get("kwargs"), role, keys, depth - 1
        )
    for key in keys:
        if value.get(key) and (found := _read(value[key], role, keys, depth - 1)):
            return found
    return None


def _request(value: dict[str, Any]) -> list[Message] | None:
    """Read a raw request: OpenAI chat, Responses, Vercel ``{system, prompt | messages}``."""
    found = None
    for key in ("messages", "input", "prompt"):
        data = value.get(key)
        if type(data) is list and data and all(is_message(item) for item in data):
            found = messages(data, "user")
        elif type(data) is list and len(data) == 1 and type(data[0]) is list:
            found = messages(data[0], "user")
        elif key != "messages" and type(data) is str and data:
            found = [Message("user", data)]
        if found:
            break
    system = value.get("system") or value.get("instructions")
    if found and type(system) is str:
        return [Message("system", system), *found]
    return found


def _provider(value: dict[str, Any], depth: int) -> list[Message] | None:
    """Read a raw response: OpenAI chat and Responses, LangChain generations, Anthropic."""
    if type(choices := value.get("choices")) is list:
        return [_choice(item) for item in choices if type(item) is dict]
    if type(generations := value.get("generations")) is list:
        return _generations(generations)
    output = value.get("output")
    if type(output) is list and value.get("object") == "response":
        return _response(value, [message(item, "assistant") for item in output if type(item) is dict])
    if type(output) is dict and depth > 0 and len(value) == 1:
        return _provider(output, depth - 1)
    return None


def _response(value: dict[str, Any], found: list[Message]) -> list[Message]:
    """The Responses API says how it ended in a status, which tells nothing of tool calls."""
    if found:
        called = any(item.tool_calls for item in found) and not any(item.text for item in found)
        status = "tool_calls" if called and value.get("status") == "completed" else value.get("status")
        found[-1].finish_reason = inside(value, "incomplete_details.reason") or status
    return found


def _choice(choice: dict[str, Any]) -> Message:
    inner = choice.get("message")
    out = message(inner, "assistant") if type(inner) is dict else Message("assistant", _string(choice.get("text")))
    out.finish_reason = choice.get("finish_reason") or out.finish_reason
    return out


def _string(value: Any) -> str | None:
    return value if type(value) is str else None


def _generations(generations: list[Any]) -> list[Message]:
    found = []
    for item in generations:
        for generation in item if type(item) is list else (item,):
            if type(generation) is dict:
                inner = generation.get("message")
                out = message(inner, "assistant") if type(inner) is dict else Message("assistant")
                out.text = out.text or _string(generation.get("text"))
                out.finish_reason = inside(generation, "generation_info.finish_reason") or out.finish_reason
                found.append(out)
    return found


class _Plain(Struct, gc=False, forbid_unknown_fields=True):
    content: str
    id: str | None = None
    score: float | None = None


_plain = msgspec.json.Decoder(list[_Plain]).decode


def documents(value: Any) -> list[Document]:
    """Read retrieved documents from a list, or from an object that holds one; an id, score or text may be missing."""
    if type(value) is str:
        try:  # most documents are this, and are read in half the time
            return [Document(item.content, item.id or None, item.score) for item in _plain(value)]
        except (msgspec.MsgspecError, RecursionError, ValueError):
            value = parsed(value)
    for _ in range(_DEEPEST):
        if type(value) is not dict:
            break
        value = next((parsed(value[key]) for key in _LISTS if key in value), None)
    if type(value) is not list:
        return []
    return [found for item in value if (found := document(item))]


def document(item: Any) -> Document | None:
    """Read one document; None where it has neither text nor id."""
    if type(item) is str:
        return Document(text=item) if item else None
    if type(item) is not dict:
        return None
    if type(inner := item.get("document", item.get("node"))) is dict:
        item = {**item, **inner}
    if type(item.get("kwargs")) is dict:
        item = item["kwargs"]
    text = next((item[key] for key in _TEXTS if type(item.get(key)) is str), None)
    identity = item.get("id", item.get("doc_id", item.get("document_id")))
    if text is None and identity is None:
        return None
    return Document(id=_name(identity), text=text or "", score=_score(item))


def _name(identity: Any) -> str | None:
    if type(identity) is str:
        return identity[:_LONG_NAME] or None
    return str(identity) if type(identity) is int else None


def _score(item: dict[str, Any]) -> float | None:
    score = number(item.get("score"))
    if score is None:
        score = number(inside(parsed(item.get("metadata")), "score"))
    return score


def tool_definitions(values: Any) -> list[ToolDefinition]:
    """Read the tools that a model was offered, in any provider's form."""
    items = parsed(values)
    found = (tool_definition(parsed(item)) for item in (items if type(items) is list else ()))
    return [tool for tool in found if tool]


def tool_definition(value: Any) -> ToolDefinition | None:
    """Read one tool; None where it has no name."""
    if type(value) is not dict:
        return None
    function = value.get("function")
    tool = function if type(function) is dict else value
    name = tool.get("name")
    if type(name) is not str or not name:
        return None
    return ToolDefinition(name=name, parameters=schema(_parameters(tool)))


def _parameters(tool: dict[str, Any]) -> Any:
    for key in ("parameters", "inputSchema", "input_schema", "parameters_json_schema"):
        if tool.get(key):
            return tool[key]
    return None


def schema(value: Any) -> dict[str, Any] | None:
    """Read a JSON schema; None where it is not an object."""
    value = bounded(parsed(value))
    return value if type(value) is dict else None


def first_schema(values: Iterable[Any]) -> dict[str, Any] | None:
    """Return the first of some values that is a JSON schema."""
    return next((found for value in values if value and (found := schema(value))), None)
