"""All wiring and no logic: which part gets which, what starts and stops when, and what a reload swaps."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from .. import __version__
from ..config import Config, reload
from ..config.configfile import ConfigError, Problem
from ..config.settings import Emit
from ..decode.batch import DecodeLimits
from ..erasure import http as erasure_http
from ..evaluators import installed
from ..evaluators.panel import Panel
from ..feedback import http as feedback_http
from ..feedback.attribution import complaints
from ..feedback.join import SIGNAL, FeedbackDesk
from ..http import otlp, pages, requests
from ..http.auth import Access
from ..http.connections import Connections
from ..http.hosts import Hosts
from ..http.scraping import Scrapes
from ..judging.calibration import Calibrating
from ..judging.feature import CalibratedJudge
from ..judging.online import Judging
from ..metrics import own
from ..metrics.births import Births
from ..metrics.labels import Limiter
from ..metrics.registry import Metrics
from ..model.score import Evaluation, Failure
from ..pipeline.clock_jumps import KEY, Timekeeping
from ..pipeline.pipeline import MOST_UNRECORDED, Pipeline
from ..pipeline.recovery import Recovery
from ..pipeline.settings import Settings
from ..recording.external_evaluations import is_ours
from ..recording.identifiers import Identifiers
from ..recording.prices import Prices
from ..recording.scored import Scored
from ..review import http as review_http
from ..review.feature import Reviewing
from ..runtime.clock import SteadyClock
from ..runtime.log import described
from ..store.kinds import CLOCK
from ..store.quarantine import Quarantine
from ..store.records import StoreError
from ..store.sqlite.store import Store
from ..suites import http as suites_http
from ..suites.inbox import SIGNAL as OFFLINE
from ..suites.inbox import OfflineDesk

if TYPE_CHECKING:
    from ..emission.emitter import Emitter

_log = logging.getLogger(__name__)


class Exporter:
    """One running exporter: its config, its parts, and how they change together.

    ``now`` is Unix seconds, by default of a steady clock.
    """

    def __init__(self, config: Config, now: Callable[[], float] | None = None) -> None:
        self.config = config
        panel = Panel(config.evaluators, installed(), plugin_memory=config.limits.plugin_memory)
        clock = SteadyClock() if now is None else now if isinstance(now, SteadyClock) else None
        self._now = now = now or clock or time.time
        aged = clock.aged if clock else now
        self.store = Store.open(config.store.url, aged, ballast=config.store.ballast)
        if clock is not None and (kept := self.store.object(CLOCK, KEY)) is not None:
            clock.resume(kept)
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
        self.pipeline = Pipeline(self.store, self.metrics, self._settings(config, panel), now)
        self.pipeline.recorder.aged = aged
        self.time = Timekeeping(clock, self.pipeline.recorder, self.metrics) if clock is not None else None
        self.reception = requests.Reception(
            on_rejected=self.pipeline.rejected,
            on_answered=self.metrics.answered,
            reading=self.store.in_work.reading,
            on_poison=self.quarantine.keep_request,
            now=now,
        )
        self.feedback = FeedbackDesk(config, self.pipeline.recorder, now)
        self.counter = feedback_http.Counter(self.feedback, self.pipeline.submit, config.feedback)
        self.pipeline.desks[SIGNAL] = self.feedback
        self.pipeline.followers.append(self.feedback.follow)
        self.pipeline.hear = self.feedback.reported
        self.review = Reviewing(self.pipeline, self.feedback, self.metrics, now)
        self.review.configure(config, panel)
        self.connections = Connections(config.server.limits, self.metrics.connection_closed)
        self._admit(config)
        self.suites = OfflineDesk(config, self.pipeline.recorder, self.metrics, self._limiter.peek, now)
        self.pipeline.desks[OFFLINE] = self.suites
        self.pipeline.followers.append(self.suites.follow)
        self.feedback.followers.append(complaints(self.suites.disliked, {"thumbs_down"}))
        self.eraser = erasure_http.Eraser(
            self.pipeline, [self.feedback.forget, self.review.forget, self.suites.forget, self._forget_quarantined], now
        )
        self.pipeline.chores.append(self._expire_quarantined)
        self._watch()
        self.judge = CalibratedJudge(config, panel, self.pipeline, self.metrics, now) if config.judge.enabled else None
        if self.judge is not None:
            self._join(self.judge)
        self.emitter = self._emitting(config.judge.emit) if config.judge.emit is not None else None
        self.metrics.config_loaded(succeeded=True)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def judging(self) -> Judging:
        """The judge at work; there must be one."""
        return self._judge().judging

    @property
    def calibrating(self) -> Calibrating:
        """The judge under calibration; there must be one."""
        return self._judge().calibrating

    def _judge(self) -> CalibratedJudge:
        if self.judge is None:
            raise LookupError("no judge is configured")
        return self.judge

    async def start(self) -> None:
        """Take up what an earlier run left, then begin to work."""
        if self.judge is not None:
            self.judge.recover()
        self.feedback.recover()
        self.review.recover()
        self.suites.recover()
        waiting = await Recovery(self.pipeline, self.store, self.metrics, self.quarantine).run()
        if waiting:
            _log.info("recovered: requests=%d", waiting)
        with suppress(StoreError):  # counted, and found out by whoever writes next
            await self.pipeline.writer.keep_ballast()
        work = {
            "connections": self.connections.run,
            "scoring": self.pipeline.run,
            "feedback": self.feedback.run,
            "review": self.review.desk.run,
        }
        if self.time is not None:
            work["looking after the clock"] = self.time.run
        if self.emitter is not None:
            work["sending evaluations"] = self.emitter.run
        if self.judge is not None:
            work["judging"] = self.judge.run
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
        if self.emitter is not None:
            with suppress(StoreError):
                await self.pipeline.flush()
            await self.emitter.close()
        await self.pipeline.stop()
        if self.judge is not None:
            await self.judge.close()
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
            panel = Panel(config.evaluators, installed(), plugin_memory=config.limits.plugin_memory)
        except ConfigError:
            self.metrics.config_loaded(succeeded=False)
            raise
        self.config = config
        _limit(self._limiter, config)
        self.metrics.configure(panel.names, panel.pass_marks)
        self.metrics.births.wait = config.metrics.birth
        self.pipeline.configure(self._settings(config, panel))
        if self.judge is not None:
            self.judge.configure(config, panel)
        self.feedback.configure(config)
        self.suites.configure(config)
        self.counter.configure(config.feedback)
        self.review.configure(config, panel)
        self._admit(config)
        self.metrics.config_loaded(succeeded=True)

    def _forget_quarantined(self, traces: Sequence[bytes], _user: str | None) -> None:
        self.quarantine.forget([trace_id.hex() for trace_id in traces])

    def _expire_quarantined(self) -> None:
        """It is text that nobody redacted: it stays no longer than other text."""
        retention = self.config.store.retention
        self.quarantine.expire(retention.age if retention.content is None else retention.content)

    def _join(self, judge: CalibratedJudge) -> None:
        """Who tells the judge, and whom it tells."""
        self.review.join(judge.judging, judge.calibrating)
        self.feedback.followers.append(complaints(judge.judging.disliked))
        judge.judging.followers.append(self.suites.judged)
        self.eraser.desk.followers.append(judge.judging.forget)

    def _emitted(self, fate: str, count: int) -> None:
        self.pipeline.recorder.tally.emitted(fate, count)

    def _emitting(self, settings: Emit) -> "Emitter":
        """Where evaluations are sent on once they are durable, fed by all who make them."""
        from ..emission.emitter import Emitter, Event  # noqa: PLC0415 - who sends nothing needs no HTTP client, nor its memory

        recorder = self.pipeline.recorder
        emitter = Emitter(
            settings.url,
            token=settings.token.value if settings.token else "",
            capacity=settings.queue,
            told=self._emitted,
        )

        def tell(trace_id: str, response_id: str | None, results: Iterable[Evaluation | Failure]) -> None:
            for one in filter(is_ours, results):
                event = Event(trace_id=trace_id, response_id=response_id, result=one, at=self._now())
                recorder.afterwards(partial(emitter.offer, event))

        def scored(one: Scored) -> None:
            tell(one.trace.trace_id, one.trace.response_id, (*one.outcome.evaluations, *one.outcome.failures))

        self.pipeline.followers.append(scored)
        if self.judge is not None:
            self.judge.judging.followers.append(lambda job, evaluation: tell(job.trace_id, None, (evaluation,)))
        self.metrics.watch(own.QUEUE_LENGTH, lambda: len(emitter), "emit")
        self.metrics.watch(own.QUEUE_CAPACITY, lambda: emitter.capacity, "emit")
        return emitter

    def _admit(self, config: Config) -> None:
        """Tell the reception whom and how much to let in."""
        server = config.server
        self.reception.access = Access(server.tokens)
        self.reception.hosts = Hosts(
            server.listen,
            server.hosts,
            {feedback_http.PATH: config.feedback.origins},
            checks_host=not server.tokens,
        )
        self.reception.limits = _decode_limits(config)
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
            decode=_decode_limits(config),
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

    def _watch(self) -> None:
        pipeline, watch = self.pipeline, self.metrics.watch
        watch(own.OPEN_CONNECTIONS, lambda: len(self.connections))
        watch(own.HELD_SERIES, lambda: len(self.metrics.births))
        watch(own.OPEN_TRACES, lambda: len(pipeline.assembler))
        watch(own.OPEN_TRACE_BYTES, lambda: pipeline.assembler.bytes)
        watch(own.STORE_SIZE, self.store.size_bytes)
        watch(own.STORE_BALLAST, lambda: self.store.ballast_bytes)
        watch(own.JOURNAL_ENTRIES, lambda: pipeline.assembler.waiting)
        watch(own.JOURNAL_LAG, pipeline.lag)
        watch(own.JOURNAL_SIZE, lambda: pipeline.writer.requests.bytes)
        watch(own.JOURNAL_CAPACITY, lambda: pipeline.journal_bytes)
        slices = self._limiter.slices
        watch(own.SLICES, lambda: len(slices.shown), "shown")
        watch(own.SLICES, lambda: len(slices.parked), "parked")
        watch(own.SLICES, lambda: slices.most, "limit")
        watch(own.QUEUE_LENGTH, lambda: pipeline.unrecorded, "unrecorded")
        watch(own.QUEUE_CAPACITY, lambda: MOST_UNRECORDED, "unrecorded")
        watch(own.QUEUE_LENGTH, lambda: len(pipeline.assembler), "open_traces")
        watch(own.QUEUE_CAPACITY, lambda: pipeline.assembler.limits.max_traces, "open_traces")
        watch(own.QUEUE_LENGTH, lambda: len(self.feedback.waiting), "feedback")
        watch(own.QUEUE_CAPACITY, lambda: self.feedback.settings.early_items, "feedback")
        watch(own.QUEUE_LENGTH, lambda: len(self.feedback.conversations), "conversations")
        watch(own.QUEUE_CAPACITY, lambda: self.feedback.settings.conversations, "conversations")


def make_app(exporter: Exporter) -> web.Application:
    """Return the web application of an exporter, which it starts and stops."""
    app = web.Application(handler_args=requests.SERVER_OPTIONS)
    app[pages.EXPORTER] = exporter
    app[otlp.INTAKE] = exporter.pipeline
    app[requests.RECEPTION] = exporter.reception
    app.cleanup_ctx.append(_lifetime)
    app.middlewares.append(requests.same_site(otlp.refused_as_read))
    app[feedback_http.COUNTER] = exporter.counter
    otlp.add_routes(app)
    feedback_http.add_routes(app)
    erasure_http.add_routes(app, exporter.eraser)
    app[review_http.COUNTER] = exporter.review.counter
    review_http.add_routes(app)
    app[suites_http.SUITES] = suites_http.Suites(exporter.suites, exporter.pipeline.submit)
    suites_http.add_routes(app)
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


def _decode_limits(config: Config) -> DecodeLimits:
    return DecodeLimits(
        decompressed_bytes=config.limits.decompressed_bytes, attributes_per_span=config.limits.attributes_per_span
    )


def _refuse_what_needs_a_restart(old: Config, new: Config) -> None:
    fixed = [
        ("$.server.listen", old.server.listen, new.server.listen),
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
