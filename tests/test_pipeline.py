"""From request to metrics on a clock that the test moves: what is counted, what is kept, what a restart changes."""

import asyncio
import json

import pytest

from exporter.evaluators import installed
from exporter.ingest import split

PROTOBUF = {"Content-Type": "application/x-protobuf"}
EVALUATORS = [name for name, one in installed().evaluators.items() if one.source == "built in"]
RAG = "openinference-openai.rag.traces.pb"


def span(trace_id, span_id, *, parent=None, attributes=None, name="chat"):
    """One OTLP/JSON span."""
    value = {str: "stringValue", int: "intValue", bool: "boolValue"}
    return {
        "traceId": trace_id,
        "spanId": span_id,
        "parentSpanId": parent or "",
        "name": name,
        "startTimeUnixNano": "1790000000000000000",
        "endTimeUnixNano": "1790000001000000000",
        "attributes": [{"key": k, "value": {value[type(v)]: v}} for k, v in (attributes or {}).items()],
    }


def request(*spans, app="shop"):
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": app}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": list(spans)}]}]}


def chat(answer, question="What is the refund policy?"):
    def said(role, text):
        return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])

    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.response.model": "m-1",
        "gen_ai.input.messages": said("user", question),
        "gen_ai.output.messages": said("assistant", answer),
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 5,
    }


A, B = "a" * 32, "b" * 32
ROOT, CHILD = "1" * 16, "2" * 16


async def test_a_real_capture_is_scored_counted_and_explained(run_exporter, captured):
    exporter = await run_exporter()
    assert await exporter.post("/v1/traces", data=captured(RAG), headers=PROTOBUF) == (200, b"")
    await exporter.pass_time(3)
    assert await exporter.total("llmq_requests_total", app="rag-openinference") == 1
    assert await exporter.total("llmq_evaluations_total", evaluator="grounding", verdict="pass") == 1
    assert await exporter.total("llmq_tokens_total", direction="input") == 42


async def test_why_a_trace_failed_can_be_read(run_exporter):
    exporter = await run_exporter()
    await exporter.post(
        "/v1/traces", json=request(span(A, ROOT, attributes=chat("I'm sorry, I can't help with that.")))
    )
    assert (await exporter.client.get(f"/api/traces/{A}")).status == 404
    await exporter.pass_time(3)
    document = await (await exporter.client.get(f"/api/traces/{A}")).json()
    [refusal] = [one for one in document["evaluations"] if one["evaluator"] == "refusal"]
    assert refusal["verdict"] == "fail"
    assert refusal["explanation"]
    assert document["answer"] == "I'm sorry, I can't help with that."


async def test_the_text_of_a_good_answer_is_not_stored_by_default(run_exporter):
    exporter = await run_exporter()
    await exporter.post("/v1/traces", json=request(span(A, ROOT, attributes=chat("Within thirty days."))))
    await exporter.pass_time(3)
    document = await (await exporter.client.get(f"/api/traces/{A}")).text()
    assert "thirty" not in document
    assert "refund" not in document


async def test_every_evaluator_accounts_for_every_trace(run_exporter, captured):
    exporter = await run_exporter()
    for name in (RAG, "otel-v2.1-nocontent.simple.traces.pb", "otel-genai1.3-span-only.error429.traces.pb"):
        status, _ = await exporter.post("/v1/traces", data=captured(name), headers=PROTOBUF)
        assert status == 200
    await exporter.pass_time(20)
    received = await exporter.total("llmq_requests_total")
    assert received >= 3
    samples = await exporter.samples()
    for evaluator in EVALUATORS:
        accounted = sum(
            value
            for (name, labels), value in samples.items()
            if name in {"llmq_evaluations_total", "llmq_unscored_total", "llmq_evaluation_failures_total"}
            and ("evaluator", evaluator) in labels
        )
        assert accounted == received, evaluator


