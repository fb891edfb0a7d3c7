"""The HTTP handlers of offline results: pushed runs in, what the suites do not cover out; knows no metric."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from aiohttp import web

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
from .suites.desk import SIGNAL, OfflineDesk

PATH: Final = "/v1/offline-results"
UNCOVERED_PATH: Final = "/api/offline/uncovered"
MOST_SHOWN: Final = 1000
_JSON: Final = "application/json"


class Suites(msgspec.Struct, frozen=True):
    """What the handlers go by. ``submit`` makes an entry durable and has the desk take it."""

    desk: OfflineDesk
    submit: Callable[[Entry, Any], Awaitable[None]]


SUITES = web.AppKey("SUITES", Suites)


def add_routes(app: web.Application) -> None:
    """Add the handlers; the app must hold SUITES and a RECEPTION and be made with SERVER_OPTIONS."""
    app.router.add_post(PATH, receive)
    app.router.add_get(UNCOVERED_PATH, uncovered)


async def receive(request: web.Request) -> web.Response:
    """Take the results of a run: all of them, or none and say of each what is wrong."""
    reception = request.app[RECEPTION]
    try:
        response = _answer(200, await _received(request, request.app[SUITES], reception))
    except Refusal as refusal:
        reception.on_rejected(SIGNAL, refusal.reason, 1)
        response = _refused(refusal)
    reception.on_answered(SIGNAL, response.status)
    return response


async def _received(request: web.Request, suites: Suites, reception: Reception) -> dict[str, int]:
    check_access(request, reception, "ingest")
    media_type, held = checked_media_type(request, (_JSON,)), Held(reception)
    try:
        body = await body_of(request, reception, held)
        entry = Entry(SIGNAL, media_type, request.headers.get("Content-Encoding", ""), body, reception.now())
        with understanding(SIGNAL):
            asked = suites.desk.read(entry)
        with making_durable(SIGNAL):
            await suites.submit(entry, asked)
    finally:
        held.release()
    return {"accepted": len(asked.results), **asked.outcomes}


async def uncovered(request: web.Request) -> web.Response:
    """List the failures in production that no suite covers, those with the most failures first."""
    try:
        check_access(request, request.app[RECEPTION], "read")
        most = _limit(request.query.get("limit", "100"))
        with making_durable(SIGNAL):
            gaps = request.app[SUITES].desk.uncovered(request.query.get("app"), most)
    except Refusal as refusal:
        return _refused(refusal)
    return _answer(200, {"uncovered": gaps})


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MOST_SHOWN:
        raise Refusal(400, "limit", f"limit: send a number from 1 to {MOST_SHOWN}")
    return int(text)


def _refused(refusal: Refusal) -> web.Response:
    response = _answer(refusal.code, {"error": refusal.message})
    response.headers.extend(refusal.headers())
    return response


def _answer(code: int, said: object) -> web.Response:
    headers = {"X-Content-Type-Options": "nosniff"}
    return web.Response(status=code, body=msgspec.json.encode(said), content_type=_JSON, headers=headers)
