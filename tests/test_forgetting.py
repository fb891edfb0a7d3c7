"""Deletion by trace and by user: through a whole exporter, on a moved clock."""

import asyncio
import json
import sqlite3
from contextlib import asynccontextmanager

import pytest
from aiohttp.test_utils import TestServer

from exporter.cli.main import main
from exporter.erasure.erasure import LIFE

A, B, C = "a" * 32, "b" * 32, "c" * 32
ADA = "ada@example.com/1"
SECRET = "planted"
ALL = {"store": {"content": "all"}, "privacy": {"redact": []}}


async def send(exporter, trace_id, *, record=True, **more):
    """One answered question."""
    sent = {"trace_id": trace_id, "app": "shop", "question": f"{SECRET} question", "answer": f"{SECRET} answer"}
    sent |= {"user": ADA, "conversation_id": "c-1", "id": f"r-{trace_id[0]}"} | more
    status, body = await exporter.post("/v1/interactions", json=sent)
    assert status == 200, body
    if record:
        await exporter.pass_time(3)


async def delete(exporter, path, **headers):
    """Ask, and make durable what was asked at once instead of within a second."""

    async def ask():
        async with exporter.client.delete(path, headers=headers) as response:
            return response.status, await response.json()

    asking = asyncio.create_task(ask())
    while not asking.done():
        await exporter.exporter.pipeline.flush()
        await asyncio.sleep(0.005)
    return await asking


async def test_a_trace_is_deleted_and_its_counters_stay(run_exporter):
    exporter = await run_exporter(ALL)
    await send(exporter, A)
    await send(exporter, B)
    assert await delete(exporter, f"/api/traces/{A.upper()}") == (200, {"traces": 1})
    assert await exporter.read(A) is None
    assert (await exporter.read(B))["question"] == f"{SECRET} question"
    assert await exporter.total("llmq_requests_total") == 2
    assert await delete(exporter, f"/api/traces/{A}") == (200, {"traces": 0})
    assert await delete(exporter, f"/api/traces/{B}") == (200, {"traces": 1})
    assert SECRET not in exporter.stored()


async def test_all_traces_of_a_user_are_deleted_and_nothing_names_them(run_exporter):
    exporter = await run_exporter(ALL)
    await send(exporter, A)
    await send(exporter, B)
    await send(exporter, C, user="bob", question="mine", answer="mine")
    assert await delete(exporter, "/api/users/ada@example.com%2F1") == (200, {"traces": 2})
    assert (await exporter.read(A), await exporter.read(B)) == (None, None)
    assert (await exporter.read(C))["user"] == "bob"
    await exporter.pass_time(0)
    held = exporter.stored()
    assert SECRET not in held
    assert ADA not in held


async def test_feedback_and_turns_of_a_deleted_trace_go_with_it(run_exporter):
    exporter = await run_exporter(ALL)
    await send(exporter, A)
    await exporter.post("/v1/feedback", json={"trace_id": A, "signal": "thumbs_down", "comment": SECRET})
    await exporter.post("/v1/feedback", json={"trace_id": B, "signal": "thumbs_down", "comment": SECRET})
    await exporter.post("/v1/feedback", json={"response_id": "r-x", "user": ADA, "signal": "copy", "comment": SECRET})
    await exporter.pass_time(0)
    await delete(exporter, f"/api/traces/{B}")
    assert await exporter.total("llmq_exporter_queue_length", queue="feedback") == 1
    await delete(exporter, "/api/users/ada@example.com%2F1")
    await exporter.pass_time(0)
    assert SECRET not in exporter.stored()
    assert await exporter.total("llmq_feedback_received_total", outcome="forgotten") == 2
    assert await exporter.total("llmq_feedback_total", signal="thumbs_down") == 1
    assert await exporter.total("llmq_exporter_queue_length", queue="conversations") == 0


async def test_parts_that_are_sent_again_bring_nothing_back(run_exporter):
    exporter = await run_exporter(ALL)
    await send(exporter, A)
    await delete(exporter, f"/api/traces/{A}")
    await send(exporter, A)
    assert await exporter.read(A) is None
    assert await exporter.total("llmq_requests_total") == 1
    assert SECRET not in exporter.stored()


async def test_what_is_still_open_counts_and_is_forgotten_as_it_is_recorded(run_exporter):
    exporter = await run_exporter(ALL)
    await send(exporter, A, record=False)
    await send(exporter, B, record=False, user=None)
    assert await delete(exporter, "/api/users/ada@example.com%2F1") == (200, {"traces": 0})
    assert await delete(exporter, f"/api/traces/{B}") == (200, {"traces": 0})
    await exporter.pass_time(3)
    assert (await exporter.read(A), await exporter.read(B)) == (None, None)
    assert await exporter.total("llmq_requests_total") == 2
    assert SECRET not in exporter.stored()


async def test_a_user_who_comes_back_is_recorded_again(run_exporter):
    exporter = await run_exporter(ALL)
    await delete(exporter, "/api/users/ada@example.com%2F1")
    await exporter.pass_time(60)
    await send(exporter, A, started_at=exporter.clock.at)
    assert (await exporter.read(A))["user"] == ADA


