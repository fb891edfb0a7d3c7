"""The config's slos and alerting: what a user may change, and the rules that come of it."""

import subprocess
from decimal import Decimal
from importlib.metadata import EntryPoint

import pytest
import yaml

from exporter.config import ConfigError, load, to_yaml
from exporter.evaluators import built_in, evaluator
from exporter.rules.files import render
from exporter.rules.rulefile import Links
from exporter.rules.slo import DEFAULT_SLOS, LAST_WEEK, Override, Signal, VerdictsSli

BURNS = ("page_15m", "page_1h", "page_6h", "ticket_1d", "ticket_3d")


@pytest.fixture
def written(tmp_path):
    """Loads a config from text."""

    def write(text, **options):
        path = tmp_path / "llmq.yaml"
        path.write_text(text)
        return load(path, **options)

    return write


def named(config):
    return {slo.name: slo for slo in config.slos}


def alerts(config):
    """What the config's rule files alert on: every line as (sli, severity, window), and every alert's name."""
    files = [yaml.safe_load(text) for text in render(config.slos, config.alerting).values()]
    rules = [rule for file in files for group in file.get("groups", []) for rule in group["rules"]]
    lines = [rule["labels"] for rule in rules if rule.get("record") == "sli:llmq_slo_burn_line:ratio"]
    return {(one["sli"], one["severity"], one["window"]) for one in lines}, {
        rule["alert"] for rule in rules if "alert" in rule
    }


def test_no_file_means_the_built_in_slos():
    assert load().slos == DEFAULT_SLOS


def test_an_objective_is_the_number_that_is_written(written):
    slo = named(written("slos: {grounding: {objective: 0.985}}"))["grounding"]
    assert slo.objective == Decimal("0.985")
    assert slo.alerts == BURNS
    assert slo.windows[1].line(slo.objective) == Decimal("0.09")


def test_an_sli_is_switched_off(written):
    config = written("slos: {empty: {enabled: false}}")
    assert named(config).keys() == {slo.name for slo in DEFAULT_SLOS} - {"empty"}
    assert not any("empty" in text for text in render(config.slos).values())


def test_one_alert_is_switched_off(written):
    before, _ = alerts(load())
    after, _ = alerts(written("slos: {grounding: {alerts: [page_15m, page_1h, ticket_1d, ticket_3d]}}"))
    assert before - after == {("grounding", "page", "6h")}


def test_the_comparison_with_last_week_is_an_alert_like_the_others(written):
    assert "LLMQualityShiftFromLastWeek" in alerts(load())[1]
    assert "LLMQualityShiftFromLastWeek" not in alerts(written("slos: {refusal: {alerts: [page_1h]}}"))[1]
    config = written("slos: {refusal: {alerts: []}, empty: {alerts: [last_week]}}")
    assert named(config)["empty"].alerts == (LAST_WEEK,)
    assert 'sli="empty"' in render(config.slos)["versions.rules.yaml"]


def test_an_sli_without_alerts_is_recorded(written):
    config = written("slos: {grounding: {alerts: []}}")
    assert not any(line[0] == "grounding" for line in alerts(config)[0])
    assert "sli: grounding" in render(config.slos)["slo-1h.rules.yaml"]


def test_an_sli_of_ones_own_over_an_evaluator(written):
    slo = named(written("slos: {layout: {evaluator: format, objective: 0.9, routes: [/report*]}}"))["layout"]
    assert (slo.measure, slo.objective, slo.routes) == (VerdictsSli("format"), Decimal("0.9"), ("/report*",))
    assert slo.alerts == BURNS
    assert slo.min_bad_events == 10


def test_an_sli_of_ones_own_over_feedback(written):
    config = written(
        "slos:\n"
        "  regenerate: {signal: regenerate, objective: 0.9, min_bad_events: 30}\n"
        "  thumbs: {signal: thumbs_down, per: rating, objective: 0.8, alerts: [ticket_3d]}\n"
        "  thumbs_down: {per: rating}\n"
    )
    measures = {name: slo.measure for name, slo in named(config).items()}
    assert measures["regenerate"] == Signal("regenerate")
    assert measures["thumbs"] == measures["thumbs_down"] == Signal("thumbs_down", per="rating")
    assert named(config)["regenerate"].min_bad_events == 30


def test_an_sli_of_ones_own_over_a_judge_rubric(written):
    config = written("slos: {helpful_shop: {evaluator: helpfulness, objective: 0.9, apps: [shop]}}")
    assert named(config)["helpful_shop"].measure == VerdictsSli("helpfulness")


@evaluator("polite", version="3")
def polite(trace):
    """Says please."""
    return True


@pytest.fixture
def plugin(monkeypatch):
    monkeypatch.setattr(EntryPoint, "load", lambda _: polite)
    point = EntryPoint(name="polite", value=f"{__name__}:polite", group="llmq.evaluators")
    return built_in().with_plugins([point])


def test_an_sli_of_ones_own_over_a_plugin_that_runs(written, plugin):
    slos = "slos: {polite: {evaluator: polite, objective: 0.9}}"
    assert "polite" in named(written(f"evaluators: {{polite: {{}}}}\n{slos}", registry=plugin))
    with pytest.raises(ConfigError, match="can never alert: polite does not run"):
        written(slos, registry=plugin)


