"""Evaluations made elsewhere: events on a trace, or after it, become verdicts under bounded names of their own."""

import json

from exporter.recording import external_evaluations

A = "a" * 32


def value(of):
    return {str: "stringValue", float: "doubleValue", int: "intValue"}[type(of)]


def attributes(found):
    return [{"key": name, "value": {value(of): of}} for name, of in found.items()]


def chat(trace_id=A):
    said = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "Within 30 days."}]}])
    span = {
        "traceId": trace_id,
        "spanId": "1" * 16,
        "name": "chat",
        "startTimeUnixNano": "1790000000000000000",
        "endTimeUnixNano": "1790000001000000000",
        "attributes": attributes(
            {"gen_ai.operation.name": "chat", "gen_ai.response.model": "m-1", "gen_ai.output.messages": said}
        ),
    }
    resource = {"attributes": attributes({"service.name": "shop"})}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}


def evaluations(*found, trace_id=A):
    records = [
        {
            "traceId": trace_id,
            "spanId": "1" * 16,
            "timeUnixNano": str(1790000002000000000 + number),
            "eventName": "gen_ai.evaluation.result",
            "attributes": attributes({f"gen_ai.evaluation.{name}": of for name, of in one.items()}),
        }
        for number, one in enumerate(found)
    ]
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}


def passes(count):
    """Evaluators of so many names, all content."""
    return evaluations(*({"name": f"evaluator {number}", "score.label": "pass"} for number in range(count)))


RELEVANT = {"name": "Relevance", "score.value": 0.9, "score.label": "pass"}


async def test_an_evaluation_that_comes_with_its_trace_is_counted_for_its_slice(run_exporter):
    exporter = await run_exporter()
    await exporter.post("/v1/traces", json=chat())
    await exporter.post("/v1/logs", json=evaluations(RELEVANT))
    await exporter.pass_time(5)
    counted = {"evaluator": "reported_relevance", "verdict": "pass", "app": "shop"}
    assert await exporter.total("llmq_evaluations_total", **counted) == 1


async def test_an_evaluation_that_comes_later_is_counted_once_however_often_it_is_sent(run_exporter):
    exporter = await run_exporter()
    await exporter.post("/v1/traces", json=chat())
    await exporter.pass_time(5)
    for _ in range(2):
        await exporter.post("/v1/logs", json=evaluations({"name": "relevance", "score.label": "fail"}))
        await exporter.pass_time(5)
    assert await exporter.total("llmq_evaluations_total", evaluator="reported_relevance", verdict="fail") == 1
    document = json.loads(await exporter.exporter.pipeline.document(bytes.fromhex(A)))
    assert [one["verdict"] for one in document["evaluations"] if one["evaluator"] == "reported_relevance"] == ["fail"]


async def test_an_event_cannot_speak_for_an_evaluator_of_ours(run_exporter):
    exporter = await run_exporter()
    await exporter.post("/v1/traces", json=chat())
    await exporter.post("/v1/logs", json=evaluations({"name": "refusal", "score.label": "fail"}))
    await exporter.pass_time(5)
    assert await exporter.total("llmq_evaluations_total", evaluator="refusal", verdict="fail") == 0
    assert await exporter.total("llmq_evaluations_total", evaluator="reported_refusal", verdict="fail") == 1


async def test_one_apps_evaluators_leave_room_for_those_of_another(run_exporter):
    exporter = await run_exporter()
    await exporter.post("/v1/traces", json=chat())
    await exporter.post("/v1/logs", json=passes(500))
    await exporter.pass_time(5)
    other = chat("b" * 32)
    other["resourceSpans"][0]["resource"]["attributes"] = attributes({"service.name": "desk"})
    await exporter.post("/v1/traces", json=other)
    await exporter.post("/v1/logs", json=evaluations(RELEVANT, trace_id="b" * 32))
    await exporter.pass_time(5)
    assert await exporter.total("llmq_evaluations_total", evaluator="reported_relevance", app="desk") == 1


