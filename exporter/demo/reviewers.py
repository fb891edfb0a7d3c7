"""Reviewers: they take what is queued and label it, and are wrong at times. Knows the story and the review API."""

import asyncio
import random
from contextlib import suppress
from typing import Any, Final

import aiohttp

from .story import DemoStory

_READS: Final = (0.5, 2.0)
_PAUSE: Final = 1.0


class Reviewers:
    """The reviewers of a story; ``exporter`` is its address."""

    def __init__(self, story: DemoStory, session: aiohttp.ClientSession, exporter: str, chance: random.Random) -> None:
        self._story = story
        self._session = session
        self._api = f"{exporter.rstrip('/')}/api/review"
        self._chance = chance

    async def work(self) -> None:
        """Label for ever."""
        async with asyncio.TaskGroup() as tasks:
            for name in self._story.reviewers.names:
                tasks.create_task(self._work(name))

    async def _work(self, name: str) -> None:
        while True:
            await asyncio.sleep(_PAUSE)
            with suppress(aiohttp.ClientError, TimeoutError):
                item = (await self._post("claim", reviewer=name))["item"]
                if item:
                    await asyncio.sleep(self._chance.uniform(*_READS))
                    await self._label(name, item)

    async def _label(self, name: str, item: dict[str, Any]) -> None:
        right = self._story.is_right(item["answer"])
        labels = {one["evaluator"]: {"verdict": self._verdict(right)} for one in item["ask"]}
        await self._post("label", reviewer=name, trace_id=item["trace_id"], labels=labels)

    def _verdict(self, right: bool) -> str:
        mistaken = self._chance.random() < self._story.reviewers.mistaken
        return "pass" if right != mistaken else "fail"

    async def _post(self, action: str, **body: Any) -> Any:
        async with self._session.post(f"{self._api}/{action}", json=body, raise_for_status=True) as response:
            return await response.json()
