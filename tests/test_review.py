"""The review queue through a whole exporter: reviewers claim, label, differ and forget; what is counted and kept."""

import asyncio
import json

import pytest

from exporter.cli.main import main
from exporter.demo.judge_stub import Behaviour
from exporter.review import enqueue
from exporter.store.kinds import REVIEW_EVIDENCE, REVIEW_ITEM

CONTEXT = ["Refunds are accepted within 30 days of purchase."]
QUESTIONS = [
    "How long do refunds take?",
    "Where is the nearest shop in Lyon?",
    "Do you ship furniture to Norway?",
    "May I change my delivery address later?",
    "Which lamps fit a wet bathroom?",
    "Who pays customs duties on returns?",
]
ONLY_CONTROL = {name: {"enabled": False} for name in ("complaint", "disagreement", "flipped", "unsure", "failed")}
DEFAULTS_OFF = ONLY_CONTROL | {"control": {"enabled": False}}


def config(reasons, **review):
    section = {"enabled": True, "wait": "1s", "claim": "10m", "reasons": DEFAULTS_OFF | reasons} | review
    return {"review": section, "store": {"content": "all"}}


EVERYTHING = {"control": {"enabled": True, "share": 0.9999, "annotators": 1, "per_day": 100}}
PAIRS = {"control": EVERYTHING["control"] | {"annotators": 2}}


async def ask(exporter, *questions, answer="Within 30 days.", **fields):
    """Send interactions, let them be scored, and the wait for late scores be over; returns their trace ids."""
    sent = [{"id": q, "app": "shop", "question": q, "context": CONTEXT, "answer": answer} | fields for q in questions]
    status, body = await exporter.post("/v1/interactions", json=sent)
    assert status == 200, body
    await exporter.pass_time(3)
    exporter.clock.move(2)


async def call(exporter, path, expected=200, **body):
    status, said = await exporter.post(f"/api/review/{path}", json=body)
    assert status == expected, said
    return json.loads(said)


async def claim(exporter, reviewer, **more):
    return (await call(exporter, "claim", reviewer=reviewer, **more))["item"]


async def label(exporter, reviewer, item, verdict="pass", expected=200, **more):
    labels = {"helpfulness": {"verdict": verdict}}
    return await call(exporter, "label", expected, reviewer=reviewer, trace_id=item["trace_id"], labels=labels, **more)


async def later(exporter, seconds):
    exporter.clock.move(seconds)
    exporter.exporter.review.desk.tick()
    await exporter.exporter.pipeline.flush()


async def items(exporter, state, **labels):
    return await exporter.total("llmq_review_items", state=state, **labels)


async def test_two_reviewers_agree_and_a_third_settles_what_they_differ_on(run_exporter):
    exporter = await run_exporter(config(PAIRS))
    await ask(exporter, *QUESTIONS[:2])
    assert await items(exporter, "waiting", reason="control") == 2
    for verdicts in (("pass", "pass"), ("pass", "fail")):
        ada, bob = await claim(exporter, "ada"), await claim(exporter, "bob")
        assert ada["trace_id"] == bob["trace_id"]
        said = await label(exporter, "ada", ada, verdicts[0])
        assert said["item"]["revealed"]["done"] is False
        await label(exporter, "bob", bob, verdicts[1])
    await later(exporter, 1)
    assert [await items(exporter, state) for state in ("done", "disputed", "waiting")] == [1, 1, 0]
    assert await claim(exporter, "ada") is None
    assert await claim(exporter, "bob") is None
    cyd = await claim(exporter, "cyd")
    said = await label(exporter, "cyd", cyd, "fail", corrected="Thirty days.")
    assert said["item"]["revealed"]["verdicts"] == {"helpfulness": "fail"}
    await later(exporter, 1)
    assert await items(exporter, "done") == 2
    name = "llmq_review_labels_total"
    assert [await exporter.total(name, evaluator="helpfulness", label=one) for one in ("pass", "fail")] == [3, 2]
    assert await exporter.total("llmq_review_disagreements_total", evaluator="helpfulness") == 1
    endings = [await exporter.total("llmq_review_done_total", ending=one) for one in ("decided", "majority")]
    assert endings == [1, 1]
    assert await exporter.total("llmq_review_oldest_seconds") == 0


