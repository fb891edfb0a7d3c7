"""Large bodies are decoded elsewhere, with the same result, and neither they nor many at once stop the event loop."""

import asyncio
import gzip
import json
import os
import random
import signal
from pathlib import Path

import pytest

from exporter.decode import JSON, PROTOBUF, Batch, DecodeError, DecodeLimits, TooLarge, UnsupportedEncoding, decode
from exporter.decode.worker import DecodeJob, pieces
from exporter.ingest.assembly import whole_traces
from exporter.ingest.decoding import HERE_BYTES, LIGHT_BYTES, Decoding, Pace
from exporter.model.trace import Span
from exporter.pipeline.arrivals import PARTS_AT_ONCE
from exporter.records.requests import Entry

REQUESTS = Path(__file__).parent / "captures" / "requests"
NOW = 1_790_000_000.0
LIMITS = DecodeLimits()
PADDING = b" " * (LIGHT_BYTES + HERE_BYTES)


@pytest.fixture
async def decoding():
    """What decodes, and ends its process with the test."""
    found = Decoding()
    yield found
    await found.close()


def entry(body, signal="traces", media_type=JSON, encoding=""):
    return Entry(signal, media_type, encoding, body, NOW)


def read_here(one):
    return decode(one.signal, one.media_type, one.body, LIMITS, one.received_at)


def contents(batch):
    """All that a batch says, with attributes as plain dicts; without sizes, which are approximate."""

    def plain(value):
        if hasattr(value, "items"):
            return {key: plain(each) for key, each in value.items()}
        return [plain(each) for each in value] if isinstance(value, list | tuple) else value

    def fields(part):
        found = {name: getattr(part, name) for name in part.__struct_fields__ if name != "size"}
        if "events" in found:
            found["events"] = [fields(event) for event in found["events"]]
        return plain(found)

    return [fields(part) for part in (*batch.spans, *batch.logs)], batch.rejected, batch.anomalies


def span(trace, number, **fields):
    return {"traceId": trace, "spanId": f"{number:016x}", "startTimeUnixNano": "1", "endTimeUnixNano": "2"} | fields


def traces(spans):
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}).encode()


def unknown_field(size):
    """A field that OTLP does not have, of so many bytes: protobuf passes over it."""
    length, rest = b"", size
    while rest > 127:
        length += bytes([rest & 127 | 128])
        rest >>= 7
    return b"\xfa\x06" + length + bytes([rest]) + b"\0" * size


def test_the_pieces_of_captured_requests_are_what_they_say():
    for path in sorted(REQUESTS.glob("*.pb")):
        kind, body = "logs" if ".logs" in path.name else "traces", path.read_bytes()
        *parts, rest = pieces(DecodeJob(kind, PROTOBUF, "gzip", gzip.compress(body), LIMITS, NOW, 1.0))
        batch, whole = (
            Batch(rejected=rest.rejected, anomalies=rest.anomalies),
            decode(kind, PROTOBUF, body, LIMITS, NOW),
        )
        for part in [part for piece in parts for part in piece]:
            (batch.spans if isinstance(part, Span) else batch.logs).append(part)
        assert contents(batch) == contents(whole), path


@pytest.mark.parametrize(
    "name", ["openinference-openai.rag.traces.pb", "otel-openai-v2.logs.pb", "nothing", "an event and a refused span"]
)
async def test_a_large_body_says_what_it_would_say_here(decoding, name):
    event = {"name": "e", "timeUnixNano": "5", "attributes": [{"key": "a", "value": {"arrayValue": {"values": [{}]}}}]}
    made = {
        "nothing": entry(b"{}" + PADDING),
        "an event and a refused span": entry(traces([span("a" * 32, 1, events=[event]), span("0" * 32, 2)]) + PADDING),
    }
    if name in made:
        one = made[name]
    else:
        kind = "logs" if ".logs" in name else "traces"
        found = next(iter(sorted(REQUESTS.glob(name))), None) or next(iter(sorted(REQUESTS.glob(f"*.{kind}.pb"))))
        one = entry(found.read_bytes() + unknown_field(len(PADDING)), kind, PROTOBUF)
    batch = await decoding.batch(one.signal, one, LIMITS)
    assert contents(batch) == contents(read_here(one))
    assert decoding._process is not None


