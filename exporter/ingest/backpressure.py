"""Makes requests wait, first come, first served, while what was taken before fills the memory; knows bytes alone."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class NoRoomError(Exception):
    """No room came in time."""


class Door:
    """Opens while the bytes ``held`` behind it, with those on their way in, are below ``limit``.

    Slowing senders down keeps memory bounded at the speed of the work behind the door; refusing them would cost the
    same request again and again. Who waits has not been decoded: a request decoded takes many times its body's memory.
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
        """Return when there is room, for the one who enters without waiting for anything else; raises NoRoomError."""
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
        """Count so many bytes as held inside the block, until they are behind the door."""
        self._entering += size
        try:
            yield
        finally:
            self._entering -= size
            if self._turn.locked():
                self._pressed.set()

    def look(self) -> None:
        """There may be room now."""
        self._room.set()

    async def pressed(self, seconds: float) -> None:
        """Return when somebody begins to wait for room, or more comes in while they wait; after ``seconds`` at most."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._pressed.wait(), seconds)
        self._pressed.clear()

    def _full(self) -> bool:
        return self._held() + self._entering >= self._limit()
