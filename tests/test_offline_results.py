"""Offline results through a whole exporter: the newest run shows, nothing counts twice, gaps in a suite are found."""

import asyncio
import gzip
import json

import pytest

from exporter.judge.case import Case
from exporter.judge.queue import Job
from exporter.model.score import Evaluation
from exporter.offline.likeness import signature, written
from exporter.offline.result import MOST_SIGNATURES
from exporter.store.kinds import OFFLINE_FAILURE, OFFLINE_GAP, OFFLINE_SUITE
from exporter.suites import coverage, results

URL = "/v1/offline-results"
RESET = "How do I reset the password of my account?"
LOAN = "Which documents do you need from me for the loan?"
LOAN_AGAIN = "For the loan, which documents do you need from me?"
REFUSAL = "I'm sorry, but I can't help with that."
VERSION = {"suite": "support", "app": "shop", "model_version": "m-1", "prompt_version": "7"}


def result(clock, **more):
    made = {"run_id": "run-1", "evaluator": "refusal", "evaluator_version": "1", "cases": 200, "passed": 190}
    return VERSION | made | {"mean_score": 0.94, "timestamp": clock.at - 60} | more


async def push(exporter, *sent, status=200):
    got, body = await exporter.post(URL, json=list(sent) if len(sent) != 1 else sent[0])
    assert got == status, body
    await exporter.pass_time(0)
    return json.loads(body)


async def shown(exporter, metric="llmq_offline_passed_cases", **labels):
    return await exporter.total(metric, **labels)


async def fail(exporter, number, question=LOAN, **more):
    sent = {"trace_id": f"{number:032x}", "app": "shop", "route": "/ask", "model": "m-1", "question": question}
    sent |= {"prompt_version": "7", "answer": REFUSAL, "started_at": exporter.clock.at - 1} | more
    assert (await exporter.post("/v1/interactions", json=sent))[0] == 200
    await exporter.pass_time(3)


async def uncovered(exporter, query=""):
    response = await exporter.client.get(f"/api/offline/uncovered{query}")
    return (await response.json()).get("uncovered", response.status)


async def compared(exporter):
    name = "llmq_offline_failures_total"
    return [int(await exporter.total(name, coverage=one)) for one in ("covered", "uncovered")]


# Results


async def test_a_result_shows_as_counts_with_score_and_time(run_exporter, clock):
    exporter = await run_exporter()
    taken = await push(exporter, result(clock))
    assert taken == {"accepted": 1, "newest": 1, "duplicate": 0, "older": 0}
    labels = VERSION | {"evaluator": "refusal", "evaluator_version": "1"}
    assert await shown(exporter, "llmq_offline_cases", **labels) == 200
    assert await shown(exporter, **labels) == 190
    assert await shown(exporter, "llmq_offline_mean_score", **labels) == 0.94
    assert await shown(exporter, "llmq_offline_timestamp_seconds", **labels) == clock.at - 60


async def test_the_newest_run_wins_also_when_an_older_one_arrives_late(run_exporter, clock):
    exporter = await run_exporter()
    await push(exporter, result(clock, run_id="monday", passed=100, timestamp=clock.at - 100))
    await push(exporter, result(clock, run_id="friday", passed=150, timestamp=clock.at - 10))
    taken = await push(exporter, result(clock, run_id="wednesday", passed=120, timestamp=clock.at - 50))
    assert taken["older"] == 1
    assert await shown(exporter) == 150


async def test_a_run_pushed_twice_counts_once_whatever_it_says_the_second_time(run_exporter, clock):
    exporter = await run_exporter()
    await push(exporter, result(clock))
    taken = await push(exporter, result(clock, passed=1))
    assert taken == {"accepted": 1, "newest": 0, "duplicate": 1, "older": 0}
    assert await shown(exporter) == 190
    assert await shown(exporter, "llmq_offline_results_total", outcome="duplicate") == 1


