"""A server under measurement: a process of its own on its own core, and what the system and it itself say of it."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Self

HERE = Path(__file__).parent
TICKS = os.sysconf("SC_CLK_TCK")
START_SECONDS = 30
STOP_SECONDS = 30
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = (CORES[0], CORES[1]) if len(CORES) > 1 else (None, None)


class Server:
    """Started when made; stopped when the ``with`` block is left."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self.log = folder / f"{time.monotonic_ns()}.log"
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [*on_core(SERVER_CORE), sys.executable, *command], stdout=log, stderr=log, cwd=folder
            )
        self.port = self._announced()

    def _announced(self) -> int:
        """The port, which every server here prints as the address that it listens on."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            _, announced, after = self.log.read_text().partition("listening: http://127.0.0.1:")
            if announced and "\n" in after:
                return int(after.split()[0])
            time.sleep(0.02)
        self._process.kill()
        raise SystemExit(f"the server did not start:\n{self.log.read_text()}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(STOP_SECONDS)

    def cpu_seconds(self) -> float:
        """CPU time of all its threads and of its child processes, in user mode and in the kernel."""
        return sum(map(_ticks, family(self._process.pid))) / TICKS

    def resident_bytes(self) -> int:
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def scrape(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as answer:
            return answer.read().decode()


def bare(folder: Path) -> Server:
    return Server([str(HERE / "bare.py")], folder)


def llmq(folder: Path, *before: str) -> Server:
    """`llmq serve` with the default config and a new store; ``before`` replaces Python's way into it."""
    store = f"sqlite:///{folder / str(time.monotonic_ns())}.db"
    return Server([*(before or ("-m", "exporter")), "serve", "--listen", "127.0.0.1:0", "--store", store], folder)


def family(pid: int) -> list[int]:
    """A process and those that it, or one of these, started and that run."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for task in tasks for child in task.read_text().split()]
    return [pid, *(one for child in children for one in family(child))]


def _ticks(pid: int) -> int:
    """CPU time of a process, and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15]))


def on_core(core: int | None) -> list[str]:
    """What to put before a command for it to run on that core alone."""
    return [] if core is None else ["taskset", "--cpu-list", str(core)]


def samples(exposition: str) -> int:
    """How many series a scrape holds."""
    return sum(not line.startswith("#") for line in exposition.splitlines())


def total(exposition: str, name: str) -> int:
    """The sum of a counter over all of its labels."""
    lines = (line for line in exposition.splitlines() if line.startswith((f"{name}{{", f"{name} ")))
    return round(sum(float(line.partition(" # ")[0].rsplit(" ", 1)[1]) for line in lines))
