"""Recorded answers over HTTP: found by everything that a filter may say, and each with all that is known of it."""

import json
import re

import pytest

from exporter.answers.query import BadParameterError, question, written
from exporter.rules.slo import DEFAULT_SLOS
from exporter.store.search import NEWEST

CONTEXT = "Refunds are accepted within 30 days of purchase."
REFUSAL = "I'm sorry, but I can't help with that."
GROUNDED = "Refunds are accepted within 30 days of purchase."
INVENTED = "Refunds are accepted within 30 days. The moon office in Zurich charges a fee of 99 dollars for each parcel."
ALL = {"store": {"content": "all"}}
NOW = 1_790_000_000.0


async def find(exporter, query=""):
    async with exporter.client.get(f"/api/answers{query and '?'}{query}") as response:
        return response.status, await response.json()


async def answers(exporter, query=""):
    status, said = await find(exporter, query)
    assert status == 200, said
    return [one["answer"] for one in said["answers"]]


async def get(exporter, path):
    async with exporter.client.get(path) as response:
        return response.status, await response.json()


async def one(exporter, query=""):
    """Everything about the only answer that a filter finds."""
    [line] = (await find(exporter, query))[1]["answers"]
    status, said = await get(exporter, f"/api/answers/{line['trace_id']}")
    assert status == 200
    return said


async def dislike(exporter, trace_id, comment="Not what I asked"):
    body = {"trace_id": trace_id, "signal": "thumbs_down", "comment": comment}
    assert (await exporter.post("/v1/feedback", json=body))[0] == 200
    await exporter.pass_time(3)


async def test_answers_are_listed_newest_first_with_who_failed_them(run_exporter):
    exporter = await run_exporter(ALL)
    await exporter.ask(GROUNDED, route="/a")
    await exporter.ask(REFUSAL, route="/b")
    first, second = (await find(exporter))[1]["answers"]
    assert (first["answer"], first["route"], second["answer"]) == (REFUSAL, "/b", GROUNDED)
    assert "refusal" in first["failed"]
    assert "grounding" in second["passed"]
    assert first["at"].startswith("2026-09-21T")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("route=/a", [GROUNDED]),
        ("route=/a&route=/b", [REFUSAL, GROUNDED]),
        ("var-route=/a&var-app=%24__all", [GROUNDED]),
        ("app=nobody", []),
        ("sli=refusal", [REFUSAL]),
        ("sli=refusal&var-sli=grounding", [REFUSAL]),
        ("sli=thumbs_down", []),
        ("verdict=fail", [REFUSAL]),
        ("verdict=pass", [GROUNDED]),
        ("evaluator=refusal&verdict=fail", [REFUSAL]),
        ("evaluator=refusal&verdict=pass", [GROUNDED]),
        ("evaluator=refusal", [REFUSAL, GROUNDED]),
        ("evaluator=citation", []),
        ("text=WITHIN%2030", [GROUNDED]),
        ("text=help+with", [REFUSAL]),
        ("from=now-1m", [REFUSAL, GROUNDED]),
        ("from=now-4s", [REFUSAL]),
        ("to=now-4s", [GROUNDED]),
        ("from=1000&to=2000", []),
    ],
)
async def test_a_filter_finds_what_it_says(run_exporter, query, found):
    exporter = await run_exporter(ALL)
    await exporter.ask(GROUNDED, route="/a")
    exporter.clock.move(2)
    await exporter.ask(REFUSAL, route="/b")
    assert await answers(exporter, query) == found


async def test_a_call_that_failed_is_bad_for_the_sli_of_errors(run_exporter):
    exporter = await run_exporter(ALL)
    await exporter.ask(GROUNDED)
    await exporter.post("/v1/interactions", json={"question": "Refunds?", "error": "TimeoutError: too slow"})
    await exporter.pass_time(3)
    [line] = (await find(exporter, "sli=errors"))[1]["answers"]
    assert line["error"] == "TimeoutError: too slow"


async def test_a_user_signal_and_a_comment_are_found_and_shown(run_exporter):
    exporter = await run_exporter(ALL)
    await exporter.ask(GROUNDED, INVENTED)
    trace_id = (await find(exporter))[1]["answers"][0]["trace_id"]
    await dislike(exporter, trace_id, "Wrong fee!")
    assert [line["trace_id"] for line in (await find(exporter, "signal=thumbs_down"))[1]["answers"]] == [trace_id]
    assert (await find(exporter, "signal=copy"))[1]["answers"] == []
    assert [line["signals"] for line in (await find(exporter, "text=wrong+FEE"))[1]["answers"]] == [["thumbs_down"]]
    assert (await one(exporter, "signal=thumbs_down"))["feedback"][0]["comment"] == "Wrong fee!"


