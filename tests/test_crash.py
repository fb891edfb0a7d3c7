"""SIGKILL at random moments, and a full disk: acknowledged spans are counted exactly once, and no counter goes back.

The client does what real ones do: it sends a batch again until it is told 200.
"""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

KILLS = 50
CONFIG = {"assembly": {"grace": "200ms", "idle": "500ms"}, "attributes": {"app": ["service.name"]}}


STARTED = []


@pytest.fixture(autouse=True)
def _nothing_is_left_running():
    yield
    while STARTED:
        STARTED.pop().kill()


def sums(text):
    """The sum over all series of every sample name."""
    totals = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            totals[sample.name] = totals.get(sample.name, 0) + sample.value
    return totals


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A real ``llmq serve``, killed and started again on the same store."""

    def __init__(self, folder, store, before=()):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "exporter.log"
        config = folder / "llmq.yaml"
        config.write_text(yaml.safe_dump(CONFIG))
        llmq = [sys.executable, "-m", "exporter", "serve", "--config", str(config)]
        self.command = [*before, *llmq, "--listen", f"127.0.0.1:{self.port}", "--store", f"sqlite:///{store}"]
        self.process = None

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        STARTED.append(self.process)
        with httpx.Client(base_url=self.url) as http:  # one for all tries: each new one loads the certificates again
            self.wait_until(lambda: http.get("/-/healthy").status_code == 200)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        assert self.process.wait(20) == 0

    def wait_until(self, holds, seconds=30):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.process.poll() is None, "the exporter ended by itself"
            try:
                if holds():
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        pytest.fail("waited in vain for the exporter")

    def totals(self):
        return sums(httpx.get(f"{self.url}/metrics").text)


class Client(threading.Thread):
    """Sends batches one after the other, each until it is acknowledged; some traces come in two batches."""

    def __init__(self, url, seed):
        super().__init__(daemon=True)  # a test that fails must end
        self.url, self.random = url, random.Random(seed)
        self.traces = self.spans = self.sent_again = self.refused = 0
        self.ended = threading.Event()
        self.failure = None

    def run(self):
        try:
            left_over = []
            while not self.ended.is_set():
                now, later = self.batch()
                self.send(left_over + now)
                left_over = later
            self.send(left_over)
        except BaseException as error:  # told by the test's own thread
            self.failure = error
            raise

    def batch(self):
        now, later = [], []
        for _ in range(self.random.randint(1, 12)):
            trace = self.random.randbytes(16).hex()
            root, children = "1" * 16, [f"{n:016x}" for n in range(2, 2 + self.random.randint(0, 2))]
            self.traces += 1
            self.spans += 1 + len(children)
            now += [span(trace, child, root) for child in children]
            (later if children and self.random.random() < 0.3 else now).append(span(trace, root, ""))
        return now, later

    def send(self, spans):
        if not spans:
            return
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
        body = json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]})
        while True:
            try:
                answer = httpx.post(f"{self.url}/v1/traces", content=body, headers={"Content-Type": "application/json"})
            except httpx.TransportError:
                self.sent_again += 1
                time.sleep(0.02)
                continue
            if answer.status_code == 200:
                return
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["Retry-After"]) >= 1
            self.refused += 1
            time.sleep(0.05)


def span(trace, span_id, parent):
    said = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "Paris is the capital."}]}])
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.response.model": "m-1", "gen_ai.output.messages": said}
    return {
        "traceId": trace,
        "spanId": span_id,
        "parentSpanId": parent,
        "name": "chat",
        "startTimeUnixNano": str(time.time_ns()),
        "endTimeUnixNano": str(time.time_ns()),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }


def assert_exact(process, client):
    """All journal entries recorded, and the counters equal to what was sent."""
    process.wait_until(lambda: process.totals()["llmq_exporter_journal_entries"] == 0)
    process.wait_until(lambda: process.totals()["llmq_requests_total"] >= client.traces)
    totals = process.totals()
    assert totals["llmq_requests_total"] == client.traces
    unique = totals["llmq_exporter_spans_received_total"] - totals["llmq_exporter_duplicates_total"]
    assert unique == client.spans
    accounted = sum(
        totals[name] for name in ("llmq_evaluations_total", "llmq_unscored_total", "llmq_evaluation_failures_total")
    )
    assert accounted % client.traces == 0


def test_killed_fifty_times_under_load_the_counters_are_exact(tmp_path):
    process = Process(tmp_path, tmp_path / "llmq.db")
    client = Client(process.url, seed=7)
    moments = random.Random(11)
    process.start()
    client.start()
    shown = {}
    for _ in range(KILLS):
        time.sleep(moments.uniform(0, 0.4))
        before, shown = shown, process.totals()
        for name in ("llmq_requests_total", "llmq_exporter_spans_received_total", "llmq_evaluations_total"):
            assert shown.get(name, 0) >= before.get(name, 0), f"{name} went back"
        time.sleep(moments.uniform(0, 0.2))
        process.kill()
        process.start()
    client.ended.set()
    client.join(60)
    assert client.failure is None
    assert client.sent_again > 0
    assert_exact(process, client)
    process.stop()


class Talkers(threading.Thread):
    """Users of one conversation each, who ask, click early or late, click again and change their minds.

    Each request is sent until it is acknowledged. ``truth`` is what the counters must be in the end.
    """

    def __init__(self, url, seed):
        super().__init__(daemon=True)  # a test that fails must end
        self.random = random.Random(seed)
        self.http = httpx.Client(base_url=url)
        self.truth = dict.fromkeys(("requests", "thumbs_up", "thumbs_down", "copy", "retracted", "regenerate"), 0)
        self.sent_again = 0
        self.ended = threading.Event()
        self.failure = None

    def run(self):
        try:
            with self.http:
                while not self.ended.is_set():
                    self.conversation()
        except BaseException as error:  # told by the test's own thread
            self.failure = error
            raise

    def conversation(self):
        name, chance = self.random.randbytes(8).hex(), self.random
        questions = chance.choice((1, 2))
        for number in range(questions):
            trace_id = chance.randbytes(16).hex()
            clicks = self.clicks(trace_id)
            early = chance.random() < 0.5
            for click in clicks if early else ():
                self.send("/v1/feedback", click)
            asked = {
                "trace_id": trace_id,
                "app": "shop",
                "route": "/ask",
                "conversation_id": name,
                "answer": "Ten days.",
            }
            self.send("/v1/interactions", asked | {"question": "How long does it take?", "started_at": 1.79e9 + number})
            for click in () if early else clicks:
                self.send("/v1/feedback", click)
            self.wait_until_recorded(trace_id)
        self.truth["requests"] += questions
        self.truth["regenerate"] += questions - 1

    def clicks(self, trace_id):
        first, *changes = self.random.choice(
            (("thumbs_up",), ("thumbs_up", "thumbs_down"), ("copy",), ("thumbs_down",))
        )
        self.truth[first] += 1
        for change in changes:
            self.truth[change] += 1
            self.truth["retracted"] += 1
        ids = self.random.random() < 0.5
        return [{"trace_id": trace_id, "signal": one} | ({"id": one} if ids else {}) for one in (first, *changes)]

    def send(self, path, body):
        while True:
            try:
                answer = self.http.post(path, json=body)
            except httpx.TransportError:
                self.sent_again += 1
                time.sleep(0.02)
                continue
            if answer.status_code == 200:
                return
            assert answer.status_code == 503, answer.text
            time.sleep(0.05)

    def wait_until_recorded(self, trace_id):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                if self.http.get(f"/api/traces/{trace_id}").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        raise TimeoutError(trace_id)


def told(url):
    """What the counters say of feedback, by the names of a talker's truth, and what still waits."""
    found = dict.fromkeys(("requests", "thumbs_up", "thumbs_down", "copy", "retracted", "regenerate", "waiting"), 0)
    for family in text_string_to_metric_families(httpx.get(f"{url}/metrics").text):
        for sample in family.samples:
            if sample.name == "llmq_feedback_total":
                found[sample.labels["signal"]] += sample.value
            elif sample.name == "llmq_feedback_retracted_total":
                found["retracted"] += sample.value
            elif sample.name == "llmq_requests_total":
                found["requests"] += sample.value
            elif sample.name == "llmq_exporter_queue_length" and sample.labels["queue"] == "feedback":
                found["waiting"] += sample.value
    return found


