"""What ``llmq demo``, ``llmq demo stub`` and ``llmq demo traffic`` do: wiring; they print through ``say``."""

import argparse
import asyncio
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from ..config.units import Address
from . import judge, rules, servers, traffic
from .alert_receiver import FIRING, AlertReceiver
from .narrator import Narrator
from .readings import Readings
from .reviewers import Reviewers
from .stack import DemoError, first, workshop
from .story import DemoStory, told
from .stub import Model
from .suites import Suites
from .users import Users

__all__ = ["DemoError", "perform"]

Say = Callable[[str], None]

_HERE = Address("127.0.0.1", 0)
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def perform(options: argparse.Namespace, say: Say) -> None:
    """Run what was asked for, with the options of ``arguments``; raises DemoError where it cannot go on."""
    match options.part:
        case "stub":
            await _stub(options.listen, say)
        case "traffic":
            await _send(options, say)
        case _:
            await first(_until_told(), _whole(options, say))


async def _stub(listen: Address, say: Say) -> None:
    async with _serving(Model(told(), _chance()).app(), listen) as address:
        say(f"the model listens: {address}/v1")
        await _until_told()


async def _send(options: argparse.Namespace, say: Say) -> None:
    story = told()
    feedback = options.feedback or options.to
    async with aiohttp.ClientSession() as session, traffic.applications(story, options.model, options.to) as apps:
        users = Users(story, apps, session, feedback, _chance())
        await first(_until_told(), _traffic(story, users, options, lambda: _told(story, say), say))


async def _whole(options: argparse.Namespace, say: Say) -> None:
    found = servers.programs()
    story, window = told(), rules.short_window(options.speed)
    desk = AlertReceiver()
    async with (
        _serving(desk.app(), _HERE) as desk_at,
        _serving(Model(story, _chance()).app(), _HERE) as model_at,
        _serving(judge.stub(story).app(), _HERE) as judge_at,
        workshop(say, keep=options.keep) as stack,
        aiohttp.ClientSession() as session,
    ):
        say(f"starting the exporter, Prometheus and Alertmanager in {stack.folder} (Ctrl-C ends them)")
        others = servers.Others(desk_at, f"{judge_at}/v1", tuple(judge.anchors(story)))
        at = await servers.start(stack, found, others, options.speed)
        desk.prometheus = at.prometheus
        for line in _to_open(at):
            say(line)
        async with traffic.applications(story, f"{model_at}/v1", at.exporter) as apps:
            narrator = Narrator(story, window, Readings(at, session), desk, say)
            suites = Suites(story, session, at.exporter)
            await suites.push((route.app, route.prompt) for route in story.routes)

            async def roll_out() -> None:
                await suites.push([(story.rollout.app, story.rollout.prompt)])
                narrator.tell(suites.said())
                await _told(story, narrator.tell)

            await first(
                stack.ended(),
                narrator.watch(),
                _traffic(story, Users(story, apps, session, at.exporter, _chance()), options, roll_out, narrator.tell),
                Reviewers(story, session, at.exporter, _chance()).work(),
                _pass(options.duration),
            )


def _to_open(at: servers.Addresses) -> list[str]:
    return [
        "",
        f"  metrics       {at.exporter}/metrics",
        f"  answers       {at.exporter}/answers",
        f"  review        {at.exporter}/review",
        f"  Prometheus    {at.prometheus}{FIRING}",
        f"  Alertmanager  {at.alertmanager}",
        "",
    ]


async def _traffic(
    story: DemoStory, users: Users, options: argparse.Namespace, on_rollout: Callable[[], Awaitable[None]], say: Say
) -> None:
    say(f"{', '.join(story.apps())} get {options.rate:g} questions a second; {story.model} answers, in two versions.")
    visitors = traffic.Visitors(story, _chance())
    await traffic.run(users.come, visitors, options.rate, options.rollout_after, on_rollout)


async def _told(story: DemoStory, say: Say) -> None:
    new = story.rollout
    say(f"{new.app} rolls out prompt {new.prompt} on {new.route}, to {new.share:.0%} of its users.")


def _chance() -> random.Random:
    return random.Random(1)  # noqa: S311 - the same story every time


async def _pass(seconds: float | None) -> None:
    """Return after so many seconds; never without a number."""
    if seconds is None:
        await asyncio.Event().wait()
    else:
        await asyncio.sleep(seconds)


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
