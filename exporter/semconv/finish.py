"""The many names of a finish reason → five; knows no attributes."""

import re
from typing import Any

from .embedded import parsed

_NUMBERS = {
    1: "stop",
    2: "length",
    3: "content_filter",
    4: "content_filter",
    5: "error",
    6: "content_filter",
    7: "content_filter",
    8: "content_filter",
    9: "error",
}
"""Of Vertex AI's enumeration FinishReason."""
_REASONS = {
    "stop": (
        "stop",
        "end_turn",
        "stop_sequence",
        "completed",
        "complete",
        "finished",
        "eos",
        "eos_token",
        "pause_turn",
    ),
    "length": (
        "length",
        "max_tokens",
        "max_output_tokens",
        "max_completion_tokens",
        "model_length",
        "model_context_window_exceeded",
        "token_limit",
        "incomplete",
    ),
    "content_filter": (
        "content_filter",
        "content_filtered",
        "safety",
        "image_safety",
        "recitation",
        "language",
        "blocklist",
        "prohibited_content",
        "spii",
        "guardrail_intervened",
        "guardrails",
        "refusal",
        "error_toxic",
    ),
    "tool_call": (
        "tool_call",
        "tool_calls",
        "tool_use",
        "function_call",
        "function_calls",
        "tooluse",
        "end_turn_tool_use",
    ),
    "error": (
        "error",
        "failed",
        "cancelled",
        "malformed_function_call",
        "unexpected_tool_call",
        "malformed_tool_use",
        "malformed_model_output",
    ),
}
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NAMES = {name: reason for reason, names in _REASONS.items() for name in names}


_SEVERITY = ("error", "content_filter", "length", "tool_call", "stop")


def finish_reason(value: Any) -> str | None:
    """Return stop, length, content_filter, tool_call or error for a reason, or for the first of a list of them.

    Takes the names of all providers, also those of enumerations (``FinishReason.MAX_TOKENS``, ``FINISH_REASON_STOP``,
    ``ContentFilter``) and Vertex AI's numbers.
    """
    first = value[0] if type(value) is list and value else value
    if type(first) is str and (known := _NAMES.get(first)):
        return known
    value = parsed(value)
    if type(value) is list:
        value = value[0] if value else None
    if type(value) is int:
        return _NUMBERS.get(value)
    if type(value) is not str:
        return None
    name = value.rpartition(".")[2].strip()
    if name.isdecimal():
        return _NUMBERS.get(int(name)) if len(name) < 3 else None
    name = _WORD.sub("_", name).lower().replace("-", "_").replace(" ", "_")
    return _NAMES.get(name.removeprefix("finish_reason_"))


def worse(one: str | None, other: str | None) -> str | None:
    """Return the more serious of two reasons that two accounts of one call give."""
    if one is None or one == other:
        return other
    found = {one, other}
    return next((reason for reason in _SEVERITY if reason in found), None)
