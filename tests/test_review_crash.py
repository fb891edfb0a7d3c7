"""SIGKILL at random moments: no claim that was given and no label that was taken is lost, and none counts twice."""

import json
import random
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

KILLS = 4
CASES = 40
WORDS = ["amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath", "inlet", "juniper", "knoll", "larch"]
CONFIG = {
    "assembly": {"grace": "100ms"},
    "review": {
        "enabled": True,
        "wait": "1ms",
        "similarity": 1.0,
        "reasons": {"control": {"share": 0.999999, "annotators": 1, "per_day": 10_000}},
    },
}


class Exporter:
    """A real ``llmq serve``, killed and started again on the same store."""

    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url, self.log = f"http://127.0.0.1:{port}", folder / "log"
        (folder / "llmq.yaml").write_text(yaml.safe_dump(CONFIG))
        self.command = [sys.executable, "-m", "exporter", "serve", "--config", str(folder / "llmq.yaml")]
        self.command += ["--listen", f"127.0.0.1:{port}", "--store", f"sqlite:///{folder / 'llmq.db'}"]
        self.process, self.client = None, httpx.Client(base_url=self.url)

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        self.until(lambda: self.client.get("/-/ready").status_code == 200)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def until(self, holds, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if holds():
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        pytest.fail("waited in vain for the exporter")


class Reviewer(threading.Thread):
    """Claims and labels, and sends again what was not answered; remembers what it was promised."""

    def __init__(self, url, name):
        super().__init__(daemon=True)
        self.client, self.who, self.random = httpx.Client(base_url=url), name, random.Random(name)
        self.ended, self.held, self.said, self.broken = threading.Event(), None, {}, []

    def run(self):
        while not self.ended.is_set():
            item = self.ask("claim")
            if item is None:
                return
            if item["item"] is None:
                self.ended.wait(0.02)
                continue
            trace_id = item["item"]["trace_id"]
            if self.held not in (None, trace_id):
                self.broken.append((self.held, trace_id))
            self.held = trace_id
            verdict = self.random.choice(["pass", "fail"])
            self.ended.wait(self.random.uniform(0, 0.1))  # so that the kills find work under way
            if self.random.random() < 0.5:
                continue  # look at it again first: the claim must still be there
            labels = {"helpfulness": {"verdict": verdict}}
            if self.ask("label", trace_id=trace_id, labels=labels) is not None:
                self.said[trace_id], self.held = verdict, None

    def ask(self, path, **body):
        while not self.ended.is_set():
            try:
                answer = self.client.post(f"/api/review/{path}", json={"reviewer": self.who} | body)
            except httpx.TransportError:
                self.ended.wait(0.05)
                continue
            if answer.status_code == 200:
                return answer.json()
            if answer.status_code != 503:
                self.broken.append((path, answer.status_code, answer.text))
                return None
        return None


def send(exporter, first, count):
    chance = random.Random(first)
    cases = [
        {"id": str(n), "app": "shop", "question": f"{n} {' '.join(chance.sample(WORDS, 6))}?", "answer": "Yes."}
        for n in range(first, first + count)
    ]
    assert exporter.client.post("/v1/interactions", json=cases).status_code == 200


def total(exporter, name):
    families = text_string_to_metric_families(exporter.client.get("/metrics").text)
    return sum(sample.value for family in families for sample in family.samples if sample.name == name)


def test_sigkill_loses_no_claim_and_no_label_and_counts_none_twice(tmp_path):
    exporter, chance = Exporter(tmp_path), random.Random(7)
    exporter.start()
    reviewers = [Reviewer(exporter.url, name) for name in ("ada", "bob", "cyd")]
    try:
        send(exporter, 0, CASES // 2)
        exporter.until(lambda: total(exporter, "llmq_review_routed_total") == CASES // 2)
        for reviewer in reviewers:
            reviewer.start()
        for number in range(KILLS):
            time.sleep(chance.uniform(0.05, 0.6))
            exporter.kill()
            exporter.start()
            if number == KILLS // 2:
                send(exporter, CASES // 2, CASES // 2)
        exporter.until(lambda: sum(len(reviewer.said) for reviewer in reviewers) == CASES)
        exporter.until(lambda: total(exporter, "llmq_review_labels_total") == CASES)
        lines = exporter.client.get("/api/review/reviewed").text.splitlines()
    finally:
        for reviewer in reviewers:
            reviewer.ended.set()
        exporter.kill()
        exporter.client.close()
    for reviewer in reviewers:
        reviewer.join()
        reviewer.client.close()
        assert reviewer.broken == []
    found = [json.loads(line) for line in lines]
    kept = {case["trace_id"]: (case["labels"][0]["reviewer"], case["verdicts"]["helpfulness"]) for case in found}
    assert all(len(case["labels"]) == 1 for case in found)
    assert kept == {
        trace_id: (reviewer.who, verdict) for reviewer in reviewers for trace_id, verdict in reviewer.said.items()
    }
    assert len(found) == CASES