def said(text, count=1):
    return {"key": "said", "value": {"arrayValue": {"values": [{"stringValue": text}] * count}}}


@pytest.mark.parametrize(
    ("body", "is_here"),
    [
        (traces([span("a" * 32, 1)]), True),
        (traces([span("a" * 32, 1, attributes=[said("word, " * 200_000)])]), True),
        (traces([span("a" * 32, 1, attributes=[said("word, " * 2_000_000)])]), False),
        (traces([span("a" * 32, 1, attributes=[said("", 150_000)])]), True),
        (traces([span("a" * 32, number, name="") for number in range(1, 90_000)]), False),
        (traces([span("a" * 32, 1, attributes=[said("PLACE")])]).replace(b"PLACE", b"\xff" * (HERE_BYTES + 1)), False),
        (traces([span("a" * 32, 1, attributes=[said("PLACE")])]).replace(b"PLACE", "ä".encode() * HERE_BYTES), True),
        (traces([span("a" * 32, 1, attributes=[said("PLACE")])]).replace(b"PLACE", b"\\ud83d" * 300_000), False),
    ],
    ids=["small", "text", "much text", "values", "many values", "not UTF-8", "umlauts", "halves"],
)
async def test_a_body_with_few_values_is_decoded_here(decoding, body, is_here):
    assert (await decoding.batch("traces", entry(body), LIMITS)).spans
    assert (decoding._process is None) == is_here


@pytest.mark.parametrize(
    ("one", "error", "message"),
    [
        (entry(b"[" + PADDING), DecodeError, "the body is not valid OTLP/JSON"),
        (entry(gzip.compress(b"{" + PADDING * 9), encoding="gzip"), TooLarge, "after decompression"),
        (entry(b"{}" + PADDING, encoding="br"), UnsupportedEncoding, "Content-Encoding"),
        (entry(gzip.compress(PADDING)[:-9], encoding="gzip"), DecodeError, "truncated"),
        (
            entry(
                traces(
                    [span("a" * 32, 1, attributes=[{"key": "a", "value": {"arrayValue": {"values": [{}] * 400_000}}}])]
                )
            ),
            TooLarge,
            "one span, log record or interaction holds more than 200000 values",
        ),
        (
            entry(
                b'{"answer": "a", "tool_calls": [{"name": "f", "arguments": ['
                + b"9" * 4000
                + b", 1" * 9
                + b"]}]}"
                + PADDING,
                "interactions",
            ),
            None,
            "",
        ),
        (
            entry(
                b'{"answer": "a", "tool_calls": [{"name": "f", "arguments": ['
                + (b"9" * 4000 + b", ") * 2500
                + b"1]}]}",
                "interactions",
            ),
            TooLarge,
            "holds more than 200000 values",
        ),
    ],
)
async def test_what_is_wrong_with_a_large_body_is_told_and_the_next_one_is_read(decoding, one, error, message):
    for _ in range(2):
        if error is None:
            assert (await decoding.batch(one.signal, one, LIMITS)).spans
        else:
            with pytest.raises(error, match=message):
                await decoding.batch(one.signal, one, LIMITS)
    assert await decoding.batch("traces", entry(b"{}" + PADDING), LIMITS)


async def test_a_body_that_takes_too_long_is_refused_and_the_next_one_is_read():
    decoding = Decoding(seconds=0.05)
    slow = entry(traces([span("a" * 32, number) for number in range(1, 90_001)]))
    with pytest.raises(TooLarge, match="takes too long"):
        await decoding.batch("traces", slow, LIMITS)
    decoding._seconds = 60.0
    assert len((await decoding.batch("traces", slow, LIMITS)).spans) == 90_000
    await decoding.close()


