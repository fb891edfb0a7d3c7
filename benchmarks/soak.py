"""A soak: honest load for an hour, and every attack in turn beside it. Nothing may be lost, doubled or stopped.

Run: python benchmarks/soak.py [--minutes 60] [--kill-every SECONDS] [--disk MB]. Needs Linux, and two cores: the server
gets one, everything else the other. Exits with 1 where a goal is missed.

Honest clients (``honest.py``) send at a bounded rate and repeat each request until it is acknowledged, so at the end
the counters of their apps must be exactly what they sent. A prober asks /-/healthy on a new connection five times a
second, as a kubelet does, and a scraper reads /metrics as Prometheus does. ATTACKS (``attacks.py``) run one after the
other, each in a process of its own. --kill-every ends the server with SIGKILL now and then; --disk gives it a file
system of so many MB, which is filled to the brim now and then.
"""

import argparse
import http.client
import itertools
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import servers
from attacks import ATTACKS, HOST, MB
from honest import Honest, Probes, Scrapes, Sizes, Trend, Worker, request
from servers import LOAD_CORE, SERVER_CORE, START_SECONDS, on_core

PROBE_SECONDS = 0.2
SCRAPE_SECONDS = 5.0
WATCH_SECONDS = 1.0
VISIBLE_SECONDS = 90.0
SHUTDOWN_SECONDS = 15.0
BRIM_SECONDS = 10.0
SETTLE_SECONDS = 3.0
"""After a start, for what was acknowledged before to be taken up; not counted as health."""
RETENTION_MB, JOURNAL_MB = 32, 64
ROUNDS = 4
"""How often each attack is run at least, so that every quarter of the time has all of them."""
CONFIG = f"""
store: {{journal: {JOURNAL_MB}MiB, retention: {{size: {RETENTION_MB}MiB}}}}
assembly: {{max_bytes: 64MiB}}
review: {{enabled: true}}
"""

# Goals
HEALTH_SECONDS = 0.3
GROWTH = 0.2
"""Of memory and disk between the first and the last quarter, beside a number of MB for either."""
GROWTH_MB = 32
MORE_DESCRIPTORS = 30
LOG_KB_A_MINUTE = 20
SCRAPE_MB = 10