async def test_runs_of_one_moment_show_the_same_in_whichever_order_they_come(run_exporter, clock):
    one, other = result(clock, run_id="a", passed=1), result(clock, run_id="b", passed=2)
    for order, store in (((one, other), "x.db"), ((other, one), "y.db")):
        exporter = await run_exporter(store=store)
        for each in order:
            await push(exporter, each)
        assert await shown(exporter) == 2


async def test_a_new_evaluator_version_is_a_new_series(run_exporter, clock):
    exporter = await run_exporter()
    await push(exporter, result(clock), result(clock, evaluator_version="2", passed=180))
    assert await shown(exporter, evaluator_version="1") == 190
    assert await shown(exporter, evaluator_version="2") == 180


async def test_results_and_gaps_survive_a_restart(run_exporter, clock):
    exporter = await run_exporter()
    await push(exporter, result(clock, signatures=[written(signature(RESET))]))
    await fail(exporter, 1)
    before = await uncovered(exporter)
    await exporter.client.close()
    again = await run_exporter()
    assert await shown(again) == 190
    assert await shown(again, "llmq_offline_questions", suite="support", app="shop") == 1
    assert await uncovered(again) == before
    assert (await push(again, result(clock)))["duplicate"] == 1
    await fail(again, 2, LOAN_AGAIN)
    assert [one["failures"] for one in await uncovered(again)] == [2]


async def test_a_crash_after_the_answer_loses_nothing_and_counts_once(run_exporter, clock, tmp_path):
    exporter = await run_exporter()
    status, _ = await exporter.post(URL, json=result(clock, signatures=[written(signature(RESET))]))
    assert status == 200
    assert await shown(exporter) == 190, "what was answered is durable, and shown"
    for path in tmp_path.glob("llmq.db*"):
        (tmp_path / path.name.replace("llmq", "crashed")).write_bytes(path.read_bytes())
    again = await run_exporter(store="crashed.db")
    await again.pass_time(0)
    assert await shown(again) == 190
    assert await shown(again, "llmq_offline_questions") == 1
    assert await shown(again, "llmq_offline_results_total") == 1


async def test_the_labels_are_bounded_as_those_of_traces_are(run_exporter, clock):
    exporter = await run_exporter({"labels": {"budgets": {"prompt_version": 1}}})
    await fail(exporter, 1)
    await push(exporter, result(clock), result(clock, prompt_version="8", passed=5))
    assert await shown(exporter, prompt_version="7") == 190
    assert await shown(exporter, prompt_version="__other__") == 5


async def test_of_versions_that_are_folded_into_one_the_newest_shows(run_exporter, clock):
    exporter = await run_exporter({"labels": {"budgets": {"prompt_version": 1}}})
    await fail(exporter, 1)
    for version, passed, age in (("8", 5, 30), ("9", 6, 10), ("10", 7, 20)):
        await push(exporter, result(clock, prompt_version=version, passed=passed, timestamp=clock.at - age))
    assert await shown(exporter, prompt_version="__other__") == 6


async def test_the_results_kept_are_bounded_and_the_earliest_run_goes(run_exporter, clock, monkeypatch):
    monkeypatch.setattr(results, "MOST", 2)
    exporter = await run_exporter()
    for number in range(3):
        await push(exporter, result(clock, evaluator=f"e{number}", timestamp=clock.at - 100 + number))
    assert [await shown(exporter, evaluator=f"e{number}") for number in range(3)] == [0, 190, 190]
    await exporter.client.close()
    again = await run_exporter()
    assert [await shown(again, evaluator=f"e{number}") for number in range(3)] == [0, 190, 190]


