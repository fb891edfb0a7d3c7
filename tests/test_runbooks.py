"""Every alert has a runbook and every runbook its alert; what a runbook tells people to run can be run."""

import re
from pathlib import Path

import promql_parser
import pytest

from exporter.metrics.catalogue import CATALOGUE
from exporter.rules.files import groups
from exporter.rules.rulefile import Alert, Links, Record

RUNBOOKS = {path.stem: path.read_text() for path in (Path(__file__).parent.parent / "alerts" / "runbooks").glob("*.md")}
RULES = [rule for found in groups().values() for group in found for rule in group.rules]
ALERTS = {rule.name: rule for rule in RULES if isinstance(rule, Alert)}
READ = {name for rule in RULES for name in re.findall(r"\bllmq_\w+", rule.expr)}
PARTS = {f"{family.name}_{part}" for family in CATALOGUE for part in ("sum", "count", "bucket")}
OTHERS = {"up", "ALERTS", "scrape_samples_scraped"}
KNOWN = READ | PARTS | OTHERS | {family.name for family in CATALOGUE}
KNOWN |= {rule.name for rule in RULES if isinstance(rule, Record)}


def queries(text):
    return re.findall(r"```promql\n(.*?)```", text, re.DOTALL)


def test_alerts_and_runbooks_belong_together():
    assert RUNBOOKS.keys() == ALERTS.keys()


@pytest.mark.parametrize("name", sorted(RUNBOOKS))
def test_a_runbook_says_what_it_means_does_and_asks_for(name):
    text = RUNBOOKS[name]
    assert re.findall(r"^#+ .+$", text, re.MULTILINE) == [
        f"# {name}",
        "## Meaning",
        "## Impact",
        "## Diagnosis",
        "## Mitigation",
    ]
    assert all(len(part.strip()) > 40 for part in re.split(r"^## \w+$", text, flags=re.MULTILINE)[1:])


@pytest.mark.parametrize("name", sorted(RUNBOOKS))
def test_a_runbook_links_the_dashboard_of_its_alert(name):
    assert f"]({Links().dashboard(ALERTS[name].dashboard, (), {})})" in RUNBOOKS[name]


@pytest.mark.parametrize("name", sorted(RUNBOOKS))
def test_the_queries_of_a_runbook_can_be_run(name):
    found = queries(RUNBOOKS[name])
    assert found
    for query in found:
        promql_parser.parse(query)
        metrics = set(re.findall(r"\b[a-z]+:\w+:\w+|\bllmq_\w+|\bup\b|\bALERTS\b|\bscrape_\w+", query))
        assert metrics
        assert metrics <= KNOWN, name


def test_alerts_that_runbooks_name_exist():
    named = {name for text in RUNBOOKS.values() for name in re.findall(r"\bLLMQuality\w+", text)}
    assert named <= ALERTS.keys()
