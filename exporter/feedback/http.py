"""The HTTP handler of feedback: for servers, and for pages whose origins are in feedback.origins; knows no trace."""

import math
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from ..config.settings import FeedbackSettings
from ..http.requests import RECEPTION, Handler, Refusal, answer, answered, check_access, entry_of, making_durable, read
from ..records.requests import Entry
from .join import SIGNAL, FeedbackJoin
from .rate_limit import RateLimit
from .signals import ReadSignals, told

PATH: Final = "/v1/feedback"
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "authorization, content-type",
    "Access-Control-Max-Age": "7200",
}


class FeedbackContext:
    """Dependencies of the handler. ``submit`` applies a request durably."""

    def __init__(
        self, desk: FeedbackJoin, submit: Callable[[Entry, Any], Awaitable[None]], settings: FeedbackSettings
    ) -> None:
        self.desk = desk
        self.submit = submit
        self.configure(settings)

    def configure(self, settings: FeedbackSettings) -> None:
        """Apply other settings."""
        self.origins = frozenset(settings.origins)
        self.pace = RateLimit(settings.per_second, settings.burst)


CONTEXT = web.AppKey("FEEDBACK", FeedbackContext)


def add_routes(app: web.Application, context: FeedbackContext) -> None:
    """Add the handlers; the app must hold a RECEPTION and be made with SERVER_OPTIONS."""
    app[CONTEXT] = context
    app.router.add_post(PATH, _shared(answered(receive, counted_as=SIGNAL)))
    app.router.add_options(PATH, _shared(answered(preflight)))


def _shared(handle: Handler) -> Handler:
    """The handler, whose answers a browser lets the page see that asked, if its origin is allowed."""

    async def sharing(request: web.Request) -> web.StreamResponse:
        response = await handle(request)
        origin = request.headers.get("Origin", "")
        if origin in request.app[CONTEXT].origins:
            response.headers.update({"Access-Control-Allow-Origin": origin, "Vary": "Origin"})
        return response

    return sharing


async def preflight(request: web.Request) -> web.Response:
    """Tell a browser whether the pages of an origin may send feedback here."""
    is_shared = request.headers.get("Origin", "") in request.app[CONTEXT].origins
    return web.Response(status=HTTPStatus.NO_CONTENT, headers=_PREFLIGHT if is_shared else {})


async def receive(request: web.Request) -> web.Response:
    """Accept one signal or a list: valid ones are counted, each invalid one is reported in the reply."""
    check_access(request, "feedback")
    check_pace(request)
    context = request.app[CONTEXT]
    async with entry_of(request, SIGNAL) as entry:
        found = await read(request, entry, context.desk.read)
        await take(request, entry, found)
    errors = told(found.errors)
    if found.errors and not found.items:
        request.app[RECEPTION].on_rejected(SIGNAL, "invalid", len(found.errors))
        return answer(400, {"error": found.errors[0][1], "errors": errors})
    return answer(200, {"accepted": len(found.items), "errors": errors})


def check_pace(request: web.Request) -> None:
    """Refuse an address that has sent too much."""
    if wait := request.app[CONTEXT].pace.wait(request.remote or ""):
        message = f"too much feedback from one address: wait {math.ceil(wait)} s, or raise feedback.rate"
        raise Refusal(429, "rate", message, retry_after=wait)


async def take(request: web.Request, entry: Entry, found: ReadSignals) -> None:
    """Make the signals of a request durable, and take them."""
    context = request.app[CONTEXT]
    context.pace.spend(request.remote or "", len(found.items) + len(found.errors))
    if found.items:
        with making_durable(SIGNAL):
            await context.submit(entry, found)
