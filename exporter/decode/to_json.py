"""Spans and log records → an OTLP/JSON body from which the same ones are decoded: for what is kept of a request."""

import math
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from ..model.trace import REMOTE, Event, LogRecord, Span
from .batch import Batch

_LARGE = 64 << 10
_SMALL_PART = 4
_INT64 = range(-(2**63), 2**63)
_Part = TypeVar("_Part", Span, LogRecord)
_Group = tuple[int, str]


def encode(spans: Iterable[Span], logs: Iterable[LogRecord]) -> bytes:
    """One body with all of them; ValueError where OTLP has no form for a value (an integer beyond 64 bits)."""
    found = {
        "resourceSpans": _grouped(spans, "scopeSpans", "spans", _span),
        "resourceLogs": _grouped(logs, "scopeLogs", "logRecords", _log),
    }
    return msgspec.json.encode({name: groups for name, groups in found.items() if groups})


def instead(batch: Batch, size: int) -> bytes:
    """What to keep in place of a body of so many bytes: its parts where they are a small part of it, else b"".

    A collector sends log records by the megabyte, of which few are of a trace.
    """
    if size < _LARGE:
        return b""
    # A part's size counts its share of the body, so few large parts may be small parts of a body with much around them.
    if size // _SMALL_PART < batch.size < (len(batch.spans) + len(batch.logs)) * _LARGE:
        return b""
    try:
        body = encode(batch.spans, batch.logs)
    except ValueError:
        return b""
    return body if len(body) <= size // _SMALL_PART else b""


def _grouped(parts: Iterable[_Part], scopes: str, items: str, write: Callable[[_Part], Any]) -> list[dict[str, Any]]:
    """The parts below their resource, which the parts of one request share, and their scope."""
    resources: dict[int, Mapping[str, Any]] = {}
    groups: defaultdict[_Group, list[Any]] = defaultdict(list)
    for part in parts:
        resources[id(part.resource)] = part.resource
        groups[id(part.resource), part.scope].append(write(part))
    return [
        {"resource": {"attributes": _pairs(resources[key])}, scopes: [{"scope": {"name": scope}, items: written}]}
        for (key, scope), written in groups.items()
    ]


def _span(span: Span) -> dict[str, Any]:
    return {
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "parentSpanId": span.parent_span_id.hex(),
        "name": span.name,
        "kind": span.kind,
        "flags": REMOTE if span.has_remote_parent else 0,
        "startTimeUnixNano": str(span.start),
        "endTimeUnixNano": str(span.end),
        "attributes": _pairs(span.attributes),
        "events": [_event(event) for event in span.events],
        "status": {"code": span.status_code, "message": span.status_message},
    }


def _event(event: Event) -> dict[str, Any]:
    return {"name": event.name, "timeUnixNano": str(event.time), "attributes": _pairs(event.attributes)}


def _log(log: LogRecord) -> dict[str, Any]:
    return {
        "traceId": log.trace_id.hex(),
        "spanId": log.span_id.hex(),
        "eventName": log.event_name,
        "timeUnixNano": str(log.time),
        "attributes": _pairs(log.attributes),
        "body": _value(log.body),
    }


def _pairs(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"stringValue": value}
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": _integer(value)}
    if isinstance(value, float):
        return {"doubleValue": value if math.isfinite(value) else _WORDS[str(value)]}
    if isinstance(value, bytes):
        return {"bytesValue": b64encode(value).decode()}
    return {"kvlistValue": {"values": _pairs(value)}} if isinstance(value, Mapping) else {"arrayValue": _array(value)}


_WORDS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def _integer(value: int) -> str:
    if value not in _INT64:
        raise ValueError("an integer beyond 64 bits")
    return str(value)


def _array(values: Sequence[Any]) -> dict[str, Any]:
    return {"values": [_value(value) for value in values]}