class Server:
    """One `llmq serve` after the other, on one port and one store."""

    def __init__(self, folder: Path, before: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.port = _free_port()
        self.log = folder.parent / "exporter.log"
        self.outages: list[tuple[float, float]] = []
        """When it was killed, and until when it started and took up what it had."""
        config = folder.parent / "soak.yaml"
        config.write_text(CONFIG)
        serve = ["-m", "exporter", "serve", "--config", str(config), "--listen", f"{HOST}:{self.port}"]
        store = f"sqlite:///{folder / 'llmq.db'}"
        self._command = [*before, *on_core(SERVER_CORE), sys.executable, *serve, "--store", store]
        self.start()

    def start(self) -> None:
        with self.log.open("a") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            try:
                if request(self.port, "GET", "/-/healthy", seconds=1)[0] == 200:
                    return
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
        raise SystemExit(f"the server did not start:\n{self.log.read_text()[-2000:]}")

    def kill(self) -> None:
        """End it with SIGKILL, and start it again."""
        began = time.monotonic()
        self.outages.append((began, float("inf")))
        self._process.kill()
        self._process.wait()
        self.start()
        self.outages[-1] = began, time.monotonic() + SETTLE_SECONDS

    def stop(self) -> float:
        """End it with SIGTERM; returns how many seconds that took."""
        began = time.monotonic()
        self._process.terminate()
        try:
            self._process.wait(4 * SHUTDOWN_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        return time.monotonic() - began

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def was_up(self, began: float, ended: float) -> bool:
        return all(ended < down or began > up for down, up in self.outages)


# What goes on beside the honest load


def attack_in_turn(
    server: Server, probes: Probes, options: argparse.Namespace, brim: Callable[[], None] | None
) -> None:
    """Run the attacks round after round, with a kill and a full disk now and then; prints how each was answered."""
    names = [attack.__name__ for attack in ATTACKS if options.only in {"", attack.__name__}]
    seconds = max(5.0, min(30.0, options.minutes * 60 / (ROUNDS * len(names))))
    until, killed = time.monotonic() + options.minutes * 60, time.monotonic()
    for turn in itertools.count():
        if time.monotonic() >= until:
            return
        began, name = time.monotonic(), names[turn % len(names)]
        said = _attack(server, name, seconds)
        if server.has_ended:
            raise SystemExit(f"the server ended by itself under {name}:\n{server.log.read_text()[-2000:]}")
        worst = probes.worst_since(began) * 1e3
        print(f"  {name:20} {seconds:3.0f} s, health at worst {worst:6.0f} ms  {said}", flush=True)
        if options.kill_every and time.monotonic() - killed >= options.kill_every:
            server.kill()
            killed = time.monotonic()
        if brim is not None and turn % 4 == 3:
            brim()


def _attack(server: Server, name: str, seconds: float) -> str:
    """Run one attack; returns what it says of its answers."""
    nice = ["nice", "-n", "10", *on_core(LOAD_CORE)]
    command = [*nice, sys.executable, str(Path(__file__).with_name("attacks.py")), str(server.port), name, str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as attack:
        try:
            return attack.communicate(timeout=seconds + 60)[0].strip()
        except subprocess.TimeoutExpired:
            attack.kill()
            return "did not end"


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[tuple[tuple[str, ...], Path]]:
    """A file system of that size on a folder: what enters it before a command, and where it is seen from here."""
    mount = f"mount -t tmpfs -o size={megabytes}m tmpfs {folder} && echo ready && exec sleep infinity"
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        if holder.stdout.readline() != "ready\n":
            raise SystemExit("--disk needs user namespaces: sysctl kernel.unprivileged_userns_clone=1")
        enter = "nsenter", "--target", str(holder.pid), "--user", "--mount", "--preserve-credentials"
        try:
            yield enter, Path(f"/proc/{holder.pid}/root{folder}")
        finally:
            holder.kill()


def fill_to_the_brim(files: Path) -> None:
    """Leave nothing of the disk free for some seconds, as another program's log does."""
    filler = files / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(MB // 4))
        except OSError:
            time.sleep(BRIM_SECONDS)
    filler.unlink()
    print(f"  disk full            {BRIM_SECONDS:4.0f} s", flush=True)


# What came of it


@dataclass
class Goal:
    """A line of the table."""

    what: str
    found: str
    wanted: str
    met: bool


def goals(
    server: Server, honest: Honest, probes: Probes, sizes: Sizes, exposition: str, minutes: float, stopped: float
) -> Iterator[Goal]:
    wrong = honest.missing(exposition)
    sent = f"{sum(honest.traces.values()):,} traces, {sum(honest.signals.values()):,} signals"
    yield Goal("honest requests counted exactly once", "; ".join(wrong) or sent, "all", not wrong)
    health = sorted(seconds for _, seconds in probes.answers)
    yield Goal(
        "health, worst, ms", f"{health[-1] * 1e3:.0f}", f"< {HEALTH_SECONDS * 1e3:.0f}", health[-1] < HEALTH_SECONDS
    )
    p99 = health[int(0.99 * len(health))]
    yield Goal("health, p99, ms", f"{p99 * 1e3:.0f}", f"< {HEALTH_SECONDS * 1e3:.0f}", p99 < HEALTH_SECONDS)
    failed = sum(probes.failures.values())
    yield Goal("health, not answered", f"{failed} {dict(probes.failures) or ''}", "0", not failed)
    yield _flat("memory, MB", Trend.of(sizes.memory))
    yield _flat("disk, MB", Trend.of(sizes.disk), below=RETENTION_MB + 2 * JOURNAL_MB)
    open_ = Trend.of(sizes.descriptors)
    more = open_.last - open_.first
    yield Goal(
        "descriptors", f"{open_.first:.0f} -> {open_.last:.0f}", f"+ {MORE_DESCRIPTORS}", more <= MORE_DESCRIPTORS
    )
    log = server.log.stat().st_size / 1e3 / minutes
    yield Goal("log, kB a minute", f"{log:.1f}", f"< {LOG_KB_A_MINUTE}", log < LOG_KB_A_MINUTE)
    yield Goal(
        "scrape, MB unpacked", f"{len(exposition) / 1e6:.1f}", f"< {SCRAPE_MB}", len(exposition) < SCRAPE_MB * 1e6
    )
    yield Goal("SIGTERM until the end, s", f"{stopped:.1f}", f"< {SHUTDOWN_SECONDS:.0f}", stopped < SHUTDOWN_SECONDS)


def _flat(what: str, trend: Trend, below: float = float("inf")) -> Goal:
    most = min(below, trend.first * (1 + GROWTH) + GROWTH_MB)
    an_hour = trend.slope / WATCH_SECONDS * 3600
    found = f"{trend.first:.0f} -> {trend.last:.0f}, at most {trend.peak:.0f}, {an_hour:+.0f} an hour"
    return Goal(what, found, f"-> {most:.0f}", trend.last <= most and trend.peak <= below)


def soak(server: Server, bare: servers.Server, files: Path | None, options: argparse.Namespace) -> bool:
    """Run it all; says whether every goal was met."""
    honest, probes, scraped = Honest(server.port), Probes(server.port, server.was_up), Scrapes(server.port)
    sizes, machine = Sizes(lambda: server.pid, files or server.folder), Probes(bare.port)
    work = (
        (1 / options.rate, honest.send),
        (PROBE_SECONDS, probes.look),
        (PROBE_SECONDS, machine.look),
        (SCRAPE_SECONDS, scraped.look),
        (WATCH_SECONDS, sizes.look),
    )
    workers = [Worker(every, each) for every, each in work]
    brim = None if files is None else lambda: fill_to_the_brim(files)
    try:
        attack_in_turn(server, probes, options, brim)
    finally:
        for worker in workers:
            worker.end()
    exposition = _when_visible(server, honest)
    stopped = server.stop()
    print()
    found = list(goals(server, honest, probes, sizes, exposition, options.minutes, stopped))
    for goal in found:
        print(f"{goal.what:38}{goal.found:>60}  {goal.wanted:12}{'met' if goal.met else 'NOT MET'}")
    answers = sorted(honest.seconds)
    print(
        f"\nhonest requests: {len(answers):,}, p99 {answers[int(0.99 * len(answers))] * 1e3:.0f} ms, "
        f"worst {answers[-1] * 1e3:.0f} ms; repeated {dict(honest.repeats)}; kills {len(server.outages)}\n"
        f"scrapes: {len(scraped.seconds):,}, worst {max(scraped.seconds, default=0) * 1e3:.0f} ms; "
        f"a bare server on the same core answered in {machine.worst_since(0) * 1e3:.0f} ms at worst"
    )
    return all(goal.met for goal in found)


def _when_visible(server: Server, honest: Honest) -> str:
    """The exposition once all is counted, or after some time."""
    until = time.monotonic() + VISIBLE_SECONDS
    while True:
        exposition = request(server.port, "GET", "/metrics")[2].decode()
        if not honest.missing(exposition) or time.monotonic() > until:
            return exposition
        time.sleep(1)


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listening:
        return listening.getsockname()[1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=10.0, help="honest requests a second")
    parser.add_argument("--kill-every", type=float, default=0.0, help="seconds between kills with SIGKILL; 0: none")
    parser.add_argument("--disk", type=int, default=0, help="MB of a file system that is filled now and then; 0: none")
    parser.add_argument("--only", default="", choices=["", *(one.__name__ for one in ATTACKS)], help="one attack alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "store"
        folder.mkdir()
        with servers.bare(Path(name)) as bare:
            if options.disk:
                with small_disk(folder, options.disk) as (enter, files):
                    met = soak(Server(folder, enter), bare, files, options)
            else:
                met = soak(Server(folder), bare, None, options)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
