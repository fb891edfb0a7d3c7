"""The judge's queue: what is next, what comes back, and what is counted meanwhile."""

import pytest

from exporter.judge.case import Case
from exporter.judge.queue import Job, Queue


def job(trace_id="a", *, sample="random", due_at=0.0, created_at=0.0, role="acting"):
    return Job(
        trace_id=trace_id,
        evaluator="helpfulness",
        version="m+1",
        role=role,
        sample=sample,
        where=("app", "/r", "m", "p"),
        case=Case(question="q", answer="a"),
        created_at=created_at,
        due_at=due_at,
    )


@pytest.fixture
def queue():
    return Queue(capacity=3)


def test_the_earliest_due_job_is_next(queue):
    queue.put(job("late", due_at=2.0))
    queue.put(job("early", due_at=1.0))
    assert queue.claim(5.0).trace_id == "early"


def test_the_random_sample_goes_before_hard_cases(queue):
    queue.put(job("hard", sample="targeted", due_at=1.0))
    queue.put(job("drawn", due_at=2.0))
    assert queue.claim(5.0).trace_id == "drawn"


def test_a_hard_case_goes_while_no_other_is_due(queue):
    queue.put(job("hard", sample="targeted", due_at=1.0))
    queue.put(job("drawn", due_at=9.0))
    assert queue.claim(5.0).trace_id == "hard"


def test_nothing_is_claimed_before_it_is_due(queue):
    queue.put(job(due_at=6.0))
    assert queue.claim(5.0) is None
    assert queue.claim(6.0).due_at == 6.0


def test_a_claimed_job_is_not_claimed_again_and_still_counts(queue):
    queue.put(job())
    queue.claim(1.0)
    assert queue.claim(1.0) is None
    assert len(queue) == 1


def test_a_job_that_failed_comes_back_when_it_is_due_again(queue):
    queue.put(job())
    queue.put(queue.claim(1.0).again(due_at=8.0))
    assert queue.claim(7.0) is None
    assert queue.claim(8.0).attempts == 1
    assert len(queue) == 1


def test_a_released_job_is_gone(queue):
    queue.put(job())
    queue.release(queue.claim(1.0))
    assert len(queue) == 0
    assert queue.oldest() is None


def test_the_same_job_twice_is_one(queue):
    queue.put(job())
    queue.put(job(due_at=4.0))
    assert len(queue) == 1
    assert queue.claim(3.0) is None
    assert queue.claim(4.0) is not None


def test_roles_of_one_trace_are_jobs_of_their_own(queue):
    queue.put(job(role="acting"))
    queue.put(job(role="shadow"))
    assert len(queue) == 2


def test_it_is_full_at_its_capacity_and_claimed_jobs_fill_it(queue):
    for number in range(3):
        queue.put(job(str(number)))
    queue.claim(1.0)
    assert queue.is_full


def test_the_oldest_job_is_the_oldest_by_creation_also_when_claimed(queue):
    queue.put(job("old", created_at=1.0))
    queue.claim(1.0)
    queue.put(job("new", created_at=5.0))
    assert queue.oldest() == 1.0
