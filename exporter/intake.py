"""The seam between the HTTP handlers and the road: who takes decoded requests, and how it says "not now"."""

from typing import Protocol

from .decode.batch import Batch
from .store.records import Entry


class Busy(Exception):  # noqa: N818 - reads as the answer that it becomes
    """Back-pressure: nothing was taken; the client may try again after so many seconds."""

    def __init__(self, retry_after_seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds
        self.reason = reason


class Intake(Protocol):
    """Takes decoded requests; returns once they are durable."""

    async def room(self) -> None:
        """Wait for room, before a request is decoded and without waiting handed over; raises Busy."""

    async def accept(self, entry: Entry, batch: Batch) -> None:
        """Make a request durable and hand it on; raises Busy or StoreError, and then nothing of it was taken."""
