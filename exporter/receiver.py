"""The HTTP handlers that take data in: read within limits, decode, hand over, reply; knows neither stores nor scores.

What a client can do about a refusal decides its status: 400 and 413 are never retried, 503 is.
"""

import asyncio
import logging
import math
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus

import msgspec
from aiohttp import web

from .access import CHALLENGES, Access
from .config.settings import Role
from .decode import (
    JSON,
    PROTOBUF,
    Batch,
    DecodeError,
    DecodeLimits,
    Signal,
    TooLarge,
    UnsupportedEncoding,
    decode,
    decompress,
    reply,
    status,
)
from .intake import Busy, Intake
from .store.sqlite import Entry, StoreError

SERVER_OPTIONS = {"auto_decompress": False}
"""Handler arguments for the web.Application: the journal keeps bodies as they came, and inflating has a limit."""

_STORE_RETRY_SECONDS = 5.0
_MEDIA_TYPES: dict[Signal, tuple[str, ...]] = {
    "traces": (PROTOBUF, JSON),
    "logs": (PROTOBUF, JSON),
    "interactions": (JSON,),
}
_PATHS: dict[str, Signal] = {
    "/v1/traces": "traces",
    "/v1/logs": "logs",
    "/v1/interactions": "interactions",
    "/api/public/otel/v1/traces": "traces",
}
_OTLP_PREFIXES = ("/v1/", "/api/public/otel/")
_RPC_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 408: 4, 413: 8, 415: 3, 503: 14}
_RPC_UNKNOWN = 2
Headers = list[tuple[str, str]]

_log = logging.getLogger(__name__)


class Reception(msgspec.Struct, kw_only=True):
    """What the handlers go by; its fields may be replaced while they run.

    ``on_rejected`` gets (signal, reason, count) for what was refused and never reached the intake; ``on_answered`` gets
    (signal, HTTP status). ``pending_bytes`` bounds the bodies held at one time, ``body_seconds`` the time to send one.
    """

    access: Access = msgspec.field(default_factory=Access)
    limits: DecodeLimits = DecodeLimits()
    body_bytes: int = 16 << 20
    pending_bytes: int = 256 << 20
    body_seconds: float = 60.0
    on_rejected: Callable[[str, str, int], None] = lambda _signal, _reason, _count: None
    on_answered: Callable[[str, int], None] = lambda _signal, _status: None
    now: Callable[[], float] = time.time
    held_bytes: int = 0


INTAKE = web.AppKey("INTAKE", Intake)
RECEPTION = web.AppKey("RECEPTION", Reception)