async def test_evaluators_times_slices_are_bounded_and_each_that_is_left_out_is_counted(run_exporter, monkeypatch):
    monkeypatch.setattr(external_evaluations, "MOST_KINDS", 8)
    exporter = await run_exporter()
    for route in "abcdefgh":
        trace_id = f"{ord(route):032x}"
        request = chat(trace_id)
        [span] = request["resourceSpans"][0]["scopeSpans"][0]["spans"]
        span["attributes"] += attributes({"http.route": f"/{route}"})
        await exporter.post("/v1/traces", json=request)
        await exporter.post("/v1/logs", json=evaluations(RELEVANT, trace_id=trace_id))
        await exporter.pass_time(5)
    counted = await exporter.total("llmq_evaluations_total", evaluator="reported_relevance")
    assert counted == 6  # while the app has less than three times what is free
    assert await exporter.total("llmq_exporter_label_overflow_total", label="evaluator") == 8 - counted
    assert await exporter.total("llmq_requests_total") == 8


async def test_names_that_nobody_reports_any_more_give_their_room_back(run_exporter):
    exporter = await run_exporter()
    await exporter.post("/v1/traces", json=chat())
    await exporter.post("/v1/logs", json=passes(20))
    await exporter.pass_time(5)
    await exporter.pass_time(8 * 86_400)
    await exporter.post("/v1/traces", json=chat("b" * 32))
    await exporter.post("/v1/logs", json=evaluations(RELEVANT, trace_id="b" * 32))
    await exporter.pass_time(5)
    assert await exporter.total("llmq_evaluations_total", evaluator="reported_relevance") == 1
    assert await exporter.total("llmq_exporter_last_scored_timestamp_seconds", evaluator="reported_evaluator_1") == 0


async def test_names_are_bounded_and_what_is_left_out_is_counted(run_exporter):
    exporter = await run_exporter()
    await exporter.post("/v1/traces", json=chat())
    await exporter.post("/v1/logs", json=passes(25))
    await exporter.pass_time(5)
    found = {dict(labels).get("evaluator", "") for (name, labels) in await exporter.samples() if "evaluations" in name}
    assert sum(name.startswith("reported_") for name in found) == 20
    assert await exporter.total("llmq_exporter_label_overflow_total", label="evaluator") == 5


async def test_names_in_use_stay_in_use_after_a_restart(run_exporter):
    first = await run_exporter()
    await first.post("/v1/traces", json=chat())
    await first.post("/v1/logs", json=passes(20))
    await first.pass_time(5)
    await first.client.close()
    second = await run_exporter()
    late = [{"name": "evaluator 1", "score.label": "fail"}, {"name": "new", "score.label": "fail"}]
    await second.post("/v1/logs", json=evaluations(*late))
    await second.pass_time(5)
    assert await second.total("llmq_evaluations_total", evaluator="reported_evaluator_1", verdict="fail") == 1
    assert await second.total("llmq_evaluations_total", evaluator="reported_new") == 0


