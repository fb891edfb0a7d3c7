"""Whatever a trace holds, to read and to evaluate it takes little time: all others wait for it.

The limits here are of processor time and ten times what these take; without the bounds they take seconds to for ever.
"""

import gc
import json
import time

import pytest

from exporter.evaluators import BUILT_IN, built_in
from exporter.evaluators.panel import EvaluatorRule, EvaluatorSpec, Panel
from exporter.evaluators.refusal import remembered as declines
from exporter.evaluators.structure import SENT
from exporter.evaluators.words import remembered as readings
from exporter.model.trace import Document, Span, ToolCall, ToolDefinition, Trace
from exporter.semconv import Sources, normalise

SECONDS = 1.5

FORMAT = {
    "must_match": ["a.*b.*c$", "(x+x+)+y"], "must_not_match": ["(?i)[a-z]{50}z"], "language": "de", "table": True,
    "code_fence": "required", "max_length": 10,
}  # fmt: skip
PANEL = Panel({"format": EvaluatorSpec(name="format", rules=(EvaluatorRule(options=FORMAT),))}, built_in())
LARGE = 2_000_000


@pytest.fixture(autouse=True)
def no_collector():
    """Hypothesis watches the garbage collector; a deadline that ends in there ends at its next tick, with a warning."""
    gc.disable()
    yield
    gc.enable()


def spent(call):
    before = time.thread_time()
    result = call()
    return time.thread_time() - before, result


def repeated(piece, length=LARGE):
    return piece * (length // len(piece))


TEXTS = {
    "one word": repeated("a"), "white space": repeated(" "), "lines": repeated("a\n"), "capitals": repeated("Aa Bb "),
    "sentences": " ".join(f"The Item{n} has {n * 7} units." for n in range(60_000)),
    "numbers": repeated("1.1,"), "brackets": repeated("[1 "), "open brackets": repeated("[1,"),
    "citations": "".join(f"Item {n} is big [{n % 90 + 1}]. " for n in range(80_000)),
    "a sentence with all citations": "word " * 10_000 + " ".join(f"[{n}]" for n in range(1, 100)),
    "lenticular": repeated("【1"), "ids": repeated("[A b c d e f g "), "sources": repeated("(source: a1) "),
    "empty lists": "[" + "[]," * (LARGE // 3) + "[]]", "an object": json.dumps({f"Key{n}": n for n in range(120_000)}),
    "deep JSON": "[" * 200_000 + "]" * 200_000, "tables": "|a|b|\n|-|-|\n" * (LARGE // 12),
    "a row": "a|\n|-" + " " * 60_000 + "-", "fences": repeated("```\n"), "not ASCII": repeated("é ЖЩ 中"),
    "marks on letters": "e" + repeated("\u0301"), "loops": repeated("ab" * 400 + "c"), "halves": repeated("\ud800 "),
    "declining": repeated("I'm sorry, I cannot "),
    "times": " ".join(f"at {n % 12}:{n % 60:02} pm" for n in range(90_000)),
}  # fmt: skip
FACTS = tuple(Document(text=json.dumps({f"Word{n}_{m}": True for n in range(200)})) for m in range(99))


@pytest.mark.parametrize("kind", TEXTS)
def test_no_text_is_long_to_evaluate(kind):
    text = TEXTS[kind]
    pieces = tuple(Document(text=text[at : at + 60], id=f"d{at}") for at in range(0, 600_000, 60))
    for answer, context in (
        (text, (Document(text="Refunds take 5 days."),)), ("Refunds take 5 days [1].", (Document(text=text),)),
        (text, (Document(text=text), Document(text=text[::-1]))), (text, pieces), (text, FACTS),
    ):  # fmt: skip
        readings.cache_clear()
        declines.cache_clear()
        trace = Trace(
            trace_id="t", content_state="answered", question=text, answer=answer, context=context, json_requested=True
        )
        seconds, outcome = spent(lambda trace=trace: PANEL.evaluate(trace))
        assert seconds < SECONDS
        assert {one.reason for one in outcome.failures} <= {"budget", "timeout"}


def tools(count, names):
    return tuple(
        ToolDefinition(name=f"t{n}", parameters={"$comment": str(n), "properties": {f"a{m}": {} for m in range(names)}})
        for n in range(count)
    )


@pytest.mark.parametrize(("definitions", "calls"), [(tools(1000, 20), 10_000), (tools(50, 4000), 50), ((), 100_000)])
def test_no_number_of_tools_and_calls_is_long_to_evaluate(definitions, calls):
    called = tuple(ToolCall(name=f"t{n % 1000}", arguments={"a": list(range(20))}) for n in range(calls))
    trace = Trace(trace_id="t", content_state="answered", tool_calls=called, tool_definitions=definitions)
    assert spent(lambda: PANEL.evaluate(trace))[0] < SECONDS


def test_what_was_left_out_is_said():
    calls = tuple(ToolCall(name="t", arguments={}) for _ in range(1001))
    said = {one.evaluator: one.explanation for one in PANEL.evaluate(answered("ok", tool_calls=calls)).evaluations}
    assert "looked at the first 1000 calls" in said["tool_calls"]
    context = tuple(Document(text=f"Nothing of it {n}. " * 20_000) for n in range(3))
    cited = " ".join(f"The moon {n} is green [{n}]." for n in (1, 2, 3))
    said = {one.evaluator: one.explanation for one in PANEL.evaluate(answered(cited, context=context)).evaluations}
    assert "looked at the first 174762 characters of each document" in said["citation"]


def test_schemas_that_are_remembered_take_little_memory():
    for number in range(12):
        SENT.get({"$comment": str(number), "properties": {f"p{n}": {"type": "string"} for n in range(3000)}})
    assert sum(schema.steps for schema in SENT._known.values()) <= 200_000


@pytest.mark.parametrize("function", BUILT_IN)
def test_an_answer_of_one_budget_leaves_the_others_alone(function):
    outcome = PANEL.evaluate(answered("[" + "[]," * 600_000 + "[]]", json_requested=True))
    assert [(one.evaluator, one.reason) for one in outcome.failures] == [("json_schema", "budget")]
    places = [one.evaluator for one in (*outcome.evaluations, *outcome.unscored, *outcome.failures)]
    assert function.__evaluator__.name in places


def answered(answer, **fields):
    return Trace(trace_id="t", content_state="answered", answer=answer, **fields)


# Reading spans.


def span(number, parent=None, start=None, scope="s", **attributes):
    key = number.to_bytes(8, "big")
    above = b"" if parent is None else parent.to_bytes(8, "big")
    at = number if start is None else start
    return Span(b"t" * 16, key, above, "x", at, at + 10, attributes, (), 0, "", {}, scope, 100)


def chat(number, parent=None, **fields):
    said = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "Paris."}]}])
    return span(number, parent, **{"gen_ai.operation.name": "chat", "gen_ai.output.messages": said} | fields)


