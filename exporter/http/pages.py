"""What people and Prometheus read over HTTP: metrics, health, config, and why a trace got its verdicts."""

from html import escape
from http import HTTPStatus
from typing import Protocol

from aiohttp import web

from .. import __version__, native
from ..config import to_yaml
from ..config.configfile import ConfigError
from ..config.settings import Config, Role
from ..pipeline.pipeline import Pipeline
from .requests import Handler, Refusal, answer, answered, check_access, reading_store
from .runbooks import runbooks
from .scraping import Scrapes

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
_TRACE_ID_DIGITS = 32


class Running(Protocol):
    """The exporter as the pages see it."""

    config: Config
    scrapes: Scrapes
    pipeline: Pipeline

    @property
    def grpc_state(self) -> str:
        """Where gRPC is listened on, or why nowhere."""

    @property
    def problem(self) -> str | None:
        """Why it does not do its work, or None."""

    def reload(self) -> None:
        """Swap the config, or raise ConfigError."""

    async def start(self) -> None:
        """Begin to work."""

    async def stop(self) -> None:
        """End, losing nothing."""


EXPORTER = web.AppKey("EXPORTER", Running)

_FRONT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>llmq</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem; }}
code {{ font-size: .9em; }} dt {{ font-weight: 600; margin-top: .8rem; }} dd {{ margin: 0; }}
</style></head><body>
<h1>llmq</h1>
<p>The LLM quality exporter, version {version}, {kernels}: {state}.</p>
<dl>
<dt><a href="/metrics">/metrics</a></dt>
<dd>for Prometheus: quality, latency, tokens, cost, and the exporter's own health</dd>
<dt><a href="/review">/review</a></dt><dd>for people: cases that deserve a second look</dd>
<dt><a href="/config">/config</a></dt><dd>the config in effect, without secrets</dd>
<dt><code>/api/traces/{{trace_id}}</code></dt><dd>what was scored of one trace, and why</dd>
<dt><code>/runbooks/{{alert}}</code></dt><dd>what to do about an alert</dd>
<dt><a href="/-/healthy">/-/healthy</a>, <a href="/-/ready">/-/ready</a></dt>
<dd>for load balancers and orchestrators</dd>
<dt><code>POST /v1/traces</code>, <code>/v1/logs</code>, <code>/v1/interactions</code></dt><dd>where data comes in</dd>
<dt>OTLP over gRPC</dt><dd>{grpc}</dd>
<dt><code>POST /v1/feedback</code></dt><dd>what users say of answers</dd>
<dt><code>POST /v1/offline-results</code></dt><dd>what offline runs found</dd>
</dl>
</body></html>
"""


def add_routes(app: web.Application) -> None:
    """Add the pages; the app must hold an EXPORTER and a RECEPTION."""
    app.router.add_get("/", _for("read", front))
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


async def front(request: web.Request) -> web.Response:
    """Link to what there is."""
    exporter = request.app[EXPORTER]
    state = exporter.problem or "running"
    text = _FRONT.format(version=__version__, kernels=native.DESCRIPTION, state=state, grpc=escape(exporter.grpc_state))
    return web.Response(text=text, content_type="text/html", headers=_HEADERS)


async def metrics(request: web.Request) -> web.StreamResponse:
    """Answer a scrape."""
    return await request.app[EXPORTER].scrapes.answer(request)


async def config(request: web.Request) -> web.Response:
    """Show the config in effect, secrets named and never shown."""
    return web.Response(text=to_yaml(request.app[EXPORTER].config), content_type="text/yaml", headers=_HEADERS)


async def trace(request: web.Request) -> web.Response:
    """Say what was scored of one trace, and why."""
    check_access(request, "read")
    trace_id = request.match_info["trace_id"].lower()
    found = None
    if len(trace_id) == _TRACE_ID_DIGITS and set(trace_id) <= set("0123456789abcdef"):
        with reading_store():
            found = request.app[EXPORTER].pipeline.document(bytes.fromhex(trace_id))
    if found is None:
        hint = "no such trace is recorded: it may be open still, beyond the retention, or without an LLM request in it"
        return answer(HTTPStatus.NOT_FOUND, {"error": hint})
    return web.Response(body=found, content_type="application/json", headers=_HEADERS)


async def runbook(request: web.Request) -> web.Response:
    """What to do about an alert; for everybody, because an alert's link carries no token."""
    found = runbooks().get(request.match_info["alert"].removesuffix(".md"))
    if found is None:
        return web.Response(status=HTTPStatus.NOT_FOUND, text="there is no such runbook\n")
    return web.Response(text=found.read_text("utf-8"), content_type="text/plain", headers=_HEADERS)


async def healthy(request: web.Request) -> web.Response:
    """Say whether the process should be left alone."""
    problem = request.app[EXPORTER].problem
    return web.Response(text=f"{problem or 'healthy'}\n", status=503 if problem else 200)


async def ready(request: web.Request) -> web.Response:
    """Say whether traffic should be sent here."""
    exporter = request.app[EXPORTER]
    problem = exporter.problem or exporter.pipeline.problem
    return web.Response(text=f"{problem or 'ready'}\n", status=503 if problem else 200)


async def reload(request: web.Request) -> web.Response:
    """Swap the config, or say everything that is wrong with the new one."""
    try:
        request.app[EXPORTER].reload()
    except ConfigError as error:
        return web.Response(text=f"the config in use stays:\n{error}\n", status=HTTPStatus.BAD_REQUEST)
    return web.Response(text="reloaded\n")
