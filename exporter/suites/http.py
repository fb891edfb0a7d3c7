"""The HTTP handlers of offline suites: push a run, list uncovered failures; knows no metric."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from aiohttp import web

from ..http.requests import Refusal, answer, answered, check_access, entry_of, making_durable, read, reading_store
from ..records.requests import Entry
from .inbox import SIGNAL, SuitesInbox

PATH: Final = "/v1/offline-results"
UNCOVERED_PATH: Final = "/api/offline/uncovered"
MOST_SHOWN: Final = 1000


class SuitesContext(msgspec.Struct, frozen=True):
    """Dependencies of the handlers. ``submit`` applies a request durably."""

    desk: SuitesInbox
    submit: Callable[[Entry, Any], Awaitable[None]]


CONTEXT = web.AppKey("SUITES", SuitesContext)


def add_routes(app: web.Application, context: SuitesContext) -> None:
    """Add the handlers; the app must hold a RECEPTION and be made with SERVER_OPTIONS."""
    app[CONTEXT] = context
    app.router.add_post(PATH, answered(receive, counted_as=SIGNAL))
    app.router.add_get(UNCOVERED_PATH, answered(uncovered))


async def receive(request: web.Request) -> web.Response:
    """Accept the results of a run: all of them, or none, with the error of each."""
    check_access(request, "ingest")
    suites = request.app[CONTEXT]
    async with entry_of(request, SIGNAL) as entry:
        asked = await read(request, entry, suites.desk.read)
        with making_durable(SIGNAL):
            await suites.submit(entry, asked)
    return answer(200, {"accepted": len(asked.results), **asked.outcomes})


async def uncovered(request: web.Request) -> web.Response:
    """List the failures in production that no suite covers, those with the most failures first."""
    check_access(request, "read")
    most = _limit(request.query.get("limit", "100"))
    with reading_store():
        gaps = await request.app[CONTEXT].desk.uncovered(request.query.get("app"), most)
    return answer(200, {"uncovered": gaps})


def _limit(text: str) -> int:
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    if not 1 <= limit <= MOST_SHOWN:
        raise Refusal(400, "limit", f"limit: send a number from 1 to {MOST_SHOWN}")
    return limit
