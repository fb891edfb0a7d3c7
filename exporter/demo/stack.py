"""Processes in a temporary folder, of which nothing stays behind, however the demo ends. Knows not what they are."""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Final, cast

from . import janitor

_END: Final = 10.0
_LAST_LINES: Final = 5


class DemoError(Exception):
    """Why the demo cannot go on, and what to do about it."""


class Stack:
    """Processes that log into one folder; each is registered with the janitor."""

    def __init__(self, folder: Path, told: IO[str]) -> None:
        self.folder = folder
        self._told = told
        self._processes: dict[str, asyncio.subprocess.Process] = {}

    async def start(self, name: str, *command: str) -> None:
        """Start a process; what it prints goes into a file of its name."""
        with self._log(name).open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=self.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes[name] = process
        self._told.write(f"{process.pid}\n")

    async def ended(self) -> None:
        """Wait until a process ends that should not, and raise DemoError with its last words."""
        waits = {asyncio.create_task(process.wait()): name for name, process in self._processes.items()}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        name = waits[done.pop()]
        last = self._log(name).read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
        raise DemoError("\n  ".join([f"{name} ended by itself; its last lines:", *last]))

    async def stop(self) -> None:
        """End every process, the last first, and wait until it has ended."""
        for process in reversed(self._processes.values()):
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _END)
            except TimeoutError:
                process.kill()
                await process.wait()

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


@asynccontextmanager
async def workshop(say: Callable[[str], None], *, keep: bool) -> AsyncIterator[Stack]:
    """A stack in a temporary folder; both are gone afterwards, however this process ends. ``keep`` keeps the folder."""
    folder = Path(tempfile.mkdtemp(prefix="llmq-demo-"))
    try:
        # Not asyncio's: nothing may be awaited between the folder and the one who removes it.
        with subprocess.Popen(  # noqa: ASYNC220, S603 - our own script
            [sys.executable, str(janitor.__file__), "" if keep else str(folder)],
            stdin=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,
        ) as helper:
            stack = Stack(folder, cast("IO[str]", helper.stdin))
            try:
                yield stack
            finally:
                await stack.stop()
    finally:
        say(f"ended; what it wrote is in {folder}" if keep else "ended, and cleared away")


async def first(*work: Awaitable[None]) -> None:
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