async def test_packed_bodies_and_times_as_text_are_read(run_exporter, clock):
    exporter = await run_exporter()
    body = gzip.compress(json.dumps([result(clock, timestamp="2026-01-31T12:00:00+01:00")]).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert (await exporter.post(URL, data=body, headers=headers))[0] == 200
    await exporter.pass_time(0)
    assert await shown(exporter, "llmq_offline_timestamp_seconds") == 1769857200


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"passed": 201}, r"$.passed: 201 of 200 cases passed"),
        ({"passed": -1}, "$.passed: "),
        ({"cases": 0}, "$.cases: "),
        ({"cases": "200"}, "$.cases: expected a whole number from 1 to 1,000,000,000, found text"),
        ({"mean_score": 94}, "$.mean_score: "),
        ({"suite": ""}, "$.suite: "),
        ({"suite": "a\nb"}, "$.suite: "),
        ({"app": "x" * 129}, "$.app: "),
        ({"timestamp": 1.8e12}, "$.timestamp: not in the past; send when the run ended, in Unix seconds"),
        ({"timestamp": "2026-01-31T12:00:00"}, "$.timestamp: no time zone"),
        ({"signatures": ["secret words"]}, "$.signatures[0]: not a signature"),
        ({"signatures": [""] * (MOST_SIGNATURES + 1)}, f"$.signatures: {MOST_SIGNATURES + 1} signatures"),
        ({"pased": 3}, '$: unknown field "pased"; did you mean "passed"?'),
    ],
)
async def test_what_is_wrong_is_named_with_its_place_and_nothing_is_taken(run_exporter, clock, change, place):
    exporter = await run_exporter()
    said = await push(exporter, result(clock, **change), status=400)
    assert said["error"].startswith(place)
    assert "secret" not in said["error"]
    listed = await push(exporter, result(clock), result(clock, **change), status=400)
    assert listed["error"].startswith(place.replace("$", "$[1]", 1))
    assert await shown(exporter) == 0
    assert await exporter.total("llmq_exporter_rejected_total", signal="offline-results", reason="undecodable") == 2


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"[", b"\xff", b'{"suite": "a"}', b"[" * 50_000, b"null"])
async def test_a_body_that_is_no_result_is_refused_for_good(run_exporter, body):
    exporter = await run_exporter()
    status, said = await exporter.post(URL, data=body, headers={"Content-Type": "application/json"})
    assert status == 400
    assert json.loads(said)["error"].startswith("$")


async def test_every_wrong_field_of_a_run_is_named_at_once(run_exporter, clock):
    exporter = await run_exporter()
    said = await push(exporter, *(result(clock, cases=0) for _ in range(25)), status=400)
    assert said["error"].count("$[") == 20
    assert said["error"].endswith("; and 5 more")


async def test_roles_media_types_and_methods_are_kept(run_exporter, clock, monkeypatch):
    monkeypatch.setenv("IN", "s" * 32)
    monkeypatch.setenv("OUT", "t" * 32)
    tokens = [
        {"name": name, "roles": [role], "env": env} for name, role, env in (("a", "ingest", "IN"), ("b", "read", "OUT"))
    ]
    exporter = await run_exporter({"server": {"tokens": tokens}})
    body = json.dumps(result(clock)).encode()
    for secret, status in (("", 401), ("t" * 32, 403), ("s" * 32, 200)):
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {secret}"}
        assert (await exporter.post(URL, data=body, headers=headers))[0] == status
    headers = {"Authorization": f"Bearer {'s' * 32}"}
    assert (await exporter.client.get("/api/offline/uncovered", headers=headers)).status == 403
    assert (await exporter.post(URL, data=body, headers=headers | {"Content-Type": "text/plain"}))[0] == 415
    assert (await exporter.client.get(URL)).status == 405


# What the suites do not cover


async def test_failures_far_from_every_question_of_the_suite_are_counted_and_listed(run_exporter, clock):
    exporter = await run_exporter()
    await push(exporter, result(clock, signatures=[written(signature(RESET))]))
    await fail(exporter, 1, "How can I reset my account password, please?")
    await fail(exporter, 2)
    await fail(exporter, 3, LOAN_AGAIN)
    await fail(exporter, 4, "What is the weather in Lisbon tomorrow?", route="/chat")
    assert await compared(exporter) == [1, 3]
    listed = await uncovered(exporter)
    assert [(one["failures"], one["route"], one["question"]) for one in listed] == [
        (2, "/ask", LOAN_AGAIN),
        (1, "/chat", "What is the weather in Lisbon tomorrow?"),
    ]
    assert listed[0]["trace_id"] == f"{3:032x}"
    assert await uncovered(exporter, "?app=other") == []
    assert len(await uncovered(exporter, "?limit=1")) == 1
    assert await uncovered(exporter, "?limit=many") == 400


