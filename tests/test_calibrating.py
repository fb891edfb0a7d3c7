"""The judge under calibration: anchors decide who counts; a worse judge is shadowed, a better one takes over."""

import asyncio
import json

import pytest

from exporter.demo.judge_stub import Behaviour
from exporter.judge.error_budget import FAILURES

CONTEXT = ["Refunds are accepted within 30 days of purchase."]
CASES = 60


@pytest.fixture
def judge(tmp_path, judge):
    """A config with a judge of that model, gated by 60 anchors of which people pass half."""
    anchors = tmp_path / "anchors.jsonl"
    lines = [
        {
            "id": str(number),
            "evaluator": "helpfulness",
            "question": "Refunds?",
            "answer": f"Within 30 days ({number}). truth:{'bad' if number % 2 else 'good'}",
            "human": "fail" if number % 2 else "pass",
        }
        for number in range(CASES)
    ]
    anchors.write_text("\n".join(map(json.dumps, lines)))

    def configured(model="judge-1", **changes):
        return judge(**{"model": model, "anchors": {"file": str(anchors), "per_hour": 60}} | changes)

    return configured


@pytest.fixture
def change(tmp_path):
    """Have a running exporter go on with another config."""

    def changed(exporter, config):
        exporter.reload(config)

    return changed


async def drained(exporter):
    """Wait until no job is left."""
    async with asyncio.timeout(30):
        while len(exporter.exporter.judging.queue):  # noqa: ASYNC110 - the product has no such event
            await asyncio.sleep(0.01)


def stopped(exporter):
    """Why the judge is stopped, if it is."""
    worker = exporter.exporter.judging.worker
    return next(filter(None, map(worker.errors.stopped, exporter.exporter.judging.bench.versions)), None)


async def tried(exporter):
    """Have every anchor asked once, also where so many failures in a row stop the judge for a while."""
    exporter.exporter.calibrating.drip()
    async with asyncio.timeout(60):
        while len(exporter.exporter.judging.queue):
            exporter.clock.move(5)
            exporter.exporter.judging.worker.wake()
            await asyncio.sleep(0.01)


async def calibrated(exporter):
    """Have all that waits judged and shown."""
    running = exporter.exporter
    running.calibrating.drip()
    await drained(exporter)
    running.calibrating.show()
    await running.pipeline.flush()


async def verdicts(exporter, **labels):
    name = "llmq_evaluations_total"
    return [
        await exporter.total(name, evaluator="helpfulness", verdict=verdict, **labels) for verdict in ("pass", "fail")
    ]


async def measured(exporter):
    """The judge models of which anything is shown that was measured."""
    names = ("llmq_judge_agreement_ratio", "llmq_judge_length_preference_ratio", "llmq_judge_pass_ratio")
    found = await exporter.samples()
    return {dict(labels)["evaluator_version"].partition("+")[0] for name, labels in found if name in names}


async def gates(exporter):
    """Which judge models' verdicts count."""
    found = await exporter.samples()
    return {
        dict(labels)["evaluator_version"].partition("+")[0]: value
        for (name, labels), value in found.items()
        if name == "llmq_judge_gate_open"
    }


async def test_a_judge_that_agrees_with_people_is_admitted(run_exporter, judge):
    exporter = await run_exporter(judge())
    await calibrated(exporter)
    assert await gates(exporter) == {"judge-1": 1}
    assert await exporter.total("llmq_judge_kappa", source="anchor", estimate="value") == 1
    await exporter.ask("truth:good", "truth:bad")
    await calibrated(exporter)
    assert await verdicts(exporter, sample="random") == [1, 1]


async def test_until_a_judge_is_admitted_its_verdicts_are_in_no_sli_and_traces_are_counted_as_gated(
    run_exporter, judge, stub
):
    stub.behaviour = Behaviour(sensitivity=0.5, specificity=0.5)
    exporter = await run_exporter(judge())
    await calibrated(exporter)
    await exporter.ask("truth:good", "truth:bad")
    await calibrated(exporter)
    assert await gates(exporter) == {"judge-1": 0}
    assert sum(await verdicts(exporter, sample="shadow")) == 2
    assert await verdicts(exporter, sample="random") == [0, 0]
    assert await exporter.total("llmq_unscored_total", evaluator="helpfulness", reason="gated") == 2


async def test_a_worse_judge_is_shadowed_and_the_slis_do_not_move(run_exporter, judge, stub):
    first = await run_exporter(judge())
    await calibrated(first)
    await first.ask("truth:good 1", "truth:bad 1")
    await calibrated(first)
    await first.client.close()

    stub.others["judge-2"] = Behaviour(model="judge-2", sensitivity=0.6, specificity=0.5)
    second = await run_exporter(judge("judge-2"))
    await calibrated(second)
    await second.ask("truth:good 2", "truth:bad 2", "truth:good 3")
    await calibrated(second)
    assert await gates(second) == {"judge-1": 1, "judge-2": 0}
    assert await verdicts(second, sample="random") == [3, 2]
    assert sum(await verdicts(second, sample="shadow")) == 3
    reasons = [reason for one in second.exporter.calibrating.decisions.values() for reason in one.reasons]
    assert any("kappa" in reason for reason in reasons)


