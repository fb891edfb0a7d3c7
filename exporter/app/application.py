"""Wires the parts of an exporter: construction, start, stop, and what a reload replaces. No other logic."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from functools import partial

from aiohttp import web

from .. import __version__
from ..answers.feature import AnswersFeature
from ..config import Config, reload
from ..config.configfile import ConfigError, Problem
from ..erasure.feature import ErasureFeature
from ..evaluators import installed
from ..evaluators.panel import Panel
from ..features.dispatcher import Features
from ..features.feature import Work
from ..feedback.feature import FeedbackFeature
from ..feedback.http import PATH as FEEDBACK_PATH
from ..grpc.listener import Listener
from ..http import otlp, pages, requests, static
from ..http.auth import Access
from ..http.connections import Connections
from ..http.hosts import Hosts
from ..http.scraping import Scrapes
from ..judging.calibration import Calibration
from ..judging.feature import JudgingFeature
from ..judging.online import OnlineJudge
from ..metrics import own
from ..metrics.births import Births
from ..metrics.gauges import Watched
from ..metrics.labels import Limiter
from ..metrics.registry import Metrics
from ..pipeline.clock_jumps import Timekeeping
from ..pipeline.pipeline import MOST_UNRECORDED, Pipeline
from ..pipeline.recovery import Recovery
from ..pipeline.settings import Settings
from ..recording.identifiers import Identifiers
from ..recording.prices import Prices
from ..review.feature import ReviewFeature
from ..runtime.clock import SteadyClock
from ..runtime.log import described
from ..status.feature import StatusFeature
from ..store.errors import StoreError
from ..store.kinds import CLOCK
from ..store.opening import open_store
from ..store.quarantine import Quarantine
from ..suites.feature import SuitesFeature

_log = logging.getLogger(__name__)


class Exporter:
    """One running exporter: its config, its parts, and how they change together.

    ``now`` is Unix seconds, by default of a steady clock.
    """

    def __init__(self, config: Config, now: Callable[[], float] | None = None) -> None:
        self.config = config
        panel = config.panel(installed())
        clock = SteadyClock() if now is None else now if isinstance(now, SteadyClock) else None
        self._now = now = now or clock or time.time
        aged = clock.aged if clock else now
        self.store = open_store(config.store.url, aged, ballast=config.store.ballast, shared=config.store.shared())
        if clock is not None and (kept := self.store.rows.record(CLOCK, (self.store.replica,))) is not None:
            clock.resume(CLOCK.decode(*kept))
        self._limiter = Limiter({}, now=now)
        _limit(self._limiter, config)
        self.metrics = Metrics(
            version=__version__,
            evaluators=panel.names,
            pass_marks=panel.pass_marks,
            births=Births(config.metrics.birth),
            limiter=self._limiter,
            now=now,
        )
        self.scrapes = Scrapes(self.metrics)
        self.quarantine = Quarantine(self.store.path, now)
        self.features = Features(self.metrics)
        self.pipeline = Pipeline(self.store, self.metrics, self._settings(config, panel), self.features, now)
        self.pipeline.recorder.aged = aged
        self.time = Timekeeping(clock, self.pipeline.recorder, self.metrics) if clock is not None else None
        self.reception = requests.Reception(
            on_rejected=self.pipeline.rejected,
            on_answered=self.metrics.answered,
            reading=self.store.in_work.reading,
            on_poison=self.quarantine.keep_request,
            now=now,
        )
        self.connections = Connections(config.server.limits, self.metrics.connection_closed)
        self._admit(config)
        self.grpc = Listener(self.pipeline, self.reception, partial(self.metrics.answered, protocol="grpc"))
        self.metrics.watch("pipeline", self._gauges())
        self.feedback = FeedbackFeature(config, self.pipeline, self.features, now)
        self.review = ReviewFeature(config, panel, self.pipeline, self.features, now)
        self.suites = SuitesFeature(config, self.pipeline, self.metrics, self._limiter.peek, now)
        self.erasure = ErasureFeature(config, panel, self.pipeline, self.features, self.quarantine, now)
        self.answers = AnswersFeature(
            config, panel, self.store.answers(), self.review.desk, lambda: self._limiter.slices.shown
        )
        status = StatusFeature(config, self.answers.answers, self._problems, lambda: self.grpc.state)
        self.features.enter(self.feedback, self.review, self.suites, self.erasure, self.answers, status)
        if config.judge.enabled:
            self._judge = JudgingFeature(config, panel, self.pipeline, self.metrics, self.features, now)
            self.features.enter(self._judge)
        if config.judge.emit is not None:
            from ..emission.feature import EmissionFeature  # noqa: PLC0415 - who sends nothing needs no HTTP client, nor its memory

            self.features.enter(EmissionFeature(config.judge.emit, self.pipeline.recorder, now))
        self.metrics.config_loaded(succeeded=True)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def _problems(self) -> tuple[str | None, str | None]:
        return self.problem, self.pipeline.problem

    @property
    def judging(self) -> OnlineJudge:
        """The judge at work; there must be one."""
        return self._judge.judging

    @property
    def calibrating(self) -> Calibration:
        """The judge under calibration; there must be one."""
        return self._judge.calibrating

    async def start(self) -> None:
        """Load the state of an earlier run, then start working."""
        await self.features.recover()
        waiting = await Recovery(self.pipeline, self.store, self.metrics, self.quarantine).run()
        if waiting:
            _log.info("recovered: requests=%d", waiting)
        with suppress(StoreError):  # counted, and found out by whoever writes next
            await self.pipeline.writer.keep_ballast()
        work: dict[str, Work] = {
            "connections": self.connections.run,
            "scoring": self.pipeline.run,
        }
        if self.time is not None:
            work["looking after the clock"] = self.time.run
        for feature in self.features:
            work |= feature.work()
        self._tasks = {name: asyncio.create_task(run(), name=f"llmq {name}") for name, run in work.items()}

    async def stop(self) -> None:
        """Make durable what was scored; traces still open stay in the journal for the next start."""
        for name, task in reversed(self._tasks.items()):
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled() and (error := task.exception()) is not None:
                _log.error("%s had stopped: error=%s", name, described(error))
        await self.reception.decoding.close()
        if self.time is not None:
            self.time.keep()
        with suppress(StoreError):  # what could not be made durable is in the journal
            await self.pipeline.flush()
        for feature in self.features:
            await feature.close()
        await self.pipeline.stop()
        self.store.close()

    @property
    def problem(self) -> str | None:
        """Why this exporter does not do its work; None while it does."""
        if not self._tasks:
            return "starting"
        stopped = next((name for name, task in self._tasks.items() if task.done()), None)
        return None if stopped is None else f"{stopped} has stopped, see the log"

    def reload(self) -> None:
        """Read the config again and swap it whole, or keep the one in use and raise ConfigError."""
        try:
            config = reload(self.config)
            _refuse_what_needs_a_restart(self.config, config)
            panel = config.panel(installed())
        except ConfigError:
            self.metrics.config_loaded(succeeded=False)
            raise
        self.config = config
        _limit(self._limiter, config)
        self.metrics.configure(panel.names, panel.pass_marks)
        self.metrics.births.wait = config.metrics.birth
        self.pipeline.configure(self._settings(config, panel))
        self.features.configure(config, panel)
        self._admit(config)
        self.metrics.config_loaded(succeeded=True)

    def _admit(self, config: Config) -> None:
        """Apply auth tokens and request limits."""
        server = config.server
        self.reception.access = Access(server.tokens)
        self.reception.hosts = Hosts(
            server.listen,
            server.hosts,
            {FEEDBACK_PATH: config.feedback.origins},
            checks_host=not server.tokens,
        )
        self.reception.limits = config.limits.decode()
        self.reception.body_bytes = config.limits.body_bytes
        self.reception.pending_bytes = config.limits.pending_bytes
        self.reception.body_seconds = server.limits.body
        self.connections.configure(server.limits)

    def _settings(self, config: Config, panel: Panel) -> Settings:
        return Settings(
            sources=config.attributes,
            helpers=config.helpers,
            panel=panel,
            limiter=self._limiter,
            prices=Prices(config.prices),
            decode=config.limits.decode(),
            assembly=config.assembly,
            content=config.store.content,
            identifiers=Identifiers(config.store.identifiers),
            journal_bytes=config.store.journal,
            redactor=config.privacy.redactor(),
            expire_after=config.labels.expire_after,
            ballast_bytes=config.store.ballast,
            retention_age=config.store.retention.age,
            retention_bytes=config.store.retention.size,
            content_age=config.store.retention.content,
        )

    def _gauges(self) -> Iterator[Watched]:
        pipeline, slices = self.pipeline, self._limiter.slices
        assembler = pipeline.assembler
        yield Watched(own.OPEN_CONNECTIONS, lambda: len(self.connections))
        yield Watched(own.GRPC_CALLS, lambda: len(self.grpc))
        yield Watched(own.HELD_SERIES, lambda: len(self.metrics.births))
        yield Watched(own.OPEN_TRACES, lambda: len(assembler))
        yield Watched(own.OPEN_TRACE_BYTES, lambda: assembler.bytes)
        yield Watched(own.STORE_SIZE, self.store.size_bytes)
        yield Watched(own.STORE_BALLAST, lambda: self.store.ballast_bytes)
        yield Watched(own.JOURNAL_ENTRIES, lambda: assembler.waiting)
        yield Watched(own.JOURNAL_LAG, pipeline.lag)
        yield Watched(own.JOURNAL_SIZE, lambda: pipeline.writer.journal_bytes)
        yield Watched(own.JOURNAL_CAPACITY, lambda: pipeline.journal_bytes)
        yield Watched(own.SLICES, lambda: len(slices.shown), ("shown",))
        yield Watched(own.SLICES, lambda: len(slices.parked), ("parked",))
        yield Watched(own.SLICES, lambda: slices.most, ("limit",))
        yield Watched(own.QUEUE_LENGTH, lambda: pipeline.unrecorded, ("unrecorded",))
        yield Watched(own.QUEUE_CAPACITY, lambda: MOST_UNRECORDED, ("unrecorded",))
        yield Watched(own.QUEUE_LENGTH, lambda: len(assembler), ("open_traces",))
        yield Watched(own.QUEUE_CAPACITY, lambda: assembler.limits.max_traces, ("open_traces",))


def make_app(exporter: Exporter) -> web.Application:
    """Return the web application of an exporter, which it starts and stops."""
    app = web.Application(handler_args=requests.SERVER_OPTIONS)
    app[pages.EXPORTER] = exporter
    app[otlp.INTAKE] = exporter.pipeline
    app[requests.RECEPTION] = exporter.reception
    app.cleanup_ctx.append(_lifetime)
    app.middlewares.append(requests.same_site(otlp.refused_as_read))
    otlp.add_routes(app)
    exporter.features.add_routes(app)
    static.add_routes(app)
    pages.add_routes(app)
    return app


async def _lifetime(app: web.Application) -> AsyncIterator[None]:
    exporter = app[pages.EXPORTER]
    await exporter.start()
    yield
    await exporter.stop()


def _limit(limiter: Limiter, config: Config) -> None:
    labels = config.labels
    limiter.configure(
        labels.budgets,
        slices=labels.slices,
        max_length=labels.max_length,
        allow=labels.allow,
        template_routes=labels.template_routes,
    )


def _refuse_what_needs_a_restart(old: Config, new: Config) -> None:
    fixed = [
        ("$.server.listen", old.server.listen, new.server.listen),
        ("$.server.grpc", old.server.grpc, new.server.grpc),
        ("$.store.url", old.store.url, new.store.url),
        ("$.judge.enabled", old.judge.enabled, new.judge.enabled),
        ("$.judge.concurrency", old.judge.concurrency, new.judge.concurrency),
        ("$.judge.budget.ledger", old.judge.ledger, new.judge.ledger),
        ("$.judge.emit", old.judge.emit, new.judge.emit),
    ]
    problems = [
        Problem(str(new.origin.path), 0, where, "cannot change at a reload: restart to apply it")
        for where, before, after in fixed
        if before != after
    ]
    if problems:
        raise ConfigError(problems)
