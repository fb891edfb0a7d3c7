"""Version against version: each against the others on its route, as the alert compares them, and two head to head."""

from collections.abc import Sequence
from typing import Final

from ..rules.compare import DIFFERENCE
from ..rules.files import RuleSettings
from ..rules.promql import SAMPLE, number, selector
from ..rules.slo import Slo
from . import choices, queries
from .grafana import Dashboard, GrafanaPanel, GrafanaRow, Query, Variable, bad_answers, cell, override
from .panels import BLUE, COUNT, RATIO, Column, band, count_on_the_right, graph, heat, line, table, tiles
from .queries import CHOSEN, Z

EVALUATOR: Final = Variable(
    name="evaluator",
    label="Evaluator",
    query="label_values(llmq_evaluations_total, evaluator)",
    default="grounding",
    every=False,
)
MINE: Final = 'evaluator="$evaluator"'
PLACE: Final = ('app=~"$app"', 'route=~"$route"')
LABELS: Final = ("app", "route", "evaluator_version", "version")
HOUR: Final = "$window"
ORANGE: Final = "orange"


def version_compare(slos: Sequence[Slo], settings: RuleSettings) -> Dashboard:
    """The dashboard that the alert on a worse version links to."""
    spans = queries.spans(slos)
    return Dashboard(
        uid="llmq-versions",
        title="LLM quality / Versions",
        description="Is a prompt or model version worse than the others on its route, by how much, how surely",
        variables=[
            Variable(name="dimension", label="Compare", values=("prompt_version", "model_version"), every=False),
            EVALUATOR,
            *choices.SLICE,
            *_pickers(),
            Variable(name="window", label="Window", values=spans.every, default=spans.fast, every=False),
        ],
        marks=choices.MARKS,
        content=[
            GrafanaRow(10, "Each $dimension against the others on its route: $evaluator", _against_others(settings)),
            GrafanaRow(20, "Head to head: A is $version_a, B is $version_b", _head_to_head()),
            GrafanaRow(30, "Scores by model version", [_scores()]),
            GrafanaRow(40, "Beside quality", _beside()),
        ],
    )


def _pickers() -> tuple[Variable, Variable]:
    """A, at first that of the chosen versions seen last, and B, at first the last of the others on the same routes."""
    seen = selector("llmq_version_first_seen_timestamp_seconds", *CHOSEN)
    others = selector("llmq_version_first_seen_timestamp_seconds", *PLACE)
    beside = selector("llmq_version_first_seen_timestamp_seconds", *PLACE, '$dimension="$version_a"')
    newest = "query_result(topk(100, max by ($dimension) ({})))".format
    return (
        Variable(name="version_a", label="A", query=newest(seen), regex='/="([^"]+)"/', every=False, sort=0),
        Variable(
            name="version_b",
            label="B",
            query=newest(f"{others} and on (app, route) {beside}"),
            regex='/="(?!${version_a:regex}")([^"]+)"/',
            every=False,
            sort=0,
        ),
    )


def _recorded(series: str) -> str:
    """A series that the rules record for each version, whose label is then called ``version``."""
    where = ('prompt_version=~"$prompt_version|"', 'model_version=~"$model_version|"')
    source = selector(f"${{dimension}}:llmq_{series}increase6h", MINE, *PLACE, *where)
    named = f'label_replace({source}, "version", "$1", "$dimension", "(.+)")'
    return f"max by ({', '.join(LABELS)}) ({named})"


def _others(metric: str, own: str) -> str:
    """What the other versions on the route have: the route without each version."""
    route = ", ".join(label for label in LABELS if label != "version")
    source = selector(f"route:llmq_{metric}:increase6h", MINE, *PLACE)
    return f"(max by ({route}) ({source}) - on ({route}) group_right () {own})"


def _against_others(settings: RuleSettings) -> list[GrafanaPanel]:
    bad, events = _recorded("failing_evaluations:"), _recorded("evaluations:")
    other_bad, others = _others("failing_evaluations", bad), f"({_others('evaluations', events)} >= 1)"
    difference, z = _recorded("failing_difference:ratio_"), f"{_recorded('failing:z_')} > -Inf"
    columns = {"app": "App", "route": "Route", "${dimension}": "Version"}
    theirs = {"evaluator": "${evaluator:percentencode}", "verdict": "fail",
              **{name: cell(column) for name, column in columns.items()}}  # fmt: skip
    limit = settings.widened(settings.comparison_z)
    return [
        table(
            11,
            "Last 6h, and against the rest",
            "What the alert reads: the share of failing answers of each version, that of all others on the same route, "
            f"their difference, and its z statistic. The alert needs z above {number(limit)}, a difference above "
            f"{DIFFERENCE:.0%} and a hundred answers on both sides.",
            [
                Column("app", "App"),
                Column("route", "Route"),
                Column("version", "Version"),
                Column("evaluator_version", "Evaluator version"),
                Column("A", "Failing", unit=RATIO, decimals=1, links=[bad_answers(settings.links.answers, theirs)]),
                Column("B", "n"),
                Column("C", "Others", unit=RATIO, decimals=1),
                Column("D", "n others"),
                Column("E", "Difference", unit=RATIO, decimals=1),
                Column("F", "z", decimals=1),
            ],
            Query(queries.share(bad, events)),
            Query(events),
            Query(queries.share(other_bad, others)),
            Query(others),
            Query(difference),
            Query(z),
            sort="z",
        ),
        graph(
            12,
            "Share that fails, last 6h",
            "The share of failing answers of each version on each route. The bars are the answers of all of them.",
            Query(queries.share(bad, events), "{{route}} {{version}}"),
            Query(f"sum({events})", "n"),
            unit=RATIO,
            overrides=[count_on_the_right()],
        ),
        graph(
            13,
            "z of the difference from the others",
            "How many standard deviations a version's share of failing answers lies above that of the others on its "
            "route, below it where it is negative; the line is the alert's.",
            Query(z, "{{route}} {{version}}"),
            Query(f"vector({number(limit)})", "alert"),
            unit="short",
            overrides=[override("byRegexp", "/./", min=None), line("^alert$", "red")],
        ),
    ]