async def test_a_better_judge_passes_the_gate_and_takes_over(run_exporter, judge, stub):
    stub.behaviour = Behaviour(sensitivity=0.85, specificity=0.85)
    first = await run_exporter(judge())
    await calibrated(first)
    assert await gates(first) == {"judge-1": 1}
    await first.client.close()

    stub.others["judge-2"] = Behaviour(model="judge-2")
    second = await run_exporter(judge("judge-2"))
    await calibrated(second)
    await second.ask("truth:good", "truth:bad")
    await calibrated(second)
    assert await gates(second) == {"judge-2": 1}
    found = await second.samples()
    versions = {
        dict(labels)["evaluator_version"].partition("+")[0]
        for (name, labels), value in found.items()
        if name == "llmq_evaluations_total" and ("sample", "random") in labels and value
    }
    assert versions == {"judge-2"}


async def test_going_back_to_an_admitted_judge_needs_no_gate(run_exporter, judge, stub):
    for model in ("judge-1", "judge-2"):
        stub.others[model] = Behaviour(model=model)
        exporter = await run_exporter(judge(model))
        await calibrated(exporter)
        await exporter.client.close()
    asked = len(stub.requests)
    third = await run_exporter(judge("judge-1"))
    await third.ask("truth:bad")
    await drained(third)
    await third.exporter.pipeline.flush()
    assert await verdicts(third, sample="random") == [0, 1]
    assert {request["model"] for request in stub.requests[asked:]} == {"judge-1"}


async def test_of_a_judge_that_is_not_asked_any_more_nothing_is_shown(run_exporter, judge, stub, change):
    first = await run_exporter(judge())
    await calibrated(first)
    stub.others["judge-2"] = Behaviour(model="judge-2", sensitivity=0.5, specificity=0.5)
    change(first, judge("judge-2"))
    await calibrated(first)
    await first.ask("truth:good")
    await calibrated(first)
    assert await gates(first) == {"judge-1": 1, "judge-2": 0}
    assert await measured(first) == {"judge-1", "judge-2"}
    change(first, judge("judge-1"))
    await calibrated(first)
    assert await gates(first) == {"judge-1": 1}
    assert await measured(first) == {"judge-1"}
    await first.client.close()
    second = await run_exporter(judge("judge-1"))
    await calibrated(second)
    assert await gates(second) == {"judge-1": 1}
    assert await measured(second) == {"judge-1"}


async def test_anchors_that_there_was_no_money_for_wait_until_there_is(run_exporter, judge, stub, change, tmp_path):
    ledger = f"sqlite:///{tmp_path / 'ledger.db'}"
    exporter = await run_exporter(judge(budget={"day": {"tokens": 10}, "ledger": ledger}))
    running = exporter.exporter
    running.calibrating.drip()
    async with asyncio.timeout(30):
        while await exporter.total("llmq_judge_requests_total", outcome="over_day_tokens") < CASES:
            await running.pipeline.flush()
    assert stub.requests == []
    change(exporter, judge(budget={"day": {"tokens": 10_000_000}, "ledger": ledger}))
    exporter.clock.move(3600)
    await calibrated(exporter)
    assert await gates(exporter) == {"judge-1": 1}


async def test_anchors_without_a_verdict_are_asked_again_at_the_drips_rate(run_exporter, judge, stub):
    stub.behaviour = Behaviour(refuse_rate=0.4)
    exporter = await run_exporter(judge())
    await tried(exporter)
    [decision] = exporter.exporter.calibrating.decisions.values()
    assert decision.unanswered > 11
    stub.behaviour = Behaviour()
    asked = len(stub.requests)
    for _ in range(10):
        exporter.clock.move(60)
        await calibrated(exporter)
    assert len(stub.requests) - asked in (10, 11)
    for _ in range(CASES):
        exporter.clock.move(60)
        await calibrated(exporter)
    assert await gates(exporter) == {"judge-1": 1}


async def test_after_a_reload_anchors_without_a_verdict_are_asked_again_at_once(run_exporter, judge, stub, change):
    stub.behaviour = Behaviour(refuse_rate=1)
    exporter = await run_exporter(judge())
    exporter.exporter.calibrating.drip()
    async with asyncio.timeout(60):
        while not exporter.exporter.calibrating.decisions or not stopped(exporter):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    exporter.exporter.calibrating.show()
    assert await gates(exporter) == {"judge-1": 0}
    stub.behaviour = Behaviour()
    change(exporter, judge(seed=2))
    await calibrated(exporter)
    assert await gates(exporter) == {"judge-1": 1}


