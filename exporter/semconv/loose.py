"""Inputs and outputs without a schema (of chains, functions, raw provider calls) → messages and documents.

Knows the shapes that frameworks wrap text in, not the attributes that carry them.
"""

import re
from typing import Any

import msgspec
from msgspec import Struct

from ..model.trace import Document, ToolDefinition
from . import schemas
from .embedded import compact, inside, number, parsed
from .messages import Message, is_message, message, messages
from .node import Format

_QUESTIONS = (
    "question",
    "query",
    "user_input",
    "user_query",
    "user_message",
    "user_msg",
    "str_or_query_bundle",
    "query_bundle",
    "query_str",
    "task",
    "prompt",
    "input",
    "inputs",
    "message",
    "text",
    "content",
    "contents",
    "data",
)
_ANSWERS = (
    "answer",
    "answers",
    "output",
    "response",
    "result",
    "final_result",
    "raw",
    "reply",
    "replies",
    "last_message",
    "text",
    "content",
    "completion",
    "message",
    "outputs",
    "data",
)
_TEXTS = ("content", "text", "page_content", "pageContent", "document", "body", "chunk")
_IDENTITIES = ("id", "doc_id", "document_id", "id_", "node_id")
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


_REPR = re.compile(
    r"<[\w. ]+ object\b[^<>]*>|<(?:class|function|bound method) [^<>]*>|\[?[A-Z]\w*\((?:\w+=|<)"
    r"|\w+=(?:None|True|False|\d+|'[^']*') \w+=(?:None|['\d\[{<])"
)
"""The beginning of what Python prints of an object: nobody said it."""
_LONGEST_REPR = 1000


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
    text = data if type(data) is str else value if type(value) is str else compact(data)
    return None if _is_repr(text) else [Message("assistant", text)]


def _read(value: Any, role: str, keys: tuple[str, ...], depth: int) -> list[Message] | None:
    if depth <= 0 or value is None:
        return None
    if type(value) is str:
        return [Message(role, value)] if value and not _is_repr(value) else None
    if type(value) is list:
        return _read_list(value, role, keys, depth)
    return _read_object(value, role, keys, depth) if type(value) is dict else None


def _is_repr(text: str) -> bool:
    return _REPR.match(text, 0, _LONGEST_REPR) is not None


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
    """Read a raw request: OpenAI chat, Responses, Gemini, Vercel ``{system, prompt | messages}``."""
    found = None
    for key in ("messages", "input", "prompt", "contents"):
        data = value.get(key)
        if type(data) is list and data and all(is_message(item) for item in data):
            found = messages(data, "user")
        elif type(data) is list and len(data) == 1 and type(data[0]) is list:
            found = messages(data[0], "user")
        elif key != "messages" and type(data) is str and data and not _is_repr(data):
            found = [Message("user", data)]
        if found:
            break
    system = value.get("system") or value.get("instructions") or inside(value, "config.system_instruction")
    if found and type(system) is str:
        return [Message("system", system), *found]
    return found


def _provider(value: dict[str, Any], depth: int) -> list[Message] | None:
    """Read a raw response: OpenAI chat and Responses, LangChain generations, Gemini, Anthropic, Ollama."""
    if type(choices := value.get("choices")) is list:
        return [_choice(item) for item in choices if type(item) is dict]
    if type(generations := value.get("generations")) is list:
        return _generations(generations)
    output = value.get("output")
    if type(output) is list and value.get("object") == "response":
        return _response(value, [message(item, "assistant") for item in output if type(item) is dict])
    if type(output) is dict and depth > 0 and len(value) == 1:
        return _provider(output, depth - 1)
    if type(candidates := value.get("candidates")) is list:
        return [_candidate(item) for item in candidates if type(item) is dict]
    if type(inner := value.get("message")) is dict and is_message(inner):
        return [_choice(value)]
    return _bare(value)


def _candidate(value: dict[str, Any]) -> Message:
    """Read one candidate of Gemini's."""
    out = message(value.get("content"), "assistant")
    out.finish_reason = value.get("finishReason") or value.get("finish_reason") or out.finish_reason
    return out


def _bare(value: dict[str, Any]) -> list[Message] | None:
    """Read a reply that is an object of its content beside how it ended (Anthropic, ADK, AutoGen, Mastra)."""
    ended = value.get("stop_reason") or value.get("finish_reason")
    content = value.get("content")
    if ended is not None and type(content) is dict:
        out = message(content, "assistant")
    elif ended is not None and content is not None:
        out = message({"role": "assistant", "content": content}, "assistant")
    elif "toolCalls" in value and type(value.get("text")) is str:
        out = message({"content": value["text"] or None, "toolCalls": value["toolCalls"]}, "assistant")
    else:
        return None
    out.finish_reason = ended
    return [out]


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


def holds_documents(value: Any) -> bool:
    """Whether a value is a list of LangChain's documents."""
    return (
        type(value) is list
        and bool(value)
        and all(type(item) is dict and ("pageContent" in item or "page_content" in item) for item in value)
    )


def document(item: Any) -> Document | None:
    """Read one document; None where it has neither text nor id."""
    if type(item) is str:
        if type(whole := parsed(item)) is dict:  # a node's own dump
            return document(whole)
        return Document(text=item) if item else None
    if type(item) is not dict:
        return None
    if type(inner := item.get("document", item.get("node"))) is dict:
        item = {**item, **inner}
    if type(item.get("kwargs")) is dict:
        item = item["kwargs"]
    text = next((item[key] for key in _TEXTS if type(item.get(key)) is str), None)
    identity = next((item[key] for key in _IDENTITIES if item.get(key) is not None), None)
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
    """Read the tools that a model was offered, in any provider's form, also in Gemini's lists of lists."""
    items = parsed(values)
    found: list[ToolDefinition] = []
    for item in items if type(items) is list else ():
        whole = parsed(item)
        inner = next(
            (whole[key] for key in _DECLARATIONS if type(whole) is dict and type(whole.get(key)) is list), [whole]
        )
        found += (tool for one in inner if (tool := tool_definition(one)))
    return found


_DECLARATIONS = ("function_declarations", "functionDeclarations")


def tool_definition(value: Any) -> ToolDefinition | None:
    """Read one tool; None where it has no name."""
    told = schemas.tool(value)
    return None if told is None else ToolDefinition(name=told[0], parameters=told[1])


def requested(parameters: Any) -> Format | None:
    """Read whether JSON was requested, of a provider's parameters; None where nothing says so."""
    told = schemas.requested(parameters)
    return None if told is None else Format(*told)


def response_format(asked: Any) -> Format:
    """Read a provider's response format."""
    return Format(*schemas.response_format(asked))
