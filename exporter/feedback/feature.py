"""Feedback, as a feature: what users say, and what their conversations show."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from aiohttp import web

from ..config import Config
from ..evaluators.panel import Panel
from ..features.dispatcher import Features
from ..features.feature import Feature, Work
from ..metrics import own
from ..metrics.gauges import Watched
from ..metrics.labels import Slice
from ..pipeline.hooks import Desk
from ..pipeline.pipeline import Pipeline
from ..recording.scored import Scored
from ..semconv.evaluations import Reported
from . import http, tools
from .join import SIGNAL, FeedbackJoin


class FeedbackFeature(Feature):
    """Joins feedback with its traces, and derives signals from conversations. ``now`` is Unix seconds."""

    name = "feedback"

    def __init__(self, config: Config, pipeline: Pipeline, features: Features, now: Callable[[], float]) -> None:
        self.desk = FeedbackJoin(config, pipeline.recorder, features.signalled, now)
        self._http = http.FeedbackContext(self.desk, pipeline.submit, config.feedback)

    def desks(self) -> Mapping[str, Desk]:
        """The handler of feedback requests."""
        return {SIGNAL: self.desk}

    def add_routes(self, app: web.Application) -> None:
        """Add the endpoints, ours and those of other tools' SDKs."""
        http.add_routes(app, self._http)
        tools.add_routes(app)

    def configure(self, config: Config, panel: Panel) -> None:  # noqa: ARG002 - as every feature
        """Apply other settings; pending feedback stays pending."""
        self.desk.configure(config)
        self._http.configure(config.feedback)

    async def recover(self) -> None:
        """Load pending feedback and conversations of an earlier run; raises StoreError."""
        await self.desk.recover()

    def work(self) -> Mapping[str, Work]:
        """Join pending feedback, and end idle conversations."""
        return {"feedback": self.desk.run}

    def gauges(self) -> Iterable[Watched]:
        """The number of pending signals."""
        desk = self.desk
        yield Watched(own.QUEUE_LENGTH, lambda: len(desk.waiting), ("feedback",))
        yield Watched(own.QUEUE_CAPACITY, lambda: desk.settings.early_items, ("feedback",))
        yield Watched(own.QUEUE_LENGTH, lambda: len(desk.conversations), ("conversations",))
        yield Watched(own.QUEUE_CAPACITY, lambda: desk.settings.conversations, ("conversations",))

    def recorded(self, scored: Scored) -> None:
        """Join feedback that waits for this trace, and derive signals about the previous turn."""
        self.desk.follow(scored)

    def reported(self, trace_id: bytes, where: Slice, said: Reported) -> None:
        """Count feedback that an application reports as an evaluation."""
        self.desk.reported(trace_id, where, said)

    def erased(self, trace_ids: Sequence[bytes], user: str | None) -> None:
        """Delete what is kept beside the documents of traces, and what waits of a user."""
        self.desk.forget(trace_ids, user)
