import json
import math

import pytest

from exporter.decode import JSON, Batch, DecodeError, DecodeLimits, TooLarge, decode
from exporter.model.trace import Event

NOW = 1_795_425_600.0
START = int(NOW) * 1_000_000_000
TRACE_ID = "0102030405060708090a0b0c0d0e0fff"
SPAN_ID = "01020304050607ff"
LIMITS = DecodeLimits()


def span(**fields):
    known = {"traceId": TRACE_ID, "spanId": SPAN_ID, "startTimeUnixNano": str(START), "endTimeUnixNano": str(START)}
    return known | fields


def traces(*spans):
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}


def decoded(document, *, signal="traces", limits=LIMITS):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return decode(signal, JSON, body, limits, NOW)


def only_span(**fields):
    (got,) = decoded(traces(span(**fields))).spans
    return got


def value_of(value):
    return only_span(attributes=[{"key": "k", "value": value}]).attributes["k"]


@pytest.mark.parametrize("convert", [str.lower, str.upper, str.title])
def test_ids_are_hexadecimal_in_any_case(convert):
    got = only_span(traceId=convert(TRACE_ID), spanId=convert(SPAN_ID), parentSpanId=convert("00000000000000ab"))
    assert (got.trace_id, got.span_id, got.parent_span_id) == (
        bytes.fromhex(TRACE_ID),
        bytes.fromhex(SPAN_ID),
        b"\0\0\0\0\0\0\0\xab",
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"traceId": "0" * 32}, "trace_id"),
        ({"traceId": "abcd"}, "trace_id"),
        ({"traceId": None}, "trace_id"),
        ({"traceId": "AQIDBAUGBwgJCgsMDQ4PEA=="}, "trace_id"),
        ({"traceId": "01020304 05060708090a0b0c0d0e0f1"}, "trace_id"),
        ({"spanId": "0" * 16}, "span_id"),
        ({"spanId": "x" * 16}, "span_id"),
        ({"spanId": ""}, "span_id"),
    ],
)
def test_a_span_with_a_bad_id_is_refused_and_the_rest_accepted(fields, reason):
    batch = decoded(traces(span(**fields), span()))
    assert (batch.rejected, len(batch.spans)) == ({reason: 1}, 1)


@pytest.mark.parametrize("convert", [int, str, float])
def test_64_bit_integers_come_as_numbers_or_text(convert):
    small = 1_795_425_600 * 1_000_000_000
    assert only_span(startTimeUnixNano=convert(small) if convert is not float else small).start == small
    value = value_of({"intValue": convert(42)})
    assert (value, type(value)) == (42, int)


def test_the_largest_integers_keep_every_digit():
    assert value_of({"intValue": str(2**63 - 1)}) == 2**63 - 1
    assert value_of({"intValue": -(2**63)}) == -(2**63)
    assert only_span(startTimeUnixNano=str(2**64 - 1), endTimeUnixNano=2**64 - 1).start == 2**64 - 1


@pytest.mark.parametrize(
    ("code", "expected"),
    [(2, 2), ("STATUS_CODE_ERROR", 2), ("STATUS_CODE_OK", 1), ("STATUS_CODE_UNSET", 0), ("2", 2), (None, 0)],
)
def test_a_status_code_comes_as_a_number_or_a_name(code, expected):
    assert only_span(status={"code": code}).status_code == expected


def test_values_of_every_kind_become_plain():
    assert value_of({"stringValue": ""}) == ""
    assert value_of({"boolValue": False}) is False
    assert value_of({"doubleValue": 3}) == 3.0
    assert value_of({"bytesValue": "AAH/"}) == b"\x00\x01\xff"
    assert value_of({"arrayValue": {"values": [{"intValue": "1"}, {}, {"stringValue": "x"}]}}) == [1, None, "x"]
    assert value_of({"kvlistValue": {"values": [{"key": "a", "value": {"arrayValue": {}}}]}}) == {"a": []}
    assert value_of({"kvlistValue": {}}) == {}


@pytest.mark.parametrize("nothing", [{}, None, {"stringValue": None}, {"future": 1}])
def test_an_empty_value_is_none(nothing):
    assert value_of(nothing) is None


def test_nan_and_infinity_come_as_text():
    assert math.isnan(value_of({"doubleValue": "NaN"}))
    assert value_of({"doubleValue": "Infinity"}) == math.inf
    assert value_of({"doubleValue": "-Infinity"}) == -math.inf


