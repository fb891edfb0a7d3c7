"""The rule files: generated, parsed, fed with metrics that exist, and each alert tested by promtool both ways."""

import random
import re
import subprocess
from decimal import Decimal
from itertools import accumulate
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import promql_parser
import pytest
import yaml
from msgspec.structs import replace

from exporter import config as config_module
from exporter.answers.query import question
from exporter.config import load
from exporter.metrics.catalogue import CATALOGUE
from exporter.rules import routes
from exporter.rules.counts import SLICE
from exporter.rules.files import DEFAULT_SETTINGS, RuleSettings, groups, render
from exporter.rules.promql import matching
from exporter.rules.rulefile import Alert, Links, Record
from exporter.rules.slo import DEFAULT_SLOS, Override, Slo, VerdictsSli

ROOT = Path(__file__).parent.parent
ALERTS = ROOT / "alerts"
CASES = sorted(path for folder in ("rules", "incidents") for path in (ROOT / "tests" / folder).glob("*.test.yaml"))
RULES = [rule for found in groups().values() for group in found for rule in group.rules]
ALERTING = [rule for rule in RULES if isinstance(rule, Alert)]
EXPRESSIONS = [rule.expr for rule in RULES]
RECORDED = {rule.name for rule in RULES if isinstance(rule, Record)}
FAMILIES = {family.name: family for family in CATALOGUE}

FOREIGN = {"up"}

FOR_PANELS = re.compile(
    r"sli:llmq_slo_objective:ratio|\w+:llmq_sli_bad_per_events:ratio_increase\w+"
    r"|app:llmq_corrected_pass(_low|_high)?:ratio_increase1d|evaluator:llmq_sli_(bad_)?events:increase1h"
)
"""What may be recorded for dashboards alone: objectives, ratios, the corrected rate, coverage of the first window."""


def promtool(*arguments):
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("config", [None, Path(config_module.__file__).with_name("default.yaml")])
def test_the_committed_files_are_those_that_the_default_config_makes(config):
    defaults = load(config)
    committed = {path.name: path.read_text() for path in [*ALERTS.glob("*.rules.yaml"), ALERTS / routes.FILE]}
    assert committed == render(defaults.slos, defaults.alerting)


def test_promtool_accepts_every_rule_file():
    done = promtool("check", "rules", *sorted(str(path) for path in ALERTS.glob("*.rules.yaml")))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name.removesuffix(".test.yaml"))
def test_promtool_finds_every_alert_firing_and_quiet_as_written(case):
    done = promtool("test", "rules", str(case))
    assert done.returncode == 0, done.stdout + done.stderr


def expectations():
    """What the promtool cases expect: (alert, labels) that fire, and names of alerts that stay quiet at some time."""
    firing, quiet = [], set()
    for path in CASES:
        for case in yaml.safe_load(path.read_text())["tests"]:
            for expected in case["alert_rule_test"]:
                fired = expected.get("exp_alerts") or []
                firing += [(expected["alertname"], alert["exp_labels"]) for alert in fired]
                quiet |= set() if fired else {expected["alertname"]}
    return firing, quiet


def test_each_alert_has_a_case_in_which_it_fires():
    firing, _ = expectations()
    for alert in ALERTING:
        static = {"severity": alert.severity, **alert.labels}.items()
        assert any(name == alert.name and static <= labels.items() for name, labels in firing), (alert.name, static)


def test_each_alert_has_a_near_miss_in_which_it_stays_quiet():
    _, quiet = expectations()
    assert {alert.name for alert in ALERTING} - quiet == {"Watchdog"}


def test_annotations_use_only_labels_that_the_alert_has():
    firing, _ = expectations()
    for alert in ALERTING:
        texts = [
            alert.summary,
            alert.description,
            *alert.notes.values(),
            Links().dashboard("x", alert.variables, alert.labels),
        ]
        used = set(re.findall(r"\$labels\.(\w+)", " ".join(texts))) - {*DEFAULT_SETTINGS.extra_labels}
        static = {"severity": alert.severity, **alert.labels}.items()
        having = [labels for name, labels in firing if name == alert.name and static <= labels.items()]
        assert all(used <= labels.keys() for labels in having), alert.name


