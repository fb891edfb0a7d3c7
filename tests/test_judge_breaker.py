"""The circuit breaker: when calls stop, when one may try, and when all go on."""

import random

import pytest

from exporter.judge.breaker import Backoff, Breaker
from exporter.judge.case import JudgeError


@pytest.fixture
def breaker(clock):
    return Breaker(now=clock, chance=random.Random(1), failures=3, backoff=Backoff(first=10.0, longest=100.0))


def fail(breaker, times):
    for _ in range(times):
        assert breaker.allow()
        breaker.failed()


def test_failures_in_a_row_open_it_and_a_success_between_them_does_not(breaker):
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 2)
    assert breaker.state == "closed"
    fail(breaker, 1)
    assert (breaker.state, breaker.allow()) == ("open", False)
    assert 0 < breaker.wait <= 10


def test_after_its_wait_one_call_at_a_time_finds_out(breaker, clock):
    fail(breaker, 3)
    clock.move(breaker.wait)
    assert breaker.state == "half_open"
    assert [breaker.allow() for _ in range(3)] == [True, False, False]
    breaker.succeeded()
    assert breaker.state == "closed"
    assert [breaker.allow() for _ in range(3)] == [True, True, True]


def test_a_failed_try_opens_it_again_and_for_longer_each_time_up_to_a_limit(breaker, clock):
    fail(breaker, 3)
    waits = []
    for _ in range(200):
        waits.append(breaker.wait)
        clock.move(breaker.wait)
        assert breaker.allow()
        breaker.failed()
    assert max(waits) <= 100
    assert max(waits[10:]) > 50
    assert min(waits[10:]) < 20


def test_a_try_that_was_abandoned_lets_another_try(breaker, clock):
    fail(breaker, 3)
    clock.move(breaker.wait)
    assert breaker.allow()
    breaker.abandoned()
    assert breaker.allow()


def test_what_the_endpoint_asks_for_is_heeded_at_once_and_a_late_success_changes_nothing(breaker, clock):
    assert breaker.allow()
    assert breaker.allow()
    breaker.failed(after=30.0)
    breaker.succeeded()
    assert (breaker.state, breaker.wait) == ("open", 30.0)
    clock.move(30.0)
    assert breaker.allow()
    breaker.succeeded()
    assert breaker.state == "closed"


def test_calls_on_their_way_when_it_opened_do_not_make_the_wait_longer(breaker):
    for _ in range(6):
        assert breaker.allow()
    for _ in range(3):
        breaker.failed()
    before = breaker.wait
    for _ in range(3):
        breaker.failed()
    assert breaker.wait == before


def test_waits_double_are_bounded_and_spread_over_all_of_it():
    backoff, chance = Backoff(first=1.0, longest=60.0), random.Random(2)
    for attempt, most in ((1, 1.0), (2, 2.0), (4, 8.0), (7, 60.0), (5000, 60.0)):
        waits = [backoff.wait(attempt, chance) for _ in range(500)]
        assert max(waits) <= most
        assert min(waits) < 0.05 * most
        assert max(waits) > 0.95 * most


def test_two_callers_do_not_keep_step():
    backoff = Backoff()
    ours, theirs = random.Random(1), random.Random(2)
    assert [backoff.wait(n, ours) for n in range(1, 9)] != [backoff.wait(n, theirs) for n in range(1, 9)]


@pytest.mark.parametrize(
    ("error", "blamed"),
    [
        (JudgeError("timeout", ""), "endpoint"),
        (JudgeError("unreachable", ""), "endpoint"),
        (JudgeError("rate_limited", ""), "endpoint"),
        (JudgeError("http_error", ""), "endpoint"),
        (JudgeError("http_error", "", stop="credentials"), "judge"),
        (JudgeError("http_error", "", stop="not_found"), "judge"),
        (JudgeError("http_error", "", retry=False, stop="request"), "case"),
        (JudgeError("unparseable", "", stop="unparseable"), "case"),
        (JudgeError("refused", "", retry=False, stop="refused"), "case"),
        (JudgeError("pin_mismatch", "", retry=False, stop="model"), "case"),
    ],
)
def test_a_failure_tells_of_the_endpoint_of_the_judge_or_of_the_case(error, blamed):
    assert error.blame == blamed
