"""Sends each evaluation to another system, as OTLP log events. Never blocks: a full queue drops events.

Events wait in a bounded queue and go out in batches. An endpoint that is down for a while gets them later; one that is
down for long costs events, which are counted, and nothing else.
"""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, Final, Literal

import httpx
import msgspec
from msgspec import Struct

from .. import __version__
from ..judge.breaker import Backoff
from ..model.score import Evaluation, Failure
from ..semconv.evaluations import EVENT, attributes

Fate = Literal["sent", "dropped", "rejected"]

_BATCH: Final = 512
_TIMEOUT: Final = 10.0
_PATIENCE: Final = 5.0
_TRY_AGAIN: Final = frozenset({429, 502, 503, 504})
"""The answers after which OTLP says to send the same again."""
_INFO: Final = 9


class EvaluationEvent(Struct, frozen=True, kw_only=True):
    """One evaluation, or its failure, and what it is of: ids in hexadecimal; ``at`` in Unix seconds."""

    trace_id: str
    span_id: str = ""
    response_id: str | None = None
    result: Evaluation | Failure
    at: float


class Emitter:
    """Sends events to one endpoint; ``fates`` counts outcomes, ``told`` is called with them. For one event loop."""

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        capacity: int = 10_000,
        backoff: Backoff = Backoff(first=1.0, longest=60.0),  # noqa: B008 (frozen)
        chance: random.Random | None = None,
        told: Callable[[Fate, int], None] = lambda *_: None,
    ) -> None:
        self.capacity = capacity
        self.fates: Counter[Fate] = Counter()
        self._url = f"{url.rstrip('/')}/v1/logs"
        self._waiting: deque[EvaluationEvent] = deque()
        self._arrived = asyncio.Event()
        self._backoff, self._told = backoff, told
        self._chance = chance or random.Random()  # noqa: S311 - to spread retries
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"} if token else {}, timeout=httpx.Timeout(_TIMEOUT)
        )

    def __len__(self) -> int:
        """Events that wait, those on their way included."""
        return len(self._waiting)

    def offer(self, event: EvaluationEvent) -> None:
        """Queue an event; dropped where there is no room."""
        if len(self._waiting) >= self.capacity:
            self._count("dropped", 1)
            return
        self._waiting.append(event)
        self._arrived.set()

    async def run(self) -> None:
        """Send what comes, until cancelled."""
        failures = 0
        while True:
            await self._arrived.wait()
            if await self._send_some():
                failures = 0
            else:
                failures += 1
                await asyncio.sleep(self._backoff.wait(failures, self._chance))

    async def close(self) -> None:
        """Try once to send what waits, then let go; what is left counts as dropped. After ``run`` was cancelled."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while self._waiting and await self._send_some():
                    pass
        self._count("dropped", len(self._waiting))
        self._waiting.clear()
        await self._http.aclose()

    async def _send_some(self) -> bool:
        """Send one batch; False where the same is to be tried again later."""
        some = tuple(islice(self._waiting, _BATCH))
        try:
            response = await self._http.post(
                self._url, content=encoded(some), headers={"Content-Type": "application/json"}
            )
        except httpx.HTTPError:
            return False
        if response.status_code in _TRY_AGAIN:
            return False
        refused = len(some) if not response.is_success else min(_rejected(response.content), len(some))
        self._count("rejected", refused)
        self._count("sent", len(some) - refused)
        for _ in some:
            self._waiting.popleft()
        if not self._waiting:
            self._arrived.clear()
        return True

    def _count(self, fate: Fate, number: int) -> None:
        if number:
            self.fates[fate] += number
            self._told(fate, number)


def encoded(events: Sequence[EvaluationEvent]) -> bytes:
    """The body of an OTLP/JSON request with these events."""
    resource = {"attributes": _pairs({"service.name": "llmq", "service.version": __version__})}
    scope = {"name": "llmq", "version": __version__}
    logs = [{"scope": scope, "logRecords": [_record(event) for event in events]}]
    return msgspec.json.encode({"resourceLogs": [{"resource": resource, "scopeLogs": logs}]})


def _record(event: EvaluationEvent) -> dict[str, Any]:
    nanoseconds = str(int(event.at * 1e9))
    return {
        "timeUnixNano": nanoseconds,
        "observedTimeUnixNano": nanoseconds,
        "severityNumber": _INFO,
        "eventName": EVENT,
        "traceId": event.trace_id,
        "spanId": event.span_id,
        "attributes": _pairs(attributes(event.result, event.response_id)),
    }


def _pairs(values: dict[str, str | float]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"stringValue": value} if isinstance(value, str) else {"doubleValue": value}}
        for key, value in values.items()
    ]


def _rejected(body: bytes) -> int:
    """How many events an endpoint that took the request did not take."""
    try:
        partial = msgspec.json.decode(body or b"{}").get("partialSuccess") or {}
        return max(int(partial.get("rejectedLogRecords") or 0), 0)
    except (msgspec.DecodeError, ValueError, TypeError, AttributeError):
        return 0
