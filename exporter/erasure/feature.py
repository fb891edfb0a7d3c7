"""Erasure, as a feature: deletes traces and users on request, from the store, the quarantine and all other features."""

from collections.abc import Callable, Mapping, Sequence

from aiohttp import web

from ..config import Config
from ..evaluators.panel import Panel
from ..features.dispatcher import Features
from ..features.feature import Feature
from ..model.trace import Trace
from ..pipeline.hooks import Desk
from ..pipeline.pipeline import Pipeline
from ..store.quarantine import Quarantine
from . import http
from .erasure import SIGNAL, Eraser


class ErasureFeature(Feature):
    """Deletes on request, and what is quarantined when it is old. ``now`` is Unix seconds; raises StoreError."""

    name = "erasure"

    def __init__(
        self,
        config: Config,
        panel: Panel,
        pipeline: Pipeline,
        features: Features,
        quarantine: Quarantine,
        now: Callable[[], float],
    ) -> None:
        self.desk = Eraser(pipeline.recorder, features.erased, now)
        self._http = http.ErasureContext(self.desk, pipeline.submit)
        self._quarantine = quarantine
        self.configure(config, panel)

    def desks(self) -> Mapping[str, Desk]:
        """Requests to delete."""
        return {SIGNAL: self.desk}

    def add_routes(self, app: web.Application) -> None:
        """Add the endpoints."""
        http.add_routes(app, self._http)

    def configure(self, config: Config, panel: Panel) -> None:  # noqa: ARG002 - as every feature
        """What is quarantined is text that nobody redacted: it stays no longer than other text."""
        retention = config.store.retention
        self._kept_for = retention.age if retention.content is None else retention.content

    async def recover(self) -> None:
        """Take up the requests of an earlier run; raises StoreError."""
        await self.desk.recover()

    def tick(self) -> None:
        """Try again what could not be deleted, and delete what is quarantined and old."""
        self.desk.tick()
        self._quarantine.expire(self._kept_for)

    def is_erased(self, trace: Trace, arrived_at: float) -> bool:
        """Delete a trace that was just recorded, if it is one to be deleted; returns whether it was."""
        return self.desk.covers(trace, arrived_at)

    def erased(self, trace_ids: Sequence[bytes], user: str | None) -> None:  # noqa: ARG002 - files have no users
        """Delete the files of traces that are quarantined."""
        self._quarantine.forget([trace_id.hex() for trace_id in trace_ids])
