"""The judge on the road: a real exporter asks a judge of known behaviour; what is counted, kept, retried, paid."""

import asyncio
import json

from aiohttp import web

from exporter.demo.judge_stub import Behaviour
from exporter.store.kinds import JUDGE_JOB

CONTEXT = ["Refunds are accepted within 30 days of purchase."]


async def settled(exporter, *, seconds=0.0):
    """Wait until no job is left, moving the clock by so much each time; then make all durable."""
    queue = exporter.exporter.judging.queue
    async with asyncio.timeout(120):
        while len(queue):
            exporter.clock.move(seconds)
            exporter.exporter.judging.worker.wake()
            await asyncio.sleep(0.01)
    await exporter.exporter.pipeline.flush()


async def verdicts(exporter, **labels):
    name = "llmq_evaluations_total"
    return [
        await exporter.total(name, evaluator="helpfulness", verdict=verdict, **labels) for verdict in ("pass", "fail")
    ]


async def test_every_sampled_trace_gets_the_judges_verdict(run_exporter, judge):
    exporter = await run_exporter(judge())
    await exporter.ask("truth:good", "truth:bad", "truth:good")
    await settled(exporter)
    assert await verdicts(exporter, sample="random") == [2, 1]


async def test_how_long_the_judge_takes_is_observed(run_exporter, judge, stub):
    stub.behaviour = Behaviour(latency=0.05)
    exporter = await run_exporter(judge())
    await exporter.ask("truth:good", "truth:bad")
    await settled(exporter)
    count, seconds = [
        await exporter.total(f"llmq_evaluation_duration_seconds_{one}", evaluator="helpfulness")
        for one in ("count", "sum")
    ]
    assert count == len(stub.bills)
    assert seconds > 0.01


async def test_the_evaluator_version_names_the_model_and_the_rubric(run_exporter, judge):
    exporter = await run_exporter(judge())
    await exporter.ask("truth:good")
    await settled(exporter)
    versions = {
        dict(labels)["evaluator_version"]
        for (name, labels) in await exporter.samples()
        if name == "llmq_evaluations_total" and ("evaluator", "helpfulness") in labels
    }
    assert len(versions) == 1
    model, _, rubric = versions.pop().partition("+")
    assert model == "judge-1"
    assert len(rubric) == 8


async def test_a_failing_verdict_is_explained_with_the_text_that_was_judged(run_exporter, judge):
    exporter = await run_exporter(judge())
    await exporter.ask("truth:bad")
    await settled(exporter)
    samples = exporter.exporter.store.rows.records(JUDGE_JOB)
    assert samples == []
    trace_id = next(iter(exporter.exporter.store._reading.rows("SELECT trace_id FROM traces")))[0]
    document = json.loads(await exporter.exporter.pipeline.document(trace_id))
    said = [one for one in document["evaluations"] if one["evaluator"] == "helpfulness"]
    assert [(one["verdict"], one["sample"], one["explanation"]) for one in said] == [("fail", "random", '"As told."')]
    assert document["answer"] == "truth:bad"


async def test_what_is_not_sampled_is_counted(run_exporter, judge, stub):
    exporter = await run_exporter(judge(sampling=[{"rate": 0.0}]))
    await exporter.ask("truth:good", "truth:bad")
    await settled(exporter)
    assert await exporter.total("llmq_unscored_total", evaluator="helpfulness", reason="sampled_out") == 2
    assert stub.requests == []


async def test_evaluated_unscored_and_failed_add_up_to_the_requests(run_exporter, judge, stub):
    stub.behaviour = Behaviour(malformed_rate=0.3, refuse_rate=0.2)
    exporter = await run_exporter(judge(sampling=[{"rate": 0.6}], attempts=1))
    await exporter.ask(*(["truth:good"] * 30), *(["truth:bad"] * 30))
    await settled(exporter, seconds=1)
    requests = await exporter.total("llmq_requests_total")
    failed = await exporter.total("llmq_evaluation_failures_total", evaluator="helpfulness")
    unscored = await exporter.total("llmq_unscored_total", evaluator="helpfulness")
    assert requests == 60
    assert failed > 0
    assert unscored > 0
    assert sum(await verdicts(exporter)) + failed + unscored == requests


