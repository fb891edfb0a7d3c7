"""Several environments under one Prometheus: no rule adds them up, and a selector leaves the others out."""

import re
import subprocess

import promql_parser
import pytest
import yaml

from exporter.config import ConfigError, load
from exporter.rules.files import RuleSettings, groups, render
from exporter.rules.rulefile import Alert
from exporter.rules.scope import Scope

EXTRA = ("cluster", "namespace")
CONSTANT = ["sli", "objective"]


def rules(settings):
    return [rule for found in groups(settings=settings).values() for group in found for rule in group.rules]


def promtool(folder, files, case):
    for name in files:
        (folder / name).write_text(files[name])
    document = {"rule_files": [*files], "evaluation_interval": "1m", "tests": [case]}
    (folder / "case.test.yaml").write_text(yaml.safe_dump(document))
    command = ["promtool", "test", "rules", str(folder / "case.test.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def shop(verdict, values, **where):
    labels = {"job": "llmq", "evaluator": "grounding", "evaluator_version": "1", "sample": "all", "verdict": verdict}
    labels |= {"app": "shop", "route": "/ask", "model_version": "m1", "prompt_version": "v1", **where}
    matchers = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return {"series": f"llmq_evaluations_total{{{matchers}}}", "values": values}


BROKEN_IN_STAGING = [
    shop("pass", "0+10x200", namespace="prod", instance="a"),
    shop("fail", "0+0.1x200", namespace="prod", instance="a"),
    shop("pass", "0x200", namespace="staging", instance="b"),
    shop("fail", "0+10x200", namespace="staging", instance="b"),
]
FIRING = 'count by (namespace) (ALERTS{alertstate="firing",severity="page",window="1h"})'


def of(files, *kinds):
    return {name: text for name, text in files.items() if name.startswith(kinds)}


def test_what_breaks_in_staging_pages_for_staging_alone(tmp_path):
    counted = [
        {"labels": f'{{namespace="{namespace}"}}', "value": events}
        for namespace, events in (("prod", 606), ("staging", 600))
    ]
    ends = [
        {"expr": FIRING, "eval_time": "2h", "exp_samples": [{"labels": '{namespace="staging"}', "value": 1}]},
        {
            "expr": 'sum by (namespace) (slice:llmq_sli_events:increase1h{sli="grounding"})',
            "eval_time": "2h",
            "exp_samples": counted,
        },
    ]
    case = {"interval": "1m", "input_series": BROKEN_IN_STAGING, "promql_expr_test": ends}
    promtool(tmp_path, of(render(), "slo-objectives", "slo-1h"), case)


@pytest.mark.parametrize(("selector", "firing"), [('namespace="prod"', []), ('namespace!="prod"', ["staging"])])
def test_a_selector_leaves_the_other_environments_out(tmp_path, selector, firing):
    samples = [{"labels": f'{{namespace="{name}"}}', "value": 1} for name in firing]
    ends = [{"expr": FIRING, "eval_time": "2h", "exp_samples": samples}]
    case = {"interval": "1m", "input_series": BROKEN_IN_STAGING, "promql_expr_test": ends}
    files = render(settings=RuleSettings(selector=selector))
    promtool(tmp_path, of(files, "slo-objectives", "slo-1h"), case)


def test_an_environment_that_is_down_pages_for_itself(tmp_path):
    up = [
        {"series": f'up{{job="llmq",instance="llmq:4318",cluster="{cluster}"}}', "values": values}
        for cluster, values in (("eu", "1x60"), ("us", "1x10 0x50"))
    ]
    build = {
        "series": 'llmq_exporter_build_info{job="llmq",instance="llmq:4318",cluster="eu",version="1"}',
        "values": "1x60",
    }
    ends = [
        {
            "expr": 'count by (alertname, cluster) (ALERTS{alertstate="firing",severity="page"})',
            "eval_time": "40m",
            "exp_samples": [{"labels": '{alertname="LLMQualityExporterDown",cluster="us"}', "value": 1}],
        }
    ]
    case = {"interval": "1m", "input_series": [*up, build], "promql_expr_test": ends}
    promtool(tmp_path, of(render(), "exporter"), case)


def test_an_annotation_names_what_is_behind_it_in_its_own_environment(tmp_path):
    """The suspects of production are not those of staging, though app, route and SLI are the same."""
    series = [
        shop(verdict, values, namespace=namespace, prompt_version=version)
        for namespace, version, bad in (("prod", "v7", "0+5x200"), ("staging", "v8", "0+9x200"))
        for verdict, values in (("pass", "0+1x200"), ("fail", bad))
    ]
    name = "LLMQualityBudgetBurn"
    case = {"interval": "1m", "input_series": series, "alert_rule_test": [{"eval_time": "2h", "alertname": name}]}
    files = of(render(), "slo-objectives", "slo-1h")
    with pytest.raises(AssertionError) as failure:
        promtool(tmp_path, files, case)
    found = re.findall(
        r'namespace="(\w+)".*\n.*suspects="prompt_version (\w+) .*?: (\d+) bad of (\d+)\\n"', str(failure.value)
    )
    hourly = [("prod", "v7", "300", "360"), ("staging", "v8", "540", "600")]
    assert {*found} >= {*hourly}
    assert {each[:2] for each in found} == {("prod", "v7"), ("staging", "v8")}


def groupings(expr):
    return re.findall(r"\b(by|on|ignoring|without) \(([^()]*)\)", expr)


def test_every_sum_and_every_join_keeps_the_labels():
    for rule in rules(RuleSettings(extra_labels=EXTRA)):
        for keyword, labels in groupings(rule.expr):
            assert keyword in {"by", "on"}, rule.name
            names = labels.split(", ")
            assert names == CONSTANT or set(EXTRA) <= set(names), (rule.name, keyword, labels)


def test_a_sum_over_everything_is_a_sum_over_an_environment(nodes):
    for rule in rules(RuleSettings(extra_labels=EXTRA)):
        for sum_ in nodes(rule.expr, promql_parser.AggregateExpr):
            assert sum_.modifier is not None, rule.name


def test_the_selector_is_on_everything_that_is_exposed_and_on_nothing_else(nodes):
    for rule in rules(RuleSettings(selector='namespace="prod"')):
        for selector in nodes(rule.expr, promql_parser.VectorSelector):
            matchers = {(matcher.name, matcher.value) for matcher in selector.matchers.matchers}
            assert (("namespace", "prod") in matchers) is (":" not in selector.name), (rule.name, selector.name)


def test_queries_of_annotations_ask_for_their_own_environment():
    for rule in rules(RuleSettings(extra_labels=EXTRA)):
        if isinstance(rule, Alert):
            for query, arguments in re.findall(
                r"printf `([^`]*)` ([^|]*) \| query", rule.description + "".join(rule.notes.values())
            ):
                series = query.count("=%[1]q")
                assert series
                assert query.count("cluster=%[") == query.count("namespace=%[") == series
                assert arguments.endswith(("$labels.cluster $labels.namespace", ".Labels.cluster .Labels.namespace"))


def test_without_extra_labels_rules_stay_as_they_are_written():
    expr = "sum by (app) (increase(llmq_requests_total[1h])) * on (sli, objective) group_left () x"
    assert Scope().expression(expr) == expr


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("extra_labels: [app]", '"app" is a label of llmq\'s own, which rules keep in any case: leave it out'),
        ("extra_labels: [a-b]", '"a-b" is not a label: its name has letters, digits and _, and starts with a letter'),
        ("selector: '{namespace=\"prod\"}'", "is not a selector: write matchers without braces"),
        ("selector: namespace=prod", "is not a selector: write matchers without braces"),
    ],
)
def test_what_is_no_label_or_selector_is_refused_where_it_stands(tmp_path, written, message):
    (tmp_path / "llmq.yaml").write_text(f"alerting:\n  {written}\n")
    with pytest.raises(ConfigError) as refused:
        load(tmp_path / "llmq.yaml")
    assert message in str(refused.value)
    assert "llmq.yaml:2: $.alerting." in str(refused.value)


def test_the_config_says_where(tmp_path):
    (tmp_path / "llmq.yaml").write_text('alerting: {extra_labels: [region], selector: \'tenant="a",zone=~"b|c"\'}\n')
    settings = load(tmp_path / "llmq.yaml").alerting
    assert (settings.extra_labels, settings.selector) == (("region",), 'tenant="a",zone=~"b|c"')
    assert "sum by (evaluator, region)" in render(settings=settings)["judge.rules.yaml"]
    assert "- region\n" in render(settings=settings)["alertmanager-routes.yml"]
