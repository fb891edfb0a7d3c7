"""Takes jobs from the queue to the judge, within a budget, until each has ended. Knows no store and no metric.

A job ends in one of three ways: judged, failed with a reason, or over budget. An endpoint that is down costs no job its
attempts: while the breaker is open nothing is claimed.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Protocol

from .breaker import Backoff, Breaker, blames_endpoint
from .budget import Cost, Purse, Short, Tariff
from .case import JudgeError, Judgement, Usage
from .queue import Job, Queue

_log = logging.getLogger(__name__)

ATTEMPTS: Final = 6
OLDEST: Final = 6 * 3600.0
"""Seconds after which a job fails, however often it was tried: a verdict of yesterday helps nobody on call."""
_LOOK_EVERY: Final = 1.0
_FAILURES: Final = 10
"""In a row, after which the endpoint is left alone: one that fails three times in ten is still worth its calls."""


class Outcomes(Protocol):
    """Hears how jobs end."""

    def judged(self, job: Job, judgement: Judgement, cost: Cost) -> None:
        """The judge gave its verdict."""

    def again(self, job: Job, error: JudgeError, cost: Cost) -> None:
        """An attempt failed; the job waits to be tried again."""

    def failed(self, job: Job, error: JudgeError, cost: Cost) -> None:
        """The job failed for good."""

    def over_budget(self, job: Job, limit: Short) -> None:
        """There was no money left for it."""


class Asked(Protocol):
    """Asks the judge that a job is for."""

    def most(self, job: Job) -> Usage:
        """At least as many tokens as the call will be billed; KeyError where there is no such judge any more."""

    def judge(self, job: Job) -> Awaitable[Judgement]:
        """The verdict; raises JudgeError."""


class Worker:
    """Some loops over one queue. ``now`` is Unix seconds; ``blocked`` says that ends cannot be recorded for now."""

    def __init__(
        self,
        queue: Queue,
        asked: Asked,
        outcomes: Outcomes,
        *,
        purse: Purse,
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
        self._purse = purse
        self.tariff = tariff
        self._concurrency = concurrency
        self.attempts = attempts
        self._backoff = backoff
        self._now = now
        self._chance = chance or random.Random()  # noqa: S311 (jitter)
        self._blocked = blocked
        self.breaker = Breaker(now=now, chance=self._chance, failures=_FAILURES)
        self._work = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """There may be work."""
        self._work.set()

    async def run(self) -> None:
        """Work until stopped; calls under way are finished."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._concurrency):
                tasks.create_task(self._keep_working())

    def stop(self) -> None:
        """Begin nothing new."""
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
                self.breaker.abandoned()
                self.queue.put(job.again(self._now() + _LOOK_EVERY))

    def _next(self) -> Job | None:
        if not self.breaker.allow():
            return None
        job = self.queue.claim(self._now())
        if job is None:
            self.breaker.abandoned()
        return job

    async def _wait(self) -> None:
        """Until there is work, or a job may have become due."""
        self._work.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._work.wait(), _LOOK_EVERY)

    async def _work_on(self, job: Job) -> None:
        if self._now() - job.created_at > OLDEST:
            self.breaker.abandoned()
            self._fail(job, JudgeError("expired", "waited too long", retry=False), Cost())
            return
        try:
            most = self.tariff.cost(self._asked.most(job))
        except KeyError:
            self.breaker.abandoned()
            self._fail(job, JudgeError("expired", "its judge is no longer configured", retry=False), Cost())
            return
        reserve = asyncio.to_thread(self._purse.reserve, most.tokens, most.micros, targeted=job.sample == "targeted")
        reserved = await reserve
        if isinstance(reserved, str):
            self.breaker.abandoned()
            self.queue.release(job)
            self._outcomes.over_budget(job, reserved)
            return
        await self._ask(job, reserved)

    async def _ask(self, job: Job, reservation: int) -> None:
        try:
            judgement = await self._asked.judge(job)
        except JudgeError as error:
            cost = await self._settle(reservation, error.usage)
            self._tell_breaker(error)
            self._try_again_or_fail(job, error, cost)
        else:
            cost = await self._settle(reservation, judgement.usage)
            self.breaker.succeeded()
            self.queue.release(job)
            self._outcomes.judged(job, judgement, cost)

    async def _settle(self, reservation: int, usage: Usage) -> Cost:
        cost = self.tariff.cost(usage)
        await asyncio.to_thread(self._purse.settle, reservation, cost.tokens, cost.micros)
        return cost

    def _tell_breaker(self, error: JudgeError) -> None:
        if blames_endpoint(error):
            self.breaker.failed(error.after)
        else:
            self.breaker.succeeded()

    def _try_again_or_fail(self, job: Job, error: JudgeError, cost: Cost) -> None:
        if not error.retry or job.attempts + 1 >= self.attempts:
            self._fail(job, error, cost)
            return
        wait = max(self._backoff.wait(job.attempts + 1, self._chance), error.after or 0.0)
        later = job.again(self._now() + wait)
        self.queue.put(later)
        self._outcomes.again(later, error, cost)

    def _fail(self, job: Job, error: JudgeError, cost: Cost) -> None:
        self.queue.release(job)
        self._outcomes.failed(job, error, cost)
