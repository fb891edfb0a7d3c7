import gzip
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from exporter import __version__
from exporter.config import load
from exporter.evaluators import built_in
from exporter.native import DESCRIPTION

CAPTURES = Path(__file__).parent / "captures" / "requests"
RAG = CAPTURES / "openinference-openai.rag.traces.pb"
REFUSAL = CAPTURES / "openinference-openai.refusal.traces.pb"
BARE = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}


def spawned(*arguments, **options):
    command = [sys.executable, "-m", "exporter", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, timeout=120, check=False, env=BARE, **options)


def in_terminal(*arguments, **environ):
    """What a command prints where standard output and error are a terminal."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "exporter", *map(str, arguments)]
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=BARE | environ) as process:
        os.close(theirs)
        output = b""
        while select.select([ours], [], [], 60)[0]:
            try:
                output += os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
        os.close(ours)
    return process.returncode, output.decode()


# Help


def test_help_names_every_command_with_examples_and_exit_codes(llmq):
    code, out, _ = llmq("--help")
    assert code == 0
    for word in ("serve", "check", "rules", "replay", "eval", "evaluators", "examples:", "exit codes:"):
        assert word in out


@pytest.mark.parametrize("command", ["serve", "check", "rules", "replay", "eval", "evaluators"])
def test_every_command_has_help_that_fits_a_terminal(llmq, command):
    code, out, _ = llmq(command, "--help")
    assert (code, out.startswith(f"usage: llmq {command}")) == (0, True)
    assert max(map(len, out.splitlines())) <= 100


def test_the_version_is_told(llmq):
    assert llmq("--version") == (0, f"llmq {__version__}, {DESCRIPTION}\n", "")


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("check",), ("replay",), ("eval",), ("serve", "--port", "1")])
def test_a_wrong_command_line_is_exit_code_2(llmq, arguments):
    code, out, err = llmq(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("usage: llmq")


# check


def test_a_good_config_costs_series_and_has_no_errors(llmq, tmp_path):
    path = tmp_path / "llmq.yaml"
    path.write_text("labels: {budgets: {app: 1, route: 1, model_version: 1, prompt_version: 1}}")
    code, out, err = llmq("check", path)
    assert (code, err) == (0, "")
    assert re.search(r"^llmq_requests_total +1 +81$", out, re.MULTILINE)
    assert out.endswith(f"{path}: no errors\n")


def test_a_bad_config_gives_every_error_and_exit_code_1(llmq, tmp_path):
    path = tmp_path / "llmq.yaml"
    path.write_text("server:\n  lisen: x\nstore:\n  content: some\n")
    code, out, err = llmq("check", path)
    assert (code, out) == (1, "")
    assert err == (
        f'{path}:2: $.server.lisen: unknown key "lisen"; did you mean "listen"?\n'
        f'{path}:4: $.store.content: "some" is not possible; known: all, failing, none\n'
    )


def test_too_many_series_and_odd_settings_are_warnings(llmq, tmp_path):
    path = tmp_path / "llmq.yaml"
    path.write_text("labels:\n  series_ceiling: 1000\nattributes:\n  user: []\n")
    code, _, err = llmq("check", path)
    assert code == 0
    assert f"warning: {path}:4: $.attributes.user: no attribute is tried" in err
    assert "series are possible, more than labels.series_ceiling (1,000): lower labels.slices" in err


# replay


def test_replay_reads_well(llmq):
    code, out, err = llmq("replay", RAG, REFUSAL)
    assert (code, err) == (0, "")
    assert "  question  What is the refund policy?\n" in out
    assert re.search(r"^  refusal +fail +0\.\d\d  declined in words$", out, re.MULTILINE)
    assert re.search(r"^refusal +1 +1 +0 +0 +50\.0%$", out, re.MULTILINE)
    assert "\x1b" not in out


def test_replay_as_json_is_one_document_a_line(llmq):
    code, out, err = llmq("replay", "--json", RAG, REFUSAL)
    documents = [json.loads(line) for line in out.splitlines()]
    assert (code, err, len(documents)) == (0, "", 2)
    rag = documents[0]
    assert rag["question"] == "What is the refund policy?"
    assert [one["id"] for one in rag["context"]] == ["policy-12", "policy-31"]
    assert rag["tokens"] == {"input": 42, "output": 17}
    said = [one["evaluator"] for kind in ("evaluations", "unscored", "failures") for one in rag[kind]]
    assert sorted(said) == sorted(built_in().evaluators)


def test_replay_goes_on_after_a_file_that_it_cannot_read(llmq, tmp_path):
    code, out, err = llmq("replay", "--json", tmp_path / "no.pb", RAG)
    assert (code, len(out.splitlines())) == (1, 1)
    assert err == f"{tmp_path}/no.pb: cannot be read: there is no such file\n"


def test_replay_says_what_is_not_in_its_report(llmq):
    code, out, err = llmq("replay", "--json", CAPTURES / "openinference-openai.embeddings.traces.pb")
    assert (code, out, err) == (0, "", "traces without an LLM request: 1\n")


def test_replay_scores_by_the_config(llmq, tmp_path):
    path = tmp_path / "llmq.yaml"
    path.write_text("evaluators:\n  empty: {enabled: false}\n  format: {options: {max_length: 5}}\n")
    _, out, _ = llmq("replay", "--json", "--config", path, RAG)
    evaluations = {one["evaluator"]: one["verdict"] for one in json.loads(out)["evaluations"]}
    assert evaluations["format"] == "fail"
    assert "empty" not in evaluations


def test_colour_is_for_terminals_that_want_it():
    code, out = in_terminal("replay", REFUSAL)
    assert (code, "\x1b[31mfail\x1b[0m" in out) == (0, True)
    assert "\x1b[31m" not in in_terminal("replay", REFUSAL, NO_COLOR="1")[1]


def test_a_reader_who_has_seen_enough_is_no_traceback():
    files = sorted(CAPTURES.glob("*.traces.pb"))
    command = [sys.executable, "-m", "exporter", "replay", "--json", *map(str, files)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=BARE) as process:
        assert process.stdout.readline().startswith(b'{"trace_id"')
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


# eval

ROWS = (
    '{"id": "a", "input": "Who?", "context": ["Ann wrote it."], "output": "Ann wrote it."}\n'
    "broken\n"
    '{"id": 2, "output": "I am sorry, but I cannot help with that."}\n'
)


def test_eval_writes_a_row_for_every_row_and_evaluator(llmq, tmp_path):
    rows, scores = tmp_path / "suite.jsonl", tmp_path / "scores.jsonl"
    rows.write_text(ROWS)
    code, out, err = llmq("eval", rows, "--evaluators", "grounding, refusal", "--output", scores)
    assert (code, out) == (1, "")
    found = [json.loads(line) for line in scores.read_text().splitlines()]
    assert [(row["id"], row["evaluator"], row["verdict"]) for row in found] == [
        ("a", "grounding", "pass"),
        ("a", "refusal", "pass"),
        (2, "grounding", None),
        (2, "refusal", "fail"),
    ]
    assert f"{rows}: line 2: is not a JSON object\n" in err
    assert re.search(r"^refusal +1 +1 +0 +0 +50\.0%$", err, re.MULTILINE)


def test_eval_gives_the_very_verdicts_of_replay(llmq, tmp_path):
    _, out, _ = llmq("replay", "--json", RAG)
    trace = json.loads(out)
    row = {key: trace[key] for key in ("context", "finish_reason", "app", "route")}
    rows = tmp_path / "suite.jsonl"
    rows.write_text(json.dumps(row | {"id": 1, "input": trace["question"], "output": trace["answer"]}))
    _, out, _ = llmq("eval", rows)
    keys = ("evaluator", "evaluator_version", "score", "verdict", "explanation")
    found = [tuple(row[key] for key in keys) for row in map(json.loads, out.splitlines()) if row["verdict"]]
    assert sorted(found) == sorted(tuple(one[key] for key in keys) for one in trace["evaluations"])


def test_eval_reads_and_writes_pipes():
    done = spawned("eval", "-", "--evaluators", "empty", input=b'{"id": 1, "output": ""}\n')
    assert done.returncode == 0
    assert json.loads(done.stdout)["verdict"] == "fail"
    assert b"evaluator  pass  fail" in done.stderr
    assert b"\r" not in done.stderr


def test_eval_of_an_unknown_evaluator_names_the_one_that_was_meant(llmq, tmp_path):
    (tmp_path / "suite.jsonl").write_text(ROWS)
    code, out, err = llmq("eval", tmp_path / "suite.jsonl", "--evaluators", "refsal")
    assert (code, out) == (2, "")
    assert err == 'llmq eval: no evaluator is named "refsal"; did you mean "refusal"?\n'


def test_eval_never_overwrites_its_own_rows(llmq, tmp_path):
    rows = tmp_path / "suite.jsonl"
    rows.write_text(ROWS)
    assert llmq("eval", rows, "--output", rows)[0] == 2
    assert rows.read_text() == ROWS


def test_eval_of_a_missing_file_is_one_line_and_leaves_no_output(llmq, tmp_path):
    code, out, err = llmq("eval", tmp_path / "no.jsonl", "--output", tmp_path / "scores.jsonl")
    assert (code, out) == (1, "")
    assert err.startswith("llmq eval: ")
    assert err.count("\n") == 1
    assert not (tmp_path / "scores.jsonl").exists()


def test_progress_is_shown_on_a_terminal(tmp_path):
    rows = tmp_path / "suite.jsonl"
    rows.write_text('{"id": 1, "output": "x"}\n' * 250)
    _, out = in_terminal("eval", rows, "--evaluators", "empty", "--output", tmp_path / "scores.jsonl")
    assert "\r200 rows" in out


# evaluators


def test_the_evaluators_are_listed_with_versions_and_options(llmq):
    code, out, err = llmq("evaluators")
    assert (code, err) == (0, "")
    for name, evaluator in built_in().evaluators.items():
        assert f"{name}  version {evaluator.version}, code, built in\n" in out
    assert re.search(r"^ +max_length: +int \| null +default null$", out, re.MULTILINE)


def test_the_evaluators_are_listed_for_programs(llmq):
    _, out, _ = llmq("evaluators", "--json")
    listed = [json.loads(line) for line in out.splitlines()]
    assert [one["name"] for one in listed] == [*load().evaluators, *(one.name for one in load().judge.rubrics)]
    assert {one["kind"] for one in listed} == {"code", "judge"}


# serve


def test_serve_scores_what_it_receives_and_stops_when_told(tmp_path):
    command = [sys.executable, "-m", "exporter", "serve", "--listen", "127.0.0.1:0"]
    command += ["--store", f"sqlite:///{tmp_path}/llmq.db"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, cwd=tmp_path, env=BARE, text=True) as process:
        try:
            listening = next(line for line in process.stderr if "listening" in line)
            url = re.search(r"http://127\.0\.0\.1:\d+", listening)[0]
            body = gzip.compress(RAG.read_bytes())
            headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
            request = urllib.request.Request(f"{url}/v1/traces", body, headers)
            assert urllib.request.urlopen(request, timeout=120).status == 200
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
        assert process.wait(timeout=120) == 0
    assert (tmp_path / "llmq.db").exists()


def test_serve_on_a_port_that_is_taken_is_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = spawned("serve", "--listen", f"127.0.0.1:{port}", "--store", f"sqlite:///{tmp_path}/llmq.db")
    assert done.returncode == 1
    last = done.stderr.decode().splitlines()[-1]
    assert last.startswith("llmq serve: ")
    assert str(port) in last
    assert b"Traceback" not in done.stderr


def test_serve_on_a_store_that_cannot_be_is_one_line(tmp_path):
    done = spawned("serve", "--listen", "127.0.0.1:0", "--store", f"sqlite:///{tmp_path}")
    assert done.returncode == 1
    assert done.stderr.decode().startswith("llmq serve: ")
    assert b"Traceback" not in done.stderr


def test_serve_refuses_an_address_beyond_this_machine_without_tokens(llmq):
    code, out, err = llmq("serve", "--listen", "0.0.0.0:4318")
    assert (code, out) == (1, "")
    assert err.startswith("--listen: 0.0.0.0:4318 can be reached from other machines and there are no tokens")