def test_a_failed_scrape_does_not_reset_an_alert_on_a_gauge(nodes):
    gauges = {family.name for family in CATALOGUE if family.type == "gauge"} - {"llmq_exporter_build_info"}
    for rule in RULES:
        without_range = {node.name for node in nodes(rule.expr, promql_parser.VectorSelector)}
        assert not without_range & gauges, rule.name


def test_no_rule_is_there_twice():
    keys = [(type(rule).__name__, rule.name, rule.expr, tuple(rule.labels.items())) for rule in RULES]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("alert", ALERTING, ids=lambda alert: alert.name)
def test_an_alert_keeps_the_house_rules(alert):
    assert re.fullmatch(r"LLMQuality[A-Z]\w+|Watchdog", alert.name)
    assert alert.severity in {"page", "ticket", "none"}
    assert alert.summary
    assert not alert.summary.endswith(".")
    assert alert.description.endswith(".")
    assert "$value" not in "".join(alert.labels.values()), "a value in a label makes a new alert each time"
    assert "{{" not in alert.summary, "a summary is the same for all alerts of a group"
    assert alert.name == "Watchdog" or re.fullmatch(r"\d+[mh]", alert.pending)
    assert re.search(r"[<>]=?", re.sub(r'"[^"]*"', "", alert.expr)), "an alert compares"
    assert "topk" not in alert.expr, "its members come and go"


def test_rules_use_no_function_that_a_feature_flag_hides(nodes):
    used = {call.func.name for expr in EXPRESSIONS for call in nodes(expr, promql_parser.Call)}
    assert used == {
        "increase",
        "clamp",
        "clamp_max",
        "clamp_min",
        "sqrt",
        "exp",
        "abs",
        "vector",
        "time",
        "absent",
        "last_over_time",
        "sum_over_time",
        "max_over_time",
    }


def test_ranges_hold_scrapes_enough_and_end_before_the_data_do(nodes):
    ranges = {
        window.range.total_seconds() for expr in EXPRESSIONS for window in nodes(expr, promql_parser.MatrixSelector)
    }
    assert min(ranges) >= 300
    assert max(ranges) <= 30 * 86400


def test_counters_are_only_read_as_increases(nodes):
    for expr in EXPRESSIONS:
        assert not [node.name for node in nodes(expr, promql_parser.VectorSelector) if node.name.endswith("_total")]


def test_regular_expressions_are_used_only_where_needed(selectors):
    matchers = [
        matcher for expr in EXPRESSIONS for selector in selectors(expr) for matcher in selector.matchers.matchers
    ]
    fuzzy = [matcher.value for matcher in matchers if str(matcher.op) in {"MatchOp.Re", "MatchOp.NotRe"}]
    assert fuzzy
    assert all(re.search(r"[|.*+?\[(]", value) for value in fuzzy)


def test_every_metric_in_a_rule_is_exposed_or_recorded(selectors):
    read = {selector.name for expr in EXPRESSIONS for selector in selectors(expr)}
    assert read - FAMILIES.keys() - RECORDED - FOREIGN == set()


def test_rules_ask_exposed_metrics_only_for_labels_that_they_have(selectors):
    for selector in [selector for expr in EXPRESSIONS for selector in selectors(expr) if selector.name in FAMILIES]:
        asked = {matcher.name for matcher in selector.matchers.matchers}
        assert asked <= {*FAMILIES[selector.name].labels, "job", "instance"}, selector.name