def test_unknown_fields_are_ignored_at_every_level():
    event = {"name": "e", "new": 1, "timeUnixNano": "7"}
    document = traces(span(new=[1], links=[{"traceId": 3}], traceState="a=b", events=[event], status={"new": 1}))
    document["new"] = {"a": [{}]}
    document["resourceSpans"][0] |= {"new": 1, "schemaUrl": "x", "resource": {"new": 1, "droppedAttributesCount": 2}}
    document["resourceSpans"][0]["scopeSpans"][0] |= {"new": 1, "scope": {"name": "s", "version": "1", "new": 2}}
    (got,) = decoded(document).spans
    assert (got.scope, list(got.events)) == ("s", [Event("e", 7, {})])


def test_null_stands_for_an_absent_field_everywhere():
    names = ["parentSpanId", "name", "startTimeUnixNano", "endTimeUnixNano", "attributes", "events", "status"]
    got = only_span(**dict.fromkeys(names))
    assert (got.parent_span_id, got.name, got.attributes, list(got.events)) == (b"", "", {}, [])
    assert decoded({"resourceSpans": None}) == Batch()
    assert decoded({"resourceSpans": [None, {"scopeSpans": None}, {"scopeSpans": [None, {"spans": None}]}]}) == Batch()
    (other,) = decoded(traces(None, span(attributes=[None], events=[None], status={"message": None}))).spans
    assert (other.attributes, list(other.events), other.status_message) == ({}, [], "")


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (traces(span(name=3)), r"spans\[0\]\.name"),
        (traces(span(), span(attributes={})), r"spans\[1\]\.attributes"),
        (traces(span(attributes=[{"key": 1}])), r"attributes\[0\]\.key"),
        (traces(span(attributes=[{"key": "k", "value": {"bytesValue": "*"}}])), r"value\.bytesValue"),
        (traces(span(attributes=[{"key": "k", "value": {"intValue": "many"}}])), r"value\.intValue"),
        (traces(span(attributes=[{"key": "k", "value": {"intValue": str(2**63)}}])), "intValue: out of the range"),
        (traces(span(startTimeUnixNano=-1)), "startTimeUnixNano: out of the range"),
        (traces(span(endTimeUnixNano=str(2**64))), "endTimeUnixNano: out of the range"),
        (traces(span(status={"code": "STATUS_CODE_ODD"})), r"status\.code"),
        (traces(span(status={"code": -1})), r"status\.code"),
        ({"resourceSpans": {}}, "resourceSpans: expected a list, found an object"),
        ([], "expected an object, found a list"),
        (b"", r"not valid JSON \(line 1, column 1\)"),
        (b"{", r"not valid JSON \(line 1, column 2\)"),
        (b"{} {}", r"not valid JSON \(line 1, column 4\)"),
        (b'{"resourceSpans": [NaN]}', "not valid JSON"),
        (b"\x0a\x00", r"not valid JSON \(line 2, column 1\)"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(document, place):
    with pytest.raises(DecodeError, match=place):
        decoded(document)


def test_a_refusal_does_not_quote_the_text():
    with pytest.raises(DecodeError) as refusal:
        decoded(traces(span(attributes=[{"key": "secret", "value": {"intValue": "secret"}}])))
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "opening", [b'{"x":', b"[", b'{"resourceSpans":[', b'{"resourceSpans":[{"scopeSpans":[[', b'{"x":[{"y":']
)
def test_json_nested_100000_deep_is_refused(opening):
    with pytest.raises(DecodeError):
        decoded(opening * 100_000)


def nested(depth):
    value = '{"stringValue":"x"}'
    return '{"arrayValue":{"values":[' * depth + value + "]}}" * depth


@pytest.mark.parametrize("depth", [65, 300, 100_000])
def test_a_value_nested_too_deeply_is_refused(depth):
    body = json.dumps(traces(span(attributes=[{"key": "k", "value": "HERE"}]))).replace('"HERE"', nested(depth))
    with pytest.raises(DecodeError, match="nested"):
        decoded(body.encode())


def test_a_value_nested_as_deeply_as_protobuf_allows_is_read():
    body = json.dumps(traces(span(attributes=[{"key": "k", "value": "HERE"}]))).replace('"HERE"', nested(45))
    value = decoded(body.encode()).spans[0].attributes["k"]
    for _ in range(45):
        (value,) = value
    assert value == "x"


