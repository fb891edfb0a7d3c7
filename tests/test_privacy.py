"""What is stored of text, for how long, and what leaves at once: through a whole exporter, on a moved clock."""

import asyncio
import json

import pytest

from exporter.judge.case import Case
from exporter.model.score import Evaluation, Outcome
from exporter.model.trace import Document, ToolCall, Trace
from exporter.recording.trace_document import document, judged, without_text
from exporter.redaction import KINDS, WITHHELD, Budget, Redactor

A, B = "a" * 32, "b" * 32
MAIL, PHONE = "ada@example.com", "+49 30 1234567"
ALL = {"store": {"content": "all"}}


async def send(exporter, trace_id, **more):
    """One answered question, recorded."""
    sent = {"trace_id": trace_id, "app": "shop", "question": f"I am {MAIL}, who are you?", "answer": f"Call {PHONE}."}
    sent |= {"context": [f"Ask {MAIL}."]} | more
    status, body = await exporter.post("/v1/interactions", json=sent)
    assert status == 200, body
    await exporter.pass_time(3)


async def say(exporter, **said):
    status, body = await exporter.post("/v1/feedback", json=said)
    assert status == 200, body
    await exporter.pass_time(0)


# Redaction


async def test_text_is_stored_redacted_and_counted(run_exporter):
    exporter = await run_exporter(ALL)
    await send(exporter, A)
    found = await exporter.read(A)
    assert (found["question"], found["answer"]) == ("I am [email], who are you?", "Call [phone].")
    assert found["context"][0]["text"] == "Ask [email]."
    assert MAIL not in exporter.stored()
    assert await exporter.total("llmq_exporter_redactions_total", kind="email") >= 2
    assert await exporter.total("llmq_exporter_redactions_total", kind="phone") >= 1


async def test_what_is_redacted_is_configured(run_exporter):
    privacy = {"redact": ["phone"], "patterns": {"who": "who are you"}}
    exporter = await run_exporter(ALL | {"privacy": privacy})
    await send(exporter, A)
    found = await exporter.read(A)
    assert (found["question"], found["answer"]) == (f"I am {MAIL}, [who]?", "Call [phone].")
    assert await exporter.total("llmq_exporter_redactions_total", kind="who") == 1


async def test_evaluators_score_what_was_sent(run_exporter):
    rule = {"options": {"must_match": [r"\+49 30 1234567"]}}
    exporter = await run_exporter(ALL | {"evaluators": {"format": {"rules": [rule]}}})
    await send(exporter, A)
    assert await exporter.total("llmq_evaluations_total", evaluator="format", verdict="pass") == 1
    assert (await exporter.read(A))["answer"] == "Call [phone]."


async def test_comments_and_edits_are_stored_redacted_whether_they_come_late_or_early(run_exporter):
    exporter = await run_exporter(ALL)
    edit = {"signal": "edit", "edited_text": f"Call {PHONE}.", "comment": f"mail {MAIL}"}
    await say(exporter, trace_id=A, **edit)
    assert MAIL not in exporter.stored()
    await send(exporter, A)
    await send(exporter, B)
    await say(exporter, trace_id=B, **edit)
    for trace_id in (A, B):
        [said] = (await exporter.read(trace_id))["feedback"]
        assert (said["edited_text"], said["comment"], said["edit_ratio"]) == ("Call [phone].", "mail [email]", 0)
    assert MAIL not in exporter.stored()


async def test_an_edit_is_compared_with_the_redacted_answer_where_only_that_is_left(run_exporter):
    exporter = await run_exporter(ALL)
    await send(exporter, A)
    exporter.exporter.feedback.desk.recent.__init__()
    await say(exporter, trace_id=A, signal="edit", edited_text=f"Call {PHONE}.")
    assert (await exporter.read(A))["feedback"][0]["edit_ratio"] == 0