@pytest.mark.parametrize(
    "text",
    ['say "no" \\ 100% _sure_', "Straße und Äpfel", "日本語の答え", "tab\there\nand there", "ünïcödé", "%", "\\"],
)
async def test_text_is_found_as_it_was_written_whatever_is_in_it(run_exporter, text):
    exporter = await run_exporter(ALL | {"privacy": {"redact": []}})
    await exporter.ask(f"Before {text} after", GROUNDED)
    async with exporter.client.get("/api/answers", params={"text": text.upper() if "ß" not in text else text}) as found:
        assert [line["answer"] for line in (await found.json())["answers"]] == [f"Before {text} after"]


async def test_pages_hold_every_answer_once(run_exporter):
    exporter = await run_exporter(ALL)
    await exporter.ask(*(f"Answer {number}" for number in range(11)))
    seen, after = [], ""
    while after is not None:
        _, said = await find(exporter, f"limit=4&after={after}" if after else "limit=4")
        seen += [line["answer"] for line in said["answers"]]
        after = said["next"]
        assert len(said["answers"]) <= 4
    assert sorted(seen) == sorted(f"Answer {number}" for number in range(11))


async def test_an_answer_is_shown_with_what_its_evaluators_object_to(run_exporter):
    exporter = await run_exporter(ALL | {"server": {"trace_url": "https://jaeger.example/trace/{trace_id}"}})
    await exporter.ask(INVENTED)
    said = await one(exporter)
    assert (said["question"], said["answer"], said["context"][0]["text"]) == ("Refunds?", INVENTED, CONTEXT)
    assert said["trace_url"] == f"https://jaeger.example/trace/{said['trace_id']}"
    grounding = next(one for one in said["evaluations"] if one["evaluator"] == "grounding")
    assert grounding["quotes"] == [INVENTED.partition(". ")[2]]
    assert INVENTED.partition(". ")[2] not in grounding["explanation"]
    assert said["counted_in"]["app"] == "shop"


async def test_where_no_text_is_stored_the_scores_are_shown(run_exporter):
    exporter = await run_exporter({"store": {"content": "none"}})
    await exporter.ask(REFUSAL)
    [line] = (await find(exporter, "verdict=fail"))[1]["answers"]
    assert (line["question"], line["answer"]) == (None, None)
    assert (await find(exporter, "text=sorry"))[1]["answers"] == []
    assert (await get(exporter, "/api/answers/choices"))[1]["text_stored"] == "none"


async def test_a_forgotten_answer_is_neither_listed_nor_shown(run_exporter):
    exporter = await run_exporter(ALL)
    await exporter.ask(REFUSAL)
    trace_id = (await find(exporter))[1]["answers"][0]["trace_id"]
    assert (await exporter.client.delete(f"/api/traces/{trace_id}")).status == 200
    assert (await find(exporter))[1]["answers"] == []
    assert (await get(exporter, f"/api/answers/{trace_id}"))[0] == 404


async def test_an_answer_stays_found_after_its_text_expired(run_exporter):
    exporter = await run_exporter({"store": {"content": "all", "retention": {"content": "1h"}}})
    await exporter.ask(REFUSAL)
    exporter.clock.move(7200)
    await exporter.exporter.pipeline.retention.apply()
    await exporter.pass_time(1)
    said = await one(exporter, "verdict=fail&evaluator=refusal")
    assert (said["answer"], said["content_expired"]) == (None, True)


async def test_choices_are_what_is_shown_now(run_exporter):
    exporter = await run_exporter()
    await exporter.ask(GROUNDED, route="/a")
    said = (await get(exporter, "/api/answers/choices"))[1]
    assert (said["app"], said["route"]) == (["shop"], ["/a"])
    assert {"grounding", "refusal"} < set(said["evaluator"])
    assert "helpfulness" not in said["evaluator"]
    assert "thumbs_down" in said["signal"]


@pytest.mark.parametrize("trace_id", ["0" * 32, "x", "a" * 33, "g" * 32, "é"])
async def test_an_answer_that_is_none_is_said_to_be_none(run_exporter, trace_id):
    status, said = await get(await run_exporter(), f"/api/answers/{trace_id}")
    assert (status, said["error"].partition(":")[0]) == (404, "no such answer is recorded")


async def test_only_the_role_read_may_look_and_the_page_itself_holds_nothing(run_exporter, monkeypatch):
    monkeypatch.setenv("APPS", "a" * 24)
    monkeypatch.setenv("READER", "r" * 24)
    tokens = [{"name": "apps", "roles": ["ingest"], "env": "APPS"}, {"name": "r", "roles": ["read"], "env": "READER"}]
    client = (await run_exporter({"server": {"tokens": tokens}})).client
    for path in ("/api/answers", "/api/answers/choices", f"/api/answers/{'a' * 32}"):
        assert (await client.get(path)).status == 401
        assert (await client.get(path, headers={"Authorization": f"Bearer {'a' * 24}"})).status == 403
        assert (await client.get(path, headers={"Authorization": f"Bearer {'r' * 24}"})).status in (200, 404)
    for path in ("/answers", f"/answers/{'a' * 32}", "/answers.js", "/answers.css", "/page.js", "/page.css"):
        response = await client.get(path)
        assert response.status == 200
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]


