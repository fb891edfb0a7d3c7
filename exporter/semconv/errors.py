"""The many names of an error → a few kinds, for a label; knows no attributes."""

import re
from typing import Literal, get_args

ErrorKind = Literal[
    "rate_limit",
    "timeout",
    "overloaded",
    "auth",
    "context_length",
    "content_filter",
    "invalid",
    "tool",
    "cancelled",
    "other",
]
ERROR_KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)

_PATTERNS: tuple[tuple[ErrorKind, str], ...] = (
    ("rate_limit", r"rate.?limit|too.?many.?requests|throttl|quota|resource.?exhausted|\b429\b"),
    ("context_length", r"context.?(?:length|window)|max(?:imum)?.?(?:context|tokens)|too.?long|\b413\b"),
    ("content_filter", r"content.?(?:filter|policy|management)|guardrail|safety|moderation|blocked|refus"),
    ("timeout", r"time.?out|timed.?out|deadline|\b(?:408|504)\b"),
    ("overloaded", r"overload|unavailable|internal.?server|server.?error|bad.?gateway|connection|\b5\d\d\b"),
    ("auth", r"auth|permission|forbidden|api.?key|access.?denied|credential|\b40[13]\b"),
    ("cancelled", r"cancel|abort|disconnect|interrupt"),
    ("tool", r"tool|function.?call"),
    (
        "invalid",
        r"invalid|bad.?request|validation|unprocessable|not.?found|parse|value.?error|type.?error|\b4\d\d\b",
    ),
)
_KINDS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _PATTERNS)


def error_kind(error: str) -> ErrorKind:
    """Return the kind of an error, by its type and message."""
    return next((kind for kind, pattern in _KINDS if pattern.search(error)), "other")
