"""The HTTP handlers of the review queue: an API with the role review, and a page for people. Knows no trace.

The page is static and holds no data, so it needs no token.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web

from ..decode import JSON, decompress
from ..http.requests import (
    HEADERS,
    LARGEST_LIST,
    RECEPTION,
    Handler,
    Refusal,
    answer,
    answered,
    check_access,
    entry_of,
    making_durable,
    read,
    reading_store,
)
from ..http.static import HTML, SCRIPT, STYLE, add_files
from ..records.requests import Entry
from ..records.review import STATES, Item
from . import requests
from .queue import SIGNAL, ReviewQueue
from .requests import Action, ReviewRequest
from .view import shown

_JSON_LINES: Final = "application/x-ndjson"
_TRIES: Final = 20
"""Reviewers who claim at the same moment get different items; whoever is late looks again, so often at most."""
_FILES: Final = {
    "/review": ("review.html", HTML),
    "/review.js": ("review.js", SCRIPT),
    "/review.css": ("review.css", STYLE),
}
_CODES: Final = {"gone": 404, "unknown": 404}
"""Where it is not 409."""
_REASONS: Final = {
    "off": "review is off: set review.enabled in the config, and store.content to failing or all",
    "unknown": "no such answer is recorded",
    "no_text": "no text is stored of this answer, and nobody can judge it without",
    "nothing_to_ask": "there is no question to ask about it: add one to review.ask",
    "too_large": "it is too large for anybody to read",
    "full": "the queue is full: review some of it, or raise review.items",
    "gone": "there is no such item any more: claim another",
    "taken": "it is not yours: your claim ran out and somebody else has it, or it is done; claim another",
}


class ReviewContext:
    """Dependencies of the handlers. ``submit`` applies a request durably."""

    def __init__(
        self, desk: ReviewQueue, submit: Callable[[Entry, Any], Awaitable[None]], now: Callable[[], float]
    ) -> None:
        self.desk = desk
        self.submit = submit
        self.now = now


CONTEXT = web.AppKey("REVIEW", ReviewContext)
_Handling = Callable[[web.Request, ReviewContext], Awaitable[web.StreamResponse]]
_Body = TypeVar("_Body")


def add_routes(app: web.Application, context: ReviewContext) -> None:
    """Add the handlers; the app must hold a RECEPTION and be made with SERVER_OPTIONS."""
    app[CONTEXT] = context
    add_files(app, __package__, "page", _FILES)
    app.router.add_get("/api/review", _guarded(status))
    app.router.add_get("/api/review/items/{trace_id}", _guarded(item))
    app.router.add_get("/api/review/reviewed", _guarded(reviewed))
    app.router.add_post("/api/review/claim", _guarded(claim))
    for action in requests.ACTIONS[1:]:
        app.router.add_post(f"/api/review/{action}", _guarded(_step(action)))


def _guarded(handle: _Handling) -> Handler:
    """The handler for whoever may."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        check_access(request, "review")
        return await handle(request, request.app[CONTEXT])

    return answered(guarded)


async def status(_: web.Request, context: ReviewContext) -> web.Response:
    """How many items stand where, by reason; and what is asked."""
    desk, settings = context.desk, context.desk.settings
    queues = [
        {"reason": reason, **{state: int(desk.count(state, reason)) for state in STATES}}
        for reason in sorted(desk.reasons())
    ]
    return answer(
        200,
        {
            "enabled": desk.reception.is_open,
            "oldest_seconds": desk.age(),
            "queues": queues,
            "ask": {one.evaluator: one.question for one in settings.ask},
            "claim_seconds": settings.claim,
        },
    )


async def item(request: web.Request, context: ReviewContext) -> web.Response:
    """One item as a reviewer may see it now: who has it, or has labelled it."""
    reviewer = request.query.get("reviewer", "").strip()
    found = context.desk.shelf.get(request.match_info["trace_id"])
    if found is None or not (found.claim_of(reviewer, context.now()) or found.label_of(reviewer)):
        raise Refusal(404, "gone", "no such item is yours: claim one, or give reviewer= as you claimed it")
    return answer(200, await _shown(found, context, reviewer))


async def reviewed(request: web.Request, context: ReviewContext) -> web.StreamResponse:
    """Everything that people have decided, one JSON object a line."""
    response = web.StreamResponse(headers=HEADERS | {"Content-Type": _JSON_LINES})
    await response.prepare(request)
    async for one in context.desk.shelf.finished():
        await response.write(msgspec.json.encode(one) + b"\n")
    await response.write_eof()
    return response


async def claim(request: web.Request, context: ReviewContext) -> web.Response:
    """Give a reviewer what they have claimed already, or the next item; ``item`` is null where there is none."""
    wish = await _read(request, requests.wish)
    reviewer = wish.reviewer.strip()
    for _ in range(_TRIES):
        found = context.desk.shelf.next_for(reviewer, context.now(), wish.reason)
        if found is None:
            break
        wanted = ReviewRequest(action="claim", reviewer=reviewer, trace_id=found.trace_id)
        await _submit(context, wanted)
        mine = context.desk.shelf.get(found.trace_id)
        if mine is not None and wanted.outcome in ("done", "again"):
            return answer(200, {"item": await _shown(mine, context, reviewer)})
    return answer(200, {"item": None})


def _step(action: Action) -> _Handling:
    async def handle(request: web.Request, context: ReviewContext) -> web.Response:
        token = request.app[RECEPTION].access.name(request.headers.get("Authorization"))
        wanted = await _read(request, lambda body: requests.step(action, body, token))
        found = context.desk.shelf.get(wanted.trace_id)
        unknown = {one.evaluator for one in wanted.answers} - set(found.ask if found else ())
        if found is not None and unknown:
            raise Refusal(400, "invalid", f"$.labels: not asked of this item; asked are {', '.join(found.ask)}")
        await _submit(context, wanted)
        return await _done(context, wanted)

    return handle


async def _read(request: web.Request, understood: Callable[[bytes], _Body]) -> _Body:
    async with entry_of(request, SIGNAL) as entry:
        return await read(request, entry, lambda one: understood(decompress(one.encoding, one.body, LARGEST_LIST)))


async def _done(context: ReviewContext, wanted: ReviewRequest) -> web.Response:
    if wanted.outcome in _REASONS:
        raise Refusal(_CODES.get(wanted.outcome, 409), wanted.outcome, _REASONS[wanted.outcome])
    said: dict[str, Any] = {"outcome": wanted.outcome}
    found = context.desk.shelf.get(wanted.trace_id)
    if wanted.action == "label" and found is not None:
        said["item"] = await _shown(found, context, wanted.reviewer)
    return answer(200, said)


async def _submit(context: ReviewContext, wanted: ReviewRequest) -> None:
    entry = Entry(SIGNAL, JSON, "", msgspec.json.encode(wanted), context.now())
    with making_durable(SIGNAL):
        await context.submit(entry, wanted)


async def _shown(found: Item, context: ReviewContext, reviewer: str) -> dict[str, Any]:
    with reading_store():
        evidence = await context.desk.shelf.read_evidence(found.trace_id)
    if evidence is None:
        raise Refusal(404, "gone", _REASONS["gone"])
    return shown(found, evidence, context.desk.settings, reviewer, context.now())
