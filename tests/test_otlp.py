import math
import struct
import tracemalloc
from pathlib import Path

import msgspec
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from exporter.decode import JSON, PROTOBUF, Batch, DecodeError, DecodeLimits, TooLarge, decode, reply, status
from exporter.decode.wire import STRICT
from exporter.model.trace import Event

CAPTURES = Path(__file__).parent / "captures" / "requests"
BODIES = sorted(CAPTURES.glob("*.pb"))
NOW = 1_795_425_600.0
NANOSECONDS = 1_000_000_000
START = int(NOW) * NANOSECONDS
TRACE_ID = bytes(range(16))
SPAN_ID = bytes(range(8))
LIMITS = DecodeLimits()


def traces_request(**fields):
    request = ExportTraceServiceRequest()
    span = (
        request.resource_spans.add()
        .scope_spans.add()
        .spans.add(trace_id=TRACE_ID, span_id=SPAN_ID, start_time_unix_nano=START, end_time_unix_nano=START + 5)
    )
    for name, value in fields.items():
        setattr(span, name, value)
    return request, span


def decoded(request, *, limits=LIMITS, now=NOW):
    return decode("traces", PROTOBUF, request.SerializeToString(), limits, now)


def logs_request(**fields):
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=START, **fields)
    return request, record


def decoded_logs(request, *, limits=LIMITS):
    return decode("logs", PROTOBUF, request.SerializeToString(), limits, NOW)


def signal_of(path):
    return "logs" if ".logs" in path.name else "traces"


def without_sizes(batch):
    """Sizes are of the bytes that came, which differ between protobuf and JSON; all else must not."""
    batch.spans = [msgspec.structs.replace(span, size=0) for span in batch.spans]
    batch.logs = [msgspec.structs.replace(record, size=0) for record in batch.logs]
    return batch


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def test_there_are_captures_to_read():
    assert len(BODIES) == 685


@pytest.mark.parametrize("path", BODIES, ids=lambda path: path.stem)
def test_protobuf_and_json_of_a_capture_are_equal(path):
    signal = signal_of(path)
    protobuf = without_sizes(decode(signal, PROTOBUF, path.read_bytes(), LIMITS, NOW))
    assert protobuf.spans or protobuf.logs or protobuf.rejected
    for suffix in (".json", ".rawjson"):
        if (twin := path.with_suffix(suffix)).exists():
            assert without_sizes(decode(signal, JSON, twin.read_bytes(), LIMITS, NOW)) == protobuf


@pytest.mark.parametrize("path", BODIES[::20], ids=lambda path: path.stem)
def test_a_decoded_capture_is_what_the_official_schema_reads(path):
    if signal_of(path) == "logs":
        official = ExportLogsServiceRequest.FromString(path.read_bytes())
        expected = [r.trace_id for rl in official.resource_logs for sl in rl.scope_logs for r in sl.log_records]
        batch = decode("logs", PROTOBUF, path.read_bytes(), LIMITS, NOW)
        assert [record.trace_id for record in batch.logs] == [trace_id for trace_id in expected if any(trace_id)]
        return
    official = ExportTraceServiceRequest.FromString(path.read_bytes())
    spans = [s for rs in official.resource_spans for ss in rs.scope_spans for s in ss.spans]
    batch = decode("traces", PROTOBUF, path.read_bytes(), LIMITS, NOW)
    assert [(s.trace_id, s.span_id, s.name, s.start, s.end, s.status_code) for s in batch.spans] == [
        (s.trace_id, s.span_id, s.name, s.start_time_unix_nano, s.end_time_unix_nano, s.status.code) for s in spans
    ]
    assert [sorted(span.attributes) for span in batch.spans] == [sorted(kv.key for kv in s.attributes) for s in spans]