async def test_the_judge_is_shown_what_is_stored(run_exporter, stub, judge):
    exporter = await run_exporter({"store": {"content": "none"}} | judge())
    await send(exporter, A)
    judging = exporter.exporter.judging
    async with asyncio.timeout(120):
        while len(judging.queue):
            assert MAIL not in exporter.stored()
            judging.worker.wake()
            await asyncio.sleep(0.01)
    assert len(stub.requests) >= 1
    asked = json.dumps(stub.requests)
    assert (MAIL in asked, PHONE in asked, "I am [email], who are you?" in asked) == (False, False, True)


async def test_what_people_review_is_stored_redacted_and_goes_with_its_trace(run_exporter):
    reasons = {"seen": {"passed": ["empty"], "per_day": 10}}
    exporter = await run_exporter({"review": {"enabled": True, "reasons": reasons}})
    await send(exporter, A, user="ada")
    await send(exporter, B, user="bob", question=f"Where is {MAIL}?", answer="planted")
    shelf = exporter.exporter.review.desk.shelf
    assert {*shelf.open} == {A, B}
    assert shelf.evidence(A).question == "I am [email], who are you?"
    assert MAIL not in exporter.stored()
    for path in (f"/api/traces/{A}", "/api/users/bob"):
        async with exporter.client.delete(path) as response:
            assert response.status == 200
    assert (shelf.open, shelf.evidence(A), shelf.evidence(B)) == ({}, None, None)
    assert "planted" not in exporter.stored()


@pytest.mark.parametrize(("content", "kept"), [("none", ""), ("all", '"written to [email]"')])
async def test_what_others_say_of_a_trace_is_text_of_it(run_exporter, content, kept):
    exporter = await run_exporter({"store": {"content": content}})
    await send(exporter, A)
    said = {"name": "tone", "score.label": "fail", "explanation": f"written to {MAIL}"}
    attributes = [{"key": f"gen_ai.evaluation.{name}", "value": {"stringValue": value}} for name, value in said.items()]
    record = {"traceId": A, "eventName": "gen_ai.evaluation.result", "timeUnixNano": "1", "attributes": attributes}
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    status, _ = await exporter.post("/v1/logs", json=body)
    await exporter.pass_time(1)
    found = await exporter.read(A)
    assert (status, found["evaluations"][-1]["explanation"]) == (200, kept)
    assert MAIL not in exporter.stored()


async def test_what_an_object_names_as_a_secret_is_stored_redacted(run_exporter):
    exporter = await run_exporter(ALL)
    arguments = {"user": "ada", "password": "correct horse", "more": ['{"api_key": "correct horse"}']}
    await send(exporter, A, tool_calls=[{"name": "login", "arguments": arguments}])
    [call] = (await exporter.read(A))["tool_calls"]
    assert call["arguments"] == {"user": "ada", "password": "[secret]", "more": ['{"api_key": "[secret]"}']}
    assert "horse" not in exporter.stored()


MUCH = "4111 1111 1111 1111 " * 20_000
"""More than may be redacted in one trace."""


async def test_what_is_too_much_to_redact_is_stored_without_its_text_says_so_and_counts(run_exporter):
    exporter = await run_exporter(ALL)
    await send(exporter, A, context=[f"Ask {MAIL}.", MUCH, MUCH + "."])
    found = await exporter.read(A)
    assert (found["question"], found["answer"]) == ("I am [email], who are you?", "Call [phone].")
    assert [one["text"] for one in found["context"]] == ["Ask [email].", WITHHELD, WITHHELD]
    assert MAIL not in exporter.stored()
    assert "4111" not in exporter.stored()
    assert await exporter.total("llmq_exporter_texts_withheld_total", reason="matches") == 2
    assert await exporter.total("llmq_requests_total") == 1


def test_verdicts_stay_where_text_is_withheld():
    trace = Trace(trace_id=A, question="planted", error="ValueError: planted")
    said = {"verdict": "fail", "score": 0.2, "explanation": "1 of 2", "quotes": ("planted",)}
    outcome = Outcome(evaluations=(Evaluation(evaluator="grounding", evaluator_version="1", **said),))
    made = document(
        trace, outcome, content=True, redact=lambda texts: Redactor(KINDS).value(texts, None, Budget(steps=0))
    )
    assert "planted" not in json.dumps(made)
    assert (made["question"], made["error"]) == (WITHHELD, "ValueError")
    assert made["evaluations"][0]["explanation"] == f'1 of 2: "{WITHHELD}"'


