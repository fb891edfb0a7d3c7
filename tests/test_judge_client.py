"""One call to a judge, against a real HTTP server: what it says, what it costs, and every way in which it fails."""

import asyncio
import logging
from contextlib import AsyncExitStack

import pytest
from aiohttp import web
from msgspec.structs import replace

from exporter.config.rubrics import shipped
from exporter.demo.judge_stub import MALFORMED, Behaviour, Stub
from exporter.judge.case import Case, JudgeError, Usage
from exporter.judge.client import JudgeClient
from exporter.judge.endpoint import Endpoint, Pin

RUBRIC = shipped()["helpfulness"]
GOOD = Case(question="What is due?", answer="Invoice 7. truth:good")
BAD = Case(question="What is due?", answer="Nothing. truth:bad")
SECRET = "planted-api-key-0123456789"


@pytest.fixture
async def judge():
    """Runs a stub of some behaviour, and a client that asks it."""
    async with AsyncExitStack() as opened:

        async def start(behaviour=None, *, headers=None, now=lambda: 1_790_000_000.0, **endpoint):
            stub = await opened.enter_async_context(Stub(behaviour or Behaviour()).running())
            settings = Endpoint(**({"url": stub.url, "model": "judge-1", "timeout": 60.0} | endpoint))
            return stub, await opened.enter_async_context(JudgeClient(settings, headers=headers, now=now))

        yield start


async def failure(client, case=GOOD):
    with pytest.raises(JudgeError) as error:
        await client.judge(case, RUBRIC)
    return error.value


async def answering(aiohttp_server, respond):
    """An endpoint that answers every call in one way."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", respond)
    server = await aiohttp_server(app)
    return Endpoint(url=str(server.make_url("/v1")), model="judge-1", timeout=60.0)


def completion(**fields):
    message = {"role": "assistant", "content": '{"explanation": "x", "score": 4}'}
    return {"model": "judge-1", "choices": [{"finish_reason": "stop", "message": message}]} | fields


async def test_a_verdict_comes_with_score_model_fingerprint_and_bill(judge):
    stub, client = await judge()
    good, bad = await client.judge(GOOD, RUBRIC), await client.judge(BAD, RUBRIC)
    assert (good.verdict, good.score, good.model, good.fingerprint) == ("pass", 1.0, "judge-1", "fp_1")
    assert (bad.verdict, bad.score) == ("fail", 0.0)
    assert [good.usage, bad.usage] == [Usage(bill.input, bill.output) for bill in stub.bills]
    assert good.seconds > 0


async def test_a_call_is_made_as_repeatable_as_an_endpoint_can_make_it(judge):
    stub, client = await judge(seed=7, max_tokens=123)
    await client.judge(GOOD, RUBRIC)
    await client.judge(GOOD, RUBRIC)
    first, second = stub.requests
    assert first == second
    assert (first["temperature"], first["seed"], first["max_tokens"]) == (0, 7, 123)
    assert first["response_format"]["json_schema"]["strict"] is True


@pytest.mark.parametrize(
    ("rejects", "calls", "gone"),
    [
        (("json_schema",), 2, set()),
        (("response_format",), 3, {"response_format"}),
        (("seed",), 2, {"seed"}),
        (("temperature", "seed"), 3, {"temperature", "seed"}),
        (("max_tokens",), 2, {"max_tokens"}),
        (("response_format", "seed", "temperature", "max_tokens"), 6, {"response_format", "seed", "max_tokens"}),
    ],
)
async def test_what_an_endpoint_does_not_take_is_left_out_and_not_tried_again(judge, rejects, calls, gone):
    stub, client = await judge(Behaviour(rejects=rejects))
    assert (await client.judge(GOOD, RUBRIC)).verdict == "pass"
    assert len(stub.requests) == calls
    await client.judge(BAD, RUBRIC)
    assert len(stub.requests) == calls + 1
    assert gone.isdisjoint(stub.requests[-1])
    assert "max_tokens" in stub.requests[-1] or "max_completion_tokens" in stub.requests[-1]


async def test_a_parameter_is_given_up_only_where_that_helps(aiohttp_server):
    """An error that repeats the text of the case may name a parameter for the text's sake."""
    asked = []

    async def respond(request):
        asked.append(await request.json())
        return web.json_response({"error": {"message": "cannot read: 'response_format and seed'"}}, status=400)

    async with JudgeClient(await answering(aiohttp_server, respond)) as client:
        for _ in range(2):
            assert (await failure(client)).retry is False
    assert asked[0] == asked[3]
    assert asked[0]["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize(
    ("status", "reason", "retry"),
    [
        (400, "http_error", False),
        (413, "http_error", False),
        (422, "http_error", False),
        (301, "http_error", True),
        (401, "http_error", True),
        (403, "http_error", True),
        (404, "http_error", True),
        (429, "rate_limited", True),
        (500, "http_error", True),
        (503, "http_error", True),
    ],
)
async def test_an_error_status_is_a_failure_that_costs_nothing(judge, status, reason, retry):
    stub, client = await judge(Behaviour(error_rate=1.0, errors=(status,)))
    error = await failure(client)
    assert (error.reason, error.retry, error.usage) == (reason, retry, Usage())
    assert stub.bills == []


