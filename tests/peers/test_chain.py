"""Application → Collector → Collector → two llmq → Prometheus 3 → Alertmanager, for real; each is killed in turn."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).parents[2]
COLLECTOR = ROOT / "deploy" / "collector"
TRACES = 250
"""That the application sends while one of the programs is killed: two requests each."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answer(url):
    """The text at an address; None where nobody answers, or not with 200."""
    try:
        found = httpx.get(url, timeout=10)
    except httpx.TransportError:
        return None
    return found.text if found.status_code == 200 else None


def wait_until(holds, what, seconds=240):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := holds():
            return found
        time.sleep(0.1)
    return pytest.fail(f"waited in vain for {what}")


class Program:
    """One of the programs: started, killed, started again; ``ready`` is an address that answers once it works."""

    def __init__(self, name, command, ready, log, environment=None):
        self.name, self._command, self._ready, self._log = name, command, ready, log
        self._environment = os.environ | (environment or {})
        self.process = None

    def start(self):
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log, env=self._environment)
        wait_until(lambda: answer(self._ready) is not None or self._failed(), f"{self.name}, see {self._log}")

    def _failed(self):
        assert self.process.poll() is None, f"{self.name} ended by itself:\n{self._log.read_text()[-2000:]}"

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
            self.process.kill()
            self.process.wait()


class Hook(BaseHTTPRequestHandler):
    """Where Alertmanager tells people."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.told |= {alert["labels"]["alertname"] for alert in body["alerts"]}
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class Chain:
    """All the programs, wired to each other on loopback."""

    def __init__(self, folder, peer, stack):
        self._folder, self._peer, self._stack = folder, peer, stack
        self.replicas, self.programs = [], {}
        self.hook = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        self.hook.told = set()
        stack.callback(self.hook.server_close)
        stack.callback(self.hook.shutdown)
        threading.Thread(target=self.hook.serve_forever, daemon=True).start()
        grpc = [self._llmq(f"llmq-{number}") for number in range(2)]
        self.gateway = self._collector("gateway", LLMQ_0=grpc[0], LLMQ_1=grpc[1])
        self.agent = self._collector("agent", OTELCOL_GATEWAY=self.gateway)
        self._alertmanager()
        self._prometheus()

    def _run(self, name, command, ready, **environment):
        program = Program(name, command, ready, self._folder / f"{name}.log", environment)
        self._stack.callback(program.stop)
        self.programs[name] = program
        program.start()

    def _llmq(self, name):
        http, grpc = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        config = self._folder / f"{name}.yaml"
        config.write_text(
            yaml.safe_dump(
                {
                    "server": {"listen": http, "grpc": grpc},
                    "store": {"url": f"sqlite:///{self._folder}/{name}.db"},
                    "assembly": {"grace": "500ms", "idle": "30s"},
                }
            )
        )
        self.replicas.append(f"http://{http}")
        self._run(name, [sys.executable, "-m", "exporter", "serve", "--config", str(config)], f"http://{http}/-/ready")
        return grpc

    def _collector(self, name, **environment):
        grpc, health = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        environment |= {
            "OTELCOL_GRPC": grpc,
            "OTELCOL_HTTP": f"127.0.0.1:{free_port()}",
            "OTELCOL_HEALTH": health,
            "OTELCOL_METRICS_HOST": "127.0.0.1",
            "OTELCOL_METRICS_PORT": str(free_port()),
            "OTELCOL_QUEUE": str(self._folder / f"{name}-queue"),
            "LLMQ_TOKEN": "none",
        }
        command = [self._peer("otelcol"), "--config", str(COLLECTOR / f"{name}.yaml")]
        self._run(name, command, f"http://{health}/", **environment)
        return grpc

    def _alertmanager(self):
        self.alertmanager, config = f"127.0.0.1:{free_port()}", self._folder / "alertmanager.yml"
        hook = f"http://127.0.0.1:{self.hook.server_port}/"
        config.write_text(
            yaml.safe_dump(
                {
                    "route": {"receiver": "hook", "group_wait": "1s", "group_interval": "2s"},
                    "receivers": [{"name": "hook", "webhook_configs": [{"url": hook}]}],
                }
            )
        )
        flags = [
            f"--config.file={config}",
            f"--storage.path={self._folder / 'alertmanager'}",
            "--cluster.listen-address=",
        ]
        command = [self._peer("alertmanager"), *flags, f"--web.listen-address={self.alertmanager}"]
        self._run("alertmanager", command, f"http://{self.alertmanager}/-/ready")

    def _prometheus(self):
        self.prometheus, config = f"127.0.0.1:{free_port()}", self._folder / "prometheus.yml"
        targets = [replica.removeprefix("http://") for replica in self.replicas]
        config.write_text(
            yaml.safe_dump(
                {
                    "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "2s"},
                    "rule_files": [str(ROOT / "alerts" / "*.rules.yaml")],
                    "alerting": {"alertmanagers": [{"static_configs": [{"targets": [self.alertmanager]}]}]},
                    "scrape_configs": [{"job_name": "llmq", "static_configs": [{"targets": targets}]}],
                }
            )
        )
        flags = [f"--config.file={config}", f"--storage.tsdb.path={self._folder / 'tsdb'}"]
        command = [self._peer("prometheus"), *flags, f"--web.listen-address={self.prometheus}"]
        self._run("prometheus", command, f"http://{self.prometheus}/-/ready")

    def total(self, name, **labels):
        """The sum of a metric's series with these labels over both replicas; None while one does not answer."""
        pages = [answer(f"{replica}/metrics") for replica in self.replicas]
        if None in pages:
            return None
        samples = [one for page in pages for family in text_string_to_metric_families(page) for one in family.samples]
        return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())

    def ask(self, path, **query):
        """What Prometheus answers; None while it does not."""
        with suppress(httpx.TransportError):
            found = httpx.get(f"http://{self.prometheus}/api/v1/{path}", params=query, timeout=10)
            return found.json()["data"] if found.status_code == 200 else None

    def value(self, query):
        """The value of a query without labels; None where there is none."""
        found = self.ask("query", query=query)
        return float(found["result"][0]["value"][1]) if found and found["result"] else None

    def sender(self, app):
        """An application that sends through the agent."""
        with (self._folder / f"{app}.log").open("ab") as log:
            process = subprocess.Popen([self._peer("sender"), self.agent, app, str(TRACES)], stdout=log, stderr=log)
        self._stack.callback(process.kill)
        return process


