"""The cheap checks: what they read, and that they are as right as the README says."""

import importlib.util
import json
import time
from pathlib import Path

import pytest

from exporter.evaluators.tool_errors import tool_error
from exporter.evaluators.tool_loops import tool_loop
from exporter.semconv import Sources, normalise
from exporter.trace import Span, ToolCall, Trace

ROOT = Path(__file__).parent.parent


def _module():
    spec = importlib.util.spec_from_file_location("checks_quality", ROOT / "benchmarks" / "checks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


QUALITY = _module()


def answered(**fields):
    return Trace(trace_id="t", content_state="answered", **fields)


# What is published of them.


def test_the_published_false_alarms_and_sensitivity_are_what_is_measured():
    assert QUALITY.table() in (ROOT / "exporter" / "evaluators" / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", QUALITY.NAMES)
def test_what_is_measured_is_half_near_misses(name):
    lines = (QUALITY.FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()
    assert len(set(lines)) == len(lines) >= 100
    failing = sum(fails for _, fails in QUALITY.lines(name))
    assert len(lines) // 3 <= failing <= len(lines) / 2


# Tools that fail.


def span(number, attributes, *, parent=b"", failed=False):
    identity = bytes([number]) * 8
    return Span(
        b"t" * 16, identity, parent, "step", number, number + 1, attributes, (), 2 * failed, "", {}, "test", 100
    )  # fmt: skip


def generation(messages, **attributes):
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.input.messages": json.dumps(messages),
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "Sunny."}]}]),
        **attributes,
    }


def read(*spans):
    return normalise(b"t" * 16, spans, (), Sources())


QUESTION = {"role": "user", "content": "Weather in Leeds?"}
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather"}


def test_a_tool_span_that_failed_without_a_result_is_a_tool_error():
    trace = read(
        span(1, generation([QUESTION])),
        span(2, TOOL, parent=b"\1" * 8, failed=True),
        span(3, TOOL | {"gen_ai.tool.call.result": "12 degrees"}, parent=b"\1" * 8),
    )
    assert trace.tool_errors == 1
    assert tool_error(trace).explanation == "1 of 2 tool calls failed"


def test_a_tool_span_with_an_error_type_is_a_tool_error():
    trace = read(span(1, generation([QUESTION])), span(2, TOOL | {"error.type": "TimeoutError"}, parent=b"\1" * 8))
    assert tool_error(trace).passed is False


@pytest.mark.parametrize(
    "result",
    [
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "gone", "is_error": True}]},
        {"type": "tool", "data": {"content": "gone", "status": "error", "tool_call_id": "1"}},
        {"role": "tool", "content": "gone", "status": "error"},
        {"role": "user", "content": [{"toolResult": {"content": [{"text": "gone"}], "status": "error"}}]},
        {"role": "tool", "content": '{"error": "gone"}'},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": {"error": "gone"}}]},
        {"role": "tool", "content": [{"type": "tool-result", "output": {"type": "error-text", "value": "gone"}}]},
    ],
)
def test_a_message_that_says_that_its_tool_failed_is_a_tool_error(result):
    trace = read(span(1, generation([QUESTION, {"role": "assistant", "content": "I look it up."}, result])))
    assert len(trace.tool_results) == 1
    assert tool_error(trace).passed is False


def test_without_tools_the_checks_of_tools_do_not_apply():
    assert tool_error(answered(answer="Error: no")) is None
    assert tool_loop(answered(answer="Sunny.")) is None


def test_a_tool_that_works_passes():
    assert tool_error(answered(tool_results=("12 degrees",))) is True


# Tools that are called again and again.


def calls(*arguments):
    return answered(tool_calls=tuple(ToolCall(name="f", arguments=one, id=str(n)) for n, one in enumerate(arguments)))


def test_the_same_call_three_times_is_a_loop_whatever_the_order_of_its_arguments():
    assert tool_loop(calls({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1, "b": 2})).passed is False
    assert tool_loop(calls({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1, "b": 3})) is True


def test_how_often_is_too_often_is_an_option():
    twice = calls({"a": 1}, {"a": 1})
    assert tool_loop(twice) is True
    assert tool_loop(twice, times=2).passed is False


# Whatever a trace holds.

HOSTILE = (
    "Error " * 200_000, "[" * 500_000, '{"content":' * 100_000, "a" * 2_000_000, "Error: x\n" * 100_000,
    "\ud800" * 9_000, "error (" * 100_000, " " * 1_000_000, '"' * 500_000,
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_hostile_text_costs_little(text):
    trace = answered(
        answer=text,
        question=text[::-1],
        system_prompt=text,
        tool_results=(text,) * 20,
        tool_calls=tuple(ToolCall(name=text[:9], arguments={"a": text}) for _ in range(20)),
        earlier=(text,),
    )
    before = time.process_time()
    for name in QUALITY.NAMES:
        QUALITY.RUN[name](trace)
    assert time.process_time() - before < 2
