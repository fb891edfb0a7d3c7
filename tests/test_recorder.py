"""What was decided becomes durable once, also where whoever waited for it was cancelled."""

import asyncio
from contextlib import suppress


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