def test_the_promtool_cases_feed_exposed_metrics_with_the_labels_that_they_have():
    for path in CASES:
        for case in yaml.safe_load(path.read_text())["tests"]:
            for series in case["input_series"]:
                name, labels = re.fullmatch(r"([\w:]+)\{(.*)\}", series["series"]).groups()
                given = set(re.findall(r"(\w+)=", labels))
                known = FAMILIES.keys() | RECORDED | FOREIGN
                assert name in known, (path.name, name)
                if name in FAMILIES:
                    assert given - {"job", "instance"} == set(FAMILIES[name].labels), (path.name, name)


def test_every_recorded_series_is_used():
    texts = [text for rule in RULES for text in (rule.expr, *getattr(rule, "notes", {}).values())]
    texts += [alert.description for alert in ALERTING]
    used = set(re.findall(r"\b\w+:\w+:\w+", " ".join(texts)))
    assert {name for name in RECORDED - used if not FOR_PANELS.fullmatch(name)} == set()


def test_every_group_is_evaluated_often_enough_for_its_readers():
    for found in groups().values():
        for group in found:
            assert group.interval in {"", "3m"} or group.name == "llmq-usual-scoring", (
                "a reader looks back five minutes"
            )


def test_what_is_evaluated_seldom_is_read_for_longer(nodes):
    seldom = {
        rule.name for found in groups().values() for group in found if group.interval == "15m" for rule in group.rules
    }
    ranges = [window for expr in EXPRESSIONS for window in nodes(expr, promql_parser.MatrixSelector)]
    read = [window for window in ranges if window.vector_selector.name in seldom]
    assert {window.vector_selector.name for window in read} == seldom
    assert all(window.range.total_seconds() > 2 * 900 for window in read)
    assert not any(re.search(rf"{name}(?!\[)", expr) for name in seldom for expr in EXPRESSIONS)


def test_no_group_has_more_rules_than_mimir_takes():
    assert all(len(group.rules) <= 20 for found in groups().values() for group in found)


def test_rules_that_read_each_other_keep_their_order(selectors):
    """Across the groups of a file, too, though groups are evaluated side by side."""
    for found in groups().values():
        rules = [rule for group in found for rule in group.rules]
        places = {}
        for place, rule in enumerate(rules):
            if isinstance(rule, Record):
                places.setdefault(rule.name, place)
        for place, rule in enumerate(rules):
            read = {selector.name for selector in selectors(rule.expr)} - {rule.name}
            assert all(places[name] < place for name in read & places.keys()), rule.name


def test_no_sli_reads_cases_that_were_chosen_for_being_hard(selectors):
    verdicts = [
        selector for expr in EXPRESSIONS for selector in selectors(expr) if selector.name == "llmq_evaluations_total"
    ]
    samples = [m.value for s in verdicts for m in s.matchers.matchers if m.name == "sample"]
    assert set(samples) == {"all|random"}


SETS = {"slo-": "slo-", "versions": "slo-"}
"""The burn rules are a set of files, which the comparison with last week reads, too."""


@pytest.mark.parametrize("name", groups())
def test_a_file_needs_no_other_than_itself(selectors, name):
    """A team that has no offline suites, or no judge, leaves their files out."""
    found = groups()
    own = {rule.name for group in found[name] for rule in group.rules}
    needed = {selector.name for group in found[name] for rule in group.rules for selector in selectors(rule.expr)}
    elsewhere = {
        other
        for other, rules in found.items()
        if needed & ({rule.name for group in rules for rule in group.rules if isinstance(rule, Record)} - own)
    }
    allowed = tuple(prefix for mine, prefix in SETS.items() if name.startswith(mine))
    assert all(other.startswith(allowed) for other in elsewhere), elsewhere


def thin_routes(values):
    """An app of 150 routes with two verdicts an hour each on average; ``values`` are those of a route's verdicts."""
    chance = random.Random(3)
    for route in range(150):
        where = f'app="shop",route="/{route}",model_version="m1",prompt_version="v1"'
        arrivals = [chance.random() < 1 / 6 for _ in range(121)]
        yield {"series": f"llmq_requests_total{{{where}}}", "values": "0+1x120"}
        kind = 'evaluator="helpfulness",evaluator_version="1",verdict="pass",sample="random"'
        counts = values(list(accumulate(map(int, arrivals))))
        yield {"series": f"llmq_evaluations_total{{{kind},{where}}}", "values": " ".join(map(str, counts))}