async def test_what_is_reviewed_comes_out_once_with_its_provenance(run_exporter):
    exporter = await run_exporter(config(EVERYTHING))
    await ask(exporter, *QUESTIONS[:2], prompt_version="7")
    found = await claim(exporter, "ada")
    await label(exporter, "ada", found, "fail", corrected="Thirty days.")
    await claim(exporter, "ada")
    async with exporter.client.get("/api/review/reviewed") as response:
        [line] = (await response.text()).splitlines()
    case = json.loads(line)
    assert case["trace_id"] == found["trace_id"]
    assert [case["reason"], case["prompt_version"], case["corrected"]] == ["control", "7", "Thirty days."]
    assert case["verdicts"] == {"helpfulness": "fail"}
    assert [(one["reviewer"], one["at"]) for one in case["labels"]] == [("ada", exporter.clock.at)]
    assert case["evidence"]["question"] == QUESTIONS[0]


async def test_reviewers_who_come_at_once_get_different_items(run_exporter):
    exporter = await run_exporter(config(EVERYTHING))
    await ask(exporter, *QUESTIONS)
    got = await asyncio.gather(*(claim(exporter, f"p{number}") for number in range(len(QUESTIONS))))
    assert len({one["trace_id"] for one in got}) == len(QUESTIONS)
    assert await claim(exporter, "late") is None
    assert (await claim(exporter, "p0"))["trace_id"] == got[0]["trace_id"]


async def test_a_claim_runs_out_and_late_labels_count_unless_somebody_else_has_the_item(run_exporter):
    exporter = await run_exporter(config(EVERYTHING))
    await ask(exporter, *QUESTIONS[:2])
    first, second = await claim(exporter, "ada"), await claim(exporter, "bob")
    assert await items(exporter, "claimed") == 2
    await later(exporter, 601)
    assert [await items(exporter, "claimed"), await items(exporter, "waiting")] == [0, 2]
    assert await exporter.total("llmq_review_claims_total", event="expired") == 2
    assert (await claim(exporter, "cyd"))["trace_id"] == first["trace_id"]
    assert "somebody else" in (await label(exporter, "ada", first, expected=409))["error"]
    assert (await label(exporter, "bob", second))["outcome"] == "done"
    await later(exporter, 1)
    assert await exporter.total("llmq_review_labels_total") == 1


async def test_a_label_sent_again_is_taken_once(run_exporter):
    exporter = await run_exporter(config(EVERYTHING))
    await ask(exporter, QUESTIONS[0])
    found = await claim(exporter, "ada")
    assert [(await label(exporter, "ada", found))["outcome"] for _ in range(3)] == ["done", "again", "again"]
    await later(exporter, 1)
    assert await exporter.total("llmq_review_labels_total") == 1


async def test_skipped_and_released_items_go_to_others(run_exporter):
    exporter = await run_exporter(config(EVERYTHING))
    await ask(exporter, *QUESTIONS[:2])
    first = await claim(exporter, "ada")
    await call(exporter, "skip", reviewer="ada", trace_id=first["trace_id"], note="Not my language.")
    second = await claim(exporter, "ada")
    assert second["trace_id"] != first["trace_id"]
    await call(exporter, "release", reviewer="ada", trace_id=second["trace_id"])
    assert (await claim(exporter, "bob"))["trace_id"] == first["trace_id"]
    assert (await claim(exporter, "ada"))["trace_id"] == second["trace_id"]
    await later(exporter, 1)
    events = {one: await exporter.total("llmq_review_claims_total", event=one) for one in ("skipped", "released")}
    assert events == {"skipped": 1, "released": 1}


async def test_what_people_differ_on_comes_first_then_what_they_began_then_the_oldest(run_exporter):
    exporter = await run_exporter(config(PAIRS))
    for question in QUESTIONS[:3]:
        await ask(exporter, question)
    people = ("ada", "bob", "cyd", "dan", "eve", "fay")
    held = [await claim(exporter, reviewer) for reviewer in people]
    assert [QUESTIONS.index(item["question"]) for item in held] == [0, 0, 1, 1, 2, 2]
    for reviewer, item, verdict in zip(people, held, (None, None, "pass", None, "pass", "fail"), strict=True):
        if verdict is None:
            await call(exporter, "release", reviewer=reviewer, trace_id=item["trace_id"])
        else:
            await label(exporter, reviewer, item, verdict)
    claims = [await claim(exporter, reviewer) for reviewer in ("gus", "hal", "ina")]
    assert [QUESTIONS.index(item["question"]) for item in claims] == [2, 1, 0]