async def test_passes_and_apps_without_a_suite_are_not_compared(run_exporter, clock):
    exporter = await run_exporter()
    await fail(exporter, 1)
    await push(exporter, result(clock, signatures=[written(signature(RESET))]))
    await fail(exporter, 2, app="other")
    await fail(exporter, 3, answer="Your payslips and your identity card are all that we need for the loan.")
    await fail(exporter, 4, question=None)
    assert await compared(exporter) == [0, 0]


async def test_a_failure_is_compared_once_whoever_complains(run_exporter, clock):
    exporter = await run_exporter()
    await push(exporter, result(clock, signatures=[written(signature(RESET))]))
    await fail(exporter, 1)
    for signal in ("thumbs_down", "thumbs_up", "thumbs_down"):
        await exporter.post("/v1/feedback", json={"trace_id": f"{1:032x}", "signal": signal})
        await exporter.pass_time(0)
    assert await compared(exporter) == [0, 1]


async def test_which_failures_were_compared_is_forgotten_with_their_traces(run_exporter, clock):
    exporter = await run_exporter({"store": {"retention": {"age": "1h"}}})
    await push(exporter, result(clock, signatures=[written(signature(RESET))]))
    await fail(exporter, 1)
    await exporter.pass_time(3700)
    await fail(exporter, 2)
    await exporter.pass_time(0)
    assert [key.hex() for key, _ in exporter.exporter.store.rows.ids(OFFLINE_FAILURE)] == [f"{2:032x}"]


async def test_an_answer_that_only_its_user_dislikes_is_a_failure_too(run_exporter, clock):
    exporter = await run_exporter()
    await push(exporter, result(clock, signatures=[written(signature(RESET))]))
    await fail(exporter, 1, answer="Your payslips and your identity card are all that we need for the loan.")
    await exporter.post("/v1/feedback", json={"trace_id": f"{1:032x}", "signal": "thumbs_down"})
    await exporter.pass_time(0)
    assert await compared(exporter) == [0, 1]


async def test_a_verdict_that_a_judge_gives_later_is_compared_too(run_exporter, clock):
    exporter = await run_exporter()
    await push(exporter, result(clock, signatures=[written(signature(RESET))]))
    made = {"evaluator": "helpfulness", "version": "j-1", "role": "acting", "sample": "random", "due_at": clock.at}
    for number, verdict in ((1, "pass"), (2, "fail"), (2, "fail")):
        case = Case(question=LOAN, answer="Ask somebody else.")
        where = ("shop", "/ask", "m-1", "7")
        job = Job(trace_id=f"{number:032x}", where=where, case=case, created_at=clock.at, **made)
        said = Evaluation(evaluator="helpfulness", evaluator_version="j-1", verdict=verdict, score=0.1)
        exporter.exporter.suites.judged(job, said)
    await exporter.pass_time(0)
    assert await compared(exporter) == [0, 1]
    assert [one["trace_id"] for one in await uncovered(exporter)] == [f"{2:032x}"]


async def test_a_newer_run_that_has_the_question_takes_the_gap_off_the_list(run_exporter, clock):
    exporter = await run_exporter()
    await push(exporter, result(clock, signatures=[written(signature(RESET))]))
    await fail(exporter, 1)
    both = [written(signature(RESET)), written(signature(LOAN_AGAIN))]
    await push(exporter, result(clock, run_id="old", timestamp=clock.at - 1000, signatures=both))
    assert len(await uncovered(exporter)) == 1, "an older run does not say what the suite has now"
    await push(exporter, result(clock, run_id="run-2", timestamp=clock.at, signatures=both))
    assert await uncovered(exporter) == []
    await fail(exporter, 2)
    assert await compared(exporter) == [1, 1]