async def test_a_transient_error_is_tried_again_until_there_is_a_verdict(run_exporter, judge, stub):
    stub.behaviour = Behaviour(error_rate=0.5, seed=1)
    exporter = await run_exporter(judge(attempts=20))
    await exporter.ask(*(["truth:good"] * 10))
    await settled(exporter, seconds=30)
    assert await verdicts(exporter) == [10, 0]
    assert len(stub.requests) > 10


async def test_an_unparseable_reply_is_a_failure_and_never_a_verdict(run_exporter, judge, stub):
    stub.behaviour = Behaviour(malformed_rate=1.0)
    exporter = await run_exporter(judge(attempts=2))
    await exporter.ask("truth:good")
    await settled(exporter, seconds=60)
    assert await exporter.total("llmq_evaluation_failures_total", reason="unparseable") == 1
    assert await verdicts(exporter) == [0, 0]


async def test_another_models_reply_is_counted_and_not_scored(run_exporter, judge, stub):
    stub.behaviour = Behaviour(replies_as="judge-2")
    exporter = await run_exporter(judge())
    await exporter.ask("truth:good")
    await settled(exporter)
    assert await exporter.total("llmq_judge_pin_mismatches_total", evaluator="helpfulness", kind="model") == 1
    assert await exporter.total("llmq_evaluation_failures_total", reason="pin_mismatch") == 1
    assert await verdicts(exporter) == [0, 0]


async def test_another_models_reply_is_scored_and_counted_where_that_is_wanted(run_exporter, judge, stub):
    stub.behaviour = Behaviour(replies_as="judge-2")
    exporter = await run_exporter(judge(pin={"mismatch": "count"}))
    await exporter.ask("truth:good")
    await settled(exporter)
    assert await exporter.total("llmq_judge_pin_mismatches_total", evaluator="helpfulness", kind="model") == 1
    assert await verdicts(exporter) == [1, 0]


async def test_over_budget_is_counted_and_nothing_is_asked(run_exporter, judge, stub, tmp_path):
    ledger = f"sqlite:///{tmp_path / 'ledger.db'}"
    exporter = await run_exporter(judge(budget={"day": {"tokens": 10}, "ledger": ledger}))
    await exporter.ask("truth:good", "truth:bad")
    await settled(exporter)
    assert await exporter.total("llmq_unscored_total", evaluator="helpfulness", reason="over_budget") == 2
    assert await exporter.total("llmq_judge_requests_total", outcome="over_day_tokens") == 2
    assert stub.requests == []


async def test_the_tokens_counted_are_the_tokens_billed(run_exporter, judge, stub):
    exporter = await run_exporter(judge())
    await exporter.ask("truth:good", "truth:bad", "truth:good")
    await settled(exporter)
    bill = stub.billed()
    assert await exporter.total("llmq_judge_tokens_total") == bill.input + bill.output


async def test_a_repeated_judgement_counts_flips_and_no_second_verdict(run_exporter, judge, stub):
    stub.behaviour = Behaviour(flip_rate=1.0)
    exporter = await run_exporter(judge(repeat=1))
    await exporter.ask("truth:good one", "truth:good two")
    await settled(exporter)
    await settled(exporter)
    assert await verdicts(exporter) == [2, 0]
    assert await exporter.total("llmq_judge_repeats_total", outcome="flipped") == 2


async def test_hard_cases_are_judged_apart_from_the_sample(run_exporter, judge):
    config = judge(sampling=[{"rate": 0.0}], targeted={"rate": 1.0, "failed": ["refusal"]})
    exporter = await run_exporter(config)
    await exporter.ask("I'm sorry, but I can't help with that. truth:bad", "Within 30 days. truth:good")
    await settled(exporter)
    assert await verdicts(exporter, sample="targeted") == [0, 1]
    assert await verdicts(exporter, sample="random") == [0, 0]


async def test_jobs_survive_a_restart(run_exporter, judge, stub):
    stub.behaviour = Behaviour(error_rate=1.0, errors=(503,))
    first = await run_exporter(judge(attempts=20))
    await first.ask("truth:good", "truth:bad")
    await first.client.close()
    stub.behaviour = Behaviour()
    second = await run_exporter(judge(attempts=20))
    await settled(second, seconds=600)
    assert await verdicts(second) == [1, 1]


