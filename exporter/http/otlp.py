"""The HTTP handlers that receive traces: OTLP, and plain JSON interactions; knows neither stores nor scores.

Every error has the format of the client's protocol, also those of the router.
"""

from functools import partial
from http import HTTPStatus
from typing import Final

from aiohttp import web

from ..decode import JSON, PROTOBUF, Batch, Signal, reply, status
from ..ingest.port import Intake
from ..records.requests import Entry
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
    rpc_code,
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


def add_routes(app: web.Application) -> None:
    """Add the handlers; the app must hold an INTAKE and a RECEPTION and be made with SERVER_OPTIONS."""
    for path, signal in _PATHS.items():
        app.router.add_post(path, answered(partial(_receive, signal), counted_as=signal, refused=_refused))
    app.middlewares.append(_otlp_errors)


async def _receive(signal: Signal, request: web.Request) -> web.Response:
    check_access(request, "ingest")
    async with entry_of(request, signal, _MEDIA_TYPES[signal]) as entry:
        body = await take(request.app[INTAKE], request.app[RECEPTION], signal, entry)
    return web.Response(body=body, content_type=entry.media_type)


async def take(intake: Intake, reception: Reception, signal: Signal, entry: Entry) -> bytes:
    """Decode a request and make it durable; returns the body of the answer. Raises Refusal."""
    await reception.decoding.pace.turn()
    with making_durable(signal):
        await intake.room()
    with explaining(reception, entry):
        batch = await reception.decoding.batch(signal, entry, reception.limits, reception.reading)
    await _hand_over(intake, reception, entry, batch)
    return reply(signal, entry.media_type, batch)


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
    body = status(form, rpc_code(code), message)
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
