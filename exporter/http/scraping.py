"""Serves scrapes without blocking the event loop: rendered in a thread, sent in parts.

Whatever the number of series and of scrapers, the event loop only takes a snapshot of the values and sends bytes. One
document is rendered at a time; scrapes that arrive meanwhile share it.
"""

import asyncio
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Final

from aiohttp import web

from ..metrics.births import Scraper
from ..metrics.exposition import Snapshot, negotiate
from ..metrics.registry import Metrics
from .requests import Refusal

MOST_AT_ONCE: Final = 16
"""Scrapes that are answered at one time: each may hold a document in memory until its client has read it."""
MOST_SECONDS: Final = 60.0
"""How long a client may take to read the answer."""
_GZIP: Final = 16 + zlib.MAX_WBITS
_FASTEST: Final = 1

_SCRAPE_TIMEOUT: Final = "X-Prometheus-Scrape-Timeout-Seconds"
"""The header by which Prometheus, and what scrapes like it, says how long it waits."""

Document = tuple[bytes, ...]
"""The body of an answer, in parts."""
_Wanted = tuple[str, bool, bool]
"""A content type, whether it is to be gzipped, and whether new series are held at 0."""


class Scrapes:
    """Renders the metrics of one exporter for all who scrape them."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="llmq scrape")
        self._rendering: dict[_Wanted, tuple[int, asyncio.Future[Document]]] = {}
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
        scraper = scraper_of(request)
        mark, document = await self._document((content_type, gzip, scraper is not None))
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
            if scraper is not None and request.method == "GET":
                self._metrics.births.scraped(scraper, mark)
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
        return response

    async def _document(self, wanted: _Wanted) -> tuple[int, Document]:
        """The current document, or the one that is being rendered, and a mark of the values it shows."""
        if wanted not in self._rendering:
            self._rendering[wanted] = self._metrics.births.mark(), self._begin(*wanted)
            self._rendering[wanted][1].add_done_callback(lambda _: self._rendering.pop(wanted))
        mark, rendering = self._rendering[wanted]
        return mark, await asyncio.shield(rendering)

    def _begin(self, content_type: str, gzip: bool, held: bool) -> asyncio.Future[Document]:
        snapshot = self._metrics.snapshot(held=held)
        return asyncio.get_running_loop().run_in_executor(self._thread, self._render, snapshot, content_type, gzip)

    def _render(self, snapshot: Snapshot, content_type: str, gzip: bool) -> Document:
        parts = self._metrics.render(snapshot, content_type)
        return tuple(_compressed(parts) if gzip else parts)


def scraper_of(request: web.Request) -> Scraper | None:
    """The identity of the scraper; None for a person with a browser or curl.

    Those behind a proxy are told apart by the proxy's header, not by its connections.
    """
    if _SCRAPE_TIMEOUT not in request.headers:
        return None
    program = request.headers.get("User-Agent", "")
    if forwarded := request.headers.get("X-Forwarded-For"):
        return Scraper(forwarded, "", program)
    peer = request.transport.get_extra_info("peername") if request.transport else None
    host, port = peer[:2] if peer else ("", "")
    return Scraper(host, str(port), program)


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