async def test_an_item_is_given_out_once_no_crash_undoes_it(run_exporter):
    exporter = await run_exporter(config(EVERYTHING))
    sent = {"app": "shop", "question": QUESTIONS[0], "answer": "Yes."}
    assert (await exporter.post("/v1/interactions", json=sent))[0] == 200
    exporter.clock.move(3)
    while exporter.exporter.pipeline.score():
        pass
    exporter.clock.move(2)
    assert await claim(exporter, "ada") is None
    await exporter.exporter.pipeline.flush()
    assert (await claim(exporter, "ada"))["question"] == QUESTIONS[0]


async def test_claims_and_labels_survive_a_restart(run_exporter):
    first = await run_exporter(config(PAIRS))
    await ask(first, *QUESTIONS[:2])
    held = await claim(first, "ada")
    other = await claim(first, "bob", reason="control")
    await label(first, "bob", other, "fail")
    await first.client.close()
    second = await run_exporter(config(PAIRS))
    assert (await claim(second, "ada"))["trace_id"] == held["trace_id"]
    said = await label(second, "ada", held, "fail")
    assert said["item"]["revealed"]["verdicts"] == {"helpfulness": "fail"}
    assert said["item"]["revealed"]["done"] is True
    assert await second.total("llmq_review_claims_total", event="claimed") == 2


async def test_a_near_duplicate_is_not_asked_about_twice(run_exporter):
    exporter = await run_exporter(config(EVERYTHING))
    await ask(exporter, QUESTIONS[0], f"{QUESTIONS[0].upper()}!", QUESTIONS[1])
    assert await exporter.total("llmq_review_routed_total", outcome="near_duplicate") == 1
    assert await items(exporter, "waiting") == 2


LIMITS = {"MOST_BYTES": 150, "LARGEST": 60}
"""Bytes of all cases, and of one; each of those that follow has about a hundred."""


@pytest.mark.parametrize(
    ("limit", "outcome", "open_items"),
    [("items", "full", 1), ("MOST_BYTES", "full", 1), ("LARGEST", "too_large", 0), ("", "queued", 2)],
)
async def test_what_finds_no_room_is_counted_and_not_queued(run_exporter, monkeypatch, limit, outcome, open_items):
    if limit in LIMITS:
        monkeypatch.setattr(enqueue, limit, LIMITS[limit])
    exporter = await run_exporter(config(EVERYTHING, items=1 if limit == "items" else 1000))
    await ask(exporter, *QUESTIONS[:2])
    assert await items(exporter, "waiting") == open_items
    assert await exporter.total("llmq_review_routed_total", outcome=outcome) == (2 if open_items != 1 else 1)


async def test_a_day_has_room_for_so_many_shared_fairly_by_slices(run_exporter):
    exporter = await run_exporter(config({"control": EVERYTHING["control"] | {"per_day": 2}}))
    await ask(exporter, *QUESTIONS[:4], prompt_version="1")
    await ask(exporter, QUESTIONS[4], prompt_version="2")
    assert await items(exporter, "waiting") == 2
    name = "llmq_review_routed_total"
    outcomes = [await exporter.total(name, outcome=one) for one in ("queued", "over_cap", "displaced")]
    assert outcomes == [3, 2, 1]
    asked = {(await claim(exporter, reviewer))["question"] for reviewer in ("ada", "bob")}
    assert asked == {QUESTIONS[0], QUESTIONS[4]}
    await later(exporter, 86_400)
    await ask(exporter, QUESTIONS[5], prompt_version="1")
    assert await exporter.total(name, outcome="queued") == 4


async def test_nothing_is_left_of_an_item_that_was_displaced_before_it_was_durable(run_exporter):
    exporter = await run_exporter(config({"control": EVERYTHING["control"] | {"per_day": 2}}))
    sent = [
        {"app": "shop", "question": question, "answer": "Yes.", "prompt_version": version}
        for question, version in zip(QUESTIONS, "111222", strict=True)
    ]
    assert (await exporter.post("/v1/interactions", json=sent))[0] == 200
    await exporter.pass_time(3)
    exporter.clock.move(2)
    assert await exporter.total("llmq_review_routed_total", outcome="displaced") == 1
    shelf = exporter.exporter.review.desk.shelf
    assert shelf._durable == shelf.open.keys()
    assert {(await claim(exporter, reviewer))["question"] for reviewer in ("ada", "bob")} == {
        QUESTIONS[0],
        QUESTIONS[3],
    }


