"""The operational endpoints: /metrics, health, /config, reload, and the verdicts of a trace with their reasons."""

from http import HTTPStatus
from typing import Protocol

from aiohttp import web

from ..config import to_yaml
from ..config.configfile import ConfigError
from ..config.settings import Config, Role
from ..pipeline.pipeline import Pipeline
from ..rules.files import DEFAULT_SETTINGS
from .requests import Handler, Refusal, answer, answered, check_access, reading_store
from .runbooks import text
from .scraping import Scrapes

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
_TRACE_ID_DIGITS = 32


class Running(Protocol):
    """The running exporter, as these endpoints use it."""

    config: Config
    scrapes: Scrapes
    pipeline: Pipeline

    @property
    def problem(self) -> str | None:
        """Why the exporter does not work, or None."""

    def reload(self) -> None:
        """Swap the config, or raise ConfigError."""

    async def start(self) -> None:
        """Start working."""

    async def stop(self) -> None:
        """Stop, losing nothing."""


EXPORTER = web.AppKey("EXPORTER", Running)


def add_routes(app: web.Application) -> None:
    """Add the pages; the app must hold an EXPORTER and a RECEPTION."""
    app.router.add_get("/metrics", _for("read", metrics))
    app.router.add_get("/config", _for("admin", config))
    app.router.add_get("/api/traces/{trace_id}", answered(trace))
    app.router.add_get("/runbooks/{alert}", runbook)
    app.router.add_get("/-/healthy", healthy)
    app.router.add_get("/-/ready", ready)
    app.router.add_post("/-/reload", _for("admin", reload))


def _for(role: Role, handle: Handler) -> Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        check_access(request, role)
        return await handle(request)

    return answered(guarded, refused=_refused_in_words)


def _refused_in_words(_request: web.Request, refusal: Refusal) -> web.Response:
    return web.Response(status=refusal.code, headers=refusal.headers(), text=f"{refusal.message}\n")


async def metrics(request: web.Request) -> web.StreamResponse:
    """Answer a scrape."""
    return await request.app[EXPORTER].scrapes.answer(request)


async def config(request: web.Request) -> web.Response:
    """The config in effect; secrets are named, their values are not shown."""
    return web.Response(text=to_yaml(request.app[EXPORTER].config), content_type="text/yaml", headers=_HEADERS)


async def trace(request: web.Request) -> web.Response:
    """The scores of one trace, with their reasons."""
    check_access(request, "read")
    trace_id = request.match_info["trace_id"].lower()
    found = None
    if len(trace_id) == _TRACE_ID_DIGITS and set(trace_id) <= set("0123456789abcdef"):
        with reading_store():
            found = await request.app[EXPORTER].pipeline.document(bytes.fromhex(trace_id))
    if found is None:
        hint = "no such trace is recorded: it may be open still, beyond the retention, or without an LLM request in it"
        return answer(HTTPStatus.NOT_FOUND, {"error": hint})
    return web.Response(body=found, content_type="application/json", headers=_HEADERS)


async def runbook(request: web.Request) -> web.Response:
    """The runbook of an alert; without a token, because an alert's link carries none."""
    settings = request.app[EXPORTER].config.alerting if EXPORTER in request.app else DEFAULT_SETTINGS
    found = text(request.match_info["alert"], settings)
    if found is None:
        return web.Response(status=HTTPStatus.NOT_FOUND, text="there is no such runbook\n")
    return web.Response(text=found, content_type="text/plain", headers=_HEADERS)


async def healthy(request: web.Request) -> web.Response:
    """Liveness: whether the process should be left running."""
    problem = request.app[EXPORTER].problem
    return web.Response(text=f"{problem or 'healthy'}\n", status=503 if problem else 200)


async def ready(request: web.Request) -> web.Response:
    """Readiness: whether traffic should be sent here."""
    exporter = request.app[EXPORTER]
    problem = exporter.problem or exporter.pipeline.problem
    return web.Response(text=f"{problem or 'ready'}\n", status=503 if problem else 200)


async def reload(request: web.Request) -> web.Response:
    """Reload the config, or reply with all its errors."""
    try:
        request.app[EXPORTER].reload()
    except ConfigError as error:
        return web.Response(text=f"the config in use stays:\n{error}\n", status=HTTPStatus.BAD_REQUEST)
    return web.Response(text="reloaded\n")
