"""Offline results against production: do they still say the same, how old are they, and what was never run."""

from typing import Final

from ..rules.compare import GAP
from ..rules.files import RuleSettings
from ..rules.promql import number, selector
from . import choices, queries
from .grafana import Dashboard, GrafanaPanel, GrafanaRow, Query, Variable, override
from .panels import RATIO, Column, count_on_the_right, graph, line, table

SUITE: Final = Variable(name="suite", label="Suite", query="label_values(llmq_offline_cases, suite)")
EVALUATOR: Final = Variable(
    name="evaluator",
    label="Evaluator",
    query='label_values(llmq_offline_cases{suite=~"$suite"}, evaluator)',
    all_value="",
)
VERSION: Final = (
    'evaluator=~"$evaluator"',
    'app=~"$app"',
    'model_version=~"$model_version"',
    'prompt_version=~"$prompt_version"',
)
IN_SUITE: Final = ('suite=~"$suite"', *VERSION)
LABELS: Final = ("suite", "evaluator", "app", "prompt_version", "model_version")
JOIN: Final = "on (evaluator, app, prompt_version, model_version)"


def offline_online(settings: RuleSettings) -> Dashboard:
    """The dashboard that the alerts on offline results link to."""
    return Dashboard(
        uid="llmq-offline",
        title="LLM quality / Offline and online",
        description="Do the offline suites still say what production says, and are they up to date",
        variables=[SUITE, EVALUATOR, choices.APP, *choices.versions(VERSION[1])],
        marks=choices.marks(*VERSION[1:]),
        since="now-2d",
        content=[
            _gap(),
            _change(settings),
            _versions(),
            GrafanaRow(20, "By version", [_rates(), _age(settings)]),
            GrafanaRow(30, "What serves users, and what of it was ever run offline", [_covered(), _uncovered()]),
        ],
    )


def _suite(series: str) -> str:
    return selector(f"suite:llmq_{series}", 'suite=~"$suite"', 'evaluator=~"$evaluator"', 'app=~"$app"')


def _gap() -> GrafanaPanel:
    gap, events = _suite("online_minus_offline:ratio_increase1d"), _suite("compared_evaluations:increase1d")
    return graph(
        1,
        "Online minus offline, last day",
        "Pass rate of the last day online minus that of the suite, over the versions that serve users, weighted by "
        "their traffic; dashed: the same a week before. The populations differ, so a steady gap is normal: a gap that "
        "moves is not. The bars are the answers online.",
        Query(gap, "{{suite}} {{app}} {{evaluator}}"),
        Query(f"{gap} offset 1w", "{{suite}} {{app}} {{evaluator}}, a week before"),
        Query(f"sum({events})", "n"),
        unit=RATIO,
        overrides=[line("week before$", "text"), override("byRegexp", "/^(?!n$)/", min=None), count_on_the_right()],
    )


def _change(settings: RuleSettings) -> GrafanaPanel:
    gap, variance = _suite("online_minus_offline:ratio_increase1d"), _suite("online_minus_offline:variance_increase1d")
    z = number(settings.widened(settings.comparison_z))
    events = _suite("compared_evaluations:increase1d")
    return graph(
        2,
        "How far the gap moved in a week",
        "Change of the gap, and what chance alone can do: the alert needs more than both lines. The bars are the "
        "answers online.",
        Query(f"abs({gap} - {gap} offset 1w)", "{{suite}} {{app}} {{evaluator}}"),
        Query(f"max({z} * sqrt({variance} + {variance} offset 1w))", "chance"),
        Query(f"vector({number(GAP)})", "alert"),
        Query(f"sum({events})", "n"),
        unit=RATIO,
        overrides=[line("^chance$", "yellow"), line("^alert$", "red"), count_on_the_right()],
    )


def _per_version(series: str, labels: tuple[str, ...] = LABELS) -> str:
    where = IN_SUITE if "suite" in labels else VERSION
    return f"max by ({', '.join(labels)}) ({selector(series, *where)})"


