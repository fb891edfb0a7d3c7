"""The asynchronous spend ledger over a blocking database driver: calls run in threads."""

import asyncio
from typing import Protocol

from ..judge.budget import Caps, Short, Spent


class BlockingLedger(Protocol):
    """One open ledger, see ``port.SpendLedger``; its methods may be called from any thread. They raise StoreError."""

    caps: Caps

    def reserve(self, tokens: int, micros: int, *, targeted: bool = False) -> int | Short:
        """Spend what a call costs at most: the number of the reservation, or the limit that has no room for it."""

    def settle(self, reservation: int, tokens: int, micros: int) -> None:
        """Correct a reservation to what was billed; without effect where that has been done."""

    def look(self) -> Spent:
        """What was spent in this hour and this day, in the ledger that was opened."""

    def close(self) -> None:
        """Close the ledger; what was reserved stays spent."""


class ThreadedLedger:
    """Runs the calls of a blocking ledger in threads. Raises StoreError."""

    def __init__(self, ledger: BlockingLedger) -> None:
        self._ledger = ledger
        self.spent: Spent | None = None
        """What was spent when it was last looked at; None where that cannot be read."""

    @property
    def caps(self) -> Caps:
        """The limits in force."""
        return self._ledger.caps

    def configure(self, caps: Caps) -> None:
        """Apply other limits."""
        self._ledger.caps = caps

    async def reserve(self, tokens: int, micros: int, *, targeted: bool = False) -> int | Short:
        """Spend what a call costs at most: the number of the reservation, or the limit that has no room for it."""
        return await asyncio.to_thread(self._ledger.reserve, tokens, micros, targeted=targeted)

    async def settle(self, reservation: int, tokens: int, micros: int) -> None:
        """Correct a reservation to what was billed; without effect where that has been done."""
        await asyncio.to_thread(self._ledger.settle, reservation, tokens, micros)

    async def look(self) -> None:
        """Check whether the ledger is the one that was opened, and what all who share it have spent."""
        self.spent = None
        self.spent = await asyncio.to_thread(self._ledger.look)

    def close(self) -> None:
        """Close the ledger; what was reserved stays spent."""
        self._ledger.close()
