"""The documents are true: every metric, evaluator, command, path and setting is in them, and no other."""

import re
from pathlib import Path

import pytest
import yaml

from exporter.app import Exporter, make_app
from exporter.cli import main
from exporter.config import load
from exporter.evaluators import installed
from exporter.metrics.events import CATALOGUE

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
EVALUATORS = [name for name, one in installed().evaluators.items() if one.source == "built in"]


def section(title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)[1]


def test_the_metrics_table_is_the_catalogue():
    slices = "app, route, model_version, prompt_version"
    rows = [f"| `{f.name}` | {f.type} | {', '.join(f.labels).replace(slices, 'slice')} |" for f in CATALOGUE]
    assert [line for line in section("Metrics").splitlines() if line.startswith("| `")] == rows


def test_the_evaluators_table_has_each_once():
    assert re.findall(r"^\| `(\w+)`", section("Evaluators"), re.MULTILINE) == EVALUATORS


def test_every_command_is_documented(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    commands = re.findall(r"^    (\w+)(?: |$)", capsys.readouterr().out, re.MULTILINE)
    assert len(commands) >= 5
    assert re.findall(r"^\| `llmq (\w+)", section("Commands"), re.MULTILINE) == commands


async def test_every_path_is_documented(tmp_path):
    exporter = Exporter(load(None, store=f"sqlite:///{tmp_path}/llmq.db"))
    try:
        routes = make_app(exporter).router.routes()
        served = {f"{route.method} {route.resource.canonical}" for route in routes if route.method != "HEAD"}
    finally:
        exporter.store.close()
    assert set(re.findall(r"`((?:GET|POST|DELETE|OPTIONS) /[^`]*)`", section("HTTP"))) == served


def test_the_example_config_is_right(tmp_path):
    [example] = re.findall(r"```yaml\n(.*?)```", section("Config"), re.DOTALL)
    (tmp_path / "llmq.yaml").write_text(example)
    assert load(tmp_path / "llmq.yaml").store.content == "none"
    assert yaml.safe_load(example)


def test_the_example_of_a_judge_and_its_rubric_are_right(tmp_path):
    judge, rubric = re.findall(r"```yaml\n(.*?)```", section("The judge"), re.DOTALL)
    (tmp_path / "rubrics").mkdir()
    (tmp_path / "rubrics" / "tone.yaml").write_text(rubric)
    (tmp_path / "anchors.jsonl").touch()
    (tmp_path / "llmq.yaml").write_text(judge)
    config = load(tmp_path / "llmq.yaml", environ={"LLMQ_JUDGE_KEY": "a-key-of-some-length"})
    assert config.warnings == ()
    assert [one.name for one in config.judge.rubrics] == ["faithfulness", "helpfulness", "tone"]


def test_the_example_of_privacy_is_right(tmp_path):
    [example] = re.findall(r"```yaml\n(.*?)```", section("Privacy"), re.DOTALL)
    (tmp_path / "llmq.yaml").write_text(example)
    config = load(tmp_path / "llmq.yaml")
    assert config.warnings == ()
    assert config.privacy.redactor().text("C-123456 of ada@example.com") == "[customer] of [email]"
    assert config.privacy.redact == load(None).privacy.redact


def test_files_that_the_readme_names_exist():
    named = re.findall(r"(?:tests|exporter)/[\w./-]+\.(?:pb|py|yaml)", README)
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []
