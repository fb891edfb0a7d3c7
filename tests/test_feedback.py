"""Feedback and derived signals through a whole exporter, on a clock that the test moves."""

import gzip
import json

import pytest

from exporter.store.kinds import EARLY_FEEDBACK, FEEDBACK_ID

URL = "/v1/feedback"
A, B, C = "a" * 32, "b" * 32, "c" * 32
QUESTION = "How do I reset the password of my account?"
NEAR = "How can I reset the password for my account please?"
OTHER = "Which documents do you need from me for the loan?"
REFUSAL = "I'm sorry, but I can't help with that."


def interaction(trace_id, clock, **more):
    sent = {"trace_id": trace_id, "app": "shop", "route": "/ask", "model": "m-1", "prompt_version": "7"}
    sent |= {"question": QUESTION, "answer": "Open the settings and choose a new password.", "started_at": clock.at - 1}
    return sent | {"duration_seconds": 0.5} | more


async def send(exporter, trace_id, **more):
    """One answered question, recorded."""
    status, _ = await exporter.post("/v1/interactions", json=interaction(trace_id, exporter.clock, **more))
    assert status == 200
    await exporter.pass_time(3)


async def say(exporter, *said, status=200):
    got, body = await exporter.post(URL, json=list(said) if len(said) > 1 else said[0])
    assert got == status, body
    await exporter.pass_time(0)
    return json.loads(body)


async def feedback_of(exporter, trace_id):
    return (await (await exporter.client.get(f"/api/traces/{trace_id}")).json())["feedback"]


async def counted(exporter, signal, **labels):
    return await exporter.total("llmq_feedback_total", signal=signal, **labels)


async def became(exporter, outcome):
    return await exporter.total("llmq_feedback_received_total", outcome=outcome)


async def waiting(exporter):
    return await exporter.total("llmq_exporter_queue_length", queue="feedback")


# Late and early


async def test_late_feedback_counts_for_the_version_that_answered(run_exporter):
    exporter = await run_exporter()
    await send(exporter, A)
    await exporter.pass_time(3 * 86400)
    await send(exporter, B, prompt_version="8")
    assert await say(exporter, {"trace_id": A, "signal": "thumbs_down"}) == {"accepted": 1, "errors": []}
    assert await counted(exporter, "thumbs_down", source="explicit", prompt_version="7", app="shop", route="/ask") == 1
    assert await counted(exporter, "thumbs_down", prompt_version="8") == 0
    assert await feedback_of(exporter, A) == [{"signal": "thumbs_down", "source": "explicit", "at": exporter.clock.at}]


async def test_both_ratings_of_a_slice_are_there_from_the_first_one_on(run_exporter):
    exporter = await run_exporter()
    await send(exporter, A)
    await say(exporter, {"trace_id": A, "signal": "thumbs_up"})
    shown = {(name, dict(labels).get("signal")): value for (name, labels), value in (await exporter.samples()).items()}
    assert shown["llmq_feedback_total", "thumbs_down"] == 0
    assert shown["llmq_feedback_retracted_total", "thumbs_up"] == 0


async def test_early_feedback_waits_for_its_trace_by_either_id(run_exporter, clock):
    exporter = await run_exporter()
    await say(exporter, {"trace_id": A.upper(), "signal": "thumbs_up"}, {"trace_id": B, "signal": "copy"})
    assert (await waiting(exporter), await counted(exporter, "thumbs_up")) == (2, 0)
    said_at = clock.at
    await exporter.pass_time(3600)
    await send(exporter, A)
    assert (await waiting(exporter), await counted(exporter, "thumbs_up")) == (1, 1)
    assert (await feedback_of(exporter, A))[0]["at"] == said_at


async def test_a_response_id_is_enough_early_and_late(run_exporter, captured):
    exporter = await run_exporter()
    capture, response_id = "openinference-openai-deflate.n2.traces.pb", "chatcmpl-CAP000466"
    await say(exporter, {"response_id": response_id, "signal": "thumbs_up"})
    await exporter.post("/v1/traces", data=captured(capture), headers={"Content-Type": "application/x-protobuf"})
    await exporter.pass_time(12)
    assert await counted(exporter, "thumbs_up") == 1
    await say(exporter, {"response_id": response_id, "signal": "thumbs_down"})
    assert await counted(exporter, "thumbs_down") == 1


