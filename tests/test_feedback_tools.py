"""Feedback in the forms of other tools: what is a thumb, what is refused and how, and that it counts once."""

import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.decode.batch import DecodeError, TooLarge
from exporter.feedback.opinions import (
    langfuse_events,
    langfuse_scores,
    langsmith_feedback,
    mlflow_assessment,
    phoenix_annotations,
)

TRACE = "0af7651916cd43dd8448eb211c80319c"
READERS = (langfuse_events, langfuse_scores, langsmith_feedback, mlflow_assessment, phoenix_annotations)


def score(**more):
    return {"traceId": TRACE, "name": "user-feedback", "value": 1} | more


def annotation(**more):
    return {"trace_id": TRACE, "name": "any", "annotator_kind": "HUMAN", "result": {"score": 0}} | more


def assessment(**more):
    said = {"assessment_name": "any", "trace_id": f"tr-{TRACE}", "source": {"source_type": "HUMAN", "source_id": "u"}}
    return {"assessment": said | {"feedback": {"value": True}} | more}


def run(**more):
    return {"run_id": str(UUID(TRACE)), "key": "user_score", "score": 1} | more


def first(reader, body):
    [one] = reader(json.dumps(body).encode())
    return one.error or one.sent


UP, DOWN = {"signal": "thumbs_up", "trace_id": TRACE}, {"signal": "thumbs_down", "trace_id": TRACE}


@pytest.mark.parametrize(
    ("reader", "body", "sent"),
    [
        (langfuse_scores, score(), UP),
        (langfuse_scores, score(value=0, id="s-1"), DOWN | {"id": "s-1"}),
        (langfuse_scores, score(value="thumbs-down", dataType="CATEGORICAL"), DOWN),
        (langfuse_scores, score(value=True, traceId=str(UUID(TRACE)).upper()), UP),
        (langfuse_scores, score(name="quality", source="ANNOTATION", value=0.2), DOWN),
        (
            langfuse_scores,
            score(name="fix", value="So.", dataType="CORRECTION"),
            UP | {"signal": "edit", "edited_text": "So."},
        ),
        (langfuse_scores, score(traceId=None, sessionId="c-1"), {"signal": "thumbs_up", "conversation_id": "c-1"}),
        (langfuse_events, {"batch": [{"id": "e", "type": "score-create", "body": score(value=0)}]}, DOWN),
        (phoenix_annotations, {"data": [annotation(identifier="u-1")]}, DOWN | {"user": "u-1"}),
        (phoenix_annotations, {"data": [annotation(trace_id=None, span_id="1", metadata={"trace_id": TRACE})]}, DOWN),
        (phoenix_annotations, {"data": [annotation(result={"label": "👍 good", "score": 1})]}, UP),
        (langsmith_feedback, run(comment="why"), UP | {"comment": "why"}),
        (langsmith_feedback, run(score=None, value="thumbs_down"), DOWN),
        (langsmith_feedback, run(run_id="7", trace_id=TRACE), UP),
        (mlflow_assessment, assessment(rationale="why"), UP | {"comment": "why", "user": "u"}),
        (mlflow_assessment, assessment(feedback={"value": "no"}), DOWN | {"user": "u"}),
    ],
)
def test_what_a_user_said_is_read_in_the_form_of_each_tool(reader, body, sent):
    assert first(reader, body) == sent


@pytest.mark.parametrize(
    ("reader", "body", "error"),
    [
        (langfuse_scores, score(name="relevance"), '$: not what a user said: name it "user_feedback"'),
        (langfuse_scores, score(value=4), "$: not up or down: send a score from 0 to 1"),
        (langfuse_scores, score(value="so so"), "$: not up or down"),
        (langfuse_scores, score(traceId="17"), "$.traceId: expected 32 hexadecimal digits"),
        (langfuse_scores, score(traceId=None), "$: names no trace; give traceId"),
        (langfuse_scores, score(name=7), "$.name: expected text"),
        (langfuse_events, {"batch": [{"type": "trace-create"}]}, "$.batch[0].type: only score-create is taken"),
        (phoenix_annotations, {"data": [annotation(annotator_kind="LLM")]}, "$.data[0]: not what a user said"),
        (
            phoenix_annotations,
            {"data": [annotation(trace_id=None)]},
            "$.data[0]: names no trace; give metadata.trace_id",
        ),
        (langsmith_feedback, run(run_id=None), "$: names no trace; give run_id"),
        (
            mlflow_assessment,
            assessment(feedback=None, expectation={"value": "x"}),
            "$.assessment: only feedback is taken",
        ),
        (mlflow_assessment, {"assessment": 7}, "$.assessment: expected"),
    ],
)
def test_what_is_no_feedback_is_refused_with_its_place_and_cure(reader, body, error):
    assert first(reader, body).startswith(error)