async def test_a_judge_that_falls_silent_keeps_what_it_said_of_the_anchors(run_exporter, judge, stub):
    exporter = await run_exporter(judge(anchors=judge()["judge"]["anchors"] | {"per_hour": 3600}))
    await calibrated(exporter)
    stub.behaviour = Behaviour(refuse_rate=1)
    for _ in range(FAILURES - 1):
        exporter.clock.move(1)
        await calibrated(exporter)
    assert await exporter.total("llmq_judge_labelled_cases", source="anchor") == CASES


async def test_the_drip_asks_each_anchor_once_a_lap_at_its_rate(run_exporter, judge, stub):
    exporter = await run_exporter(judge())
    await calibrated(exporter)
    asked = len(stub.requests)
    for _ in range(10):
        exporter.clock.move(60)
        await calibrated(exporter)
    assert len(stub.requests) - asked in (10, 11)
    pairs = await exporter.total("llmq_judge_human_pairs_total", source="anchor")
    assert pairs == len(stub.requests)


async def test_a_judge_that_drifts_is_told_from_a_system_that_drifts(run_exporter, judge, stub):
    exporter = await run_exporter(judge(anchors=judge()["judge"]["anchors"] | {"per_hour": 3600}))
    await calibrated(exporter)
    stub.behaviour = Behaviour(sensitivity=0.4, seed=7)
    for _ in range(CASES + 2):
        exporter.clock.move(1)
        await calibrated(exporter)
    await exporter.ask("truth:good")
    await calibrated(exporter)
    assert await exporter.total("llmq_judge_shift_ratio", part="judge", estimate="high") < 0


async def test_what_people_say_of_a_judged_trace_is_a_pair(run_exporter, judge):
    exporter = await run_exporter(judge())
    await calibrated(exporter)
    version = next(iter(exporter.exporter.judging.bench.versions))
    exporter.exporter.calibrating.reviewed(version, "pass", "fail")
    await calibrated(exporter)
    assert await exporter.total("llmq_judge_human_pairs_total", source="review", judge="pass", human="fail") == 1
    assert await exporter.total("llmq_judge_agreement_ratio", source="review", estimate="value") == 0


async def lap(exporter, times):
    """Have so many anchors asked again, a minute apart."""
    for _ in range(times):
        exporter.clock.move(60)
        await calibrated(exporter)


async def test_an_admitted_judge_that_gets_worse_under_its_name_loses_its_place_and_wins_it_back(
    run_exporter, judge, stub
):
    exporter = await run_exporter(judge())
    await calibrated(exporter)
    stub.behaviour = Behaviour(specificity=0.0)
    await lap(exporter, CASES)
    assert await gates(exporter) == {"judge-1": 0}
    assert await exporter.total("llmq_judge_fallen", evaluator="helpfulness") == 1
    await exporter.ask("truth:good")
    await calibrated(exporter)
    assert await verdicts(exporter, sample="random") == [0, 0]
    await exporter.client.close()
    again = await run_exporter(judge())
    await calibrated(again)
    assert await gates(again) == {"judge-1": 0}
    assert await again.total("llmq_judge_fallen", evaluator="helpfulness") == 1
    stub.behaviour = Behaviour()
    await lap(again, CASES)
    assert await gates(again) == {"judge-1": 1}
    assert await again.total("llmq_judge_fallen", evaluator="helpfulness") == 0


async def test_where_the_config_says_so_a_fallen_judge_is_told_of_and_keeps_its_place(run_exporter, judge, stub):
    exporter = await run_exporter(judge(gate={"fallen": "alert"}))
    await calibrated(exporter)
    stub.behaviour = Behaviour(specificity=0.0)
    await lap(exporter, CASES)
    assert await gates(exporter) == {"judge-1": 1}
    assert await exporter.total("llmq_judge_fallen", evaluator="helpfulness") == 1
    stub.behaviour = Behaviour()
    await lap(exporter, CASES)
    assert await exporter.total("llmq_judge_fallen", evaluator="helpfulness") == 0


async def test_when_production_moves_anchors_are_asked_faster_for_a_while(run_exporter, judge, stub):
    exporter = await run_exporter(judge(anchors=judge()["judge"]["anchors"] | {"per_hour": 6}))
    await calibrated(exporter)
    await exporter.ask(*(["truth:good"] * 250))
    await calibrated(exporter)
    await lap(exporter, 10)
    slow = len(stub.requests)
    await lap(exporter, 20)
    assert len(stub.requests) - slow in (2, 3)
    await exporter.ask(*(["truth:bad"] * 200))
    await calibrated(exporter)
    fast = len(stub.requests)
    await lap(exporter, 20)
    assert len(stub.requests) - fast in (19, 20, 21)