async def test_results_of_one_run_add_to_its_questions(run_exporter, clock):
    exporter = await run_exporter()
    await push(
        exporter,
        result(clock, signatures=[written(signature(RESET))]),
        result(clock, evaluator="grounding", signatures=[written(signature(LOAN))]),
    )
    assert await shown(exporter, "llmq_offline_questions") == 2


async def test_gaps_and_suites_are_bounded(run_exporter, clock, monkeypatch):
    monkeypatch.setattr(coverage, "MOST_GAPS", 2)
    monkeypatch.setattr(coverage, "MOST_SUITES", 1)
    exporter = await run_exporter()
    await push(exporter, result(clock, suite="first", timestamp=clock.at - 100, signatures=[written(signature(LOAN))]))
    await push(exporter, result(clock, signatures=[written(signature(RESET))]))
    for number, question in enumerate((LOAN, "What is the weather in Lisbon?", "Who painted Guernica?"), 1):
        await fail(exporter, number, question)
    assert await compared(exporter) == [0, 3], "the questions of the first suite had to go"
    kept = {"What is the weather in Lisbon?", "Who painted Guernica?"}
    assert {one["question"] for one in await uncovered(exporter)} == kept
    await exporter.client.close()
    assert {one["question"] for one in await uncovered(await run_exporter())} == kept


async def test_the_gap_that_was_seen_least_recently_goes(run_exporter, clock, monkeypatch):
    monkeypatch.setattr(coverage, "MOST_GAPS", 2)
    exporter = await run_exporter()
    await push(exporter, result(clock, signatures=[written(signature(RESET))]))
    for number, question in enumerate((LOAN, "What is the weather in Lisbon?", LOAN_AGAIN, "Who painted Guernica?"), 1):
        await fail(exporter, number, question)
    assert {one["question"] for one in await uncovered(exporter)} == {LOAN_AGAIN, "Who painted Guernica?"}


async def test_a_suite_that_finds_no_room_leaves_nothing_behind(run_exporter, clock, monkeypatch):
    monkeypatch.setattr(coverage, "MOST_SUITES", 1)
    exporter = await run_exporter()
    await push(exporter, result(clock, signatures=[written(signature(RESET))]))
    earlier = result(clock, suite="earlier", timestamp=clock.at - 100)
    await push(exporter, earlier | {"signatures": [written(signature(LOAN))]})
    assert await shown(exporter, "llmq_offline_questions", suite="support") == 1
    assert await shown(exporter, "llmq_offline_questions", suite="earlier") == 0
    assert len(exporter.exporter.store.rows.records(OFFLINE_SUITE)) == 1


async def test_no_text_is_shown_where_content_is_not_stored(run_exporter, clock):
    exporter = await run_exporter({"store": {"content": "none"}})
    await push(exporter, result(clock, signatures=[written(signature(RESET))]))
    await fail(exporter, 1)
    assert [(one["failures"], one["question"]) for one in await uncovered(exporter)] == [(1, None)]


async def test_nothing_is_left_of_a_trace_that_is_forgotten(run_exporter, clock):
    exporter = await run_exporter()
    await push(exporter, result(clock, signatures=[written(signature(RESET))]))
    for number in (1, 2):
        await fail(exporter, number, (LOAN, LOAN_AGAIN)[number - 1])
    await fail(exporter, 3, "What is the weather in Lisbon?")
    asked = asyncio.create_task(exporter.client.delete(f"/api/traces/{1:032x}"))
    while not asked.done():
        await exporter.pass_time(0)
        await asyncio.sleep(0)
    assert (await asked).status == 200
    assert [one["question"] for one in await uncovered(exporter)] == ["What is the weather in Lisbon?"]
    rows = exporter.exporter.store.rows
    gaps = [OFFLINE_GAP.decode(gap, version) for _, _, gap, version in rows.records(OFFLINE_GAP)]
    assert (1).to_bytes(16, "big") not in [id_ for gap in gaps for id_ in (gap.first_trace_id, gap.trace_id)]
    assert f"{1:032x}" not in {key.hex() for key, *_ in rows.ids(OFFLINE_FAILURE)}