async def test_a_restart_in_between_loses_no_early_feedback(run_exporter):
    exporter = await run_exporter()
    await say(exporter, {"trace_id": A, "signal": "thumbs_down", "id": "1", "comment": "It is wrong."})
    await exporter.client.close()
    exporter = await run_exporter({"store": {"content": "all"}})
    assert await waiting(exporter) == 1
    await say(exporter, {"trace_id": A, "signal": "thumbs_down", "id": "1"})
    await send(exporter, A)
    assert await counted(exporter, "thumbs_down") == 1
    assert (await feedback_of(exporter, A))[0]["comment"] == "It is wrong."
    assert await became(exporter, "duplicate") == 1
    assert await waiting(exporter) == 0


async def test_feedback_without_a_trace_expires_and_is_counted(run_exporter):
    exporter = await run_exporter({"feedback": {"early": {"age": "1h"}}})
    await say(exporter, {"trace_id": A, "signal": "thumbs_down"}, {"conversation_id": "c", "signal": "copy"})
    await exporter.pass_time(3599)
    assert (await waiting(exporter), await became(exporter, "expired")) == (2, 0)
    await exporter.pass_time(1)
    assert (await waiting(exporter), await became(exporter, "expired")) == (0, 2)
    await send(exporter, A)
    assert await counted(exporter, "thumbs_down") == 0


async def test_a_trace_with_nothing_to_score_is_nobodys(run_exporter):
    exporter = await run_exporter({"feedback": {"early": {"age": "1h"}}})
    bare = {"traceId": A, "spanId": "1" * 16, "name": "job", "startTimeUnixNano": "1", "endTimeUnixNano": "2"}
    await exporter.post("/v1/traces", json={"resourceSpans": [{"scopeSpans": [{"spans": [bare]}]}]})
    await exporter.pass_time(3)
    await say(exporter, {"trace_id": A, "signal": "thumbs_down"})
    await exporter.pass_time(3600)
    assert await became(exporter, "expired") == 1


async def test_more_than_may_wait_displaces_the_oldest(run_exporter):
    exporter = await run_exporter({"feedback": {"early": {"items": 2}}})
    await say(exporter, *({"trace_id": one * 32, "signal": "copy"} for one in "abc"))
    assert (await waiting(exporter), await became(exporter, "displaced")) == (2, 1)
    await send(exporter, A)
    await send(exporter, C)
    assert await counted(exporter, "copy") == 1


# By conversation


async def test_a_conversations_feedback_is_about_the_last_answer_before_it(run_exporter):
    exporter = await run_exporter()
    await send(exporter, A, conversation_id="c", prompt_version="7")
    await exporter.post(
        "/v1/interactions",
        json=interaction(B, exporter.clock, question=OTHER, conversation_id="c", prompt_version="8"),
    )
    await say(exporter, {"conversation_id": "c", "signal": "thumbs_down"})  # B was answered, and is not recorded yet
    assert await waiting(exporter) == 1
    await exporter.pass_time(3)
    await exporter.pass_time(1)
    await send(exporter, C, conversation_id="c", prompt_version="9", question="And what does it cost?")
    await exporter.pass_time(15)
    assert await waiting(exporter) == 0
    assert await counted(exporter, "thumbs_down", prompt_version="8") == 1
    assert await counted(exporter, "thumbs_down") == 1


async def test_a_retry_after_the_next_answer_counts_once(run_exporter):
    exporter = await run_exporter()
    said = {"conversation_id": "c", "signal": "thumbs_up", "id": "click-1"}
    await send(exporter, A, conversation_id="c")
    await say(exporter, said)
    await exporter.pass_time(16)
    await send(exporter, B, conversation_id="c", question=OTHER)
    await say(exporter, said)
    await exporter.pass_time(16)
    assert await counted(exporter, "thumbs_up") == 1
    assert await became(exporter, "duplicate") == 1


