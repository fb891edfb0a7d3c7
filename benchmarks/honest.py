"""The honest side of a soak: load whose every request is known, a prober, a scraper, and what the process holds."""

import http.client
import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from attacks import HOST, JSON, MB, call, resource
from servers import total

APPS = ("honest-shop", "honest-desk", "honest-bank")
TRACES_IN_A_REQUEST = 5
WARM_UP = 1 / 6
"""Share of the time before anything is held against what comes later."""
SCRAPER = {"X-Prometheus-Scrape-Timeout-Seconds": "10", "Accept-Encoding": "gzip", "User-Agent": "soak"}


def request(
    port: int, method: str, path: str, body: bytes = b"", headers: dict | None = None, seconds: float = 30
) -> tuple[int, dict, bytes]:
    connection = http.client.HTTPConnection(HOST, port, timeout=seconds)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


class Worker(threading.Thread):
    """Does something every so many seconds, until it is ended."""

    def __init__(self, every: float, work: Callable[[float], None]) -> None:
        super().__init__(daemon=True)
        self._every, self._work = every, work
        self._over = threading.Event()
        self.failure: Exception | None = None
        self.start()

    def run(self) -> None:
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            try:
                self._work(due)
            except Exception as error:  # noqa: BLE001 - shown at the end
                self.failure = error
                return
            due = max(due + self._every, time.monotonic() - 10 * self._every)

    def end(self) -> None:
        self._over.set()
        self.join()
        if self.failure is not None:
            raise self.failure


@dataclass
class Honest:
    """Clients that send until they are acknowledged, and what the counters must be in the end."""

    port: int
    traces: Counter[str] = field(default_factory=Counter)
    signals: Counter[str] = field(default_factory=Counter)
    repeats: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    _random: random.Random = field(default_factory=lambda: random.Random(7))

    def send(self, _due: float) -> None:
        """One request of traces, and now and then feedback on one of them."""
        app = self._random.choice(APPS)
        ids = [os.urandom(16).hex() for _ in range(TRACES_IN_A_REQUEST)]
        version = {"gen_ai.prompt.version": f"v{self._random.randint(1, 2)}", "http.route": "/answer"}
        spans = [call(f"It is {one[:4]}.", trace_id=one, **version) for one in ids]
        self._until_acknowledged("/v1/traces", {"resourceSpans": [resource(app, spans)]})
        self.traces[app] += len(ids)
        if self._random.random() < 0.2:
            signal = {"trace_id": ids[0], "signal": "thumbs_down", "id": ids[0]}
            self._until_acknowledged("/v1/feedback", signal)
            self.signals[app] += 1

    def _until_acknowledged(self, path: str, content: object) -> None:
        body = json.dumps(content).encode()
        while True:
            began = time.monotonic()
            try:
                status, headers, said = request(self.port, "POST", path, body, JSON)
            except (OSError, http.client.HTTPException) as error:
                self.repeats[type(error).__name__] += 1
                time.sleep(0.1)
                continue
            if status == 200:
                self.seconds.append(time.monotonic() - began)
                return
            if status not in {408, 429, 503}:
                raise SystemExit(f"an honest request was refused: {status} {said[:200]!r}")
            self.repeats[str(status)] += 1
            time.sleep(min(1.0, float(headers.get("Retry-After", 1))))

    def missing(self, exposition: str) -> list[str]:
        """What the counters do not say of what was acknowledged, or say twice."""
        wrong = []
        for metric, wanted in (("llmq_requests_total", self.traces), ("llmq_feedback_total", self.signals)):
            found = _by_app(exposition, metric)
            wrong += [f"{metric} {app}: {found[app]} of {wanted[app]}" for app in wanted if found[app] != wanted[app]]
        return wrong


def _by_app(exposition: str, metric: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for app in APPS:
        lines = [
            line for line in exposition.splitlines() if f'app="{app}"' in line and 'signal="thumbs_up"' not in line
        ]
        found[app] = total("\n".join(lines), metric)
    return found


@dataclass
class Probes:
    """How long /-/healthy takes on a new connection, and when each answer came, while the server was up."""

    port: int
    was_up: Callable[[float, float], bool] = lambda _began, _ended: True
    answers: list[tuple[float, float]] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    def worst_since(self, at: float) -> float:
        """The longest answer since then, in seconds."""
        return max((seconds for ended, seconds in self.answers if ended > at), default=0.0)

    def look(self, _due: float) -> None:
        began = time.monotonic()
        try:
            status = request(self.port, "GET", "/-/healthy", seconds=10)[0]
            problem = "" if status == 200 else str(status)
        except (OSError, http.client.HTTPException) as error:
            problem = type(error).__name__
        ended = time.monotonic()
        if not self.was_up(began, ended):
            return
        self.answers.append((ended, ended - began))
        if problem:
            self.failures[problem] += 1


@dataclass
class Scrapes:
    """How long scrapes take, and how large they are unpacked."""

    port: int
    seconds: list[float] = field(default_factory=list)

    def look(self, _due: float) -> None:
        began = time.monotonic()
        try:
            if request(self.port, "GET", "/metrics", headers=SCRAPER)[0] == 200:
                self.seconds.append(time.monotonic() - began)
        except (OSError, http.client.HTTPException):
            pass  # the prober counts it


@dataclass
class Sizes:
    """What the process holds, each second: memory, descriptors, disk, log."""

    pid: Callable[[], int]
    folder: Path
    memory: list[float] = field(default_factory=list)
    descriptors: list[float] = field(default_factory=list)
    disk: list[float] = field(default_factory=list)

    def look(self, _due: float) -> None:
        process = Path(f"/proc/{self.pid()}")
        try:
            pages = int((process / "statm").read_text().split()[1])
            descriptors = sum(1 for _ in (process / "fd").iterdir())
        except (OSError, IndexError):
            return  # it was killed at this moment
        stored = [one for one in self.folder.iterdir() if one.name.startswith("llmq.db")]
        self.memory.append(pages * os.sysconf("SC_PAGE_SIZE") / MB)
        self.descriptors.append(descriptors)
        self.disk.append(sum(_blocks(one) for one in stored) / MB)


def _blocks(file: Path) -> int:
    try:
        return file.stat().st_blocks * 512
    except FileNotFoundError:
        return 0


@dataclass
class Trend:
    """How something went over the time after the warm-up."""

    first: float
    last: float
    peak: float
    slope: float
    """A sample, by least squares."""

    @classmethod
    def of(cls, samples: list[float]) -> "Trend":
        counted = samples[int(len(samples) * WARM_UP) :] or [0.0]
        quarter = max(1, len(counted) // 4)
        middle, mean = (len(counted) - 1) / 2, sum(counted) / len(counted)
        spread = sum((at - middle) ** 2 for at in range(len(counted))) or 1.0
        slope = sum((at - middle) * (value - mean) for at, value in enumerate(counted)) / spread
        return cls(median(counted[:quarter]), median(counted[-quarter:]), max(counted), slope)
