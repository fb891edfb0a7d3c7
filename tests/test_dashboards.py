"""The dashboards: generated, by Grafana's house rules, of metrics that exist, and linked to what is there."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import promql_parser
import pytest

from exporter.answers.query import question
from exporter.cli.main import main
from exporter.dashboards.files import render
from exporter.dashboards.grafana import SCHEMA_VERSION
from exporter.metrics.catalogue import CATALOGUE
from exporter.rules.files import DEFAULT_SETTINGS, RuleSettings, groups
from exporter.rules.rulefile import Alert, Links, Record
from exporter.rules.slo import DEFAULT_SLOS

ROOT = Path(__file__).parent.parent
FILES = {path.name: path.read_text() for path in sorted((ROOT / "dashboards").glob("*.json"))}
BOARDS = {name: json.loads(text) for name, text in FILES.items()}
ANSWERS = Links().answers
BY_UID = {board["uid"]: board for board in BOARDS.values()}
PANELS = [(name, panel) for name, board in BOARDS.items() for panel in board["panels"] if panel["type"] != "row"]
TARGETS = [(name, panel, target) for name, panel in PANELS for target in panel["targets"]]
RULES = [rule for found in groups().values() for group in found for rule in group.rules]
RECORDED = {rule.name for rule in RULES if isinstance(rule, Record)}
FAMILIES = {family.name: family for family in CATALOGUE}

OF_PROMETHEUS = {"up", "ALERTS", "ALERTS_FOR_STATE"}

UNITS = {"percentunit", "short", "locale", "none", "s", "bytes", "currencyUSD", "suffix: budgets", "suffix: /s"}

RATIOS_WITHOUT_N = {
    ("overview.json", 1): "the table of objectives has the answers of each",
    ("slo.json", 1): "n is the tile beside it",
    ("slo.json", 2): "an objective is no measurement",
    ("slo.json", 5): "n is the tile beside it",
    ("slo.json", 6): "n is in the panel of all windows",
    ("versions.json", 21): "n is the tile beside it",
    ("versions.json", 23): "n is the tile beside it",
    ("versions.json", 25): "n of both are the tiles beside it",
    ("versions.json", 26): "n of both are the tiles beside it",
    ("judge.json", 6): "a budget is no measurement",
    ("judge.json", 46): "a budget is no measurement",
    ("feedback.json", 1): "n is the tile beside it",
    ("feedback.json", 3): "n is the tile beside it",
}

WINDOWS_ON_PURPOSE = {"$window", "1h", "6h", "24h", "1d", "7d", "14d"}
"""Ranges that say what a panel shows; any other is Grafana's ``$__rate_interval``."""


def substituted(text):
    """An expression as Grafana might send it."""
    values = {"__rate_interval": "5m", "__range": "1h", "window": "1h", "dimension": "prompt_version"}
    return re.sub(r"\$\{?(\w*[a-z]\w*)(?::\w+)?\}?", lambda found: values.get(found[1], "x"), text)


def variables(board):
    return {variable["name"]: variable for variable in board["templating"]["list"]}


def asked(board):
    """Every expression of a dashboard: of its panels, annotations and variables."""
    yield from (target["expr"] for panel in board["panels"] for target in panel.get("targets", []))
    yield from (annotation["expr"] for annotation in board["annotations"]["list"])
    for variable in variables(board).values():
        if variable["type"] == "query":
            query = variable["query"]["query"]
            values = re.fullmatch(r"label_values\((.+), \$?\w+\)|query_result\((.+)\)", query)
            yield values[1] or values[2]


EXPRESSIONS = [(name, expr) for name, board in BOARDS.items() for expr in asked(board)]


def family(name):
    """The exposed metric that a series belongs to: a histogram's series have endings of their own."""
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    return base if base in FAMILIES else name


def test_the_committed_files_are_those_that_the_defaults_make():
    assert render() == FILES


def test_there_is_a_dashboard_for_every_question():
    assert set(BY_UID) == {
        "llmq-overview",
        "llmq-slo",
        "llmq-versions",
        "llmq-offline",
        "llmq-judge",
        "llmq-feedback",
        "llmq-exporter",
    }


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_can_be_provisioned_from_its_file(name):
    board = BOARDS[name]
    assert board["schemaVersion"] == SCHEMA_VERSION == 42
    assert board["editable"] is False
    assert board["graphTooltip"] == 1
    assert board["title"].startswith("LLM quality / ")
    assert board["description"]
    assert not {"__inputs", "__requires", "id", "version"} & board.keys()