async def test_early_feedback_on_a_conversation_survives_a_restart(run_exporter):
    exporter = await run_exporter()
    await send(exporter, A, conversation_id="c")
    await say(exporter, {"conversation_id": "c", "signal": "copy"})
    await exporter.client.close()
    exporter = await run_exporter()
    await exporter.pass_time(16)
    assert await counted(exporter, "copy") == 1


def chat_span(number, **attributes):
    named = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m-1"} | attributes
    span = {"traceId": A, "spanId": f"{number:016x}", "name": "chat", "startTimeUnixNano": "1", "endTimeUnixNano": "2"}
    span["attributes"] = [{"key": name, "value": {"stringValue": value}} for name, value in named.items()]
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


async def test_a_conversation_that_a_late_part_names_is_found(run_exporter):
    exporter = await run_exporter()
    await exporter.post("/v1/traces", json=chat_span(1))
    await exporter.pass_time(20)
    await exporter.post("/v1/traces", json=chat_span(2, **{"gen_ai.conversation.id": "c"}))
    await exporter.pass_time(1)
    await say(exporter, {"conversation_id": "c", "signal": "copy"})
    await exporter.pass_time(16)
    assert await counted(exporter, "copy") == 1


# Corrections and duplicates


async def test_a_correction_counts_once_more_and_retracts_once(run_exporter):
    exporter = await run_exporter()
    await send(exporter, A)
    await say(exporter, {"trace_id": A, "signal": "thumbs_up", "user": "ada"})
    await exporter.pass_time(86400)
    await say(exporter, {"trace_id": A, "signal": "thumbs_down", "user": "ada", "id": "2"})
    await say(exporter, {"trace_id": A, "signal": "thumbs_up", "user": "bob"})
    assert await counted(exporter, "thumbs_up") == 2
    assert await counted(exporter, "thumbs_down") == 1
    assert await exporter.total("llmq_feedback_retracted_total", signal="thumbs_up", source="explicit") == 1
    assert await exporter.total("llmq_feedback_retracted_total", signal="thumbs_down") == 0
    ratings = [(one["signal"], one.get("was")) for one in await feedback_of(exporter, A)]
    assert ratings == [("thumbs_down", "thumbs_up"), ("thumbs_up", None)]


async def test_early_feedback_may_correct_itself_before_its_trace_comes(run_exporter):
    exporter = await run_exporter()
    await say(exporter, {"trace_id": A, "signal": "thumbs_up"}, {"trace_id": A, "signal": "thumbs_down"})
    await send(exporter, A)
    assert (await counted(exporter, "thumbs_up"), await counted(exporter, "thumbs_down")) == (1, 1)
    assert await exporter.total("llmq_feedback_retracted_total", signal="thumbs_up") == 1


async def test_what_was_said_before_counts_once_with_and_without_an_id(run_exporter):
    exporter = await run_exporter()
    await send(exporter, A)
    down, up = ({"trace_id": A, "signal": f"thumbs_{way}", "id": way} for way in ("down", "up"))
    await say(exporter, down, down)
    await say(exporter, up)
    await say(exporter, down)  # a retry of the first, not a third change
    await say(exporter, {"trace_id": A, "signal": "copy"})
    await say(exporter, {"trace_id": A, "signal": "copy"})
    assert [await counted(exporter, signal) for signal in ("thumbs_down", "thumbs_up", "copy")] == [1, 1, 1]
    assert [await became(exporter, one) for one in ("joined", "corrected", "duplicate", "repeated")] == [2, 1, 2, 1]


async def test_ids_are_forgotten_with_the_traces(run_exporter):
    exporter = await run_exporter({"store": {"retention": {"age": "1h"}}})
    said = {"trace_id": A, "signal": "copy", "id": "1"}
    await send(exporter, A)
    await say(exporter, said)
    store = exporter.exporter.store
    assert len(store.rows.ids(FEEDBACK_ID)) == 1
    await exporter.pass_time(3601)
    assert store.rows.ids(FEEDBACK_ID) == []


async def test_one_bad_entry_is_named_and_the_others_count(run_exporter):
    exporter = await run_exporter()
    await send(exporter, A)
    good, bad = {"trace_id": A, "signal": "copy"}, {"trace_id": A, "signal": "like"}
    told = await say(exporter, good, bad)
    assert told["accepted"] == 1
    assert told["errors"][0]["index"] == 1
    assert (await say(exporter, bad, status=400))["error"].startswith("$.signal: no such value")
    assert await counted(exporter, "copy") == 1
    assert await exporter.total("llmq_exporter_rejected_total", signal="feedback", reason="invalid") == 2


