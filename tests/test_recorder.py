"""What was decided becomes durable once, also where whoever waited for it was cancelled."""

import asyncio
import sqlite3
from contextlib import closing, suppress

import pytest


async def test_a_flush_that_is_cancelled_on_its_way_is_finished_by_the_next_and_counted_once(run_exporter):
    exporter = await run_exporter()
    pipeline = exporter.exporter.pipeline
    for number in range(50):
        await exporter.post("/v1/interactions", json={"id": str(number), "question": "q", "answer": "a"})
        exporter.clock.move(3)
        pipeline.score()
        flushing = asyncio.ensure_future(pipeline.flush())
        for _ in range(number % 5):
            await asyncio.sleep(0)
        flushing.cancel()
        with suppress(asyncio.CancelledError):
            await flushing
        await pipeline.flush()
    exporter.clock.move(30)
    pipeline.score()
    await pipeline.flush()
    assert await exporter.total("llmq_requests_total") == 50


def request(*numbers, llm):
    attributes = [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}] if llm else []
    spans = [
        {"traceId": "a" * 32, "spanId": f"{number:016x}", "parentSpanId": f"{1:016x}" if number > 1 else "",
         "name": "chat", "startTimeUnixNano": "1790000000000000000", "endTimeUnixNano": "1790000001000000000",
         "attributes": attributes}
        for number in numbers
    ]  # fmt: skip
    return {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}


@pytest.mark.parametrize("llm", [True, False])
@pytest.mark.parametrize("restarts", [False, True])
async def test_one_trace_id_for_ever_is_recognised_within_a_bound_and_dropped_beyond(run_exporter, llm, restarts):
    most = 200
    exporter = await run_exporter({"assembly": {"max_spans_per_trace": most}})
    batches = [range(first, first + 30) for first in range(1, 301, 30)]
    for numbers in batches:
        await exporter.post("/v1/traces", json=request(*numbers, llm=llm))
        await exporter.pass_time(20)
    if restarts:
        await exporter.client.close()
        exporter = await run_exporter({"assembly": {"max_spans_per_trace": most}})
    assert await exporter.total("llmq_exporter_rejected_total", signal="traces", reason="trace_full") == 300 - most
    assert await exporter.total("llmq_exporter_duplicates_total") == 0
    for numbers in batches:
        await exporter.post("/v1/traces", json=request(*numbers, llm=llm))
    await exporter.pass_time(20)
    assert await exporter.total("llmq_exporter_duplicates_total", signal="traces", kind="same") == most
    assert await exporter.total("llmq_requests_total") == (1 if llm else 0)
    with closing(sqlite3.connect(exporter.exporter.store.path)) as connection:
        assert connection.execute("SELECT length(spans) FROM traces").fetchall() == [(8 * most,)]


async def test_keys_of_a_deleted_trace_are_known_no_longer(run_exporter):
    exporter = await run_exporter()
    for _ in range(2):
        for numbers in (range(1, 101), range(101, 150)):
            await exporter.post("/v1/traces", json=request(*numbers, llm=True))
            await exporter.pass_time(20)
        exporter.clock.move(8 * 86_400)
        await exporter.exporter.pipeline.retention.apply()
    assert await exporter.total("llmq_requests_total") == 2
