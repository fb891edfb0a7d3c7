"""What one decoded request holds, and the checks that every span passes; knows neither protobuf nor JSON."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct, field

from ..model.trace import REMOTE, Event, LogRecord, Span

_NANOSECONDS = 1_000_000_000
_DAY = 86_400.0
_YEAR = 365 * _DAY
_NO_TRACE_ID = bytes(16)
_NO_SPAN_ID = bytes(8)
_ANY_SPAN_ID = bytes(range(8))
_identity = msgspec.msgpack.Encoder(order="deterministic")

OVERHEAD = 350
ATTRIBUTE = 75
EVENT = 450
"""Bytes of memory that a span or log record takes beside its own text, that each of its attributes (a Python value) and
each of its events take beside theirs (roughly, measured)."""


class DecodeError(ValueError):
    """The body can never be accepted: answer 400. The message names the place and never quotes content."""


class TooLarge(ValueError):  # noqa: N818 - reads as the answer that it becomes, 413
    """The body, or what it inflates to, is over a limit: answer 413."""


class UnsupportedEncoding(ValueError):  # noqa: N818 - as above
    """The Content-Encoding is one that we do not speak: answer 400."""


class DecodeLimits(Struct, frozen=True, kw_only=True):
    """How much one request may hold.

    ``items`` bounds spans, events, and log records, each; ``values`` bounds attributes and the values inside them, of
    which a few bytes become much memory.
    """

    decompressed_bytes: int = 64 << 20
    attributes_per_span: int = 10_000
    events_per_span: int = 10_000
    items: int = 100_000
    values: int = 1_000_000
    interactions: int = 1_000


class Batch(Struct):
    """One request, decoded.

    ``rejected`` counts the spans or records refused, by reason; ``anomalies`` counts what was accepted with a repair or
    a doubt: spans by kind, and ``invalid_utf8`` once a request. ``kept`` is what the journal keeps in place of the
    body, as OTLP/JSON: b"" for the body itself, None where that is not decided.
    """

    spans: list[Span] = field(default_factory=list)
    logs: list[LogRecord] = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)
    anomalies: dict[str, int] = field(default_factory=dict)
    kept: bytes | None = None

    @property
    def size(self) -> int:
        """Approximate memory of all parts, in bytes."""
        return sum(span.size for span in self.spans) + sum(log.size for log in self.logs)


def count(counts: dict[str, int], reason: str) -> None:
    """Add one to a reason's count."""
    counts[reason] = counts.get(reason, 0) + 1


def check_items(total: int, limits: DecodeLimits) -> None:
    """Raise TooLarge where a request holds more spans, events or log records than it may."""
    if total > limits.items:
        raise TooLarge(f"more than {limits.items} spans, events or log records in one request; send fewer")


class BatchBuilder:
    """Collects spans and log records, rejects invalid ones, counts repaired ones."""

    def __init__(self, limits: DecodeLimits, received_at: float, size: int) -> None:
        self.batch = Batch()
        self._add = self.batch.spans.append
        self._size = size
        self._attributes = limits.attributes_per_span
        self._events = limits.events_per_span
        self._limits = limits
        self._event_count = 0
        self._earliest = int((received_at - _YEAR) * _NANOSECONDS)
        self._latest = int((received_at + _DAY) * _NANOSECONDS)

    def span(
        self,
        trace_id: bytes,
        span_id: bytes,
        parent: bytes,
        name: str,
        start: int,
        end: int,
        attributes: Mapping[str, Any],
        events: Sequence[Event],
        status_code: int,
        status_message: str,
        kind: int,
        flags: int,
        resource: Mapping[str, Any],
        scope: str,
        weight: int | None = None,
    ) -> None:
        """Add a span (times in Unix nanoseconds), or count why not; ``weight``: what its attributes take, if known."""
        held = len(attributes)
        if (
            len(trace_id) != 16
            or len(span_id) != 8
            or trace_id == _NO_TRACE_ID
            or span_id == _NO_SPAN_ID
            or held > self._attributes
            or len(events) > self._events
        ):
            count(self.batch.rejected, self._refusal(trace_id, span_id, attributes))
            return
        if parent and (len(parent) != 8 or parent == _NO_SPAN_ID):
            parent = self._no_parent(parent)
        if not self._earliest <= start <= end <= self._latest:
            start, end = self._doubtful_times(start, end)
        self._add(
            Span(
                trace_id,
                span_id,
                parent,
                name,
                start,
                end,
                attributes,
                events,
                status_code,
                status_message,
                resource,
                scope,
                self._size + (ATTRIBUTE * held if weight is None else weight) + EVENT * len(events),
                kind,
                flags & REMOTE == REMOTE,
            )
        )

    def events(self, events: Sequence[Any], convert: Callable[[Any], Event]) -> Sequence[Any]:
        """Convert a span's events; too many for one span stay as they are, for the span will be refused for them."""
        if len(events) > self._events:
            return events
        self._event_count += len(events)
        check_items(self._event_count, self._limits)
        return [convert(event) for event in events] or ()

    def log(
        self,
        trace_id: bytes,
        span_id: bytes,
        event_name: str,
        time: int,
        attributes: Mapping[str, Any],
        body: Any,
        resource: Mapping[str, Any],
        scope: str,
    ) -> None:
        """Add a log record of a trace (time in Unix nanoseconds), or count why not."""
        if not trace_id or trace_id == _NO_TRACE_ID:
            count(self.batch.rejected, "no_trace")
            return
        if span_id == _NO_SPAN_ID:
            span_id = b""
        held = len(attributes)
        if len(trace_id) != 16 or len(span_id) not in (0, 8) or held > self._attributes:
            count(self.batch.rejected, self._refusal(trace_id, span_id or _ANY_SPAN_ID, attributes))
            return
        if not self._earliest <= time <= self._latest:
            count(self.batch.anomalies, "clock_skew")
        key = blake2b(_identity.encode((trace_id, span_id, event_name, time, body, attributes)), digest_size=8).digest()
        size = self._size + ATTRIBUTE * held
        self.batch.logs.append(
            LogRecord(trace_id, span_id, key, event_name, time, attributes, body, resource, scope, size)
        )

    def _refusal(self, trace_id: bytes, span_id: bytes, attributes: Mapping[str, Any]) -> str:
        if len(trace_id) != 16 or trace_id == _NO_TRACE_ID:
            return "trace_id"
        if len(span_id) != 8 or span_id == _NO_SPAN_ID:
            return "span_id"
        return "too_many_attributes" if len(attributes) > self._attributes else "too_many_events"

    def _no_parent(self, parent: bytes) -> bytes:
        if len(parent) != 8:
            count(self.batch.anomalies, "parent_span_id")
        return b""

    def _doubtful_times(self, start: int, end: int) -> tuple[int, int]:
        if not self._earliest <= start <= self._latest:
            count(self.batch.anomalies, "clock_skew")
            start = start or end
        if end < start:
            count(self.batch.anomalies, "negative_duration")
            end = start
        return start, end
