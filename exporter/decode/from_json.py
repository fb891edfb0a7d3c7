"""OTLP/JSON → Batch, through typed structs: hex ids, 64-bit integers as strings or numbers, unknown fields ignored."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from ..model.trace import Event
from ..runtime import mismatch
from .batch import OVERHEAD, Batch, BatchBuilder, DecodeError, DecodeLimits, TooLarge, check_items, count
from .mend import mended

_MAX_DEPTH = 64
_BRACKETS_PER_VALUE = 4  # also those inside text are counted
_SPAN_KINDS = {
    f"SPAN_KIND_{name}": number
    for number, name in enumerate(("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"))
}
_STATUS_CODES = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}
_INT64 = range(-(2**63), 2**63)
_UINT64 = range(2**64)
_Item = TypeVar("_Item")
_Many = list[_Item | None] | None


class _Message(Struct, rename="camel", gc=False):
    """Every field may be absent or null."""


class _AnyValue(_Message):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | None = None
    double_value: float | None = None
    bytes_value: bytes | None = None
    array_value: "_ArrayValue | None" = None
    kvlist_value: "_KeyValueList | None" = None


class _ArrayValue(_Message):
    values: "list[_AnyValue | None] | None" = None


class _KeyValue(_Message):
    key: str | None = None
    value: _AnyValue | None = None


class _KeyValueList(_Message):
    values: _Many[_KeyValue] = None


class _Resource(_Message):
    attributes: _Many[_KeyValue] = None


class _Scope(_Message):
    name: str | None = None


class _Status(_Message):
    message: str | None = None
    code: int | str | None = None


class _Event(_Message):
    time_unix_nano: int | None = None
    name: str | None = None
    attributes: _Many[_KeyValue] = None


class _Span(_Message):
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    name: str | None = None
    start_time_unix_nano: int | None = None
    end_time_unix_nano: int | None = None
    attributes: _Many[_KeyValue] = None
    events: _Many[_Event] = None
    status: _Status | None = None
    kind: int | str | None = None
    flags: int | None = None


class _ScopeSpans(_Message):
    scope: _Scope | None = None
    spans: _Many[_Span] = None


class _ResourceSpans(_Message):
    resource: _Resource | None = None
    scope_spans: _Many[_ScopeSpans] = None


class _TracesRequest(_Message):
    resource_spans: _Many[_ResourceSpans] = None


class _LogRecord(_Message):
    time_unix_nano: int | None = None
    observed_time_unix_nano: int | None = None
    body: _AnyValue | None = None
    attributes: _Many[_KeyValue] = None
    trace_id: str | None = None
    span_id: str | None = None
    event_name: str | None = None


class _ScopeLogs(_Message):
    scope: _Scope | None = None
    log_records: _Many[_LogRecord] = None


class _ResourceLogs(_Message):
    resource: _Resource | None = None
    scope_logs: _Many[_ScopeLogs] = None


class _LogsRequest(_Message):
    resource_logs: _Many[_ResourceLogs] = None


_traces = msgspec.json.Decoder(_TracesRequest, strict=False)
_logs = msgspec.json.Decoder(_LogsRequest, strict=False)
_Request = TypeVar("_Request", _TracesRequest, _LogsRequest)


def decode_traces(body: bytes, limits: DecodeLimits, received_at: float) -> Batch:
    """Decode an ExportTraceServiceRequest; raises DecodeError, naming the place, where it is not one."""
    request, repaired = _parse(_traces, body, limits)
    groups = [
        (resource, scope, scope.spans)
        for resource in _present(request.resource_spans)
        for scope in _present(resource.scope_spans)
        if scope.spans
    ]
    total = sum(len(spans) for _, _, spans in groups)
    check_items(total, limits)
    builder = BatchBuilder(limits, received_at, _share(body, total))
    for resource, scope, spans in groups:
        shared = _attributes(resource.resource.attributes) if resource.resource else {}
        for span in _present(spans):
            _read_span(builder, span, shared, _scope_name(scope.scope))
    return _finished(builder, repaired=repaired)


def decode_logs(body: bytes, limits: DecodeLimits, received_at: float) -> Batch:
    """Decode an ExportLogsServiceRequest; raises DecodeError, naming the place, where it is not one."""
    request, repaired = _parse(_logs, body, limits)
    groups = [
        (resource, scope, scope.log_records)
        for resource in _present(request.resource_logs)
        for scope in _present(resource.scope_logs)
        if scope.log_records
    ]
    total = sum(len(records) for _, _, records in groups)
    check_items(total, limits)
    builder = BatchBuilder(limits, received_at, _share(body, total))
    for resource, scope, records in groups:
        shared = _attributes(resource.resource.attributes) if resource.resource else {}
        for record in _present(records):
            _read_log(builder, record, shared, _scope_name(scope.scope))
    return _finished(builder, repaired=repaired)


def _parse(decoder: "msgspec.json.Decoder[_Request]", body: bytes, limits: DecodeLimits) -> tuple[_Request, bool]:
    most = _BRACKETS_PER_VALUE * limits.values
    if len(body) > most and body.count(b"{") + body.count(b"[") > most:
        raise TooLarge(f"the body holds more than {limits.values} values; send fewer spans in one request")
    try:
        return decoder.decode(body), False
    except RecursionError:
        raise DecodeError("the JSON is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        repaired = mended(body)
        if repaired == body:
            raise _invalid(decoder, body) from None
    try:
        return decoder.decode(repaired), True
    except RecursionError:
        raise DecodeError("the JSON is nested too deeply") from None
    except msgspec.DecodeError:
        raise _invalid(decoder, repaired) from None


def _invalid(decoder: "msgspec.json.Decoder[_Request]", body: bytes) -> DecodeError:
    return DecodeError(
        f"the body is not valid OTLP/JSON: {mismatch.of_json(body, decoder.type, strict=decoder.strict)}"
    )


def _finished(builder: BatchBuilder, *, repaired: bool) -> Batch:
    if repaired:
        count(builder.batch.anomalies, "invalid_utf8")
    return builder.batch


def _share(body: bytes, total: int) -> int:
    return len(body) // max(total, 1) + OVERHEAD


def _present(items: _Many[_Item]) -> Sequence[_Item]:
    return [item for item in items if item is not None] if items else ()


def _scope_name(scope: _Scope | None) -> str:
    return (scope.name or "") if scope else ""


def _read_span(builder: BatchBuilder, span: _Span, resource: dict[str, Any], scope: str) -> None:
    builder.span(
        _id(span.trace_id),
        _id(span.span_id),
        _id(span.parent_span_id),
        span.name or "",
        _time(span.start_time_unix_nano, "startTimeUnixNano"),
        _time(span.end_time_unix_nano, "endTimeUnixNano"),
        _attributes(span.attributes),
        builder.events(_present(span.events), _event) if span.events else (),
        *_status(span.status),
        _enum(span.kind, _SPAN_KINDS, "kind"),
        span.flags or 0,
        resource,
        scope,
    )


def _read_log(builder: BatchBuilder, record: _LogRecord, resource: dict[str, Any], scope: str) -> None:
    time = _time(record.time_unix_nano, "timeUnixNano")
    builder.log(
        _id(record.trace_id),
        _id(record.span_id),
        record.event_name or "",
        time or _time(record.observed_time_unix_nano, "observedTimeUnixNano"),
        _attributes(record.attributes),
        _plain(record.body),
        resource,
        scope,
    )


def _id(text: str | None) -> bytes:
    """Hex to bytes; what is not hex becomes an id of the wrong length, which is then refused with its span."""
    if not text:
        return b""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b"?"


def _time(value: int | None, name: str) -> int:
    if not value:
        return 0
    if value not in _UINT64:
        raise DecodeError(f"{name}: out of the range of an unsigned 64-bit integer")
    return value


def _event(event: _Event) -> Event:
    return Event(event.name or "", _time(event.time_unix_nano, "timeUnixNano"), _attributes(event.attributes))


def _status(status: _Status | None) -> tuple[int, str]:
    if status is None:
        return 0, ""
    return _enum(status.code, _STATUS_CODES, "status.code"), status.message or ""


def _enum(value: int | str | None, names: Mapping[str, int], field: str) -> int:
    """Return the number of an enumeration's value, which may be its name or digits."""
    number = value or 0
    if isinstance(number, str):
        number = names[number] if number in names else int(number) if number.isdecimal() else -1
    if not 0 <= number < 2**31:
        raise DecodeError(f"{field}: neither a known name nor a number")
    return number


def _attributes(pairs: _Many[_KeyValue], depth: int = 0) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for pair in pairs or ():
        if pair is not None:
            value = pair.value
            text = value.string_value if value is not None else None  # most values: worth its own path
            attributes[pair.key or ""] = _plain(value, depth) if text is None else text
    return attributes


def _plain(value: _AnyValue | None, depth: int = 0) -> Any:
    if value is None:
        return None
    if value.string_value is not None:
        return value.string_value
    if value.int_value is not None:
        if value.int_value not in _INT64:
            raise DecodeError("intValue: out of the range of a 64-bit integer")
        return value.int_value
    if value.array_value is not None or value.kvlist_value is not None:
        return _nested(value, depth + 1)
    if value.double_value is not None:
        return value.double_value
    return value.bytes_value if value.bool_value is None else value.bool_value


def _nested(value: _AnyValue, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise DecodeError(f"an attribute is nested more than {_MAX_DEPTH} levels deep")
    if value.array_value is not None:
        return [_plain(item, depth) for item in value.array_value.values or ()]
    return _attributes(value.kvlist_value.values, depth) if value.kvlist_value else None