async def test_what_others_say_late_and_users_say_at_once_shares_the_budget_of_its_request(run_exporter):
    exporter = await run_exporter(ALL)
    await send(exporter, A)
    said = [
        {"trace_id": A, "signal": "edit", "user": f"u{n}", "edited_text": f"{n}) {MUCH[:90_000]}"} for n in range(9)
    ]
    status, _ = await exporter.post("/v1/feedback", json=said)
    await exporter.pass_time(0)
    texts = [one["edited_text"] for one in (await exporter.read(A))["feedback"]]
    assert (status, len(texts)) == (200, 9)
    assert "4111" not in "".join(texts)
    assert texts.count(WITHHELD) == await exporter.total("llmq_exporter_texts_withheld_total") > 0
    await say(exporter, trace_id=A, signal="copy", user="v", comment=f"mail {MAIL}")
    assert (await exporter.read(A))["feedback"][-1]["comment"] == "mail [email]"


async def test_no_judge_sees_half_a_case(run_exporter, stub, judge):
    exporter = await run_exporter(ALL | judge())
    await send(exporter, A, context=[MUCH])
    assert (len(exporter.exporter.judging.queue), len(stub.requests)) == (0, 0)
    assert await exporter.total("llmq_unscored_total", evaluator="helpfulness", reason="withheld") == 1


async def test_reviewers_see_that_a_text_was_withheld(run_exporter):
    reasons = {"seen": {"passed": ["empty"], "per_day": 10}}
    exporter = await run_exporter({"review": {"enabled": True, "reasons": reasons}})
    await send(exporter, A, context=[MUCH])
    evidence = exporter.exporter.review.desk.shelf.evidence(A)
    assert (evidence.question, evidence.context[0].text) == ("I am [email], who are you?", WITHHELD)
    assert "4111" not in exporter.stored()


# Identifiers


IDS = {"user": "planted-ada", "conversation_id": "planted-talk"}


async def send_with_ids(exporter, trace_id):
    """One trace with all kinds of identifiers."""
    document, call = {"id": "planted-doc", "text": "words"}, {"name": "planted_tool", "arguments": {"n": 1}}
    await send(exporter, trace_id, context=[document], tool_calls=[call], **IDS)


async def test_identifiers_are_kept_as_they_were_sent(run_exporter):
    exporter = await run_exporter(ALL)
    await send_with_ids(exporter, A)
    found = await exporter.read(A)
    assert (found["user"], found["conversation_id"]) == tuple(IDS.values())
    assert (found["context"][0]["id"], found["tool_calls"][0]["name"]) == ("planted-doc", "planted_tool")


@pytest.mark.parametrize("content", ["none", "all"])
@pytest.mark.parametrize("policy", ["hash", "drop"])
async def test_no_identifier_is_stored_where_that_is_configured(run_exporter, policy, content):
    exporter = await run_exporter({"store": {"identifiers": policy, "content": content}, "review": {"enabled": True}})
    for reference in ({"conversation_id": "planted-talk"}, {"response_id": "planted-response"}, {"trace_id": A}):
        await say(exporter, signal="thumbs_down", user="planted-ada", **reference)
    await send_with_ids(exporter, A)
    await send_with_ids(exporter, B)
    await exporter.pass_time(60)
    found = await exporter.read(B)
    assert (found["user"] is None, found["context"][0]["id"] is None) == (policy == "drop", policy == "drop")
    assert "planted" not in exporter.stored()


async def test_hashed_identifiers_are_found_by_those_who_know_them(run_exporter):
    exporter = await run_exporter({"store": {"identifiers": "hash"}})
    await send_with_ids(exporter, A)
    await say(exporter, signal="thumbs_down", conversation_id="planted-talk")
    await exporter.pass_time(60)
    assert [one["signal"] for one in (await exporter.read(A))["feedback"]] == ["thumbs_down"]
    async with exporter.client.delete("/api/users/planted-ada") as response:
        assert (response.status, (await response.json())["traces"]) == (200, 1)


