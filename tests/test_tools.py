"""`tool_calls`: called tools against the definitions that were sent."""

import pytest

from exporter.evaluators.tools import tool_calls
from exporter.model.score import Skipped
from exporter.model.trace import ToolCall, ToolDefinition, Trace

WEATHER = ToolDefinition(
    name="weather",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
CLOCK = ToolDefinition(name="clock")


def said(*calls, definitions=(WEATHER, CLOCK), finish_reason=None):
    calls = tuple(ToolCall(name=name, arguments=arguments) for name, arguments in calls)
    return tool_calls(
        Trace(
            trace_id="t",
            content_state="answered",
            tool_calls=calls,
            tool_definitions=tuple(definitions),
            finish_reason=finish_reason,
        )
    )


def test_without_calls_it_does_not_apply():
    assert said() is None


@pytest.mark.parametrize("call", [("weather", {"city": "Oslo"}), ("clock", {}), ("clock", None), ("clock", {"any": 1})])
def test_a_good_call_passes(call):
    assert said(call) is True


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (("whether", {"city": "Oslo"}), "a tool that was not offered"),
        (("weather", {"city": 5}), "arguments that do not validate"),
        (("weather", None), "arguments that do not validate"),
        (("weather", '{"city": "Os'), "arguments that are not a JSON object"),
        (("clock", [1]), "arguments that are not a JSON object"),
    ],
)
def test_a_bad_call_fails_and_says_why(call, why):
    score = said(call)
    assert (score.value, score.passed, score.explanation) == (0.0, False, f"1 of 1 calls: {why}")


def test_one_bad_call_among_good_ones_fails_with_their_share():
    score = said(("weather", {"city": "Oslo"}), ("clock", {}), ("nope", {}), ("clock", {}))
    assert (score.value, score.passed) == (0.75, False)


def test_without_definitions_only_the_form_of_arguments_is_checked_and_said_so():
    good = said(("anything", {"a": 1}), definitions=())
    assert good.passed is True
    assert "no definitions were sent" in good.explanation
    assert said(("anything", "{oops"), definitions=()).passed is False


CUT = '{"city": "' + "a" * 1014


def test_arguments_that_a_limit_of_an_exporter_cut_are_not_captured():
    assert len(CUT) == 1024
    assert said(("weather", CUT)) == Skipped("not_captured")
    assert said(("weather", CUT), finish_reason="tool_call") == Skipped("not_captured")
    assert said(("weather", CUT), definitions=()) == Skipped("not_captured")
    assert said(("weather", '{"city": "' + "ø" * 507)) == Skipped("not_captured")  # 1,024 bytes


@pytest.mark.parametrize("arguments", [CUT + "a", "x" * 1024])
def test_arguments_of_any_other_length_or_form_are_the_models_fault(arguments):
    assert said(("weather", arguments)).passed is False


def test_arguments_that_the_model_itself_cut_fail():
    assert said(("weather", CUT), finish_reason="length").passed is False


def test_a_call_that_is_wrong_all_the_same_fails_beside_one_that_was_cut():
    assert said(("weather", CUT), ("nope", {})).passed is False
    assert said(("nope", CUT)).passed is False
