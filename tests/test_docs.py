"""The documents are true: every metric, evaluator, command, path and setting is in them, and no other."""

import ast
import json
import re
import tomllib
from fnmatch import fnmatch
from functools import reduce
from pathlib import Path
from typing import get_args

import pytest
from metrics_tables import rows, written

from exporter.app.application import Exporter, make_app
from exporter.cli.main import main
from exporter.config import load
from exporter.config.settings import Role
from exporter.evaluators import described, installed
from exporter.evaluators.registry import GROUP
from exporter.feedback.annotate import _MOST_CHANGES, MOST_SIGNALS
from exporter.feedback.distance import _CHARACTERS
from exporter.feedback.recent import MOST_BYTES
from exporter.http.scraping import MOST_AT_ONCE
from exporter.judge.drift import NOTEWORTHY
from exporter.judge.evidence import ENOUGH_ASKED, ENOUGH_JUDGED, LEAST
from exporter.metrics.catalogue import CATALOGUE
from exporter.metrics.slice_budget import SLICES
from exporter.model.score import FailureReason, Sample, UnscoredReason
from exporter.model.trace import Trace
from exporter.offline.likeness import BYTES
from exporter.offline.result import MOST_SIGNATURES
from exporter.recording.external_evaluations import MOST, MOST_KINDS
from exporter.records.feedback import Signal
from exporter.rules.compare import GAP
from exporter.rules.files import DEFAULT_SETTINGS, groups
from exporter.rules.rulefile import Alert, Record
from exporter.rules.slo import DEFAULT_SLOS, WINDOWS, reach
from exporter.suites.results import MOST as MOST_OFFLINE

ROOT = Path(__file__).parent.parent
FOLDERS = ("alerts", "benchmarks", "dashboards", "exporter", "tests")
FILES = [*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md"))]
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in FILES}
README = PAGES["README.md"]
SCHEMA = json.loads((ROOT / "exporter" / "config" / "config.schema.json").read_text())
BUILT_IN = [one for one in installed().listing() if one.source == "built in"]


def page(folder):
    return PAGES[f"{folder}/README.md"]


def section(title, text=README):
    return re.search(rf"^##+ {title}\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)[1]


def first_column(text):
    """What the rows of a page's tables name first, in code."""
    return re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)


def examples(text):
    return re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)


def test_the_metrics_tables_are_made_of_the_declarations():
    """`make tables` writes them."""
    assert [line for line in page("exporter/metrics").splitlines() if line.startswith("| `llmq_")] == [*rows().values()]


def test_a_new_metric_gets_its_row_after_the_one_declared_before_it_and_a_gone_one_loses_it():
    whole = page("exporter/metrics")
    without = "\n".join(line for line in whole.split("\n") if not line.startswith("| `llmq_tokens_total`"))
    gone = whole.replace(
        "| `llmq_cost_dollars_total`", "| `llmq_gone_total` | counter | | Gone. |\n| `llmq_cost_dollars_total`"
    )
    assert without != whole != gone
    assert written(without) == written(gone) == whole


def test_the_values_of_sample_and_reason_are_explained():
    rows = re.findall(r"^\|.*\| (`.*`) \| .+ \|$", page("exporter/metrics"), re.MULTILINE)
    values = [value for cell in rows for value in re.findall(r"`(\w+)`", cell)]
    assert sorted(values) == sorted([*get_args(Sample), *get_args(UnscoredReason), *get_args(FailureReason)])


def test_the_evaluators_table_has_each_once():
    table, _, _ = page("exporter/evaluators").partition("\n## ")
    assert first_column(table) == [one.name for one in BUILT_IN]
    assert re.findall(r"`(\w+)`", section("Evaluators"))[: len(BUILT_IN)] == [one.name for one in BUILT_IN]


def test_the_options_table_is_what_evaluators_take():
    told = [
        f"| `{one.name}.{option}` | {values.replace('|', chr(92) + '|')} | {default} |"
        for one in BUILT_IN
        for option, values, default in one.options
    ]
    table = section("Options", page("exporter/evaluators"))
    assert [line for line in table.splitlines() if line.startswith("| `")] == told


def test_every_section_of_the_config_is_documented():
    table, _, _ = page("exporter/config").partition("\n## ")
    assert first_column(table) == list(SCHEMA["properties"])


def test_every_role_is_documented():
    assert first_column(section("Tokens", page("exporter/config"))) == list(get_args(Role))


