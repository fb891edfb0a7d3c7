"""Prometheus corrects a judged rate for the judge's errors as the exporter's own statistics do."""

import subprocess

import pytest
import yaml

from exporter.judge.agreement import Confusion, corrected
from exporter.rules.counts import Steps
from exporter.rules.judge import corrected as correcting
from exporter.rules.rulefile import Links, text

JUDGE = 'evaluator="helpfulness",evaluator_version="v"'
SLICE = 'app="shop",route="/chat",model_version="m",prompt_version="p"'


def series(judge, passed, judged):
    """What the exporter exposes of a judge's table and of a day's verdicts."""
    for said, counts in zip(("pass", "fail"), judge.counts(), strict=True):
        for human, count in zip(("pass", "fail"), counts, strict=True):
            labels = f'{JUDGE},source="anchor",judge="{said}",human="{human}"'
            yield {"series": f"llmq_judge_labelled_cases{{{labels}}}", "values": f"{count}x300"}
    for verdict, count in (("pass", passed), ("fail", judged - passed)):
        labels = f'{JUDGE},verdict="{verdict}",sample="random",{SLICE}'
        yield {"series": f"llmq_evaluations_total{{{labels}}}", "values": f"0+{count / 288}x300"}


def recorded(tmp_path, judge, passed, judged, expected):
    """What promtool says of the recorded series; empty where all are as expected."""
    (tmp_path / "all.rules.yaml").write_text(text([correcting(Steps())], Links()))
    tests = [
        {
            "expr": f"round(app:llmq_corrected_pass{end}:ratio_increase1d, 0.0001)",
            "eval_time": "1500m",
            "exp_samples": [] if value is None else [{"labels": f'{{{JUDGE},app="shop"}}', "value": round(value, 4)}],
        }
        for end, value in expected.items()
    ]
    case = {"interval": "5m", "input_series": list(series(judge, passed, judged)), "promql_expr_test": tests}
    document = {"rule_files": ["all.rules.yaml"], "evaluation_interval": "15m", "tests": [case]}
    (tmp_path / "case.test.yaml").write_text(yaml.safe_dump(document))
    done = subprocess.run(
        ["promtool", "test", "rules", str(tmp_path / "case.test.yaml")], capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize(
    ("judge", "passed", "judged"),
    [
        (Confusion(pass_pass=90, fail_pass=10, pass_fail=20, fail_fail=80), 620, 1000),
        (Confusion(pass_pass=76, fail_pass=4, pass_fail=8, fail_fail=12), 1740, 2000),
        (Confusion(pass_pass=50, pass_fail=0, fail_pass=0, fail_fail=50), 288, 288),
        (Confusion(pass_pass=7, fail_pass=3, pass_fail=2, fail_fail=3), 600, 1000),
    ],
)
def test_the_rules_say_what_the_statistics_say(tmp_path, judge, passed, judged):
    found = corrected(passed, judged, judge)
    expected = {"": found.value, "_low": found.low, "_high": found.high}
    assert recorded(tmp_path, judge, passed, judged, expected) == ""


@pytest.mark.parametrize(
    "judge",
    [
        Confusion(pass_pass=50, fail_pass=50, pass_fail=50, fail_fail=50),
        Confusion(pass_pass=10, fail_pass=40, pass_fail=40, fail_fail=10),
        Confusion(pass_pass=45, fail_pass=5),
    ],
)
def test_a_judge_that_says_nothing_has_no_corrected_rate(tmp_path, judge):
    assert corrected(500, 1000, judge) is None
    assert recorded(tmp_path, judge, 500, 1000, {"": None, "_low": None, "_high": None}) == ""
