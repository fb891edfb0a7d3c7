"""SIGKILL at random moments, and a full disk: acknowledged spans are counted exactly once, and no counter goes back.

The clients do what real ones do: they send a request again until they are told 200.
"""

import json
import os
import random
import shutil
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

KILLS = 50
STRIKES = 10
CONFIG = {"assembly": {"grace": "200ms", "idle": "500ms"}, "attributes": {"app": ["service.name"]}}
KEEP_ALL = CONFIG | {"store": {"content": "all"}}


class Sender:
    """Sends batches one after the other; some traces come in two batches."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.traces = self.spans = 0

    def work(self, client):
        left_over = []
        while not client.ended.is_set():
            now, later = self.batch()
            self.send(client, left_over + now)
            left_over = later
        self.send(client, left_over)

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

    def send(self, client, spans):
        if spans:
            resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
            client.post("/v1/traces", {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]})


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


def assert_exact(process, sender):
    """All journal entries recorded, and the counters equal to what was sent."""
    process.wait_until(lambda: process.samples()["llmq_exporter_journal_entries", frozenset()] == 0)
    process.wait_until(lambda: process.total("llmq_requests_total") >= sender.traces)
    found = process.samples()
    assert found.total("llmq_requests_total") == sender.traces
    unique = found.total("llmq_exporter_spans_received_total") - found.total("llmq_exporter_duplicates_total")
    assert unique == sender.spans
    assert found.total("llmq_exporter_quarantined_total") == 0
    accounted = sum(
        found.total(name)
        for name in ("llmq_evaluations_total", "llmq_unscored_total", "llmq_evaluation_failures_total")
    )
    assert accounted > 0
    assert accounted % sender.traces == 0


def test_killed_fifty_times_under_load_the_counters_are_exact(killable):
    process, sender, moments = killable(CONFIG), Sender(seed=7), random.Random(11)
    client = process.client(sender.work)
    shown = process.samples()
    for _ in range(KILLS - STRIKES):
        time.sleep(moments.uniform(0, 0.4))
        before, shown = shown, process.samples()
        for name in ("llmq_requests_total", "llmq_exporter_spans_received_total", "llmq_evaluations_total"):
            assert shown.total(name) >= before.total(name), f"{name} went back"
        time.sleep(moments.uniform(0, 0.2))
        process.kill()
        process.start()
    # Some kill must strike between what is durable and its answer: then it is sent again.
    process.strike([client], moments, STRIKES, until=lambda: process.total("llmq_exporter_duplicates_total") > 0)
    client.finish()
    assert client.turned_away > 0
    assert_exact(process, sender)
    process.stop()


class Talker:
    """A user of one conversation after the other, who asks, clicks early or late, and changes their mind.

    ``truth`` is what the counters must be in the end.
    """

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.truth = dict.fromkeys(("requests", "thumbs_up", "thumbs_down", "copy", "retracted", "regenerate"), 0)

    def work(self, client):
        while not client.ended.is_set():
            self.converse(client)

    def converse(self, client):
        name, chance = self.random.randbytes(8).hex(), self.random
        questions = chance.choice((1, 2))
        for number in range(questions):
            trace_id = chance.randbytes(16).hex()
            clicks = self.clicks(trace_id)
            early = chance.random() < 0.5
            for click in clicks if early else ():
                client.post("/v1/feedback", click)
            asked = {
                "trace_id": trace_id,
                "app": "shop",
                "route": "/ask",
                "conversation_id": name,
                "question": "How long does it take?",
                "answer": "Ten days.",
                "started_at": 1.79e9 + number,
            }
            client.post("/v1/interactions", asked)
            for click in () if early else clicks:
                client.post("/v1/feedback", click)
            self.wait_until_recorded(client, trace_id)
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

    def wait_until_recorded(self, client, trace_id):
        until = time.monotonic() + 120
        while (answer := client.get(f"/api/traces/{trace_id}")) is None or answer.status_code != 200:
            assert time.monotonic() < until, f"{trace_id} is not recorded"
            client.pause(0.02)


SIGNALS = ("thumbs_up", "thumbs_down", "copy", "regenerate")


def told(samples):
    """What the counters say of feedback, by the names of a talker's truth, and what still waits."""
    found = {signal: samples.total("llmq_feedback_total", signal=signal) for signal in SIGNALS}
    return found | {
        "requests": samples.total("llmq_requests_total"),
        "retracted": samples.total("llmq_feedback_retracted_total"),
        "waiting": samples.total("llmq_exporter_queue_length", queue="feedback"),
    }


def test_feedback_counts_exactly_once_however_often_the_exporter_is_killed(killable):
    process, talkers, moments = killable(CONFIG), [Talker(seed) for seed in (1, 2)], random.Random(5)
    clients = [process.client(talker.work) for talker in talkers]
    process.strike(clients, moments, STRIKES)
    for client in clients:
        client.finish()
    assert min(client.turned_away for client in clients) > 0
    truth = {name: sum(talker.truth[name] for talker in talkers) for name in talkers[0].truth}
    assert min(truth.values()) > 0
    process.wait_until(lambda: told(process.samples()) == truth | {"waiting": 0})
    process.stop()


