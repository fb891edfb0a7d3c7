"""Workers that take jobs from the queue and call the judge, within a budget. Know no store and no metric.

A job ends in one of three ways: judged, failed with a reason, or over budget. Failures are kept apart: a failing case
costs its job an attempt; a failing endpoint costs none, and while its circuit breaker is open no job is claimed; a
judge that gives no verdict on any case is stopped by its error budget, and its jobs wait.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Protocol

from msgspec.structs import replace

from .breaker import Backoff, Breaker
from .budget import Cost, Ledger, Short, Tariff
from .case import JudgeError, Judgement, Usage
from .error_budget import ErrorBudget
from .queue import Job, Queue

_log = logging.getLogger(__name__)

ATTEMPTS: Final = 6
OLDEST: Final = 6 * 3600.0
"""Seconds after which a job fails, however often it was tried: a verdict of yesterday helps nobody on call."""
_LOOK_EVERY: Final = 1.0
_FAILURES: Final = 10
"""In a row, after which the endpoint is left alone: one that fails three times in ten is still worth its calls."""


class Outcomes(Protocol):
    """Callbacks for the outcomes of jobs."""

    def judged(self, job: Job, judgement: Judgement, cost: Cost) -> None:
        """The judge gave its verdict."""

    def again(self, job: Job, error: JudgeError, cost: Cost) -> None:
        """An attempt failed; the job waits to be tried again."""

    def failed(self, job: Job, error: JudgeError, cost: Cost) -> None:
        """The job failed for good."""

    def over_budget(self, job: Job, limit: Short) -> None:
        """The budget did not allow the call."""


class Asker(Protocol):
    """The judge of a job, as the worker calls it."""

    def most(self, job: Job) -> Usage:
        """An upper bound of the tokens that the call is billed; KeyError where there is no such judge any more."""

    def judge(self, job: Job) -> Awaitable[Judgement]:
        """The verdict; raises JudgeError."""


class Worker:
    """Concurrent loops over one queue. ``now`` is Unix seconds; ``blocked``: outcomes cannot be recorded now."""

    def __init__(
        self,
        queue: Queue,
        asked: Asker,
        outcomes: Outcomes,
        *,
        ledger: Ledger,
        tariff: Tariff,
        concurrency: int = 4,
        attempts: int = ATTEMPTS,
        backoff: Backoff = Backoff(),  # noqa: B008 (frozen)
        now: Callable[[], float] = time.time,
        chance: random.Random | None = None,
        blocked: Callable[[], bool] = lambda: False,
    ) -> None:
        self.queue = queue
        self._asked = asked
        self._outcomes = outcomes
        self._ledger = ledger
        self.tariff = tariff
        self._concurrency = concurrency
        self.attempts = attempts
        self._backoff = backoff
        self._now = now
        self._chance = chance or random.Random()  # noqa: S311 (jitter)
        self._blocked = blocked
        self.breaker = Breaker(now=now, chance=self._chance, failures=_FAILURES)
        self.errors = ErrorBudget(now=now, chance=self._chance)
        self._answered_at = 0.0
        """When the endpoint last did its work."""
        self._work = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Check the queue: there may be a new job."""
        self._work.set()

    async def run(self) -> None:
        """Process jobs until stopped; calls under way are finished."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._concurrency):
                tasks.create_task(self._keep_working())

    def stop(self) -> None:
        """Start no further job."""
        self._stopping = True
        self._work.set()

    async def _keep_working(self) -> None:
        while not self._stopping:
            job = None if self._blocked() else self._next()
            if job is None:
                await self._wait()
                continue
            try:
                await self._work_on(job)
            except Exception as error:  # noqa: BLE001 - the ledger's disk, or a fault of ours: the job stays
                _log.error("judge job put back: error=%s", type(error).__name__)
                self._not_asked(job)
                self.queue.put(job.later(self._now() + _LOOK_EVERY))

    def _next(self) -> Job | None:
        if not self.breaker.allow():
            return None
        while (job := self.queue.claim(self._now())) is not None:
            wait = 0.0 if self._is_too_old(job) else self.errors.wait(_judge(job))
            if not wait:
                return job
            self.queue.put(replace(job, due_at=self._now() + wait))
        self.breaker.abandoned()
        return None

    async def _wait(self) -> None:
        """Until there is work, or a job may have become due."""
        self._work.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._work.wait(), _LOOK_EVERY)

    def _is_too_old(self, job: Job) -> bool:
        return self._now() - job.created_at > OLDEST

    def _not_asked(self, job: Job) -> None:
        self.breaker.abandoned()
        self.errors.abandoned(_judge(job))

    async def _work_on(self, job: Job) -> None:
        if self._is_too_old(job):
            self.breaker.abandoned()
            stopped = self.errors.stopped(_judge(job))
            self._expire(job, f"waited too long, for the judge is stopped: {stopped}" if stopped else "waited too long")
            return
        try:
            most = self.tariff.cost(self._asked.most(job))
        except KeyError:
            self._not_asked(job)
            self._expire(job, "its judge is no longer configured")
            return
        reserved = await self._ledger.reserve(most.tokens, most.micros, targeted=job.sample == "targeted")
        if isinstance(reserved, str):
            self._not_asked(job)
            self.queue.release(job)
            self._outcomes.over_budget(job, reserved)
            return
        await self._ask(job, reserved)

    async def _ask(self, job: Job, reservation: int) -> None:
        try:
            judgement = await self._asked.judge(job)
        except JudgeError as error:
            cost = await self._settle(reservation, error.usage)
            costs_attempt = self._costs_attempt(job, error)
            self._blame(job, error)
            self._try_again_or_fail(job, error, cost, costs_attempt=costs_attempt)
        else:
            cost = await self._settle(reservation, judgement.usage)
            self._answered()
            self.errors.succeeded(_judge(job))
            self.queue.release(job)
            self._outcomes.judged(job, judgement, cost)

    async def _settle(self, reservation: int, usage: Usage) -> Cost:
        cost = self.tariff.cost(usage)
        await self._ledger.settle(reservation, cost.tokens, cost.micros)
        return cost

    def _answered(self) -> None:
        self._answered_at = self._now()
        self.breaker.succeeded()

    def _blame(self, job: Job, error: JudgeError) -> None:
        """Count a failure against the endpoint, or against the judge."""
        if error.blame == "endpoint":
            self.breaker.failed(error.after)
            self.errors.abandoned(_judge(job))
        else:
            self._answered()
            self.errors.failed(_judge(job), error)

    def _costs_attempt(self, job: Job, error: JudgeError) -> bool:
        """Whether a failure is the case's own.

        One that may be the endpoint's is the case's where the endpoint answered others since this one failed before.
        """
        if error.blame != "endpoint":
            return error.blame == "case"
        return error.suspect and 0 < job.failed_at < self._answered_at

    def _try_again_or_fail(self, job: Job, error: JudgeError, cost: Cost, *, costs_attempt: bool) -> None:
        if costs_attempt and (not error.retry or job.attempts + 1 >= self.attempts):
            self._fail(job, error, cost)
            return
        now = self._now()
        wait = max(self._backoff.wait(job.attempts + job.waits + 1, self._chance), error.after or 0.0)
        later = job.again(now + wait, now) if costs_attempt else job.later(now + wait, now)
        self.queue.put(later)
        self._outcomes.again(later, error, cost)

    def _expire(self, job: Job, why: str) -> None:
        self._fail(job, JudgeError("expired", why, retry=False), Cost())

    def _fail(self, job: Job, error: JudgeError, cost: Cost) -> None:
        self.queue.release(job)
        self._outcomes.failed(job, error, cost)


def _judge(job: Job) -> tuple[str, str]:
    return job.evaluator, job.version
