"""Spans and log records, read by C and by protobuf: both give the same plain values, and refuse the same."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from exporter.decode import DecodeError, DecodeLimits, TooLarge
from exporter.decode.from_protobuf import decode_logs, decode_traces, plain_logs, plain_traces

NOW = 1_795_425_600.0
START = int(NOW) * 10**9
LIMITS = DecodeLimits(attributes_per_span=20, events_per_span=4, items=12, values=10_000)
CAPTURES = Path(__file__).parent / "captures/requests"
compiled = pytest.mark.compiled
BOTH = pytest.mark.parametrize("read", [pytest.param(decode_traces, marks=compiled), plain_traces], ids=["C", "Python"])

integers = st.integers(-(2**63), 2**63 - 1)
texts = st.text(max_size=30) | st.sampled_from(["x" * 200, "é" * 200, "“x”" * 50, "x" * 200 + "\U0001f600", "\0"])
scalars = st.one_of(
    st.builds(AnyValue),
    st.builds(AnyValue, string_value=texts),
    st.builds(AnyValue, bool_value=st.booleans()),
    st.builds(AnyValue, int_value=integers),
    st.builds(AnyValue, double_value=st.floats(allow_nan=False)),
    st.builds(AnyValue, bytes_value=st.binary(max_size=200)),
)


def nested(inner):
    lists = st.builds(ArrayValue, values=st.lists(inner, max_size=4))
    maps = st.builds(KeyValueList, values=st.lists(st.builds(KeyValue, key=texts, value=inner), max_size=4))
    return st.builds(AnyValue, array_value=lists) | st.builds(AnyValue, kvlist_value=maps)


values = st.recursive(scalars, nested, max_leaves=20)
pairs = st.lists(st.builds(KeyValue, key=texts, value=values) | st.builds(KeyValue, key=texts), max_size=25)


def request_of(*attributes, events=()):
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(
        trace_id=b"t" * 16, span_id=b"s" * 8, start_time_unix_nano=START, end_time_unix_nano=START + 5
    )  # fmt: skip
    span.attributes.extend(attributes)
    for event in events:
        span.events.add(name="event").attributes.append(event)
    return request


def attributes_of(read, *attributes):
    (span,) = read(request_of(*attributes).SerializeToString(), DecodeLimits(), NOW).spans
    return span.attributes


def outcome(read, body):
    """What came out, with plain values and without sizes."""
    try:
        batch = read(body, LIMITS, NOW)
    except (DecodeError, TooLarge) as error:
        return type(error), str(error)
    spans = [
        [
            msgspec.structs.replace(span, attributes={}, events=(), size=0),
            dict(span.attributes.items()),
            [(event.name, event.time, dict(event.attributes.items())) for event in span.events],
        ]
        for span in batch.spans
    ]
    return repr_of(spans), repr_of(batch.logs), batch.rejected, batch.anomalies


def repr_of(value):
    """Tells True from 1, 0 from 0.0 and NaN from nothing; names have no order."""
    if isinstance(value, dict):
        return sorted((name, repr_of(one)) for name, one in value.items())
    if isinstance(value, list | tuple):
        return [repr_of(one) for one in value]
    return msgspec.structs.astuple(value) if isinstance(value, msgspec.Struct) else repr(value)


@compiled
@settings(max_examples=300)
@given(pairs, st.lists(st.builds(KeyValue, key=texts, value=values), max_size=3))
def test_both_read_any_attributes_alike(attributes, events):
    body = request_of(*attributes, events=events).SerializeToString()
    assert outcome(decode_traces, body) == outcome(plain_traces, body)


@compiled
@settings(max_examples=500)
@given(pairs, st.data())
def test_both_read_or_refuse_damaged_attributes_alike(attributes, data):
    body = bytearray(request_of(*attributes).SerializeToString())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    assert outcome(decode_traces, bytes(body)) == outcome(plain_traces, bytes(body))


def field(number, content):
    """A length-delimited field."""
    length = bytearray()
    size = len(content)
    while size >= 0x80:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + content


ODD = {
    "a value without a name": field(2, field(1, b"v")),
    "a name alone": field(1, b"k"),
    "nothing": b"",
    "the value first": field(2, field(1, b"v")) + field(1, b"k"),
    "a name twice": field(1, b"j") + field(1, b"k") + field(2, field(1, b"v")),
    "a value twice": field(1, b"k") + field(2, field(1, b"v")) + field(2, field(5, field(1, b""))),
    "an unknown field": field(1, b"k") + field(2, field(1, b"v")) + field(15, b"?"),
    "an unknown kind": field(1, b"k") + field(2, field(9, b"?")),
    "two kinds": field(1, b"k") + field(2, field(1, b"v") + b"\x18\x05"),
    "a list twice": field(1, b"k") + field(2, field(5, field(1, field(1, b"1"))) + field(5, field(1, b"\x18\x02"))),
    "a name that is not UTF-8": field(1, b"\xff") + field(2, field(1, b"v")),
    "a surrogate": field(1, b"k") + field(2, field(1, b"\xed\xa0\x80")),
    "a number too long": field(1, b"k") + field(2, b"\x18" + b"\xff" * 10 + b"\x01"),
    "a number of 65 bits": field(1, b"k") + field(2, b"\x18" + b"\xff" * 9 + b"\x03"),
    "a number with needless zeros": field(1, b"k") + field(2, b"\x18\x85\x80\x00"),
    "true as a large number": field(1, b"k") + field(2, b"\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
    "a double cut short": field(1, b"k") + field(2, b"\x21" + bytes(7)),
    "a length beyond the end": b"\x0a\x7fk",
    "lists in lists": field(1, b"k") + field(2, field(5, field(1, field(5, field(1, field(5, b"")))))),
}
for _depth in (15, 16, 17, 18, 60):
    _value = field(1, b"deep")
    for _ in range(_depth):
        _value = field(5, field(1, _value))
    ODD[f"lists nested {_depth} deep"] = field(1, b"k") + field(2, _value)


@compiled
@pytest.mark.parametrize("what", ODD)
def test_both_read_or_refuse_what_no_exporter_writes_alike(what):
    span = field(1, b"t" * 16) + field(2, b"s" * 8) + field(9, ODD[what]) + field(9, field(1, b"z") + field(2, b""))
    body = field(1, field(2, field(2, span)))
    assert outcome(decode_traces, body) == outcome(plain_traces, body)
    record = field(9, b"t" * 16) + field(6, ODD[what]) + field(5, field(5, ODD[what]))
    body = field(1, field(1, field(1, ODD[what])) + field(2, field(2, record)))
    assert outcome(decode_logs, body) == outcome(plain_logs, body)


IDS = field(1, b"t" * 16) + field(2, b"s" * 8)
PAIR = field(1, b"k") + field(2, field(1, b"v"))
OTHER_PAIR = field(1, b"k") + field(2, b"\x18\x05")
TIMES = b"\x39" + START.to_bytes(8, "little") + b"\x41" + (START + 5).to_bytes(8, "little")
ODD_SPANS = {
    "all that OTLP has": IDS + TIMES + field(3, b"a=1") + field(4, b"p" * 8) + field(5, b"name") + b"\x30\x03"
    b"\x50\x01"
    + field(11, field(2, b"e") + field(3, PAIR))
    + field(13, IDS)
    + field(15, field(2, b"m"))
    + b"\x85\x01\x01\x00\x00\x00",
    "ids twice": field(1, b"u" * 16) + IDS + TIMES,
    "a status twice": IDS + TIMES + field(15, field(2, b"m") + b"\x18\x02") + field(15, b"\x18\x01"),
    "a status of 65 bits": IDS + field(15, b"\x18" + b"\xff" * 9 + b"\x03"),
    "a negative status": IDS + field(15, b"\x18" + b"\xff" * 9 + b"\x01"),
    "a status beyond 32 bits": IDS + field(15, b"\x18\x82\x80\x80\x80\x10"),
    "an id that is a number": IDS + b"\x08\x05",
    "a time that is a number": IDS + b"\x38\x05",
    "a time cut short": IDS + TIMES[:-1],
    "a group": IDS + b"\x1b\x08\x01\x1c",
    "a group that does not end": IDS + b"\x1b\x08\x01",
    "an end without a group": IDS + b"\x1c",
    "a field without a number": IDS + b"\x02\x00",
    "a wire type that does not exist": IDS + b"\x1e",
    "a tag with needless zeros": IDS + b"\xaa\x80\x00\x01n",
    "a tag of five bytes": IDS + b"\xaa\x80\x80\x80\x00\x01n",
    "a tag of six bytes": IDS + b"\xaa\x80\x80\x80\x80\x00\x01n",
    "a length of five bytes": IDS + b"\x2a\x81\x80\x80\x80\x00n",
    "a length of six bytes": IDS + b"\x2a\x81\x80\x80\x80\x80\x00n",
    "a very high field": IDS + b"\xfa\xff\xff\xff\x0f\x01n",
    "a name that is not UTF-8": IDS + field(5, b"\xff"),
    "a state that is not UTF-8": IDS + field(3, b"\xff"),
    "an event's name that is not UTF-8": IDS + field(11, field(2, b"\xff")),
    "a status that is not UTF-8": IDS + field(15, field(2, b"\xff")),
    "an event without anything": IDS + field(11, b""),
    "as many events as may be": IDS + field(11, b"") * 4,
    "too many events": IDS + field(11, b"") * 5,
    "many too many events": IDS + field(11, b"") * 13,
    "too many attributes": IDS + b"".join(field(9, field(1, bytes([65 + at]))) for at in range(21)),
    "nothing": b"",
    "the same attribute twice": IDS + field(9, PAIR) + field(9, OTHER_PAIR),
}


@compiled
@pytest.mark.parametrize("what", ODD_SPANS)
def test_both_read_or_refuse_odd_spans_alike(what):
    body = field(1, field(2, field(2, ODD_SPANS[what]) + field(2, IDS)))
    assert outcome(decode_traces, body) == outcome(plain_traces, body)


SPAN = field(2, IDS + TIMES)
SCOPE = field(1, field(1, b"scope"))
RESOURCE = field(1, field(1, PAIR))
ODD_REQUESTS = {
    "nothing": b"",
    "a resource without spans": field(1, RESOURCE),
    "a resource after its spans": field(1, field(2, SCOPE + SPAN) + RESOURCE),
    "a resource twice": field(1, RESOURCE + field(2, SPAN) + field(1, field(1, OTHER_PAIR) + b"\x10\x01")),
    "a scope after its spans": field(1, field(2, SPAN + SCOPE)),
    "a scope twice": field(1, field(2, SCOPE + SPAN + field(1, field(2, b"1.0")))),
    "a scope that is not UTF-8": field(1, field(2, field(1, field(1, b"\xff")) + SPAN)),
    "a resource that is not UTF-8": field(1, field(1, field(1, field(1, b"\xff"))) + field(2, SPAN)),
    "scopes": field(1, RESOURCE + field(2, SCOPE + SPAN) + field(2, SPAN)),
    "resources": field(1, RESOURCE + field(2, SCOPE + SPAN)) + field(1, field(2, SPAN)),
    "addresses of schemas": field(1, RESOURCE + field(2, SCOPE + SPAN + field(3, b"s")) + field(3, b"\xff")),
    "a field of its own": field(1, field(2, SPAN)) + field(7, b"?"),
    "as many resources as may be": field(1, b"") * 12,
    "too many resources": field(1, b"") * 13,
    "as many scopes as may be": field(1, field(2, b"") * 11),
    "too many scopes": field(1, field(2, b"") * 12),
    "as many spans as may be": field(1, field(2, SPAN * 12)),
    "too many spans": field(1, field(2, SPAN * 13)),
    "events and spans beside each other": field(1, field(2, SPAN * 5 + field(2, IDS + field(11, b"") * 4) * 3)),
    "too many events in all": field(1, field(2, field(2, IDS + field(11, b"") * 4) * 4)),
    "a scope that is a number": field(1, b"\x10\x01"),
    "a length beyond the end": field(1, field(2, SPAN))[:-1],
}


@compiled
@pytest.mark.parametrize("what", ODD_REQUESTS)
def test_both_read_or_refuse_odd_requests_alike(what):
    assert outcome(decode_traces, ODD_REQUESTS[what]) == outcome(plain_traces, ODD_REQUESTS[what])
    assert outcome(decode_logs, ODD_REQUESTS[what]) == outcome(plain_logs, ODD_REQUESTS[what])


TEXT, NUMBER = field(1, b"text"), b"\x18\x07"
OBSERVED = b"\x59" + (START + 1).to_bytes(8, "little")
RECORD_IDS = field(9, b"t" * 16) + field(10, b"s" * 8)
ODD_RECORDS = {
    "all that OTLP has": RECORD_IDS + b"\x09" + START.to_bytes(8, "little") + OBSERVED + b"\x10\x09" + field(3, b"INFO")
    + field(5, TEXT) + field(6, PAIR) + b"\x38\x01\x45\x01\x00\x00\x00" + field(12, b"name"),
    "only when it was observed": RECORD_IDS + OBSERVED,
    "a time of nothing": RECORD_IDS + OBSERVED + b"\x09" + bytes(8),
    "no body": RECORD_IDS,
    "an empty body": RECORD_IDS + field(5, b""),
    "a body twice": RECORD_IDS + field(5, TEXT) + field(5, NUMBER),
    "half a body twice": RECORD_IDS + field(5, TEXT) + field(5, b""),
    "a body that is not UTF-8": RECORD_IDS + field(5, field(1, b"\xff")),
    "a severity that is not UTF-8": RECORD_IDS + field(3, b"\xff"),
    "an event's name that is not UTF-8": RECORD_IDS + field(12, b"\xff"),
    "no trace": field(10, b"s" * 8),
    "half a span": field(9, b"t" * 16) + field(10, b"s"),
}  # fmt: skip


@compiled
@pytest.mark.parametrize("what", ODD_RECORDS)
def test_both_read_or_refuse_odd_log_records_alike(what):
    body = field(1, RESOURCE + field(2, SCOPE + field(2, ODD_RECORDS[what])))
    assert outcome(decode_logs, body) == outcome(plain_logs, body)


@BOTH
def test_attributes_of_every_kind_become_plain_values(read):
    inner = KeyValue(key="k", value=AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=2)])))
    given = {
        "s": AnyValue(string_value="text"),
        "e": AnyValue(string_value=""),
        "b": AnyValue(bool_value=True),
        "f": AnyValue(bool_value=False),
        "i": AnyValue(int_value=-7),
        "z": AnyValue(int_value=0),
        "d": AnyValue(double_value=0.5),
        "y": AnyValue(bytes_value=b"\x00\xff"),
        "n": AnyValue(),
        "l": AnyValue(array_value=ArrayValue(values=[AnyValue(string_value="x"), AnyValue()])),
        "m": AnyValue(kvlist_value=KeyValueList(values=[inner])),
    }
    expected = {"s": "text", "e": "", "b": True, "f": False, "i": -7, "z": 0, "d": 0.5, "y": b"\x00\xff"}
    expected |= {"n": None, "l": ["x", None], "m": {"k": [2]}}
    attributes = attributes_of(read, *(KeyValue(key=key, value=value) for key, value in given.items()))
    assert attributes == expected
    assert dict(attributes.items()) == {name: attributes[name] for name in attributes} == expected
    assert {name: type(attributes.get(name)) for name in expected} == {n: type(v) for n, v in expected.items()}
    assert len(attributes) == len(expected)


@BOTH
def test_reading_an_absent_attribute_does_not_create_it(read):
    attributes = attributes_of(read, KeyValue(key="a", value=AnyValue(string_value="1")))
    assert attributes.get("b") is None
    assert attributes.get("b", "other") == "other"
    assert "b" not in attributes
    with pytest.raises(KeyError):
        attributes["b"]
    assert list(attributes) == ["a"]


@BOTH
def test_printing_a_span_does_not_show_its_text(read):
    secret = KeyValue(key="prompt", value=AnyValue(string_value="secret"))
    (span,) = read(request_of(secret, events=[secret]).SerializeToString(), LIMITS, NOW).spans
    assert span.attributes["prompt"] == span.events[0].attributes["prompt"] == "secret"
    assert "secret" not in f"{span!r} {span.events!r}"


def test_texts_with_wide_characters_are_counted_as_the_memory_that_they_take():
    def size(text):
        (span,) = decode_traces(
            request_of(KeyValue(key="k", value=AnyValue(string_value=text))).SerializeToString(), LIMITS, NOW
        ).spans
        return span.size

    assert size("\U0001f600" + "x" * 10_000) > size("x" * 10_000)
    assert size("é" * 5_000) <= size("x" * 10_000)


@compiled
@pytest.mark.parametrize("form", ["traces", "logs"])
@settings(max_examples=300)
@given(data=st.data())
def test_both_read_or_refuse_damaged_captures_alike(form, data):
    """Captures are changed where the structure is: at lengths and tags, rather than within long texts."""
    body = bytearray(data.draw(st.sampled_from(SMALL[form])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, min(len(body) - 1, 400)))
        body[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    read, plain = (decode_traces, plain_traces) if form == "traces" else (decode_logs, plain_logs)
    assert outcome(read, bytes(body)) == outcome(plain, bytes(body))


SMALL = {
    form: sorted((path.read_bytes() for path in CAPTURES.glob(f"*.{form}.pb")), key=len)[:40]
    for form in ("traces", "logs")
}


def test_c_reads_all_that_instrumentations_send_where_it_is_there():
    bodies = [path.read_bytes() for path in sorted(CAPTURES.glob("*.traces.pb"))]
    spans = [span for body in bodies for span in decode_traces(body, DecodeLimits(), NOW).spans]
    in_use = type(attributes_of(decode_traces))
    assert len(spans) > 300
    assert {type(span.attributes) for span in spans} == {in_use}


@compiled
def test_both_read_all_captures_alike():
    for path in sorted(CAPTURES.glob("*.pb")):
        read, plain = (decode_traces, plain_traces) if path.match("*.traces.pb") else (decode_logs, plain_logs)
        body = path.read_bytes()
        assert outcome(read, body) == outcome(plain, body)
