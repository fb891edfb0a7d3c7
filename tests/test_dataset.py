import io
import json

import pytest

from exporter.evaluators import built_in
from exporter.evaluators.panel import EvaluatorSpec, Panel
from exporter.model.score import Failure, Outcome
from exporter.model.trace import Document, ToolCall, ToolDefinition
from exporter.offline import dataset
from exporter.offline.dataset import LineError, SuiteCase, cases, encoded, results


def read(*rows):
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    return list(cases(io.BytesIO(b"\n".join(lines))))


def trace_of(**row):
    (case,) = read({"id": 1, "output": "yes", **row})
    return case.trace


def test_a_row_becomes_a_trace():
    trace = trace_of(
        input="Why?",
        system_prompt="Be brief.",
        earlier=["Hello."],
        tool_results=["42"],
        context=["one", {"id": 7, "text": "two", "score": 0.5}],
        tool_calls=[{"name": "look", "arguments": '{"up": 1}'}, {"name": "look", "arguments": "not JSON"}],
        tool_definitions=[{"name": "look", "parameters": {"type": "object"}}],
        response_schema={"type": "object"},
        finish_reason="max_tokens",
        app="shop",
        route="/chat",
        something_else={"kept": "out"},
    )
    assert (trace.question, trace.answer, trace.content_state) == ("Why?", "yes", "answered")
    assert (trace.system_prompt, trace.earlier, trace.tool_results) == ("Be brief.", ("Hello.",), ("42",))
    assert trace.context == (Document(text="one"), Document(id="7", text="two", score=0.5))
    assert trace.tool_calls == (
        ToolCall(name="look", arguments={"up": 1}),
        ToolCall(name="look", arguments="not JSON"),
    )
    assert trace.tool_definitions == (ToolDefinition(name="look", parameters={"type": "object"}),)
    assert (trace.json_requested, trace.response_schema) == (True, {"type": "object"})
    assert (trace.finish_reason, trace.app, trace.route) == ("length", "shop", "/chat")


def test_states_of_content_are_told_apart():
    assert trace_of(output="").content_state == "empty"
    assert trace_of(output=None).content_state == "empty"
    assert trace_of(output=None, refusal="No.").content_state == "refused"
    assert trace_of(output="", tool_calls=[{"name": "look"}]).content_state == "answered"


def test_an_output_of_json_is_its_text():
    assert trace_of(output={"a": [1, None]}).answer == '{"a":[1,null]}'


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (b"not JSON", "is not a JSON object"),
        (b"\xff\xfe{}", "is not a JSON object"),
        (b'{"id": 1, "output": "' + b"\\ud800" + b'"}', "is not a JSON object"),
        (b'{"id": 1, "output": ' + b"[" * 100_000, "is not a JSON object"),
        (b"[]", "expected an object, found a list"),
        ({"output": "x"}, '"id" is missing'),
        ({"id": 1, "input": "x"}, 'has no "output" (null or "" if nothing was said), "refusal" or "tool_calls"'),
        ({"id": 1, "output": "x", "context": "one"}, "context: expected a list, found text"),
        ({"id": 1, "output": "x", "context": [1]}, "context[0]: expected text or an object, found a whole number"),
    ],
)
def test_a_line_that_is_no_row_is_an_error_in_its_place(row, message):
    first, error, last = read({"id": "a", "output": "x"}, row, {"id": "b", "output": "y"})
    assert (first.id, last.id) == ("a", "b")
    assert isinstance(error, LineError)
    assert str(error) == f"line 2: {message}"


def test_empty_lines_count_and_say_nothing():
    found = read({"id": 1, "output": "x"}, b"", b"  ", b"{")
    assert [type(one) for one in found] == [SuiteCase, LineError]
    assert found[1].line == 4


def test_a_line_without_end_is_refused_before_it_fills_the_memory(monkeypatch):
    monkeypatch.setattr(dataset, "LONGEST_LINE", 100)
    (error,) = cases(io.BytesIO(b"x" * 1000))
    assert str(error).startswith("line 1: is longer than")


def test_rows_are_read_as_they_are_asked_for():
    class Endless(io.RawIOBase):
        def readline(self, size=-1):
            return b'{"id": 1, "output": "x"}\n'

    stream = cases(Endless())
    assert [next(stream).id for _ in range(3)] == [1, 1, 1]


def scored(row, **versions):
    panel = Panel({name: EvaluatorSpec(name=name) for name in versions}, built_in())
    (case,) = read(row)
    return [json.loads(line) for line in encoded(results(case, panel.evaluate(case.trace), versions)).splitlines()]


def test_each_row_and_evaluator_gives_one_row_in_the_order_asked_for():
    rows = scored({"id": "a", "output": ""}, truncated="1", refusal="1", empty="1")
    assert [row["evaluator"] for row in rows] == ["truncated", "refusal", "empty"]
    assert rows[0] == {
        "id": "a",
        "evaluator": "truncated",
        "evaluator_version": "1",
        "score": None,
        "verdict": None,
        "explanation": "",
        "unscored": "not_applicable",
    }
    assert rows[2] == {
        "id": "a",
        "evaluator": "empty",
        "evaluator_version": built_in().evaluators["empty"].version,
        "score": 0.0,
        "verdict": "fail",
        "explanation": "the answer has no visible character and calls no tool",
    }


def test_a_failure_is_not_a_score():
    (case,) = read({"id": 1, "output": "x"})
    failed = Failure(evaluator="slow", evaluator_version="2", reason="timeout", detail="interrupted")
    (line,) = encoded(results(case, Outcome(failures=(failed,)), {"slow": "2"})).splitlines()
    assert json.loads(line) == {
        "id": 1,
        "evaluator": "slow",
        "evaluator_version": "2",
        "score": None,
        "verdict": None,
        "explanation": "interrupted",
        "failure": "timeout",
    }
