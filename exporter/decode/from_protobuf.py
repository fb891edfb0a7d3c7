"""OTLP protobuf → Batch.

The kernels read it (``native/otlp.c``). Where they are not used, and of requests with anything rare in
them, protobuf does: then the attributes of spans stay in its memory and become Python values when they are read.
"""

from collections.abc import Callable, ItemsView, Iterator, Mapping
from typing import Any

from google.protobuf.message import DecodeError as ProtobufError

from ..model.trace import Event
from ..native import COMPILED
from .batch import OVERHEAD, Batch, BatchBuilder, DecodeError, DecodeLimits, check_items, count
from .weigh import LOGS, TRACES, check_weight
from .wire import LENIENT, STRICT

if COMPILED:
    from ..native._kernels import records as _records
    from ..native._kernels import spans as _spans
else:
    _records = _spans = None  # type: ignore[assignment]

_TracesRequest = STRICT.message("TracesRequest")
_LogsRequest = STRICT.message("LogsRequest")
_LenientTracesRequest = LENIENT.message("TracesRequest")
_LenientLogsRequest = LENIENT.message("LogsRequest")


class Attributes(Mapping[str, Any]):
    """A read-only view of a protobuf attribute map; equal to the dict of the same content."""

    __slots__ = ("_map",)

    def __init__(self, attributes: Any) -> None:
        self._map = attributes

    def __getitem__(self, name: str) -> Any:
        if name in self._map:
            value = self._map[name]
            return value.string_value or value.int_value or _plain(value)
        raise KeyError(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of an attribute, or the default where it was not sent."""
        value = self._map.get(name)
        return default if value is None else value.string_value or value.int_value or _plain(value)

    def __contains__(self, name: object) -> bool:
        return name in self._map

    def __iter__(self) -> Iterator[str]:
        return iter(self._map)

    def __len__(self) -> int:
        return len(self._map)

    def items(self) -> ItemsView[str, Any]:
        """Return the names with their values."""
        return _plain_map(self._map).items()

    def __repr__(self) -> str:
        return f"Attributes(<{len(self._map)} names>)"


_VIEW, _VIEWED = 500, 160
"""Bytes that attributes take in protobuf's memory, and that each does: in hash tables, half empty (roughly)."""


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _plain_map(value.kvlist_value.values)
    return getattr(value, kind)


def _plain_map(values: Any) -> dict[str, Any]:
    plain = {}
    for name in values:
        value = values[name]
        plain[name] = value.string_value or value.int_value or _plain(value)
    return plain


def _repaired(value: Any) -> Any:
    """As _plain, for the lenient schema."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "string_value":
        return _text(value.string_value)
    if kind == "array_value":
        return [_repaired(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _repaired_map(value.kvlist_value.values)
    return getattr(value, kind)


def _repaired_map(values: Any) -> dict[str, Any]:
    return {_text(entry.key): _repaired(entry.value) for entry in values}


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _usual(read: Callable[..., list[tuple[Any, ...]]] | None, *arguments: Any) -> list[tuple[Any, ...]] | None:
    """Return what C reads of a request, None of one that it leaves to protobuf, as of any where there is no C."""
    try:
        return None if read is None else read(*arguments)
    except ValueError:
        return None


def decode_traces(body: bytes, limits: DecodeLimits, received_at: float) -> Batch:
    """Decode an ExportTraceServiceRequest; raises DecodeError where it is not one, TooLarge where it holds too much."""
    check_weight(body, TRACES, limits.values)
    spans = _usual(_spans, body, limits.items, Event)
    if spans is None:
        return plain_traces(body, limits, received_at)
    builder = BatchBuilder(limits, received_at, _share(body, len(spans)))
    for span in spans:
        builder.span(*span)
    return builder.batch


def plain_traces(body: bytes, limits: DecodeLimits, received_at: float) -> Batch:
    """Do the same without C, and without a look at the body's weight."""
    request, lenient = _parse(_TracesRequest, _LenientTracesRequest, body)
    builder = BatchBuilder(limits, received_at, _share(body, _count_spans(request, limits)))
    read = _read_lenient_spans if lenient else _read_spans
    for resource in request.resource_spans:
        read(builder, resource)
    return _finished(builder, lenient=lenient)


def decode_logs(body: bytes, limits: DecodeLimits, received_at: float) -> Batch:
    """Decode an ExportLogsServiceRequest; raises DecodeError where it is not one, TooLarge where it holds too much."""
    check_weight(body, LOGS, limits.values)
    records = _usual(_records, body, limits.items)
    if records is None:
        return plain_logs(body, limits, received_at)
    builder = BatchBuilder(limits, received_at, _share(body, len(records)))
    for record in records:
        builder.log(*record)
    return builder.batch


def plain_logs(body: bytes, limits: DecodeLimits, received_at: float) -> Batch:
    """Do the same without C, and without a look at the body's weight."""
    request, lenient = _parse(_LogsRequest, _LenientLogsRequest, body)
    builder = BatchBuilder(limits, received_at, _share(body, _count_records(request, limits)))
    read = _read_lenient_logs if lenient else _read_logs
    for resource in request.resource_logs:
        read(builder, resource)
    return _finished(builder, lenient=lenient)


def _count_spans(request: Any, limits: DecodeLimits) -> int:
    """Count before anything is converted: the groups first, for each may be empty."""
    groups = spans = 0
    for resource in _few(request.resource_spans, limits):
        groups += len(resource.scope_spans) + 1
        check_items(groups, limits)
        spans += sum(len(scope.spans) for scope in resource.scope_spans)
        check_items(spans, limits)
    return spans


def _count_records(request: Any, limits: DecodeLimits) -> int:
    groups = records = 0
    for resource in _few(request.resource_logs, limits):
        groups += len(resource.scope_logs) + 1
        check_items(groups, limits)
        records += sum(len(scope.log_records) for scope in resource.scope_logs)
        check_items(records, limits)
    return records


def _few(resources: Any, limits: DecodeLimits) -> Any:
    check_items(len(resources), limits)
    return resources


def _finished(builder: BatchBuilder, *, lenient: bool) -> Batch:
    if lenient:
        count(builder.batch.anomalies, "invalid_utf8")
    return builder.batch


def _parse(strict: Any, lenient: Any, body: bytes) -> tuple[Any, bool]:
    try:
        return strict.FromString(body), False
    except ProtobufError:
        pass
    try:
        return lenient.FromString(body), True
    except ProtobufError:
        raise DecodeError("the body is not a valid OTLP protobuf message, or is nested too deeply") from None


def _share(body: bytes, total: int) -> int:
    """Each span's part of the request's memory, which is freed as a whole."""
    return len(body) // max(total, 1) + OVERHEAD


def _read_spans(builder: BatchBuilder, message: Any) -> None:
    resource = _plain_map(message.resource.attributes)
    for group in message.scope_spans:
        scope = group.scope.name
        for span in group.spans:
            builder.span(
                span.trace_id,
                span.span_id,
                span.parent_span_id,
                span.name,
                span.start_time_unix_nano,
                span.end_time_unix_nano,
                Attributes(span.attributes),
                builder.events(span.events, _event),
                span.status.code,
                span.status.message,
                span.kind,
                span.flags,
                resource,
                scope,
                _VIEW + _VIEWED * len(span.attributes),
            )


def _event(event: Any) -> Event:
    return Event(event.name, event.time_unix_nano, Attributes(event.attributes))


def _repaired_event(event: Any) -> Event:
    return Event(_text(event.name), event.time_unix_nano, _repaired_map(event.attributes))


def _read_lenient_spans(builder: BatchBuilder, message: Any) -> None:
    resource = _repaired_map(message.resource.attributes)
    for group in message.scope_spans:
        scope = _text(group.scope.name)
        for span in group.spans:
            builder.span(
                span.trace_id,
                span.span_id,
                span.parent_span_id,
                _text(span.name),
                span.start_time_unix_nano,
                span.end_time_unix_nano,
                _repaired_map(span.attributes),
                builder.events(span.events, _repaired_event),
                span.status.code,
                _text(span.status.message),
                span.kind,
                span.flags,
                resource,
                scope,
            )


def _read_logs(builder: BatchBuilder, message: Any) -> None:
    resource = _plain_map(message.resource.attributes)
    for group in message.scope_logs:
        scope = group.scope.name
        for record in group.log_records:
            builder.log(
                record.trace_id,
                record.span_id,
                record.event_name,
                record.time_unix_nano or record.observed_time_unix_nano,
                _plain_map(record.attributes),
                _plain(record.body),
                resource,
                scope,
            )


def _read_lenient_logs(builder: BatchBuilder, message: Any) -> None:
    resource = _repaired_map(message.resource.attributes)
    for group in message.scope_logs:
        scope = _text(group.scope.name)
        for record in group.log_records:
            builder.log(
                record.trace_id,
                record.span_id,
                _text(record.event_name),
                record.time_unix_nano or record.observed_time_unix_nano,
                _repaired_map(record.attributes),
                _repaired(record.body),
                resource,
                scope,
            )
