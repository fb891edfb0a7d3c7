"""Every guard of every alert is there for a reason: without it, a promtool case fails."""

import json
import re
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from msgspec.structs import replace

from exporter.rules.files import groups
from exporter.rules.rulefile import Alert, Links, document
from exporter.rules.slo import DEFAULT_SLOS

CASES = sorted((Path(__file__).parent / "rules").glob("*.test.yaml"))
CLAUSE = re.compile(r"\n(?=(?:and|unless) )")
LINKS = Links()


def mutants(alert):
    """The alert without its ``for``, and without each ``and`` and ``unless``, under names of their own."""
    clauses = CLAUSE.split(alert.expr)
    found = [replace(alert, name=f"{alert.name}__for", pending="")] if alert.pending else []
    for number in range(1, len(clauses)):
        expr = "\n".join(clauses[:number] + clauses[number + 1 :])
        found.append(replace(alert, name=f"{alert.name}__{number}", expr=expr))
    return found


def unchanged(alert):
    return [replace(alert, name=f"{alert.name}__same")]


def fed(case):
    """The SLOs to which the case gives events; the others would only take time."""
    words = set(re.findall(r"\w+", case.read_text()))
    sources = {"coverage": "llmq_evaluation_failures_total", "thumbs_down": "thumbs_down"}
    return [slo for slo in DEFAULT_SLOS if getattr(slo.measure, "evaluator", sources.get(slo.name)) in words]


def run(case, change, folder, slos):
    """The case on mutants of every alert: the mutants' names, and the names of those that fail it."""
    cases, found = yaml.safe_load(case.read_text()), groups(slos)
    names = [Path(name).name for name in cases["rule_files"]]
    watched = {expected["alertname"] for each in cases["tests"] for expected in each["alert_rule_test"]}
    born = set()
    for name in names:
        mutated = [replace(group, rules=[*with_mutants(group.rules, change, watched, born)]) for group in found[name]]
        # The link to the runbook has the alert's name; here all mutants share their parent's.
        text = json.dumps(document(mutated, LINKS))
        (folder / name).write_text(re.sub(r"(/runbooks/\w+?)__\w+", r"\1", text))
    for each in cases["tests"]:
        each["alert_rule_test"] = [
            {**expected, "alertname": name}
            for expected in each["alert_rule_test"]
            for name in sorted(born)
            if name.split("__")[0] == expected["alertname"]
        ]
    (folder / case.name).write_text(json.dumps({**cases, "rule_files": names}))
    command = ["promtool", "test", "rules", str(folder / case.name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return born, set(re.findall(r"alertname: (\w+)", done.stdout + done.stderr))


def with_mutants(rules, change, watched, born):
    for rule in rules:
        if not isinstance(rule, Alert):
            yield rule
        elif rule.name in watched:
            changed = change(rule)
            born |= {mutant.name for mutant in changed}
            yield from changed


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name.removesuffix(".test.yaml"))
def test_an_alert_without_one_of_its_guards_fails_its_cases(case, tmp_path):
    born, failing = run(case, mutants, tmp_path, fed(case))
    assert born
    assert born - failing == set(), "no case notices that these guards are gone"


def the(name):
    return next(path for path in CASES if path.name == name)


def test_a_line_without_its_cap_misses_the_collapse(tmp_path):
    case = the("slo-1h.test.yaml")
    uncapped = [
        replace(slo, windows=tuple(replace(window, cap=Decimal(99)) for window in slo.windows)) for slo in fed(case)
    ]
    _, failing = run(case, unchanged, tmp_path, uncapped)
    assert failing == {"LLMQualityBudgetBurn__same"}


def test_what_is_unscored_by_right_would_page_if_it_were_not_taken_off(tmp_path):
    def counting_it(alert):
        kept = alert.expr.replace("\n- app:llmq_excused_evaluations:increase1h", "")
        return [replace(alert, name=f"{alert.name}__all", expr=kept)] if kept != alert.expr else []

    born, failing = run(the("exporter.test.yaml"), counting_it, tmp_path, [])
    assert born == failing == {"LLMQualityVerdictsMissing__all"}


def test_alerts_that_are_not_changed_fail_nothing(tmp_path):
    case = the("slo-6h.test.yaml")
    assert run(case, unchanged, tmp_path, fed(case)) == ({"LLMQualityBudgetBurn__same"}, set())