@pytest.mark.parametrize("status", [408, 502, 504])
async def test_a_gateway_that_lost_its_answer_may_have_been_billed(judge, status):
    stub, client = await judge(Behaviour(error_rate=1.0, errors=(status,), bills_errors=True))
    error = await failure(client)
    assert error.usage == client.most(GOOD, RUBRIC)
    assert error.usage.input >= stub.bills[0].input


@pytest.mark.parametrize(
    ("header", "after"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("Mon, 21 Sep 2026 14:13:50 GMT", 30.0),
        ("Mon, 21 Sep 2020 14:13:50 GMT", 0.0),
        ("999999", 3600.0),
        ("soon", None),
        ("-3", None),
        ("", None),
    ],
)
async def test_retry_after_is_read_as_seconds_or_as_a_date(aiohttp_server, header, after):
    async def respond(_):
        return web.Response(status=429, headers={"Retry-After": header})

    async with JudgeClient(await answering(aiohttp_server, respond), now=lambda: 1_790_000_000.0) as client:
        assert (await failure(client)).after == after


async def test_a_broken_connection_may_have_been_billed(judge):
    _, client = await judge(Behaviour(error_rate=1.0, errors=("drop",)))
    error = await failure(client)
    assert (error.reason, error.retry, error.usage) == ("unreachable", True, client.most(GOOD, RUBRIC))


async def test_an_endpoint_that_is_not_there_bills_nothing(judge, unused_tcp_port):
    _, client = await judge(url=f"http://127.0.0.1:{unused_tcp_port}/v1")
    error = await failure(client)
    assert (error.reason, error.retry, error.usage) == ("unreachable", True, Usage())


async def test_an_answer_that_does_not_come_is_a_timeout_that_may_have_been_billed(judge):
    _, client = await judge(Behaviour(error_rate=1.0, errors=("hang",)), timeout=0.05)
    error = await failure(client)
    assert (error.reason, error.retry, error.usage) == ("timeout", True, client.most(GOOD, RUBRIC))