def test_every_signal_is_documented():
    [told] = re.findall(r"^- `signal` is (.*?)\.", page("exporter/feedback"), re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", told)) - {"edited_text"} == set(get_args(Signal))


def test_every_file_of_the_alerts_is_documented():
    table, _, _ = page("alerts").partition("\n## ")
    patterns = [
        name.strip("`/") for row in re.findall(r"^\| (`.*`) \|", table, re.MULTILINE) for name in row.split(", ")
    ]
    files = [path.name for path in (ROOT / "alerts").iterdir() if path.name != "README.md"]
    assert [name for name in files if not any(fnmatch(name, one) for one in patterns)] == []
    assert [one for one in patterns if not any(fnmatch(name, one) for name in files)] == []


def test_every_alert_is_documented_with_its_severity():
    rules = [rule for found in groups().values() for group in found for rule in group.rules]
    told = re.findall(r"^\| \[`(\w+)`\]\(runbooks/\1\.md\) \| (\w+) \| .+ \|$", page("alerts"), re.MULTILINE)
    assert sorted(told) == sorted({(rule.name, rule.severity) for rule in rules if isinstance(rule, Alert)})


def percent(share):
    return f"{(100 * share).normalize():f} %"


def test_every_slo_is_documented_with_its_objective():
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| .+ \| ([\d, %]+) \| .+ \|$", page("alerts"), re.MULTILINE)
    told = [pair for names, shares in rows for pair in zip(names.split(", "), shares.split(", "), strict=True)]
    assert sorted(told) == sorted((f"`{slo.name}`", percent(slo.objective)) for slo in DEFAULT_SLOS)


def test_the_windows_of_the_alerts_are_documented():
    told = re.findall(r"^\| (?:page|ticket) \| \d.*$", page("alerts"), re.MULTILINE)
    assert told == [
        f"| {one.severity} | {one.long} and {one.short} | {one.factor} times the budget, at most {percent(one.cap)} | "
        f"{one.pending} |"
        for one in WINDOWS
    ]


def test_the_table_of_answers_needed_is_what_check_says():
    rows = re.findall(r"^\| ([\d, %]+) \| ([\d.]+ %) \| (\d+) \| (\d+|-) \|$", page("alerts"), re.MULTILINE)
    told = {(share, *cells) for shares, *cells in rows for share in shares.split(", ")}
    assert told == {
        (percent(one.objective), percent(one.line), str(one.events_all_bad), str(one.events_twice_line or "-"))
        for one in reach(DEFAULT_SLOS)
        if one.alert == "page_1h"
    }


@pytest.fixture
def helped(capsys):
    """What `llmq … --help` prints."""

    def run(*words):
        with pytest.raises(SystemExit) as left:
            main([*words, "--help"])
        assert left.value.code == 0
        return capsys.readouterr().out

    return run


def test_every_command_is_documented(helped):
    commands = re.findall(r"^    (\w+)(?: |$)", helped(), re.MULTILINE)
    assert len(commands) >= 5
    assert re.findall(r"^\| `llmq (\w+)", section("Commands"), re.MULTILINE) == commands


def called(text):
    """(command, options) of every `llmq …` that a page shows, in a line of code or in a line of an example."""
    inline = re.findall(r"`(?:\w+=\S+ )?llmq ([^`]+)`", text)
    lines = re.findall(r"^(?:\.venv/bin/)?llmq ([^#\n]+)", text, re.MULTILINE)
    for words in (one.split() for one in inline + lines):
        names = [word for word in words[:2] if re.fullmatch(r"[a-z]+", word)]
        yield tuple(names), re.findall(r"--[a-z-]+", " ".join(words))


def test_every_command_and_option_that_a_page_shows_exists(helped):
    shown = {(names, option) for text in PAGES.values() for names, options in called(text) for option in options}
    assert len(shown) > 20
    wrong = [(name, text) for name, text in shown if text not in helped(*name)]
    assert wrong == []


async def test_every_path_is_documented(tmp_path):
    exporter = Exporter(load(None, store=f"sqlite:///{tmp_path}/llmq.db"))
    try:
        routes = make_app(exporter).router.routes()
        served = {f"{route.method} {route.resource.canonical}" for route in routes if route.method != "HEAD"}
    finally:
        exporter.store.close()
    assert set(re.findall(r"`((?:GET|POST|DELETE|OPTIONS) /[^`]*)`", section("HTTP"))) == served


def test_the_example_configs_are_right(tmp_path, monkeypatch):
    whole, hosts, tokens = examples(page("exporter/config"))
    path = tmp_path / "llmq.yaml"
    path.write_text(whole)
    assert load(path).store.content == "none"
    path.write_text(hosts)
    assert load(path).server.hosts == ("llmq", "llmq.monitoring.svc")
    path.write_text(tokens)
    (tmp_path / "prometheus.token").write_text("a-token-of-some-length")
    config = load(path, environ={"LLMQ_APPS_TOKEN": "another-of-some-length"})
    assert [one.name for one in config.server.tokens] == ["apps", "prometheus"]


def test_the_example_of_a_judge_and_its_rubric_are_right(tmp_path):
    judge, azure, rubric = examples(page("exporter/judge"))
    (tmp_path / "rubrics").mkdir()
    (tmp_path / "rubrics" / "tone.yaml").write_text(rubric)
    (tmp_path / "anchors.jsonl").touch()
    (tmp_path / "llmq.yaml").write_text(judge)
    config = load(tmp_path / "llmq.yaml", environ={"LLMQ_JUDGE_KEY": "a-key-of-some-length"})
    assert config.warnings == ()
    assert [one.name for one in config.judge.rubrics] == ["faithfulness", "helpfulness", "tone"]
    (tmp_path / "azure.yaml").write_text(azure)
    azure = load(tmp_path / "azure.yaml", environ={"AZURE_KEY": "a-key-of-some-length"}).judge
    assert azure.sent_headers == {"api-key": "a-key-of-some-length"}
    assert (azure.endpoint.temperature, azure.endpoint.format) == (None, "json_object")


def test_the_example_of_privacy_is_right(tmp_path):
    [example] = examples(page("exporter/store"))
    (tmp_path / "llmq.yaml").write_text(example)
    config = load(tmp_path / "llmq.yaml")
    assert config.warnings == ()
    assert config.privacy.redactor().text("C-123456 of ada@example.com") == "[customer] of [email]"
    assert config.privacy.redact == load(None).privacy.redact


def test_the_example_of_a_plugin_is_right():
    code, entry = (
        re.findall(rf"```{kind}\n(.*?)```", page("exporter/evaluators"), re.DOTALL)[0] for kind in ("python", "toml")
    )
    space = {}
    exec(code, space)  # the page's own few lines
    [(name, value)] = tomllib.loads(entry)["project"]["entry-points"][GROUP].items()
    assert value.endswith(f":{name}")
    plugin = described(space[name], name=name)
    assert [option.name for option in plugin.options] == ["words"]
    assert plugin.function(Trace(trace_id="t", content_state="answered", answer="Please come in.")) is True


def test_files_that_pages_name_exist():
    named = {
        name
        for text in PAGES.values()
        for name in re.findall(r"(?:tests|exporter|benchmarks)/[\w./-]+\.(?:pb|py|yaml|pyi|c)\b", text)
    }
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).is_file()] == []


