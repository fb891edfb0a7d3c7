"""Traces whose spans come minutes apart, or never, or go on under one id: each request is scored once, when whole."""

import json
from pathlib import Path

import pytest

FAULTS = Path(__file__).parent / "faults"
ROOT, LLM, TOOL, ANSWER = "1" * 16, "2" * 16, "3" * 16, "4" * 16
REFUSAL = "I'm sorry, but I can't help with that request."


A = "a" * 32


def span(trace_id, span_id, *, parent="", attributes=None, name="chat"):
    return {
        "traceId": trace_id,
        "spanId": span_id,
        "parentSpanId": parent,
        "name": name,
        "startTimeUnixNano": "1790000000000000000",
        "endTimeUnixNano": "1790000001000000000",
        "attributes": [
            {"key": key, "value": {"intValue" if isinstance(value, int) else "stringValue": value}}
            for key, value in (attributes or {}).items()
        ],
    }


def request(*spans):
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": list(spans)}]}]}


def chat(answer):
    def said(role, text):
        return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])

    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.input.messages": said("user", "Refunds?"),
        "gen_ai.output.messages": said("assistant", answer),
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 5,
    }


def asked():
    calls = [{"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "report", "arguments": {}}]}]
    return chat("") | {"gen_ai.output.messages": json.dumps(calls)}


async def sent(exporter, *spans):
    status, _ = await exporter.post("/v1/traces", json=request(*spans))
    assert status == 200


@pytest.mark.parametrize("gap", [13, 90, 600])
async def test_a_slow_agent_is_scored_once_on_its_final_answer(run_exporter, gap):
    exporter = await run_exporter()
    await sent(exporter, span(A, LLM, parent=ROOT, attributes=asked()))
    await exporter.pass_time(gap)
    await sent(exporter, span(A, TOOL, parent=ROOT, attributes={"gen_ai.operation.name": "execute_tool"}))
    await exporter.pass_time(gap)
    assert await exporter.total("llmq_requests_total") == 0
    await sent(exporter, span(A, ANSWER, parent=ROOT, attributes=chat(REFUSAL)), span(A, ROOT, name="agent"))
    await exporter.pass_time(3)
    assert await exporter.total("llmq_requests_total") == 1
    assert await exporter.total("llmq_evaluations_total", evaluator="refusal", verdict="fail") == 1
    assert await exporter.total("llmq_tokens_total", direction="input") == 20
    assert await exporter.total("llmq_exporter_traces_closed_total", reason="root") == 1


async def test_a_slow_agent_is_waited_for_over_a_restart(run_exporter):
    exporter = await run_exporter()
    await sent(exporter, span(A, LLM, parent=ROOT, attributes=asked()))
    await exporter.pass_time(30)
    await exporter.client.close()
    exporter = await run_exporter()
    await exporter.pass_time(90)
    assert await exporter.total("llmq_requests_total") == 0
    await sent(exporter, span(A, ANSWER, parent=ROOT, attributes=chat(REFUSAL)), span(A, ROOT, name="agent"))
    await exporter.pass_time(3)
    assert await exporter.total("llmq_requests_total") == 1
    assert await exporter.total("llmq_evaluations_total", evaluator="refusal", verdict="fail") == 1


async def test_an_answer_that_comes_too_late_counts_against_coverage(run_exporter):
    exporter = await run_exporter({"assembly": {"incomplete": "20s"}})
    await sent(exporter, span(A, LLM, parent=ROOT, attributes=chat("One moment.")))
    await exporter.pass_time(21)
    await sent(exporter, span(A, ANSWER, parent=ROOT, attributes=chat(REFUSAL)), span(A, ROOT, name="agent"))
    await exporter.pass_time(3)
    assert await exporter.total("llmq_requests_total") == 1
    assert await exporter.total("llmq_evaluations_total", evaluator="refusal", verdict="fail") == 0
    assert await exporter.total("llmq_unscored_total", evaluator="refusal", reason="late", app="shop") == 1
    assert await exporter.total("llmq_exporter_traces_closed_total", reason="incomplete") == 1


async def test_a_trace_id_that_goes_on_is_a_new_request(run_exporter):
    exporter = await run_exporter()
    await sent(exporter, span(A, LLM, parent=ROOT, attributes=chat("Within 30 days.")), span(A, ROOT, name="turn"))
    await exporter.pass_time(13)
    turn = span(A, "6" * 16, parent="5" * 16, attributes=chat(REFUSAL)), span(A, "5" * 16, name="turn")
    await sent(exporter, turn[0])
    await exporter.pass_time(13)
    await sent(exporter, *turn)
    await sent(exporter, *turn)
    await exporter.pass_time(3)
    assert await exporter.total("llmq_requests_total") == 2
    assert await exporter.total("llmq_evaluations_total", evaluator="refusal", verdict="pass") == 1
    assert await exporter.total("llmq_evaluations_total", evaluator="refusal", verdict="fail") == 1
    await exporter.client.close()
    exporter = await run_exporter()
    await sent(exporter, *turn)
    await exporter.pass_time(20)
    assert await exporter.total("llmq_requests_total") == 2
    assert await exporter.total("llmq_exporter_late_total") == 0


async def test_one_trace_id_for_two_requests_at_once_is_two_requests(run_exporter):
    exporter = await run_exporter()
    for part in ("part1", "part2"):
        body = (FAULTS / f"f02_trace_id_per_session.{part}.json").read_bytes()
        await exporter.post("/v1/traces", data=body, headers={"Content-Type": "application/json"})
    await exporter.pass_time(3)
    assert await exporter.total("llmq_requests_total") == 2
    assert await exporter.total("llmq_evaluations_total", evaluator="refusal", verdict="fail") == 1
