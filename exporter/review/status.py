"""The review queue of a running exporter, for ``llmq review status``. Knows no HTTP and no queue."""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from ..offline.client import ExchangeError
from ..offline.report import table
from ..records.review import STATES

PATH: Final = "/api/review"
_HOUR: Final = 3600.0


class QueueStatus(Struct, frozen=True, kw_only=True):
    """The number of items of one reason, by state."""

    reason: str
    held: int
    waiting: int
    claimed: int
    disputed: int
    done: int


class Status(Struct, frozen=True, kw_only=True):
    """The answer to GET /api/review."""

    enabled: bool
    oldest_seconds: float
    queues: list[QueueStatus]


def read(body: bytes) -> Status:
    """The status; raises ExchangeError where the answer is none."""
    try:
        return msgspec.json.decode(body, type=Status)
    except msgspec.DecodeError:
        raise ExchangeError("the answer is not that of a review queue: is that an llmq, and of this version?") from None


def lines(found: Status) -> Iterator[str]:
    """The status for people."""
    rows = [["reason", *STATES]]
    rows += [[queue.reason, *(str(getattr(queue, state)) for state in STATES)] for queue in found.queues]
    yield from table(rows, right=range(1, len(STATES) + 1))
    if found.oldest_seconds:
        yield f"the oldest open item came {found.oldest_seconds / _HOUR:.1f} h ago"
    if not found.enabled:
        yield "nothing is put into the queue: review.enabled is false, or store.content is none"
