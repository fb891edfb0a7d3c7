"""Attributes of spans, read by C and by protobuf: both give the same plain values, and refuse the same."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from exporter.decode import DecodeError, DecodeLimits, TooLarge
from exporter.decode.from_protobuf import decode_traces, plain_traces

NOW = 1_795_425_600.0
START = int(NOW) * 10**9
LIMITS = DecodeLimits(attributes_per_span=20, values=10_000)
BOTH = pytest.mark.parametrize("read", [decode_traces, plain_traces], ids=["in use", "plain"])

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
    return repr_of(spans), batch.rejected, batch.anomalies


def repr_of(value):
    """Tells True from 1, 0 from 0.0 and NaN from nothing; names have no order."""
    if isinstance(value, dict):
        return sorted((name, repr_of(one)) for name, one in value.items())
    if isinstance(value, list | tuple):
        return [repr_of(one) for one in value]
    return msgspec.structs.astuple(value) if isinstance(value, msgspec.Struct) else repr(value)


@settings(max_examples=300, deadline=None)
@given(pairs, st.lists(st.builds(KeyValue, key=texts, value=values), max_size=3))
def test_both_read_any_attributes_alike(attributes, events):
    body = request_of(*attributes, events=events).SerializeToString()
    assert outcome(decode_traces, body) == outcome(plain_traces, body)


@settings(max_examples=500, deadline=None)
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


@pytest.mark.parametrize("what", ODD)
def test_both_read_or_refuse_what_no_exporter_writes_alike(what):
    span = field(1, b"t" * 16) + field(2, b"s" * 8) + field(9, ODD[what]) + field(9, field(1, b"z") + field(2, b""))
    body = field(1, field(2, field(2, span)))
    assert outcome(decode_traces, body) == outcome(plain_traces, body)


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


def test_c_reads_all_that_instrumentations_send_where_it_is_there():
    bodies = [path.read_bytes() for path in sorted((Path(__file__).parent / "captures/requests").glob("*.traces.pb"))]
    spans = [span for body in bodies for span in decode_traces(body, DecodeLimits(), NOW).spans]
    in_use = type(attributes_of(decode_traces))
    assert len(spans) > 300
    assert {type(span.attributes) for span in spans} == {in_use}