async def test_a_job_that_is_too_old_fails_and_says_so(run_exporter, judge, stub):
    stub.behaviour = Behaviour(error_rate=1.0, errors=(503,))
    exporter = await run_exporter(judge(attempts=100))
    await exporter.ask("truth:good")
    await settled(exporter, seconds=3600)
    assert await exporter.total("llmq_evaluation_failures_total", evaluator="helpfulness") == 1
    assert await exporter.total("llmq_evaluation_failures_total", reason="expired") == 1


async def test_a_stalled_judge_is_visible(run_exporter, judge, stub):
    stub.behaviour = Behaviour(error_rate=1.0, errors=(503,))
    exporter = await run_exporter(judge(attempts=100))
    await exporter.ask("truth:good")
    exporter.clock.move(60)
    assert await exporter.total("llmq_judge_lag_seconds") >= 60
    assert await exporter.total("llmq_exporter_queue_length", queue="judge") == 1


async def test_a_trace_without_context_is_not_judged_for_faithfulness(run_exporter, judge, stub):
    exporter = await run_exporter(judge(rubrics={"helpfulness": {"enabled": False}}))
    await exporter.ask("truth:good", context=[])
    await settled(exporter)
    assert await exporter.total("llmq_unscored_total", evaluator="faithfulness", reason="not_applicable") == 1
    assert stub.requests == []


async def test_what_a_user_did_not_like_is_judged_as_a_hard_case_once(run_exporter, judge):
    exporter = await run_exporter(judge(sampling=[{"rate": 0.0}], targeted={"rate": 1.0, "feedback": True}))
    trace_id = "a" * 32
    await exporter.ask("truth:bad", trace_id=trace_id)
    for number in range(2):
        down = {"id": str(number), "trace_id": trace_id, "signal": "thumbs_down"}
        status, body = await exporter.post("/v1/feedback", json=down)
        assert status == 200, body
        await exporter.pass_time(1)
        await settled(exporter)
    assert await verdicts(exporter, sample="targeted") == [0, 1]


async def test_what_is_judged_anyway_is_not_judged_again_for_a_complaint(run_exporter, judge, stub):
    exporter = await run_exporter(judge(targeted={"rate": 1.0, "feedback": True}))
    trace_id = "a" * 32
    await exporter.ask("truth:bad", trace_id=trace_id)
    down = {"id": "1", "trace_id": trace_id, "signal": "thumbs_down"}
    await exporter.post("/v1/feedback", json=down)
    await exporter.pass_time(1)
    await settled(exporter)
    assert await verdicts(exporter) == [0, 1]
    assert len(stub.requests) == 1


async def test_a_complaint_brings_no_trace_to_the_judge_that_no_sampling_rule_is_for(run_exporter, judge, stub):
    rules = [{"apps": ["bank"], "rate": 1.0}]
    exporter = await run_exporter(judge(sampling=rules, targeted={"rate": 1.0, "feedback": True}))
    trace_id = "a" * 32
    await exporter.ask("truth:bad", trace_id=trace_id)
    await exporter.post("/v1/feedback", json={"id": "1", "trace_id": trace_id, "signal": "thumbs_down"})
    await exporter.pass_time(1)
    await settled(exporter)
    assert stub.requests == []
    assert await verdicts(exporter) == [0, 0]


async def test_a_stop_waits_for_calls_under_way_so_that_none_is_paid_twice(run_exporter, judge, stub):
    stub.behaviour = Behaviour(latency=0.3)
    first = await run_exporter(judge())
    await first.ask(*(["truth:good"] * 4))
    async with asyncio.timeout(120):
        while not stub.requests:
            first.exporter.judging.worker.wake()
            await asyncio.sleep(0.01)
    await first.client.close()
    second = await run_exporter(judge())
    await settled(second)
    bill = stub.billed()
    assert await verdicts(second) == [4, 0]
    assert len(stub.requests) == 4
    assert await second.total("llmq_judge_tokens_total") == bill.input + bill.output


