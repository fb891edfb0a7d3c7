"""Evaluations as standard events: sent to another system without waiting for it, and read where others made them."""

import asyncio
import random
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web

from exporter.decode import JSON, PROTOBUF, decode
from exporter.decode.batch import DecodeLimits
from exporter.emission.emitter import Emitter, EvaluationEvent, encoded
from exporter.judge.breaker import Backoff
from exporter.model.score import Evaluation, Failure
from exporter.model.trace import LogRecord
from exporter.semconv.evaluations import evaluator, reported

TRACE, SPAN = "ab" * 16, "cd" * 8
QUICK = Backoff(first=0.01, longest=0.02)


def evaluation(number=0, **fields):
    return Evaluation(
        **{
            "evaluator": "helpfulness",
            "evaluator_version": "judge-1+0a1b2c3d",
            "verdict": "pass",
            "score": 0.75,
            "sample": "random",
            "explanation": f"reason {number}",
        }
        | fields
    )


def event(number=0, **fields):
    return EvaluationEvent(
        trace_id=TRACE, span_id=SPAN, response_id="r1", result=evaluation(number, **fields), at=1_790_000_000.5
    )


def received(body):
    """What our own receiver makes of a request's body."""
    return decode("logs", JSON, body, DecodeLimits(), 0.0)


@asynccontextmanager
async def sending(aiohttp_server, respond, **options):
    """A running emitter, and the bodies that a real server took."""
    bodies = []

    async def take(request):
        body = await request.read()
        response = await respond(len(bodies), request)
        if response.status == 200:
            bodies.append(body)
        return response

    app = web.Application()
    app.router.add_post("/v1/logs", take)
    server = await aiohttp_server(app)
    emitter = Emitter(str(server.make_url("/")), **{"backoff": QUICK, "chance": random.Random(1)} | options)
    running = asyncio.ensure_future(emitter.run())
    try:
        yield emitter, bodies
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await emitter.close()


async def accepts(_, __):
    return web.json_response({})


async def until(condition):
    async with asyncio.timeout(120):
        while not condition():  # noqa: ASYNC110 - what the emitter does has no event to wait for
            await asyncio.sleep(0.005)


def test_an_event_is_valid_otlp_with_the_standard_attributes():
    [log] = received(encoded([event()])).logs
    assert (log.event_name, log.trace_id.hex(), log.span_id.hex()) == ("gen_ai.evaluation.result", TRACE, SPAN)
    assert log.time == 1_790_000_000_500_000_000
    assert log.attributes == {
        "gen_ai.evaluation.name": "helpfulness",
        "gen_ai.evaluation.score.value": 0.75,
        "gen_ai.evaluation.score.label": "pass",
        "gen_ai.evaluation.explanation": "reason 0",
        "gen_ai.response.id": "r1",
        "llmq.evaluator.version": "judge-1+0a1b2c3d",
        "llmq.sample": "random",
    }
    assert log.resource["service.name"] == "llmq"


def test_a_failure_is_told_as_an_error_without_a_score():
    failure = Failure(evaluator="helpfulness", evaluator_version="1", reason="timeout", detail="no answer")
    [log] = received(encoded([EvaluationEvent(trace_id=TRACE, result=failure, at=1.0)])).logs
    assert log.attributes["error.type"] == "timeout"
    assert not any("score" in name for name in log.attributes)
    assert list(reported((), (log,))) == []


async def test_every_event_arrives_once_and_in_order(aiohttp_server):
    async with sending(aiohttp_server, accepts) as (emitter, bodies):
        for number in range(1200):
            emitter.offer(event(number))
        await until(lambda: emitter.fates["sent"] == 1200)
        said = [log.attributes["gen_ai.evaluation.explanation"] for body in bodies for log in received(body).logs]
        assert said == [f"reason {number}" for number in range(1200)]
        assert len(emitter) == 0


async def test_an_endpoint_that_is_busy_gets_the_same_again(aiohttp_server):
    answers = []

    async def busy_at_first(_, __):
        answers.append(1)
        return web.Response(status=503 if len(answers) < 4 else 200)

    async with sending(aiohttp_server, busy_at_first) as (emitter, bodies):
        emitter.offer(event())
        await until(lambda: emitter.fates["sent"] == 1)
        assert len(bodies) == 1
        assert len(answers) == 4


class Waits(random.Random):
    """Draws no wait at all, and remembers how long each might have been."""

    def __init__(self):
        super().__init__()
        self.longest = []

    def uniform(self, low, high):
        self.longest.append(high)
        return 0.0