async def test_a_retried_request_counts_once_before_and_after_recording(run_exporter):
    exporter = await run_exporter()
    body = request(span(A, ROOT, attributes=chat("Yes.")), span(A, CHILD, parent=ROOT))
    await exporter.post("/v1/traces", json=body)
    await exporter.post("/v1/traces", json=body)
    await exporter.pass_time(3)
    await exporter.post("/v1/traces", json=body)
    await exporter.pass_time(3)
    assert await exporter.total("llmq_requests_total") == 1
    assert await exporter.total("llmq_exporter_spans_received_total") == 6
    assert await exporter.total("llmq_exporter_duplicates_total", signal="traces", kind="same") == 4
    assert await exporter.total("llmq_exporter_journal_entries") == 0


async def test_conflicting_duplicates_keep_the_first_and_are_counted(run_exporter):
    exporter = await run_exporter()
    await exporter.post("/v1/traces", json=request(span(A, ROOT, attributes=chat("Yes."))))
    await exporter.post("/v1/traces", json=request(span(A, ROOT, name="other", attributes=chat("I can't help."))))
    await exporter.pass_time(3)
    assert await exporter.total("llmq_exporter_duplicates_total", kind="conflicting") == 1
    assert await exporter.total("llmq_evaluations_total", evaluator="refusal", verdict="pass") == 1


async def test_late_parts_tell_who_asked_and_change_no_verdict(run_exporter):
    exporter = await run_exporter()
    await exporter.post("/v1/traces", json=request(span(A, ROOT, attributes=chat("Yes."))))
    await exporter.pass_time(3)
    late = chat("I'm sorry, I can't help.") | {"gen_ai.conversation.id": "conv-1"}
    await exporter.post("/v1/traces", json=request(span(A, CHILD, parent=ROOT, attributes=late)))
    await exporter.post("/v1/traces", json=request(span(A, CHILD, parent=ROOT, attributes=late)))
    await exporter.pass_time(3)
    assert await exporter.total("llmq_exporter_late_total", outcome="used") == 1
    assert await exporter.total("llmq_exporter_duplicates_total") == 1
    assert await exporter.total("llmq_evaluations_total", evaluator="refusal", verdict="fail") == 0
    document = await (await exporter.client.get(f"/api/traces/{A}")).json()
    assert document["conversation_id"] == "conv-1"


async def test_late_parts_that_say_nothing_new_are_dropped_and_counted(run_exporter):
    exporter = await run_exporter()
    await exporter.post("/v1/traces", json=request(span(A, ROOT, attributes=chat("Yes."))))
    await exporter.pass_time(3)
    await exporter.post("/v1/traces", json=request(span(A, CHILD, parent=ROOT)))
    await exporter.pass_time(3)
    assert await exporter.total("llmq_exporter_late_total", outcome="dropped") == 1


async def test_a_trace_without_an_llm_request_is_counted_as_such_and_may_become_one(run_exporter):
    exporter = await run_exporter()
    await exporter.post("/v1/traces", json=request(span(A, ROOT, name="GET /")))
    await exporter.pass_time(3)
    assert await exporter.total("llmq_exporter_traces_ignored_total", reason="no_llm_request") == 1
    assert (await exporter.client.get(f"/api/traces/{A}")).status == 404
    await exporter.post("/v1/traces", json=request(span(A, CHILD, parent=ROOT, attributes=chat("Yes."))))
    await exporter.pass_time(11)
    assert await exporter.total("llmq_requests_total") == 1
    assert (await exporter.client.get(f"/api/traces/{A}")).status == 200


