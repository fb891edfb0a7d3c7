"""How a judge's reply is read: many forms, one meaning, and never a score that the judge did not give."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.config.rubrics import shipped
from exporter.judge.case import JudgeError
from exporter.judge.reply import LONGEST_EXPLANATION, Reply, read

RUBRIC = shipped()["helpfulness"]

READ = {
    "as asked": ('{"explanation": "Good.", "score": 4}', 4, "Good."),
    "fenced": ('```json\n{"explanation": "Good.", "score": 4}\n```', 4, "Good."),
    "with words before": ('Here is my grade: {"explanation": "x", "score": 2}', 2, "x"),
    "with words after": ('{"explanation": "x", "score": 2}\nI hope that helps {you}!', 2, "x"),
    "score as text": ('{"explanation": "x", "score": "3"}', 3, "x"),
    "score of the highest": ('{"explanation": "x", "score": "3/5"}', 3, "x"),
    "score with a fraction": ('{"explanation": "x", "score": 3.5}', 3.5, "x"),
    "score as 4.0": ('{"score": 4.0}', 4, ""),
    "without explanation": ('{"score": 1}', 1, ""),
    "explanation of another type": ('{"explanation": ["x"], "score": 1}', 1, ""),
    "more keys": ('{"explanation": "x", "score": 5, "confidence": 0.9}', 5, "x"),
    "the same twice": ('{"explanation": "a", "score": 5} {"explanation": "b", "score": 5}', 5, "b"),
    "other objects beside it": ('{"plan": 1} {"explanation": "x", "score": 5}', 5, "x"),
    "after thinking that the chat template began": (
        'The document says 30 days; maybe {"score": 3} is too strict.\n</think>\n\n{"explanation": "x", "score": 4}',
        4,
        "x",
    ),
    "after thinking": ('<think>{"score": 1} or {"score": 5}?</think>{"explanation": "x", "score": 2}', 2, "x"),
    "with a line break in the text": ('{"explanation": "two\nlines", "score": 2}', 2, "two\nlines"),
    "braces in prose": ('The {placeholder} is empty {}. {"score": 2}', 2, ""),
    "an object quoted inside": (
        json.dumps({"explanation": 'it says {"score": 5}', "score": 1}),
        1,
        'it says {"score": 5}',
    ),
}
UNPARSEABLE = {
    "nothing": "",
    "None": None,
    "prose": "I would give this a 4.",
    "a number": "4",
    "a list": "[4]",
    "no score": '{"explanation": "x"}',
    "score below the scale": '{"score": 0}',
    "score above the scale": '{"score": 6}',
    "score of another scale": '{"score": "4/10"}',
    "score in words": '{"score": "four"}',
    "score null": '{"score": null}',
    "score true": '{"score": true}',
    "score in a list": '{"score": [4]}',
    "score not a number": '{"score": NaN}',
    "score infinite": '{"score": Infinity}',
    "score too large for a float": '{"score": 1e999}',
    "score of ten thousand digits": '{"score": ' + "9" * 10_000 + "}",
    "two scores": '{"score": 1} {"score": 5}',
    "a key twice": '{"score": 1, "score": 5}',
    "score within another object": '{"result": {"score": 5}}',
    "cut off": '{"explanation": "the answer says {\\"score\\": 5}',
    "cut off after a whole object inside": '{"explanation": {"score": 5}',
    "Python instead of JSON": "{'explanation': 'it says {\"score\": 5}', 'score': 1}",
    "keys without quotes": '{explanation: "it says {"score": 5}", score: 1}',
    "quotes not escaped": '{"explanation": "it says "{"score": 5}" ", "score": 1}',
    "thinking that never ends": '<think>perhaps {"score": 5}',
    "very deep": '{"a":' * 50_000,
    "very many objects": '{"score": 5}' * 50,
    "very long": " " * 200_000 + '{"score": 5}',
}


@pytest.mark.parametrize(("text", "score", "explanation"), READ.values(), ids=READ)
def test_a_reply_is_read(text, score, explanation):
    assert read(text, RUBRIC) == Reply(score, explanation)


@pytest.mark.parametrize("text", UNPARSEABLE.values(), ids=UNPARSEABLE)
def test_a_reply_without_one_clear_score_is_unparseable(text):
    with pytest.raises(JudgeError) as error:
        read(text, RUBRIC)
    assert (error.value.reason, error.value.retry) == ("unparseable", True)


def test_a_reply_that_was_cut_off_says_so():
    with pytest.raises(JudgeError, match="cut off at max_tokens"):
        read('{"explanation": "and so', RUBRIC, finish_reason="length")


def test_a_whole_object_counts_even_if_the_model_then_went_on_until_its_limit():
    assert read('{"score": 3} and then', RUBRIC, finish_reason="length").score == 3


@pytest.mark.parametrize("how", [{"refusal": "I cannot."}, {"finish_reason": "content_filter"}])
def test_a_refusal_is_no_score_and_not_asked_again(how):
    with pytest.raises(JudgeError) as error:
        read('{"score": 5}', RUBRIC, **how)
    assert (error.value.reason, error.value.retry) == ("refused", False)


def test_no_error_quotes_the_reply():
    for text in ('{"score": "planted-secret"}', "planted-secret {", '{"planted-secret": 1}'):
        with pytest.raises(JudgeError) as error:
            read(text, RUBRIC)
        assert "planted" not in str(error.value)
        assert error.value.__cause__ is None


def test_an_endless_explanation_is_shortened():
    assert len(read(json.dumps({"explanation": "x" * 50_000, "score": 5}), RUBRIC).explanation) == LONGEST_EXPLANATION


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["score", "a"]), inner, max_size=2),
    max_leaves=8,
)
PIECES = st.one_of(
    st.text(max_size=12),
    JSON.map(json.dumps),
    st.sampled_from(
        ["{", "}", '"', "'", '{"score":', '"score": 5', "```json\n", "<think>", "</think>", ":", ",", "\\"]
    ),
)


@settings(max_examples=600)
@given(st.lists(PIECES, max_size=8).map("".join))
def test_whatever_comes_is_a_score_of_the_scale_or_unparseable(text):
    reasons = []
    try:
        score = read(text, RUBRIC).score
    except JudgeError as error:
        score = None
        reasons.append(error.reason)
    assert reasons == ["unparseable"] or ("score" in text and 1 <= score <= 5)


@settings(max_examples=300)
@given(st.text(max_size=80), st.integers(1, 5), st.text("abc \n.", max_size=20), st.booleans())
def test_what_an_honest_judge_says_is_read_whatever_it_quotes(explanation, score, around, fenced):
    said = json.dumps({"explanation": explanation, "score": score})
    text = f"{around}\n```json\n{said}\n```\n{around}" if fenced else f"{around}{said}{around}"
    assert read(text, RUBRIC) == Reply(score, explanation)
