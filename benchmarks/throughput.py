"""How fast llmq is: CPU, spans per second, latency and memory, beside a server that merely parses the same requests.

Run: make bench, or python benchmarks/throughput.py [--full] [--profile]. It takes three minutes; --full adds a million
spans and their memory. Needs Linux, and two cores: the server gets one, the load and this script the other.

llmq runs with its defaults: every code evaluator, a store on disk, an answer only when a request is durable. Its CPU
time is taken until every trace is scored, recorded and visible at /metrics, not just until the last answer, and every
run is held against what was sent. Other work on the machine slows both servers: trust the ratios and the CPU times.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from uuid import uuid4

import httpx
import servers
from payload import SHAPES, Requests
from servers import HERE, LOAD_CORE, Server, on_core, samples, total

from exporter.config import load as load_config

BURST = 640
"""Requests of one run."""
DISTINCT = 320
"""Requests that bare A gets over and over: as many as the load has ready."""
GRACE_SECONDS = load_config().assembly.grace
"""For which a trace that has ended waits for late spans, the last one of a run too: then there is nothing to do."""
WARM_UP = 8
MILLION = 1_000_000
REPEATS = 3
SHARE = 0.7
OPEN_LOOP_SECONDS = 10
SCRAPE_SECONDS = 2
FEEDBACK_SECONDS = 0.02
LOOK_SECONDS = 0.25
PATIENCE_SECONDS = 120


@dataclass
class Burst:
    """What so many spans, sent as fast as they are taken, came to."""

    cpu_us: float
    acknowledged: float
    visible: float
    """Both in spans a second; the second without the last trace's grace."""


class Load:
    """The load generator, a process of its own on the other core."""

    def __init__(self, shape: str) -> None:
        self._process = subprocess.Popen(
            [*on_core(LOAD_CORE), sys.executable, str(HERE / "load.py"), "--shape", shape],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def prepare(self, **task: object) -> None:
        """Have the bodies of a task made."""
        self._tell(json.dumps(task))
        self._process.stdout.readline()

    def go(self) -> dict:
        """Do the task that was prepared."""
        self._tell("")
        report = json.loads(self._process.stdout.readline())
        if set(report["statuses"]) - {"200", "503"}:
            raise SystemExit(f"requests were refused: {report['statuses']}")
        return report

    def _tell(self, line: str) -> None:
        print(line, file=self._process.stdin, flush=True)

    def stop(self) -> None:
        self._process.stdin.close()
        self._process.wait()


class Subject:
    """An llmq under load: sends it the next bodies, which it never saw, and knows how many traces it must have."""

    def __init__(self, server: Server, load: Load, shape: str) -> None:
        self.server = server
        self._load = load
        self.requests = Requests(shape)
        self.bodies = 0

    def send(self, count: int, rate: float | None = None) -> tuple[Burst, dict]:
        """Send, and wait until all is visible."""
        self._load.prepare(port=self.server.port, first=self.bodies, count=count, rate=rate)
        spans = count * self.requests.spans
        cpu, began = self.server.cpu_seconds(), time.perf_counter()
        report = self._load.go()
        self.bodies += count
        self.wait_until_visible()
        took = time.perf_counter() - began
        cpu = self.server.cpu_seconds() - cpu
        return Burst(cpu / spans * 1e6, spans / report["seconds"], spans / (took - GRACE_SECONDS)), report

    def wait_until_visible(self) -> None:
        """Wait until /metrics has all that was sent, and see that it does not have more."""
        sent = self.bodies * self.requests.traces
        time.sleep(GRACE_SECONDS)  # before that the last trace cannot be there, and a scrape is work for the server
        began, first = time.monotonic(), None
        while (seen := total(self.server.scrape(), "llmq_requests_total")) != sent:
            took = time.monotonic() - began
            if seen > sent or took > PATIENCE_SECONDS:
                raise SystemExit(f"llmq counted {seen:,} traces of {sent:,} that were sent")
            first = seen if first is None else first
            # The further the end, the later the next look.
            left = took * (sent - seen) / (seen - first) if seen > first else 0
            time.sleep(max(LOOK_SECONDS, left / 2))


def bare_burst(load: Load, folder: Path, spans: int) -> Burst:
    with servers.bare(folder) as server:
        load.prepare(port=server.port, first=0, count=WARM_UP)
        load.go()
        count = 2 * BURST
        load.prepare(port=server.port, first=0, count=count, distinct=DISTINCT)
        cpu = server.cpu_seconds()
        rate = count * spans / load.go()["seconds"]
        return Burst((server.cpu_seconds() - cpu) / (count * spans) * 1e6, rate, rate)


@contextmanager
def scraped(server: Server) -> Iterator[list[float]]:
    """Scrape in the background, as Prometheus does; gives the seconds that each scrape took."""
    took: list[float] = []
    over = threading.Event()

    def scrape() -> None:
        while not over.wait(SCRAPE_SECONDS):
            began = time.perf_counter()
            server.scrape()
            took.append(time.perf_counter() - began)

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()


@contextmanager
def told(server: Server) -> Iterator[list[float]]:
    """Send feedback in the background, one signal after the other; gives the seconds until each was answered."""
    took: list[float] = []
    over = threading.Event()

    def tell() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60) as client:
            while not over.wait(FEEDBACK_SECONDS):
                began = time.perf_counter()
                said = {"trace_id": uuid4().hex, "signal": "thumbs_down"}
                client.post("/v1/feedback", json=said).raise_for_status()
                took.append(time.perf_counter() - began)

    thread = threading.Thread(target=tell)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()