@pytest.mark.parametrize("content", ["all", "failing"])
async def test_a_users_complaint_brings_a_trace_into_the_queue_later(run_exporter, content):
    """Also where the text of a trace that no evaluator failed is only remembered, not stored."""
    exporter = await run_exporter(config({"complaint": {"enabled": True}}) | {"store": {"content": content}})
    await ask(exporter, QUESTIONS[0], trace_id="ab" * 16)
    assert await claim(exporter, "ada") is None
    status, _ = await exporter.post(
        "/v1/feedback", json={"trace_id": "ab" * 16, "signal": "thumbs_down", "comment": "No!"}
    )
    assert status == 200
    await exporter.pass_time(3)
    found = await claim(exporter, "ada")
    assert (found["trace_id"], found["question"]) == ("ab" * 16, QUESTIONS[0])
    assert [one["text"] for one in found["context"]] == CONTEXT
    revealed = (await label(exporter, "ada", found, "fail"))["item"]["revealed"]
    assert [revealed["why"], revealed["signals"]] == [["complaint"], ["thumbs_down"]]
    assert revealed["comments"] == (["No!"] if content == "all" else [])


async def test_an_item_waits_for_late_scores(run_exporter):
    exporter = await run_exporter(config(EVERYTHING, wait="1m"))
    await ask(exporter, QUESTIONS[0])
    assert await items(exporter, "held") == 1
    assert await claim(exporter, "ada") is None
    await later(exporter, 60)
    assert await claim(exporter, "ada")


async def test_what_nobody_finishes_is_given_up_and_what_is_finished_is_kept_for_so_long(run_exporter):
    exporter = await run_exporter(config(EVERYTHING, expire="2d", keep="3d"))
    await ask(exporter, *QUESTIONS[:2])
    await label(exporter, "ada", await claim(exporter, "ada"))
    await later(exporter, 2 * 86_400)
    assert await exporter.total("llmq_review_done_total", ending="expired") == 1
    assert await items(exporter, "done") == 2
    await later(exporter, 2 * 86_400)
    assert await items(exporter, "done") == 1
    await later(exporter, 2 * 86_400)
    await later(exporter, 0)
    rows = exporter.exporter.store.rows
    assert rows.records(REVIEW_ITEM) == rows.records(REVIEW_EVIDENCE) == []


async def test_what_somebody_is_at_is_not_given_up(run_exporter):
    exporter = await run_exporter(config(EVERYTHING, expire="2d"))
    await ask(exporter, QUESTIONS[0])
    exporter.clock.move(2 * 86_400 - 60)
    found = await claim(exporter, "ada")
    await later(exporter, 120)
    assert (await label(exporter, "ada", found))["outcome"] == "done"
    await later(exporter, 1)
    assert await exporter.total("llmq_review_done_total", ending="decided") == 1


async def test_without_permission_to_store_text_nothing_is_queued(run_exporter):
    exporter = await run_exporter(config(EVERYTHING) | {"store": {"content": "none"}})
    await ask(exporter, *QUESTIONS)
    assert await claim(exporter, "ada") is None
    assert exporter.exporter.store.rows.records(REVIEW_EVIDENCE) == []


async def judged(exporter):
    async with asyncio.timeout(120):
        while len(exporter.exporter.judging.queue):
            exporter.exporter.judging.worker.wake()
            await asyncio.sleep(0.01)
    await exporter.exporter.pipeline.flush()


async def pairs(exporter, said, human):
    return await exporter.total("llmq_judge_human_pairs_total", judge=said, human=human, source="review")


async def test_labels_are_held_beside_the_judges_verdict_at_once(run_exporter, judge):
    exporter = await run_exporter(config(EVERYTHING) | judge())
    await ask(exporter, QUESTIONS[0], answer="truth:good")
    await ask(exporter, QUESTIONS[1], answer="truth:bad")
    await judged(exporter)
    for _ in range(2):
        await label(exporter, "ada", await claim(exporter, "ada"), "pass")
    await later(exporter, 1)
    assert [await pairs(exporter, "pass", "pass"), await pairs(exporter, "fail", "pass")] == [1, 1]
    assert await pairs(exporter, "fail", "fail") == 0