@pytest.mark.parametrize(
    ("values", "firing"),
    [(lambda counts: counts, 0), (lambda counts: counts[:100] + [counts[99]] * 21, 1)],
    ids=["some are silent by chance", "all are silent"],
)
def test_thin_routes_that_are_silent_by_chance_page_nobody(tmp_path, values, firing):
    count = 'count(ALERTS{alertname="LLMQualityVerdictsMissing",alertstate="firing"})'
    silent = "count(route:llmq_missing_evaluations:increase1h)"
    ends = [{"expr": f"{silent} > bool 15", "eval_time": "20h", "exp_samples": [{"labels": "{}", "value": 1}]}]
    samples = [{"labels": "{}", "value": 1}] if firing else []
    ends.append({"expr": count, "eval_time": "20h", "exp_samples": samples})
    case = {"interval": "10m", "input_series": list(thin_routes(values)), "promql_expr_test": ends}
    document = {"rule_files": [str(ALERTS / "exporter.rules.yaml")], "evaluation_interval": "2m", "tests": [case]}
    (tmp_path / "thin.test.yaml").write_text(yaml.safe_dump(document))
    done = promtool("test", "rules", str(tmp_path / "thin.test.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr


SHOP = Slo(name="grounding", measure=VerdictsSli("grounding"), objective=Decimal("0.95"))


def expressions(slo, record):
    found = [rule for group in groups([slo])["slo-1h.rules.yaml"] for rule in group.rules]
    return {rule.labels["objective"]: rule.expr for rule in found if rule.name == record and "objective" in rule.labels}


def test_apps_and_routes_of_an_slo_become_matchers():
    slo = replace(SHOP, apps=("shop", "help-*"), routes=("/chat",))
    expr = expressions(slo, "slice:llmq_sli_events:increase1h")["0.95"]
    assert 'app=~"shop|help-.*",route="/chat"' in expr


def test_an_override_takes_its_slices_out_of_the_default():
    slo = replace(SHOP, overrides=(Override(objective=Decimal("0.99"), apps=("bank",)),))
    events = expressions(slo, "slice:llmq_sli_events:increase1h")
    assert 'app="bank"' in events["0.99"]
    labels = ", ".join((*SLICE, *DEFAULT_SETTINGS.extra_labels))
    assert events["0.95"].split(f"unless on ({labels}) ")[1] == events["0.99"]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([("0.99", "bank", "*")], {"bank": "0.99", "shop": "0.95"}),
        ([("0.99", "bank", "*"), ("0.9", "*", "/chat")], {"bank": "0.99", "shop": "0.9"}),
        ([("0.99", "bank", "*"), ("0.99", "*", "/chat")], {"bank": "0.99", "shop": "0.99"}),
        ([("0.95", "bank", "*"), ("0.9", "b*", "*")], {"bank": "0.95", "shop": "0.95"}),
        ([("0.99", "bank", "/other")], {"bank": "0.95", "shop": "0.95"}),
    ],
)
def test_every_slice_is_counted_once_under_the_first_objective_that_matches(tmp_path, overrides, expected):
    given = [
        Override(objective=Decimal(objective), apps=(app,), routes=(route,)) for objective, app, route in overrides
    ]
    files = render([replace(SHOP, overrides=tuple(given))])
    for name in ("slo-objectives.rules.yaml", "slo-1h.rules.yaml"):
        (tmp_path / name).write_text(files[name])
    slices = 'evaluator="grounding",sample="all",route="/chat",model_version="m",prompt_version="p"'
    series = [
        {"series": f'llmq_evaluations_total{{{slices},verdict="{verdict}",app="{app}"}}', "values": f"0+{step}x80"}
        for app in expected
        for verdict, step in (("pass", 9), ("fail", 1))
    ]
    counts = [
        {
            "expr": f"round(app:llmq_sli_{name}:increase1h)",
            "eval_time": at,
            "exp_samples": [
                {"labels": f'{{sli="grounding",objective="{objective}",app="{app}"}}', "value": value}
                for app, objective in expected.items()
            ],
        }
        for name, value in (("events", 600), ("bad_events", 60))
        for at in ("78m", "79m", "80m")
    ]
    case = {"interval": "1m", "input_series": series, "promql_expr_test": counts}
    document = {"rule_files": ["slo-objectives.rules.yaml", "slo-1h.rules.yaml"], "tests": [case]}
    (tmp_path / "override.test.yaml").write_text(yaml.safe_dump(document))
    done = promtool("test", "rules", str(tmp_path / "override.test.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("globs", "expected"),
    [
        (("*",), ""),
        (("shop", "*"), ""),
        (("shop",), 'app="shop"'),
        (("sho?",), 'app=~"sho."'),
        (("a.b", "c"), r'app=~"a\\.b|c"'),
        (("[!a-c]*",), 'app=~"[^a-c].*"'),
        (('say "hi"',), r'app="say \"hi\""'),
    ],
)
def test_globs_become_the_simplest_matcher(globs, expected):
    assert matching("app", globs) == expected


def test_a_design_effect_widens_bounds_and_comparisons():
    wide = render(settings=RuleSettings(design_effect=Decimal(4)))
    assert "- 5.16 * sqrt(" in wide["slo-1h.rules.yaml"]
    assert "> 7" in wide["versions.rules.yaml"]


def test_links_stand_before_runbooks_and_dashboards():
    files = render(settings=RuleSettings(links=Links(runbooks="https://wiki/llmq/", grafana="https://g/")))
    assert "runbook_url: https://wiki/llmq/LLMQualityExporterDown\n" in files["exporter.rules.yaml"]
    assert (
        "dashboard_url: https://g/d/llmq-exporter?var-instance={{ $labels.instance | urlquery }}"
        in files["exporter.rules.yaml"]
    )


def test_alerts_on_bad_answers_lead_to_them_with_slice_and_window_filled_in():
    found = {
        alert.name: (links.bad_answers(alert.variables, alert.bad_in), alert)
        for links in [Links(answers="https://llmq/answers/")]
        for some in groups().values()
        for group in some
        for alert in group.rules
        if isinstance(alert, Alert) and alert.bad_in
    }
    assert found.keys() >= {"LLMQualityBudgetBurn", "LLMQualityBudgetBurnSlow", "LLMQualityVersionWorse"}
    for url, alert in found.values():
        assert url.startswith("https://llmq/answers?")
        filled = re.sub(r"\{\{ \$labels\.sli .*?\}\}", "grounding", url)
        filled = re.sub(r"\{\{ with .*? end \}\}", "1790000000", re.sub(r"\{\{ \$labels\..*?\}\}", "x", filled))
        wanted = question(parse_qsl(urlsplit(filled).query), 2e9, DEFAULT_SLOS)
        assert wanted.search.marks
        assert {"app", "route"} & set(alert.variables) == set(wanted.search.where) & {"app", "route"}


def test_short_windows_for_a_demonstration_are_data_too():
    windows = (
        replace(DEFAULT_SLOS[0].windows[0], long="5m", short="2m", pending="1m"),
        replace(DEFAULT_SLOS[0].windows[2], long="20m", short="5m", pending="2m"),
    )
    alerts = tuple(window.name for window in windows)
    files = groups([replace(slo, windows=windows, alerts=alerts) for slo in DEFAULT_SLOS])
    assert [name for name in files if name.startswith("slo-")] == [
        "slo-objectives.rules.yaml",
        "slo-20m.rules.yaml",
    ]
