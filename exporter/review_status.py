"""What ``llmq review`` asks a running exporter over HTTP, and how it says it. Knows no queue and no store."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from .offline.report import table
from .review.item import STATES

_SECONDS: Final = 30.0
_HOUR: Final = 3600.0


class UnreachableError(Exception):
    """The exporter did not answer as it should; the message says what to do."""


class Queue(Struct, frozen=True, kw_only=True):
    """How many items of a reason stand where."""

    reason: str
    held: int
    waiting: int
    claimed: int
    disputed: int
    done: int


class Status(Struct, frozen=True, kw_only=True):
    """What GET /api/review says."""

    enabled: bool
    oldest_seconds: float
    queues: list[Queue]


def fetch(url: str, path: str, token: str) -> bytes:
    """The body of a path of the exporter at ``url``; raises UnreachableError."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise UnreachableError(f'"{url}" is no address of an exporter: give one such as http://127.0.0.1:4318')
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(url.rstrip("/") + path, headers=headers)  # noqa: S310 - http or https, see above
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as response:  # noqa: S310
            body: bytes = response.read()
            return body
    except urllib.error.HTTPError as error:
        hint = "give a token with the role review (--token-env)" if error.code in (401, 403) else "see its log"
        raise UnreachableError(f"{url} answered {error.code}: {hint}") from None
    except (OSError, ValueError) as error:
        raise UnreachableError(f"{url} does not answer ({error}): is llmq running there?") from None


def status(url: str, token: str) -> Status:
    """How the review queue of an exporter stands; raises UnreachableError."""
    try:
        return msgspec.json.decode(fetch(url, "/api/review", token), type=Status)
    except msgspec.DecodeError:
        raise UnreachableError(f"{url} is not an llmq with a review queue") from None


def lines(found: Status) -> Iterator[str]:
    """The status for people."""
    rows = [["reason", *STATES]]
    rows += [[queue.reason, *(str(getattr(queue, state)) for state in STATES)] for queue in found.queues]
    yield from table(rows, right=tuple(range(1, len(STATES) + 1)))
    yield (
        f"the oldest open item came {found.oldest_seconds / _HOUR:.1f} h ago"
        if found.oldest_seconds
        else "none is open"
    )
    if not found.enabled:
        yield "nothing is put into the queue: review.enabled is false, or store.content is none"
