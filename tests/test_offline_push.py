"""The commands that push and export, against a real llmq on a real port."""

import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporter.cli.main import main
from exporter.offline.client import ExchangeError, LlmqClient

FILES = Path(__file__).parent / "offline"
ROWS = [
    {"id": 1, "input": "How do I reset my password?", "output": "Open the settings and choose a new one."},
    {"id": 2, "input": "How do I close my account?", "output": "I'm sorry, but I can't help with that."},
    {"id": 3, "input": "Where is my parcel?", "output": "It left our depot this morning."},
]


@pytest.fixture(scope="module")
def llmq(tmp_path_factory):
    """A real exporter in a process of its own; its URL."""
    folder = tmp_path_factory.mktemp("llmq")
    command = [
        sys.executable,
        "-m",
        "exporter",
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--store",
        f"sqlite:///{folder}/x.db",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        url = next(line.split("listening: ")[1].split()[0] for line in process.stderr if "listening: " in line)
        yield url
        process.terminate()


def shown(url, name, **labels):
    """The value of a metric's only child that has these labels, once it is there."""
    until = time.monotonic() + 120
    while True:
        with urlopen(f"{url}/metrics") as response:
            families = text_string_to_metric_families(response.read().decode())
            found = [
                one
                for family in families
                for one in family.samples
                if one.name == name and labels.items() <= one.labels.items()
            ]
        if found or time.monotonic() > until:
            return [one.value for one in found]
        time.sleep(0.05)


def test_files_of_every_tool_are_pushed_and_show_with_the_version_that_was_named(llmq, capsys):
    names = ["promptfoo-0.121.20.json", "inspect-0.3.285.json", "deepeval-4.3.1.json", "ragas-0.4.3.csv"]
    files = [str(FILES / name) for name in (*names, "promptfoo-0.121.20.junit.xml")]
    options = ["--to", llmq, "--app", "geo", "--prompt-version", "9", "--model-version", "m-2"]
    assert main(["offline", "push", *options, *files]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.rsplit(": ", 1)[1].split(" new")[0] for line in said] == ["3", "2", "2", "2", "1"]
    version = {"app": "geo", "prompt_version": "9", "model_version": "m-2"}
    for suite, evaluator, passed in (
        ("support suite", "icontains", 1),
        ("support", "includes", 2),
        ("deepeval-4.3.1", "Exact Match", 1),
        ("ragas-0.4.3", "exact_match", 1),
        ("promptfoo", "tests", 1),
    ):
        assert shown(llmq, "llmq_offline_passed_cases", suite=suite, evaluator=evaluator, **version) == [passed]
    assert shown(llmq, "llmq_offline_questions", suite="support", app="geo") == [3]
    assert main(["offline", "push", *options, *files]) == 0
    assert [" 0 new" in line for line in capsys.readouterr().out.splitlines()] == [True] * 5, "a run counts once"


def test_a_file_without_a_version_takes_the_model_that_it_names(llmq):
    assert main(["offline", "push", "--to", llmq, "--app", "own", str(FILES / "inspect-0.3.285.json")]) == 0
    assert shown(llmq, "llmq_offline_cases", app="own", evaluator="exact") == [3]
    assert shown(llmq, "llmq_offline_cases", app="own", evaluator="exact", model_version="mockllm/model") == [3]


def test_questions_stay_here_if_so_wished(llmq):
    options = ["--to", llmq, "--app", "quiet", "--no-questions", "--suite", "s"]
    assert main(["offline", "push", *options, str(FILES / "inspect-0.3.285.json")]) == 0
    assert shown(llmq, "llmq_offline_cases", app="quiet", evaluator="exact") == [3]
    with urlopen(f"{llmq}/metrics") as response:
        assert 'llmq_offline_questions{app="quiet"' not in response.read().decode()


def test_files_that_cannot_be_read_are_named_and_the_others_are_pushed(llmq, tmp_path, capsys):
    (tmp_path / "bad.json").write_text("{}")
    missing, bad = tmp_path / "missing.json", tmp_path / "bad.json"
    options = ["--to", llmq, "--app", "mixed"]
    assert main(["offline", "push", *options, str(missing), str(bad), str(FILES / "ragas-0.4.3.jsonl")]) == 1
    said = capsys.readouterr()
    assert f"{missing}: cannot be read: there is no such file" in said.err
    assert f"{bad}: not a result file of any of promptfoo, inspect, deepeval, ragas, junit" in said.err
    assert "2 new" in said.out


def test_several_models_are_not_merged_under_one_name(llmq, tmp_path, capsys):
    document = json.loads((FILES / "promptfoo-0.121.20.json").read_bytes())
    cases = document["results"]["results"]
    cases.append(json.loads(json.dumps(cases[0])))
    cases[-1]["provider"]["id"] = "other"
    (tmp_path / "two.json").write_text(json.dumps(document))
    options = ["offline", "push", "--to", llmq, "--app", "two", str(tmp_path / "two.json")]
    assert main([*options, "--model-version", "m"]) == 1
    assert "holds 2 models and 1 prompts: leave out --model-version" in capsys.readouterr().err
    assert main(options) == 0


def test_eval_pushes_what_our_own_evaluators_say(llmq, tmp_path, capsysbinary):
    suite = tmp_path / "support.jsonl"
    suite.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    options = [
        "--evaluators",
        "refusal,empty",
        "--push",
        llmq,
        "--model-version",
        "m-1",
        "--prompt-version",
        "7",
    ]
    assert main(["eval", str(suite), *options]) == 2
    assert b"name the app by --app" in capsysbinary.readouterr().err
    assert main(["eval", str(suite), *options, "--app", "shop"]) == 0
    said = capsysbinary.readouterr()
    assert len(said.out.splitlines()) == 6
    assert b"2 new" in said.err
    labels = {"suite": "support", "evaluator": "refusal", "app": "shop", "model_version": "m-1", "prompt_version": "7"}
    assert shown(llmq, "llmq_offline_cases", **labels) == [3]
    assert shown(llmq, "llmq_offline_passed_cases", **labels) == [2]
    assert shown(llmq, "llmq_offline_questions", suite="support", app="shop") == [3]


def test_both_sides_of_the_comparison_are_the_same_instrument(llmq, tmp_path, capsysbinary):
    """The same answers, online and in a suite, come under the same evaluator version with the same counts."""
    for number, row in enumerate(ROWS):
        trace = {"trace_id": f"{number + 1:032x}", "app": "same", "model": "m-1", "prompt_version": "7"}
        trace |= {"question": row["input"], "answer": row["output"]}
        headers = {"Content-Type": "application/json"}
        with urlopen(Request(f"{llmq}/v1/interactions", json.dumps(trace).encode(), headers)) as response:
            assert response.status == 200
    suite = tmp_path / "same.jsonl"
    suite.write_text("".join(json.dumps(row | {"app": "same"}) + "\n" for row in ROWS))
    options = ["--evaluators", "refusal", "--push", llmq, "--model-version", "m-1", "--prompt-version", "7"]
    assert main(["eval", str(suite), *options]) == 0
    evaluator = shown(llmq, "llmq_offline_passed_cases", app="same")
    assert evaluator == [2]
    until = time.monotonic() + 120
    online = {"app": "same", "evaluator": "refusal", "verdict": "pass"}
    while sum(shown(llmq, "llmq_evaluations_total", **online)) < 2:
        assert time.monotonic() < until
        time.sleep(0.1)
    with urlopen(f"{llmq}/metrics") as response:
        samples = [one for family in text_string_to_metric_families(response.read().decode()) for one in family.samples]
    versions = {
        one.name: one.labels["evaluator_version"]
        for one in samples
        if one.labels.get("app") == "same" and one.labels.get("evaluator") == "refusal"
    }
    assert versions["llmq_offline_cases"] == versions["llmq_evaluations_total"]


def test_rows_that_cannot_be_read_are_not_pushed_around(llmq, tmp_path, capsysbinary):
    suite = tmp_path / "broken.jsonl"
    suite.write_text(json.dumps(ROWS[0]) + "\nnot JSON\n")
    assert main(["eval", str(suite), "--push", llmq, "--app", "broken"]) == 1
    assert b"not pushed: some rows could not be read" in capsysbinary.readouterr().err


# The client


class _Scripted(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        status, headers, body = self.server.script.pop(0)
        self.server.seen.append(self.headers["Authorization"])
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def scripted():
    """A server that answers what it is told, request by request."""
    with HTTPServer(("127.0.0.1", 0), _Scripted) as server:
        server.script, server.seen = [], []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_push_waits_as_it_is_told_and_tries_again(scripted):
    waited = []
    scripted.script += [(503, {"Retry-After": "7"}, b"{}"), (429, {}, b"{}"), (200, {}, b"done")]
    client = LlmqClient(f"http://127.0.0.1:{scripted.server_port}", "secret", waited.append)
    assert client.post("/x", b"{}") == b"done"
    assert waited == [7.0, 2.0]
    assert scripted.seen == ["Bearer secret"] * 3


def test_a_refusal_is_told_with_its_cure_and_not_tried_again(scripted):
    client = LlmqClient(f"http://127.0.0.1:{scripted.server_port}", "", pytest.fail)
    for status, body, says in (
        (400, b'{"error": "$.suite: no"}', r"answered 400: \$\.suite: no"),
        (401, b'{"error": "send a token"}', "answered 401: send a token; put a token into LLMQ_TOKEN"),
        (404, b"<html>", "answered 404: is this llmq?"),
        (302, b"", "answered 302: no reason was given"),
    ):
        scripted.script.append((status, {}, body))
        with pytest.raises(ExchangeError, match=says):
            client.post("/x", b"{}")
    assert not scripted.script


def test_a_server_that_stays_busy_is_given_up(scripted):
    scripted.script += [(503, {}, b'{"error": "busy"}')] * 5
    with pytest.raises(ExchangeError, match="answered 503: busy"):
        LlmqClient(f"http://127.0.0.1:{scripted.server_port}", "", lambda _: None).post("/x", b"{}")


@pytest.mark.parametrize(
    "url", ["", "localhost:4318", "ftp://a", "http://", "file:///etc/passwd", "http://a:b", "http://["]
)
def test_a_url_that_is_none_is_refused(url):
    with pytest.raises(ExchangeError, match="not a URL of llmq"):
        LlmqClient(url)


def test_a_token_that_would_break_the_request_is_refused_and_not_shown():
    with pytest.raises(ExchangeError, match="LLMQ_TOKEN: holds what no token can") as refused:
        LlmqClient("http://127.0.0.1:1", "hunter2\r\nX-Admin: yes")
    assert "hunter2" not in str(refused.value)


def test_a_server_that_is_not_there_is_told(scripted, capsys):
    port = scripted.server_port
    scripted.server_close()
    options = ["offline", "push", "--to", f"http://127.0.0.1:{port}", "--app", "a", str(FILES / "ragas-0.4.3.csv")]
    assert main(options) == 1
    assert "not pushed: " in capsys.readouterr().err


def test_a_pass_mark_is_from_0_to_1(capsys):
    for mark in ("2", "nan", "high"):
        with pytest.raises(SystemExit) as stopped:
            main(["offline", "push", "--app", "a", "--pass-mark", mark, "x.json"])
        assert stopped.value.code == 2
        assert f"{mark} is not a number from 0 to 1" in capsys.readouterr().err
