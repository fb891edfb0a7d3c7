"""OpenInference's annotations: what is read of them, and what is not a verdict."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.model.trace import Span
from exporter.semconv.annotations import annotations
from exporter.semconv.evaluations import reported

FIELDS = ("name", "score", "label", "explanation", "annotator_kind")


def span(attributes):
    return Span(b"t" * 16, b"s" * 8, b"", "chat", 0, 1, attributes, (), 0, "", {}, "", 0)


def said(scope="", kind="annotation", more=None, **fields):
    """What one annotation, or one evaluation, is read as: (evaluator, verdict, whether it is feedback)."""
    attributes = {f"{scope}{kind}s.0.{kind}.{name}": value for name, value in fields.items()} | (more or {})
    found = [(one.evaluation, one.is_feedback) for one in reported((span(attributes),), ())]
    return (found[0][0].evaluator, found[0][0].verdict, found[0][1]) if found else None


@pytest.mark.parametrize("scope", ["", "trace.", "session."])
@pytest.mark.parametrize("kind", ["annotation", "evaluation"])
def test_all_forms_are_read(scope, kind):
    assert said(scope, kind, name="Tone", label="PASS") == ("reported_tone", "pass", False)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"label": "thumbs_down", "annotator_kind": "HUMAN"}, "fail"),
        ({"label": "Thumbs Up", "annotator_kind": "human"}, "pass"),
        ({"score": 1, "annotator_kind": "HUMAN"}, "pass"),
        ({"score": 0.0, "annotator_kind": "HUMAN"}, "fail"),
        ({"label": "thumbs_down"}, None),
        ({"label": "thumbs_down", "annotator_kind": "LLM"}, None),
        ({"label": "factual", "score": 1.0}, None),
        ({"score": 0.9, "annotator_kind": "CODE"}, None),
        ({"explanation": "nice"}, None),
        ({"label": 7}, None),
    ],
)
def test_a_score_counts_only_where_a_person_gave_it(fields, expected):
    found = said(name="hallucination", **fields)
    assert (found and found[1]) == expected
    assert found is None or found[2]


def test_an_evaluators_own_span_says_nothing_of_its_trace():
    assert said(name="Tone", label="pass", more={"openinference.span.kind": "LLM"}) is not None
    assert said(name="Tone", label="pass", more={"openinference.span.kind": "EVALUATOR"}) is None


def test_several_are_read_in_order_up_to_the_first_gap():
    names = {f"annotations.{number}.annotation.name": f"n{number}" for number in (0, 1, 2, 4)}
    assert [one.name for one in annotations(span(names))] == ["n0", "n1", "n2"]


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just([1]), st.just({}))


@given(st.dictionaries(st.sampled_from([f"annotations.0.annotation.{field}" for field in FIELDS]), VALUES))
def test_nothing_that_a_field_may_hold_is_an_error(attributes):
    for one in reported((span(attributes),), ()):
        assert one.evaluation.verdict in {"pass", "fail"}
        assert 0 <= one.evaluation.score <= 1
