"""Tool calls and what tools returned, in any provider's form; knows no message around them."""

from typing import Any

from ..model.trace import ToolCall
from .embedded import bounded, compact, parsed


def tool_call(value: Any) -> ToolCall | None:
    """Read one tool call of any provider; None where it has no name."""
    if type(value) is not dict:
        return None
    function = value.get("function") or value.get("custom")
    call = function if type(function) is dict else value
    name = call.get("name") or call.get("toolName") or call.get("tool_name")
    if type(name) is not str or not name:
        return None
    identity = value.get("id") or value.get("call_id") or value.get("toolCallId") or value.get("toolUseId")
    return ToolCall(name=name, arguments=_arguments(call), id=identity if type(identity) is str else None)


def _arguments(call: dict[str, Any]) -> Any:
    for key in ("arguments", "input", "args", "parameters"):
        if call.get(key) is not None:
            value = parsed(call[key])
            return bounded(parsed(value))  # some packages encode them twice
    return None


def result_text(value: Any) -> str:
    """Return what a tool returned as text: the text of its parts, or its JSON; what says that it failed is kept."""
    value = parsed(value)
    if type(value) is list and value and all(type(item) is dict and type(item.get("text")) is str for item in value):
        return "\n".join(item["text"] for item in value)
    if type(value) is dict and not _says_error(value):
        text = value.get("value") if "type" in value else next(iter(value.values()), None) if len(value) == 1 else None
        if type(text) is str:
            return text
    return value if type(value) is str else as_text(value) or ""


def _says_error(value: dict[str, Any]) -> bool:
    return "error" in value or (type(kind := value.get("type")) is str and kind.startswith("error"))


def failed(result: dict[str, Any]) -> bool:
    """Return whether a message's part, or message, that holds a tool's result says beside it that the tool failed."""
    return result.get("is_error") is True or result.get("isError") is True or result.get("status") == "error"


def as_text(value: Any) -> str | None:
    """Return a text as it is, and anything else as JSON; None where there is nothing."""
    if value is None or type(value) is str:
        return value
    return compact(value)