@pytest.mark.parametrize("is_late", [False, True])
async def test_the_verdicts_of_a_judge_that_does_not_count_yet_are_compared_as_well(
    run_exporter, judge, stub, tmp_path, is_late
):
    anchor = {"id": "1", "evaluator": "helpfulness", "question": "?", "answer": "truth:good", "human": "pass"}
    (tmp_path / "anchors.jsonl").write_text(json.dumps(anchor))
    exporter = await run_exporter(config(EVERYTHING) | judge(anchors={"file": str(tmp_path / "anchors.jsonl")}))
    stub.behaviour = Behaviour(error_rate=1.0, errors=(503,)) if is_late else stub.behaviour
    await ask(exporter, QUESTIONS[0], answer="truth:bad")
    if not is_late:
        await judged(exporter)
    await label(exporter, "ada", await claim(exporter, "ada"), "pass")
    stub.behaviour = Behaviour()
    async with asyncio.timeout(120):
        while len(exporter.exporter.judging.queue):
            exporter.clock.move(60)  # what failed is tried again later
            exporter.exporter.judging.worker.wake()
            await asyncio.sleep(0.01)
    await exporter.exporter.pipeline.flush()
    assert await exporter.total("llmq_evaluations_total", evaluator="helpfulness", sample="shadow", verdict="fail") == 1
    assert await pairs(exporter, "fail", "pass") == 1


async def test_what_is_not_queued_is_counted_once_whatever_is_said_of_it_later(run_exporter, judge):
    reasons = {"failed": {"enabled": True, "failed": ["refusal"]}, "complaint": {"enabled": True}}
    exporter = await run_exporter(config(reasons) | judge())
    for number in (1, 2):
        await ask(exporter, QUESTIONS[0], answer="I'm sorry, but I can't help with that.", trace_id=f"{number:032x}")
        await judged(exporter)
    for number, signal in enumerate(("copy", "thumbs_down", "copy", "thumbs_down")):
        said = {"trace_id": f"{2:032x}", "signal": signal, "user": str(number)}
        assert (await exporter.post("/v1/feedback", json=said))[0] == 200
    await exporter.pass_time(1)
    name = "llmq_review_routed_total"
    assert await exporter.total(name, outcome="queued") == 1
    for reason in ("failed", "complaint"):
        assert await exporter.total(name, reason=reason, outcome="near_duplicate") == 1


async def test_people_are_asked_about_what_no_judge_is_asked_about(run_exporter, judge):
    judge()["judge"]["sampling"] = [{"apps": ["bank"], "rate": 1.0}]
    exporter = await run_exporter(config({"complaint": {"enabled": True}}) | judge())
    await ask(exporter, QUESTIONS[0], trace_id="ab" * 16)
    await ask(exporter, QUESTIONS[1], trace_id="cd" * 16, app="bank", answer="")
    for trace_id in ("ab" * 16, "cd" * 16):
        status, _ = await exporter.post("/v1/feedback", json={"trace_id": trace_id, "signal": "thumbs_down"})
        assert status == 200
    await exporter.pass_time(3)
    found = [await claim(exporter, reviewer) for reviewer in ("ada", "bob")]
    asked = [[one["evaluator"] for one in item["ask"]] for item in found]
    assert asked == [["helpfulness", "faithfulness"], ["helpfulness"]]


async def test_a_verdict_of_the_judge_routes_and_is_compared_when_it_comes_late(run_exporter, judge):
    near = {"unsure": {"enabled": True, "near": ["helpfulness"], "within": 1.0}}
    exporter = await run_exporter(config(near) | judge())
    await ask(exporter, QUESTIONS[0], answer="truth:bad")
    await judged(exporter)
    await later(exporter, 3)
    found = await claim(exporter, "ada")
    assert found["question"] == QUESTIONS[0]
    revealed = (await label(exporter, "ada", found, "fail"))["item"]["revealed"]
    assert "helpfulness" in {one["evaluator"] for one in revealed["evaluations"]}
    await later(exporter, 1)
    assert await pairs(exporter, "fail", "fail") == 1