class Refusal(Exception):  # noqa: N818 - the answer that it becomes
    """A request is refused: with which status, counted under which reason, and what the client can do about it."""

    def __init__(self, code: int, reason: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.retry_after = retry_after

    def headers(self) -> Headers:
        """The headers of the answer."""
        headers: Headers = []
        if self.retry_after is not None:
            headers.append(("Retry-After", str(max(1, math.ceil(self.retry_after)))))
        if self.code == HTTPStatus.UNAUTHORIZED:
            headers += [("WWW-Authenticate", challenge) for challenge in CHALLENGES]
        return headers


def add_routes(app: web.Application) -> None:
    """Add the handlers; the app must hold an INTAKE and a RECEPTION and be made with SERVER_OPTIONS."""
    for path, signal in _PATHS.items():
        app.router.add_post(path, _handler(signal))
    app.middlewares.append(_otlp_errors)


def _handler(signal: Signal) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def receive(request: web.Request) -> web.Response:
        reception = request.app[RECEPTION]
        try:
            response = await _received(request, reception, signal)
        except Refusal as refusal:
            reception.on_rejected(signal, refusal.reason, 1)
            response = _refused(request, refusal)
        reception.on_answered(signal, response.status)
        return response

    return receive


async def _received(request: web.Request, reception: Reception, signal: Signal) -> web.Response:
    check_access(request, reception, "ingest")
    media_type = checked_media_type(request, _MEDIA_TYPES[signal])
    body, held = b"", Held(reception)
    try:
        body = await body_of(request, reception, held)
        entry = Entry(signal, media_type, request.headers.get("Content-Encoding", ""), body, reception.now())
        batch = _decoded(signal, entry, reception.limits)
        await _hand_over(request.app[INTAKE], reception, entry, batch)
    finally:
        held.release()
    return web.Response(body=reply(signal, media_type, batch), content_type=media_type)


def check_access(request: web.Request, reception: Reception, role: Role) -> None:
    """Refuse whoever has no token with the role."""
    answer = reception.access.answer(request.headers.get("Authorization"), role)
    if answer == "unknown":
        raise Refusal(401, "unauthenticated", f"send Authorization: Bearer with a token that has the role {role}")
    if answer == "forbidden":
        raise Refusal(403, "forbidden", f"the token does not have the role {role}")


def checked_media_type(request: web.BaseRequest, known: Sequence[str]) -> str:
    """The media type of the body; any that is not known is refused."""
    media_type = _media_type(request)
    if media_type not in known:
        raise Refusal(415, "media_type", f"send Content-Type: {' or '.join(known)}")
    return media_type


def _media_type(request: web.BaseRequest) -> str:
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


class Held:
    """Counts one request's part of the bytes that all requests hold."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._bytes = 0

    def add(self, size: int) -> None:
        """Hold more; refused where all together would hold too much."""
        if self._reception.held_bytes + size > self._reception.pending_bytes:
            raise Refusal(503, "busy", "too many requests at once", retry_after=1.0)
        self._bytes += size
        self._reception.held_bytes += size

    def release(self) -> None:
        """Hold nothing any more."""
        self._reception.held_bytes -= self._bytes


async def body_of(request: web.Request, reception: Reception, held: Held) -> bytes:
    """A request's body as it came, within the limits of size and time."""
    try:
        async with asyncio.timeout(reception.body_seconds):
            return await _read(request, reception.body_bytes, held)
    except TimeoutError:
        raise Refusal(408, "timeout", "the body did not arrive in time") from None
    except web.RequestPayloadError:
        raise Refusal(400, "body", "the body broke off or is not well-formed HTTP") from None


async def _read(request: web.Request, limit: int, held: Held) -> bytes:
    """Read at most ``limit`` bytes, whatever the Content-Length says or does not say."""
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        held.add(len(chunk))
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(limit: int) -> Refusal:
    return Refusal(413, "too_large", f"the body is larger than {limit} bytes")


def _decoded(signal: Signal, entry: Entry, limits: DecodeLimits) -> Batch:
    with understanding(signal):
        body = decompress(entry.encoding, entry.body, limits.decompressed_bytes)
        return decode(signal, entry.media_type, body, limits, entry.received_at)


@contextmanager
def understanding(signal: str) -> Iterator[None]:
    """Refuse a body that cannot be understood, whatever happens while it is read."""
    try:
        yield
    except UnsupportedEncoding as error:
        raise Refusal(400, "encoding", str(error)) from None
    except TooLarge as error:
        raise Refusal(413, "too_large", str(error)) from None
    except DecodeError as error:
        raise Refusal(400, "undecodable", str(error)) from None
    except Exception as error:  # noqa: BLE001 - a 5xx would make clients send the same poison again and again
        _log_unforeseen(signal, error)
        raise Refusal(400, "unprocessable", "the body could not be processed") from None


def _log_unforeseen(signal: str, error: Exception) -> None:
    """Log where, never what: the message of an exception may quote the body."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    _log.error(
        "request not processed: signal=%s error=%s at=%s:%s", signal, type(error).__name__, frame.name, frame.lineno
    )


async def _hand_over(intake: Intake, reception: Reception, entry: Entry, batch: Batch) -> None:
    if not batch.spans and not batch.logs:
        for reason, count in batch.rejected.items():
            reception.on_rejected(entry.signal, reason, count)
        return
    with making_durable(entry.signal):
        await intake.accept(entry, batch)


@contextmanager
def making_durable(signal: str) -> Iterator[None]:
    """Refuse, for now, what could not be made durable."""
    try:
        yield
    except Busy as busy:
        raise Refusal(503, "busy", busy.reason, retry_after=busy.retry_after_seconds) from None
    except StoreError:
        raise _not_durable("store") from None
    except Exception as error:  # noqa: BLE001 - whatever it was, the client must not take the data for safe
        _log_unforeseen(signal, error)
        raise _not_durable("internal") from None


def _not_durable(reason: str) -> Refusal:
    return Refusal(503, reason, "the data could not be made durable", retry_after=_STORE_RETRY_SECONDS)


def _refused(request: web.Request, refusal: Refusal) -> web.Response:
    return _status_response(request, refusal.code, refusal.message, refusal.headers())


def _status_response(request: web.Request, code: int, message: str, headers: Headers) -> web.Response:
    media_type = PROTOBUF if _media_type(request) == PROTOBUF else JSON
    body = status(media_type, _RPC_CODES.get(code, _RPC_UNKNOWN), message)
    return web.Response(status=code, body=body, content_type=media_type, headers=headers)


@web.middleware
async def _otlp_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Give OTLP clients the router's 404 and 405 in the form that they can read."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST or not _is_otlp(request):
            raise
        message = f"{error.reason}: data is received by POST on {', '.join(_PATHS)}"
        headers = [(name, value) for name, value in error.headers.items() if name == "Allow"]
        return _status_response(request, error.status, message, headers)


def _is_otlp(request: web.Request) -> bool:
    return _media_type(request) == PROTOBUF or request.path.startswith(_OTLP_PREFIXES)
