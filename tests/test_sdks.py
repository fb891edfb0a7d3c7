"""Real SDKs call a loopback model and send to a real ``llmq serve``; a real Prometheus tells the verdicts."""

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

SDK = Path(__file__).parent / "sdk"
PYTHON = Path(__file__).parent.parent / ".venv-sdk" / "bin" / "python"
APPS = ["otel", "otel_grpc", "openinference", "traceloop", "langfuse"]
SCRIPTS = {"otel_grpc": "otel"}
ASKED = 7
"""Requests that each application makes: four plain ones, one with a tool, two with documents."""
MODEL = "gpt-4o-mini-2024-07-18"
PREFIX = {"otel": "/", "otel_grpc": "/", "openinference": "/", "traceloop": "", "langfuse": "/"}
"""How the routes of an application begin; Traceloop's are the names of workflows."""
SENDS_FINISH_REASON = {"otel", "otel_grpc", "openinference", "traceloop"}
CONFIG = {"assembly": {"grace": "200ms", "idle": "1s"}, "metrics": {"birth": "2s"}}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(holds, what, processes, seconds=120):
    """Poll until ``holds`` returns something true, and return it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for process in processes:
            assert process.poll() in {None, 0}, f"{process.args} ended by itself"
        try:
            if found := holds():
                return found
        except (OSError, httpx.TransportError):
            pass
        time.sleep(0.05)
    return pytest.fail(f"waited in vain for {what}")


@contextmanager
def running(command, log, **options):
    """A process that is ended with the block, its output in ``log``."""
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output, **options) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(120)
            except subprocess.TimeoutExpired:
                process.kill()


def environment(app, model, exporter, grpc):
    """What an application needs to find the model and the exporter, and to call nobody else."""
    speaks_grpc = app.endswith("_grpc")
    return {
        "PATH": os.environ["PATH"],
        "NO_PROXY": "127.0.0.1",
        "OPENAI_API_KEY": "none",
        "OPENAI_BASE_URL": f"{model}/v1",
        "OTEL_SERVICE_NAME": app,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{grpc}" if speaks_grpc else exporter,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc" if speaks_grpc else "http/protobuf",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_BSP_SCHEDULE_DELAY": "60000",  # spans go out at the end, after the logs, however slow the machine is
        "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "EVENT_ONLY",
        "LANGFUSE_BASE_URL": exporter,
        "LANGFUSE_PUBLIC_KEY": "pk-none",
        "LANGFUSE_SECRET_KEY": "sk-none",
        "TRACELOOP_TELEMETRY": "false",
    }


def prometheus(folder, target):
    """The command of a Prometheus that scrapes the exporter every second, and its address."""
    found = shutil.which("prometheus")
    if not found:
        pytest.fail("this test needs Prometheus: apt-get install prometheus")
    job = {"job_name": "llmq", "static_configs": [{"targets": [target.removeprefix("http://")]}]}
    config = folder / "prometheus.yml"
    config.write_text(
        yaml.safe_dump({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": [job]})
    )
    address = f"127.0.0.1:{free_port()}"
    flags = [f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address={address}"]
    return [found, *flags, "--enable-feature=exemplar-storage"], f"http://{address}"


class Answers:
    """What Prometheus answers about the exporter."""

    def __init__(self, url, exporter):
        self.url, self.exporter = url, exporter

    def get(self, path, **query):
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=query)
        return answer.json()["data"] if answer.status_code == 200 else None

    def by(self, query, *labels):
        """The samples of a query, keyed by these labels, without those that are 0."""
        return {
            tuple(one["metric"].get(label, "") for label in labels): float(one["value"][1])
            for one in self.get("query", query=query)["result"]
            if float(one["value"][1])
        }

    def value(self, query):
        return sum(self.by(query).values())

    def verdicts(self, **where):
        """How often each evaluator passed and failed, over all series with these labels."""
        match = ",".join(f'{label}="{value}"' for label, value in where.items())
        query = f"sum by (evaluator, verdict) (llmq_evaluations_total{{{match}}})"
        return self.by(query, "evaluator", "verdict")


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """A Prometheus that has seen everything that every application sent."""
    if not PYTHON.exists():
        pytest.fail("this test needs the SDKs in a virtual environment of their own: make sdk")
    folder = tmp_path_factory.mktemp("sdks")
    with ExitStack() as stack:

        def start(name, command, **options):
            return stack.enter_context(running(command, folder / f"{name}.log", **options))

        port_file, config = folder / "model.port", folder / "llmq.yaml"
        grpc = f"127.0.0.1:{free_port()}"
        config.write_text(yaml.safe_dump(CONFIG | {"server": {"grpc": grpc}}))
        exporter = f"http://127.0.0.1:{free_port()}"
        serve = ["--config", str(config), "--listen", exporter.removeprefix("http://")]
        command, url = prometheus(folder, exporter)
        servers = [
            start("model", [sys.executable, str(SDK / "model.py"), str(port_file)]),
            start(
                "llmq", [sys.executable, "-m", "exporter", "serve", *serve, "--store", f"sqlite:///{folder}/llmq.db"]
            ),
            start("prometheus", command),
        ]
        wait_until(lambda: httpx.get(f"{exporter}/-/ready").status_code == 200, "the exporter", servers)
        wait_until(lambda: httpx.get(f"{url}/-/ready").status_code == 200, "Prometheus", servers)
        model = f"http://127.0.0.1:{wait_until(port_file.read_text, 'the model', servers)}"
        applications = []
        for app in APPS:
            script = [str(PYTHON), str(SDK / "apps" / f"with_{SCRIPTS.get(app, app)}.py")]
            applications.append(start(app, script, cwd=folder, env=environment(app, model, exporter, grpc)))
        for process in applications:
            assert process.wait(120) == 0, f"{process.args} failed, see {folder}"
        found = Answers(url, exporter)
        wait_until(
            lambda: found.value("sum(llmq_requests_total)") >= ASKED * len(APPS) and all_closed(found),
            "the requests",
            servers,
        )
        yield found


def all_closed(found):
    """Whether Prometheus saw the exporter with nothing left to score."""
    open_traces = found.get("query", query="llmq_exporter_open_traces")["result"]
    return [one["value"][1] for one in open_traces] == ["0"]


@pytest.mark.parametrize("app", APPS)
def test_every_request_counts_once_under_its_app_and_model(answers, app):
    by_model = answers.by(f'sum by (model_version) (llmq_requests_total{{app="{app}"}})', "model_version")
    assert by_model == {(MODEL,): ASKED}


def but_for_finish_reasons(app, verdicts):
    """Langfuse tells no finish reason, so `truncated` does not apply there."""
    return {key: n for key, n in verdicts.items() if key[0] != "truncated" or app in SENDS_FINISH_REASON}


@pytest.mark.parametrize("app", APPS)
def test_a_refusal_silence_and_a_cut_answer_fail_alone(answers, app):
    expected = {
        ("refusal", "pass"): 2,
        ("refusal", "fail"): 1,
        ("empty", "pass"): 3,
        ("empty", "fail"): 1,
        ("truncated", "pass"): 3,
        ("truncated", "fail"): 1,
        ("repetition", "pass"): 3,
        ("prompt_leak", "pass"): 3,
        ("language_match", "pass"): 2,
    }
    assert answers.verdicts(app=app, route="unknown") == but_for_finish_reasons(app, expected)


@pytest.mark.parametrize("app", APPS)
def test_a_tool_call_is_checked_and_both_its_generations_are_one_request(answers, app):
    expected = {
        (name, "pass"): 1
        for name in (
            "refusal",
            "empty",
            "truncated",
            "repetition",
            "tool_calls",
            "tool_error",
            "tool_loop",
            "language_match",
            "grounding",
        )
    }
    where = {"app": app, "route": f"{PREFIX[app]}weather"}
    assert answers.verdicts(**where) == but_for_finish_reasons(app, expected)
    tokens = f'sum by (direction) (llmq_tokens_total{{app="{app}",route="{where["route"]}"}})'
    assert answers.by(tokens, "direction") == {("input",): 84, ("output",): 34}


@pytest.mark.parametrize("app", APPS)
def test_answers_are_held_against_retrieved_documents_by_route_and_prompt_version(answers, app):
    expected = {(name, "pass"): 2 for name in ("refusal", "empty", "truncated", "repetition", "prompt_leak")}
    expected |= {("grounding", "pass"): 1, ("grounding", "fail"): 1}
    where = {"app": app, "route": f"{PREFIX[app]}returns", "model_version": MODEL, "prompt_version": "7"}
    assert answers.verdicts(**where) == but_for_finish_reasons(app, expected)


def test_every_evaluator_accounts_for_every_request(answers):
    accounted = 'sum by (evaluator) ({__name__=~"llmq_(evaluations|unscored|evaluation_failures)_total"})'
    counts = answers.by(accounted, "evaluator")
    assert ("refusal",) in counts
    assert set(counts.values()) == {ASKED * len(APPS)}


def test_both_protocols_are_spoken(answers):
    answered = "sum by (protocol, code) (llmq_exporter_requests_total)"
    assert answers.by(answered, "protocol", "code").keys() == {("grpc", "200"), ("http", "200")}


def test_nothing_that_was_sent_is_refused(answers):
    assert answers.by("sum by (reason) (llmq_exporter_rejected_total)", "reason") == {}
    assert answers.value("sum(llmq_exporter_log_records_received_total)") > 0


@pytest.mark.parametrize("app", APPS)
def test_an_exemplar_leads_from_a_failed_verdict_to_its_explanation(answers, app):
    failed = f'llmq_evaluations_total{{app="{app}",evaluator="grounding",verdict="fail"}}'
    now = time.time()
    [series] = answers.get("query_exemplars", query=failed, start=now - 600, end=now + 60)
    trace = series["exemplars"][-1]["labels"]["trace_id"]
    document = httpx.get(f"{answers.exporter}/api/traces/{trace}").json()
    [grounding] = [one for one in document["evaluations"] if one["evaluator"] == "grounding"]
    assert grounding["verdict"] == "fail"
    assert "Napoleon" in document["answer"]
