"""`empty` and `truncated`."""

import pytest

from exporter.evaluators.completeness import empty, truncated
from exporter.model.score import Score
from exporter.model.trace import ToolCall, Trace
from exporter.semconv.finish import finish_reason


def trace(**fields):
    return Trace(**{"trace_id": "t", "content_state": "answered", **fields})


@pytest.mark.parametrize("answer", [None, "", "  \n\t", "\u200b\ufeff \xa0", "\x00"])
def test_nothing_visible_is_empty(answer):
    score = empty(trace(answer=answer, content_state="empty"))
    assert isinstance(score, Score)
    assert score.value == 0.0


@pytest.mark.parametrize(
    "fields", [{"answer": "."}, {"answer": "0"}, {"answer": "", "tool_calls": (ToolCall(name="search"),)}]
)
def test_anything_said_or_called_is_not_empty(fields):
    assert empty(trace(**fields)) is True


@pytest.mark.parametrize("fields", [{"content_state": "refused"}, {"answer": "", "refusal": "No."}])
def test_a_refusal_in_its_field_is_not_empty(fields):
    assert empty(trace(**fields)) is None


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS", "model_context_window_exceeded"])
def test_a_length_limit_truncates_by_whatever_name_it_has(reason):
    assert truncated(trace(finish_reason=finish_reason(reason))).value == 0.0


@pytest.mark.parametrize("reason", ["stop", "tool_calls", "end_turn", "content_filter"])
def test_another_finish_reason_does_not(reason):
    assert truncated(trace(finish_reason=reason)) is True


@pytest.mark.parametrize("reason", [None, ""])
def test_without_a_finish_reason_nothing_is_known(reason):
    assert truncated(trace(finish_reason=reason)) is None