async def test_a_trace_that_began_before_and_arrives_within_a_day_is_forgotten(run_exporter):
    exporter = await run_exporter(ALL)
    began = exporter.clock.at - 60
    await delete(exporter, "/api/users/ada@example.com%2F1")
    await exporter.pass_time(LIFE - 60)
    await send(exporter, A, started_at=began)
    assert await exporter.read(A) is None
    await exporter.pass_time(120)
    exporter.exporter.features.tick()
    await send(exporter, B, started_at=began)
    assert (await exporter.read(B))["user"] == ADA


async def test_a_user_who_becomes_known_late_is_forgotten_then(run_exporter):
    exporter = await run_exporter(ALL)
    span = {"traceId": A, "spanId": "1" * 16, "name": "chat", "startTimeUnixNano": "1", "endTimeUnixNano": "2"}
    span["attributes"] = [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}]
    span["attributes"] += [{"key": "gen_ai.request.model", "value": {"stringValue": "m-1"}}]

    def request(one):
        return {"resourceSpans": [{"scopeSpans": [{"spans": [one]}]}]}

    await exporter.post("/v1/traces", json=request(span))
    await exporter.pass_time(20)
    assert (await exporter.read(A))["user"] is None
    await delete(exporter, "/api/users/ada@example.com%2F1")
    asker = [*span["attributes"], {"key": "user.id", "value": {"stringValue": ADA}}]
    late = span | {"spanId": "2" * 16, "parentSpanId": "1" * 16, "attributes": asker}
    await exporter.post("/v1/traces", json=request(late))
    await exporter.pass_time(1)
    assert await exporter.read(A) is None
    assert ADA not in exporter.stored()


async def test_a_request_survives_a_restart_with_traces_open(run_exporter):
    exporter = await run_exporter(ALL)
    await send(exporter, A, record=False)
    await delete(exporter, "/api/users/ada@example.com%2F1")
    await exporter.client.close()
    again = await run_exporter(ALL)
    await again.pass_time(3)
    assert await again.read(A) is None
    assert SECRET not in again.stored()


async def test_jobs_of_the_judge_go_with_their_traces(run_exporter, judge):
    exporter = await run_exporter(ALL | judge())
    exporter.exporter.judging.worker.stop()
    await send(exporter, A)
    await send(exporter, B)
    assert len(exporter.exporter.judging.queue) == 2
    await delete(exporter, f"/api/traces/{A}")
    assert len(exporter.exporter.judging.queue) == 1
    await delete(exporter, f"/api/traces/{B}")
    assert SECRET not in exporter.stored()
    assert await exporter.total("llmq_unscored_total", reason="forgotten") == 2


async def test_jobs_of_a_trace_that_is_forgotten_as_it_is_recorded_are_never_stored(run_exporter, judge):
    exporter = await run_exporter(ALL | judge())
    await delete(exporter, f"/api/traces/{A}")
    await send(exporter, A)
    assert len(exporter.exporter.judging.queue) == 0
    assert await exporter.total("llmq_unscored_total", reason="forgotten") >= 1


@pytest.mark.parametrize("path", ["/api/traces/xyz", f"/api/traces/{A[1:]}"])
async def test_what_is_no_trace_is_refused_with_its_cure(run_exporter, path):
    exporter = await run_exporter()
    status, body = await delete(exporter, path)
    assert (status, "32 hexadecimal digits" in body["error"]) == (400, True)


async def test_only_an_administrator_may_delete(run_exporter, tmp_path):
    (tmp_path / "reader").write_text("a-reader-of-some-length")
    (tmp_path / "admin").write_text("an-admin-of-some-length")
    tokens = [{"name": name, "roles": [role], "file": name} for name, role in (("reader", "read"), ("admin", "admin"))]
    exporter = await run_exporter({"server": {"tokens": tokens}})
    for token, expected in ((None, 401), ("a-reader-of-some-length", 403), ("an-admin-of-some-length", 200)):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        assert (await delete(exporter, f"/api/traces/{A}", **headers))[0] == expected
        assert (await delete(exporter, "/api/users/ada", **headers))[0] == expected


@asynccontextmanager
async def listening(exporter):
    """The exporter's address, as a command in another thread can reach it."""
    server: TestServer = exporter.client.server
    yield str(server.make_url("/"))


async def test_the_command_deletes_and_says_how_much(run_exporter, capsys):
    exporter = await run_exporter(ALL)
    await send(exporter, A)
    await send(exporter, B)
    async with listening(exporter) as url:
        for arguments, said in (
            (["--trace", A], "deleted: 1 recorded trace\n"),
            (["--user", ADA], "deleted: 1 recorded trace\n"),
            (["--user", ADA], "deleted: 0 recorded traces\n"),
        ):
            assert await asyncio.to_thread(main, ["forget", *arguments, "--from", url]) == 0
            assert capsys.readouterr().out == said
        assert await asyncio.to_thread(main, ["forget", "--trace", "x", "--from", url]) == 1
        assert "32 hexadecimal digits" in capsys.readouterr().err
    assert await exporter.read(A) is None


async def test_a_request_is_done_again_from_the_journal_after_a_crash(run_exporter, tmp_path):
    exporter = await run_exporter(ALL)
    await send(exporter, A)
    await exporter.client.close()
    connection = sqlite3.connect(exporter.exporter.store.journal.path)
    body = json.dumps({"user": ADA}).encode()
    connection.execute("INSERT INTO journal VALUES (999, ?, 'forget', 'application/json', '', ?)", (2e9, body))
    connection.commit()
    connection.close()
    again = await run_exporter(ALL)
    await again.pass_time(0)
    assert await again.read(A) is None
    assert SECRET not in again.stored()