def p99_ms(latencies: list[float]) -> float:
    ordered = sorted(latencies)
    return ordered[int(0.99 * len(ordered))] * 1e3 if ordered else 0.0


def row(what: str, bare: str, llmq: str, goal: str = "", met: bool | None = None) -> None:
    print(f"{what:44}{bare:>10}{llmq:>10}  {goal:12}{'' if met is None else 'met' if met else 'NOT MET'}", flush=True)


def heading(shape: str) -> None:
    print(f"batch {shape}; medians of {REPEATS} runs of {BURST * SHAPES[shape][0]:,} spans\n")
    row("", "bare A", "llmq", "goal")


def speed(bares: list[Burst], ours: list[Burst]) -> None:
    def middle(bursts: list[Burst], field: str) -> float:
        return median(getattr(burst, field) for burst in bursts)

    times = median(our.cpu_us / bare.cpu_us for bare, our in zip(bares, ours, strict=True))
    share = 100 * median(our.visible / bare.visible for bare, our in zip(bares, ours, strict=True))
    row("CPU per span, us", f"{middle(bares, 'cpu_us'):.1f}", f"{middle(ours, 'cpu_us'):.1f}")
    row("  times bare A", "1", f"{times:.1f}", "<= 10", times <= 10)
    row("spans/s answered", f"{middle(bares, 'acknowledged'):,.0f}", f"{middle(ours, 'acknowledged'):,.0f}")
    row("spans/s scored and visible", f"{middle(bares, 'visible'):,.0f}", f"{middle(ours, 'visible'):,.0f}")
    row("  % of bare A", "100", f"{share:.1f}", ">= 10", share >= 10)


def latency(subject: Subject, rate: float) -> None:
    """Answers while the server has 70 % of the work that it could do, without and with a Prometheus that scrapes it."""
    count = round(rate * OPEN_LOOP_SECONDS)
    p99 = p99_ms(subject.send(count, rate)[1]["latencies"])
    row("p99 answer at 70 % load, ms", "", f"{p99:.0f}", "< 150", p99 < 150)
    with told(subject.server) as waited:
        subject.send(count, rate)
    row(f"  p99 of {len(waited)} feedback requests, ms", "", f"{p99_ms(waited):.0f}")
    series = samples(subject.server.scrape())
    with scraped(subject.server) as took:
        p99 = p99_ms(subject.send(count, rate)[1]["latencies"])
    row(f"  and {series:,} series scraped every 2 s, ms", "", f"{p99:.0f}", "< 100", p99 < 100)
    row("  longest scrape, ms", "", f"{max(took, default=0) * 1e3:.0f}")


def memory(subject: Subject, spans: int) -> None:
    bodies = max(0, spans // subject.requests.spans - subject.bodies)
    if bodies:
        burst, _ = subject.send(bodies)
        row("CPU per span until then, us", "", f"{burst.cpu_us:.1f}")
    resident = subject.server.resident_bytes() / 1e6
    sent = subject.bodies * subject.requests.spans
    judged = resident < 200 if sent >= MILLION else None
    row(f"resident MB after {sent:,} spans", "", f"{resident:.0f}", "< 200", judged)


def measure(load: Load, folder: Path, shape: str, *, full: bool) -> None:
    heading(shape)
    spans, bares, ours = SHAPES[shape][0], [], []
    for repeat in range(REPEATS):
        bares.append(bare_burst(load, folder, spans))
        with servers.llmq(folder) as server:
            subject = Subject(server, load, shape)
            subject.send(WARM_UP)
            ours.append(subject.send(BURST)[0])
            if repeat == REPEATS - 1:
                speed(bares, ours)
                latency(subject, SHARE * median(burst.visible for burst in ours) / spans)
                memory(subject, MILLION if full else 0)
    print("\nllmq counted exactly the traces that were sent")


def profile(load: Load, folder: Path, shape: str) -> None:
    report = folder / "profile"
    with servers.llmq(folder, str(HERE / "sampled.py"), str(report)) as server:
        subject = Subject(server, load, shape)
        subject.send(WARM_UP)
        subject.send(BURST)
    print(report.read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="send a million spans to the last server")
    parser.add_argument("--profile", action="store_true", help="only say where the CPU time goes")
    parser.add_argument("--shape", choices=SHAPES, default="G64")
    options = parser.parse_args()
    load = Load(options.shape)
    with tempfile.TemporaryDirectory() as name:
        try:
            if options.profile:
                profile(load, Path(name), options.shape)
            else:
                measure(load, Path(name), options.shape, full=options.full)
        finally:
            load.stop()


if __name__ == "__main__":
    main()