@pytest.mark.parametrize("name", BOARDS)
def test_panel_ids_are_unique_and_written_down(name):
    ids = [panel["id"] for panel in BOARDS[name]["panels"]]
    assert len(set(ids)) == len(ids)
    assert all(isinstance(one, int) and one > 0 for one in ids)


def test_panels_keep_their_ids():
    """Links name them: a panel that goes takes its id with it, and a new panel takes a new one."""
    known = {
        "overview.json": {1, 2, 3, 4, 5, 20, 21, 22, 30, 31, *range(40, 46)},
        "slo.json": {*range(1, 10), 20, 21, 22, 23, 30, 31, 32},
        "versions.json": {10, 11, 12, 13, *range(20, 29), 30, 31, 40, 41, 42, 43},
        "offline.json": {1, 2, 3, 20, 21, 22, 30, 31, 32},
        "judge.json": {*range(1, 7), *range(10, 14), 20, 21, 22, *range(30, 36), *range(40, 50)},
        "feedback.json": {*range(1, 7), *range(10, 17), *range(20, 25)},
        "exporter.json": {*range(1, 7), *range(10, 17), *range(20, 27), *range(30, 38)},
    }
    assert {name: {panel["id"] for panel in board["panels"]} for name, board in BOARDS.items()} == known


