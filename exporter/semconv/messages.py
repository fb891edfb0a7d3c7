"""Chat messages in any of their JSON shapes → Message; knows shapes, not where an attribute keeps them.

Shapes read: OTel GenAI messages (semantic-conventions 1.37-1.41 and semantic-conventions-genai), OpenAI chat and
Responses, Anthropic, Bedrock, Gemini, Vercel AI SDK, LangChain (plain, ``lc`` constructors, ``data`` wrappers).
"""

from base64 import b64decode
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from ..model.trace import Document, ToolCall
from .embedded import cut_short, parsed
from .toolcalls import as_text, failed, result_text, tool_call

_ROLES = {
    "human": "user",
    "ai": "assistant",
    "aimessagechunk": "assistant",
    "developer": "system",
    "model": "assistant",
    "chatbot": "assistant",
    "bot": "assistant",
}
_CLASS_ROLES = {"Human": "user", "AI": "assistant", "System": "system", "Tool": "tool", "Function": "tool"}
_CALLS = ("tool_call", "tool_use", "tool-call", "_call")
_RESULTS = ("tool_call_response", "tool_result", "tool-result", "_call_output", "_tool_result", "_response")
_TEXTS = frozenset({"text", "output_text", "input_text"})
_SILENT = frozenset(
    {"reasoning", "thinking", "redacted_thinking", "compaction", "thought", "step-start", "cache_point"}
)
"""Parts that are nothing a user is shown; what is of no kind known here is something said."""
_EXTRAS = frozenset(
    {"additional_kwargs", "refusal", "tool_calls", "toolCalls", "function_call", "finish_reason", "stop_reason", "meta"}
)
_BEDROCK = frozenset({"text", "toolUse", "toolResult"})
_UNTYPED_CALLS = ("toolUse", "function_call", "functionCall", "tool_call")
_UNTYPED_RESULTS = ("toolResult", "function_response", "functionResponse", "tool_call_result")


class Message(Struct, gc=False):
    """One message: its text ("" where sent empty, None where not sent), refusal, tool calls and tool results.

    ``documents`` are those among its parts. ``other``: it holds a part that is no text, such as an image or audio.
    ``errors``: how many of the results say that their tool failed.
    """

    role: str
    text: str | None = None
    refusal: str | None = None
    tool_calls: Sequence[ToolCall] = ()
    results: Sequence[str] = ()
    finish_reason: Any = None
    documents: Sequence[Document] = ()
    other: bool = False
    errors: int = 0

    def speaks(self) -> bool:
        """Whether it holds anything that the model said or did."""
        return bool(self.text or self.refusal or self.tool_calls or self.other)


class _Part(Struct, gc=False, forbid_unknown_fields=True):
    type: Literal["text"]
    content: str


class _Plain(Struct, gc=False, forbid_unknown_fields=True):
    role: Literal["user", "assistant", "system"]
    parts: tuple[_Part]
    finish_reason: str | None = None
    name: str | None = None


_plain = msgspec.json.Decoder(list[_Plain]).decode


def messages(value: Any, role: str) -> list[Message] | None:
    """Read a list of messages (structure or JSON string); plain text is one message of ``role``, absence is None."""
    if value is None or value == "":
        return None
    if type(value) is str:
        try:  # most messages are one text each, and this reads them in half the time
            return [Message(m.role, m.parts[0].content, None, (), (), m.finish_reason) for m in _plain(value)]
        except (msgspec.MsgspecError, RecursionError, ValueError):
            value = parsed(value)
    if type(value) is list:
        return [message(item, role) for item in value if item is not None]
    if type(value) is dict:
        return [message(value, role)]
    if type(value) is str and value[:1] in ("[", "{") and (rest := _salvaged(value, role)):
        return rest
    return [Message(role, value if type(value) is str else str(value))]


def _salvaged(value: str, role: str) -> list[Message]:
    """Read what an SDK's length limit left of message JSON."""
    found: list[Message] = []
    current = role
    for key, text in cut_short(value):
        if key == "role":
            current = _role_named(text)
        elif key == "refusal":
            found.append(Message(current, refusal=text))
        else:
            found.append(Message(current, text))
    return found


def is_message(value: Any) -> bool:
    """Whether parsed JSON looks like one message rather than some other object."""
    if type(value) is not dict:
        return False
    if type(value.get("role")) is str:
        return "content" in value or "parts" in value or "tool_calls" in value
    if type(value.get("source")) is str and "content" in value:
        return True  # AutoGen's
    kind = value.get("type")
    return "lc" in value or (type(kind) is str and kind.lower() in _ROLES and ("content" in value or "data" in value))


def message(value: Any, role: str) -> Message:
    """Read one message; ``role`` is its role where it names none."""
    if type(value) is not dict:
        return Message(role, value if type(value) is str else None)
    if "lc" in value or type(value.get("data")) is dict:
        return _langchain(value, role)
    out = Message(_role(value, role))
    parts = value.get("parts")
    _add_content(out, value.get("content") if parts is None else parts, value)
    if not _EXTRAS.isdisjoint(value):
        _add_extras(out, value)
    _move_result(out, value)
    return out