async def test_a_restart_goes_on_from_where_the_totals_stood(run_exporter, clock):
    first = await run_exporter()
    await first.post("/v1/traces", json=request(span(A, ROOT, attributes=chat("Yes."))))
    await first.pass_time(3)
    await first.post("/v1/traces", json=request(span(B, ROOT, attributes=chat("No."))))
    before = await first.samples()
    await first.client.close()
    second = await run_exporter()
    after = await second.samples()
    lasting = {key for key in before if not key[0].startswith(("llmq_exporter_", "process_", "python_"))}
    assert {key: after[key] for key in lasting} == {key: before[key] for key in lasting}
    assert await second.total("llmq_exporter_open_traces") == 1
    await second.pass_time(3)
    assert await second.total("llmq_requests_total") == 2
    assert await second.total("llmq_exporter_spans_received_total") == 2


async def test_logs_on_another_path_complete_the_trace(run_exporter, captured):
    exporter = await run_exporter()
    for signal in ("logs", "traces"):
        name = f"otel-v2.1-logevents.simple.{signal}.pb"
        status, _ = await exporter.post(f"/v1/{signal}", data=captured(name), headers=PROTOBUF)
        assert status == 200
    await exporter.pass_time(3)
    assert await exporter.total("llmq_evaluations_total", evaluator="empty", verdict="pass") == 1
    assert await exporter.total("llmq_exporter_log_records_received_total") == 3


async def test_an_interaction_takes_the_same_road(run_exporter):
    exporter = await run_exporter()
    said = {"question": "Refunds?", "answer": "Within 30 days.", "context": ["Refunds are accepted within 30 days."]}
    status, _ = await exporter.post("/v1/interactions", json=said | {"app": "shop", "route": "/ask", "id": "1"})
    assert status == 200
    await exporter.pass_time(3)
    slice_ = {"app": "shop", "route": "/ask"}
    assert await exporter.total("llmq_evaluations_total", evaluator="grounding", verdict="pass", **slice_) == 1


async def test_back_pressure_is_503_with_retry_after_and_nothing_is_taken(run_exporter):
    limits = {"body_bytes": "1KiB", "decompressed_bytes": "1KiB", "pending_bytes": "1KiB"}
    exporter = await run_exporter({"limits": limits, "assembly": {"max_bytes": "1KiB"}})
    exporter.exporter.pipeline.door.patience = 0
    answers = []
    for n in range(1, 9):
        body = request(span(f"{n:032x}", ROOT, parent=CHILD, attributes={"x": "y" * 300}))
        answers.append(await exporter.client.post("/v1/traces", json=body))
    refused = [answer for answer in answers if answer.status == 503]
    assert refused
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    taken = len(answers) - len(refused)
    await exporter.pass_time(11)
    assert await exporter.total("llmq_exporter_spans_received_total") == taken
    assert await exporter.total("llmq_exporter_rejected_total", signal="traces", reason="busy") == len(refused)
    again = await exporter.client.post("/v1/traces", json=request(span(A, ROOT)))
    assert again.status == 200


async def test_a_journal_that_works_again_is_noticed_though_there_is_always_something_to_record(run_exporter):
    exporter = await run_exporter()
    with exporter.exporter.store.journal._writing.connection() as connection:
        connection.execute("PRAGMA query_only = ON")
    assert (await exporter.post("/v1/interactions", json={"question": "q", "answer": "a"}))[0] == 503
    assert await ready(exporter) == 503
    with exporter.exporter.store.journal._writing.connection() as connection:
        connection.execute("PRAGMA query_only = OFF")
    exporter.exporter.pipeline.rejected("traces", "decode", 1)
    await exporter.exporter.pipeline.flush()
    assert await ready(exporter) == 200


async def ready(exporter):
    async with exporter.client.get("/-/ready") as response:
        return response.status


async def test_a_request_that_failed_because_nothing_could_be_read_does_not_stay_in_the_journal(run_exporter):
    exporter = await run_exporter()
    store, asked = exporter.exporter.store, {"id": "1", "question": "q", "answer": "a"}
    assert (await exporter.post("/v1/interactions", json=asked))[0] == 200
    await exporter.pass_time(3)
    store._reading._connection.close()
    assert (await exporter.post("/v1/interactions", json=asked))[0] == 503
    store._reading.close()
    await exporter.pass_time(3)
    async with asyncio.timeout(120):
        while store.journal.oldest < 3:  # noqa: ASYNC110 - the product has no such event
            await asyncio.sleep(0)
    assert (list(store.journal.entries()), await exporter.total("llmq_requests_total")) == ([], 1)