async def test_a_store_that_cannot_be_read_is_a_503(run_exporter):
    exporter = await run_exporter()
    exporter.exporter.answers.answers.close()
    status, said = await find(exporter)
    assert status == 503
    assert "store" in said["error"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ([("rout", "/a")], 'there is no parameter "rout"; did you mean "route"?'),
        ([("verdict", "failed")], 'verdict: "failed" is none; did you mean "fail"?'),
        ([("verdict", "fail"), ("verdict", "pass")], "verdict: give it once"),
        ([("signal", "thumbs")], 'signal: "thumbs" is none; did you mean "thumbs_up"?'),
        ([("from", "yesterday")], "from: give a time such as 2026-12-01T09:30:00Z, now-6h, or Unix seconds"),
        ([("to", "nan")], "to: give a time"),
        ([("from", "now-1h"), ("to", "now-2h")], "from: must be before to"),
        ([("limit", "0")], "limit: give a number from 1 to 200"),
        ([("limit", "1e3")], "limit: give a number from 1 to 200"),
        ([("limit", "9" * 500)], "limit: give a number from 1 to 200"),
        ([("after", "9e999_1")], 'after: give what the last answer called "next"'),
        ([("sli", "grunding")], 'sli: "grunding" is none; did you mean "grounding"?'),
        ([("sli", "coverage")], 'sli: "coverage" is none; '),
        ([("text", "x" * 513)], "text: give at most 50 values, each of at most 512 characters"),
        ([("app", "a")] * 51, "app: give at most 50 values"),
    ],
)
def test_a_parameter_that_cannot_be_understood_is_named_with_its_cure(query, said):
    with pytest.raises(BadParameterError, match=f"^{re.escape(said)}"):
        question(query, NOW, DEFAULT_SLOS)


async def test_such_an_error_is_a_400(run_exporter):
    assert await find(await run_exporter(), "verdict=no") == (
        400,
        {"error": 'verdict: "no" is none; known: fail, pass'},
    )


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("now-6h", NOW - 21_600),
        ("now", NOW),
        ("1790000000", 1_790_000_000.0),
        ("1790000000123", 1_790_000_000.123),
        ("2026-09-21T13:33:20Z", NOW - 2400),
        ("2026-09-21T13:33:20+02:00", NOW - 9600),
        ("2026-09-21", 1_789_948_800.0),
    ],
)
def test_times_are_written_as_people_and_grafana_write_them(text, at):
    assert question([("from", text), ("to", "2100-01-01")], NOW).search.since == pytest.approx(at, abs=1e-3)


def test_a_place_is_written_and_read_again():
    for place in [(1_790_000_000.123456, 17), (0.0, 1)]:
        assert question([("after", written(place))], NOW).after == place
    assert question([], NOW).after == NEWEST


# Sent to people.


async def test_an_answer_is_sent_to_review_once_and_is_there_after_a_restart(run_exporter):
    config = ALL | {
        "review": {"enabled": True, "reasons": {name: {"enabled": False} for name in ("control", "failed")}}
    }
    exporter = await run_exporter(config)
    await exporter.ask(INVENTED)
    said = await one(exporter)
    assert said["review"] == {"state": None, "open": True, "labels": []}
    for outcome in ("done", "again"):
        status, body = await exporter.post("/api/review/send", json={"trace_id": said["trace_id"]})
        assert (status, json.loads(body)) == (200, {"outcome": outcome})
    await exporter.client.close()
    exporter = await run_exporter(config)
    assert (await one(exporter))["review"]["state"] == "waiting"
    await exporter.pass_time(1)
    status, body = await exporter.post("/api/review/claim", json={"reviewer": "ada"})
    assert json.loads(body)["item"]["answer"] == INVENTED
    label = {
        "reviewer": "ada",
        "trace_id": said["trace_id"],
        "labels": {"helpfulness": {"verdict": "fail", "note": "No."}},
    }
    assert (await one(exporter))["review"]["labels"] == []
    assert (await exporter.post("/api/review/label", json=label))[0] == 200
    review = (await one(exporter))["review"]
    assert (review["state"], review["labels"][0]["answers"][0]["note"]) == ("done", "No.")
    assert await exporter.total("llmq_review_routed_total", reason="sent", outcome="queued") == 1


@pytest.mark.parametrize(
    ("config", "trace_id", "status", "cure"),
    [
        ({}, None, 409, "review.enabled"),
        ({"review": {"enabled": True}}, "a" * 32, 404, "no such answer"),
        ({"review": {"enabled": True}}, None, 409, "no text is stored"),
    ],
)
async def test_what_cannot_be_reviewed_is_said_with_the_cure(run_exporter, config, trace_id, status, cure):
    exporter = await run_exporter(config)
    await exporter.ask(GROUNDED)
    trace_id = trace_id or (await find(exporter))[1]["answers"][0]["trace_id"]
    code, body = await exporter.post("/api/review/send", json={"trace_id": trace_id})
    assert code == status
    assert cure in json.loads(body)["error"]
