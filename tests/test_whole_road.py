"""Every captured request through the whole exporter, as protobuf and as JSON; and hostile input on the same road."""

import json
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

CAPTURES = Path(__file__).parent / "captures" / "requests"
PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}


async def everything_sent(exporter, ending, headers):
    files = sorted(CAPTURES.glob(f"*{ending}"))
    for file in files:
        path = "/v1/logs" if ".logs" in file.name else "/v1/traces"
        status, body = await exporter.post(path, data=file.read_bytes(), headers=headers)
        assert status == 200, (file.name, body)
    await exporter.pass_time(400)
    return len(files)


def quality(text):
    """What /metrics says of the applications, without what depends on the moment."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if family.name.startswith("llmq_")
        and not family.name.startswith(("llmq_exporter_", "llmq_evaluation_duration", "llmq_version_first_seen"))
    }


async def test_every_capture_is_accepted_and_says_the_same_as_protobuf_and_as_json(run_exporter):
    labels = {"labels": {"budgets": {"app": 100, "prompt_version": 100}}}
    as_protobuf = await run_exporter(labels, store="protobuf.db")
    as_json = await run_exporter(labels, store="json.db")
    sent = await everything_sent(as_protobuf, ".pb", PROTOBUF)
    assert sent == await everything_sent(as_json, ".json", JSON) == 685
    first, second = quality(await as_protobuf.metrics()), quality(await as_json.metrics())
    assert first == second
    assert await as_protobuf.total("llmq_requests_total") > 200
    assert await as_protobuf.total("llmq_exporter_rejected_total", signal="traces") == 0


def spans_of_one_trace(first, count):
    spans = [
        {"traceId": "a" * 32, "spanId": f"{first + n:016x}", "parentSpanId": "f" * 16, "name": "step"}
        for n in range(count)
    ]
    return {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}


async def test_a_trace_of_fifty_thousand_spans_is_bounded_and_counted(run_exporter):
    exporter = await run_exporter()
    for first in range(1, 50_001, 10_000):
        status, _ = await exporter.post("/v1/traces", json=spans_of_one_trace(first, 10_000))
        assert status == 200
    assert await exporter.total("llmq_exporter_open_traces") == 1
    await exporter.pass_time(11)
    assert await exporter.total("llmq_exporter_spans_received_total") == 50_000
    assert await exporter.total("llmq_exporter_rejected_total", reason="trace_full") == 40_000


async def test_a_trace_that_never_ends_is_scored_by_age(run_exporter):
    exporter = await run_exporter({"assembly": {"max_age": "60s"}})
    for n in range(10):
        await exporter.post("/v1/traces", json=spans_of_one_trace(1 + n, 1))
        await exporter.pass_time(8)
    assert await exporter.total("llmq_exporter_traces_closed_total", reason="age") == 1


async def test_label_values_of_a_megabyte_stay_small(run_exporter):
    exporter = await run_exporter()
    said = {"question": "Hello", "answer": "Hello!", "app": "a" * 1_000_000, "route": "/" + "r" * 1_000_000}
    status, _ = await exporter.post("/v1/interactions", json=said)
    assert status == 200
    await exporter.pass_time(3)
    assert await exporter.total("llmq_requests_total") == 1
    assert max(map(len, (await exporter.metrics()).splitlines())) < 2_000


async def test_clocks_years_off_are_counted_and_scored_all_the_same(run_exporter):
    exporter = await run_exporter()
    said = {"question": "Hello", "answer": "Hello!", "started_at": 1_000_000_000, "duration_seconds": 2}
    assert (await exporter.post("/v1/interactions", json=said))[0] == 200
    await exporter.pass_time(3)
    assert await exporter.total("llmq_requests_total") == 1
    assert await exporter.total("llmq_exporter_anomalies_total", reason="clock_skew") == 1


async def test_a_span_without_an_id_is_refused_alone(run_exporter):
    exporter = await run_exporter()
    body = spans_of_one_trace(1, 2)
    body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"] = ""
    status, answer = await exporter.post("/v1/traces", json=body)
    assert status == 200
    assert json.loads(answer)["partialSuccess"]["rejectedSpans"] == "1"
    await exporter.pass_time(11)
    assert await exporter.total("llmq_exporter_rejected_total", reason="trace_id") == 1
    assert await exporter.total("llmq_exporter_spans_received_total") == 1


async def test_what_cannot_be_decoded_is_400_and_counted(run_exporter):
    exporter = await run_exporter()
    for body, headers in ((b"\x0a\xff\xff", PROTOBUF), (b"[" * 100_000, JSON), (b"{", JSON)):
        status, _ = await exporter.post("/v1/traces", data=body, headers=headers)
        assert status == 400
    await exporter.pass_time(1)
    assert await exporter.total("llmq_exporter_rejected_total", signal="traces", reason="undecodable") == 3
