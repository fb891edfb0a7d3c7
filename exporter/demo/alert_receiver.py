"""The demo's alert receiver: accepts notifications, and serves the pages that their links name. Knows no story.

Without Grafana the links to dashboards lead to Prometheus, to the graph of the SLI that the dashboard would show.
"""

import asyncio
import json
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from aiohttp import web
from msgspec import Struct

from ..http.pages import runbook

ALERTS = Path(__file__).parents[2] / "alerts"
"""Alertmanager's config as shipped, which is beside the package in a checkout."""
FIRING: Final = "/graph?g0.expr=ALERTS&g0.tab=1"
"""The path of all alerts, as a graph's page, because Debian's Prometheus has its page of alerts at another place."""


class ReceivedAlert(Struct, frozen=True):
    """One alert of a notification."""

    status: str
    labels: dict[str, str]
    annotations: dict[str, str]


class Notification(Struct, frozen=True):
    """One notification to a receiver (pages, tickets, alive): alerts that Alertmanager grouped."""

    receiver: str
    alerts: tuple[ReceivedAlert, ...]


class AlertReceiver:
    """Received notifications, and the pages behind their links."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Notification] = asyncio.Queue()
        self.prometheus = ""

    def app(self) -> web.Application:
        """The web application."""
        app = web.Application()
        app.router.add_post("/notify/{receiver}", self._hear)
        app.router.add_get("/runbooks/{alert}", runbook)
        app.router.add_get("/d/{uid}", self._graph)
        return app

    async def _hear(self, request: web.Request) -> web.Response:
        said = json.loads(await request.text())
        alerts = tuple(ReceivedAlert(one["status"], one["labels"], one["annotations"]) for one in said["alerts"])
        self.heard.put_nowait(Notification(request.match_info["receiver"], alerts))
        return web.Response()

    async def _graph(self, request: web.Request) -> web.Response:
        where = {name.removeprefix("var-"): value for name, value in request.query.items() if name.startswith("var-")}
        window = where.pop("window", "")
        path = graph(where, window) if window and "sli" in where else FIRING
        return web.Response(status=HTTPStatus.FOUND, headers={"Location": self.prometheus + path})


def graph(where: Mapping[str, str], window: str) -> str:
    """The path of Prometheus's page for an SLI, by the alert's labels: the bad ratio of each slice."""
    matchers = ",".join(f"{name}={json.dumps(value)}" for name, value in where.items())
    bad, events = (f"slice:llmq_sli_{name}:increase{window}{{{matchers}}}" for name in ("bad_events", "events"))
    expr = f"{bad} / {events}"
    return "/graph?" + urlencode({"g0.expr": expr, "g0.tab": 0, "g0.range_input": "10m"})
