"""The status page, as a feature."""

from collections.abc import Callable, Iterable

from aiohttp import web

from ..config import Config
from ..evaluators.panel import Panel
from ..features.feature import Feature
from ..store.port import Answers
from . import http


class StatusFeature(Feature):
    """Serves the status page. ``problems``: why the exporter does not work, None where it does."""

    name = "status"

    def __init__(
        self, config: Config, answers: Answers, problems: Callable[[], Iterable[str | None]], grpc: Callable[[], str]
    ) -> None:
        self._http = http.StatusContext(config, answers, problems, grpc)

    def add_routes(self, app: web.Application) -> None:
        """Add the page and its API."""
        http.add_routes(app, self._http)

    def configure(self, config: Config, panel: Panel) -> None:  # noqa: ARG002 - as every feature
        """Apply other settings."""
        self._http.config = config