def test_feedback_counts_exactly_once_however_often_the_exporter_is_killed(tmp_path):
    process = Process(tmp_path, tmp_path / "llmq.db")
    talkers = [Talkers(process.url, seed) for seed in (1, 2)]
    moments = random.Random(5)
    process.start()
    for one in talkers:
        one.start()
    for _ in range(10):
        time.sleep(moments.uniform(0, 1))
        process.kill()
        process.start()
    for one in talkers:
        one.ended.set()
    for one in talkers:
        one.join(60)
    assert [one.failure for one in talkers] == [None] * len(talkers)
    assert sum(one.sent_again for one in talkers) > 0
    truth = {name: sum(one.truth[name] for one in talkers) for name in talkers[0].truth}
    assert min(truth.values()) > 0
    process.wait_until(lambda: told(process.url) == truth | {"waiting": 0})
    process.stop()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 24 MB in a mount namespace of its own, which a sleeping process keeps alive."""
    folder = tmp_path / "small"
    folder.mkdir()
    if not shutil.which("unshare"):
        pytest.fail("the test of a full disk needs unshare: apt-get install util-linux")
    script = f"mount -t tmpfs -o size=24m tmpfs {folder} && echo ready && exec sleep 600"
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        if holder.stdout.readline() != "ready\n":
            pytest.fail("the test of a full disk needs user namespaces: sysctl kernel.unprivileged_userns_clone=1")
        yield holder.pid, folder
        holder.kill()
        holder.stdout.close()


def test_a_full_disk_in_between_loses_nothing(tmp_path, small_disk):
    holder, folder = small_disk
    enter = ["nsenter", "--target", str(holder), "--user", "--mount", "--preserve-credentials"]
    process = Process(tmp_path, folder / "llmq.db", before=enter)
    client = Client(process.url, seed=8)
    process.start()
    client.start()
    process.wait_until(lambda: process.totals().get("llmq_requests_total", 0) > 50)
    filler = f"/proc/{holder}/root{folder}/filler"
    fill(filler)
    process.wait_until(lambda: client.refused > 3)
    totals = process.totals()
    assert totals["llmq_exporter_store_errors_total"] > 0
    assert httpx.get(f"{process.url}/-/ready").status_code == 503
    process.kill()
    os.truncate(filler, 0)
    process.start()
    process.wait_until(lambda: process.totals()["llmq_requests_total"] > totals["llmq_requests_total"])
    fill(filler)
    refused = client.refused
    process.wait_until(lambda: client.refused > refused + 3)
    os.truncate(filler, 0)
    process.wait_until(lambda: httpx.get(f"{process.url}/-/ready").status_code == 200)
    client.ended.set()
    client.join(60)
    assert client.failure is None
    assert_exact(process, client)
    process.stop()


def fill(path):
    """Write until the disk is full."""
    with open(path, "ab", buffering=0) as file:  # noqa: PTH123 - Path.open cannot append unbuffered more plainly
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