async def test_what_was_accepted_is_all_accounted_for(run_exporter):
    exporter = await run_exporter()
    await send(exporter, A)
    sent = [{"trace_id": one * 32, "signal": f"thumbs_{way}"} for one in "aabbcc" for way in ("up", "down")]
    accepted = (await say(exporter, *sent))["accepted"]
    await send(exporter, B)
    outcomes = await exporter.total("llmq_feedback_received_total")
    assert accepted == outcomes + await waiting(exporter) == 12


# Text


@pytest.mark.parametrize(
    ("content", "answer", "is_kept"),
    [
        ("none", REFUSAL, False),
        ("failing", "Choose a new password.", False),
        ("failing", REFUSAL, True),
        ("all", "Yes.", True),
    ],
)
async def test_the_text_of_users_is_kept_where_that_of_the_trace_is(run_exporter, content, answer, is_kept):
    exporter = await run_exporter({"store": {"content": content}})
    said = {"trace_id": A, "signal": "edit", "edited_text": "planted-edit", "comment": "planted-comment", "user": "ada"}
    await say(exporter, said)
    [(_, _, stored, _)] = exporter.exporter.store.rows.records(EARLY_FEEDBACK)
    assert (b"planted-edit" in stored, b"planted-comment" in stored) == (content != "none", content != "none")
    await send(exporter, A, answer=answer)
    [shown] = await feedback_of(exporter, A)
    assert ("comment" in shown, "edited_text" in shown) == (is_kept, is_kept)
    assert shown["edit_ratio"] > 0
    assert await exporter.total("llmq_feedback_edit_ratio_count", app="shop", route="/ask") == 1
    assert "ada" not in json.dumps(shown)


async def test_an_edit_is_measured_while_the_answer_is_remembered_or_stored(run_exporter):
    exporter = await run_exporter()
    await send(exporter, A, answer="one two three four")
    await send(exporter, B, answer=REFUSAL)
    await say(exporter, {"trace_id": A, "signal": "edit", "edited_text": "one two three five"})
    ratios = "llmq_feedback_edit_ratio_count"
    assert await exporter.total("llmq_feedback_edit_ratio_sum") == 0.25
    await exporter.client.close()
    exporter = await run_exporter()
    await say(exporter, {"trace_id": A, "signal": "edit", "edited_text": "one", "user": "bob"})
    assert await exporter.total(ratios) == 1  # passed, so not stored, and forgotten at the restart
    await say(exporter, {"trace_id": B, "signal": "edit", "edited_text": "Here is how."})
    assert await exporter.total(ratios) == 2
    assert await counted(exporter, "edit") == 3


# Over HTTP


PAGE = {"Origin": "https://shop.example", "Content-Type": "application/json"}


async def test_a_page_of_an_allowed_origin_may_send_and_see_the_answer(run_exporter):
    exporter = await run_exporter({"feedback": {"origins": ["https://shop.example"]}})
    asking = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    async with exporter.client.options(URL, headers=asking) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
        assert "authorization" in answer.headers["Access-Control-Allow-Headers"]
        assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    for body, status in (({"signal": "copy", "trace_id": A}, 200), ({}, 400)):
        async with exporter.client.post(URL, data=json.dumps(body), headers=PAGE) as answer:
            assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (status, "https://shop.example")
            assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://shop.example.evil.example", "null", "http://shop.example"]
)
async def test_a_page_of_another_origin_may_not(run_exporter, origin):
    exporter = await run_exporter({"feedback": {"origins": ["https://shop.example"]}})
    for method in ("options", "post"):
        send = getattr(exporter.client, method)
        async with send(
            URL, data=b'{"signal": "copy", "trace_id": "%s"}' % A.encode(), headers=PAGE | {"Origin": origin}
        ) as answer:
            assert answer.status == 403
            assert "Access-Control-Allow-Origin" not in answer.headers
            assert "feedback.origins" in (await answer.json())["error"]
    assert await waiting(exporter) == 0


