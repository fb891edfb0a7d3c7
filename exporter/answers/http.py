"""The HTTP handlers of recorded answers: an API with the role read, and a page for people."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from aiohttp import web

from ..config.settings import Config
from ..evaluators.panel import Panel
from ..http.requests import RECEPTION, Handler, Refusal, answer, answered, check_access, reading_store
from ..http.static import HTML, SCRIPT, STYLE, add_files
from ..metrics.labels import Slice
from ..records.review import Label
from ..review.queue import ReviewQueue
from ..rules.slo import CoverageSli
from ..store.port import Answers
from ..store.search import COLUMNS
from .query import SIGNALS, BadParameterError, question, written
from .view import line, whole, written_time

_FILES: Final = {
    "/answers": ("answers.html", HTML),
    "/answers/{trace_id}": ("answers.html", HTML),
    "/answers.js": ("answers.js", SCRIPT),
    "/answers.css": ("answers.css", STYLE),
}
_DIGITS: Final = 32
_NOT_FOUND: Final = "no such answer is recorded: open still, beyond the retention, forgotten, or without a model call"


class AnswersContext:
    """Dependencies of the handlers. ``slices``: those that are exposed now."""

    def __init__(self, answers: Answers, desk: ReviewQueue, slices: Callable[[], Iterable[Slice]]) -> None:
        self.answers = answers
        self.desk = desk
        self.slices = slices
        self.config = Config()
        self.evaluators: list[str] = []

    def configure(self, config: Config, panel: Panel) -> None:
        """Apply other settings."""
        self.config = config
        rubrics = [rubric.name for rubric in config.judge.rubrics] if config.judge.enabled else []
        self.evaluators = sorted({*panel.names, *rubrics})


CONTEXT = web.AppKey("ANSWERS", AnswersContext)


def add_routes(app: web.Application, context: AnswersContext) -> None:
    """Add the handlers; the app must hold a RECEPTION."""
    app[CONTEXT] = context
    add_files(app, __package__, "page", _FILES)
    app.router.add_get("/api/answers", _guarded(listed))
    app.router.add_get("/api/answers/choices", _guarded(choices))
    app.router.add_get("/api/answers/{trace_id}", _guarded(one))


def _guarded(handle: Handler) -> Handler:
    """The handler, for clients with the role."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        check_access(request, "read")
        return await handle(request)

    return answered(guarded)


async def listed(request: web.Request) -> web.Response:
    """The newest answers that match the filter, and the position where the next page begins."""
    context = request.app[CONTEXT]
    try:
        wanted = question(request.query.items(), request.app[RECEPTION].now(), context.config.slos)
    except BadParameterError as error:
        raise Refusal(400, "invalid", str(error)) from None
    with reading_store():
        page = await context.answers.find(wanted.search, partial(line, wanted=wanted), wanted.after, wanted.limit)
    said = {"next": written(page.next), "searched_to": written_time(page.next[0])} if page.next else {"next": None}
    return answer(200, {"answers": page.found, **said})


async def choices(request: web.Request) -> web.Response:
    """The values that filters can have now; older answers may have others."""
    context = request.app[CONTEXT]
    slices = list(context.slices())
    values = {name: sorted({where[at] for where in slices}) for at, name in enumerate(COLUMNS)}
    return answer(
        200,
        {
            **values,
            "sli": [slo.name for slo in context.config.slos if not isinstance(slo.measure, CoverageSli)],
            "evaluator": context.evaluators,
            "signal": SIGNALS,
            "text_stored": context.config.store.content,
            "review": context.desk.reception.is_open,
        },
    )


async def one(request: web.Request) -> web.Response:
    """Everything that is stored of one answer."""
    context, trace_id = request.app[CONTEXT], request.match_info["trace_id"].lower()
    row = None
    if len(trace_id) == _DIGITS and set(trace_id) <= set("0123456789abcdef"):
        with reading_store():
            row = await context.answers.one(bytes.fromhex(trace_id))
    if row is None:
        raise Refusal(404, "unknown", _NOT_FOUND)
    trace_url = context.config.server.trace_url.replace("{trace_id}", trace_id) or None
    return answer(200, {**whole(row), "trace_url": trace_url, "review": _review(context, trace_id)})


def _review(context: AnswersContext, trace_id: str) -> dict[str, Any]:
    """The review state of the answer; human labels only once all are given, so that no reviewer is influenced."""
    item = context.desk.shelf.get(trace_id)
    if item is None:
        return {"state": None, "open": context.desk.reception.is_open, "labels": []}
    ended = item.ended is not None
    labels = [_label(label) for label in item.labels] if ended else []
    return {"state": "done" if ended else "waiting", "open": False, "reason": item.reason, "labels": labels}


def _label(label: Label) -> dict[str, Any]:
    return {
        "reviewer": label.reviewer,
        "at": written_time(label.at),
        "answers": label.answers,
        "corrected": label.corrected,
    }
