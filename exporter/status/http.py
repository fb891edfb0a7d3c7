"""The handlers of the status page: an API with the role read, and the page."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from aiohttp import web

from .. import __version__, native
from ..config import Config
from ..http.requests import RECEPTION, Handler, answer, answered, check_access, reading_store
from ..http.static import HTML, SCRIPT, STYLE, add_files
from ..store.port import Answers
from ..store.search import Search
from . import summary

LAST: Final = 500
"""Answers that are looked at."""
_FILES: Final = {
    "/": ("status.html", HTML),
    "/status.js": ("status.js", SCRIPT),
    "/status.css": ("status.css", STYLE),
}


class StatusContext:
    """Dependencies of the handlers. ``problems``: why the exporter does not work; ``grpc``: the gRPC address."""

    def __init__(
        self, config: Config, answers: Answers, problems: Callable[[], Iterable[str | None]], grpc: Callable[[], str]
    ) -> None:
        self.config = config
        self.answers = answers
        self.problems = problems
        self.grpc = grpc


CONTEXT = web.AppKey("STATUS", StatusContext)


def add_routes(app: web.Application, context: StatusContext) -> None:
    """Add the handlers; the app must hold a RECEPTION."""
    app[CONTEXT] = context
    add_files(app, __package__, "page", _FILES)
    app.router.add_get("/api/status", _guarded(status))


def _guarded(handle: Handler) -> Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        check_access(request, "read")
        return await handle(request)

    return answered(guarded)


async def status(request: web.Request) -> web.Response:
    """Traffic, captured fields, scores, and current problems."""
    context = request.app[CONTEXT]
    with reading_store():
        page = await context.answers.find(Search(), summary.read, most=LAST)
    sources, scored = summary.sources(page.found), summary.scored(page.found)
    problems = [problem for problem in context.problems() if problem]
    return answer(
        200,
        {
            "version": __version__,
            "kernels": native.DESCRIPTION,
            "now": request.app[RECEPTION].now(),
            "wrong": [*problems, *summary.wrong(sources, scored), *map(str, context.config.warnings)],
            "answers": len(page.found),
            "since": page.found[-1].at if page.found else None,
            "sources": sources,
            "scored": scored,
            "settings": _settings(context.config),
            "grpc": context.grpc(),
        },
    )


def _settings(config: Config) -> list[dict[str, Any]]:
    """Optional parts of a deployment: whether each is configured, and the setting that changes it."""
    return [
        {"what": "text of answers is stored", "is": config.store.content, "setting": "store.content"},
        {"what": "a judge scores a sample", "is": _switch(config.judge.enabled), "setting": "judge.enabled"},
        {"what": "people review hard cases", "is": _switch(config.review.enabled), "setting": "review.enabled"},
        {"what": "readers need a token", "is": _switch(bool(config.server.tokens)), "setting": "server.tokens"},
        {"what": "answers link to traces", "is": config.server.trace_url or "no", "setting": "server.trace_url"},
    ]


def _switch(on: bool) -> str:
    return "yes" if on else "no"
