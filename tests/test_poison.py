"""What ends the process is set aside, at whatever stage it does; nothing else is lost or doubled."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import yaml

DYING = Path(__file__).with_name("dying.py")
POISON = "poisonous"
POISONOUS = "aa" * 16
INNOCENT = [f"{n:032x}" for n in range(1, 6)]
OUTCOMES = ("llmq_evaluations_total", "llmq_unscored_total", "llmq_evaluation_failures_total")


def span(trace_id, text, *, span_id="1" * 16, parent=""):
    said = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": text}]}])
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.response.model": "m-1", "gen_ai.output.messages": said}
    return {
        "traceId": trace_id, "spanId": span_id, "parentSpanId": parent, "name": "chat",
        "startTimeUnixNano": str(time.time_ns()), "endTimeUnixNano": str(time.time_ns()),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }  # fmt: skip


def request(*spans):
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": list(spans)}]}]}


BAD = request(span(POISONOUS, f"It is {POISON}."))


class Supervised:
    """An exporter that is started again whenever it ended by itself, as a supervisor does."""

    def __init__(self, folder, read, stage, *, grace="300ms", environment=None):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder, self.deaths = folder, 0
        self.stage, self.read = stage, read
        self.environment = {**os.environ, "POISON": POISON, "TRACE_ID": POISONOUS, **(environment or {})}
        config = folder / "llmq.yaml"
        config.write_text(yaml.safe_dump({"assembly": {"grace": grace, "idle": "60s"}}))
        self.arguments = ["serve", "--config", config, "--store", f"sqlite:///{folder}/llmq.db"]
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=10)
        self.process = None
        self.start()

    def start(self):
        command = [sys.executable, DYING, self.stage, *self.arguments]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--listen", f"127.0.0.1:{self.port}"],
                env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip

    def log(self):
        return (self.folder / "log").read_text()

    def healthy(self):
        try:
            return self.http.get("/-/healthy").status_code == 200
        except httpx.TransportError:
            return False

    def until(self, holds, seconds=60):
        """Start it again and again until something holds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                assert self.process.returncode == -signal.SIGKILL, self.log()[-3000:]
                self.deaths += 1
                assert self.deaths < 10, f"a crash loop:\n{self.log()[-3000:]}"
                self.start()
            try:
                if holds():
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        pytest.fail(f"waited in vain; deaths={self.deaths}\n{self.log()[-3000:]}")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.start()

    def stop(self):
        self.process.terminate()
        assert self.process.wait(60) == 0
        self.start()

    def send(self, body, path="/v1/traces"):
        """Send it until there is an answer."""
        answers = []
        self.until(lambda: answers.append(self.http.post(path, json=body)) or True)
        return answers[-1]

    def samples(self):
        return self.read(self.http.get("/metrics").text)

    def total(self, name, **labels):
        return self.samples().total(name, **labels)

    def quarantined(self):
        return sorted(path.name for path in (self.folder / "llmq.db.quarantine").glob("*"))


@pytest.fixture
def supervised(tmp_path, read_samples):
    started = []

    def start(*arguments, **options):
        started.append(Supervised(tmp_path, read_samples, *arguments, **options))
        started[-1].until(started[-1].healthy)
        return started[-1]

    yield start
    for one in started:
        one.http.close()
        one.process.kill()
        one.process.wait()


def assert_accounted(exporter, *, requests, failed):
    """Nothing waits, and for every evaluator there is one outcome for each request, a crash for those that failed."""
    exporter.until(lambda: exporter.total("llmq_exporter_journal_entries") == 0)
    exporter.until(lambda: exporter.total("llmq_requests_total") >= requests)
    found = exporter.samples()
    assert found.total("llmq_requests_total") == requests
    for evaluator in ("refusal", "empty", "grounding", "json_schema"):
        assert sum(found.total(name, evaluator=evaluator) for name in OUTCOMES) == requests
        assert found.total("llmq_evaluation_failures_total", evaluator=evaluator, reason="crashed") == failed
    assert found.total("llmq_evaluations_total", evaluator="refusal", verdict="pass") == requests - failed


def batch():
    return request(*(span(trace_id, "Paris.") for trace_id in INNOCENT), span(POISONOUS, f"It is {POISON}."))


@pytest.mark.parametrize("stage", ["normalise", "evaluate", "record", "commit"])
def test_a_trace_that_ends_the_process_is_set_aside_alone(supervised, stage):
    exporter = supervised(stage)
    assert exporter.send(batch()).status_code == 200
    exporter.until(lambda: exporter.total("llmq_exporter_quarantined_total", stage=stage) == 1)
    assert exporter.deaths == 1
    assert_accounted(exporter, requests=6, failed=1)
    assert exporter.quarantined() == [f"{POISONOUS}.json"]
    assert f"stage={stage}" in exporter.log()
    assert POISON not in exporter.log()
    assert exporter.total("llmq_requests_total", app="unknown" if stage == "normalise" else "shop") >= 1
    exporter.stop()
    exporter.until(exporter.healthy)
    assert_accounted(exporter, requests=6, failed=1)
    assert exporter.deaths == 1


def test_what_was_set_aside_is_what_replay_reads(supervised, llmq, tmp_path):
    exporter = supervised("evaluate")
    exporter.send(batch())
    exporter.until(lambda: exporter.total("llmq_exporter_quarantined_total") == 1)
    path = tmp_path / "llmq.db.quarantine" / f"{POISONOUS}.json"
    assert path.stat().st_mode & 0o777 == 0o600
    code, out, _ = llmq("replay", "--json", path)
    assert (code, json.loads(out)["answer"]) == (0, f"It is {POISON}.")


