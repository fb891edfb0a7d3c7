"""Request limits, authorization, body reading and error responses, shared by all handlers that receive data.

Knows no path and nothing of what a body means. The status tells the client what to do: 400 and 413 are never retried,
503 is.
"""

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from http import HTTPStatus
from typing import Final, TypeVar

import msgspec
from aiohttp import web

from ..config.settings import Role
from ..decode import JSON, DecodeError, DecodeLimits, TooLarge, UnsupportedEncoding, decompress
from ..ingest.decoding import Decoding
from ..ingest.port import Busy
from ..records.requests import Entry
from ..runtime.log import described
from ..store.errors import StoreError
from ..store.in_work import PoisonError
from .auth import CHALLENGES, Access
from .hosts import Caller, Hosts

SERVER_OPTIONS: Final = {"auto_decompress": False}
"""Handler arguments for the web.Application: the journal keeps bodies as they came, and inflating has a limit."""
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
LARGEST_LIST: Final = 4 << 20
"""Bytes of a body that holds no telemetry, after decompression."""
_STORE_RETRY_SECONDS: Final = 5.0
_RPC_CODES: Final = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 408: 4, 413: 8, 415: 3, 503: 14}
_RPC_UNKNOWN: Final = 2
_T = TypeVar("_T")
Headers = list[tuple[str, str]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = logging.getLogger(__name__)


class Reception(msgspec.Struct, kw_only=True):
    """The settings and callbacks of all handlers; its fields may be replaced while they run.

    ``on_rejected`` gets (signal, reason, count) for what was refused before it was accepted; ``on_answered`` gets
    (signal, HTTP status). ``pending_bytes`` bounds the bodies held at one time, ``body_seconds`` the time to send one.
    ``reading`` marks a body while it is decoded; ``on_poison`` gets the requests that it refuses.
    """

    access: Access = msgspec.field(default_factory=Access)
    hosts: Hosts = msgspec.field(default_factory=Hosts)
    limits: DecodeLimits = DecodeLimits()
    decoding: Decoding = msgspec.field(default_factory=Decoding)
    body_bytes: int = 16 << 20
    pending_bytes: int = 64 << 20
    body_seconds: float = 60.0
    on_rejected: Callable[[str, str, int], None] = lambda _signal, _reason, _count: None
    on_answered: Callable[[str, int], None] = lambda _signal, _status: None
    reading: Callable[[bytes], AbstractContextManager[None]] = lambda _body: nullcontext()
    on_poison: Callable[[Entry], object] = lambda _entry: None
    now: Callable[[], float] = time.time
    held_bytes: int = 0

    def check_size(self, size: int) -> None:
        """Refuse a body of more bytes than one may have."""
        if size > self.body_bytes:
            message = f"the body is larger than {self.body_bytes} bytes: send less at once"
            raise Refusal(413, "too_large", message)


RECEPTION = web.AppKey("RECEPTION", Reception)


def rpc_code(code: int) -> int:
    """The code of gRPC that says the same as an HTTP status."""
    return _RPC_CODES.get(code, _RPC_UNKNOWN)


class Refusal(Exception):  # noqa: N818 - the answer that it becomes
    """An error response: its status, the reason under which it is counted, and what the client can do about it."""

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


# Answers.


def answer(code: int, said: object) -> web.Response:
    """An answer in JSON."""
    return web.Response(status=code, body=msgspec.json.encode(said), content_type=JSON, headers=HEADERS)


def refused_in_json(_request: web.Request, refusal: Refusal) -> web.Response:
    """{"error": what is wrong and what to do about it}."""
    response = answer(refusal.code, {"error": refusal.message})
    response.headers.extend(refusal.headers())
    return response


def answered(
    handle: Handler,
    *,
    counted_as: str | None = None,
    refused: Callable[[web.Request, Refusal], web.Response] = refused_in_json,
) -> Handler:
    """The handler, with Refusals turned into responses; those of requests with data are counted by signal."""

    async def answering(request: web.Request) -> web.StreamResponse:
        reception, reason = request.app[RECEPTION], None
        try:
            response = await handle(request)
        except Refusal as refusal:
            response, reason = refused(request, refusal), refusal.reason
        if counted_as is not None:
            if reason is not None:
                reception.on_rejected(counted_as, reason, 1)
            reception.on_answered(counted_as, response.status)
        return response

    return answering


# What a request must be.

_CURES: Final = {
    "host": (
        "the Host header names another host: use the address that llmq listens on, add the name to server.hosts, "
        "or configure server.tokens"
    ),
    "origin": (
        "the request comes from the page of another origin: if it may, add its host to server.hosts, or for feedback "
        "its origin to feedback.origins"
    ),
}


def same_site(refused: Callable[[web.Request, Refusal], web.Response]) -> Callable[..., Awaitable[web.StreamResponse]]:
    """A middleware that refuses, on every path, requests for another host and from pages of others; see ``Hosts``."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        reception = request.app[RECEPTION]
        verdict = reception.hosts.check(_caller(request))
        if verdict == "allowed":
            return await handler(request)
        reception.on_rejected("http", verdict, 1)
        return refused(request, Refusal(403, verdict, _CURES[verdict]))

    return check


def _caller(request: web.Request) -> Caller:
    headers = request.headers
    return Caller(
        path=request.path,
        is_read=request.method in ("GET", "HEAD"),
        hosts=tuple(headers.getall("Host", ())),
        origin=headers.get("Origin"),
        site=headers.get("Sec-Fetch-Site"),
        mode=headers.get("Sec-Fetch-Mode"),
    )


def check_access(request: web.Request, role: Role) -> None:
    """Refuse a client without a token of the role."""
    check_bearer(request.app[RECEPTION].access, request.headers.get("Authorization"), role)


def check_bearer(access: Access, authorization: str | None, role: Role) -> None:
    """Refuse an Authorization header without a token that has the role."""
    known = access.answer(authorization, role)
    if known == "unknown":
        raise Refusal(401, "unauthenticated", f"send Authorization: Bearer with a token that has the role {role}")
    if known == "forbidden":
        cure = "use another, or add the role to it in server.tokens"
        raise Refusal(403, "forbidden", f"the token does not have the role {role}: {cure}")


def media_type(request: web.BaseRequest) -> str:
    """The media type of the body, without parameters; "" where none is given."""
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


@asynccontextmanager
async def entry_of(request: web.Request, signal: str, media_types: Sequence[str] = (JSON,)) -> AsyncIterator[Entry]:
    """The request as a journal entry, within all limits; its bytes count as held until the block ends."""
    given = media_type(request)
    if given not in media_types:
        raise Refusal(415, "media_type", f"send Content-Type: {' or '.join(media_types)}")
    reception = request.app[RECEPTION]
    held = HeldBytes(reception)
    try:
        body = await _body(request, reception, held)
        yield Entry(signal, given, request.headers.get("Content-Encoding", ""), body, reception.now())
    finally:
        held.release()


def too_many() -> Refusal:
    """The refusal of a request for which the other requests leave no room."""
    return Refusal(503, "busy", "too many requests at once: send it again", retry_after=1.0)


class HeldBytes:
    """The share of one request in the bytes that all requests hold."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._bytes = 0

    def add(self, size: int) -> None:
        """Hold more bytes; refused where all requests together would exceed the limit."""
        if self._reception.held_bytes + size > self._reception.pending_bytes:
            raise too_many()
        self._bytes += size
        self._reception.held_bytes += size

    def release(self) -> None:
        """Release all bytes."""
        self._reception.held_bytes -= self._bytes


async def _body(request: web.Request, reception: Reception, held: HeldBytes) -> bytes:
    """A request's body as it came, within the limits of size and time."""
    try:
        async with asyncio.timeout(reception.body_seconds):
            return await _read(request, reception, held)
    except TimeoutError:
        raise too_slow(reception.body_seconds) from None
    except web.RequestPayloadError:
        raise Refusal(400, "body", "the body broke off or is not well-formed HTTP") from None


def too_slow(seconds: float) -> Refusal:
    """The refusal of a body that took too long."""
    return Refusal(408, "timeout", f"the body did not arrive in {seconds:g} s: send less at once")


async def _read(request: web.Request, reception: Reception, held: HeldBytes) -> bytes:
    """Read at most ``body_bytes``, whatever the Content-Length says or does not say."""
    reception.check_size(request.content_length or 0)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        reception.check_size(size)
        held.add(len(chunk))
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


# What may go wrong with it.


@contextmanager
def understanding(reception: Reception, entry: Entry) -> Iterator[None]:
    """Mark a body while the block decodes it, and turn any exception into a refusal; the block must not await."""
    with explaining(reception, entry), reception.reading(entry.body):
        yield


@contextmanager
def explaining(reception: Reception, entry: Entry) -> Iterator[None]:
    """Turn any exception of the block, which decodes a body, into a refusal."""
    try:
        yield
    except PoisonError:
        reception.on_poison(entry)
        raise _poisonous() from None
    except UnsupportedEncoding as error:
        raise Refusal(400, "encoding", str(error)) from None
    except TooLarge as error:
        raise Refusal(413, "too_large", str(error)) from None
    except DecodeError as error:
        raise Refusal(400, "undecodable", str(error)) from None
    except Exception as error:  # noqa: BLE001 - a 5xx would make clients send the same poison again and again
        _log_unforeseen(entry.signal, error)
        raise Refusal(400, "unprocessable", "the body could not be processed") from None


async def read(request: web.Request, entry: Entry, how: Callable[[Entry], _T]) -> _T:
    """What a request of one object or of a list says; refused where it is large: it is read on the event loop."""
    reception = request.app[RECEPTION]
    await reception.decoding.pace.turn()
    with reception.decoding.pace.working(), understanding(reception, entry):
        decompress(entry.encoding, entry.body, LARGEST_LIST)
        return how(entry)


def _poisonous() -> Refusal:
    message = "this request ended llmq each time it was tried: it is tried no more, see the log of llmq"
    return Refusal(400, "quarantined", message)


@contextmanager
def making_durable(signal: str) -> Iterator[None]:
    """Turn failures to make a request durable into 503."""
    try:
        yield
    except PoisonError:
        raise _poisonous() from None
    except Busy as busy:
        raise Refusal(503, busy.counted_as, busy.reason, retry_after=busy.retry_after_seconds) from None
    except StoreError as error:
        raise _unavailable("store", f"the store could not make the data durable ({error.reason})") from None
    except Exception as error:  # noqa: BLE001 - whatever it was, the client must not take the data for safe
        _log_unforeseen(signal, error)
        raise _unavailable("internal", "the data could not be made durable") from None


@contextmanager
def reading_store() -> Iterator[None]:
    """Turn failures to read the store into 503."""
    try:
        yield
    except StoreError as error:
        raise _unavailable("store", f"the store cannot be read ({error.reason})") from None


def _log_unforeseen(signal: str, error: Exception) -> None:
    """Log the place of an unexpected exception, not its message, which may quote the body."""
    _log.error("request not processed: signal=%s error=%s", signal, described(error))


def _unavailable(reason: str, message: str) -> Refusal:
    return Refusal(503, reason, f"{message}: try again, and see the log of llmq", retry_after=_STORE_RETRY_SECONDS)