@pytest.mark.parametrize("name", BOARDS)
def test_panels_fill_the_grid_without_overlap(name):
    taken = set()
    for panel in BOARDS[name]["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("name", BOARDS)
def test_there_is_one_data_source_and_everything_uses_it(name):
    board = BOARDS[name]
    [source] = [variable for variable in board["templating"]["list"] if variable["type"] == "datasource"]
    assert (source["name"], source["label"], source["query"]) == ("datasource", "Data source", "prometheus")
    wanted = {"type": "prometheus", "uid": "${datasource}"}
    users = [one for one in board["panels"] if one["type"] != "row"]
    users += [target for panel in users for target in panel["targets"]] + board["annotations"]["list"]
    users += [variable for variable in board["templating"]["list"] if variable["type"] == "query"]
    assert all(user["datasource"] == wanted for user in users)


@pytest.mark.parametrize(("name", "panel"), PANELS, ids=lambda one: one if isinstance(one, str) else str(one["id"]))
def test_a_panel_says_what_it_shows(name, panel):
    assert panel["title"]
    assert len(panel["description"]) > 20
    assert panel["description"].endswith(".")
    assert panel["targets"]
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert panel["fieldConfig"]["defaults"]["noValue"]
    assert [target["refId"] for target in panel["targets"]] == [chr(65 + n) for n in range(len(panel["targets"]))]


@pytest.mark.parametrize("name", BOARDS)
def test_variables_of_slices_take_several_values_and_follow_the_time_range(name):
    for variable in BOARDS[name]["templating"]["list"]:
        if variable["type"] == "query":
            assert variable["refresh"] == 2
        if variable["name"] in {"app", "route", "model_version", "prompt_version", "job", "instance"}:
            assert (variable["multi"], variable["includeAll"], variable["allValue"]) == (True, True, ".+")


@pytest.mark.parametrize("name", BOARDS)
def test_every_variable_is_used_and_every_used_one_is_there(name):
    board = BOARDS[name]
    used = set(re.findall(r"\$\{?([a-z]\w*)", " ".join(asked(board))))
    used |= {panel["repeat"] for panel in board["panels"] if "repeat" in panel}
    used |= {
        found for variable in variables(board).values() for found in re.findall(r"\$\{(\w+)", variable.get("regex", ""))
    }
    assert used | {"datasource"} == set(variables(board))


@pytest.mark.parametrize(("name", "expr"), EXPRESSIONS, ids=lambda one: one[:60])
def test_an_expression_parses_and_reads_what_is_exposed_or_recorded(name, expr, selectors):
    for selector in selectors(substituted(expr)):
        assert family(selector.name) in FAMILIES.keys() | RECORDED | OF_PROMETHEUS, selector.name


def test_exposed_metrics_are_asked_only_for_labels_that_they_have(selectors):
    for name, expr in EXPRESSIONS:
        for selector in selectors(substituted(expr)):
            if found := FAMILIES.get(family(selector.name)):
                labels = {matcher.name for matcher in selector.matchers.matchers}
                assert labels <= {*found.labels, "job", "instance", "le", *DEFAULT_SETTINGS.extra_labels}, (
                    name,
                    selector.name,
                )


@pytest.mark.parametrize("labels", [("cluster", "namespace", "environment"), ("region",), ()])
def test_every_query_looks_where_the_variables_say(selectors, labels):
    settings = RuleSettings(extra_labels=labels, selector='namespace="prod"')
    for text in render(settings=settings).values():
        board = json.loads(text)
        given = [one["name"] for one in board["templating"]["list"]][1 : 1 + len(labels)]
        assert given == list(labels)
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                for selector in selectors(substituted(target["expr"])):
                    names = {matcher.name for matcher in selector.matchers.matchers}
                    everywhere = (selector.name or "").startswith("sli:llmq_slo_")
                    assert everywhere or names >= {*labels, "namespace"}, target["expr"]


def test_counters_are_read_as_increases_over_grafanas_interval_or_a_window_that_is_the_point(nodes):
    for name, expr in EXPRESSIONS:
        counters = {counter.name for counter in nodes(substituted(expr), promql_parser.VectorSelector)}
        from_variables = {"llmq_requests_total", "llmq_evaluations_total"}
        assert {one for one in counters if one.endswith("_total")} <= from_variables, (name, expr)
        for window in re.findall(r"\[([^\]]+)\]", expr):
            assert window in {"$__rate_interval"} | WINDOWS_ON_PURPOSE, (name, window)


def test_n_stands_beside_every_ratio():
    without = set()
    for name, panel in PANELS:
        units = {panel["fieldConfig"]["defaults"]["unit"]}
        units |= {
            p["value"] for one in panel["fieldConfig"]["overrides"] for p in one["properties"] if p["id"] == "unit"
        }
        legends = {target["legendFormat"] for target in panel["targets"]}
        columns = (
            set(panel["transformations"][1]["options"]["renameByName"].values()) if panel["transformations"] else set()
        )
        counted = "n" in legends or any(re.match(r"n\b|of\b|Cases|Good, passed", column) for column in columns)
        if "percentunit" in units and not counted:
            without.add((name, panel["id"]))
    assert without == set(RATIOS_WITHOUT_N)


def test_thresholds_of_ratios_come_from_recorded_series():
    """What is painted by a number typed in is a share of a budget, where 1 means all of it, or a count."""
    typed = {
        (name, panel["id"])
        for name, panel in PANELS
        for settings in (panel["fieldConfig"]["defaults"], *_overridden(panel))
        for step in settings.get("thresholds", {}).get("steps", [])
        if step["value"] is not None
    }
    assert typed == {("overview.json", 21), ("slo.json", 6), ("judge.json", 5), ("judge.json", 6)}


def _overridden(panel):
    return [{one["id"]: one["value"] for one in found["properties"]} for found in panel["fieldConfig"]["overrides"]]


def test_what_may_be_negative_is_not_cut_off_at_zero():
    signed = {("versions.json", 13), ("versions.json", 28), ("offline.json", 1), ("judge.json", 31)}
    for name, panel in PANELS:
        if (name, panel["id"]) in signed:
            assert any("min" in settings and settings["min"] is None for settings in _overridden(panel)), panel["title"]


def test_bands_have_both_ends():
    bands = 0
    for name, panel in PANELS:
        legends = {target["legendFormat"] for target in panel["targets"]}
        for settings in _overridden(panel):
            if low := settings.get("custom.fillBelowTo"):
                bands += 1
                assert low in legends, (name, panel["title"])
    assert bands == 4


def test_exemplars_are_asked_of_raw_metrics_only(selectors):
    asking = [target["expr"] for _, _, target in TARGETS if target["exemplar"]]
    assert len(asking) >= 4
    for expr in asking:
        assert {family(selector.name) for selector in selectors(substituted(expr))} <= {
            "llmq_evaluation_score",
            "llmq_evaluations_total",
        }


@pytest.mark.parametrize("name", BOARDS)
def test_versions_and_pages_are_marked(name):
    marks = {mark["name"]: mark for mark in BOARDS[name]["annotations"]["list"]}
    assert 'ALERTS{alertstate="firing",severity="page"' in marks["Page"]["expr"]
    if name != "exporter.json":
        assert "llmq_version_first_seen_timestamp_seconds" in marks["New version"]["expr"]
        assert marks["New version"]["useValueForTime"] == "on"


def links(board):
    """Every address in a dashboard, and the variables that it sets there."""
    for link in board["links"]:
        yield link["url"], set(re.findall(r"\$\{(\w+):queryparam\}", link["url"]))
    for panel in board["panels"]:
        for settings in _overridden(panel) if panel["type"] != "row" else []:
            for link in settings.get("links", []):
                yield link["url"], {name.removeprefix("var-") for name in re.findall(r"var-\w+", link["url"])}


@pytest.mark.parametrize("name", BOARDS)
def test_links_lead_to_dashboards_and_variables_that_are_there(name):
    found = list(links(BOARDS[name]))
    assert len(found) >= len(BOARDS) - 1
    for url, given in found:
        if ANSWERS in url:
            continue
        uid = urlsplit(url).path.removeprefix("/d/")
        assert given <= set(variables(BY_UID[uid])) | {"datasource"}, url


def as_grafana_writes(url):
    """The address with what Grafana puts into it, where several values or All are chosen."""
    url = re.sub(r"\$\{(\w+):queryparam\}", r"var-\1=a&var-\1=%24__all", url)
    url = url.replace("${__from}", "1790000000000").replace("${__to}", "1790000360000")
    url = re.sub(r"\bsli=\$\{.*?:percentencode\}", "sli=grounding", url.replace("${dimension}", "prompt_version"))
    return re.sub(r"\$\{.*?:percentencode\}", "%2Fa", url)


@pytest.mark.parametrize("name", ["overview.json", "slo.json", "versions.json"])
def test_the_answers_behind_every_slice_are_one_click_away(name):
    found = [url for url, _ in links(BOARDS[name]) if ANSWERS in url]
    assert found
    for url in map(as_grafana_writes, found):
        wanted = question(parse_qsl(urlsplit(url).query), 0.0, DEFAULT_SLOS)
        assert wanted.search.marks, url
        assert wanted.search.until - wanted.search.since == 360


@pytest.mark.parametrize("name", BOARDS)
def test_links_between_dashboards_keep_time_and_every_shared_variable(name):
    board = BOARDS[name]
    for link in board["links"]:
        assert link["keepTime"]
        other = variables(BY_UID[urlsplit(link["url"]).path.removeprefix("/d/")])
        hidden = {one["name"] for one in [*variables(board).values(), *other.values()] if one["hide"]}
        kept = set(re.findall(r"\$\{(\w+):queryparam\}", link["url"]))
        assert kept == set(variables(board)) & set(other) - hidden


def test_cells_name_columns_that_their_table_has():
    for name, panel in PANELS:
        for settings in _overridden(panel):
            for link in settings.get("links", []):
                columns = set(panel["transformations"][1]["options"]["renameByName"].values())
                assert set(re.findall(r'__data\.fields\["([^"]+)"\]', link["url"])) <= columns, (name, panel["title"])


def test_the_links_of_alerts_lead_to_dashboards_and_variables_that_are_there():
    for alert in (rule for rule in RULES if isinstance(rule, Alert)):
        link = Links().dashboard(alert.dashboard, alert.variables, alert.labels)
        url = urlsplit(link.replace("{{ ", "").replace(" }}", ""))
        known = set(variables(BY_UID[url.path.removeprefix("/d/")]))
        given = {name.removeprefix("var-"): value for name, [value] in parse_qs(url.query).items()}
        assert given.keys() <= known, alert.name
        assert {name: value for name, value in alert.labels.items() if name in known}.items() <= given.items()


def test_the_readme_of_the_dashboards_names_each():
    text = (ROOT / "dashboards" / "README.md").read_text()
    for name, board in BOARDS.items():
        assert f"| `{name}` | `/d/{board['uid']}` | " in text


def test_other_windows_make_other_panels():
    from msgspec.structs import replace

    window = replace(DEFAULT_SLOS[0].windows[0], long="2h", short="5m")
    text = render([replace(slo, windows=(window,), alerts=()) for slo in DEFAULT_SLOS])["overview.json"]
    assert "increase2h" in text
    assert "increase1h{" not in text


def test_llmq_dashboards_writes_them_and_leaves_files_of_others_alone(tmp_path, capsys):
    assert main(["dashboards", "--output", str(tmp_path)]) == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == FILES
    assert main(["dashboards", "--output", str(tmp_path), "--check"]) == 0
    (tmp_path / "slo.json").write_text('{"uid": "mine"}')
    capsys.readouterr()
    assert main(["dashboards", "--output", str(tmp_path)]) == 1
    said = "was not made by llmq dashboards: move it, or choose another --output"
    assert capsys.readouterr().err == f"{tmp_path}/slo.json: {said}\n"
    assert (tmp_path / "slo.json").read_text() == '{"uid": "mine"}'
