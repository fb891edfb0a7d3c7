"""The HTTP handlers that take traces: OTLP, and the plain door; knows neither stores nor scores.

Every answer is in the form that the client reads, also those of the router.
"""

from functools import partial
from http import HTTPStatus
from typing import Final

from aiohttp import web

from ..decode import JSON, PROTOBUF, Batch, Signal, reply, status
from ..ingest.port import Intake
from ..store.records import Entry
from .requests import (
    RECEPTION,
    Handler,
    Headers,
    Reception,
    Refusal,
    answered,
    check_access,
    entry_of,
    explaining,
    making_durable,
    media_type,
    refused_in_json,
)

INTAKE = web.AppKey("INTAKE", Intake)
_MEDIA_TYPES: Final[dict[Signal, tuple[str, ...]]] = {
    "traces": (PROTOBUF, JSON),
    "logs": (PROTOBUF, JSON),
    "interactions": (JSON,),
}
_PATHS: Final[dict[str, Signal]] = {
    "/v1/traces": "traces",
    "/v1/logs": "logs",
    "/v1/interactions": "interactions",
    "/api/public/otel/v1/traces": "traces",
}
_OTLP_PREFIXES: Final = ("/v1/", "/api/public/otel/")
_RPC_CODES: Final = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 408: 4, 413: 8, 415: 3, 503: 14}
_RPC_UNKNOWN: Final = 2


def add_routes(app: web.Application) -> None:
    """Add the handlers; the app must hold an INTAKE and a RECEPTION and be made with SERVER_OPTIONS."""
    for path, signal in _PATHS.items():
        app.router.add_post(path, answered(partial(_receive, signal), counted_as=signal, refused=_refused))
    app.middlewares.append(_otlp_errors)


async def _receive(signal: Signal, request: web.Request) -> web.Response:
    check_access(request, "ingest")
    reception = request.app[RECEPTION]
    async with entry_of(request, signal, _MEDIA_TYPES[signal]) as entry:
        await reception.decoding.pace.turn()
        with making_durable(signal):
            await request.app[INTAKE].room()
        with explaining(reception, entry):
            batch = await reception.decoding.batch(signal, entry, reception.limits, reception.reading)
        await _hand_over(request.app[INTAKE], reception, entry, batch)
    return web.Response(body=reply(signal, entry.media_type, batch), content_type=entry.media_type)


async def _hand_over(intake: Intake, reception: Reception, entry: Entry, batch: Batch) -> None:
    if not batch.spans and not batch.logs:
        for reason, count in batch.rejected.items():
            reception.on_rejected(entry.signal, reason, count)
        return
    with making_durable(entry.signal):
        await intake.accept(entry, batch)


def _refused(request: web.Request, refusal: Refusal) -> web.Response:
    return _status_response(request, refusal.code, refusal.message, refusal.headers())


def refused_as_read(request: web.Request, refusal: Refusal) -> web.Response:
    """A refusal in the form that the client reads: as OTLP's status where it sends OTLP, else in JSON."""
    return (_refused if request.path in _PATHS else refused_in_json)(request, refusal)


def _status_response(request: web.Request, code: int, message: str, headers: Headers) -> web.Response:
    form = PROTOBUF if media_type(request) == PROTOBUF else JSON
    body = status(form, _RPC_CODES.get(code, _RPC_UNKNOWN), message)
    return web.Response(status=code, body=body, content_type=form, headers=headers)


@web.middleware
async def _otlp_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give OTLP clients the router's 404 and 405 in the form that they can read."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST or not _is_otlp(request):
            raise
        message = f"{HTTPStatus(error.status).phrase}: data is received by POST on {', '.join(_PATHS)}"
        headers = [(name, value) for name, value in error.headers.items() if name == "Allow"]
        return _status_response(request, error.status, message, headers)


def _is_otlp(request: web.Request) -> bool:
    return media_type(request) == PROTOBUF or request.path.startswith(_OTLP_PREFIXES)