async def test_versions_in_use_stay_in_use_after_a_restart(run_exporter):
    for trace_id, versions, folded in ((A, range(60), 0), ("b" * 32, [0, 60], 1)):
        exporter = await run_exporter()
        await exporter.post("/v1/traces", json=chat(trace_id))
        sent = evaluations(*({"name": "tone", "score.label": "pass"} for _ in versions), trace_id=trace_id)
        records = sent["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
        for record, version in zip(records, versions, strict=True):
            record["attributes"] += attributes({"llmq.evaluator.version": f"v{version}"})
        await exporter.post("/v1/logs", json=sent)
        await exporter.pass_time(5)
        assert await exporter.total("llmq_evaluations_total", evaluator_version="__other__", verdict="pass") == folded
        await exporter.client.close()


async def test_what_a_user_said_is_feedback_and_no_verdict(run_exporter):
    exporter = await run_exporter()
    await exporter.post("/v1/traces", json=chat())
    await exporter.pass_time(5)
    await exporter.post("/v1/logs", json=evaluations({"name": "user_feedback", "score.value": 0.0}))
    await exporter.pass_time(5)
    assert await exporter.total("llmq_feedback_total", signal="thumbs_down", source="explicit", app="shop") == 1
    assert await exporter.total("llmq_evaluations_total", evaluator="reported_user_feedback") == 0


async def test_what_a_user_said_counts_too_where_it_comes_with_the_trace(run_exporter):
    exporter = await run_exporter()
    await exporter.post("/v1/traces", json=chat())
    await exporter.post("/v1/logs", json=evaluations({"name": "user_feedback", "score.label": "thumbs_down"}))
    await exporter.pass_time(5)
    assert await exporter.total("llmq_feedback_total", signal="thumbs_down", source="explicit", app="shop") == 1
    assert await exporter.total("llmq_evaluations_total", evaluator="reported_user_feedback") == 0


def annotated(found, **more):
    request = chat()
    [span] = request["resourceSpans"][0]["scopeSpans"][0]["spans"]
    span["attributes"] += attributes(found | more)
    return request


async def test_openinference_annotations_are_verdicts_and_those_of_people_are_feedback(run_exporter):
    exporter = await run_exporter()
    found = {
        "annotations.0.annotation.name": "quality",
        "annotations.0.annotation.label": "thumbs_up",
        "annotations.0.annotation.annotator_kind": "HUMAN",
        "trace.evaluations.0.evaluation.name": "Correctness",
        "trace.evaluations.0.evaluation.label": "incorrect",
        "trace.evaluations.0.evaluation.annotator_kind": "LLM",
        "trace.evaluations.1.evaluation.name": "Tone",
        "trace.evaluations.1.evaluation.label": "pass",
    }
    await exporter.post("/v1/traces", json=annotated(found))
    await exporter.pass_time(5)
    assert await exporter.total("llmq_feedback_total", signal="thumbs_up", source="explicit", app="shop") == 1
    assert await exporter.total("llmq_evaluations_total", evaluator="reported_correctness", verdict="fail") == 1
    assert await exporter.total("llmq_evaluations_total", evaluator="reported_tone", verdict="pass") == 1
    assert await exporter.total("llmq_evaluations_total", evaluator="reported_quality") == 0


async def test_an_annotation_that_comes_later_is_counted_as_well(run_exporter):
    exporter = await run_exporter()
    await exporter.post("/v1/traces", json=chat())
    await exporter.pass_time(5)
    late = annotated({"annotations.0.annotation.name": "user feedback", "annotations.0.annotation.score": 0.0})
    late["resourceSpans"][0]["scopeSpans"][0]["spans"][0] |= {"spanId": "2" * 16, "parentSpanId": "1" * 16}
    await exporter.post("/v1/traces", json=late)
    await exporter.pass_time(5)
    assert await exporter.total("llmq_feedback_total", signal="thumbs_down", source="explicit", app="shop") == 1


async def test_of_very_many_evaluations_some_are_read_and_the_others_counted(run_exporter):
    exporter = await run_exporter({"store": {"content": "all"}})
    await exporter.post("/v1/traces", json=chat())
    await exporter.pass_time(5)
    many = 3 * external_evaluations.MOST_AT_ONCE
    await exporter.post("/v1/logs", json=evaluations(*[RELEVANT] * many))
    await exporter.pass_time(1)
    document = await exporter.read(A)
    theirs = [one for one in document["evaluations"] if one["evaluator"] == "reported_relevance"]
    assert len(theirs) == external_evaluations.MOST_AT_ONCE
    assert (
        await exporter.total("llmq_evaluations_total", evaluator="reported_relevance")
        == external_evaluations.MOST_AT_ONCE
    )
    left_out = await exporter.total("llmq_exporter_label_overflow_total", label="evaluator")
    assert left_out == many - external_evaluations.MOST_AT_ONCE


async def test_a_document_takes_so_many_evaluations_and_no_more(run_exporter):
    exporter = await run_exporter({"store": {"content": "all"}})
    await exporter.post("/v1/traces", json=chat())
    await exporter.pass_time(5)
    for batch in range(7):
        sent = evaluations(*[RELEVANT] * external_evaluations.MOST_AT_ONCE)
        for number, record in enumerate(sent["resourceLogs"][0]["scopeLogs"][0]["logRecords"]):
            record["timeUnixNano"] = str(1790000002000000000 + 1000 * batch + number)
        await exporter.post("/v1/logs", json=sent)
    await exporter.pass_time(1)
    assert len((await exporter.read(A))["evaluations"]) == 1000
    assert (
        await exporter.total("llmq_evaluations_total", evaluator="reported_relevance")
        == 7 * external_evaluations.MOST_AT_ONCE
    )
