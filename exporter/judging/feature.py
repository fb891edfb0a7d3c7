"""The judge with its purse and its calibration, put on the road: what it is made of, and what a reload swaps.

No logic of its own.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from ..config import Config
from ..evaluators.panel import Panel
from ..judge.versions import Bench, decoded
from ..metrics import families as f
from ..metrics import own
from ..metrics.registry import Metrics
from ..pipeline.pipeline import Pipeline
from ..store.kinds import JUDGE_STANDING
from ..store.records import StoreError
from ..store.sqlite.files import locate
from ..store.sqlite.spend_ledger import Purse
from .calibration import Calibrating
from .online import Judging

_LOOK_EVERY: Final = 1.0

_log = logging.getLogger(__name__)


class CalibratedJudge:
    """The judge of one exporter. ``now`` is Unix seconds; raises StoreError."""

    def __init__(
        self, config: Config, panel: Panel, pipeline: Pipeline, metrics: Metrics, now: Callable[[], float] = time.time
    ) -> None:
        self._recorder = pipeline.recorder
        self._metrics = metrics
        self._ledger_problem: str | None = None
        self._closed = asyncio.Event()
        self._closing: set[asyncio.Task[None]] = set()
        self._purse = Purse(locate(config.judge.ledger), config.judge.caps, now=now)
        self.judging = Judging(
            config.judge,
            pipeline.recorder,
            self._bench(config),
            self._purse,
            pass_marks=panel.marks,
            content=config.store.content,
            now=now,
            blocked=lambda: pipeline.problem is not None or self._ledger_problem is not None,
        )
        pipeline.judges = self.judging
        self.calibrating = Calibrating(self.judging, pipeline.recorder, metrics, config.judge.anchors.cases, now=now)
        self._watch(metrics)

    def configure(self, config: Config, panel: Panel) -> None:
        """Go on with other settings; calls under way end with the connections that they have."""
        before = self.judging.bench
        self.judging.configure(config.judge, self._bench(config), pass_marks=panel.marks, content=config.store.content)
        self.calibrating.configure(config.judge.anchors.cases)
        self._purse.caps = config.judge.caps
        closing = asyncio.create_task(self._close_later(before, config.judge.endpoint.timeout))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    def recover(self) -> None:
        """Take up what an earlier run left; raises StoreError."""
        self.judging.recover()
        self.calibrating.recover()

    async def run(self) -> None:
        """Judge, drip, decide and show until cancelled; returns when the calls under way have ended, not before."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_looking_at_the_ledger())
            tasks.create_task(self.judging.run())
            tasks.create_task(self.calibrating.run())

    async def _keep_looking_at_the_ledger(self) -> None:
        """Ask for nothing while the ledger is gone: another one, which is empty, would give the budget again."""
        while True:
            try:
                self._purse.verify()
                self._ledger_problem = None
            except StoreError as error:
                self._metrics.store_failed(error.reason)
                if self._ledger_problem is None:
                    _log.error("the judge waits: %s", error)
                self._ledger_problem = error.reason
            await asyncio.sleep(_LOOK_EVERY)

    async def close(self) -> None:
        """Close connections and ledger; what was reserved stays spent."""
        self._closed.set()
        await asyncio.gather(*self._closing)
        await self.judging.bench.close()
        self._purse.close()

    async def _close_later(self, bench: Bench, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), seconds)
        await bench.close()

    def _bench(self, config: Config) -> Bench:
        judge = config.judge
        return Bench(
            judge.endpoint,
            judge.rubrics,
            {key.decode(): decoded(value) for key, _, value in self._recorder.kept(JUDGE_STANDING)},
            gated=judge.anchors.file is not None,
            api_key=judge.api_key.value if judge.api_key else "",
            connections=judge.concurrency,
        )

    def _watch(self, metrics: Metrics) -> None:
        judging, watch = self.judging, metrics.watch
        watch(own.QUEUE_LENGTH, lambda: len(judging.queue), "judge")
        watch(own.QUEUE_CAPACITY, lambda: judging.queue.capacity, "judge")
        watch(f.JUDGE_LAG, judging.lag)
        watch(f.JUDGE_BREAKER, lambda: float(judging.worker.breaker.state != "closed"))
        for window, unit in self._purse.limits():
            watch(f.JUDGE_SPENT, partial(self._purse.share, window, unit), window, unit)
