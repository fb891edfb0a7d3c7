"""The many names of a finish reason → five; knows no attributes."""

from typing import Any

from .embedded import parsed

_REASONS = {
    "stop": ("stop", "end_turn", "stop_sequence", "completed", "complete", "finished", "eos", "eos_token"),
    "length": ("length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded"),
    "content_filter": (
        "content_filter",
        "content_filtered",
        "safety",
        "recitation",
        "blocklist",
        "prohibited_content",
        "spii",
        "guardrail_intervened",
        "refusal",
    ),
    "tool_call": ("tool_call", "tool_calls", "tool_use", "function_call", "function_calls", "tooluse"),
    "error": ("error", "failed", "malformed_function_call", "malformed_tool_use"),
}
_NAMES = {name: reason for reason, names in _REASONS.items() for name in names}


def finish_reason(value: Any) -> str | None:
    """Return stop, length, content_filter, tool_call or error for a reason, or for the first of a list of them."""
    if type(value) is str and (known := _NAMES.get(value)):
        return known
    value = parsed(value)
    if type(value) is list:
        value = value[0] if value else None
    if type(value) is not str:
        return None
    return _NAMES.get(value.rpartition(".")[2].strip().lower().replace("-", "_"))
