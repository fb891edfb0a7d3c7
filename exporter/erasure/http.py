"""The HTTP handlers that delete a trace, or all of a user, for administrators; knows no store."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import msgspec
from aiohttp import web
from msgspec import Struct

from ..decode import JSON
from ..http.requests import RECEPTION, Refusal, answer, answered, check_access, making_durable, understanding
from ..records.requests import Entry
from .erasure import SIGNAL, Eraser, PendingErasure

_PATIENCE: Final = 30.0


class ErasureContext(Struct, frozen=True):
    """Dependencies of the handlers. ``submit`` applies a request durably."""

    desk: Eraser
    submit: Callable[[Entry, Any], Awaitable[None]]


CONTEXT = web.AppKey("ERASURE", ErasureContext)


def add_routes(app: web.Application, context: ErasureContext) -> None:
    """Add the handlers; the app must hold a RECEPTION."""
    app[CONTEXT] = context
    app.router.add_delete("/api/traces/{trace_id}", answered(forget_trace, counted_as=SIGNAL))
    app.router.add_delete("/api/users/{user:.+}", answered(forget_user, counted_as=SIGNAL))


async def forget_trace(request: web.Request) -> web.Response:
    """Delete all that is kept of a trace."""
    return await _forget(request, {"trace_id": request.match_info["trace_id"].lower()})


async def forget_user(request: web.Request) -> web.Response:
    """Delete all that is kept of a user's traces."""
    return await _forget(request, {"user": request.match_info["user"]})


async def _forget(request: web.Request, whom: dict[str, str]) -> web.Response:
    check_access(request, "admin")
    entry = Entry(SIGNAL, JSON, "", msgspec.json.encode(whom), request.app[RECEPTION].now())
    return answer(200, {"traces": await _done(request.app, entry)})


async def _done(app: web.Application, entry: Entry) -> int:
    """How many recorded traces are gone, once they are gone for good."""
    context = app[CONTEXT]
    with understanding(app[RECEPTION], entry):
        asked = context.desk.read(entry)
    done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    with making_durable(SIGNAL):
        await context.submit(entry, PendingErasure(asked.asked, partial(_tell, done)))
    try:
        async with asyncio.timeout(_PATIENCE):
            return await done
    except TimeoutError:
        message = "accepted and not done yet, because the store cannot be written; it will be: ask again to be sure"
        raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "store", message, retry_after=_PATIENCE) from None


def _tell(done: asyncio.Future[int], traces: int) -> None:
    if not done.done():  # whoever asked may have gone
        done.set_result(traces)