async def test_what_was_stored_under_another_policy_is_still_found(run_exporter):
    exporter = await run_exporter(ALL)
    await send_with_ids(exporter, A)
    await exporter.client.close()
    again = await run_exporter({"store": {"identifiers": "hash"}})
    await send_with_ids(again, B)
    async with again.client.delete("/api/users/planted-ada") as response:
        assert (response.status, (await response.json())["traces"]) == (200, 2)


# Retention of content


def test_an_expired_document_holds_no_text_and_every_verdict():
    trace = Trace(
        trace_id=A,
        question="planted",
        answer="planted",
        refusal="planted",
        context=(Document(id="d-1", text="planted"),),
        tool_calls=(ToolCall(name="search", arguments={"q": "planted"}),),
        error="ValueError: planted",
    )
    said = {"verdict": "fail", "score": 0.2, "explanation": "1 of 2", "quotes": ('planted: "planted"', "planted")}
    outcome = Outcome(evaluations=(Evaluation(evaluator="grounding", evaluator_version="1", **said),))
    made = document(trace, outcome, content=True)
    made["feedback"] = [{"signal": "edit", "comment": "planted", "edited_text": "planted", "edit_ratio": 0.5}]
    blank = without_text(json.dumps(made).encode())
    assert b"planted" not in blank
    known = json.loads(blank)
    assert known["evaluations"][0] | {"score": 0.2, "verdict": "fail"} == known["evaluations"][0]
    assert known["evaluations"][0]["explanation"] == "1 of 2"
    assert (known["error"], known["feedback"]) == ("ValueError", [{"signal": "edit", "edit_ratio": 0.5}])
    assert known["content_expired"] is True
    assert without_text(blank) is None
    late = Evaluation(evaluator="tone", evaluator_version="1", verdict="fail", score=0, quotes=("planted",))
    assert b"planted" not in judged(blank, late, Case(question="planted", answer="planted", context=("planted",)))


async def test_text_goes_when_it_is_old_and_verdicts_stay(run_exporter):
    exporter = await run_exporter({"store": {"content": "all", "retention": {"content": "1d"}}})
    await send(exporter, A)
    await exporter.pass_time(43_200)
    await send(exporter, B)
    await exporter.pass_time(43_300)
    await exporter.exporter.pipeline.retention.apply()
    await exporter.pass_time(0)
    old, young = await exporter.read(A), await exporter.read(B)
    assert (old["question"], old["answer"], old["context"][0]["text"]) == (None, None, None)
    assert [one["verdict"] for one in old["evaluations"]] == [one["verdict"] for one in young["evaluations"]]
    assert young["question"] == "I am [email], who are you?"


async def test_no_text_comes_into_a_trace_whose_text_has_gone(run_exporter):
    exporter = await run_exporter({"store": {"content": "all", "retention": {"content": "1d"}}})
    await send(exporter, A)
    await exporter.pass_time(90_000)
    await exporter.exporter.pipeline.retention.apply()
    await say(exporter, trace_id=A, signal="thumbs_down", comment="planted")
    assert "planted" not in exporter.stored()
    assert (await exporter.read(A))["feedback"][0]["signal"] == "thumbs_down"


@pytest.mark.parametrize("number", [0, 1, 64, 150])
async def test_text_of_any_number_of_traces_goes_once_also_after_a_restart(run_exporter, number):
    config = {"store": {"content": "all", "retention": {"content": "1h"}}}
    exporter = await run_exporter(config)
    sent = [{"trace_id": f"{n + 1:032x}", "question": "planted", "answer": "planted"} for n in range(number)]
    await exporter.post("/v1/interactions", json=sent)
    await exporter.pass_time(3)
    await exporter.pass_time(3700)
    await exporter.exporter.pipeline.retention.apply()
    await exporter.pass_time(0)
    assert "planted" not in exporter.stored()
    await exporter.client.close()
    again = await run_exporter(config)
    await send(again, A, question="planted")
    await again.exporter.pipeline.retention.apply()
    assert (await again.read(A))["question"] == "planted"