async def test_an_answer_that_trickles_is_a_timeout_too(aiohttp_server):
    async def respond(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    endpoint = await answering(aiohttp_server, respond)
    async with JudgeClient(replace(endpoint, timeout=0.2)) as client:
        assert (await failure(client)).reason == "timeout"


@pytest.mark.parametrize("body", [b"<html>log in</html>", b"[]", b"", b"{" * 100_000, b" " * (2 << 20)])
async def test_a_success_that_is_no_reply_is_an_error_of_the_endpoint(aiohttp_server, body):
    async def respond(_):
        return web.Response(body=body)

    async with JudgeClient(await answering(aiohttp_server, respond)) as client:
        error = await failure(client)
        assert (error.reason, error.retry, error.usage) == ("http_error", True, client.most(GOOD, RUBRIC))


async def test_a_malformed_reply_is_unparseable_and_has_been_billed(judge):
    stub, client = await judge(Behaviour(malformed_rate=1.0))
    for n in range(3 * len(MALFORMED)):
        error = await failure(client, replace(GOOD, question=f"{n}?"))
        assert (error.reason, error.usage.output) == ("unparseable", stub.bills[-1].output)


async def test_a_refusal_is_not_asked_again_and_has_been_billed(judge):
    stub, client = await judge(Behaviour(refuse_rate=1.0))
    error = await failure(client)
    assert (error.reason, error.retry) == ("refused", False)
    assert error.usage == Usage(stub.bills[0].input, stub.bills[0].output)


async def test_a_content_filter_that_answers_400_is_a_refusal(aiohttp_server):
    async def respond(_):
        return web.json_response({"error": {"code": "content_filter", "message": "no"}}, status=400)

    async with JudgeClient(await answering(aiohttp_server, respond)) as client:
        error = await failure(client)
        assert (error.reason, error.retry) == ("refused", False)


async def test_a_silent_change_of_model_is_a_mismatch_and_no_verdict(judge):
    stub, client = await judge()
    await client.judge(GOOD, RUBRIC)
    stub.behaviour = replace(stub.behaviour, replies_as="judge-1-cheap")
    error = await failure(client)
    assert (error.reason, error.retry, error.mismatch) == ("pin_mismatch", False, "model")
    assert error.usage == Usage(stub.bills[1].input, stub.bills[1].output)


@pytest.mark.parametrize(
    ("pin", "mismatch"),
    [
        (Pin(), "model"),
        (Pin(models=("judge-1-2026-08-06",)), ""),
        (Pin(models=("judge-1", "other")), "model"),
        (Pin(models=("judge-1-2026-08-06",), fingerprints=("fp_1",)), ""),
        (Pin(models=("judge-1-2026-08-06",), fingerprints=("fp_0",)), "fingerprint"),
        (Pin(reject=False), ""),
    ],
)
async def test_the_pin_is_exact_unless_the_config_lists_names_or_fingerprints(judge, pin, mismatch):
    _, client = await judge(Behaviour(replies_as="judge-1-2026-08-06"), pin=pin)
    if mismatch:
        assert (await failure(client)).mismatch == mismatch
    else:
        assert (await client.judge(GOOD, RUBRIC)).verdict == "pass"


async def test_a_reply_without_usage_counts_as_the_most_it_can_have_cost(aiohttp_server):
    async def respond(_):
        return web.json_response(completion(usage=None))

    async with JudgeClient(await answering(aiohttp_server, respond)) as client:
        assert (await client.judge(GOOD, RUBRIC)).usage == client.most(GOOD, RUBRIC)


async def test_thinking_that_only_the_total_counts_is_counted(aiohttp_server):
    async def respond(_):
        return web.json_response(completion(usage={"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 400}))

    async with JudgeClient(await answering(aiohttp_server, respond)) as client:
        assert (await client.judge(GOOD, RUBRIC)).usage == Usage(100, 300)


@pytest.mark.parametrize(
    "fields",
    [
        {"choices": []},
        {"choices": None},
        {"choices": [{}]},
        {"choices": ["x"]},
        {"choices": [{"message": {"content": None}}]},
        {"choices": [{"message": {"content": 4}}]},
        {"choices": [{"message": {"content": [{"type": "image"}]}}]},
    ],
)
async def test_a_reply_with_nothing_in_it_is_unparseable(aiohttp_server, fields):
    async def respond(_):
        return web.json_response(completion(**fields))

    async with JudgeClient(await answering(aiohttp_server, respond)) as client:
        assert (await failure(client)).reason == "unparseable"


async def test_content_in_parts_is_read(aiohttp_server):
    async def respond(_):
        parts = [{"type": "text", "text": '{"score"'}, {"type": "text", "text": ": 5}"}]
        return web.json_response(completion(choices=[{"message": {"content": parts}}]))

    async with JudgeClient(await answering(aiohttp_server, respond)) as client:
        assert (await client.judge(GOOD, RUBRIC)).score == 1.0


@pytest.mark.parametrize("suffix", ["", "/", "/chat/completions", "/chat/completions/"])
async def test_the_endpoint_may_be_written_with_or_without_its_last_steps(judge, suffix):
    stub, _ = await judge()
    async with JudgeClient(Endpoint(url=stub.url + suffix, model="judge-1")) as client:
        assert (await client.judge(GOOD, RUBRIC)).verdict == "pass"


async def test_the_key_opens_the_endpoint_and_is_seen_nowhere_else(judge, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    stub, client = await judge(Behaviour(key=SECRET), headers={"Authorization": f"Bearer {SECRET}"})
    await client.judge(GOOD, RUBRIC)
    stub.behaviour = Behaviour(key="another")
    error = await failure(client)
    assert (error.reason, error.stop) == ("http_error", "credentials")
    assert str(error) == "the endpoint answered 401: Incorrect API key provided"
    shown = caplog.text + "".join(capsys.readouterr()) + repr(client.__dict__) + repr(error.__dict__)
    assert SECRET not in shown
    assert "Invoice 7" not in shown


async def test_no_error_holds_text_of_the_case(judge):
    case = Case(question="planted-question", answer="planted-answer")
    for behaviour in (
        Behaviour(error_rate=1.0, errors=(400, 429, 500, "drop")),
        Behaviour(malformed_rate=1.0),
        Behaviour(refuse_rate=1.0),
    ):
        _, client = await judge(behaviour)
        error = await failure(client, case)
        assert "planted" not in f"{error} {error.__cause__}"


async def test_the_bound_on_a_call_is_above_every_bill(judge):
    stub, client = await judge()
    for case in (GOOD, BAD, Case(question="\u4e00" * 3000, answer="\U0001f600" * 3000), Case(question="", answer="")):
        most = client.most(case, RUBRIC)
        await client.judge(case, RUBRIC)
        assert most.input >= sum(len(message["content"].encode()) for message in stub.requests[-1]["messages"])
        assert most.input >= stub.bills[-1].input
        assert most.output >= stub.bills[-1].output