def _move_result(out: Message, value: dict[str, Any]) -> None:
    """Make the text of a tool's message its result."""
    if out.role == "tool" and out.text and not out.results:
        out.results, out.text, out.errors = (out.text,), None, int(failed(value))


def _role(value: dict[str, Any], role: str) -> str:
    name = value.get("role")
    if type(name) is str and name:
        return _role_named(name)
    if type(source := value.get("source")) is str and source:
        return "user" if source == "user" else "assistant"
    kind = value.get("type")
    return _ROLES.get(kind.lower(), role) if type(kind) is str else role


def _role_named(name: str) -> str:
    """Return the role of a name that may be in capitals or an enumeration's, such as ``MessageRole.USER``."""
    name = name.rpartition(".")[2].lower()
    return _ROLES.get(name, name)


def _langchain(value: dict[str, Any], role: str) -> Message:
    inner = value.get("kwargs") if "lc" in value else value.get("data")
    inner = inner if type(inner) is dict else {}
    name = value.get("type")
    path = value.get("id")
    if "lc" in value and type(path) is list and path and type(path[-1]) is str:
        role = next((r for start, r in _CLASS_ROLES.items() if path[-1].startswith(start)), role)
    elif type(name) is str:
        role = _role_named(name)
    out = Message(role)
    _add_content(out, inner.get("content"), inner)
    _add_extras(out, inner)
    _move_result(out, inner)
    return out


def _add_content(out: Message, content: Any, value: dict[str, Any]) -> None:
    if type(content) is str:
        out.text = content
    elif type(content) is list:
        for item in content:
            _add_part(out, item)
    elif type(content) is dict:
        _add_part(out, content)
    elif "content" not in value and "parts" not in value and _is_bare_part(value):
        _add_part(out, value)


def _is_bare_part(value: dict[str, Any]) -> bool:
    """Whether something in a message's place is one part, as the items of the Responses API are."""
    kind = value.get("type")
    if type(kind) is str:
        return kind.lower() not in _ROLES
    return any(key in value for key in ("text", *_UNTYPED_CALLS, *_UNTYPED_RESULTS)) and "role" not in value


def _add_extras(out: Message, value: dict[str, Any]) -> None:
    """Read what stands beside the content: refusal, tool calls, finish reason."""
    extra, meta = value.get("additional_kwargs"), value.get("meta")
    beside = extra if type(extra) is dict else {}
    refusal = value.get("refusal") or beside.get("refusal")
    if type(refusal) is str and refusal:
        out.refusal = refusal
    calls = value.get("tool_calls") or value.get("toolCalls") or beside.get("tool_calls")
    legacy = value.get("function_call") or beside.get("function_call")  # OpenAI's before tools
    if type(calls) is list and calls:
        out.tool_calls = [*out.tool_calls, *(call for item in calls if (call := tool_call(item)))]
    elif type(legacy) is dict and not out.tool_calls:
        _add_call(out, legacy)
    told = meta.get("finish_reason") if type(meta) is dict else None
    out.finish_reason = value.get("finish_reason") or value.get("stop_reason") or told


def _add_part(out: Message, part: Any) -> None:
    if type(part) is str:
        _add_text(out, part)
    elif type(part) is dict:
        kind = part.get("type")
        if type(kind) is not str:
            _add_untyped(out, part)
        elif kind in _TEXTS:
            _add_text(out, part.get("content", part.get("text")))
        elif kind == "refusal":
            out.refusal = as_text(part.get("content", part.get("refusal"))) or out.refusal
        else:
            _add_typed(out, kind, part)


def _add_typed(out: Message, kind: str, part: dict[str, Any]) -> None:
    if kind == "message":
        _add_inner(out, part.get("content"))
    elif kind in ("document", "search_result"):
        _add_document(out, part)
    elif kind.endswith(_RESULTS):
        _add_result(out, part)
    elif kind.endswith(_CALLS):
        _add_call(out, part)
    elif kind in _SILENT:
        return
    elif type(part.get("text")) is str:
        _add_text(out, part["text"])
    elif part.get("modality") == "document" and type(part.get("content")) is str:
        _add_document(out, part)
    else:
        out.other = True


def _add_document(out: Message, part: dict[str, Any]) -> None:
    """Read a document that the user's message carries (Anthropic), or that a package wrote as its JSON."""
    whole = parsed(part.get("text"))
    part = whole if type(whole) is dict else part
    source = part.get("source")
    inner = source if type(source) is dict else part
    text = _text_of(inner.get("data", inner.get("content", inner.get("text"))))
    if inner.get("type") in ("base64", "url", "file") or part.get("modality"):
        text = _decoded(text, part.get("mime_type") or inner.get("media_type"))
    if text:
        name = part.get("title") or part.get("id") or (source if type(source) is str else None)
        out.documents = [*out.documents, Document(text, name if type(name) is str else None)]