def agent(number, parent=None):
    return span(number, parent, **{"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a"})


MANY = 10_000
MESSAGES = "gen_ai.output.messages"
SPANS = {
    "calls beside each other": lambda: [chat(n, 0 if n else None) for n in range(MANY)],
    "calls inside each other": lambda: [chat(n, n - 1 if n else None) for n in range(MANY)],
    "calls inside each other, backwards": lambda: [chat(n, n - 1 if n else None, start=-n) for n in range(MANY)],
    "calls in a circle": lambda: [chat(n, (n + 1) % MANY, start=-n) for n in range(MANY)],
    "agents inside each other": lambda: [agent(n, n - 1 if n else None) for n in range(MANY)],
    "agents beside each other": lambda: [agent(n) for n in range(MANY)],
    "empty lists": lambda: [chat(n, **{MESSAGES: "[" + "[]," * 700_000 + "[]]"}) for n in range(10)],
    "messages": lambda: [chat(1, **{MESSAGES: json.dumps([{"role": "user", "content": "x"}] * 200_000)})],
    "messages that are cut": lambda: [chat(1, **{MESSAGES: '[{"role":"user","content":"' + 'a\\"' * 2_500_000})],
    "values of OTLP": lambda: [chat(1, **{MESSAGES: [{"role": "user", "content": ["x"]}] * 300_000})],
    "what Python would read": lambda: [
        span(n, **{"openinference.span.kind": "LLM", "llm.invocation_parameters": "[f'" + "{1}" * 20_000 + "']"})
        for n in range(50)
    ],
    "tool definitions": lambda: [
        chat(1, **{"gen_ai.tool.definitions": json.dumps([{"name": f"f{n}", "x": {}} for n in range(150_000)])})
    ],
    "thoughts": lambda: [chat(1, **{MESSAGES: json.dumps([{"role": "assistant", "content": "<think>" * 900_000}])})],
    "a channel": lambda: [
        chat(1, **{MESSAGES: json.dumps([{"role": "assistant", "content": "<|channel|>" + "x" * 1_000_000}])})
    ],
    "a template without end": lambda: [
        chat(n, **{MESSAGES: json.dumps([{"role": "assistant", "content": text}]),
                   "gen_ai.input.messages": json.dumps([{"role": "user", "content": asked}])})
        for n, (text, asked) in enumerate([
            ("Thought:" + "\n" * 500_000, "Context information is below." + "\nQuery: x" * 50_000),
            ("ok", "[[ ## context ## ]]\n" + "[1] «\n" * 50_000),
        ])
    ],
    "the print of an object": lambda: [
        span(1, **{"openinference.span.kind": "CHAIN", "output.value": "<" + "a object " * 100_000})
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", SPANS)
def test_no_spans_are_long_to_read(kind):
    spans = SPANS[kind]()
    seconds, trace = spent(lambda: normalise(b"t" * 16, spans, (), Sources()))
    assert seconds < SECONDS
    if trace is not None:
        assert spent(lambda: PANEL.evaluate(trace))[0] < SECONDS


def test_of_a_trace_with_more_json_than_may_be_read_the_last_answer_is_understood():
    history = json.dumps([{"role": "user", "content": f"turn {n}"} for n in range(3000)])
    calls = [chat(n, **{"gen_ai.input.messages": history}) for n in range(150)]
    last = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "The last word."}]}])
    calls.append(chat(150, **{"gen_ai.input.messages": history, MESSAGES: last}))
    trace = normalise(b"t" * 16, calls, (), Sources())
    assert trace.answer == "The last word."
    assert trace.question == "turn 2999"