async def test_a_judge_that_contradicts_itself_brings_a_trace_into_the_queue(run_exporter, judge, stub):
    exporter = await run_exporter(config({"flipped": {"enabled": True}}) | judge(repeat=1))
    await ask(exporter, *QUESTIONS[:2], answer="truth:good")
    await judged(exporter)
    await judged(exporter)  # the repeats
    assert await claim(exporter, "ada") is None
    stub.behaviour = Behaviour(flip_rate=1.0)
    await ask(exporter, QUESTIONS[2], answer="truth:good")
    await judged(exporter)
    await judged(exporter)  # the repeats
    await later(exporter, 3)
    assert (await claim(exporter, "ada"))["question"] == QUESTIONS[2]


async def test_the_command_prints_what_waits(run_exporter, capsys):
    exporter = await run_exporter(config(EVERYTHING))
    await ask(exporter, *QUESTIONS[:3])
    await claim(exporter, "ada")
    exporter.clock.move(7200)
    arguments = ["review", "status", "--from", str(exporter.client.make_url("/"))]
    assert await asyncio.to_thread(main, arguments) == 0
    said = capsys.readouterr().out
    assert [line.split() for line in said.splitlines() if line.startswith("control")] == [["control", *"03000"]]
    assert "the oldest open item came 2.0 h ago" in said
    assert await asyncio.to_thread(main, [*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["oldest_seconds"] > 7200


TOKENS = {
    "server": {
        "tokens": [
            {"name": "reviewer-ada", "roles": ["review"], "env": "LLMQ_ADA"},
            {"name": "apps", "roles": ["ingest"], "env": "LLMQ_APPS"},
        ]
    }
}


async def test_the_role_review_is_needed_and_the_tokens_name_is_kept(run_exporter, monkeypatch):
    monkeypatch.setenv("LLMQ_ADA", "a" * 20)
    monkeypatch.setenv("LLMQ_APPS", "b" * 20)
    exporter = await run_exporter(config(EVERYTHING) | TOKENS)
    sent = json.dumps({"id": "1", "question": QUESTIONS[0], "answer": "Yes."}).encode()
    apps = {"Authorization": "Bearer " + "b" * 20, "Content-Type": "application/json"}
    assert (await exporter.post("/v1/interactions", data=sent, headers=apps))[0] == 200
    await exporter.pass_time(3)
    exporter.clock.move(2)
    body, ada = b'{"reviewer": "ada"}', apps | {"Authorization": "Bearer " + "a" * 20}
    assert (await exporter.post("/api/review/claim", json={"reviewer": "ada"}))[0] == 401
    assert (await exporter.post("/api/review/claim", data=body, headers=apps))[0] == 403
    status, said = await exporter.post("/api/review/claim", data=body, headers=ada)
    assert status == 200
    trace_id = json.loads(said)["item"]["trace_id"]
    body = json.dumps({"reviewer": "ada", "trace_id": trace_id, "corrected": "No."}).encode()
    status, said = await exporter.post("/api/review/label", data=body, headers=ada)
    assert json.loads(said)["item"]["revealed"]["labels"][0]["token"] == "reviewer-ada"
    for path in ("/review", "/review.js", "/review.css"):
        assert (await exporter.client.get(path)).status == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
        ({"Host": "localhost:4318", "Origin": "http://localhost:4318"}, 200),
        ({"Content-Type": "text/plain"}, 415),
    ],
)
async def test_pages_of_other_origins_can_do_nothing(run_exporter, headers, code):
    exporter = await run_exporter(config(EVERYTHING))
    sent = {"Content-Type": "application/json"} | headers
    status, _ = await exporter.post("/api/review/claim", data=b'{"reviewer": "ada"}', headers=sent)
    assert status == code


@pytest.mark.parametrize(
    ("review", "message"),
    [
        ({"reasons": {"all": {}}}, "$.review.reasons.all: would take every trace: give one of"),
        ({"reasons": {"x": {"failed": ["groundin"]}}}, 'there is no "groundin" here; did you mean "grounding"?'),
        ({"reasons": {"x": {"disagree": ["grounding"]}}}, "one evaluator cannot disagree with itself"),
        ({"reasons": {"x": {"failed": ["grounding"], "ask": ["tone"]}}}, 'there is no "tone" here'),
        ({"reasons": {"x": {"when": 1}}}, 'unknown key "when"'),
    ],
)
async def test_a_config_that_is_wrong_says_where_and_why(run_exporter, review, message):
    with pytest.raises(ValueError, match=r"llmq\.yaml:") as error:
        await run_exporter({"review": review})
    assert message in str(error.value)
