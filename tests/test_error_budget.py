"""A judge that gives no verdict whatever it is asked is stopped after a handful of calls, and goes on when mended."""

import random

import pytest

from exporter.judge.case import JudgeError
from exporter.judge.error_budget import FAILURES, ErrorBudget

JUDGE = ("helpfulness", "gpt-4o+1")
OTHER = ("faithfulness", "gpt-4o+2")
MISMATCH = JudgeError("pin_mismatch", "another", retry=False, stop="model")
CUT_OFF = JudgeError("unparseable", "cut off", stop="cut_off")


@pytest.fixture
def budget(clock):
    return ErrorBudget(now=clock, chance=random.Random(1))


def fail(budget, error, times=1, judge=JUDGE):
    for _ in range(times):
        assert budget.wait(judge) == 0
        budget.failed(judge, error)


def test_it_is_stopped_after_a_handful_in_a_row_and_says_why(budget):
    fail(budget, CUT_OFF, FAILURES - 1)
    assert budget.stopped(JUDGE) is None
    fail(budget, CUT_OFF)
    assert budget.stopped(JUDGE) is CUT_OFF
    assert budget.wait(JUDGE) > 0


def test_failures_of_different_kinds_add_up_and_a_verdict_among_them_starts_anew(budget):
    fail(budget, CUT_OFF, FAILURES - 1)
    assert budget.wait(JUDGE) == 0
    budget.succeeded(JUDGE)
    fail(budget, MISMATCH, 2)
    fail(budget, CUT_OFF, FAILURES - 3)
    assert budget.stopped(JUDGE) is None
    fail(budget, MISMATCH)
    assert budget.stopped(JUDGE) is MISMATCH


def test_what_is_wrong_with_the_model_counts_for_all_rubrics_and_what_is_wrong_with_a_reply_does_not(budget):
    assert budget.wait(OTHER) == 0
    budget.succeeded(OTHER)
    fail(budget, CUT_OFF, FAILURES)
    assert budget.stopped(OTHER) is None
    budget.reset()
    assert budget.wait(OTHER) == 0
    budget.succeeded(OTHER)
    fail(budget, MISMATCH, FAILURES)
    assert budget.stopped(OTHER) is MISMATCH


def test_a_judge_without_a_verdict_so_far_gets_no_more_calls_at_once_than_may_fail(budget):
    assert [budget.wait(JUDGE) > 0 for _ in range(FAILURES + 2)] == [False] * FAILURES + [True] * 2
    budget.succeeded(JUDGE)
    assert not any(budget.wait(JUDGE) for _ in range(1000))


def test_a_stopped_judge_is_asked_one_case_less_and_less_often_and_at_least_every_hour(budget, clock):
    fail(budget, CUT_OFF, FAILURES)
    waits = []
    for _ in range(12):
        waits.append(budget.wait(JUDGE))
        clock.move(waits[-1])
        assert budget.wait(JUDGE) == 0
        assert budget.wait(JUDGE) > 0
        budget.failed(JUDGE, CUT_OFF)
    assert 30 <= waits[0] <= 60
    assert waits[3] > waits[0]
    assert 1800 <= waits[-1] <= 3600


def test_one_verdict_lets_it_go_on(budget, clock):
    fail(budget, CUT_OFF, FAILURES)
    clock.move(60)
    assert budget.wait(JUDGE) == 0
    budget.succeeded(JUDGE)
    assert budget.stopped(JUDGE) is None
    assert budget.wait(JUDGE) == 0


def test_a_reload_lets_it_go_on_at_once(budget):
    fail(budget, CUT_OFF, FAILURES)
    budget.reset()
    assert (budget.stopped(JUDGE), budget.wait(JUDGE)) == (None, 0)