def test_every_part_of_a_span_is_kept():
    request, span = traces_request(parent_span_id=b"parentid", name="chat gpt")
    group = request.resource_spans[0]
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    group.scope_spans[0].scope.name = "instrumentation"
    span.status.code, span.status.message = 2, "boom"
    event = span.events.add(name="choice", time_unix_nano=START + 1)
    event.attributes.add(key="index").value.int_value = 3
    span.attributes.add(key="model").value.string_value = "gpt"
    (got,) = decoded(request).spans
    assert (got.trace_id, got.span_id, got.parent_span_id, got.name) == (TRACE_ID, SPAN_ID, b"parentid", "chat gpt")
    assert (got.start, got.end, got.status_code, got.status_message) == (START, START + 5, 2, "boom")
    assert (got.resource, got.scope, got.attributes) == ({"service.name": "shop"}, "instrumentation", {"model": "gpt"})
    assert list(got.events) == [Event("choice", START + 1, {"index": 3})]


def test_the_last_of_equal_names_wins_in_protobuf_and_json():
    request, span = traces_request()
    for text in ("first", "second"):
        span.attributes.add(key="a").value.string_value = text
    body = b"""{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"%s","spanId":"%s","attributes":[
    {"key":"a","value":{"stringValue":"first"}},{"key":"a","value":{"stringValue":"second"}}]}]}]}]}"""
    json_batch = decode("traces", JSON, body % (TRACE_ID.hex().encode(), SPAN_ID.hex().encode()), LIMITS, NOW)
    assert decoded(request).spans[0].attributes == json_batch.spans[0].attributes == {"a": "second"}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"trace_id": b""}, "trace_id"),
        ({"trace_id": bytes(16)}, "trace_id"),
        ({"trace_id": b"short"}, "trace_id"),
        ({"trace_id": bytes(range(17))}, "trace_id"),
        ({"span_id": b""}, "span_id"),
        ({"span_id": bytes(8)}, "span_id"),
        ({"span_id": bytes(range(9))}, "span_id"),
    ],
)
def test_a_span_with_a_bad_id_is_refused_and_the_rest_accepted(fields, reason):
    request, _ = traces_request(**fields)
    request.resource_spans[0].scope_spans[0].spans.add(trace_id=TRACE_ID, span_id=b"good one")
    batch = decoded(request)
    assert batch.rejected == {reason: 1}
    assert [span.span_id for span in batch.spans] == [b"good one"]


def test_an_all_zero_parent_means_a_root():
    assert decoded(traces_request(parent_span_id=bytes(8))[0]).spans[0].parent_span_id == b""


def test_a_parent_of_wrong_length_is_dropped_and_noted():
    batch = decoded(traces_request(parent_span_id=b"abc")[0])
    assert (batch.spans[0].parent_span_id, batch.anomalies) == (b"", {"parent_span_id": 1})


@pytest.mark.parametrize("years", [-10, 5, 400])
def test_a_clock_that_is_years_off_is_accepted_and_noted(years):
    start = START + years * 365 * 86_400 * NANOSECONDS
    batch = decoded(traces_request(start_time_unix_nano=start, end_time_unix_nano=start + 5)[0])
    assert batch.anomalies == {"clock_skew": 1}
    assert batch.spans[0].end - batch.spans[0].start == 5


def test_a_span_of_last_month_is_no_anomaly():
    start = START - 30 * 86_400 * NANOSECONDS
    assert decoded(traces_request(start_time_unix_nano=start, end_time_unix_nano=start)[0]).anomalies == {}


def test_a_missing_start_does_not_make_a_duration_of_decades():
    (span,) = decoded(traces_request(start_time_unix_nano=0)[0]).spans
    assert span.start == span.end == START + 5


def test_a_negative_duration_becomes_none_and_is_noted():
    batch = decoded(traces_request(end_time_unix_nano=START - 1)[0])
    assert (batch.spans[0].end, batch.anomalies) == (START, {"negative_duration": 1})


def test_the_largest_times_are_accepted():
    batch = decoded(traces_request(start_time_unix_nano=2**64 - 1, end_time_unix_nano=2**64 - 1)[0])
    assert batch.anomalies == {"clock_skew": 1}


@pytest.mark.parametrize("path", BODIES[::50], ids=lambda path: path.stem)
def test_truncated_protobuf_is_refused_or_a_shorter_message(path):
    body = path.read_bytes()
    outcomes = set()
    for end in range(1, len(body), 7):
        try:
            outcomes.add(type(decode(signal_of(path), PROTOBUF, body[:end], LIMITS, NOW)))
        except DecodeError:
            outcomes.add(DecodeError)
    assert DecodeError in outcomes


