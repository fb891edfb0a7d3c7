"""The simulation in benchmarks/ fires when promtool says that the rule files fire, minute by minute."""

import importlib.util
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from exporter.rules.counts import Steps
from exporter.rules.files import RuleSettings, render
from exporter.rules.slo import DEFAULT_SLOS

HOURS = 8
SETTINGS = RuleSettings(steps=Steps(every="1m"))
"""promtool evaluates every group at one interval."""
GROUNDING = next(slo for slo in DEFAULT_SLOS if slo.name == "grounding")
RULES = ["slo-objectives.rules.yaml", "slo-1h.rules.yaml", "slo-6h.rules.yaml"]
INCIDENTS = [(100, 0.4), (20, 1.0), (300, 0.3), (5, 1.0), (1000, 0.05)]
"""Answers an hour and the share of bad ones from the second to the fifth hour; the last is the budget."""


@pytest.fixture(scope="module")
def simulation():
    path = Path(__file__).parent.parent / "benchmarks" / "burn_rates.py"
    spec = importlib.util.spec_from_file_location("burn_rates", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def stream(simulation):
    source = np.random.default_rng(3)
    parts = [[(60, 0.02), (240, bad), (180, 0.02)] for _, bad in INCIDENTS]
    rows = [
        [simulation.steady(1, length, hourly, truth, source) for length, truth in part]
        for (hourly, _), part in zip(INCIDENTS, parts, strict=True)
    ]
    counts = [np.concatenate([np.concatenate(part, axis=1) for part in zip(*row, strict=True)]) for row in rows]
    return simulation.Stream.of(*(np.stack([row[kind] for row in counts]) for kind in (0, 1)))


def fed(stream):
    for app in range(len(INCIDENTS)):
        bad, events = stream.bad[app], stream.events[app]
        for verdict, totals in (("fail", bad), ("pass", events - bad)):
            labels = f'evaluator="grounding",sample="all",verdict="{verdict}",app="{app}",route="/",model_version="m"'
            yield {"series": f"llmq_evaluations_total{{{labels}}}", "values": " ".join(map(str, totals))}


def expected(simulation, stream):
    """Of each app and window that fires: the minute when it begins, and for how many it fires."""
    for rule in simulation.shipped("page", GROUNDING.objective, GROUNDING.min_bad_events, SETTINGS):
        for app, firing in enumerate(rule.fires(stream)):
            if firing.any():
                yield f'{{app="{app}",window="{rule.window.long}"}}', int(firing.argmax()), int(firing.sum())


def test_the_simulation_fires_when_the_rule_files_do(simulation, stream, tmp_path):
    files = render([GROUNDING])
    for name in RULES:
        (tmp_path / name).write_text(files[name])
    found = list(expected(simulation, stream))
    assert {labels.split('"')[1] for labels, _, _ in found} == {"0", "1", "2", "3"}
    assert {labels.split('"')[3] for labels, _, _ in found} == {"15m", "1h", "6h"}
    firing = 'ALERTS{alertstate="firing",level="route",severity="page"}'
    tests = [
        {
            "expr": f"min by (app, window) (min_over_time(timestamp({firing})[{HOURS}h:1m]))",
            "eval_time": f"{HOURS}h",
            "exp_samples": [{"labels": labels, "value": 60 * begun} for labels, begun, _ in found],
        },
        {
            "expr": f"sum by (app, window) (count_over_time({firing}[{HOURS}h]))",
            "eval_time": f"{HOURS}h",
            "exp_samples": [{"labels": labels, "value": lasted} for labels, _, lasted in found],
        },
    ]
    case = {"interval": "1m", "input_series": list(fed(stream)), "promql_expr_test": tests}
    (tmp_path / "sim.test.yaml").write_text(
        json.dumps({"rule_files": RULES, "evaluation_interval": "1m", "tests": [case]})
    )
    command = ["promtool", "test", "rules", str(tmp_path / "sim.test.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