async def test_after_each_failure_in_a_row_it_waits_longer(aiohttp_server):
    script, waits = ["breaks off", 503, 200, "breaks off", 200], Waits()

    async def scripted(_, request):
        said = script.pop(0)
        if said == "breaks off":
            request.transport.abort()
        return web.Response(status=200 if said == 200 else 503)

    async with sending(aiohttp_server, scripted, chance=waits) as (emitter, bodies):
        for number in (1, 2):
            emitter.offer(event(number))
            await until(lambda: emitter.fates["sent"] == number)  # noqa: B023 - awaited here
    assert waits.longest == [QUICK.first, QUICK.longest, QUICK.first]
    assert len(bodies) == 2


async def test_an_endpoint_cannot_refuse_more_than_it_was_sent(aiohttp_server):
    async def lies(_, __):
        return web.json_response({"partialSuccess": {"rejectedLogRecords": "3000"}})

    async with sending(aiohttp_server, lies) as (emitter, _):
        emitter.offer(event())
        await until(lambda: emitter.fates)
        assert emitter.fates == {"rejected": 1}


async def test_what_an_endpoint_refuses_for_good_is_counted_and_not_sent_again(aiohttp_server):
    async def refuse(_, __):
        return web.Response(status=400)

    async with sending(aiohttp_server, refuse) as (emitter, _):
        emitter.offer(event())
        await until(lambda: emitter.fates["rejected"] == 1)
        assert len(emitter) == 0


async def test_what_an_endpoint_takes_in_part_is_counted_in_part(aiohttp_server):
    async def partly(_, __):
        return web.json_response({"partialSuccess": {"rejectedLogRecords": "3", "errorMessage": "no"}})

    async with sending(aiohttp_server, partly) as (emitter, _):
        for number in range(10):
            emitter.offer(event(number))
        await until(lambda: sum(emitter.fates.values()) == 10)
        assert emitter.fates["rejected"] % 3 == 0
        assert emitter.fates["rejected"] >= 3


async def test_what_does_not_fit_is_dropped_and_counted_and_nobody_waits():
    emitter = Emitter("http://127.0.0.1:1", capacity=5)
    for number in range(8):
        emitter.offer(event(number))
    assert (len(emitter), emitter.fates["dropped"]) == (5, 3)
    await emitter.close()
    assert (emitter.fates, len(emitter)) == ({"dropped": 8}, 0)


async def test_what_waits_at_a_stop_is_sent_if_it_can_be(aiohttp_server):
    async with sending(aiohttp_server, accepts) as (emitter, _):
        for number in range(3):
            emitter.offer(event(number))
    assert emitter.fates["sent"] == 3


async def test_the_token_is_sent(aiohttp_server):
    tokens = []

    async def note(_, request):
        tokens.append(request.headers["Authorization"])
        return web.json_response({})

    async with sending(aiohttp_server, note, token="planted") as (emitter, _):
        emitter.offer(event())
        await until(lambda: emitter.fates["sent"] == 1)
    assert tokens == ["Bearer planted"]


# Evaluations made elsewhere


def log(**attributes):
    names = {"value": "score.value", "label": "score.label"}
    found = {f"gen_ai.evaluation.{names.get(name, name)}": value for name, value in attributes.items()}
    return LogRecord(
        trace_id=b"t" * 16,
        span_id=b"s" * 8,
        key=b"k" * 8,
        event_name="gen_ai.evaluation.result",
        time=0,
        attributes=found,
        body=None,
        resource={},
        scope="",
        size=0,
    )


def read(**attributes):
    found = list(reported((), (log(**attributes),)))
    return (found[0].evaluation.verdict, found[0].evaluation.score) if found else None


@pytest.mark.parametrize("suffix", ["pb", "json"])
@pytest.mark.parametrize(("signal", "name"), [("logs", "reported_relevance"), ("traces", "reported_user_feedback")])
def test_the_event_of_a_real_sdk_is_read_from_log_records_and_from_span_events(captured, signal, name, suffix):
    body = captured(f"otel-genai-util1.3.evaluation_event.{signal}.{suffix}")
    batch = decode(signal, JSON if suffix == "json" else PROTOBUF, body, DecodeLimits(), 0.0)
    [found] = reported(batch.spans, batch.logs)
    assert found.evaluation.evaluator == name
    assert (found.evaluation.evaluator_version, found.evaluation.verdict) == ("reported", "pass")
    assert len(found.trace_id) == 16
    assert len(found.span_id) == 8


