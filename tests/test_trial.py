"""`llmq replay --judge` and `llmq evaluators`: rubrics with their versions, priced first, and tried on captures."""

import json
import re
import subprocess
import sys

import pytest

from exporter.cli.main import main
from exporter.config import load

RUBRIC = """\
name: tone
summary: The answer is friendly.
instructions: Judge whether the answer is friendly.
scale: [{score: 0, means: Rude.}, {score: 1, means: Friendly.}]
pass_score: 1
"""
CAPTURE = "langchain-openinference.rag.traces.pb"
BARE = "langchain-openinference.refusal.traces.pb"


@pytest.fixture
def judged(tmp_path, capsys):
    """Runs a command with a config whose judge is a stub of some behaviour: (exit code, output, standard error)."""
    started = []

    def run(*arguments, behaviour=(), judge="attempts: 2"):
        stub = subprocess.Popen(
            [sys.executable, "-m", "exporter.demo.judge_stub", "--bills", tmp_path / "bills", *behaviour],
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(stub)
        (tmp_path / "tone.yaml").write_text(RUBRIC)
        (tmp_path / "llmq.yaml").write_text(
            'prices: {"judge-*": {input: 1, output: 2}}\n'
            f"judge:\n  endpoint: {stub.stdout.readline().strip()}\n  model: judge-1\n  {judge}\n"
            "  rubrics: {tone: {file: tone.yaml}}\n"
        )
        command, *rest = arguments
        code = main([command, "--config", str(tmp_path / "llmq.yaml"), *map(str, rest)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    yield run
    for stub in started:
        stub.terminate()
        stub.communicate()


def capture(name):
    return f"{__file__.rpartition('/')[0]}/captures/requests/{name}"


def test_rubrics_are_listed_with_their_versions(judged, tmp_path):
    code, out, err = judged("evaluators")
    rubrics = load(tmp_path / "llmq.yaml").judge.rubrics
    assert (code, err) == (0, "")
    for one, source in zip(rubrics, ("built in", "built in", "config"), strict=True):
        assert f"{one.name}  version judge-1+{one.hash}, judge, {source}\n    {one.summary}\n" in out


def test_a_replay_with_the_judge_says_first_what_it_costs_and_then_what_it_did(judged, tmp_path):
    code, out, err = judged("replay", "--judge", "--json", capture(CAPTURE))
    bills = [json.loads(line) for line in (tmp_path / "bills").read_text().splitlines()]
    announced, accounted = err.splitlines()
    assert code == 0
    most = re.fullmatch(r"asking judge-1 for 3 verdicts: at most ([\d,]+) tokens, ([\d.]+) dollars", announced)
    tokens = sum(bill["input"] + bill["output"] for bill in bills)
    micros = sum(bill["input"] + 2 * bill["output"] for bill in bills)
    assert accounted == f"judge-1 was asked 3 times: {tokens:,} tokens, {micros / 1e6:,.4f} dollars"
    assert int(most[1].replace(",", "")) > tokens
    said = {one["evaluator"]: one for one in json.loads(out)["evaluations"]}
    assert {"faithfulness", "helpfulness", "tone"} <= said.keys()
    assert said["tone"]["evaluator_version"].startswith("judge-1+")
    assert said["tone"]["explanation"] == "As told."


def test_a_rubric_that_needs_documents_is_not_asked_about_a_trace_without_them(judged):
    _, out, err = judged("replay", "--judge", "--json", capture(BARE))
    assert "asking judge-1 for 2 verdicts" in err
    assert {"evaluator": "faithfulness", "reason": "not_applicable"} in json.loads(out)["unscored"]


def test_a_judge_that_fails_is_a_failure_with_its_reason_and_never_a_verdict(judged):
    code, out, err = judged("replay", "--judge", "--json", capture(CAPTURE), behaviour=["malformed_rate=1"])
    document = json.loads(out)
    assert code == 0
    assert {one["evaluator"]: one["reason"] for one in document["failures"]} == dict.fromkeys(
        ("faithfulness", "helpfulness", "tone"), "unparseable"
    )
    assert "was asked 6 times" in err


def test_without_a_judge_in_the_config_it_says_what_is_needed(capsys):
    assert main(["replay", "--judge", capture(CAPTURE)]) == 1
    assert (
        capsys.readouterr().err == "llmq replay: --judge needs a config with judge.endpoint, judge.model and a rubric\n"
    )
