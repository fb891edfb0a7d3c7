"""Alertmanager routes and inhibitions for these alerts.

Knows the labels of alerts, not receivers: those it names (pager, tickets, dead-mans-switch, nobody) are yours to fill.
"""

from collections.abc import Sequence
from typing import Any, Final

import yaml

from .rulefile import MARK

FILE: Final = "alertmanager-routes.yml"
_HEADER: Final = f"{MARK}: DO NOT EDIT. Merge it into the config of your Alertmanager, which names the receivers.\n"


def routing(where: Sequence[str]) -> dict[str, Any]:
    """The sections ``route`` and ``inhibit_rules``; ``where`` are the labels by which environments are told apart."""
    waits = {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"}
    slow = {"group_wait": "5m", "group_interval": "1h", "repeat_interval": "3d"}
    always = {"group_wait": "0s", "group_interval": "1m", "repeat_interval": "5m"}
    of_route = {"group_by": ["app", "route", *where]}
    of_app = {"group_by": ["app", *where]}
    of_slis, of_routes, of_apps = ['sli=~".+"'], ['route=~".+"'], ['sli=~".+"', 'app=~".+"']
    routes: list[dict[str, Any]] = [
        {"matchers": ['alertname="Watchdog"'], "receiver": "dead-mans-switch", **always},
        {"matchers": ['severity="none"'], "receiver": "nobody"},
        {"matchers": ['severity="page"'], "receiver": "pager", "routes": [{"matchers": of_slis, **of_route}]},
        {
            "matchers": ['severity="ticket"'],
            "receiver": "tickets",
            **slow,
            "routes": [{"matchers": of_routes, **of_route}, {"matchers": of_apps, **of_app}],
        },
    ]
    root = {"receiver": "tickets", "group_by": ["alertname", *where], **waits, "routes": routes}
    return {"route": root, "inhibit_rules": [*_coarser(where), *_causes(where)]}


def _coarser(where: Sequence[str]) -> list[dict[str, Any]]:
    """Of several alerts on the same bad answers, one is heard."""
    app, page, ticket = ["sli", "app"], 'severity="page"', 'severity="ticket"'
    return [
        _inhibit([page, 'level="app"'], [page, 'level="route"'], [*app, *where]),
        _inhibit([ticket, 'level="app"'], [ticket, 'level="slice"'], [*app, *where]),
        _inhibit([page, 'level="app"'], [ticket, 'level=~"app|slice|route"'], [*app, *where]),
        _inhibit([page, 'level="route"'], [ticket, 'level=~"slice|route"'], [*app, "route", *where]),
        _inhibit([page, 'level="route"'], ['alertname="LLMQualityVersionWorse"'], ["app", "route", *where]),
    ]


def _causes(where: Sequence[str]) -> list[dict[str, Any]]:
    """What follows from something is not said beside it."""
    return [
        _follows("VerdictsMissing", "CoverageDown|LLMQualityScoringFailing", ["evaluator", *where]),
        _follows("JudgeBudgetGone", "CoverageDown", ["evaluator", *where]),
        _follows(
            "StoreTrouble",
            "BackPressure|LLMQualityJournalFilling|LLMQualityScoringStalled",
            ["job", "instance", *where],
        ),
        _inhibit(
            ['alertname="LLMQualityMetricsAbsent"'],
            ['alertname=~"LLMQuality.+"', 'alertname!="LLMQualityMetricsAbsent"'],
            [*where],
        ),
    ]


def _follows(cause: str, effects: str, equal: list[str]) -> dict[str, Any]:
    operator = "=~" if "|" in effects else "="
    return _inhibit([f'alertname="LLMQuality{cause}"'], [f'alertname{operator}"LLMQuality{effects}"'], equal)


def _inhibit(source: list[str], target: list[str], equal: list[str]) -> dict[str, Any]:
    return {"source_matchers": source, "target_matchers": target, "equal": equal}


def text(where: Sequence[str]) -> str:
    """The fragment as a file."""
    return _HEADER + yaml.safe_dump(routing(where), sort_keys=False, width=120)