async def test_a_page_that_llmq_itself_serves_needs_no_entry(run_exporter):
    exporter = await run_exporter()
    own = str(exporter.client.make_url("/")).rstrip("/")
    async with exporter.client.post(URL, data=b"[]", headers=PAGE | {"Origin": own}) as answer:
        assert (answer.status, await answer.json()) == (200, {"accepted": 0, "errors": []})


async def test_the_token_of_a_page_sends_feedback_and_does_nothing_else(run_exporter, monkeypatch):
    monkeypatch.setenv("PAGE", "page-token-of-some-length")
    monkeypatch.setenv("APPS", "apps-token-of-some-length")
    roles = [
        {"name": "page", "roles": ["feedback"], "env": "PAGE"},
        {"name": "apps", "roles": ["ingest"], "env": "APPS"},
    ]
    exporter = await run_exporter({"server": {"tokens": roles}})
    page = {"Authorization": "Bearer page-token-of-some-length", "Content-Type": "application/json"}
    body = json.dumps({"signal": "copy", "trace_id": A}).encode()
    assert (await exporter.post(URL, data=body, headers=page))[0] == 200
    assert (await exporter.post("/v1/traces", data=b"{}", headers=page))[0] == 403
    assert (await exporter.post("/-/reload", headers=page))[0] == 403
    for path in ("/metrics", "/config", f"/api/traces/{A}", "/api/status", "/api/answers"):
        assert (await exporter.client.get(path, headers=page)).status == 403
    for headers, status in ((page | {"Authorization": "Bearer apps-token-of-some-length"}, 403), ({}, 401)):
        got, told = await exporter.post(URL, data=body, headers={"Content-Type": "application/json"} | headers)
        assert got == status
        assert "role feedback" in json.loads(told)["error"]


async def test_an_address_that_sends_too_much_is_told_when_to_come_back(run_exporter):
    exporter = await run_exporter({"feedback": {"rate": {"per_second": 0.1, "burst": 3}}})
    sent = [{"signal": "copy", "trace_id": A, "user": str(number)} for number in range(5)]
    assert (await exporter.post(URL, json=sent))[0] == 200
    async with exporter.client.post(URL, json=sent) as answer:
        assert answer.status == 429
        assert 25 <= int(answer.headers["Retry-After"]) <= 30
        assert "feedback.rate" in (await answer.json())["error"]
    assert await exporter.total("llmq_exporter_rejected_total", signal="feedback", reason="rate") == 0
    await exporter.pass_time(0)
    assert await exporter.total("llmq_exporter_rejected_total", signal="feedback", reason="rate") == 1


async def test_what_is_wrong_counts_against_its_address_as_well(run_exporter):
    exporter = await run_exporter({"feedback": {"rate": {"per_second": 0.1, "burst": 3}}})
    assert [(await exporter.post(URL, json=[{}] * 5))[0] for _ in range(2)] == [400, 429]


@pytest.mark.parametrize(
    ("body", "headers", "status", "message"),
    [
        (b"{}", {"Content-Type": "text/plain"}, 415, "send Content-Type: application/json"),
        (b"nonsense", {}, 400, "send one object or a list of objects"),
        (b"[]", {"Content-Encoding": "br"}, 400, "send gzip"),
        (b"x" * 200, {}, 413, "larger than 100 bytes"),
        (gzip.compress(b" " * 300, mtime=0), {"Content-Encoding": "gzip"}, 413, "larger than 200 bytes"),
    ],
)
async def test_a_request_that_cannot_be_taken_says_why(run_exporter, body, headers, status, message):
    exporter = await run_exporter({"limits": {"body_bytes": "100B", "decompressed_bytes": "200B"}})
    got, told = await exporter.post(URL, data=body, headers={"Content-Type": "application/json"} | headers)
    assert got == status
    assert message in json.loads(told)["error"]


async def test_a_compressed_body_is_read(run_exporter):
    exporter = await run_exporter()
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    body = gzip.compress(json.dumps({"signal": "copy", "trace_id": A}).encode(), mtime=0)
    assert (await exporter.post(URL, data=body, headers=headers))[0] == 200
    assert await waiting(exporter) == 1
