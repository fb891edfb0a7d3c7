"""Users: what they make of an answer. They rate it late, edit it, ask again or leave. Knows the story, no spans."""

import asyncio
import random
from contextlib import suppress
from typing import Any, Final

import aiohttp
from msgspec.structs import replace

from .story import DemoStory
from .traffic import Applications, DemoReply, Visit

_READS: Final = (1.0, 3.0)
_RATES: Final = (0.0, 8.0)
_CHANGES_MIND: Final = (2.0, 10.0)
_PATIENCE: Final = 2
"""How often a user asks again at most."""


class Users:
    """The users of applications; ``feedback`` is the exporter's address, before /v1/feedback."""

    def __init__(
        self, story: DemoStory, apps: Applications, session: aiohttp.ClientSession, feedback: str, chance: random.Random
    ) -> None:
        self._story = story
        self._apps = apps
        self._session = session
        self._feedback = f"{feedback.rstrip('/')}/v1/feedback"
        self._chance = chance

    async def come(self, visit: Visit, patience: int = _PATIENCE) -> None:
        """One conversation: a question, and whatever follows from its answer."""
        reply = await self._apps.serve(visit)
        if reply is not None:
            await self._wait(_READS)
            pleased = self._story.is_right(reply.answer)
            await asyncio.gather(self._react(reply, pleased=pleased), self._go_on(visit, patience, pleased=pleased))

    async def _go_on(self, visit: Visit, patience: int, *, pleased: bool) -> None:
        users = self._story.users
        if patience and not pleased and self._one_of(users.again):
            insisting = f"{users.insisting} {visit.question}" if self._one_of(0.5) else visit.question
            await self.come(replace(visit, question=insisting), patience - 1)

    async def _react(self, reply: DemoReply, *, pleased: bool) -> None:
        users = self._story.users
        if pleased and self._one_of(users.edit):
            words = reply.answer.split()
            await self._send(reply, signal="edit", edited_text=" ".join(words[: self._chance.randint(3, len(words))]))
        if self._one_of(users.rate):
            await self._wait(_RATES)
            await self._rate(reply, up=pleased != self._one_of(users.mistaken))

    async def _rate(self, reply: DemoReply, *, up: bool) -> None:
        await self._send(reply, signal="thumbs_up" if up else "thumbs_down")
        if self._one_of(self._story.users.change_mind):
            await self._wait(_CHANGES_MIND)
            await self._send(reply, signal="thumbs_down" if up else "thumbs_up")

    async def _send(self, reply: DemoReply, **said: Any) -> None:
        """Tell the exporter, by either id of the answer; who gets no connection lets it be."""
        answer = {"trace_id": reply.trace_id} if self._one_of(0.5) else {"response_id": reply.response_id}
        user = {"user": reply.conversation}
        with suppress(aiohttp.ClientError, TimeoutError):
            async with self._session.post(self._feedback, json=[{**answer, **user, **said}]):
                pass

    def _one_of(self, share: float) -> bool:
        return self._chance.random() < share

    async def _wait(self, seconds: tuple[float, float]) -> None:
        await asyncio.sleep(self._chance.uniform(*seconds))
