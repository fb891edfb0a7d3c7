"""Whatever comes in, the decoders answer with a Batch or a refusal, soon, and HTTP never with a 5xx."""

import gzip
import json
import zlib
from copy import deepcopy
from datetime import timedelta
from pathlib import Path

from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.decode import JSON, PROTOBUF, Batch, DecodeError, DecodeLimits, TooLarge, decode, decompress, reply
from exporter.http.otlp import INTAKE, add_routes
from exporter.http.requests import RECEPTION, SERVER_OPTIONS, Reception

CAPTURES = Path(__file__).parent / "captures" / "requests"
NOW = 1_795_425_600.0
LIMITS = DecodeLimits(decompressed_bytes=1 << 20)
SOON = timedelta(seconds=10)
REFUSALS = (DecodeError, TooLarge)

PROTOBUF_BODIES = [path.read_bytes() for path in sorted(CAPTURES.glob("*.traces.pb"))[::9]]
LOG_BODIES = [path.read_bytes() for path in sorted(CAPTURES.glob("*.logs.pb"))[::5]]
JSON_BODIES = [path.read_bytes() for path in sorted(CAPTURES.glob("*.traces.json"))[::9]]
LOG_JSON_BODIES = [path.read_bytes() for path in sorted(CAPTURES.glob("*.logs.json"))[::5]]
INTERACTION = {
    "question": "How long?",
    "answer": "Five days.",
    "context": ["Five days.", {"id": "7", "text": "Ask.", "score": 0.5}],
    "prompt_version": 3,
    "tool_calls": [{"name": "f", "arguments": {"a": [1]}}],
    "response_schema": {"type": "object"},
    "tokens": {"input": 1, "output": 2},
    "started_at": "2026-11-23T10:00:00Z",
    "id": "x",
}

positions = st.integers(0, 1 << 20)
scraps = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(
        [b"\xff" * 10, b"\x00" * 9, b"\x0a\xff\xff\xff\xff\x0f", b"\xed\xa0\x80", b"{" * 50, b'":[', b"\\ud83d"]
    ),
)


