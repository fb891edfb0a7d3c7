"""Makes requests wait, first come, first served, while what was taken before fills the memory; knows bytes alone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class NoRoomError(Exception):
    """No room came in time, or too much waits for it already."""


class Door:
    """Lets bytes in while those ``held`` behind it, with those still on their way, are below ``limit``.

    Slowing senders down keeps memory bounded at the speed of the work behind the door; refusing them would cost the
    decoding of the same request again and again.
    """

    def __init__(self, held: Callable[[], int], limit: Callable[[], int]) -> None:
        self.patience = 5.0
        """Seconds to wait for room."""
        self._held = held
        self._limit = limit
        self._entering = 0
        self._waiting = 0
        self._turn = asyncio.Lock()
        self._room = asyncio.Event()

    @asynccontextmanager
    async def enter(self, size: int, most_waiting: int) -> AsyncIterator[None]:
        """Hold room for so many bytes inside the block; raises NoRoomError and lets nothing in."""
        if self._full() or self._turn.locked():
            await self._wait(size, most_waiting)
        self._entering += size
        try:
            yield
        finally:
            self._entering -= size

    def look(self) -> None:
        """There may be room now."""
        self._room.set()

    def _full(self) -> bool:
        return self._held() + self._entering >= self._limit()

    async def _wait(self, size: int, most_waiting: int) -> None:
        if self._waiting and self._waiting + size > most_waiting:
            raise NoRoomError
        self._waiting += size
        try:
            async with asyncio.timeout(self.patience), self._turn:
                while self._full():
                    self._room.clear()
                    await self._room.wait()
        except TimeoutError:
            raise NoRoomError from None
        finally:
            self._waiting -= size
