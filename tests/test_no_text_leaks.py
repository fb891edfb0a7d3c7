"""No line of the log, no error message and no metric holds text of traces, whatever goes wrong with them."""

import asyncio
import json
import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from msgspec.structs import replace

from exporter.config import load
from exporter.evaluators import described, evaluator
from exporter.evaluators.panel import Panel
from exporter.evaluators.registry import Registry
from exporter.model.score import Outcome
from exporter.offline.replay import Replay
from exporter.recording.trace_document import document

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
    held = "".join([(await exporter.exporter.pipeline.document(trace_id) or b"").decode() for trace_id in ids])
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
    found = await exporter.exporter.pipeline.document(bytes.fromhex(TRACE))
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
    found = (await exporter.exporter.pipeline.document(bytes.fromhex(TRACE))).decode()
    assert json.loads(found)["failures"] != []
    assert MARK not in found.replace(f'"user":"{MARK}"', "")
    assert MARK not in log() + await exporter.metrics()


async def settled(exporter):
    async with asyncio.timeout(120):
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


# HTTP that is broken, on raw sockets


START = f"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {MARK}\r\nX-Text: {MARK}\r\n".encode()
JSON_HEADER = b"Content-Type: application/json\r\n"
TEXT = f'{{"resourceSpans": "{MARK}"}}'.encode()
MARKED = MARK.encode()
BROKEN_HTTP = {
    "a body longer than its length": START + JSON_HEADER + b"Content-Length: 5\r\n\r\n" + TEXT,
    "a body shorter than its length": START + JSON_HEADER + b"Content-Length: 999\r\n\r\n" + TEXT,
    "a body without a length": START + JSON_HEADER + b"\r\n" + TEXT,
    "a length that is text": START + b"Content-Length: " + MARKED + b"\r\n\r\n",
    "a negative length": START + b"Content-Length: -5\r\n\r\n" + TEXT,
    "two lengths": START + b"Content-Length: 5\r\nContent-Length: 25\r\n\r\n" + TEXT,
    "a length and chunks": START + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + TEXT,
    "a body that is not in chunks": START + JSON_HEADER + b"Transfer-Encoding: chunked\r\n\r\n" + TEXT,
    "a chunk with a wrong size": START + JSON_HEADER + b"Transfer-Encoding: chunked\r\n\r\n3\r\n" + TEXT + b"\r\n",
    "a chunk with a huge size": START + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n" + TEXT,
    "an encoding that nobody knows": START + b"Transfer-Encoding: " + MARKED + b"\r\n\r\n" + TEXT,
    "a compression that nobody knows": START
    + JSON_HEADER
    + b"Content-Encoding: "
    + MARKED
    + b"\r\nContent-Length: %d\r\n\r\n" % len(TEXT)
    + TEXT,
    "a body that is not compressed": START
    + JSON_HEADER
    + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(TEXT)
    + TEXT,
    "a media type that nobody knows": START + b"Content-Type: x/" + MARKED + b"\r\nContent-Length: 2\r\n\r\n{}",
    "a control character in a header": START + b"X: " + MARKED + b"\x01\r\n\r\n",
    "a header without a colon": START + MARKED + b"\r\n\r\n",
    "a space before the colon": START + MARKED + b" : x\r\n\r\n",
    "a header name of other letters": START + MARKED + "\u00e9\u4e2d: x\r\n\r\n".encode(),
    "a folded header": START + b"X: a\r\n " + MARKED + b"\r\n\r\n",
    "a bare line feed": START.replace(b"\r\n", b"\n") + b"\n",
    "a header that is too long": START + b"X: " + MARKED + b"a" * 100_000 + b"\r\n\r\n",
    "too many headers": START + b"X: %s\r\n" % MARKED * 10_000 + b"\r\n",
    "a path that is too long": b"GET /" + MARKED * 10_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a path with a broken escape": b"GET /" + MARKED + b"%zz%ff HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a path that is not there": b"GET /" + MARKED + b"?q=" + MARKED + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a target that is no path": b"GET http://[" + MARKED + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a trace that is not there": b"GET /api/traces/" + MARKED + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a limit that is none": b"GET /api/offline/uncovered?limit=" + MARKED + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a method that nobody knows": MARKED.upper() + b" / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a request line without a version": b"GET /" + MARKED + b"\r\n\r\n",
    "a version that nobody knows": b"GET / " + MARKED + b"/9\r\nHost: localhost\r\n\r\n",
    "no HTTP at all": MARKED + b"\r\n\r\n",
    "a greeting of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + MARKED + b"\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + MARKED,
    "an upgrade": START + b"Connection: Upgrade\r\nUpgrade: " + MARKED + b"\r\n\r\n" + TEXT,
    "an upgrade, then no HTTP": START + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n" + MARKED + b"\r\n\r\n",
    "an expectation that nobody knows": START + b"Expect: " + MARKED + b"\r\nContent-Length: 2\r\n\r\n{}",
    "another host": b"GET / HTTP/1.1\r\nHost: " + MARKED + b"\r\n\r\n",
    "another origin": START + b"Origin: http://" + MARKED + b"\r\nContent-Length: 2\r\n\r\n{}",
    "two requests of which the second is none": b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n"
    + MARKED
    + b"\r\n\r\n",
}


def sent_raw(url, request):
    """All that is answered to these bytes."""
    host, port = url.removeprefix("http://").split(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=120) as connection, suppress(ConnectionError):
        connection.sendall(request)
        while some := connection.recv(65536):
            answer += some
    return answer


def test_broken_http_is_quoted_neither_in_answers_nor_in_the_log(killable):
    limits = {"header": "1s", "idle": "1s", "body": "1s"}
    exporter = killable({"server": {"limits": limits}, "review": {"enabled": True}})
    with ThreadPoolExecutor(len(BROKEN_HTTP)) as threads:
        replies = threads.map(partial(sent_raw, exporter.url), BROKEN_HTTP.values())
        answers = dict(zip(BROKEN_HTTP, replies, strict=True))
    assert {name for name, answer in answers.items() if MARK.lower() in answer.decode("latin-1").lower()} == set()
    refused = [answer for answer in answers.values() if answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))]
    assert len(refused) > len(answers) / 2
    assert not [answer for answer in answers.values() if answer.split(b" ", 2)[1:2] == [b"500"]]
    for _ in range(300):
        sent_raw(exporter.url, BROKEN_HTTP["a control character in a header"])
    assert exporter.http.get("/-/healthy").status_code == 200
    assert exporter.total("llmq_exporter_connections_closed_total", reason="malformed") >= 300
    exporter.stop()
    log = exporter.log.read_text()
    assert MARK.lower() not in log.lower()
    assert "not well-formed HTTP: from=127.0.0.1 error=" in log
    assert "left out: lines=" in log
    assert "Traceback" not in log
    assert len(log) < 20_000
