"""The cheap checks: what they read, and that they are as right as the README says."""

import importlib.util
import json
import time
from pathlib import Path

import pytest

from exporter.evaluators.answer_language import language_match
from exporter.evaluators.leaks import prompt_leak
from exporter.evaluators.private import private_data
from exporter.evaluators.tool_errors import tool_error
from exporter.evaluators.tool_loops import tool_loop
from exporter.model.score import Skipped
from exporter.model.trace import Document, Span, ToolCall, Trace
from exporter.semconv import Sources, normalise

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


# Personal data.

MAIL = "ana.lind@lindqvarn.se"


def test_an_address_that_nobody_gave_fails_and_is_not_repeated_in_the_explanation():
    said = private_data(answered(answer=f"Write to {MAIL}.", question="Who helps?"))
    assert (said.passed, said.explanation, said.quotes) == (False, "not in what was given: 1 email", ())


@pytest.mark.parametrize(
    "given",
    [
        {"question": f"Is {MAIL} right?"},
        {"system_prompt": f"Complaints go to {MAIL}."},
        {"context": (Document(text=f"Contact: {MAIL.upper()}"),)},
        {"tool_results": (json.dumps({"agent": MAIL}),)},
        {"tool_calls": (ToolCall(name="mail", arguments={"to": MAIL}),)},
        {"earlier": (f"My address is {MAIL}",)},
    ],
    ids=lambda given: next(iter(given)),
)
def test_what_the_model_was_given_it_may_say(given):
    assert private_data(answered(answer=f"Write to {MAIL}.", **given)) is True


def test_an_answer_without_personal_data_is_not_judged_by_it():
    assert private_data(answered(answer="Write to support@lindqvarn.se, or call 0800 482 9137.")) is None


def test_the_kinds_are_an_option():
    assert private_data(answered(answer=f"Write to {MAIL}."), kinds=("card",)) is None
    assert private_data(answered(answer="It is 192.0.2.17."), kinds=("ip",)).passed is False


def test_what_was_said_earlier_in_a_conversation_is_read():
    system = {"role": "system", "content": "Be kind."}
    before = [{"role": "user", "content": f"I am {MAIL}."}, {"role": "assistant", "content": "Noted."}]
    trace = read(span(1, generation([system, *before, QUESTION])))
    assert trace.earlier == (f"I am {MAIL}.", "Noted.")
    assert read(span(1, generation([system, QUESTION]))).earlier == ()


# Instructions.

RULE = "You must answer in at most three sentences and never mention the prices of other shops to the user."


def test_instructions_that_are_repeated_fail_and_facts_and_what_is_to_be_said_do_not():
    leak = prompt_leak(answered(answer=f"I was told: {RULE}", system_prompt=f"Be kind. {RULE} Thanks."))
    assert (leak.passed, leak.explanation) == (False, "19 words of the system prompt in a row")
    fact = "The shop is open from Monday to Saturday between nine in the morning and six in the evening."
    assert prompt_leak(answered(answer=fact, system_prompt=f"{RULE} {fact}")) is True
    assert prompt_leak(answered(answer=RULE, system_prompt=f'When in doubt, say: "{RULE}"')) is True


def test_without_a_system_prompt_there_is_none_to_leak():
    assert prompt_leak(answered(answer=RULE)) is None


def test_how_many_words_are_a_leak_is_an_option():
    trace = answered(answer=f"I was told: {RULE}", system_prompt=RULE)
    assert prompt_leak(trace, words=40) is True


# Languages.


def test_another_language_than_the_questions_fails_unless_it_was_asked_for():
    question = "Wie lange dauert es, bis mein Paket an der neuen Adresse ist?"
    answer = "It takes two to four days until the parcel is at the new address, and you can follow it on our site."
    assert language_match(answered(question=question, answer=answer)).passed is False
    assert language_match(answered(question=question + " Bitte auf Englisch.", answer=answer)) is None
    assert language_match(answered(question=question, answer=answer, system_prompt="Reply in English.")) is None


def test_a_question_in_a_language_that_is_not_known_is_not_judged():
    question = "Jak długo to potrwa, zanim paczka dotrze na nowy adres, i co ja mam z tym zrobić?"
    assert language_match(answered(question=question, answer="It takes two days until it is there.")) == Skipped(
        "language"
    )


# Whatever a trace holds.

HOSTILE = (
    "Error " * 200_000, "[" * 500_000, '{"content":' * 100_000, "a" * 2_000_000, "Error: x\n" * 100_000,
    "\ud800" * 9_000, " ".join(f"a{n}.b@lindq{n}.se" for n in range(100_000)), "+49 170 5823914, " * 50_000,
    "You must answer in at most three sentences. " * 30_000, "error (" * 100_000, " " * 1_000_000, '"' * 500_000,
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
