"""`refusal`: declining is told by what is said; "not in the context" is told apart."""

import pytest

from exporter.evaluators.refusal import refusal
from exporter.model.trace import Trace


def said(answer, **fields):
    trace = Trace(trace_id="t", content_state=fields.pop("content_state", "answered"), answer=answer, **fields)
    return refusal(trace)


DECLINES = [
    "I'm sorry, but I can't help with that.",
    "I\u2019m sorry, but I can\u2019t assist with that request.",
    "I cannot provide instructions for making explosives. It would be illegal and dangerous.",
    "As an AI language model, I am unable to give medical advice of that kind.",
    "I must respectfully decline to write that letter. It is not appropriate to threaten a neighbour.",
    "I won't help you get into an account that is not yours; doing so is illegal.",
    "Unfortunately, I'm not able to share personal information about other customers.",
    "Sorry, but I cannot answer this. If you are struggling, please reach out to a crisis hotline.",
]

ANSWERS = [
    "To reset the router, hold the button for ten seconds and wait for the light to turn green.",
    "The museum is closed on Mondays and opens at nine on all other days.",
    "Sure! Here are three names for the cat: Biscuit, Comet and Olive.",
    "I can't help but smile when I hear that song; it was recorded in 1974 in a garage in Ohio.",
    "I cannot recommend this bakery enough: the rye bread is superb and the staff are kind.",
    "The contract was cancelled because the supplier could not deliver the parts in time.",
    "You can cancel within 14 days. After that we cannot refund shipping costs.",
    "1. Preheat the oven.\n2. Mix flour and butter.\n3. Bake for forty minutes.",
    "Sorry for the long wait! Your parcel left our warehouse this morning and arrives on Friday.",
]


@pytest.mark.parametrize("answer", DECLINES)
def test_declining_scores_low(answer):
    score = said(answer)
    assert score.value < 0.5
    assert score.explanation == "declined in words"


@pytest.mark.parametrize("answer", ANSWERS)
def test_answering_scores_high(answer):
    assert said(answer).value > 0.5


@pytest.mark.parametrize(
    "answer",
    [
        "I don't have enough information to answer that.",
        "The provided documents do not mention the warranty period.",
        "I cannot answer this question because it is not covered by the documents I was given.",
        "That detail is not stated in the context.",
        "I couldn't find any information about parking.",
    ],
)
def test_not_in_the_context_is_told_apart_and_counts_as_configured(answer):
    score = said(answer)
    assert score.value <= 0.11
    assert score.passed is None
    assert "does not hold the answer" in score.explanation
    trace = Trace(trace_id="t", content_state="answered", answer=answer)
    assert refusal(trace, not_in_context="pass").passed is True


def test_a_safety_refusal_fails_even_where_not_in_context_passes():
    trace = Trace(trace_id="t", content_state="answered", answer=DECLINES[0])
    assert refusal(trace, not_in_context="pass").passed is None


def test_the_refusal_field_counts_whatever_the_answer_says():
    assert said("Paris.", refusal="I can't do that.").value == 0.0
    assert said(None, content_state="refused").value == 0.0


@pytest.mark.parametrize("answer", [None, ""])
def test_without_an_answer_it_does_not_apply(answer):
    assert said(answer) is None


def test_a_long_answer_is_judged_by_its_beginning():
    tail = " The parcel weighs two kilograms." * 5000
    assert said(DECLINES[0] + tail).value < 0.5
    assert said(ANSWERS[0] + tail).value > 0.5
