"""The demo's terminal output: the SLI, the alert, its notification, and why one answer was bad.

Knows how to tell it; what is told was asked of Prometheus and of the exporter, or came to the desk.
"""

import asyncio
import shutil
import textwrap
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Final

import aiohttp

from ..rules.slo import Window, minutes
from .alert_receiver import AlertReceiver, Notification, ReceivedAlert
from .readings import BadAnswer, Readings
from .story import DemoStory

SLI: Final = "grounding"
"""The SLI that the story is about."""

PAGE: Final = "LLMQualityBudgetBurn"
_INDENT: Final = " " * 8
_WIDEST: Final = 120


class Narrator:
    """Tells the story through ``say``, with the time since its start; ``desk`` is where notifications come in."""

    def __init__(
        self, story: DemoStory, window: Window, readings: Readings, desk: AlertReceiver, say: Callable[[str], None]
    ) -> None:
        self._story = story
        self._window = window
        self._readings = readings
        self._desk = desk
        self._say = say
        self._clock = asyncio.get_running_loop().time
        self._start = self._clock()
        self._told: set[tuple[str, str]] = set()

    def tell(self, first: str, *more: str) -> None:
        """Say what happens now; ``more`` are lines below it, each of which may be long."""
        passed = int(self._clock() - self._start)
        time = f"{passed // 60:02d}:{passed % 60:02d}   "
        for text, start in ((first, time), *((text, _INDENT) for text in more)):
            for line in _folded(text, start):
                self._say(line)

    async def watch(self) -> None:
        """Tell what happens, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_every(minutes(self._window.short) * 60, self._look_at_sli))
            tasks.create_task(_every(1, self._look_at_alerts))
            tasks.create_task(_every(0, self._listen))

    async def _look_at_sli(self) -> None:
        new, window = self._story.rollout, self._window.long
        every = await self._readings.share(SLI, window, {})
        if not every.events:
            return
        here = await self._readings.share(SLI, window, {"app": new.app, "route": new.route})
        self.tell(f"{SLI}, last {window}: {new.app} {new.route} {here}; all other routes {every - here}")

    async def _look_at_alerts(self) -> None:
        for labels in await self._readings.alerts(PAGE, self._window.long):
            now = (_subject(labels), labels["alertstate"])
            if now not in self._told:
                self._told.add(now)
                self.tell(f"Prometheus: {PAGE} is {labels['alertstate']} for {now[0]}")

    async def _listen(self) -> None:
        notification = await self._desk.heard.get()
        if notification.receiver == "pages":
            self.tell(*_page(notification))
            await self._explain(notification.alerts[0])
        elif notification.receiver == "tickets":
            self.tell(*_ticket(notification))

    async def _explain(self, alert: ReceivedAlert) -> None:
        where = {name: value for name, value in alert.labels.items() if name in {"app", "route"}}
        if "sli" in alert.labels and (bad := await self._readings.bad_answer(alert.labels["sli"], where)):
            self.tell("One bad answer, and why it counts as bad:", *_bad_answer(bad))


async def _every(seconds: float, look: Callable[[], Awaitable[None]]) -> None:
    """Look again and again; a server that does not answer is asked again, and if it has ended the stack says so."""
    while True:
        await asyncio.sleep(seconds)
        with suppress(aiohttp.ClientError, TimeoutError):
            await look()


def _subject(labels: dict[str, str]) -> str:
    named = [labels[name] for name in ("sli", "app", "route") if name in labels]
    return " ".join(named)


def _page(notification: Notification) -> Iterator[str]:
    alerts = notification.alerts
    count = f"{len(alerts)} alert{'s' * (len(alerts) > 1)} in it"
    status = "PAGE" if any(alert.status == "firing" for alert in alerts) else "The page is over"
    yield f"{status}, one notification with {count}: {alerts[0].annotations['summary']}."
    for alert in alerts:
        notes = alert.annotations
        yield f"- {notes['description']}"
        for suspect in filter(None, notes.get("suspects", "").splitlines()):
            yield f"  suspect: {suspect}"
        yield f"  runbook: {notes['runbook_url']}"
        yield f"  dashboard: {notes['dashboard_url']}"
        yield f"  answers: {notes['answers_url']}"


def _ticket(notification: Notification) -> Iterator[str]:
    first = notification.alerts[0]
    yield f"Ticket: {first.labels['alertname']}: {first.annotations['summary']}."
    for alert in notification.alerts:
        yield f"- {alert.annotations['description']}"


def _bad_answer(bad: BadAnswer) -> Iterator[str]:
    yield bad.url
    yield f"asked with prompt {bad.prompt_version}: {bad.question}"
    yield f"answered: {bad.answer}"
    yield f"fails because: {bad.why}"


def _folded(text: str, start: str) -> list[str]:
    width = max(len(start) + 20, min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST))
    after = " " * (len(start) + 2 * text.startswith(("- ", "  ")) + 2 * text.startswith("  "))
    return textwrap.wrap(
        text, width, initial_indent=start, subsequent_indent=after, break_long_words=False, break_on_hyphens=False
    )