async def test_a_process_that_is_killed_takes_nothing_with_it(decoding):
    await decoding.batch("traces", entry(b"{}" + PADDING), LIMITS)
    os.kill(decoding._process.pid, signal.SIGKILL)
    with pytest.raises(TooLarge):
        await decoding.batch("traces", entry(b"{}" + PADDING), LIMITS)
    assert await decoding.batch("traces", entry(b"{}" + PADDING), LIMITS)


async def test_others_have_their_turn_while_a_large_body_is_decoded(decoding):
    turns = 0

    async def others():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    batch = await decoding.batch("traces", entry(traces([span("a" * 32, n) for n in range(1, 90_001)])), LIMITS)
    task.cancel()
    assert len(batch.spans) == 90_000
    assert turns > 1000


async def test_work_that_comes_at_once_is_done_a_turn_at_a_time():
    pace, done, seen = Pace(), [], []

    async def work(number):
        await pace.turn()
        with pace.working():
            pace._spent += 1.0
            done.append(number)

    async def others():
        while len(done) < 20:
            seen.append(len(done))
            await asyncio.sleep(0)

    await asyncio.gather(others(), *(work(number) for number in range(20)))
    assert done == list(range(20))
    assert set(range(1, 20)) <= set(seen), "after each one others had their turn"


def test_a_request_is_taken_in_whole_traces():
    body = traces([span(f"{n % 7 + 1:032x}", n + 1) for n in range(100)])
    batch = decode("traces", JSON, body, LIMITS, NOW)
    parts = list(whole_traces(batch.spans, batch.logs, 20))
    assert sorted(s.span_id for spans, _ in parts for s in spans) == sorted(s.span_id for s in batch.spans)
    ids = [{s.trace_id for s in spans} for spans, _ in parts]
    assert len(parts) > 2
    assert sum(map(len, ids)) == 7


# Large requests on the whole road


def calls(count, first=0):
    said = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "Paris is the capital."}]}])
    attributes = [
        {"key": key, "value": {"stringValue": value}}
        for key, value in {"gen_ai.operation.name": "chat", "gen_ai.output.messages": said}.items()
    ]
    return traces([span(f"{first + n + 1:032x}", 1, attributes=attributes) for n in range(count)])


async def test_a_large_request_counts_every_trace_once_also_when_it_is_sent_again(run_exporter):
    exporter, headers = await run_exporter(), {"Content-Type": "application/json"}
    many = 3 * PARTS_AT_ONCE + 7
    for _ in range(2):
        assert (await exporter.post("/v1/traces", data=calls(many), headers=headers))[0] == 200
    assert len(exporter.exporter.pipeline.assembler) == many
    assert exporter.exporter.pipeline.assembler.waiting >= 1
    await exporter.pass_time(3)
    assert await exporter.total("llmq_requests_total") == many
    assert await exporter.total("llmq_exporter_spans_received_total") == 2 * many
    assert await exporter.total("llmq_exporter_duplicates_total") == many
    assert await exporter.total("llmq_exporter_journal_entries") == 0


def test_kills_under_large_requests_lose_and_double_nothing(killable):
    process = killable({"assembly": {"grace": "200ms", "idle": "500ms"}})
    sent = []

    def work(client):
        while not client.ended.is_set():
            client.post("/v1/traces", json.loads(calls(4000, first=4000 * len(sent))))
            sent.append(None)

    process.strike([process.client(work)], random.Random(7), times=3)
    process.clients[0].finish()
    process.wait_until(lambda: process.total("llmq_requests_total") >= 4000 * len(sent))
    process.wait_until(lambda: process.total("llmq_exporter_journal_entries") == 0)
    assert process.total("llmq_requests_total") == 4000 * len(sent)
