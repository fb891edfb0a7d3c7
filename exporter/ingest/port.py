"""The interface between HTTP handlers and the pipeline: accepting requests, backpressure, what the journal stores."""

from typing import Protocol

from ..decode import JSON
from ..decode.batch import Batch
from ..decode.to_json import instead
from ..records.requests import Entry


class Busy(Exception):  # noqa: N818 - reads as the answer that it becomes
    """Backpressure: nothing was accepted; the client may retry after this many seconds.

    ``counted_as`` is the reason under which the refusal is counted.
    """

    def __init__(self, retry_after_seconds: float, reason: str, *, counted_as: str = "busy") -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds
        self.reason = reason
        self.counted_as = counted_as


class Intake(Protocol):
    """Accepts decoded requests; returns once they are durable."""

    async def room(self) -> None:
        """Wait for room, before a request is decoded; it must then be accepted without another await; raises Busy."""

    async def accept(self, entry: Entry, batch: Batch) -> None:
        """Make a request durable and pass it on; raises Busy or StoreError, and then nothing of it was accepted."""


def what_is_kept(entry: Entry, batch: Batch) -> Entry:
    """What of a request goes to the journal: all of it, or what was taken of it where that is a small part."""
    body = instead(batch, len(entry.body)) if batch.kept is None else batch.kept
    if not body:
        return entry
    return Entry("logs" if batch.logs else "traces", JSON, "", body, entry.received_at)
