"""Calls the hooks of every feature, in a fixed order."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from aiohttp import web

from ..config import Config
from ..evaluators.panel import Panel
from ..judge.case import Judgement
from ..judge.queue import Job
from ..metrics.labels import Slice
from ..metrics.registry import Metrics
from ..model.score import Evaluation, Outcome, Unscored, Verdict
from ..model.trace import Trace
from ..pipeline.hooks import Desk
from ..recording.scored import Scored
from ..semconv.evaluations import Reported
from .feature import Feature, Signalled


class Features:
    """The features of one exporter. Each hook is called in the order in which they were registered."""

    def __init__(self, metrics: Metrics) -> None:
        self.desks: dict[str, Desk] = {}
        self._metrics = metrics
        self._features: tuple[Feature, ...] = ()
        self._taking: dict[str, tuple[Callable[..., Any], ...]] = {}

    def enter(self, *features: Feature) -> None:
        """Register features, after those that are registered already."""
        self._features += features
        self._taking.clear()
        for feature in features:
            self.desks.update(feature.desks())
            self._metrics.watch(feature.name, feature.gauges())

    def __iter__(self) -> Iterator[Feature]:
        return iter(self._features)

    def _hooks(self, name: str) -> tuple[Callable[..., Any], ...]:
        """The bound methods of features that override a hook: most override few, and some hooks are hot."""
        if (found := self._taking.get(name)) is None:
            base = getattr(Feature, name)
            found = tuple(getattr(one, name) for one in self._features if getattr(type(one), name) is not base)
            self._taking[name] = found
        return found

    # Their life.

    def configure(self, config: Config, panel: Panel) -> None:
        """Apply other settings, and expose the gauges that they have."""
        for feature in self._features:
            feature.configure(config, panel)
            self._metrics.watch(feature.name, feature.gauges())

    async def recover(self) -> None:
        """Load the state of an earlier run; raises StoreError."""
        for feature in self._features:
            await feature.recover()
            self._metrics.watch(feature.name, feature.gauges())

    def tick(self) -> None:
        """Periodic work."""
        for tick in self._hooks("tick"):
            tick()

    def add_routes(self, app: web.Application) -> None:
        """Add the endpoints of each."""
        for feature in self._features:
            feature.add_routes(app)

    # What happens to a trace.

    def choose(self, trace: Trace, where: Slice, outcome: Outcome) -> tuple[Unscored, ...]:
        """Select judge jobs for a scored trace; returns the evaluators that will give no verdict, and why."""
        return tuple(left for choose in self._hooks("choose") for left in choose(trace, where, outcome))

    def is_erased(self, trace: Trace, arrived_at: float) -> bool:
        """Delete a trace that was just recorded, if an erasure covers it; returns whether it was deleted."""
        return any(is_erased(trace, arrived_at) for is_erased in self._hooks("is_erased"))

    def recorded(self, scored: Scored) -> None:
        """A trace was scored and is about to become durable."""
        for recorded in self._hooks("recorded"):
            recorded(scored)

    def reported(self, trace_id: bytes, where: Slice, said: Reported) -> None:
        """User feedback that arrived as an OpenTelemetry evaluation event."""
        for reported in self._hooks("reported"):
            reported(trace_id, where, said)

    def signalled(self, signalled: Signalled) -> None:
        """A user's signal was counted."""
        for hear in self._hooks("signalled"):
            hear(signalled)

    def judged(self, job: Job, evaluation: Evaluation) -> None:
        """The judge gave a verdict that counts."""
        for judged in self._hooks("judged"):
            judged(job, evaluation)

    def observed(self, job: Job, judgement: Judgement | None) -> None:
        """A judge job ended, of the acting version or a shadow; None: it gave no verdict."""
        for observed in self._hooks("observed"):
            observed(job, judgement)

    def compared(self, judge: tuple[str, str], said: Verdict, human: Verdict) -> None:
        """A judge (evaluator, version) and people gave verdicts on the same trace."""
        for compared in self._hooks("compared"):
            compared(judge, said, human)

    def erased(self, trace_ids: Sequence[bytes], user: str | None) -> None:
        """Traces were deleted, and all of a user where one is named."""
        for erased in self._hooks("erased"):
            erased(trace_ids, user)