@contextmanager
def disk(folder, size):
    """A file system in a mount namespace of its own, which a sleeping process keeps alive."""
    folder.mkdir()
    if not shutil.which("unshare"):
        pytest.fail("the test of a full disk needs unshare: apt-get install util-linux")
    script = f"mount -t tmpfs -o size={size} tmpfs {folder} && echo ready && exec sleep 600"
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        if holder.stdout.readline() != "ready\n":
            pytest.fail("the test of a full disk needs user namespaces: sysctl kernel.unprivileged_userns_clone=1")
        yield holder.pid, folder
        holder.kill()


@pytest.fixture
def small_disk(tmp_path):
    """Far larger than what llmq keeps free and in its logs: a test fills it, and not llmq by itself."""
    with disk(tmp_path / "small", "256m") as mounted:
        yield mounted


@pytest.fixture
def tiny_disk(tmp_path):
    """So small that llmq fills it by itself."""
    with disk(tmp_path / "tiny", "24m") as mounted:
        yield mounted


def inside(holder):
    """What a command begins with that is to see the small disk."""
    return ["nsenter", "--target", str(holder), "--user", "--mount", "--preserve-credentials"]


class Hoarder:
    """Sends traces with much text, which fill a small disk."""

    def __init__(self):
        self.random, self.sent = random.Random(9), 0

    def work(self, client):
        while not client.ended.is_set():
            text = self.random.randbytes(6000).hex()
            batch = [{"app": "shop", "id": f"{self.sent + n}", "question": "?", "answer": text} for n in range(20)]
            client.post("/v1/interactions", batch)
            self.sent += len(batch)


def test_a_disk_that_its_own_files_fill_is_tidied_and_it_goes_on_by_itself(tiny_disk, killable):
    holder, folder = tiny_disk
    process, hoarder = killable(KEEP_ALL, store=folder / "llmq.db", before=inside(holder)), Hoarder()
    files = Path(f"/proc/{holder}/root{folder}")
    client = process.client(hoarder.work)
    process.wait_until(lambda: process.total("llmq_exporter_store_errors_total", reason="disk_full") > 0)
    sent = hoarder.sent
    process.wait_until(lambda: hoarder.sent > sent + 2000)  # more than the disk can hold
    process.kill()
    process.start()
    sent = hoarder.sent
    process.wait_until(lambda: hoarder.sent > sent + 200)
    client.finish()
    process.wait_until(lambda: process.total("llmq_requests_total") == hoarder.sent)
    process.wait_until(lambda: process.http.get("/-/ready").status_code == 200)
    process.wait_until(lambda: process.total("llmq_exporter_store_ballast_bytes") == 6 << 20)
    assert (files / "llmq.db").stat().st_size < 18 << 20
    process.stop()
    assert not (files / "llmq.db.ballast").exists()


def test_a_disk_that_others_fill_is_given_the_ballast_only_for_what_was_acknowledged(tiny_disk, killable):
    holder, folder = tiny_disk
    process, sender = killable(CONFIG, store=folder / "llmq.db", before=inside(holder)), Sender(seed=3)
    client = process.client(sender.work)
    process.wait_until(lambda: process.total("llmq_requests_total") > 50)
    filler = f"/proc/{holder}/root{folder}/filler"
    fill(filler)
    process.wait_until(lambda: process.total("llmq_exporter_store_ballast_bytes") == 0)
    process.wait_until(lambda: process.total("llmq_exporter_queue_length", queue="unrecorded") == 0)
    refused = client.refused
    process.wait_until(lambda: client.refused > refused + 200)
    taken = process.total("llmq_exporter_spans_received_total")
    process.wait_until(lambda: client.refused > refused + 250)
    assert process.total("llmq_exporter_spans_received_total") == taken
    assert process.http.get("/-/ready").text == "the store cannot be written: disk_full\n"
    os.truncate(filler, 0)
    process.wait_until(lambda: process.http.get("/-/ready").status_code == 200)
    process.wait_until(lambda: process.total("llmq_exporter_store_ballast_bytes") == 6 << 20)
    client.finish()
    assert_exact(process, sender)
    process.stop()


def test_a_full_disk_in_between_loses_nothing(small_disk, killable):
    holder, folder = small_disk
    process, sender = killable(CONFIG, store=folder / "llmq.db", before=inside(holder)), Sender(seed=8)
    client = process.client(sender.work)
    process.wait_until(lambda: process.total("llmq_requests_total") > 50)
    filler = f"/proc/{holder}/root{folder}/filler"
    fill(filler)
    process.wait_until(lambda: client.refused > 3)
    found = process.samples()
    assert found.total("llmq_exporter_store_errors_total") > 0
    process.wait_until(lambda: process.http.get("/-/ready").status_code == 503)
    process.kill()
    os.truncate(filler, 0)
    process.start()
    process.wait_until(lambda: process.total("llmq_requests_total") > found.total("llmq_requests_total"))
    fill(filler)
    refused = client.refused
    process.wait_until(lambda: client.refused > refused + 3)
    os.truncate(filler, 0)
    process.wait_until(lambda: process.http.get("/-/ready").status_code == 200)
    client.finish()
    assert_exact(process, sender)
    process.stop()


def fill(path):
    """Write until the disk is full."""
    with open(path, "ab", buffering=0) as file:  # noqa: PTH123 - Path.open cannot append unbuffered more plainly
        for size in (1 << 20, 4096):
            with suppress(OSError):
                while True:
                    file.write(b"x" * size)