def test_a_built_in_sli_may_be_measured_otherwise(written):
    slo = named(written("slos: {grounding: {evaluator: citation}}"))["grounding"]
    assert (slo.measure, slo.objective) == (VerdictsSli("citation"), Decimal("0.95"))


def test_an_objective_is_overridden_by_app_and_route(written):
    config = written(
        "slos:\n  grounding:\n    overrides:\n"
        "      - {apps: [bank], objective: 0.99}\n      - {routes: [/beta], objective: 0.8}\n"
    )
    assert named(config)["grounding"].overrides == (
        Override(objective=Decimal("0.99"), apps=("bank",)),
        Override(objective=Decimal("0.8"), routes=("/beta",)),
    )


def test_an_override_that_is_never_reached_is_a_warning(written):
    (warning,) = written("slos: {empty: {overrides: [{objective: 0.9}, {objective: 0.8, apps: [a]}]}}").warnings
    assert str(warning.where) == "$.slos.empty.overrides[1]"
    assert warning.message == "is never reached: override 0 matches everywhere; put the others first"


def test_an_alert_that_nearly_everything_must_pass_is_a_warning(written):
    (warning,) = written("slos:\n  empty:\n    objective: 0.38\n    alerts:\n      - ticket_3d\n").warnings
    assert (warning.line, warning.where) == (5, "$.slos.empty.alerts[0]")
    assert warning.message == "ticket_3d fires for empty (objective 0.38) only when more than 78% is bad; lower its cap"


def test_a_built_in_slo_goes_with_its_evaluator(written):
    config = written("evaluators: {grounding: {enabled: false}}")
    assert named(config).keys() == {slo.name for slo in DEFAULT_SLOS} - {"grounding"}


def test_the_config_in_effect_says_what_is_off_and_can_be_read_again(written):
    config = written("evaluators: {grounding: {enabled: false}}\nslos: {empty: {enabled: false}}")
    shown = yaml.safe_load(to_yaml(config))
    assert {name for name, slo in shown["slos"].items() if slo.get("enabled") is False} == {"grounding", "empty"}
    assert written(to_yaml(config)).slos == config.slos


def test_a_value_that_a_label_may_always_have_is_no_mistake(written):
    config = written("labels: {allow: {app: [shop]}}\nslos: {empty: {apps: [unknown, __other__]}}")
    assert named(config)["empty"].apps == ("unknown", "__other__")


def test_a_window_of_ones_own_is_recorded_for_all_and_alerts_where_it_is_named(written):
    config = written(
        "slos: {grounding: {alerts: [ticket_12h]}}\n"
        "alerting: {windows: {ticket_12h: {short: 1h, factor: 2.5, cap: 0.4, for: 15m}}}\n"
    )
    lines, _ = alerts(config)
    assert {line for line in lines if line[2] == "12h"} == {("grounding", "ticket", "12h")}
    assert "record: slice:llmq_sli_events:increase12h" in render(config.slos)["slo-12h.rules.yaml"]


def test_a_built_in_window_keeps_what_is_not_written(written):
    config = written("alerting: {windows: {page_1h: {cap: 0.5}}}")
    first = config.slos[0].windows[1]
    assert (first.name, first.short, first.factor, first.cap) == ("page_1h", "15m", Decimal(6), Decimal("0.5"))


def test_alerting_holds_what_all_rules_share(written):
    settings = written(
        "alerting: {z: 3, comparison_z: 4, design_effect: 2.5, offline_max_age: 2w, job: llm/quality,"
        " runbooks: 'https://wiki/llmq', grafana: 'https://g', answers: 'https://l/answers'}"
    ).alerting
    assert (settings.z, settings.comparison_z, settings.design_effect) == (Decimal(3), Decimal(4), Decimal("2.5"))
    assert (settings.offline_max_age, settings.job) == (14 * 86400, "llm/quality")
    assert settings.links == Links(runbooks="https://wiki/llmq", grafana="https://g", answers="https://l/answers")


@pytest.mark.parametrize(
    "text",
    [
        "slos: {" + ", ".join(f"{slo.name}: {{enabled: false}}" for slo in DEFAULT_SLOS) + "}",
        "slos: {" + ", ".join(f"{slo.name}: {{enabled: {slo.name == 'coverage'}}}" for slo in DEFAULT_SLOS) + "}",
        "slos: {" + ", ".join(f"{slo.name}: {{alerts: []}}" for slo in DEFAULT_SLOS) + "}",
        "slos: {own: {signal: edit, objective: 0.9, apps: ['a[bc]*'], overrides: [{routes: ['/x?'], objective: 0.8}]}}",
        "slos: {empty: {alerts: [page_5m]}}\nalerting: {windows: {page_5m: {short: 30s, factor: 6, cap: 1, for: 1s}}}",
    ],
)
def test_promtool_accepts_the_rules_of_any_config(written, tmp_path, text):
    config = written(text)
    for name, content in render(config.slos, config.alerting).items():
        (tmp_path / name).write_text(content)
    files = sorted(map(str, tmp_path.glob("*.rules.yaml")))
    done = subprocess.run(["promtool", "check", "rules", *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
