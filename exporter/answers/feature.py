"""Recorded answers, as a feature: their API and their pages."""

from collections.abc import Callable, Iterable

from aiohttp import web

from ..config import Config
from ..evaluators.panel import Panel
from ..features.feature import Feature
from ..metrics.labels import Slice
from ..review.queue import ReviewQueue
from ..store.port import Answers
from . import http


class AnswersFeature(Feature):
    """API and pages for recorded answers. ``slices``: those that are exposed now."""

    name = "answers"

    def __init__(
        self,
        config: Config,
        panel: Panel,
        answers: Answers,
        desk: ReviewQueue,
        slices: Callable[[], Iterable[Slice]],
    ) -> None:
        self.answers = answers
        self._http = http.AnswersContext(answers, desk, slices)
        self.configure(config, panel)

    def add_routes(self, app: web.Application) -> None:
        """Add the API and the pages."""
        http.add_routes(app, self._http)

    def configure(self, config: Config, panel: Panel) -> None:
        """Apply other settings."""
        self._http.configure(config, panel)

    async def close(self) -> None:
        """End the thread that searches."""
        self.answers.close()
