"""Scoring holds the event loop for short slices only, and loses nothing of what comes in between."""

import asyncio
import gc
import json
import time

import pytest

from exporter.evaluators.schema import STEPS

PLUGIN = '''
import time


def waits(trace) -> bool:
    """Says yes when told to, by a file."""
    from pathlib import Path

    while trace.answer == "wait" and not Path(trace.question).exists():
        time.sleep(0.01)
    if trace.answer == "hang":
        sum(range(10**15))
    return True
'''
SLICE = 0.25
"""Seconds of processor time that the event loop may be held, which is the promise; these take a fifth of it."""


@pytest.fixture(autouse=True)
def no_collection():
    """Python looks for garbage as seldom as in the server, not in the middle of what is measured."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    folder = tmp_path / "plugin"
    info = folder / "waiting-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "waiting_plugin.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: waiting\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[llmq.evaluators]\nwaits = waiting_plugin:waits\n")
    monkeypatch.syspath_prepend(folder)
    return {"evaluators": {"waits": {"enabled": True, "timeout": "20s"}}}


def slices(exporter):
    """Score all that is due as the loop does; the processor time of each slice."""
    found = []
    more = True
    while more:
        before = time.thread_time()
        more = exporter.exporter.pipeline.score()
        found.append(time.thread_time() - before)
    return found


def costly(number):
    """A schema and an answer that take all steps that a validation may take."""
    schema = {"$comment": str(number), "patternProperties": {f"a{n}": {"type": "null"} for n in range(400)}}
    answer = json.dumps({f"b{n}": 1 for n in range(3000)})
    return {"app": "shop", "id": f"t{number}", "question": "q?", "answer": answer, "response_schema": schema}


async def test_traces_that_take_all_they_may_are_scored_in_slices(run_exporter):
    exporter = await run_exporter()
    asked = [costly(number) for number in range(32)] + [{"app": "calm", "id": "c", "question": "q?", "answer": "Fine."}]
    assert (await exporter.post("/v1/interactions", json=asked))[0] == 200
    exporter.clock.move(3)
    spent = slices(exporter)
    assert len(spent) > 20
    assert max(spent) < SLICE
    await exporter.exporter.pipeline.flush()
    assert await exporter.total("llmq_evaluation_failures_total", evaluator="json_schema", reason="budget") == 32
    assert await exporter.total("llmq_requests_total") == 33
    assert await exporter.total("llmq_evaluations_total", app="calm", evaluator="refusal", verdict="pass") == 1


async def test_one_trace_that_takes_all_it_may_everywhere_is_scored_in_slices(run_exporter):
    exporter = await run_exporter({"store": {"content": "all"}})
    cited = " ".join(f"Item {n} is big [{n}]." for n in range(1, 100))
    facts = [json.dumps({f"Word{n}_{m}": True for n in range(200)}) for m in range(99)]
    heavy = costly(1) | {"answer": "word " * 8000 + cited, "context": facts}
    assert (await exporter.post("/v1/interactions", json=[heavy, costly(2)]))[0] == 200
    exporter.clock.move(3)
    spent = slices(exporter)
    assert max(spent) < SLICE
    await exporter.exporter.pipeline.flush()
    assert await exporter.total("llmq_requests_total") == 2


def test_the_steps_of_a_validation_are_what_the_documentation_says():
    assert STEPS == 100_000


async def test_the_loop_goes_on_while_a_plugin_is_asked_and_late_parts_wait_for_their_trace(
    run_exporter, plugin, tmp_path
):
    exporter = await run_exporter(plugin)
    told = tmp_path / "told"
    asked = {"app": "shop", "id": "a" * 32, "question": str(told), "answer": "wait", "conversation_id": None}
    assert (await exporter.post("/v1/interactions", json=asked))[0] == 200
    exporter.clock.move(3)
    pipeline = exporter.exporter.pipeline
    await until(lambda: pipeline.arrivals.scoring)
    for _ in range(20):  # the loop answers while it waits
        assert (await exporter.client.get("/-/healthy")).status == 200
    again = asyncio.ensure_future(exporter.post("/v1/interactions", json=asked))
    other = await exporter.post("/v1/interactions", json=asked | {"id": "b" * 32, "answer": "Fine."})
    assert other[0] == 200
    assert not again.done()
    assert await exporter.total("llmq_requests_total") == 0
    told.write_text("go on")
    assert (await again)[0] == 200
    await until(lambda: not pipeline.arrivals.scoring)
    await exporter.pass_time(3)
    assert await exporter.total("llmq_requests_total") == 2
    assert await exporter.total("llmq_evaluations_total", evaluator="waits", verdict="pass") == 2
    assert await exporter.total("llmq_exporter_duplicates_total", kind="same") == 1


async def until(holds):
    while not holds():  # noqa: ASYNC110 - of what the exporter does by itself
        await asyncio.sleep(0.01)


async def test_a_plugin_that_hangs_is_a_failure_and_all_else_is_scored(run_exporter, plugin):
    plugin["evaluators"]["waits"]["timeout"] = "1s"
    exporter = await run_exporter(plugin)
    asked = [
        {"app": "shop", "id": f"{answer}{n}", "question": "q?", "answer": answer}
        for n in range(2)
        for answer in ("hang", "Fine.")
    ]
    assert (await exporter.post("/v1/interactions", json=asked))[0] == 200
    await exporter.pass_time(3)
    assert await exporter.total("llmq_evaluation_failures_total", evaluator="waits", reason="timeout") == 2
    assert await exporter.total("llmq_evaluations_total", evaluator="waits", verdict="pass") == 2
    assert await exporter.total("llmq_evaluations_total", evaluator="refusal", verdict="pass") == 4


async def test_what_was_being_scored_at_the_end_is_scored_at_the_next_start(run_exporter, plugin, tmp_path):
    exporter = await run_exporter(plugin)
    told = tmp_path / "told"
    asked = {"app": "shop", "id": "a" * 32, "question": str(told), "answer": "wait"}
    assert (await exporter.post("/v1/interactions", json=asked))[0] == 200
    exporter.clock.move(3)
    await until(lambda: exporter.exporter.pipeline.arrivals.scoring)
    await exporter.client.server.close()
    told.write_text("go on")
    second = await run_exporter(plugin)
    await second.pass_time(20)
    assert await second.total("llmq_requests_total") == 1
    assert await second.total("llmq_evaluations_total", evaluator="waits", verdict="pass") == 1