def test_bytes_that_are_not_utf8_are_replaced_and_noted():
    body = json.dumps(traces(span(name="NAME"))).encode().replace(b"NAME", b"caf\xe9 \\\\ud83d \xf0\x9f\x98\x80")
    batch = decoded(body)
    assert (batch.spans[0].name, batch.anomalies) == ("caf\ufffd \\ud83d \U0001f600", {"invalid_utf8": 1})


@pytest.mark.parametrize(
    ("escaped", "expected"),
    [
        (r"cut \ud83d", "cut \ufffd"),
        (r"\ude00 half", "\ufffd half"),
        (r"\uD83D\uDE00 \ud83d", "\U0001f600 \ufffd"),
        (r"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        (r"\\ud83d \ud83dx", "\\ud83d \ufffdx"),
    ],
)
def test_half_an_escaped_character_is_replaced_and_noted(escaped, expected):
    body = json.dumps(traces(span(name="NAME"))).replace("NAME", escaped).encode()
    batch = decoded(body)
    assert (batch.spans[0].name, batch.anomalies) == (expected, {"invalid_utf8": 1})


def test_an_escaped_nul_is_text_and_a_raw_one_is_not_json():
    assert only_span(name="a\0b").name == "a\0b"
    with pytest.raises(DecodeError):
        decoded(json.dumps(traces(span(name="NAME"))).encode().replace(b"NAME", b"a\0b"))


def test_a_value_of_a_megabyte_is_kept():
    assert len(value_of({"stringValue": "v" * (1 << 20)})) == 1 << 20


def test_a_span_with_too_many_attributes_or_events_is_refused_alone():
    many = [{"key": str(number), "value": {"intValue": number}} for number in range(4)]
    events = [{"name": "e"}] * 4
    limits = DecodeLimits(attributes_per_span=3, events_per_span=3)
    batch = decoded(traces(span(attributes=many), span(events=events), span()), limits=limits)
    assert (batch.rejected, len(batch.spans)) == ({"too_many_attributes": 1, "too_many_events": 1}, 1)


@pytest.mark.parametrize("item", [b"{},", b'{"spans":[]},', b'{"scopeSpans":[{"spans":[{}]}]},'])
def test_millions_of_empty_objects_are_refused(item):
    with pytest.raises(TooLarge, match="send fewer"):
        decoded(b'{"resourceSpans":[' + item * (4_100_000 // item.count(b"{")) + b"{}]}")


def test_more_spans_or_records_than_allowed_are_refused():
    with pytest.raises(TooLarge, match="more than 2 spans"):
        decoded(traces(span(), span(), span()), limits=DecodeLimits(items=2))
    with pytest.raises(TooLarge, match="more than 2 spans"):
        decoded(
            {"resourceLogs": [{"scopeLogs": [{"logRecords": [{}] * 3}]}]}, signal="logs", limits=DecodeLimits(items=2)
        )
    with pytest.raises(TooLarge, match="more than 2 spans"):
        decoded(traces(span(events=[{}, {}]), span(events=[{}])), limits=DecodeLimits(items=2))


def test_every_part_of_a_log_record_is_kept():
    record = {
        "traceId": TRACE_ID,
        "spanId": SPAN_ID,
        "timeUnixNano": str(START),
        "eventName": "gen_ai.choice",
        "body": {"kvlistValue": {"values": [{"key": "index", "value": {"intValue": 0}}]}},
        "attributes": [{"key": "gen_ai.system", "value": {"stringValue": "openai"}}],
        "severityNumber": "SEVERITY_NUMBER_INFO",
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    document = {
        "resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": {"name": "s"}, "logRecords": [record]}]}]
    }
    (got,) = decoded(document, signal="logs").logs
    assert (got.trace_id, got.span_id, got.time) == (bytes.fromhex(TRACE_ID), bytes.fromhex(SPAN_ID), START)
    assert (got.event_name, got.body, got.attributes) == ("gen_ai.choice", {"index": 0}, {"gen_ai.system": "openai"})
    assert (got.resource, got.scope) == ({"service.name": "shop"}, "s")


def test_a_log_record_without_a_time_has_the_time_it_was_observed():
    record = {"traceId": TRACE_ID, "timeUnixNano": "0", "observedTimeUnixNano": str(START)}
    document = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    assert decoded(document, signal="logs").logs[0].time == START
