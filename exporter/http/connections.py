"""HTTP connections: their number, limits on slow clients, and replies to malformed HTTP.

aiohttp's server with three additions. Each connection is tracked with the time since its client was last active, so
that a new one always finds room: the longest inactive one is closed. Clients that are too slow are disconnected. And
replies to malformed HTTP are our own, because aiohttp's quote what was sent.
"""

import asyncio
import errno
import logging
import math
import resource
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final, Literal

from aiohttp import StreamReader, web

from ..config.settings import ConnectionLimits
from ..runtime.log import described

Reason = Literal["header", "idle", "answer", "room", "refused", "malformed"]
RESERVED_DESCRIPTORS: Final = 256
"""Open files beside connections: the store's, those of calls to others, and those accepted before they are counted."""
SWEEP_EVERY: Final = 1.0
_OUT_OF_RESOURCES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_MADE_ROOM: Final = 16
"""Connections that make way at once where accepting another one failed."""
_FOREVER: Final = 10.0**8
_FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 1\r\n"
    b"Connection: close\r\nContent-Length: 40\r\n\r\ntoo many connections: try again shortly\n"
)
_TOO_LONG: Final = "the request line or a header is too long: at most 8190 bytes each, and at most 128 headers\n"
_MALFORMED: Final = "this is not well-formed HTTP: this port speaks HTTP/1.1 without TLS\n"
_INTERNAL: Final = "the request could not be processed: see the log of llmq\n"

_log = logging.getLogger(__name__)


class Connections:
    """All open connections, the longest inactive one first.

    ``on_closed`` is called with the reason for each that was closed by us. ``allowed`` is the maximum number: that of
    ``limits``, or fewer where the process may not open so many files.
    """

    def __init__(self, limits: ConnectionLimits, on_closed: Callable[[Reason], None] = lambda _reason: None) -> None:
        self.on_closed = on_closed
        self.is_draining = False
        self._none_left = asyncio.Event()
        self._relieved_at = -math.inf
        self._by_silence: dict[HttpConnection, None] = {}
        self.limits, self.allowed = limits, _allowed(limits.connections)

    def __len__(self) -> int:
        return len(self._by_silence)

    def configure(self, limits: ConnectionLimits) -> None:
        """Apply other limits."""
        if limits != self.limits:
            self.limits, self.allowed = limits, _allowed(limits.connections)

    def opened(self, connection: "HttpConnection") -> None:
        """Add a new connection; where there are too many, the longest inactive one is closed, or else the new one."""
        self._by_silence[connection] = None
        if len(self) > self.allowed and not self._make_room(1, before=connection):
            connection.refuse()

    def heard(self, connection: "HttpConnection") -> None:
        """Data was received from the client, or sent to it."""
        if connection in self._by_silence:
            del self._by_silence[connection]
            self._by_silence[connection] = None

    def lost(self, connection: "HttpConnection") -> None:
        """The connection was closed."""
        self._by_silence.pop(connection, None)
        if not self._by_silence:
            self._none_left.set()

    def out_of_resources(self) -> None:
        """Accepting a connection failed for want of files or memory: some make way, once a second."""
        now = asyncio.get_running_loop().time()
        if now - self._relieved_at >= SWEEP_EVERY:
            self._relieved_at = now
            self._make_room(_MADE_ROOM)

    def _make_room(self, wanted: int, before: "HttpConnection | None" = None) -> bool:
        """Close the longest inactive connections that wait for their client; returns whether there was one."""
        found: list[HttpConnection] = []
        for connection in self._by_silence:
            if connection is before or len(found) == wanted:
                break
            if connection.waits_for_client:
                found.append(connection)
        for connection in found:
            connection.cut("room")
        return bool(found)

    def sweep(self, now: float) -> None:
        """Close connections that exceeded their time limit; ``now`` is the event loop's time."""
        for connection in list(self._by_silence):
            reason = connection.overdue(now, self.limits)
            if reason is not None:
                connection.cut(reason)

    async def run(self) -> None:
        """Sweep until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            self.sweep(loop.time())

    async def drain(self, seconds: float) -> None:
        """Accept nothing new, wait up to this many seconds for requests under way, then close every connection."""
        self.is_draining = True
        self._none_left.clear()
        for connection in list(self._by_silence):
            if not connection.in_request:
                connection.end()
        if self._by_silence:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._none_left.wait(), seconds)
        for connection in list(self._by_silence):
            connection.end()


class HttpConnection(web.RequestHandler):
    """One connection: waiting for a header (at first), in a request, or idle between two."""

    __slots__ = ("_all", "_blocked_since", "_payload", "_since", "_socket", "_state")

    def __init__(self, manager: web.Server, everyone: Connections, **options: Any) -> None:
        super().__init__(manager, **options)
        self._all = everyone
        self._payload: StreamReader | None = None
        self._socket: asyncio.Transport | None = None
        self._state: Literal["header", "request", "idle"] = "header"
        self._since = 0.0
        self._blocked_since: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first header."""
        super().connection_made(transport)
        self._socket = transport if isinstance(transport, asyncio.Transport) else None
        self._enter("header")
        self._all.opened(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Be forgotten."""
        self._all.lost(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of a header, where this is the beginning of one."""
        if self._state == "idle":
            self._enter("header")
        self._all.heard(self)
        super().data_received(data)

    def request_begins(self, payload: StreamReader) -> None:
        """A whole header has come; ``payload`` is the body that follows it."""
        self._payload = payload
        self._enter("request")

    def log_access(self, request: web.BaseRequest, response: web.StreamResponse, time: float | None) -> None:
        """Wait for the next request: what aiohttp calls when an answer was written."""
        self._payload = None
        self._enter("idle")
        self._all.heard(self)
        if self._all.is_draining:
            self.close()
        super().log_access(request, response, time)

    def _enter(self, state: Literal["header", "request", "idle"]) -> None:
        self._state, self._since = state, self._loop.time()

    @property
    def in_request(self) -> bool:
        """Whether a request is under way."""
        return self._state == "request"

    @property
    def waits_for_client(self) -> bool:
        """Whether nothing happens here until the client sends or reads something."""
        if self._state != "request":
            return True
        return (self._payload is not None and not self._payload.is_eof()) or self._unread() > 0

    def _unread(self) -> int:
        """Bytes of an answer that the client has not taken."""
        return self._socket.get_write_buffer_size() if self._socket is not None else 0

    def overdue(self, now: float, limits: ConnectionLimits) -> Reason | None:
        """The time limit that the client exceeded, if any; reading a body has its own limit."""
        if not self._unread():
            self._blocked_since = None
        elif self._blocked_since is None:
            self._blocked_since = now
        elif now - self._blocked_since > limits.answer:
            return "answer"
        if self._state == "header" and now - self._since > limits.header:
            return "header"
        return "idle" if self._state == "idle" and now - self._since > limits.idle else None

    def cut(self, reason: Reason) -> None:
        """Close it at once, and count the reason."""
        self._all.on_closed(reason)
        self.end()

    def refuse(self) -> None:
        """Reply that there are too many connections."""
        if self._socket is not None:
            self._socket.write(_FULL)
        self._all.on_closed("refused")
        self._all.lost(self)
        self.force_close()

    def end(self) -> None:
        """Close it at once, whatever is still to be sent or read."""
        self._all.lost(self)
        self.force_close()
        if self._socket is not None:
            self._socket.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - aiohttp's words, which quote what was sent
    ) -> web.StreamResponse:
        """Answer what cannot be parsed, or what a handler did not foresee, without quoting anything."""
        kind = described(exc) if exc is not None else "none"
        if status == HTTPStatus.BAD_REQUEST:
            self._all.on_closed("malformed")
            _log.warning("request is not well-formed HTTP: from=%s error=%s", request.remote, kind)
        else:
            _log.error("request failed: status=%d error=%s", status, kind)
        if request.writer.output_size > 0:
            raise ConnectionError("a part of the answer was sent already")
        too_long = type(exc).__name__ == "LineTooLong"
        text = _INTERNAL if status != HTTPStatus.BAD_REQUEST else _TOO_LONG if too_long else _MALFORMED
        response = web.Response(status=431 if too_long else status, text=text)
        response.force_close()
        return response