@pytest.mark.parametrize("body", [b"\xff" * 40, b"{}", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x0c"])
def test_what_is_not_protobuf_is_refused(body):
    with pytest.raises(DecodeError, match="not a valid OTLP protobuf"):
        decode("traces", PROTOBUF, body, LIMITS, NOW)


@pytest.mark.parametrize("signal", ["traces", "logs"])
def test_an_empty_body_is_an_empty_batch(signal):
    assert decode(signal, PROTOBUF, b"", LIMITS, NOW) == Batch()


def test_fields_of_the_future_are_ignored():
    span = field(1, TRACE_ID) + field(2, SPAN_ID) + field(999, b"new") + field(13, field(1, TRACE_ID))
    body = field(1, field(2, field(2, span) + field(77, b"?")) + field(1000, b"??"))
    assert [got.span_id for got in decode("traces", PROTOBUF, body, LIMITS, NOW).spans] == [SPAN_ID]


def test_invalid_utf8_is_replaced_and_the_rest_kept():
    value = field(2, field(1, b"caf\xe9"))
    nested = field(2, field(6, field(1, field(1, b"\xfe") + field(2, field(5, field(1, field(1, b"\xff")))))))
    event = field(2, b"ev\xff") + field(3, field(1, b"k") + value)
    span = (
        field(1, TRACE_ID) + field(2, SPAN_ID) + field(5, b"n\xffame") + field(15, field(2, b"\xffbad") + b"\x18\x02")
    )
    span += field(9, field(1, b"prompt") + value) + field(9, field(1, b"m") + nested) + field(11, event)
    body = field(
        1,
        field(1, field(1, field(1, b"service.name") + value)) + field(2, field(1, field(1, b"s\xff")) + field(2, span)),
    )
    batch = decode("traces", PROTOBUF, body, LIMITS, NOW)
    (got,) = batch.spans
    assert batch.anomalies == {"invalid_utf8": 1, "clock_skew": 1}
    assert (got.name, got.scope, got.status_code, got.status_message) == ("n\ufffdame", "s\ufffd", 2, "\ufffdbad")
    assert got.attributes == {"prompt": "caf\ufffd", "m": {"\ufffd": ["\ufffd"]}}
    assert got.resource == {"service.name": "caf\ufffd"}
    assert list(got.events) == [Event("ev\ufffd", 0, {"k": "caf\ufffd"})]


def test_invalid_utf8_in_a_log_record_is_replaced():
    record = field(9, TRACE_ID) + field(5, field(1, b"b\xff")) + field(6, field(1, b"k\xff") + field(2, field(1, b"v")))
    batch = decode("logs", PROTOBUF, field(1, field(2, field(2, record))), LIMITS, NOW)
    assert (batch.logs[0].body, batch.logs[0].attributes) == ("b\ufffd", {"k\ufffd": "v"})
    assert batch.anomalies["invalid_utf8"] == 1


def test_nul_bytes_are_text_like_any_other():
    request, span = traces_request(name="a\0b")
    span.attributes.add(key="k\0").value.string_value = "\0v"
    (got,) = decoded(request).spans
    assert (got.name, got.attributes) == ("a\0b", {"k\0": "\0v"})


def test_a_value_of_a_megabyte_is_kept():
    request, span = traces_request()
    span.attributes.add(key="gen_ai.prompt.version").value.string_value = "v" * (1 << 20)
    (got,) = decoded(request).spans
    assert len(got.attributes["gen_ai.prompt.version"]) == 1 << 20
    assert got.size > 1 << 20


def test_the_sizes_of_spans_add_up_to_the_body():
    request, _ = traces_request()
    for number in range(9):
        request.resource_spans[0].scope_spans[0].spans.add(trace_id=TRACE_ID, span_id=struct.pack(">q", number + 1))
    assert sum(span.size for span in decoded(request).spans) >= len(request.SerializeToString())


def test_nesting_too_deep_for_protobuf_is_refused():
    value = field(1, b"x")
    for _ in range(5_000):
        value = field(5, field(1, value))
    span = field(1, TRACE_ID) + field(2, SPAN_ID) + field(9, field(1, b"k") + field(2, value))
    with pytest.raises(DecodeError, match="nested too deeply"):
        decode("traces", PROTOBUF, field(1, field(2, field(2, span))), LIMITS, NOW)


def test_a_span_with_too_many_attributes_is_refused_alone():
    limits = DecodeLimits(attributes_per_span=3)
    request, span = traces_request()
    for number in range(4):
        span.attributes.add(key=str(number))
    request.resource_spans[0].scope_spans[0].spans.add(trace_id=TRACE_ID, span_id=b"good one")
    batch = decoded(request, limits=limits)
    assert (batch.rejected, len(batch.spans)) == ({"too_many_attributes": 1}, 1)


def test_a_span_with_too_many_events_is_refused_alone():
    request, span = traces_request()
    for _ in range(4):
        span.events.add(name="e")
    batch = decoded(request, limits=DecodeLimits(events_per_span=3))
    assert (batch.rejected, batch.spans) == ({"too_many_events": 1}, [])


def test_ten_million_attributes_are_refused_before_they_cost_memory():
    attribute = field(9, field(1, b"0123"))
    span = field(1, TRACE_ID) + field(2, SPAN_ID) + attribute * 10_000_000
    body = field(1, field(2, field(2, span)))
    limits = DecodeLimits(decompressed_bytes=len(body))
    tracemalloc.start()
    with pytest.raises(TooLarge, match="more than 1000000 values"):
        decode("traces", PROTOBUF, body, limits, NOW)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * len(body)


EMPTY = {
    "resources": b"\x0a\x00" * 2_000_000,
    "scopes": field(1, b"\x12\x00" * 2_000_000),
    "spans": field(1, field(2, b"\x12\x00" * 2_000_000)),
    "spans with overlong tags": field(1, field(2, b"\x92\x00\x00" * 2_000_000)),
    "events": field(1, field(2, field(2, b"\x5a\x00" * 2_000_000))),
    "spans behind a group": b"\x0b\x0c" + field(1, field(2, b"\x12\x00" * 2_000_000)),
    "spans in a group": b"\x0b" + field(1, field(2, b"\x12\x00" * 2_000_000)) + b"\x0c",
    "array items": field(1, field(2, field(2, field(9, field(2, field(5, b"\x0a\x00" * 2_000_000)))))),
}


@pytest.mark.parametrize("what", EMPTY)
def test_millions_of_empty_messages_are_refused(what):
    with pytest.raises(TooLarge, match="send fewer"):
        decode("traces", PROTOBUF, EMPTY[what], LIMITS, NOW)


TEN = {
    "resources": b"\x0a\x00" * 10,
    "scopes": field(1, b"\x12\x00" * 10),
    "spans": field(1, field(2, b"\x12\x00" * 10)),
}


@pytest.mark.parametrize("what", TEN)
def test_more_items_than_allowed_are_refused(what):
    with pytest.raises(TooLarge, match="more than 9 spans"):
        decode("traces", PROTOBUF, TEN[what], DecodeLimits(items=9), NOW)


def test_a_large_body_of_ordinary_spans_is_not_taken_for_an_attack():
    request, span = traces_request()
    span.attributes.add(key="gen_ai.input.messages").value.string_value = "2JZ*\n" * 1_000_000
    span.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = 42
    assert len(decoded(request).spans) == 1


def test_a_body_over_the_limit_is_too_large_whatever_it_holds():
    with pytest.raises(TooLarge):
        decode("traces", PROTOBUF, b"\xff" * 11, DecodeLimits(decompressed_bytes=10), NOW)


def test_every_part_of_a_log_record_is_kept():
    request, record = logs_request(trace_id=TRACE_ID, span_id=SPAN_ID, event_name="gen_ai.choice")
    record.body.kvlist_value.values.add(key="index").value.int_value = 1
    record.attributes.add(key="gen_ai.system").value.string_value = "openai"
    request.resource_logs[0].resource.attributes.add(key="service.name").value.string_value = "shop"
    request.resource_logs[0].scope_logs[0].scope.name = "scope"
    (got,) = decoded_logs(request).logs
    assert (got.trace_id, got.span_id, got.event_name, got.time) == (TRACE_ID, SPAN_ID, "gen_ai.choice", START)
    assert (got.body, got.attributes) == ({"index": 1}, {"gen_ai.system": "openai"})
    assert (got.resource, got.scope) == ({"service.name": "shop"}, "scope")


def test_a_log_record_without_a_time_has_the_time_it_was_observed():
    request, record = logs_request(trace_id=TRACE_ID, observed_time_unix_nano=START + 9)
    record.time_unix_nano = 0
    assert decoded_logs(request).logs[0].time == START + 9


@pytest.mark.parametrize("trace_id", [b"", bytes(16)])
def test_a_log_record_of_no_trace_is_counted_and_not_kept(trace_id):
    batch = decoded_logs(logs_request(trace_id=trace_id)[0])
    assert (batch.logs, batch.rejected) == ([], {"no_trace": 1})


def test_a_log_record_needs_no_span():
    assert [got.span_id for got in decoded_logs(logs_request(trace_id=TRACE_ID, span_id=bytes(8))[0]).logs] == [b""]


@pytest.mark.parametrize(
    ("fields", "reason"), [({"trace_id": b"abc"}, "trace_id"), ({"trace_id": TRACE_ID, "span_id": b"x"}, "span_id")]
)
def test_a_log_record_with_a_bad_id_is_refused(fields, reason):
    assert decoded_logs(logs_request(**fields)[0]).rejected == {reason: 1}


def test_a_retried_log_record_has_the_same_key_and_another_record_another():
    def key(**fields):
        request, _ = logs_request(**{"trace_id": TRACE_ID, "event_name": "e"} | fields)
        return decoded_logs(request).logs[0].key

    first = key()
    assert len(first) == 8
    assert key() == first
    others = {
        key(span_id=SPAN_ID),
        key(event_name="f"),
        key(trace_id=bytes(range(1, 17))),
        key(body={"string_value": "x"}),
    }
    assert len(others | {first}) == 5


def test_the_key_of_a_log_record_does_not_depend_on_the_order_of_attributes():
    keys = set()
    for names in (("a", "b", "c"), ("c", "a", "b")):
        request, record = logs_request(trace_id=TRACE_ID)
        for name in names:
            record.attributes.add(key=name).value.string_value = name
        keys.add(decoded_logs(request).logs[0].key)
    assert len(keys) == 1


def test_the_reply_to_full_success_is_empty():
    batch = decoded(traces_request()[0])
    assert (reply("traces", PROTOBUF, batch), reply("traces", JSON, batch)) == (b"", b"{}")


def test_the_reply_to_partial_success_says_how_many_and_why():
    batch = Batch(rejected={"trace_id": 2, "span_id": 1})
    for signal, official, name in (
        ("traces", ExportTraceServiceResponse, "rejected_spans"),
        ("logs", ExportLogsServiceResponse, "rejected_log_records"),
    ):
        partial = official.FromString(reply(signal, PROTOBUF, batch)).partial_success
        assert (getattr(partial, name), partial.error_message) == (3, "1 refused: span_id, 2 refused: trace_id")
    assert msgspec.json.decode(reply("logs", JSON, batch)) == {
        "partialSuccess": {"rejectedLogRecords": "3", "errorMessage": "1 refused: span_id, 2 refused: trace_id"}
    }


def test_log_records_of_no_trace_are_no_partial_success():
    batch = decoded_logs(logs_request()[0])
    assert (reply("logs", PROTOBUF, batch), reply("logs", JSON, batch)) == (b"", b"{}")


def test_a_status_is_a_google_rpc_status_in_either_form():
    message = STRICT.message("RpcStatus").FromString(status(PROTOBUF, 3, "no"))
    assert (message.code, message.message) == (3, "no")
    assert status(PROTOBUF, 3, "no") == b"\x08\x03\x12\x02no"
    assert msgspec.json.decode(status("text/weird", 14, "busy")) == {"code": 14, "message": "busy"}


def test_nan_and_infinity_pass_through_protobuf():
    request, span = traces_request()
    for number, value in enumerate((math.nan, math.inf, -math.inf)):
        span.attributes.add(key=str(number)).value.double_value = value
    attributes = decoded(request).spans[0].attributes
    assert math.isnan(attributes["0"])
    assert (attributes["1"], attributes["2"]) == (math.inf, -math.inf)