def prose(text):
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text):
    """The anchors that the headings of a page have where it is shown."""
    titles = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links():
    """(page, target) of every link and picture that leads to a place in the repository."""
    for name, text in PAGES.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", prose(text)):
            if not re.match(r"[a-z]+:", target):
                yield name, target


def test_every_benchmark_is_documented():
    scripts = [path for path in (ROOT / "benchmarks").glob("*.py") if '__name__ == "__main__"' in path.read_text()]
    assert len(scripts) > 10
    assert [path.name for path in scripts if not re.search(rf"\b{path.name}\b", page("benchmarks"))] == []


def test_every_link_leads_to_a_file_and_a_heading_that_are_there():
    broken = []
    for name, target in links():
        path, _, anchor = target.partition("#")
        place = (ROOT / name).parent / path if path else ROOT / name
        there = place.exists() and place.resolve().is_relative_to(ROOT)
        if not there or (anchor and anchor not in anchors(place.read_text())):
            broken.append((name, target))
    assert broken == []
    assert len(list(links())) > 50


def test_the_first_page_leads_to_the_page_of_every_area():
    areas = {name for name in PAGES if name.endswith("/README.md") and not name.startswith("tests/")}
    assert areas - {target.partition("#")[0] for name, target in links() if name == "README.md"} == set()


