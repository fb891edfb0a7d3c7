"""The applications: they are asked, ask the model, and send spans of it. Knows the story and when it turns."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from msgspec import Struct
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from . import spans
from .story import DemoStory, Route

_PATIENCE = aiohttp.ClientTimeout(total=10)


class Visit(Struct, frozen=True):
    """One request to an application: where, what about, in which words, and the prompt version that answers it."""

    route: Route
    topic: str
    prompt: str
    question: str
    conversation: str


class DemoReply(Struct, frozen=True):
    """What the user got, and what it can be named by."""

    answer: str
    response_id: str
    trace_id: str
    conversation: str


class Visitors:
    """Decides who comes next."""

    def __init__(self, story: DemoStory, chance: random.Random) -> None:
        self._story = story
        self._chance = chance
        self.rolled_out = False

    def next(self) -> Visit:
        """The next request."""
        route = self._chance.choices(self._story.routes, [route.weight for route in self._story.routes])[0]
        topic = self._chance.choice(route.topics)
        question = f"{self._chance.choice(self._story.openings)} {self._story.topics[topic].question}"
        return Visit(route, topic, self._prompt(route), question, f"{self._chance.getrandbits(64):016x}")

    def wait(self, rate: float) -> float:
        """Seconds until it comes, at ``rate`` requests a second."""
        return self._chance.expovariate(rate)

    def _prompt(self, route: Route) -> str:
        new = self._story.rollout
        hit = self.rolled_out and (route.app, route.route) == (new.app, new.route)
        return new.prompt if hit and self._chance.random() < new.share else route.prompt


class Applications:
    """The applications of a story, each with its own tracer provider, over one model."""

    def __init__(self, story: DemoStory, session: aiohttp.ClientSession, model: str, to: str) -> None:
        self._story = story
        self._session = session
        self._model = f"{model.rstrip('/')}/chat/completions"
        self._providers = {app: spans.provider(app, to) for app in story.apps()}
        self._tracers = {app: spans.tracer(provider) for app, provider in self._providers.items()}

    async def serve(self, visit: Visit) -> DemoReply | None:
        """Answer one request: retrieve, ask the model; a model that fails leaves an error on its span, and no reply."""
        topic = self._story.topics[visit.topic]
        route = visit.route
        tracer = self._tracers[route.app]
        name = f"POST {route.route}"
        with tracer.start_as_current_span(name, kind=SpanKind.SERVER, attributes=spans.served(route.route)):
            with tracer.start_as_current_span(
                "retrieval handbook", attributes=spans.retrieved(visit.question, topic.documents)
            ):
                pass
            request = self._request(visit)
            with tracer.start_as_current_span(
                f"chat {self._story.model}",
                kind=SpanKind.CLIENT,
                attributes=spans.asked(request, self._model, visit.prompt, visit.conversation),
                record_exception=False,
            ) as span:
                return _reply(await self._ask(request, span), visit, span)

    async def stop(self) -> None:
        """Send what has not been sent."""
        await asyncio.gather(*(asyncio.to_thread(provider.shutdown) for provider in self._providers.values()))

    def _request(self, visit: Visit) -> dict[str, Any]:
        topic = self._story.topics[visit.topic]
        said = "\n".join(["Documents:", *topic.documents, "", visit.question])
        messages = [
            {"role": "system", "content": self._story.prompts[visit.prompt]},
            {"role": "user", "content": said},
        ]
        wanted = {"response_format": {"type": "json_object"}} if visit.route.json else {}
        return {"model": self._story.model, "messages": messages, **wanted}

    async def _ask(self, request: dict[str, Any], span: Span) -> dict[str, Any] | None:
        try:
            async with self._session.post(self._model, json=request) as response:
                response.raise_for_status()
                completion: dict[str, Any] = await response.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(Status(StatusCode.ERROR))
            return None
        span.set_attributes(spans.answered(completion))
        return completion


def _reply(completion: dict[str, Any] | None, visit: Visit, span: Span) -> DemoReply | None:
    if completion is None:
        return None
    trace_id = f"{span.get_span_context().trace_id:032x}"
    return DemoReply(completion["choices"][0]["message"]["content"], completion["id"], trace_id, visit.conversation)


@asynccontextmanager
async def applications(story: DemoStory, model: str, to: str) -> AsyncIterator[Applications]:
    """The applications of a story: ``model`` is the address before /chat/completions, ``to`` that before /v1/traces."""
    async with aiohttp.ClientSession(timeout=_PATIENCE) as session:
        apps = Applications(story, session, model, to)
        try:
            yield apps
        finally:
            await apps.stop()


async def run(
    come: Callable[[Visit], Awaitable[None]],
    visitors: Visitors,
    rate: float,
    rollout_after: float,
    on_rollout: Callable[[], Awaitable[None]],
) -> None:
    """Let ``rate`` users a second come, for ever; the new prompt is rolled out after ``rollout_after`` seconds."""

    async def visit() -> None:
        await come(visitors.next())

    async def roll_out() -> None:
        await asyncio.sleep(rollout_after)
        await on_rollout()
        visitors.rolled_out = True

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(roll_out())
        while True:
            await asyncio.sleep(visitors.wait(rate))
            tasks.create_task(visit())
