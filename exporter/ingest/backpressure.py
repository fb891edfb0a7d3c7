"""Backpressure: blocks new requests, in order, while buffered bytes exceed a limit. Knows bytes only."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class NoRoomError(Exception):
    """No room became free in time."""


class Backpressure:
    """Blocks new requests while ``held`` bytes and those of requests being read exceed ``limit``.

    Slowing senders down bounds memory at the speed of processing; refusing requests would make senders repeat them. A
    request waits before it is decoded, because decoding takes a multiple of its body's memory.
    """

    def __init__(self, held: Callable[[], int], limit: Callable[[], int]) -> None:
        self.patience = 5.0
        """Seconds to wait for room."""
        self._held = held
        self._limit = limit
        self._entering = 0
        self._turn = asyncio.Lock()
        self._room = asyncio.Event()
        self._pressed = asyncio.Event()

    async def opened(self) -> None:
        """Return when there is room; the caller must enter before its next await. Raises NoRoomError."""
        if not self._full() and not self._turn.locked():
            return
        self._pressed.set()
        try:
            async with asyncio.timeout(self.patience), self._turn:
                while self._full():
                    self._room.clear()
                    await self._room.wait()
        except TimeoutError:
            raise NoRoomError from None

    @contextmanager
    def entering(self, size: int) -> Iterator[None]:
        """Count bytes as held inside the block, until ``held`` counts them."""
        self._entering += size
        try:
            yield
        finally:
            self._entering -= size
            if self._turn.locked():
                self._pressed.set()

    def look(self) -> None:
        """Check again whether there is room."""
        self._room.set()

    async def pressed(self, seconds: float) -> None:
        """Return when a request begins to wait, or another arrives while one waits; after ``seconds`` at most."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._pressed.wait(), seconds)
        self._pressed.clear()

    def _full(self) -> bool:
        return self._held() + self._entering >= self._limit()
