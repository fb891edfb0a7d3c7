"""What is kept of a request is what was decoded of it: written as OTLP/JSON and read again, nothing has changed."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from exporter.decode import JSON, PROTOBUF, DecodeLimits, decode
from exporter.decode.to_json import encode

CAPTURES = sorted((Path(__file__).parent / "captures" / "requests").glob("*.pb"))
NOW = 1.79e9
LIMITS = DecodeLimits(decompressed_bytes=1 << 30)


def read(body):
    return [decode(signal, JSON, body, LIMITS, NOW) for signal in ("traces", "logs")]


def without_size(parts):
    """Its size is that of the body that a part came in, shared by all parts."""
    return [replace(part, size=0) for part in parts]


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_captured_requests_read_the_same_when_written_again(path):
    signal = "logs" if ".logs" in path.suffixes else "traces"
    batch = decode(signal, PROTOBUF, path.read_bytes(), LIMITS, NOW)
    assert batch.spans or batch.logs or batch.rejected
    spans, logs = read(encode(batch.spans, batch.logs))
    assert without_size(spans.spans) == without_size(batch.spans)
    assert without_size(logs.logs) == without_size(batch.logs)


text = st.text(st.characters(codec="utf-8"), max_size=20)
values = st.recursive(
    st.none() | text | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=20,
)


def one_log(body, attributes):
    record = {"traceId": "a" * 32, "spanId": "b" * 16, "timeUnixNano": str(int(NOW * 1e9)), "eventName": "e"}
    [log] = decode("logs", JSON, json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode(),
                   LIMITS, NOW).logs  # fmt: skip
    return replace(log, body=body, attributes=attributes)


@given(values, st.dictionaries(text, values, max_size=4))
def test_every_value_reads_the_same_when_written_again(body, attributes):
    log = one_log(body, attributes)
    [again] = read(encode([], [log]))[1].logs
    assert (again.body, again.attributes) == (body, attributes)


def test_numbers_that_json_has_not_are_kept():
    log = one_log(math.nan, {"up": math.inf, "down": -math.inf})
    [again] = read(encode([], [log]))[1].logs
    assert math.isnan(again.body)
    assert again.attributes == {"up": math.inf, "down": -math.inf}


def test_what_otlp_has_no_form_for_is_refused():
    with pytest.raises(ValueError, match="64 bits"):
        encode([], [one_log(2**63, {})])


def test_parts_of_one_resource_share_it_again():
    path = next(path for path in CAPTURES if ".traces" in path.suffixes)
    batch = decode("traces", PROTOBUF, path.read_bytes(), LIMITS, NOW)
    [spans, _] = read(encode(batch.spans, ()))
    assert len({id(span.resource) for span in spans.spans}) == len({id(span.resource) for span in batch.spans})
