"""Queries Prometheus and the exporter over HTTP while the demo runs."""

import time
from collections.abc import Mapping
from typing import Any

import aiohttp
from msgspec import Struct

from ..rules.slo import DEFAULT_SLOS, VerdictsSli
from .servers import Addresses

_LOOK_BACK = 600
_EVALUATORS = {slo.name: slo.measure.evaluator for slo in DEFAULT_SLOS if isinstance(slo.measure, VerdictsSli)}


class Share(Struct, frozen=True):
    """Bad answers out of all that were scored."""

    bad: float
    events: float

    def __sub__(self, other: "Share") -> "Share":
        return Share(self.bad - other.bad, self.events - other.events)

    def __str__(self) -> str:
        return f"{self.bad / self.events:.0%} bad of {self.events:.0f}" if self.events else "no answers yet"


class BadAnswer(Struct, frozen=True):
    """An answer that an evaluator failed, and why; ``url`` is that of its trace document."""

    url: str
    prompt_version: str
    question: str
    answer: str
    why: str


class Readings:
    """Asks the servers of the demo."""

    def __init__(self, at: Addresses, session: aiohttp.ClientSession) -> None:
        self._at = at
        self._session = session

    async def share(self, sli: str, window: str, where: Mapping[str, str]) -> Share:
        """The share of bad answers in the last ``window``, over all routes with these labels."""
        chosen = _matchers({"sli": sli, **where})
        names = (f"route:llmq_sli_{kind}:increase{window}" for kind in ("bad_events", "events"))
        bad, events = [await self._sum(f"sum({name}{chosen})") for name in names]
        return Share(bad, events)

    async def alerts(self, name: str, window: str) -> list[dict[str, str]]:
        """The labels of the pending and firing alerts of this name and window; ``alertstate`` is among them."""
        rows = await self._prometheus("query", query=f"ALERTS{_matchers({'alertname': name, 'window': window})}")
        return [row["metric"] for row in rows["result"]]

    async def bad_answer(self, sli: str, where: Mapping[str, str]) -> BadAnswer | None:
        """The last answer that failed the SLI's evaluator, found as its exemplar; None where there is none (yet)."""
        evaluator = _EVALUATORS[sli]
        failed = _matchers({"evaluator": evaluator, "verdict": "fail", **where})
        now = time.time()
        series = await self._prometheus(
            "query_exemplars", query=f"llmq_evaluations_total{failed}", start=now - _LOOK_BACK, end=now + 1
        )
        found = [exemplar for one in series for exemplar in one["exemplars"]]
        if not found:
            return None
        last = max(found, key=lambda one: float(one["timestamp"]))
        url = f"{self._at.exporter}/api/traces/{last['labels']['trace_id']}"
        document = await self._json(url)
        [verdict] = [one for one in document["evaluations"] if one["evaluator"] == evaluator]
        return BadAnswer(
            url, document["prompt_version"], document["question"], document["answer"], verdict["explanation"]
        )

    async def _sum(self, query: str) -> float:
        rows = (await self._prometheus("query", query=query))["result"]
        return float(rows[0]["value"][1]) if rows else 0.0

    async def _prometheus(self, path: str, **query: str | float) -> Any:
        return (await self._json(f"{self._at.prometheus}/api/v1/{path}", **query))["data"]

    async def _json(self, url: str, **query: str | float) -> Any:
        async with self._session.get(url, params=query, raise_for_status=True) as response:
            return await response.json()


def _matchers(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
