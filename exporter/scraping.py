"""Answers Prometheus while everything else goes on: scrapes are rendered in a thread and sent in parts.

Whatever the number of series and of scrapers, the event loop does nothing for a scrape but take a snapshot of the
values and hand out bytes. One document is rendered at a time; who asks for the same while it is rendered gets the same.
"""

import asyncio
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Final

from aiohttp import web

from .metrics.events import Metrics
from .metrics.exposition import Snapshot, negotiate
from .reception import Refusal

MOST_AT_ONCE: Final = 16
"""Scrapes that are answered at one time: each may hold a document in memory until its client has read it."""
MOST_SECONDS: Final = 60.0
"""How long a client may take to read the answer."""
_GZIP: Final = 16 + zlib.MAX_WBITS
_FASTEST: Final = 1

Document = tuple[bytes, ...]
"""The body of an answer, in parts."""


class Scrapes:
    """Renders the metrics of one exporter for all who scrape them."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="llmq scrape")
        self._rendering: dict[tuple[str, bool], asyncio.Future[Document]] = {}
        self.answering = 0
        """Scrapes that are being answered."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a scrape in the format and encoding that the request wants."""
        if self.answering >= MOST_AT_ONCE:
            message = f"{MOST_AT_ONCE} scrapes are answered at once: scrape less often"
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "busy", message, retry_after=1.0)
        self.answering += 1
        try:
            return await self._answer(request)
        finally:
            self.answering -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        content_type, gzip = negotiate(request.headers.get("Accept", "")), wants_gzip(request)
        document = await self._document(content_type, gzip=gzip)
        response = web.StreamResponse(headers={"Content-Type": content_type, "Vary": "Accept, Accept-Encoding"})
        if gzip:
            response.headers["Content-Encoding"] = "gzip"
        response.content_length = sum(map(len, document))
        try:
            async with asyncio.timeout(MOST_SECONDS):
                await response.prepare(request)
                for part in document if request.method == "GET" else ():
                    await response.write(part)
                await response.write_eof()
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
        return response

    async def _document(self, content_type: str, *, gzip: bool) -> Document:
        """The document of now, or the one that is being rendered."""
        wanted = content_type, gzip
        rendering = self._rendering.get(wanted)
        if rendering is None:
            loop = asyncio.get_running_loop()
            rendering = loop.run_in_executor(self._thread, self._render, self._metrics.snapshot(), *wanted)
            self._rendering[wanted] = rendering
            rendering.add_done_callback(lambda _: self._rendering.pop(wanted))
        return await asyncio.shield(rendering)

    def _render(self, snapshot: Snapshot, content_type: str, gzip: bool) -> Document:
        parts = self._metrics.render(snapshot, content_type)
        return tuple(_compressed(parts) if gzip else parts)


def wants_gzip(request: web.Request) -> bool:
    """Whether a client takes gzip."""
    accepted = (one.strip().lower() for one in request.headers.get("Accept-Encoding", "").split(","))
    return any(one == "gzip" or (one.startswith("gzip;") and _quality(one) > 0) for one in accepted)


def _quality(coding: str) -> float:
    try:
        return float(coding.partition("q=")[2] or 1)
    except ValueError:
        return 0.0


def _compressed(parts: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(_FASTEST, wbits=_GZIP)
    for part in parts:
        if compressed := compressor.compress(part):
            yield compressed
    yield compressor.flush()