def _counts(version: str) -> tuple[str, str]:
    where = (MINE, SAMPLE, *PLACE, f'$dimension="{version}"')
    failing = selector("llmq_evaluations_total", *where, 'verdict="fail"')
    every = selector("llmq_evaluations_total", *where)
    return f"sum(increase({failing}[{HOUR}]))", f"sum(increase({every}[{HOUR}]))"


def _head_to_head() -> list[GrafanaPanel]:
    a, b = _counts("$version_a"), _counts("$version_b")
    ratio_a, ratio_b = queries.share(*a), queries.share(*b)
    difference = f"({ratio_a}) - ({ratio_b})"
    spread = f"{Z} * sqrt({_variance(*a)} + {_variance(*b)})"
    return [
        _tile(21, "A fails", "Share of failing answers of A.", ratio_a, RATIO),
        _tile(22, "n of A", "Answers of A that the share rests on.", a[1], COUNT),
        _tile(23, "B fails", "Share of failing answers of B.", ratio_b, RATIO),
        _tile(24, "n of B", "Answers of B that the share rests on.", b[1], COUNT),
        _tile(25, "A minus B", "Difference of the shares; above 0 A is worse.", difference, RATIO),
        _tile(26, "± at 95 %", "Half the width of the difference's interval.", spread, RATIO),
        graph(
            27,
            f"Share that fails, last {HOUR}",
            "Both shares with their 95 % Wilson intervals. Choose one route: a shift of traffic between routes looks "
            "like a difference of versions.",
            Query(ratio_a, "A"),
            Query(queries.low(*a), "A at least"),
            Query(queries.high(*a), "A at most"),
            Query(ratio_b, "B"),
            Query(queries.low(*b), "B at least"),
            Query(queries.high(*b), "B at most"),
            Query(f"{a[1]} + {b[1]}", "n"),
            unit=RATIO,
            overrides=[
                *band("A at least", "A at most", ORANGE),
                *band("B at least", "B at most", BLUE),
                override("byName", "A", color={"mode": "fixed", "fixedColor": ORANGE}),
                override("byName", "B", color={"mode": "fixed", "fixedColor": BLUE}),
                count_on_the_right(),
            ],
        ),
        graph(
            28,
            f"A minus B, last {HOUR}",
            "Difference of the shares with its 95 % interval: while the band holds 0, the versions may be equal. The "
            "bars are the answers of both.",
            Query(difference, "difference"),
            Query(f"{difference} - {spread}", "at least"),
            Query(f"{difference} + {spread}", "at most"),
            Query("vector(0)", "no difference"),
            Query(f"{a[1]} + {b[1]}", "n"),
            unit=RATIO,
            overrides=[
                *band("at least", "at most"),
                line("^no difference$", "green"),
                override("byRegexp", "/^(difference|at least|at most|no difference)$/", min=None),
                count_on_the_right(),
            ],
        ),
    ]


def _variance(bad: str, events: str) -> str:
    ratio = queries.share(bad, events)
    return f"({ratio}) * (1 - {ratio}) / {events}"


def _tile(number: int, title: str, description: str, expr: str, unit: str) -> GrafanaPanel:
    decimals = 1 if unit == RATIO else 0
    return tiles(
        number, title, f"{description} Over the chosen window.", Query(expr, title), unit=unit, decimals=decimals
    )


def _scores() -> GrafanaPanel:
    source = selector(
        "llmq_evaluation_score_bucket", MINE, SAMPLE, *CHOSEN[:2], 'model_version="$model_version"'
    )  # fmt: skip
    return heat(
        31,
        "Scores of $evaluator: $model_version",
        "How scores are spread, from 0 (bad) to 1, on the chosen routes; the dots are exemplars of bad answers and "
        "lead to their traces. Scores are not kept by prompt version.",
        Query(f"sum by (le) (increase({source}[$__rate_interval]))", exemplars=True),
        repeat="model_version",
    )


def _beside() -> list[GrafanaPanel]:
    buckets = selector("llmq_request_duration_seconds_bucket", *CHOSEN)
    cost = f"sum by ($dimension) (increase({selector('llmq_cost_dollars_total', *CHOSEN)}[{HOUR}]))"
    requests = f"sum by ($dimension) (increase({selector('llmq_requests_total', *CHOSEN)}[{HOUR}]))"
    return [
        graph(
            41,
            "Requests",
            "Requests of each version.",
            Query(requests, "{{$dimension}}"),
            unit="short",
            width=8,
        ),
        graph(
            42,
            "Latency, 95th percentile",
            "Time from start to end of a request's trace, by version.",
            Query(f"histogram_quantile(0.95, sum by (le, $dimension) (increase({buckets}[{HOUR}])))", "{{$dimension}}"),
            unit="s",
            width=8,
        ),
        graph(
            43,
            "Cost of 1,000 requests",
            "Dollars by the configured price table, by version; 0 for models without a price.",
            Query(f"1000 * {queries.share(cost, requests)}", "{{$dimension}}"),
            unit="currencyUSD",
            width=8,
        ),
    ]
