"""Offline suites, as a feature: their results beside production, and the failures that none of them covers."""

from collections.abc import Callable, Mapping, Sequence

from aiohttp import web

from ..config import Config
from ..evaluators.panel import Panel
from ..features.feature import Feature, Signalled
from ..judge.queue import Job
from ..metrics.registry import Metrics
from ..model.score import Evaluation
from ..pipeline.hooks import Desk
from ..pipeline.pipeline import Pipeline
from ..recording.scored import Scored
from . import http
from .inbox import SIGNAL, SuitesInbox
from .results import Fold


class SuitesFeature(Feature):
    """Receives results of suites, and failures in production. ``fold`` maps a slice to its exposed labels."""

    name = "suites"

    def __init__(
        self, config: Config, pipeline: Pipeline, metrics: Metrics, fold: Fold, now: Callable[[], float]
    ) -> None:
        self.desk = SuitesInbox(config, pipeline.recorder, metrics, fold, now)
        self._http = http.SuitesContext(self.desk, pipeline.submit)

    def desks(self) -> Mapping[str, Desk]:
        """The handler of pushed results."""
        return {SIGNAL: self.desk}

    def add_routes(self, app: web.Application) -> None:
        """Add the endpoints."""
        http.add_routes(app, self._http)

    def configure(self, config: Config, panel: Panel) -> None:  # noqa: ARG002 - as every feature
        """Apply other settings."""
        self.desk.configure(config)

    async def recover(self) -> None:
        """Load the results and failures of an earlier run; raises StoreError."""
        await self.desk.recover()

    def recorded(self, scored: Scored) -> None:
        """Compare a trace that an evaluator failed with the suites."""
        self.desk.follow(scored)

    def judged(self, job: Job, evaluation: Evaluation) -> None:
        """Compare a trace that a judge failed later with the suites."""
        self.desk.judged(job, evaluation)

    def signalled(self, signalled: Signalled) -> None:
        """Compare a trace whose user disliked the answer with the suites."""
        if signalled.signal == "thumbs_down" and signalled.trace is not None:
            self.desk.disliked(signalled.trace, signalled.where)

    def erased(self, trace_ids: Sequence[bytes], user: str | None) -> None:
        """Delete the failures of traces."""
        self.desk.forget(trace_ids, user)
