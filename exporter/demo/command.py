"""What ``llmq demo``, ``llmq demo stub`` and ``llmq demo traffic`` do; prints through ``say``, ends when told."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from ..config.units import Address
from . import traffic
from .story import Story, told
from .stub import Model

Say = Callable[[str], None]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def stub(listen: Address, say: Say) -> None:
    """Answer as the demo's model until told to stop."""
    async with _serving(Model(told(), _chance()).app(), listen) as address:
        say(f"the model listens: {address}/v1")
        await _until_told()


async def send(to: str, model: str, rate: float, rollout_after: float, say: Say) -> None:
    """Be the demo's applications until told to stop."""
    story = told()
    say(f"{len(story.apps())} applications ask {rate:g} questions a second")
    async with traffic.applications(story, model, to) as apps:
        await _first(_until_told(), _traffic(story, apps, rate, rollout_after, say))


def _traffic(story: Story, apps: traffic.Applications, rate: float, rollout_after: float, say: Say) -> Awaitable[None]:
    new = story.rollout
    news = f"{new.app} rolls out prompt {new.prompt} on {new.route}, to {new.share:.0%} of its users"
    return traffic.run(apps, traffic.Visitors(story, _chance()), rate, rollout_after, lambda: say(news))


def _chance() -> random.Random:
    return random.Random(1)  # noqa: S311 - the same story every time


@asynccontextmanager
async def _serving(app: web.Application, listen: Address) -> AsyncIterator[str]:
    """A web application that runs meanwhile, by its address."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, listen.host, listen.port).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{Address(host, port)}"
    finally:
        await runner.cleanup()


async def _until_told() -> None:
    event, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, event.set)
    await event.wait()


async def _first(*work: Awaitable[None]) -> None:
    """Return when the first of them does, or raise what it raises; the others are cancelled."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
