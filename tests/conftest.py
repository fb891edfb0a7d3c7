"""What many tests share: a whole exporter on a moved clock; one to be killed, and its clients; a judge."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing, suppress
from io import BytesIO
from json import dumps
from pathlib import Path
from uuid import uuid4

import httpx
import promql_parser
import pytest
import yaml
from aiohttp.test_utils import TestServer
from chromium import browser, chromium  # noqa: F401 - fixtures
from hypothesis import HealthCheck, settings
from postgres import Server
from prometheus_client.parser import text_string_to_metric_families

from exporter.app.application import Exporter, make_app
from exporter.cli.main import main
from exporter.config import load
from exporter.demo.judge_stub import Stub
from exporter.native import COMPILED, DESCRIPTION

CAPTURES = Path(__file__).parent / "captures" / "requests"
CONTEXT = ["Refunds are accepted within 30 days of purchase."]


# How long an example takes says how busy the machine is.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_collection_modifyitems(config, items):
    """Without kernels nothing can be compared with them: what needs them is left out where that was asked for."""
    if os.environ.get("LLMQ_NO_EXTENSIONS"):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("compiled")])
        items[:] = [item for item in items if not item.get_closest_marker("compiled")]


def pytest_report_header():
    """Say which kernels are tested."""
    return f"exporter: {DESCRIPTION}"


def pytest_runtest_setup(item):
    if item.get_closest_marker("compiled") and not COMPILED:
        pytest.fail("the kernels in C are not built: run make lint where gcc and python3-dev are, or make test-pure")


class Clock:
    """Unix seconds, moved by the test."""

    def __init__(self, at=1_790_000_000.0):
        self.at = at

    def __call__(self):
        return self.at

    def move(self, seconds):
        self.at += seconds


class Samples(dict):
    """Every sample of an exposition: (name, labels as a frozenset) → value."""

    def __init__(self, exposition):
        families = text_string_to_metric_families(exposition)
        samples = (sample for family in families for sample in family.samples)
        super().__init__(((sample.name, frozenset(sample.labels.items())), sample.value) for sample in samples)

    def total(self, name, **labels):
        """The sum over all series of a metric that have these labels."""
        wanted = set(labels.items())
        return sum(value for (found, has), value in self.items() if found == name and wanted <= has)


class Running:
    """A whole exporter behind a real HTTP server, whose time passes only when the test says so."""

    def __init__(self, exporter, client, clock, stored):
        self.exporter, self.client, self.clock, self._stored = exporter, client, clock, stored

    def write(self, config):
        """Change the file of its config, all but where it stores."""
        written = config | {"store": self._stored | config.get("store", {})}
        self.exporter.config.origin.path.write_text(yaml.safe_dump(written))

    def reload(self, config):
        """Have it read its config again, which was changed."""
        self.write(config)
        self.exporter.reload()

    async def post(self, path, *, json=None, data=b"", headers=None):
        if json is not None:
            data, headers = dumps(json).encode(), {"Content-Type": "application/json"}
        async with self.client.post(path, data=BytesIO(data), headers=headers) as response:
            return response.status, await response.read()

    async def pass_time(self, seconds):
        """Move the clock, and let everything that is due be scored and recorded."""
        self.clock.move(seconds)
        while self.exporter.pipeline.score():
            pass
        self.exporter.feedback.desk.tick()
        await self.exporter.pipeline.flush()

    async def ask(self, *answers, **fields):
        """Send an interaction for each answer, and let them be scored and recorded."""
        asked = [
            {"id": f"{answer}-{number}", "app": "shop", "question": "Refunds?", "context": CONTEXT, "answer": answer}
            for number, answer in enumerate(answers)
        ]
        status, body = await self.post("/v1/interactions", json=[one | fields for one in asked])
        assert status == 200, body
        await self.pass_time(3)

    async def read(self, trace_id):
        """What is shown of a trace, or None."""
        async with self.client.get(f"/api/traces/{trace_id}") as response:
            return await response.json() if response.status == 200 else None

    def stored(self):
        """Everything that tables of the store hold, as text."""
        with closing(sqlite3.connect(self.exporter.store.path)) as connection:
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            return repr([connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables])

    async def metrics(self, accept=""):
        async with self.client.get("/metrics", headers={"Accept": accept}) as response:
            return await response.text()

    async def samples(self):
        return Samples(await self.metrics())

    async def total(self, name, **labels):
        """The sum over all series of a metric that have these labels."""
        return (await self.samples()).total(name, **labels)


class AbandonedError(Exception):
    """The test is over, and nobody waits for what a client still wanted."""


class Client(threading.Thread):
    """Works until it is ended, and sends each request until it is acknowledged, as real clients do.

    ``cut``, ``turned_away`` and ``refused`` count what came in between: requests that a kill struck while they were
    under way, doors that were closed, and answers that said "not now".
    """

    def __init__(self, url, work):
        super().__init__(daemon=True)
        self.http = httpx.Client(base_url=url, timeout=120)
        self.cut = self.turned_away = self.refused = 0
        self.under_way, self.ended, self.abandoned = threading.Event(), threading.Event(), threading.Event()
        self.failure = None
        self._work = work
        self.start()

    def run(self):
        try:
            with self.http:
                self._work(self)
        except AbandonedError:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again in the test's own thread
            self.failure = error

    def post(self, path, body):
        """What the exporter says when it has acknowledged the request."""
        while True:
            answer = self._posted(path, body)
            if answer is not None and answer.status_code == 200:
                return answer
            if answer is not None:
                assert answer.status_code == 503, answer.text
                assert int(answer.headers["Retry-After"]) >= 1
                self.refused += 1
            self.pause(0.02)

    def _posted(self, path, body):
        self.under_way.set()
        try:
            return self.http.post(path, json=body)
        except httpx.ConnectError:
            self.turned_away += 1
        except (httpx.NetworkError, httpx.ProtocolError):
            self.cut += 1
        finally:
            self.under_way.clear()
        return None

    def get(self, path):
        """The answer, or None where there is nobody to give one."""
        try:
            return self.http.get(path)
        except (httpx.NetworkError, httpx.ProtocolError):
            return None

    def pause(self, seconds):
        if self.abandoned.wait(seconds):
            raise AbandonedError

    def finish(self):
        """Let it end what it has begun; raises what failed in it."""
        self.ended.set()
        self.join(120)
        assert not self.is_alive(), "a client does not end"
        if self.failure is not None:
            raise self.failure

    def leave(self):
        """End it wherever it is."""
        self.ended.set()
        self.abandoned.set()
        self.join(120)


class Killable:
    """A real ``llmq serve``, to be killed and started again on its port and its store, and the clients that it has.

    The port is held while nobody listens on it: no other process gets it, and a client meets a closed door. To start
    takes a moment, because the next one has already been loaded and waits for its config.
    """

    def __init__(self, folder, config, store, before):
        self._port = socket.socket()
        self._port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._port.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{self._port.getsockname()[1]}"
        llmq = [sys.executable, "-m", "exporter", "serve", "--config", "/dev/stdin"]
        self.command = [*before, *llmq, "--listen", listen]
        config = config | {"store": store | config.get("store", {})}
        self.config, self.url, self.log = yaml.safe_dump(config).encode(), f"http://{listen}", folder / "exporter.log"
        self.http, self.clients = httpx.Client(base_url=self.url, timeout=120), []
        self.process, self._next = None, self._loaded()

    def _loaded(self):
        with self.log.open("ab") as log:
            return subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=log, stderr=log)

    def start(self):
        self.process, self._next = self._next, self._loaded()
        with suppress(BrokenPipeError), self.process.stdin as stdin:  # why it ended by itself is in its log
            stdin.write(self.config)
        self.wait_until(lambda: self.http.get("/-/healthy").status_code == 200)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def strike(self, clients, chance, times, until=lambda: True):
        """Kill it under each client's requests and start it again.

        So often, until so many requests were cut, and until what kills are to bring about has come about.
        """
        for kills in range(20 * times):
            if kills >= times and sum(client.cut for client in clients) >= times and until():
                return
            time.sleep(chance.uniform(0, 0.5))
            assert clients[kills % len(clients)].under_way.wait(60), "a client sends nothing"
            time.sleep(chance.uniform(0, 0.005))
            self.kill()
            self.start()
        pytest.fail(f"{20 * times} kills did not strike the requests that they should")

    def stop(self):
        self.process.terminate()
        assert self.process.wait(120) == 0

    def close(self):
        """Leave no process and no thread behind, whatever the test did."""
        for process in filter(None, (self.process, self._next)):
            with process:  # waits for it, and closes its standard input
                process.kill()
        for client in self.clients:
            client.leave()
        self.http.close()
        self._port.close()

    def client(self, work):
        """One more client, at work in a thread of its own."""
        self.clients.append(Client(self.url, work))
        return self.clients[-1]

    def wait_until(self, holds, seconds=120):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.process.poll() is None, self._told("the exporter ended by itself")
            for failure in filter(None, (client.failure for client in self.clients)):
                raise failure
            try:
                if holds():
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        pytest.fail(self._told("waited in vain for the exporter"))

    def _told(self, what):
        return f"{what}; the end of its log:\n{self.log.read_text()[-2000:]}"

    def samples(self):
        return Samples(self.http.get("/metrics").text)

    def total(self, name, **labels):
        """The sum over all series of a metric that have these labels."""
        return self.samples().total(name, **labels)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def read_samples():
    """The samples of an exposition."""
    return Samples


@pytest.fixture
def captured():
    """The bytes of a captured request, by its name."""
    return lambda name: (CAPTURES / name).read_bytes()


@pytest.fixture
def stored(request, tmp_path):
    """The section ``store`` for a store by its name, each time the same one: of SQLite, or as LLMQ_TEST_STORE says."""
    if os.environ.get("LLMQ_TEST_STORE") != "postgresql":
        return lambda name: {"url": f"sqlite:///{tmp_path / name}"}
    url, schema = request.getfixturevalue("postgres").url, f"test_{uuid4().hex}"
    return lambda name: {"url": url, "schema": f"{schema}_{name.partition('.')[0]}", "files": str(tmp_path)}


@pytest.fixture
def run_exporter(tmp_path, aiohttp_client, clock, stored):
    """Start an exporter on a store in the test's folder; a second one takes over what the first one left."""

    async def start(config=None, *, store="llmq.db"):
        where = stored(store)
        path = tmp_path / "llmq.yaml"
        path.write_text(yaml.safe_dump((config or {}) | {"store": where | (config or {}).get("store", {})}))
        exporter = Exporter(load(path, listen="127.0.0.1:0"), clock)
        server = TestServer(make_app(exporter))
        await server.start_server()
        client = await aiohttp_client(server)
        return Running(exporter, client, clock, where)

    return start


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server; each test has a schema of its own in it."""
    server = Server()
    yield server
    server.close()


@pytest.fixture
def llmq(capsys):
    """Runs a command in this process: (exit code, standard output, standard error)."""

    def run(*arguments):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as exit_:
            code = exit_.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def nodes():
    """The nodes of some kinds in a PromQL expression; the selector inside a range belongs to the range."""

    def walk(node):
        yield node
        for name in ("lhs", "rhs", "expr", "args"):
            below = getattr(node, name, None)
            for child in below if isinstance(below, list) else [below] if below is not None else []:
                yield from walk(child)

    return lambda expr, *kinds: [node for node in walk(promql_parser.parse(expr)) if isinstance(node, kinds)]


@pytest.fixture
def selectors(nodes):
    """Every series that a PromQL expression reads, with or without a range."""

    def found(expr):
        read = nodes(expr, promql_parser.VectorSelector, promql_parser.MatrixSelector)
        return [getattr(node, "vector_selector", node) for node in read]

    return found


@pytest.fixture
def killable(tmp_path, stored):
    """Start an exporter in a process of its own, which the test may kill; with the test it is gone, and its clients."""
    with ExitStack() as started:

        def start(config, *, store=None, before=()):
            where = stored("llmq.db") if store is None else {"url": f"sqlite:///{store}"}
            process = Killable(tmp_path, config, where, before)
            started.callback(process.close)
            process.start()
            return process

        yield start


@pytest.fixture
async def stub():
    """A judge's endpoint that grades as it is told to."""
    async with Stub().running() as running:
        yield running


@pytest.fixture
def judge(tmp_path, stub):
    """A config with a judge that judges everything by helpfulness alone, but for what a test says."""

    def configured(**changes):
        section = {"enabled": True, "endpoint": stub.url, "model": "judge-1", "sampling": [{"rate": 1.0}], "repeat": 0}
        section["rubrics"] = {"faithfulness": {"enabled": False}}
        section["budget"] = {"ledger": f"sqlite:///{tmp_path / 'ledger.db'}"}
        return {"judge": section | changes}

    return configured
