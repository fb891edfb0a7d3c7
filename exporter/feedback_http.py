"""The HTTP handler of feedback: for servers and for browsers, whose origins must be allowed; knows no trace."""

import math
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

import msgspec
from aiohttp import web

from .config.settings import FeedbackSettings
from .feedback.desk import SIGNAL, FeedbackDesk
from .feedback.pace import Pace
from .feedback.signals import Read, told
from .receiver import (
    RECEPTION,
    Held,
    Reception,
    Refusal,
    body_of,
    check_access,
    checked_media_type,
    making_durable,
    understanding,
)
from .store.records import Entry

PATH: Final = "/v1/feedback"
_JSON: Final = "application/json"
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "authorization, content-type",
    "Access-Control-Max-Age": "7200",
}


class Counter:
    """What the handler goes by. ``submit`` makes an entry durable and has the desk take it."""

    def __init__(
        self, desk: FeedbackDesk, submit: Callable[[Entry, Any], Awaitable[None]], settings: FeedbackSettings
    ) -> None:
        self.desk = desk
        self.submit = submit
        self.configure(settings)

    def configure(self, settings: FeedbackSettings) -> None:
        """Go on with other settings."""
        self.origins = frozenset(settings.origins)
        self.pace = Pace(settings.per_second, settings.burst)


COUNTER = web.AppKey("COUNTER", Counter)


def add_routes(app: web.Application) -> None:
    """Add the handlers; the app must hold a COUNTER and a RECEPTION and be made with SERVER_OPTIONS."""
    app.router.add_post(PATH, receive)
    app.router.add_options(PATH, preflight)


async def preflight(request: web.Request) -> web.Response:
    """Tell a browser whether the pages of an origin may send feedback here."""
    try:
        shared = _shared_with(request, request.app[COUNTER])
    except Refusal as refusal:
        return _answer(refusal.code, {"error": refusal.message})
    return web.Response(status=HTTPStatus.NO_CONTENT, headers={**shared, **(_PREFLIGHT if shared else {})})


async def receive(request: web.Request) -> web.Response:
    """Take one signal or a list of them: those that are right, while each of the others is told what is wrong."""
    counter, reception = request.app[COUNTER], request.app[RECEPTION]
    shared: dict[str, str] = {}
    try:
        shared = _shared_with(request, counter)
        response = _answer(*await _received(request, counter, reception))
    except Refusal as refusal:
        reception.on_rejected(SIGNAL, refusal.reason, 1)
        response = _answer(refusal.code, {"error": refusal.message})
        response.headers.extend(refusal.headers())
    response.headers.update(shared)
    reception.on_answered(SIGNAL, response.status)
    return response


def _shared_with(request: web.Request, counter: Counter) -> dict[str, str]:
    """The headers by which a browser lets the page see the answer; none for who is no page of another origin."""
    origin = request.headers.get("Origin", "")
    if origin in counter.origins:
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
    if not origin or origin.partition("://")[2] == request.host:
        return {}
    raise Refusal(403, "origin", "the page's origin is not allowed: add it to feedback.origins in the config of llmq")


async def _received(request: web.Request, counter: Counter, reception: Reception) -> tuple[int, dict[str, Any]]:
    check_access(request, reception, "feedback")
    address = request.remote or ""
    if wait := counter.pace.wait(address):
        message = f"too much feedback from one address: wait {math.ceil(wait)} s, or raise feedback.rate"
        raise Refusal(429, "rate", message, retry_after=wait)
    media_type = checked_media_type(request, (_JSON,))
    held = Held(reception)
    try:
        body = await body_of(request, reception, held)
        entry = Entry(SIGNAL, media_type, request.headers.get("Content-Encoding", ""), body, reception.now())
        with understanding(SIGNAL):
            found = counter.desk.read(entry)
        counter.pace.spend(address, len(found.items) + len(found.errors))
        return await _hand_over(entry, found, counter, reception)
    finally:
        held.release()


async def _hand_over(entry: Entry, found: Read, counter: Counter, reception: Reception) -> tuple[int, dict[str, Any]]:
    if found.items:
        with making_durable(SIGNAL):
            await counter.submit(entry, found)
    elif found.errors:
        reception.on_rejected(SIGNAL, "invalid", len(found.errors))
        return 400, {"error": found.errors[0][1], "errors": told(found.errors)}
    return 200, {"accepted": len(found.items), "errors": told(found.errors)}


def _answer(code: int, said: dict[str, Any]) -> web.Response:
    return web.Response(status=code, body=msgspec.json.encode(said), content_type=_JSON)