def test_the_limits_that_pages_state_are_the_limits():
    feedback, offline, judge = (" ".join(page(f"exporter/{one}").split()) for one in ("feedback", "offline", "judge"))
    assert f"more than {MOST_SIGNALS} signals on one answer, or a mind changed {_MOST_CHANGES} times" in feedback
    assert f"of the first {_CHARACTERS:,} characters" in feedback
    assert f"{MOST_BYTES >> 20} MB of text are remembered" in feedback
    assert f"MinHash, {BYTES} bytes, at most {MOST_SIGNATURES:,} a suite" in offline
    assert f"is more than {100 * GAP:.0f} points" in offline
    assert MOST["evaluator"] == 20
    assert "Twenty names become labels in an app" in judge
    metrics = " ".join(page("exporter/metrics").split())
    assert f"shown at a time ({SLICES})" in metrics
    kinds = f"{MOST['evaluator']} names and {MOST['evaluator_version']} versions an app, and {MOST_KINDS} combinations"
    assert kinds in metrics
    assert f"the newest {MOST_OFFLINE}" in metrics
    assert f"more than {MOST_AT_ONCE} at once" in metrics
    assert f"{ENOUGH_ASKED} anchors were asked again and {ENOUGH_JUDGED} verdicts" in judge
    assert f"fewer than {LEAST} asked again" in judge
    assert f"above {NOTEWORTHY} and above" in judge
    [zs] = re.findall(r"Wilson lower bound \((.*) standard deviations\)", page("alerts"))
    assert zs == str(DEFAULT_SETTINGS.z)


def test_metrics_and_series_that_pages_name_exist():
    rules = [rule for found in groups().values() for group in found for rule in group.rules]
    recorded = {name for rule in rules if isinstance(rule, Record) for name in (rule.name, rule.name.split(":")[1])}
    known = recorded | {f"{f.name}{part}" for f in CATALOGUE for part in ("", "_bucket", "_sum", "_count")}
    named = {(name, one) for name, text in PAGES.items() for one in re.findall(r"(?:\b\w+:)?\bllmq_\w+(?::\w+)?", text)}
    assert len(named) > 100
    assert [(name, one) for name, one in named if not known & {one, *one.split(":")}] == []


def test_settings_that_pages_name_exist():
    setting = rf"`((?:{'|'.join(SCHEMA['properties'])})(?:\.(?!json\b|rules\b)\w+)+)`"
    named = {(name, one) for name, text in PAGES.items() for one in re.findall(setting, text)}
    assert len(named) > 20
    assert [(name, one) for name, one in named if not is_setting(SCHEMA, one.split("."))] == []


def is_setting(node, path):
    """Follow a path of names through the schema: properties, references, and maps with names of the user's."""
    while "$ref" in node:
        node = reduce(lambda place, name: place[name], node["$ref"].removeprefix("#/").split("/"), SCHEMA)
    if not path:
        return True
    below = [node["properties"][path[0]]] if path[0] in node.get("properties", {}) else []
    if isinstance(node.get("additionalProperties"), dict):
        below.append(node["additionalProperties"])
    return any(is_setting(one, path[1:]) for one in below)


@pytest.mark.parametrize(
    ("folder", "config"),
    [
        ("exporter/config", "evaluators:\n  refusal:\n    timeout: soon\n"),
        (
            "alerts",
            """
slos:
  grounding: {objective: 0.9, alerts: [page_2h]}
alerting:
  windows:

    page_2h: {short: 15m, factor: 14.4, cap: 1, for: 2m}
""",
        ),
    ],
)
def test_the_errors_that_pages_show_are_the_errors(folder, config, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("llmq.yaml").write_text(config)
    assert main(["check", "llmq.yaml"]) == 1
    assert re.findall(r"^llmq\.yaml:.*\n", page(folder), re.MULTILINE) == [capsys.readouterr().err]


ROOMS = sorted(path.parent for path in (ROOT / "exporter").rglob("__init__.py"))


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: str(room.relative_to(ROOT)))
def test_the_docstring_of_a_folder_names_everything_in_it(room):
    said = ast.get_docstring(ast.parse((room / "__init__.py").read_text("utf-8")))
    modules = {path.stem for path in room.glob("*.py")} - {"__init__", "__main__"}
    folders = {path.parent.name for path in room.glob("*/__init__.py")}
    words = set(re.findall(r"[a-z_]+", said))
    assert (modules | folders) - words == set()


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: str(room.relative_to(ROOT)))
def test_the_docstring_of_a_folder_names_nothing_that_is_gone(room):
    said = ast.get_docstring(ast.parse((room / "__init__.py").read_text("utf-8")))
    listed = re.findall(r"^ *([a-z_]+(?:/|(?:, [a-z_]+)*)) {2,}\S", said, re.MULTILINE)
    names = {name.strip("/ ") for entry in listed for name in entry.split(",")}
    assert {name for name in names if not (room / name).is_dir() and not (room / f"{name}.py").is_file()} == set()