@st.composite
def damaged(draw, bodies):
    """A body with some bytes flipped, cut out, put in, repeated, spliced with another body, or its end cut off."""
    body = bytearray(draw(st.sampled_from(bodies)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(positions) % (len(body) + 1)
        length = draw(st.sampled_from([1, 2, 7, 40, 300]))
        match draw(st.sampled_from(["flip", "cut", "put", "repeat", "splice", "truncate"])):
            case "flip" if at < len(body):
                body[at] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del body[at : at + length]
            case "put":
                body[at:at] = draw(scraps)
            case "repeat":
                body[at:at] = body[at : at + length] * 3
            case "splice":
                other = draw(st.sampled_from(bodies))
                body[at:] = other[draw(positions) % len(other) :]
            case "truncate":
                del body[at:]
    return bytes(body)


odd_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.sampled_from(
        ["", "0" * 32, "NaN", "-Infinity", "9" * 30, "\0", "\ud83d", "null", {}, [], [None], {"values": None}]
    ),
    st.text(max_size=20),
    st.recursive(st.integers(), lambda inner: st.lists(inner, max_size=2) | st.fixed_dictionaries({"values": inner})),
)


def places(node, found):
    """Every (container, key) of a JSON document."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in items:
        found.append((node, key))
        places(child, found)
    return found


@st.composite
def rewritten(draw, documents):
    """A JSON document in which some values are replaced by odd ones, deleted, doubled or wrapped."""
    document = json.loads(draw(st.sampled_from(documents)))
    for _ in range(draw(st.integers(1, 4))):
        known = places(document, [])
        if not known:
            break
        container, key = known[draw(positions) % len(known)]
        match draw(st.sampled_from(["replace", "delete", "double", "wrap"])):
            case "replace":
                container[key] = deepcopy(draw(odd_values))
            case "delete":
                del container[key]
            case "double" if isinstance(container, list):
                container.append(deepcopy(container[key]))
            case _:
                container[key] = (
                    {"arrayValue": {"values": [container[key]]}} if draw(st.booleans()) else [container[key]]
                )
    return json.dumps(document).encode()


def answer(signal, media_type, body):
    """Decode, read everything that was decoded, and build the reply."""
    try:
        batch = decode(signal, media_type, body, LIMITS, NOW)
    except REFUSALS:
        return
    assert isinstance(batch, Batch)
    for span in batch.spans:
        assert (len(span.trace_id), len(span.span_id), len(span.parent_span_id) in (0, 8)) == (16, 8, True)
        assert 0 <= span.start <= span.end < 1 << 64
        for mapping in (span.attributes, span.resource, *(event.attributes for event in span.events)):
            assert_plain(dict(mapping.items()))
    for record in batch.logs:
        assert (len(record.trace_id), len(record.key)) == (16, 8)
        assert_plain([dict(record.attributes), record.body])
    assert isinstance(reply(signal, media_type, batch), bytes)


def assert_plain(value):
    if isinstance(value, dict):
        assert all(isinstance(name, str) for name in value)
        assert_plain(list(value.values()))
    elif isinstance(value, list):
        for item in value:
            assert_plain(item)
    else:
        assert value is None or isinstance(value, str | bool | int | float | bytes)


@settings(max_examples=400, deadline=SOON)
@given(damaged(PROTOBUF_BODIES))
def test_damaged_protobuf_traces_are_decoded_or_refused(body):
    answer("traces", PROTOBUF, body)


@settings(max_examples=200, deadline=SOON)
@given(damaged(LOG_BODIES))
def test_damaged_protobuf_logs_are_decoded_or_refused(body):
    answer("logs", PROTOBUF, body)


@settings(max_examples=300, deadline=SOON)
@given(damaged(JSON_BODIES))
def test_damaged_json_traces_are_decoded_or_refused(body):
    answer("traces", JSON, body)


@settings(max_examples=150, deadline=SOON)
@given(damaged(LOG_JSON_BODIES))
def test_damaged_json_logs_are_decoded_or_refused(body):
    answer("logs", JSON, body)


@settings(max_examples=300, deadline=SOON, suppress_health_check=[HealthCheck.too_slow])
@given(rewritten(JSON_BODIES + LOG_JSON_BODIES))
def test_json_with_odd_values_is_decoded_or_refused(body):
    answer("traces", JSON, body)
    answer("logs", JSON, body)


@settings(max_examples=300, deadline=SOON)
@given(rewritten([json.dumps(INTERACTION), json.dumps([INTERACTION, {"question": "q"}])]))
def test_interactions_with_odd_values_are_decoded_or_refused(body):
    answer("interactions", JSON, body)


@settings(max_examples=150, deadline=SOON)
@given(damaged([json.dumps(INTERACTION).encode()]))
def test_damaged_interactions_are_decoded_or_refused(body):
    answer("interactions", JSON, body)


@settings(max_examples=100, deadline=SOON)
@given(
    st.binary(max_size=200),
    st.sampled_from([("traces", PROTOBUF), ("logs", PROTOBUF), ("traces", JSON), ("interactions", JSON)]),
)
def test_noise_is_decoded_or_refused(body, what):
    answer(*what, body)


@settings(max_examples=200, deadline=SOON)
@given(
    damaged(
        [gzip.compress(body) for body in PROTOBUF_BODIES[:5]] + [zlib.compress(body) for body in PROTOBUF_BODIES[:5]]
    ),
    st.sampled_from(["gzip", "deflate"]),
)
def test_damaged_compressed_bodies_are_inflated_or_refused(body, encoding):
    try:
        inflated = decompress(encoding, body, LIMITS.decompressed_bytes)
    except REFUSALS:
        return
    assert len(inflated) <= LIMITS.decompressed_bytes
    answer("traces", PROTOBUF, inflated)


class CountingIntake:
    def __init__(self):
        self.accepted = 0

    async def room(self):
        pass

    async def accept(self, entry, batch):
        self.accepted += 1


requests = st.one_of(
    st.tuples(st.just("/v1/traces"), st.just(PROTOBUF), damaged(PROTOBUF_BODIES)),
    st.tuples(st.just("/v1/logs"), st.just(PROTOBUF), damaged(LOG_BODIES)),
    st.tuples(st.just("/v1/traces"), st.just(JSON), rewritten(JSON_BODIES)),
    st.tuples(st.just("/v1/logs"), st.just(JSON), rewritten(LOG_JSON_BODIES)),
    st.tuples(st.just("/v1/interactions"), st.just(JSON), rewritten([json.dumps(INTERACTION)])),
)


@settings(
    max_examples=200, deadline=SOON, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(request=requests, encoding=st.sampled_from(["", "gzip", "deflate", "br"]))
async def test_no_request_is_answered_with_a_server_error(aiohttp_client, request, encoding):
    rejected = []
    app = web.Application(handler_args=SERVER_OPTIONS)
    app[INTAKE] = CountingIntake()
    app[RECEPTION] = Reception(limits=LIMITS, on_rejected=lambda *rejection: rejected.append(rejection))
    add_routes(app)
    client = await aiohttp_client(app)
    path, media_type, body = request
    response = await client.post(path, data=body, headers={"Content-Type": media_type, "Content-Encoding": encoding})
    assert response.status in (200, 400, 413)
    assert response.content_type == media_type
    assert (response.status == 200) or rejected
    assert "unprocessable" not in {reason for _, reason, _ in rejected}
