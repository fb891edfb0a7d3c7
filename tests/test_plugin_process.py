"""Plugins run in a process of their own: whatever they do there, the exporter goes on, and what they say is counted."""

import os
import time

import pytest

from exporter.evaluators import installed
from exporter.evaluators.panel import EvaluatorRule, EvaluatorSpec, Panel
from exporter.model.trace import Document, ToolCall, Trace

MODULE = '''
import ctypes, os, sys, time


def act(trace, *, say: float = 0.75) -> float:
    """Does what the answer says."""
    answer = trace.answer
    if answer == "hang in native code":
        sum(range(10**15))
    elif answer == "abort":
        os.abort()
    elif answer == "segfault":
        ctypes.string_at(0)
    elif answer == "exit":
        os._exit(0)
    elif answer == "leave":
        raise SystemExit
    elif answer == "fill the memory":
        bytearray(2 << 30)
    elif answer == "print":
        print("nothing that is a result" * 100, flush=True)
        sys.stdout.buffer.write(b"x" * 100_000)
        sys.stdin.read()
    elif answer == "close":
        os.closerange(3, 100)
    elif answer == "count":
        return len(trace.context) / 4
    elif answer == "process":
        return float(os.getpid() == int(trace.question))
    elif answer == "nonsense":
        return "good"
    return say


def next_one(trace):
    """Says yes."""
    return True
'''


@pytest.fixture
def plugins(tmp_path, monkeypatch):
    """The registry with two plugins of an installed package."""
    (tmp_path / "acting_plugin.py").write_text(MODULE)
    info = tmp_path / "acting-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acting\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text(
        "[llmq.evaluators]\nact = acting_plugin:act\nnext = acting_plugin:next_one\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return installed()


@pytest.fixture
def panel(plugins):
    specs = {"act": EvaluatorSpec(name="act", timeout_seconds=2), "next": EvaluatorSpec(name="next")}
    made = Panel(specs, plugins, plugin_memory=1 << 30)
    yield made
    made.close()


def said(panel, answer, **fields):
    outcome = panel.evaluate(Trace(trace_id="t", content_state="answered", answer=answer, **fields))
    scores = {one.evaluator: one.score for one in outcome.evaluations if one.evaluator in ("act", "next")}
    failures = {one.evaluator: one.reason for one in outcome.failures}
    assert len(outcome.evaluations) + len(outcome.unscored) + len(outcome.failures) == len(panel.names)
    return scores | failures


def test_what_a_plugin_says_is_an_evaluation_with_its_version(panel):
    outcome = panel.evaluate(Trace(trace_id="t", content_state="answered", answer="fine"))
    found = [one for one in outcome.evaluations if one.evaluator == "act"]
    assert [(one.score, one.verdict, one.evaluator_version) for one in found] == [(0.75, "pass", "1.5")]
    assert {"act", "next", "refusal"} <= dict(outcome.durations).keys()


def test_it_runs_in_another_process_and_sees_the_whole_trace(panel):
    assert said(panel, "process", question=str(os.getpid()))["act"] == 0.0
    context = tuple(Document(text=text) for text in ("a", "\ud800", "c"))
    calls = (ToolCall(name="t", arguments={"n": 10**30, "b": b"\xff", "f": 1e300}),)
    assert said(panel, "count", context=context, tool_calls=calls)["act"] == 0.75


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("hang in native code", "timeout"), ("abort", "crashed"), ("segfault", "crashed"), ("exit", "crashed"),
        ("close", "crashed"), ("leave", "exception"), ("fill the memory", "exception"), ("nonsense", "invalid_result"),
    ],
)  # fmt: skip
def test_whatever_a_plugin_does_is_a_failure_of_its_own_and_the_next_ones_are_asked(panel, what, reason):
    assert said(panel, what) == {"act": reason, "next": 1.0}
    assert said(panel, "fine") == {"act": 0.75, "next": 1.0}


def test_what_a_plugin_prints_is_no_result_and_what_it_reads_no_job(panel, capfd):
    assert said(panel, "print") == {"act": 0.75, "next": 1.0}
    assert "nothing that is a result" not in capfd.readouterr().out


def test_rules_give_plugins_their_options(plugins):
    rules = (EvaluatorRule(apps=("shop",), options={"say": 0.1}), EvaluatorRule(options={"say": 0.9}))
    panel = Panel({"act": EvaluatorSpec(name="act", rules=rules)}, plugins)
    try:
        assert said(panel, "fine", app="shop")["act"] == 0.1
        assert said(panel, "fine", app="web")["act"] == 0.9
    finally:
        panel.close()


def test_a_plugin_that_does_not_load_there_fails_at_once_and_is_not_loaded_for_each_trace(plugins, tmp_path):
    (tmp_path / "acting_plugin.py").write_text("import os\nos.abort()\n")
    panel = Panel({"act": EvaluatorSpec(name="act"), "next": EvaluatorSpec(name="next")}, plugins)
    began = time.monotonic()
    for _ in range(200):
        assert said(panel, "fine") == {"act": "crashed", "next": "crashed"}
    assert time.monotonic() - began < 60  # each start takes a second or so


def test_a_panel_that_is_gone_leaves_no_process(plugins):
    panel = Panel({"act": EvaluatorSpec(name="act")}, plugins)
    said(panel, "fine")
    process = panel._foreign._process._popen
    panel.close()
    process.wait(timeout=30)
    assert said(panel, "fine")["act"] == "crashed"
