"""The judge, as a feature: wires the online judge, its budget and its calibration."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from ..config import Config
from ..evaluators.panel import Panel
from ..features.dispatcher import Features
from ..features.feature import NEGATIVE, Feature, Signalled, Work
from ..judge.budget import limits, share
from ..judge.case import Judgement
from ..judge.gate import Standing
from ..judge.queue import Job
from ..judge.versions import JudgeVersions
from ..metrics import families as f
from ..metrics import own
from ..metrics.gauges import Watched
from ..metrics.labels import Slice
from ..metrics.registry import Metrics
from ..model.score import Outcome, Unscored, Verdict
from ..model.trace import Trace
from ..pipeline.pipeline import Pipeline
from ..store.errors import StoreError
from ..store.opening import open_ledger
from .calibration import Calibration
from .online import OnlineJudge

_LOOK_EVERY: Final = 1.0

_log = logging.getLogger(__name__)


class JudgingFeature(Feature):
    """The judge of one exporter. ``now`` is Unix seconds; raises StoreError."""

    name = "judging"

    def __init__(
        self,
        config: Config,
        panel: Panel,
        pipeline: Pipeline,
        metrics: Metrics,
        features: Features,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._set = config, panel
        self._features = features
        self._recorder = pipeline.recorder
        self._metrics = metrics
        self._ledger_problem: str | None = None
        self._closed = asyncio.Event()
        self._closing: set[asyncio.Task[None]] = set()
        self._ledger = open_ledger(config.judge.ledger, config.judge.caps, now, shared=config.store.shared())
        self.judging = OnlineJudge(
            config.judge,
            pipeline.recorder,
            self._bench(config, {}),
            self._ledger,
            pass_marks=panel.marks,
            content=config.store.content,
            told_verdict=features.judged,
            told_end=self._ended,
            now=now,
            blocked=lambda: pipeline.problem is not None or self._ledger_problem is not None,
        )
        self.calibrating = Calibration(self.judging, pipeline.recorder, metrics, config.judge.anchors.cases, now=now)

    def configure(self, config: Config, panel: Panel) -> None:
        """Apply other settings; calls under way keep their connections until they end."""
        before = self.judging.bench
        self._adopt(config, panel, before.standings)
        self.calibrating.configure(config.judge.anchors.cases)
        self._ledger.configure(config.judge.caps)
        closing = asyncio.create_task(self._close_later(before, config.judge.endpoint.timeout))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    def _adopt(self, config: Config, panel: Panel, standings: Mapping[str, Standing]) -> None:
        self._set = config, panel
        bench = self._bench(config, standings)
        self.judging.configure(config.judge, bench, pass_marks=panel.marks, content=config.store.content)

    async def recover(self) -> None:
        """Load the state of an earlier run; raises StoreError."""
        with suppress(StoreError):  # told and counted by whoever looks next
            await self._ledger.look()
        standings = dict(await self._recorder.judge_standings.all())
        self._adopt(*self._set, standings)
        await self.judging.recover()
        await self.calibrating.recover()

    def work(self) -> Mapping[str, Work]:
        """Judge."""
        return {"judging": self.run}

    async def run(self) -> None:
        """Judge, calibrate and expose measures until cancelled; returns only when calls under way have ended."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_looking_at_the_ledger())
            tasks.create_task(self.judging.run())
            tasks.create_task(self.calibrating.run())

    async def _keep_looking_at_the_ledger(self) -> None:
        """Stop judging while the ledger file is missing: a new, empty one would grant the budget again."""
        while True:
            try:
                await self._ledger.look()
                self._ledger_problem = None
            except StoreError as error:
                self._metrics.store_failed(error.reason)
                if self._ledger_problem is None:
                    _log.error("the judge waits: %s", error)
                self._ledger_problem = error.reason
            await asyncio.sleep(_LOOK_EVERY)

    async def close(self) -> None:
        """Close connections and ledger; open reservations stay spent."""
        self._closed.set()
        await asyncio.gather(*self._closing)
        await self.judging.bench.close()
        self._ledger.close()

    async def _close_later(self, bench: JudgeVersions, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), seconds)
        await bench.close()

    def _bench(self, config: Config, standings: Mapping[str, Standing]) -> JudgeVersions:
        judge = config.judge
        return JudgeVersions(
            judge.endpoint,
            judge.rubrics,
            standings,
            gated=judge.anchors.file is not None,
            headers=judge.sent_headers,
            connections=judge.concurrency,
        )

    def gauges(self) -> Iterable[Watched]:
        """The queue, the circuit breaker, and how much of each limit in force is spent."""
        judging = self.judging
        yield Watched(own.QUEUE_LENGTH, lambda: len(judging.queue), ("judge",))
        yield Watched(own.QUEUE_CAPACITY, lambda: judging.queue.capacity, ("judge",))
        yield Watched(f.JUDGE_LAG, judging.lag)
        yield Watched(f.JUDGE_BREAKER, lambda: float(judging.worker.breaker.state != "closed"))
        for window, unit in limits(self._ledger.caps):
            yield Watched(f.JUDGE_SPENT, partial(self._share, window, unit), (window, unit))

    def _share(self, window: str, unit: str) -> float:
        return share(self._ledger.caps, self._ledger.spent, window, unit)

    def choose(self, trace: Trace, where: Slice, outcome: Outcome) -> tuple[Unscored, ...]:
        """Create judge jobs for a trace; returns the rubrics that will give no verdict, and why."""
        return self.judging.choose(trace, where, outcome)

    def signalled(self, signalled: Signalled) -> None:
        """Judge a trace as a hard case after its user disliked the answer."""
        if signalled.signal in NEGATIVE and signalled.trace is not None:
            self.judging.disliked(signalled.trace, signalled.where)

    def compared(self, judge: tuple[str, str], said: Verdict, human: Verdict) -> None:
        """Count how often the judge agrees with people."""
        self.calibrating.reviewed(judge, said, human)

    def erased(self, trace_ids: Sequence[bytes], user: str | None) -> None:
        """Delete the jobs of traces."""
        self.judging.forget(trace_ids, user)

    def _ended(self, job: Job, judgement: Judgement | None) -> None:
        self.calibrating.observe(job, judgement)
        self._features.observed(job, judgement)