def test_a_trace_whose_parts_are_harmless_alone_is_set_aside_too(supervised):
    exporter = supervised("evaluate")
    half = span(POISONOUS, "Harmless.", span_id="2" * 16, parent="1" * 16)
    exporter.send(request(half, *(span(trace_id, "Paris.") for trace_id in INNOCENT)))
    exporter.send(BAD)
    exporter.until(lambda: exporter.total("llmq_exporter_quarantined_total", stage="evaluate") == 1)
    assert exporter.deaths == 1
    assert_accounted(exporter, requests=6, failed=1)


def test_many_poisonous_traces_cost_one_death(supervised):
    exporter = supervised("evaluate", grace="2s")
    poison = [f"{n:032x}" for n in range(100, 108)]
    exporter.send(request(*(span(one, POISON) for one in poison), *(span(one, "Paris.") for one in INNOCENT)))
    exporter.until(lambda: exporter.total("llmq_exporter_quarantined_total", stage="evaluate") == 8)
    assert exporter.deaths == 1
    assert_accounted(exporter, requests=13, failed=8)


def test_a_request_that_ends_the_process_as_its_spans_are_gathered_is_set_aside(supervised):
    exporter = supervised("assemble")
    exporter.send(request(*(span(trace_id, "Paris.") for trace_id in INNOCENT)))
    again = exporter.send(BAD)  # which was not answered the first time
    assert again.status_code == 400
    exporter.until(lambda: exporter.total("llmq_exporter_quarantined_total", stage="assemble") == 1)
    assert exporter.deaths == 1
    assert_accounted(exporter, requests=6, failed=1)
    assert exporter.total("llmq_exporter_spans_received_total") - exporter.total("llmq_exporter_duplicates_total") == 6


def test_a_request_that_cannot_be_decoded_again_is_set_aside_as_it_came(supervised):
    exporter = supervised("decode", grace="1s")
    exporter.send(BAD)
    exporter.send(request(*(span(trace_id, "Paris.") for trace_id in INNOCENT)))
    exporter.kill()
    exporter.until(lambda: exporter.total("llmq_exporter_quarantined_total", stage="decode") == 1)
    assert_accounted(exporter, requests=5, failed=0)
    [name] = exporter.quarantined()
    kept = (exporter.folder / "llmq.db.quarantine" / name).read_bytes()
    assert json.loads(kept) == BAD


def test_late_parts_that_end_the_process_are_dropped(supervised):
    exporter = supervised("late")
    exporter.send(request(*(span(trace_id, "Paris.") for trace_id in INNOCENT)))
    exporter.until(lambda: exporter.total("llmq_requests_total") == 5)
    late = span(INNOCENT[0], f"It is {POISON}.", span_id="3" * 16, parent="1" * 16)
    exporter.send(request(late, span(POISONOUS, "Rome.")))
    exporter.until(lambda: exporter.total("llmq_exporter_quarantined_total", stage="late") == 1)
    assert_accounted(exporter, requests=6, failed=0)
    dropped = exporter.total("llmq_exporter_late_total", outcome="dropped")
    assert dropped + exporter.total("llmq_exporter_duplicates_total") >= 1


def test_feedback_that_ends_the_process_is_set_aside(supervised):
    exporter = supervised("feedback")
    exporter.send(request(span(INNOCENT[0], "Paris.")))
    exporter.until(lambda: exporter.total("llmq_requests_total") == 1)
    bad, good = ({"trace_id": INNOCENT[0], "signal": "thumbs_up", "comment": one} for one in (POISON, "nice"))
    assert exporter.send(bad, "/v1/feedback").status_code == 400
    assert exporter.send(good, "/v1/feedback").status_code == 200
    exporter.until(lambda: exporter.total("llmq_exporter_quarantined_total", stage="read") == 1)
    exporter.until(lambda: exporter.total("llmq_feedback_total", signal="thumbs_up") == 1)
    assert exporter.deaths == 3


def test_a_request_that_ends_the_process_as_it_is_read_is_refused_in_the_end(supervised):
    exporter = supervised("read")
    answer = exporter.send(BAD)
    assert answer.status_code == 400
    assert exporter.deaths == 3
    exporter.until(lambda: exporter.total("llmq_exporter_rejected_total", signal="traces", reason="quarantined") == 1)
    exporter.until(lambda: exporter.total("llmq_exporter_quarantined_total", stage="read") == 1)
    assert len(exporter.quarantined()) == 1
    assert exporter.send(request(span(INNOCENT[0], "Paris."))).status_code == 200


def test_where_the_process_ends_with_its_copy_it_is_tried_twice_more_and_no_longer(supervised):
    exporter = supervised("evaluate", environment={"WITH_PARENT": "1"})
    exporter.send(batch())
    exporter.until(lambda: exporter.total("llmq_exporter_quarantined_total", stage="evaluate") == 1)
    assert exporter.deaths == 3
    assert_accounted(exporter, requests=6, failed=1)


def test_a_kill_condemns_nobody_however_often_it_strikes(supervised):
    exporter = supervised("nowhere", grace="50ms")
    for number in range(6):
        exporter.send(request(*(span(f"{number:02x}{n:030x}", "Paris. " * 2000) for n in range(1, 41))))
        exporter.until(lambda number=number: exporter.total("llmq_requests_total") >= 40 * number)
        exporter.kill()
        exporter.until(exporter.healthy)
    assert_accounted(exporter, requests=240, failed=0)
    assert exporter.total("llmq_exporter_quarantined_total") == 0
