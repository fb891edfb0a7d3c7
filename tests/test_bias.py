"""A judge's biases relative to people, and whether the system or the judge has moved."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.judge.bias import (
    Labelled,
    choices,
    family,
    length_association,
    length_lift,
    length_preference,
    own_family,
    own_family_gap,
    own_family_lift,
)
from exporter.judge.drift import diagnose, score_drift
from exporter.judge.intervals import shifted


@pytest.mark.parametrize(
    ("model", "maker"),
    [
        ("gpt-4o-mini-2024-07-18", "openai"),
        ("openai/o3-mini", "openai"),
        ("gpt4", "openai"),
        ("ft:gpt-3.5-turbo:acme", "openai"),
        ("us.anthropic.claude-sonnet-4-5-v1:0", "anthropic"),
        ("models/gemini-2.0-flash", "google"),
        ("meta-llama/Llama-3.1-8B-Instruct", "meta"),
        ("deepseek-r1-distill-llama-70b", "deepseek"),
        ("Qwen2.5-72B-Instruct", "alibaba"),
        ("Mixtral-8x7B-v0.1", "mistral"),
        ("support-bot", ""),
        ("unknown", ""),
        ("", ""),
    ],
)
def test_a_model_name_says_who_made_it_or_nothing(model, maker):
    assert family(model) == maker


def test_families_are_compared_only_where_both_are_known():
    assert own_family("gpt-4o", "openai/o3") is True
    assert own_family("gpt-4o", "claude-haiku") is False
    assert own_family("gpt-4o", "support-bot") is None


def labelled(count, judge, human, length=100, **more):
    return [Labelled(judge=judge, human=human, length=length, **more) for _ in range(count)]


def test_a_judge_that_treats_lengths_as_people_do_has_no_preference():
    cases = labelled(60, "pass", "pass", 900) + labelled(20, "fail", "fail", 100) + labelled(20, "pass", "pass", 100)
    found = length_lift(cases)
    assert found.value == 0
    assert found.low < 0 < found.high


def test_a_judge_that_passes_long_answers_against_people_is_found_out():
    cases = labelled(30, "pass", "pass", 900) + labelled(20, "pass", "fail", 900)
    cases += labelled(30, "pass", "pass", 100) + labelled(20, "fail", "fail", 100)
    found = length_lift(cases)
    assert found.value == pytest.approx(0.4)
    assert found.low > 0.2
    assert found.n == 100


def test_answers_of_one_length_say_nothing_about_length():
    assert length_lift(labelled(50, "pass", "fail")) is None
    assert length_lift([]) is None


def test_pairs_show_what_wins_with_the_judge_and_with_people():
    found = length_preference([(1, 1)] * 50 + [(1, 0)] * 25 + [(0, 0)] * 20 + [(0, 1)] * 5)
    assert (found.judge.value, found.human.value) == (0.75, 0.55)
    assert found.relative.value == pytest.approx(0.2)
    assert 0.08 < found.relative.low < 0.2 < found.relative.high < 0.32
    assert length_preference([]) is None


def test_pairs_are_answers_to_one_question_that_people_and_judge_tell_apart():
    def case(question, human, score, length):
        return Labelled(judge="pass", human=human, length=length, score=score, question=question)

    found = choices(
        [
            case("one", "pass", 0.2, 100),
            case("one", "fail", 0.9, 500),
            case("two", "pass", 0.9, 500),
            case("two", "fail", 0.2, 100),
            case("same verdict", "pass", 0.9, 500),
            case("same verdict", "pass", 0.2, 100),
            case("same score", "pass", 0.5, 500),
            case("same score", "fail", 0.5, 100),
            case("same length", "pass", 0.9, 100),
            case("same length", "fail", 0.2, 100),
            case("alone", "pass", 0.9, 100),
        ]
    )
    assert found == [(1.0, 0.0), (1.0, 1.0)]


def test_own_family_is_measured_beyond_what_people_grant_it():
    ours = labelled(40, "pass", "pass", own_family=True) + labelled(10, "pass", "fail", own_family=True)
    others = labelled(25, "pass", "pass", own_family=False) + labelled(25, "fail", "fail", own_family=False)
    nobody = labelled(10, "pass", "fail", own_family=None)
    found = own_family_lift(ours + others + nobody)
    assert found.value == pytest.approx(0.2)
    assert (found.low > 0, found.n) == (True, 100)
    assert own_family_lift(nobody + ours) is None


def test_on_live_traffic_families_are_compared_as_they_are():
    found = own_family_gap([(True, "pass")] * 90 + [(True, "fail")] * 10 + [(False, "pass"), (False, "fail")] * 50)
    assert found.value == pytest.approx(0.4)
    assert found.n == 200


def test_scores_that_grow_with_length_correlate():
    draw = random.Random(1)
    scores = [(length, min(1.0, length / 2000 + draw.random() / 2)) for length in range(0, 1000, 10)]
    assert length_association(scores).low > 0.4
    assert length_association([(length, draw.random()) for length in range(200)]).low < 0.1


SCORES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=200)


@given(SCORES)
def test_scores_do_not_drift_from_themselves(scores):
    found = score_drift(scores, list(reversed(scores)))
    assert found.index == pytest.approx(0.0)
    assert not found.moved


@given(SCORES, SCORES)
def test_drift_is_the_same_both_ways_and_never_negative(one, other):
    there, back = score_drift(one, other), score_drift(other, one)
    assert there.index == pytest.approx(back.index)
    assert there.index >= 0


def test_chance_alone_seldom_moves_scores_even_in_small_samples():
    draw = random.Random(2)
    scale, weights = (0.0, 0.25, 0.5, 0.75, 1.0), (5, 5, 15, 35, 40)

    def sample(n):
        return draw.choices(scale, weights, k=n)

    assert sum(score_drift(sample(300), sample(60)).moved for _ in range(400)) <= 4


def test_scores_that_moved_are_seen_to_have_moved():
    draw = random.Random(3)
    before = draw.choices((0.25, 0.5, 0.75, 1.0), (5, 15, 40, 40), k=500)
    after = draw.choices((0.25, 0.5, 0.75, 1.0), (15, 35, 30, 20), k=300)
    found = score_drift(before, after)
    assert found.moved
    assert (found.reference, found.n) == (500, 300)
    assert score_drift([], after) is None


STEADY = [("pass", "pass")] * 160 + [("fail", "fail")] * 40
STRICTER = [("pass", "pass")] * 120 + [("pass", "fail")] * 40 + [("fail", "fail")] * 40


def change(anchors):
    """By how much the judge's pass rate changed, from what it said of the same anchors before and now."""
    return shifted((new == "pass") - (old == "pass") for old, new in anchors)


def test_nothing_moved():
    assert diagnose((800, 1000), (798, 1000), change(STEADY)).cause == "steady"


def test_live_traffic_moved_and_the_anchors_did_not_so_it_is_the_system():
    found = diagnose((800, 1000), (600, 1000), change(STEADY))
    assert found.cause == "system"
    assert found.system.value == pytest.approx(-0.2)
    assert found.judge.value == 0


def test_the_anchors_moved_as_live_traffic_did_so_it_is_the_judge():
    found = diagnose((800, 1000), (600, 1000), change(STRICTER))
    assert found.cause == "judge"
    assert found.judge.value == pytest.approx(-0.2)
    assert found.system.low < 0 < found.system.high


def test_a_judge_that_hides_a_worse_system_is_told_from_a_steady_one():
    more_lenient = [(new, old) for old, new in STRICTER]
    assert diagnose((800, 1000), (800, 1000), change(more_lenient)).cause == "both"


def test_with_too_few_anchors_nobody_knows_who_moved():
    assert diagnose((800, 1000), (740, 1000), change(STEADY[:20])).cause == "unclear"
    assert diagnose((800, 1000), (600, 1000), change([])).cause == "unclear"
    assert diagnose((800, 1000), (800, 1000), change([])).cause == "steady"