@pytest.mark.parametrize("reader", READERS)
@given(
    body=st.binary(max_size=60) | st.sampled_from([b"[" * 5000, b'{"batch":' * 900, b"[{}]", b"null", b'{"data":[1]}'])
)
def test_hostile_bodies_are_refused_and_nothing_else(reader, body):
    try:
        said = reader(body)
    except (DecodeError, TooLarge):
        return
    assert all(one.error for one in said)


def test_more_than_a_request_may_hold_is_refused():
    with pytest.raises(TooLarge):
        langfuse_scores(json.dumps([score()] * 1001).encode())


async def recorded(exporter, trace_id=TRACE):
    said = {
        "trace_id": trace_id,
        "app": "shop",
        "question": "Where?",
        "answer": "There.",
        "started_at": exporter.clock.at,
    }
    assert (await exporter.post("/v1/interactions", json=said))[0] == 200
    await exporter.pass_time(3)


async def sent(exporter, path, body, **headers):
    response = await exporter.client.post(path, json=body, headers=headers)
    await exporter.pass_time(1)
    return response.status, await response.json()


async def counted(exporter, signal):
    return await exporter.total("llmq_feedback_total", signal=signal, source="explicit")


async def test_a_batch_takes_what_is_right_and_names_the_rest(run_exporter):
    exporter = await run_exporter()
    await recorded(exporter)
    events = [{"id": "e-1", "type": "score-create", "body": score(id="s")}, {"id": "e-2", "type": "trace-create"}]
    status, told = await sent(exporter, "/api/public/ingestion", {"batch": events})
    assert (status, told["successes"]) == (207, [{"id": "e-1", "status": 201}])
    assert [(one["id"], one["status"]) for one in told["errors"]] == [("e-2", 400)]
    status, told = await sent(exporter, "/api/public/scores", [score(id="s"), score(value=9)])
    assert (status, told["accepted"], told["rejected"]) == (207, 1, 1)
    assert await sent(exporter, "/api/public/scores", score(id="s")) == (200, {"id": "s"})
    assert (await sent(exporter, "/api/public/scores", score(value=9)))[0] == 400
    assert await counted(exporter, "thumbs_up") == 1
    assert await exporter.total("llmq_feedback_received_total", outcome="duplicate") == 2


async def test_of_annotations_all_are_taken_or_none(run_exporter):
    exporter = await run_exporter()
    await recorded(exporter)
    status, told = await sent(
        exporter, "/v1/trace_annotations", {"data": [annotation(), annotation(name="x", trace_id="7")]}
    )
    assert (status, told["error"]) == (
        400,
        "$.data[1].trace_id: expected 32 hexadecimal digits, not all zero, or a UUID",
    )
    assert await counted(exporter, "thumbs_down") == 0
    assert (await sent(exporter, "/v1/trace_annotations", {"data": [annotation()]}))[0] == 200
    assert await counted(exporter, "thumbs_down") == 1


@pytest.mark.parametrize("header", ["X-API-Key", "api_key", "Authorization"])
async def test_a_tools_own_header_brings_the_token(run_exporter, monkeypatch, header):
    monkeypatch.setenv("PAGE", "page-token-of-some-length")
    exporter = await run_exporter({"server": {"tokens": [{"name": "page", "env": "PAGE", "roles": ["feedback"]}]}})
    given = ("Bearer " if header == "Authorization" else "") + "page-token-of-some-length"
    assert (await sent(exporter, "/feedback", run(), **{header: given}))[0] == 200
    assert (await sent(exporter, "/feedback", run(), **{header: given + "x"}))[0] == 401
    assert (await sent(exporter, "/feedback", run()))[0] == 401
    assert (await exporter.client.get("/info")).status == 401
    assert (await exporter.client.get("/info", headers={header: given})).status == 200


async def test_what_was_taken_survives_a_restart(run_exporter):
    exporter = await run_exporter()
    assert (await exporter.client.post("/api/public/scores", json=score())).status == 200
    await exporter.client.close()
    exporter = await run_exporter()
    await recorded(exporter)
    assert await counted(exporter, "thumbs_up") == 1


async def test_an_interaction_is_named_by_its_own_id_and_a_trace_by_a_uuid(run_exporter):
    exporter = await run_exporter()
    said = {"id": "order-7", "app": "shop", "question": "Where?", "answer": "There.", "started_at": exporter.clock.at}
    other = said | {"id": "order-8", "trace_id": str(UUID(TRACE))}
    assert (await exporter.post("/v1/interactions", json=[said, other]))[0] == 200
    await exporter.pass_time(3)
    assert (await sent(exporter, "/v1/feedback", {"interaction_id": "order-7", "app": "shop", "signal": "copy"}))[
        0
    ] == 200
    assert (await sent(exporter, "/v1/feedback", {"trace_id": TRACE, "signal": "copy"}))[0] == 200
    assert await counted(exporter, "copy") == 2
    assert (await sent(exporter, "/v1/feedback", {"trace_id": TRACE, "app": "shop", "signal": "copy"}))[0] == 400