def test_what_we_send_is_read_again_as_an_evaluation_that_is_not_ours():
    [found] = reported((), received(encoded([event(verdict="fail", score=0.25)])).logs)
    assert (found.trace_id.hex(), found.span_id.hex(), found.response_id) == (TRACE, SPAN, "r1")
    assert found.evaluation == Evaluation(
        evaluator="reported_helpfulness",
        evaluator_version="judge-1+0a1b2c3d",
        verdict="fail",
        score=0.25,
        quotes=("reason 0",),
    )


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"name": "x", "value": 0.9}, ("pass", 0.9)),
        ({"name": "x", "value": 0.4}, ("fail", 0.4)),
        ({"name": "x", "value": 1}, ("pass", 1.0)),
        ({"name": "x", "label": "pass"}, ("pass", 1.0)),
        ({"name": "x", "label": "Failed"}, ("fail", 0.0)),
        ({"name": "x", "label": "pass", "value": 0.2}, ("pass", 0.2)),
        ({"name": "x", "label": "fail", "value": 7}, ("fail", 0.0)),
        ({"name": "x", "label": "relevant", "value": 0.6}, ("pass", 0.6)),
        ({"name": "x", "label": "relevant"}, None),
        ({"name": "x", "value": 4}, None),
        ({"name": "x", "value": -1}, None),
        ({"name": "x", "value": float("nan")}, None),
        ({"name": "x", "value": True}, None),
        ({"name": "x", "value": "0.9"}, None),
        ({"name": "x"}, None),
        ({"name": "!?", "value": 0.9}, None),
        ({"name": 7, "value": 0.9}, None),
        ({"value": 0.9}, None),
    ],
)
def test_a_verdict_is_taken_from_label_or_score_and_never_made_up(attributes, expected):
    assert read(**attributes) == expected


def test_a_pass_mark_of_the_config_decides_over_the_middle():
    [found] = reported((), (log(name="Relevance", value=0.6),), {"reported_relevance": 0.7})
    assert found.evaluation.verdict == "fail"


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("Relevance", "reported_relevance"),
        ("my.evals/Tone v2", "reported_my_evals_tone_v2"),
        ("\u00c4rger", "reported_rger"),
        ("", ""),
        ("x" * 500, "reported_" + "x" * 48),
    ],
)
def test_a_name_from_elsewhere_becomes_a_label_that_is_never_one_of_ours(name, ours):
    assert evaluator(name) == ours


# On the road


def logs(bodies):
    return [log for body in bodies for log in received(body).logs]


@pytest.fixture
async def collector(aiohttp_server):
    """Where events may be sent, and the bodies of those that came."""
    bodies = []

    async def take(request):
        bodies.append(await request.read())
        return web.json_response({})

    application = web.Application()
    application.router.add_post("/v1/logs", take)
    server = await aiohttp_server(application)
    return str(server.make_url("/"))[:-1], bodies


async def test_an_exporter_tells_of_each_evaluation_by_code_and_by_judge_once_it_is_durable(
    run_exporter, collector, judge
):
    url, bodies = collector
    exporter = await run_exporter(judge(emit={"endpoint": url}))
    await exporter.ask("truth:good")
    async with asyncio.timeout(120):
        while not any(log.attributes["gen_ai.evaluation.name"] == "helpfulness" for log in logs(bodies)):
            exporter.exporter.judging.worker.wake()
            await exporter.exporter.pipeline.flush()
            await asyncio.sleep(0.01)  # what the collector was told has no event
    told = {log.attributes["gen_ai.evaluation.name"]: log for log in logs(bodies)}
    assert told["helpfulness"].attributes["llmq.evaluator.version"].startswith("judge-1+")
    assert {"refusal", "empty", "helpfulness"} <= told.keys()
    assert len({log.trace_id for log in told.values()}) == 1
    async with asyncio.timeout(120):  # counted when the collector's answer has come, which is after it was told
        while await exporter.total("llmq_exporter_emitted_events_total", outcome="sent") < len(logs(bodies)):
            await exporter.exporter.pipeline.flush()
    assert await exporter.total("llmq_exporter_emitted_events_total", outcome="sent") == len(logs(bodies))


async def test_what_was_made_elsewhere_is_not_sent_on(run_exporter, collector):
    url, bodies = collector
    exporter = await run_exporter({"judge": {"emit": {"endpoint": url}}})
    asked = {"trace_id": TRACE, "app": "shop", "question": "Refunds?", "answer": "Within 30 days."}
    assert (await exporter.post("/v1/interactions", json=asked))[0] == 200
    theirs = EvaluationEvent(trace_id=TRACE, result=evaluation(evaluator="Relevance"), at=exporter.clock.at)
    headers = {"Content-Type": "application/json"}
    assert (await exporter.post("/v1/logs", data=encoded([theirs]), headers=headers))[0] == 200
    await exporter.pass_time(3)
    assert await exporter.total("llmq_evaluations_total", evaluator="reported_relevance") == 1
    [emission] = [one for one in exporter.exporter.features if one.name == "emission"]
    await until(lambda: emission.emitter.fates["sent"])
    told = {log.attributes["gen_ai.evaluation.name"] for log in logs(bodies)}
    assert "empty" in told
    assert not [name for name in told if name.startswith("reported")]