async def test_prices_make_cost(run_exporter):
    exporter = await run_exporter({"prices": {"m-*": {"input": 2.0, "output": 10.0}}})
    await exporter.post("/v1/traces", json=request(span(A, ROOT, attributes=chat("Yes."))))
    await exporter.pass_time(3)
    assert await exporter.total("llmq_cost_dollars_total") == pytest.approx((10 * 2 + 5 * 10) / 1e6)


async def test_exemplars_lead_from_a_bad_score_to_its_trace(run_exporter):
    exporter = await run_exporter()
    await exporter.post("/v1/traces", json=request(span(A, ROOT, attributes=chat("I'm sorry, I can't help."))))
    await exporter.pass_time(3)
    text = await exporter.metrics("application/openmetrics-text; version=1.0.0")
    [line] = [
        line
        for line in text.splitlines()
        if line.startswith('llmq_evaluations_total{evaluator="refusal"') and 'verdict="fail"' in line
    ]
    assert f'# {{trace_id="{A}"}}' in line


async def test_idle_series_expire_and_stay_gone_after_a_restart(run_exporter):
    config = {"labels": {"expire_after": "1h"}}
    first = await run_exporter(config)
    await first.post("/v1/traces", json=request(span(A, ROOT, attributes=chat("Yes.")), app="old"))
    await first.pass_time(3)
    assert await first.total("llmq_requests_total", app="old") == 1
    await first.post("/v1/traces", json=request(span(B, ROOT, attributes=chat("Yes.")), app="new"))
    await first.pass_time(7200)
    assert await first.total("llmq_requests_total") == await first.total("llmq_requests_total", app="new") == 1
    await first.client.close()
    second = await run_exporter(config)
    assert await second.total("llmq_requests_total", app="old") == 0


async def test_an_exploding_label_folds_alone(run_exporter):
    exporter = await run_exporter({"labels": {"budgets": {"app": 2}}})
    for n in range(1, 6):
        body = request(span(f"{n:032x}", ROOT, attributes=chat("Yes.")), app=f"app-{n}")
        await exporter.post("/v1/traces", json=body)
    await exporter.pass_time(3)
    assert await exporter.total("llmq_requests_total", app="__other__", model_version="m-1") == 3
    assert await exporter.total("llmq_exporter_label_overflow_total", label="app") == 3


async def test_very_many_roots_of_one_trace_are_one_request_and_stop_nothing(run_exporter):
    exporter = await run_exporter()
    at = 1_790_000_000_000_000_000
    said = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "Within 30 days."}]}])
    attributes = [
        {"key": key, "value": {"stringValue": value}}
        for key, value in {"gen_ai.operation.name": "chat", "gen_ai.output.messages": said}.items()
    ]
    roots = [
        {"traceId": "a" * 32, "spanId": f"{n:016x}", "startTimeUnixNano": str(at + 2 * n), "attributes": attributes}
        | {"endTimeUnixNano": str(at + 2 * n + 1)}
        for n in range(1, split.MOST_REQUESTS + 2)
    ]
    await exporter.post("/v1/traces", json={"resourceSpans": [{"scopeSpans": [{"spans": roots}]}]})
    await exporter.pass_time(400)
    assert await exporter.total("llmq_requests_total") == 1
    more = [span | {"traceId": "b" * 32} for span in roots[:-1]]
    await exporter.post("/v1/traces", json={"resourceSpans": [{"scopeSpans": [{"spans": more}]}]})
    await exporter.pass_time(400)
    assert await exporter.total("llmq_requests_total") == 1 + split.MOST_REQUESTS
