"""Latency and retries of a model call: time to first token, retries, fallbacks."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from . import facts
from .embedded import label, number
from .node import Node
from .story import Story

_SECONDS = (
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.response.time_to_first_token",
    "llm.response.time_to_first_token",
)
_MILLISECONDS = ("gen_ai.server.time_to_first_token", "ai.response.msToFirstChunk", "ai.stream.msToFirstChunk")
_MOMENTS = ("langfuse.observation.completion_start_time", "mastra.completion_start_time")
_EVENTS = frozenset(
    {
        "First Token Stream Event",
        "gen_ai.content.completion.chunk",
        "llm.content.completion.chunk",
        "ai.stream.firstChunk",
    }
)
_TELLING = frozenset(_SECONDS + _MILLISECONDS + _MOMENTS)
_LONGEST = 3_600.0


def first_token_seconds(group: list[Node]) -> float | None:
    """Return the time from a call's start to its first token, as any of its accounts tells it; None where none does."""
    for node in group:
        found = _told(node)
        if found is not None and 0 <= found <= _LONGEST:
            return found
    return None


def _told(node: Node) -> float | None:
    if not node.span.events and _TELLING.isdisjoint(node.names):
        return None
    if (seconds := number(node.pick(_SECONDS))) is not None:
        return seconds
    if (milliseconds := number(node.pick(_MILLISECONDS))) is not None:
        return milliseconds / 1e3
    start = node.span.start
    if (moment := _moment(node.pick(_MOMENTS))) is not None and start:
        return moment - start / 1e9
    first = min((event.time for event in node.span.events if event.name in _EVENTS and event.time), default=0)
    return (first - start) / 1e9 if first and start else None


def _moment(value: Any) -> float | None:
    """Return the Unix time of an ISO 8601 text, which Langfuse writes as JSON."""
    text = label(value)
    try:
        return None if text is None else datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def generation_seconds(group: list[Node]) -> float | None:
    """Return how long the call took."""
    span = group[0].span
    return (span.end - span.start) / 1e9 if span.start and span.end > span.start else None


def asked_again(story: Story) -> tuple[int, int]:
    """Return how many calls repeated a failed one with the same model, and with another: retries and fallbacks.

    A call repeats the failed one before it that has the same parent and was given the same.
    """
    retries = fallbacks = 0
    groups: Sequence[list[Node]] = story.groups
    for failed, again in pairwise(groups):
        before, after = failed[0], again[0]
        if not facts.failed(before) or before.span.parent_span_id != after.span.parent_span_id:
            continue
        if before.dialect.inputs(before) == after.dialect.inputs(after):
            names = [label(node.pick(node.dialect.fields.request_model)) for node in (before, after)]
            same = names[0] == names[1]
            retries, fallbacks = retries + same, fallbacks + (not same)
    return retries, fallbacks