async def called(exporter, stub, *, seconds, calls):
    """Move the clock until the judge was asked so often, or for so many seconds."""
    async with asyncio.timeout(60):
        while len(stub.requests) < calls and seconds > 0:
            exporter.clock.move(5)
            seconds -= 5
            exporter.exporter.judging.worker.wake()
            await asyncio.sleep(0.01)
    await exporter.exporter.pipeline.flush()


async def test_a_model_that_replies_under_another_name_is_paid_for_a_handful_and_named(run_exporter, judge, stub):
    stub.behaviour = Behaviour(replies_as="judge-1-2026-08-06")
    exporter = await run_exporter(judge())
    await exporter.ask(*(["truth:good"] * 40))
    judging = exporter.exporter.judging
    async with asyncio.timeout(60):
        while not any(map(judging.worker.errors.stopped, judging.bench.versions)):
            judging.worker.wake()
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    await exporter.exporter.pipeline.flush()
    exporter.exporter.calibrating.show()
    assert len(stub.requests) == 5
    assert await exporter.total("llmq_judge_stopped", evaluator="helpfulness", reason="model") == 1
    assert await exporter.total("llmq_judge_replied_info", model="judge-1-2026-08-06") == 1
    assert await exporter.total("llmq_exporter_queue_length", queue="judge") == 35
    stub.behaviour = Behaviour()
    await settled(exporter, seconds=60)
    exporter.exporter.calibrating.show()
    assert await verdicts(exporter) == [35, 0]
    assert await exporter.total("llmq_judge_stopped") == 0
    assert await exporter.total("llmq_judge_replied_info", model="judge-1") == 1


async def test_a_wrong_key_costs_no_trace_its_verdict(run_exporter, judge, stub):
    stub.behaviour = Behaviour(error_rate=1.0, errors=(401,))
    exporter = await run_exporter(judge(attempts=1))
    await exporter.ask(*(["truth:good"] * 20))
    await called(exporter, stub, seconds=600, calls=1000)
    assert len(stub.requests) < 20
    stub.behaviour = Behaviour()
    await settled(exporter, seconds=60)
    assert await verdicts(exporter) == [20, 0]
    assert await exporter.total("llmq_evaluation_failures_total") == 0


async def test_too_many_requests_cost_no_trace_an_attempt_whatever_the_endpoint_asks_for(run_exporter, judge, stub):
    stub.behaviour = Behaviour(error_rate=1.0, errors=(429, 503, 500, "drop"), retry_after=0)
    exporter = await run_exporter(judge(attempts=1))
    await exporter.ask(*(["truth:good"] * 10))
    await called(exporter, stub, seconds=1800, calls=1000)
    asked = len(stub.requests)
    assert asked < 120, "each of ten traces twelve times in half an hour: waits grow"
    stub.behaviour = Behaviour()
    await settled(exporter, seconds=60)
    assert await verdicts(exporter) == [10, 0]
    assert await exporter.total("llmq_evaluation_failures_total") == 0


async def test_a_case_that_breaks_the_endpoint_fails_after_its_attempts_while_others_are_judged(
    run_exporter, judge, aiohttp_server
):
    asked = []

    async def respond(request):
        body = await request.text()
        asked.append("poison" in body)
        if asked[-1]:
            return web.json_response({"error": {"message": "cannot tokenize"}}, status=500)
        message = {"role": "assistant", "content": '{"explanation": "x", "score": 5}'}
        usage = {"prompt_tokens": 10, "completion_tokens": 10}
        choices = [{"finish_reason": "stop", "message": message}]
        return web.json_response({"model": "judge-1", "choices": choices, "usage": usage})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", respond)
    server = await aiohttp_server(app)
    exporter = await run_exporter(judge(endpoint=str(server.make_url("/v1")), attempts=2))
    await exporter.ask("poison")
    async with asyncio.timeout(60):
        while not await exporter.total("llmq_evaluation_failures_total"):
            await exporter.ask(f"another answer {len(asked)}")
            exporter.clock.move(60)
            exporter.exporter.judging.worker.wake()
            await asyncio.sleep(0.05)
            await exporter.exporter.pipeline.flush()
    assert await exporter.total("llmq_evaluation_failures_total", reason="http_error") == 1
    assert asked.count(True) >= 3  # the first call, and one for each attempt after others were answered