@pytest.fixture(scope="module")
def chain(peer, tmp_path_factory):
    with ExitStack() as stack:
        yield Chain(tmp_path_factory.mktemp("chain"), peer, stack)


VICTIMS = ["llmq-0", "llmq-1", "gateway", "agent", "prometheus", "alertmanager"]


def recorded(chain, **labels):
    return chain.total("llmq_requests_total", **labels) or 0


@pytest.mark.parametrize("victim", VICTIMS)
def test_every_trace_is_counted_once_whoever_is_killed_on_the_way(chain, victim):
    app = f"app-of-{victim}"
    sender = chain.sender(app)
    wait_until(lambda: recorded(chain, app=app) >= 1 or sender.poll() is not None, "the first traces")
    assert sender.poll() is None, "the application was done before anything was killed"
    chain.programs[victim].kill()
    time.sleep(1)
    chain.programs[victim].start()
    assert sender.wait(240) == 0
    wait_until(lambda: recorded(chain, app=app) >= TRACES, f"{TRACES} traces, of which {recorded(chain, app=app)} came")
    assert recorded(chain, app=app) == TRACES


def test_prometheus_adds_the_replicas_up(chain):
    """After the kills, of Prometheus itself too, its sum is what the replicas say."""
    sent = recorded(chain)
    assert sent == TRACES * len(VICTIMS)
    wait_until(lambda: chain.value("sum(llmq_requests_total)") == sent, "the sum")
    assert chain.value("count(sum by (instance) (llmq_requests_total) > 0)") == 2


def test_no_trace_was_split_between_the_replicas(chain):
    """Each was complete where it was: none waited for a part that another replica had, and both replicas had some."""
    closed = {
        reason: chain.total("llmq_exporter_traces_closed_total", reason=reason) for reason in ("root", "incomplete")
    }
    assert closed == {"root": TRACES * len(VICTIMS), "incomplete": 0}
    assert chain.total("llmq_exporter_requests_total", protocol="http") == 0


def test_prometheus_3_evaluates_every_rule(chain):
    """Groups with an interval of minutes may not have had their turn yet."""

    def evaluated():
        groups = (chain.ask("rules") or {"groups": []})["groups"]
        health = [(group["interval"] > 60, rule["health"]) for group in groups for rule in group["rules"]]
        assert "err" not in {said for _, said in health}
        return {said for rare, said in health if not rare} == {"ok"}

    wait_until(evaluated, "the rules")


def test_alertmanager_tells_of_the_watchdog(chain):
    wait_until(lambda: "Watchdog" in chain.hook.told, "the Watchdog")