class HttpServer(web.Server):
    """An application's server whose connections are ``HttpConnection``s."""

    def __init__(self, app: web.Server, everyone: Connections, **options: Any) -> None:
        super().__init__(_answering(app.request_handler), request_factory=self._request)
        self._everyone, self._options = everyone, options
        self._request_of_app = app.request_factory

    def __call__(self) -> web.RequestHandler:
        """Make the protocol of a connection that was accepted."""
        return HttpConnection(self, self._everyone, loop=asyncio.get_running_loop(), **self._options)

    def _request(
        self,
        message: Any,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: Any,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        if isinstance(protocol, HttpConnection):
            protocol.request_begins(payload)
        return self._request_of_app(message, payload, protocol, writer, task)


def _answering(
    handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
    """The handler, whose errors name the status alone: aiohttp quotes a header that it does not know."""

    async def answering(request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await handle(request)
        except web.HTTPException as error:
            if error.status >= HTTPStatus.BAD_REQUEST:
                error.text = f"{error.status}: {HTTPStatus(error.status).phrase}\n"
            raise

    return answering


class Runner(web.AppRunner):
    """Runs an application on a ``HttpServer``; ``options`` are aiohttp's, of each connection."""

    def __init__(self, app: web.Application, everyone: Connections, **options: Any) -> None:
        super().__init__(app, shutdown_timeout=1.0)
        # how long a connection may be idle is for Connections to say, which a reload may change
        self._everyone, self._options = everyone, {**options, "access_log": None, "keepalive_timeout": _FOREVER}

    async def _make_server(self) -> web.Server:
        return HttpServer(await super()._make_server(), self._everyone, **self._options)


def _allowed(wanted: int) -> int:
    """As many connections as that, or as this process may have files for."""
    allowed = min(wanted, descriptors(wanted + RESERVED_DESCRIPTORS) - RESERVED_DESCRIPTORS)
    if allowed < wanted:
        _log.warning(
            "fewer than server.limits.connections (%d): the process may open no more files, connections=%d",
            wanted,
            allowed,
        )
    return allowed


def descriptors(wanted: int) -> int:
    """Let this process open so many files, or as many as it may; returns how many it may open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    except (OSError, ValueError):
        return soft
    return allowed


def handle_loop_errors(connections: Connections) -> None:
    """Have the running event loop report errors without quoting, and connections make way where files run out."""

    def report(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in _OUT_OF_RESOURCES and "socket" in context:
            connections.out_of_resources()
            _log.error("no connection could be accepted: error=%s", errno.errorcode[error.errno])
        else:
            _log.error("event loop: error=%s", described(error) if error is not None else "unknown")

    asyncio.get_running_loop().set_exception_handler(report)