def _decoded(text: str, mime_type: Any) -> str:
    """Return the text that base64 holds, where it is plain text."""
    if type(mime_type) is not str or not mime_type.startswith("text/"):
        return ""
    try:
        return b64decode(text, validate=True).decode()
    except ValueError:
        return ""


def _text_of(value: Any) -> str:
    """Return a text, or the texts of a list of parts, joined."""
    if type(value) is list:
        return "\n".join(item["text"] for item in value if type(item) is dict and type(item.get("text")) is str)
    return value if type(value) is str else ""


def _add_inner(out: Message, content: Any) -> None:
    """Read the content of a message that stands among the parts of one, and no deeper."""
    for part in content if type(content) is list else (content,):
        if type(part) is str or (type(part) is dict and part.get("type") != "message"):
            _add_part(out, part)


def _add_untyped(out: Message, part: dict[str, Any]) -> None:
    """Read a part as Bedrock and Gemini write it: named by its only key."""
    if part.get("thought") is True or "reasoningContent" in part:
        return
    if "text" in part:
        _add_text(out, part["text"])
    elif (use := next((part[key] for key in _UNTYPED_CALLS if type(part.get(key)) is dict), None)) is not None:
        _add_call(out, use)
    elif (result := next((part[key] for key in _UNTYPED_RESULTS if type(part.get(key)) is dict), None)) is not None:
        _add_result(out, result)
    elif part and not ("content" in part or "parts" in part):
        out.other = True


def _add_text(out: Message, text: Any) -> None:
    if type(text) is str:
        out.text = text if not out.text else f"{out.text}\n{text}"


def _add_call(out: Message, part: dict[str, Any]) -> None:
    if call := tool_call(part):
        out.tool_calls = [*out.tool_calls, call]
    else:
        out.other = True  # a built-in tool of the provider, which has no name


def _add_result(out: Message, part: dict[str, Any]) -> None:
    for key in ("response", "result", "content", "output"):
        if part.get(key) is not None:
            out.results = [*out.results, result_text(part[key])]
            out.errors += failed(part)
            return


def content_parts(value: Any) -> Any:
    """Return the parts that a string holds as JSON, where they look like parts of a message; else the value."""
    if type(value) is str and value[:1] == "[":
        items = parsed(value)
        if type(items) is list and items and all(_is_part(item) for item in items):
            return items
    return value


def _is_part(item: Any) -> bool:
    return type(item) is dict and ("type" in item or not _BEDROCK.isdisjoint(item))


def last_question(found: Sequence[Message] | None) -> str | None:
    """Return the text of the last user message that has any."""
    for item in reversed(found or ()):
        if item.role == "user" and item.text:
            return item.text
    return None


def system_text(found: Sequence[Message] | None) -> str | None:
    """Return the texts of the system messages, joined; None where there is none."""
    if not found or (len(found) == 1 and found[0].role != "system"):
        return None
    return "\n".join(item.text for item in found if item.role == "system" and item.text) or None


def recent_results(found: Sequence[Message] | None) -> tuple[tuple[str, ...], int]:
    """Return what tools returned since the user last spoke, in order, and how many of them said that they failed."""
    recent: list[str] = []
    errors = 0
    if not found or (len(found) == 1 and not found[0].results):
        return (), 0
    for item in reversed(found):
        if item.role == "user" and item.text and not item.results:
            break
        recent[:0] = item.results
        errors += item.errors
    return tuple(recent), errors


def earlier_texts(found: Sequence[Message] | None) -> tuple[str, ...]:
    """Return what users, assistants and tools said before the last question."""
    if not found or len(found) <= 2:  # the system's message and the question
        return ()
    last = next((at for at in range(len(found) - 1, 0, -1) if found[at].role == "user" and found[at].text), 0)
    before = [item for item in found[:last] if item.role != "system"]
    return tuple(text for item in before for text in (item.text, *item.results) if text)


def first_choice(found: Sequence[Message] | None) -> Message | None:
    """Return what one model call answered: its first choice with text, with the calls of its silent messages."""
    if not found:
        return None
    if len(found) == 1:
        return found[0]
    chosen = next((item for item in found if item.text), None) or next((m for m in found if m.speaks()), found[0])
    calls = list(chosen.tool_calls)
    if not calls and chosen.text:
        calls = [call for item in found if not item.text for call in item.tool_calls]
    other = chosen.other or any(item.other for item in found)
    return Message(chosen.role, chosen.text, chosen.refusal, calls, chosen.results, chosen.finish_reason, (), other)


def last_reply(found: Sequence[Message] | None) -> Message | None:
    """Return the last thing that an agent or chain said."""
    for item in reversed(found or ()):
        if item.role == "assistant" and item.speaks():
            return item
    return found[-1] if found and found[-1].role == "assistant" else None