def _versions() -> GrafanaPanel:
    passed, cases = _per_version("llmq_offline_passed_cases"), _per_version("llmq_offline_cases")
    online = _per_version("version:llmq_online_pass:ratio_increase1d", LABELS[1:])
    events = _per_version("version:llmq_evaluations:increase1d", LABELS[1:])
    return table(
        3,
        "Offline and online of each version",
        "Pass rates of each version in its suite, with the 95 % interval, and of the last day online.",
        [
            Column("suite", "Suite"),
            Column("evaluator", "Evaluator"),
            Column("app", "App"),
            Column("prompt_version", "Prompt version"),
            Column("model_version", "Model version"),
            Column("A", "Offline", unit=RATIO, decimals=1),
            Column("B", "Cases"),
            Column("C", "At least", unit=RATIO, decimals=1),
            Column("D", "At most", unit=RATIO, decimals=1),
            Column("E", "Online", unit=RATIO, decimals=1),
            Column("F", "n online"),
            Column("G", "Last run", unit="dateTimeFromNow", custom__width=130),
        ],
        Query(queries.share(passed, cases)),
        Query(cases),
        Query(queries.low(passed, cases)),
        Query(queries.high(passed, cases)),
        Query(_beside_cases(online, cases)),
        Query(_beside_cases(events, cases)),
        Query(f"{_per_version('llmq_offline_timestamp_seconds')} * 1000"),
        sort="n online",
        height=9,
    )


def _beside_cases(online: str, cases: str) -> str:
    """The online series once for each suite, so that both stand in one row."""
    return f"{cases} * 0\n+ {JOIN} group_left () {online}"


def _rates() -> GrafanaPanel:
    labels = LABELS[1:]
    name = "{{evaluator}} {{prompt_version}} {{model_version}}"
    return graph(
        21,
        "Pass rates online, and in the suite",
        "Pass rate of each version over the last day; dashed: in its suite. The bars are the answers online.",
        Query(_per_version("version:llmq_online_pass:ratio_increase1d", labels), name),
        Query(_per_version("version:llmq_offline_pass:ratio"), f"{name}, offline"),
        Query(f"sum({_per_version('version:llmq_evaluations:increase1d', labels)})", "n"),
        unit=RATIO,
        height=9,
        overrides=[line("offline$", "text"), override("byRegexp", "/^(?!n$)/", min=None, max=1), count_on_the_right()],
    )


def _age(settings: RuleSettings) -> GrafanaPanel:
    oldest = f"time() - {_per_version('llmq_offline_timestamp_seconds', ('suite', 'prompt_version', 'model_version'))}"
    return graph(
        22,
        "Age of offline results",
        "Time since a version was last run on its suite; beyond the line the alert fires if it serves users.",
        Query(oldest, "{{suite}} {{prompt_version}} {{model_version}}"),
        Query(f"vector({settings.offline_max_age})", "too old"),
        unit="s",
        height=9,
        overrides=[line("^too old$", "red")],
    )


def _covered() -> GrafanaPanel:
    labels = ("app", "prompt_version", "model_version")
    live = queries.by(labels, selector("version:llmq_evaluations:increase1d", *VERSION[1:]))
    cases = f"max by ({', '.join(labels)}) ({selector('llmq_offline_cases', *IN_SUITE[:1], *VERSION[1:])})"
    return table(
        31,
        "Versions online and their offline cases",
        "Every version that gave verdicts in the last day, and the cases on which it was run offline: 0 means never.",
        [
            Column("app", "App"),
            Column("prompt_version", "Prompt version"),
            Column("model_version", "Model version"),
            Column("A", "Verdicts, 1d"),
            Column("B", "Cases"),
        ],
        Query(live),
        Query(f"{cases} and {live}\nor {live} * 0"),
        sort="Verdicts, 1d",
        width=12,
    )


def _uncovered() -> GrafanaPanel:
    def failures(*matchers: str) -> str:
        return f"sum by (app) (increase({selector('llmq_offline_failures_total', VERSION[1], *matchers)}[1d]))"

    return graph(
        32,
        "Failures that no suite covers, 1d",
        "Share of failures in production that have no near neighbour among the questions of the app's suites: cases to "
        "review and add. The bars are the failures.",
        Query(queries.share(failures('coverage="uncovered"'), failures()), "{{app}}"),
        Query(f"sum({failures()})", "n"),
        unit=RATIO,
        overrides=[count_on_the_right()],
    )
