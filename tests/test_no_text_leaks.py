"""No line of the log, no error message and no metric holds text of traces, whatever goes wrong with them."""

import asyncio
import json
import logging
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from msgspec.structs import replace

from exporter.config import load
from exporter.document import document
from exporter.evaluators import described, evaluator
from exporter.evaluators.panel import Panel
from exporter.evaluators.registry import Registry
from exporter.offline.replay import Replay
from exporter.score import Outcome

REQUESTS = Path(__file__).parent / "captures" / "requests"
MARK = "planted-4711"
TRACE = "a" * 32
ALL = {"store": {"content": "all"}}


@pytest.fixture
def log(caplog):
    """All that any logger says, as it is printed, tracebacks included."""
    caplog.set_level(logging.CRITICAL, "aiohttp.access")  # which llmq serve turns off
    caplog.set_level(logging.DEBUG)

    def said():
        logging.getLogger("exporter").debug("this is heard")
        assert "this is heard" in caplog.text
        return caplog.text

    return said


def texts(value):
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for one in value.values() if isinstance(value, dict) else value:
            yield from texts(one)


def captured_texts():
    """Pieces of what users asked, models answered and documents say in the captured requests."""
    replay = Replay(load(None))
    for path in REQUESTS.glob("*.pb"):
        replay.add(path)
    pieces = set()
    for trace in replay.traces():
        shown = json.loads(msgspec.json.encode(document(trace, Outcome(), content=True)))
        said = [shown[name] for name in ("question", "answer", "refusal", "context", "tool_calls")]
        pieces |= {text[4:24] for text in texts(said) if len(text) >= 24 and " " in text[4:24]}
    return pieces


async def test_captured_requests_leave_no_text_in_log_or_metrics(run_exporter, log):
    exporter = await run_exporter(ALL)
    for path in sorted(REQUESTS.glob("*.pb")):
        where = "/v1/logs" if ".logs" in path.name else "/v1/traces"
        headers = {"Content-Type": "application/x-protobuf"}
        status, _ = await exporter.post(where, data=path.read_bytes(), headers=headers)
        assert status == 200
    await exporter.pass_time(400)
    assert await exporter.total("llmq_requests_total") > 100
    pieces = captured_texts()
    ids = (trace_id for (trace_id,) in exporter.exporter.store._reading.rows("SELECT trace_id FROM traces"))
    held = "".join((exporter.exporter.pipeline.document(trace_id) or b"").decode() for trace_id in ids)
    assert sum(piece in held for piece in pieces) > 10
    said = log() + await exporter.metrics()
    assert [piece for piece in pieces if piece in said] == []


BROKEN = [
    ("/v1/traces", f'{{"resourceSpans": "{MARK}"}}'),
    ("/v1/traces", f'{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{{"traceId": "{MARK}"}}]}}]}}]}}'),
    ("/v1/traces", f'{{"resourceSpans": [{{"x": "{MARK}'),
    ("/v1/logs", f'{{"resourceLogs": [{{"scopeLogs": "{MARK}"}}]}}'),
    ("/v1/logs", MARK),
    ("/v1/interactions", f'{{"app": "shop", "question": ["{MARK}"], "answer": 1}}'),
    ("/v1/interactions", f'{{"app": "shop", "question": "{MARK}", "answer": "{MARK}", "started_at": "{MARK}"}}'),
    ("/v1/interactions", f'[{{"app": "shop", "question": "{MARK}"}}, "{MARK}", {{"question": "{MARK}\\ud800"}}]'),
    ("/v1/feedback", f'{{"trace_id": "{TRACE}", "signal": "edit", "edited_text": ["{MARK}"]}}'),
    ("/v1/feedback", f'{{"trace_id": "{TRACE}", "signal": "copy", "edited_text": "{MARK}", "comment": "{MARK}"}}'),
    ("/v1/feedback", f'{{"trace_id": "{TRACE}", "signal": "thumbs_up", "comment": "{MARK * 1000}"}}'),
    ("/v1/feedback", f'[{{"trace_id": "{MARK}", "signal": "thumbs_up"}}, "{MARK}"]'),
]


@pytest.mark.parametrize(("path", "body"), BROKEN)
async def test_what_is_wrong_is_said_without_what_was_sent(run_exporter, log, path, body):
    exporter = await run_exporter(ALL)
    _, answer = await exporter.post(path, data=body.encode(), headers={"Content-Type": "application/json"})
    await exporter.pass_time(20)
    assert MARK not in answer.decode()
    assert MARK not in log() + await exporter.metrics()


async def send(exporter):
    sent = {"trace_id": TRACE, "app": "shop", "question": f"{MARK}?", "answer": f"{MARK}.", "user": MARK}
    status, _ = await exporter.post("/v1/interactions", json=sent | {"context": [MARK]})
    await exporter.pass_time(3)
    return status


async def test_an_evaluator_that_breaks_on_a_text_does_not_quote_it(run_exporter, log):
    """A plugin's exception often holds what it was given."""

    def quoting(trace):
        raise ValueError(trace.answer)

    exporter = await run_exporter(ALL)
    panel = Panel({}, Registry([described(evaluator("quoting", version="1")(quoting))]))
    exporter.exporter.pipeline.settings = replace(exporter.exporter.pipeline.settings, panel=panel)
    await send(exporter)
    assert await exporter.total("llmq_evaluation_failures_total", evaluator="quoting", reason="exception") == 1
    found = exporter.exporter.pipeline.document(bytes.fromhex(TRACE))
    assert MARK not in json.dumps(json.loads(found)["failures"])
    assert MARK not in log() + await exporter.metrics()


async def test_a_judge_that_answers_with_the_prompt_is_not_quoted(run_exporter, log, tmp_path, aiohttp_server):
    asked = []

    async def echo(request):
        asked.append(await request.text())
        status = (500, 400, 200)[len(asked) % 3]
        return web.Response(status=status, text=asked[-1])

    app = web.Application()
    app.router.add_post("/v1/chat/completions", echo)
    server = await aiohttp_server(app)
    judge = {"enabled": True, "endpoint": str(server.make_url("/v1")), "model": "m", "sampling": [{"rate": 1.0}]}
    judge |= {"budget": {"ledger": f"sqlite:///{tmp_path / 'ledger.db'}"}}
    exporter = await run_exporter({"store": {"content": "none"}, "judge": judge})
    await send(exporter)
    await settled(exporter)
    assert any(MARK in one for one in asked)
    found = exporter.exporter.pipeline.document(bytes.fromhex(TRACE)).decode()
    assert json.loads(found)["failures"] != []
    assert MARK not in found.replace(f'"user":"{MARK}"', "")
    assert MARK not in log() + await exporter.metrics()


async def settled(exporter):
    async with asyncio.timeout(20):
        while len(exporter.exporter.judging.queue):
            exporter.clock.move(120)
            exporter.exporter.judging.worker.wake()
            await asyncio.sleep(0.01)
    await exporter.exporter.pipeline.flush()


async def test_a_store_that_cannot_be_written_is_said_without_what_should_be_in_it(run_exporter, log):
    exporter = await run_exporter(ALL)
    with exporter.exporter.store.journal._writing.connection() as connection:
        connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
    sent = {"app": "shop", "question": MARK * 4000, "answer": MARK}
    status, answer = await exporter.post("/v1/interactions", json=sent)
    assert (status, MARK in answer.decode()) == (503, False)
    assert "disk_full" in log(), answer
    assert MARK not in log() + await exporter.metrics()
