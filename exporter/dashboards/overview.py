"""The overview: what is wrong, since when, and which version did it. Every SLI against its objective."""

from collections.abc import Sequence
from typing import Final

from ..rules.counts import SLICE
from ..rules.promql import selector
from ..rules.rulefile import Links
from ..rules.slo import Slo
from . import choices, queries
from .grafana import (
    Dashboard,
    GrafanaPanel,
    GrafanaRow,
    Json,
    Query,
    Variable,
    address,
    bad_answers,
    cell,
    link_cell,
    of_line,
    override,
)
from .panels import (
    GREEN,
    GREY,
    ORANGE,
    RATIO,
    RED,
    YELLOW,
    Column,
    count_on_the_right,
    graph,
    line,
    painted,
    table,
    tiles,
)
from .queries import CHOSEN, LINE, OBJECTIVE, PER_SLI, Spans

SLI: Final = Variable(name="sli", label="SLI", query="label_values(sli:llmq_slo_objective:ratio, sli)")
_SLO_OF_ROW: Final = address("llmq-slo", {"sli": cell("SLI"), "app": cell("App")})


def overview(slos: Sequence[Slo], links: Links) -> Dashboard:
    """The dashboard to open first."""
    spans = queries.spans(slos)
    return Dashboard(
        uid="llmq-overview",
        title="LLM quality / Overview",
        description="What is wrong, since when, and which version did it: every SLI against its objective",
        variables=[*choices.SLICE, SLI],
        marks=choices.MARKS,
        content=[
            _states(spans),
            _alerts(),
            _culprits(spans, links.answers),
            _burn(spans, links.answers),
            _roll_outs(),
            GrafanaRow(
                20, "Every SLI against its objective", [_objectives(spans, links.answers), _each(spans, links.answers)]
            ),
            GrafanaRow(30, "Does the offline suite still say what production says", [_suites()]),
            GrafanaRow(40, "Beside quality", _beside()),
        ],
    )


def _tally(labels: Sequence[str], window: str, name: str) -> str:
    """Counts of the chosen slices, and of the coverage of evaluators, which has no slices."""
    slices = queries.by(labels, selector(f"slice:llmq_sli_{name}:increase{window}", 'sli=~"$sli"', *CHOSEN))
    coverage = [label if label not in SLICE else "evaluator" for label in labels]
    coverage = list(dict.fromkeys(coverage))
    whole = queries.by(coverage, selector(f"evaluator:llmq_sli_{name}:increase{window}", 'sli=~"$sli"'))
    return f"({slices} or {whole})"


def _states(spans: Spans) -> GrafanaPanel:
    window, labels = spans.fast, ("sli", "objective", "app", "route")
    bad, events = (_tally(labels, window, name) for name in ("bad_events", "events"))
    ratio = queries.share(bad, events)
    enough = f"{bad} >= {PER_SLI} sli:llmq_slo_min_bad_events:count"
    page = 'ALERTS{alertstate="firing",severity="page"}'
    above = f"{ratio} > {PER_SLI} max by (sli, objective) ({LINE})\nand {enough}"
    alerting = f"({above}\nor {ratio} and on (sli, app) {page})"
    over = f"({ratio} and {queries.low(bad, events)} > {PER_SLI} (1 - {OBJECTIVE}))"
    worst = "min by (sli) (1 - {})".format
    pooled = f"(1 - sum by (sli) ({bad}) / (sum by (sli) ({events}) > 0))"
    within = f"({pooled} >= on (sli) max by (sli) ({OBJECTIVE}))"
    return tiles(
        1,
        f"Good answers of every SLI, last {window}: of the worst route where red or orange, else of all routes",
        "Red: a page fires, or a route is above all alert lines of the SLI, with the bad events that an alert needs. "
        "Orange: a route surely overspends its budget (the lower 95 % bound of its bad ratio is above it). Both show "
        "the worst such route. Green: all routes together are within the objective. Yellow: they are not, and it may "
        "be chance. Grey: an objective without any data, which is not a good SLI. Lines and objectives are recorded "
        "series.",
        Query(worst(alerting), "{{sli}}", instant=True),
        Query(f"{worst(over)}\nunless on (sli) {worst(alerting)}", "{{sli}}", instant=True),
        Query(f"{within}\nunless on (sli) {over}", "{{sli}}", instant=True),
        Query(f"{pooled}\nunless on (sli) {within}\nunless on (sli) {over}", "{{sli}}", instant=True),
        Query(f'min by (sli) ({OBJECTIVE}{{sli=~"$sli"}} * 0 - 1) unless on (sli) {events}', "{{sli}}", instant=True),
        unit=RATIO,
        width=24,
        height=4,
        colour="background",
        decimals=1,
        overrides=[
            painted(ref, colour) for ref, colour in zip("ABCDE", (RED, ORANGE, GREEN, YELLOW, GREY), strict=True)
        ],
        mappings=[{"type": "value", "options": {"-1": {"text": "no data", "index": 0}}}],
    )


_TILES: Final = (RED, ORANGE, GREEN, YELLOW, GREY)


def _alerts() -> GrafanaPanel:
    labels = "severity, alert, what, app"
    firing = 'ALERTS{alertstate="firing",severity=~"page|ticket",app=~"$app|"}'
    since = f"ALERTS_FOR_STATE and ignoring (alertstate) {firing}"
    for label, source in (("alert", "alertname"), ("what", "evaluator"), ("what", "sli")):
        since = f'label_replace({since}, "{label}", "$1", "{source}", "(?:LLMQuality)?(.+)")'
    where = address("llmq-slo", {"sli": cell("What"), "app": cell("App")})
    return table(
        2,
        "What is wrong, and since when",
        "Alerts that fire, one line for each SLI and app; since when the oldest of them has been true, and how many "
        "there are over routes, slices and windows. Alertmanager shows them one by one.",
        [
            Column("severity", "Severity", mappings=_SEVERITIES, custom__width=78,
                   custom__cellOptions={"type": "color-background", "mode": "basic"}),
            Column("alert", "Alert", custom__width=140),
            Column("what", "What", links=link_cell("SLO detail", where), custom__width=100),
            Column("app", "App", custom__width=75),
            Column("A", "Since", unit="dateTimeFromNow", custom__width=125),
            Column("B", "Alerts", custom__width=65),
        ],
        Query(f"min by ({labels}) ({since}) * 1000"),
        Query(f"count by ({labels}) ({since})"),
        sort="Severity",
        rising=True,
        width=9,
        empty="no alert fires",
    )  # fmt: skip


_SEVERITIES: Final[list[Json]] = [
    {
        "type": "value",
        "options": {
            "page": {"text": "page", "color": RED, "index": 0},
            "ticket": {"text": "ticket", "color": ORANGE, "index": 1},
        },
    }
]


def _culprits(spans: Spans, answers: str) -> GrafanaPanel:
    labels = ("sli", "objective", *SLICE)
    bad, events = (query(labels, spans.fast, 'sli=~"$sli"') for query in (queries.bad, queries.events))
    beyond = f"{bad}\n  - {events} * {PER_SLI} (1 - {OBJECTIVE})"
    worst = f"topk(6, ({beyond})\n  and {queries.low(bad, events)} > {PER_SLI} (1 - {OBJECTIVE}))"
    seen = f"max by ({', '.join(SLICE)}) (llmq_version_first_seen_timestamp_seconds)"
    where = address("llmq-versions", {
        "app": cell("App"), "route": cell("Route"), "prompt_version": cell("Prompt version"),
    })  # fmt: skip
    columns = {"sli": "SLI", "app": "App", "route": "Route", "prompt_version": "Prompt version",
               "model_version": "Model version"}  # fmt: skip
    theirs = bad_answers(answers, {name: cell(column) for name, column in columns.items()})
    return table(
        3,
        f"Which version did it, last {spans.fast}",
        "The slices with the most bad answers beyond their budget, of those that surely overspend it (lower 95 % "
        "bound), with their answers and when the version was first seen.",
        [
            Column("prompt_version", "Prompt version", links=[*link_cell("Compare versions", where), theirs],
                   custom__width=118),
            Column("model_version", "Model version", custom__minWidth=124),
            Column("E", "First seen", unit="dateTimeFromNow", custom__width=122),
            Column("sli", "SLI", custom__width=108),
            Column("app", "App", custom__width=66),
            Column("route", "Route", custom__width=70),
            Column("A", "Bad", custom__width=46),
            Column("B", "of", custom__width=46),
            Column("C", "Ratio", unit=RATIO, decimals=0, custom__width=58),
            Column("D", "Over budget", custom__width=112),
        ],
        Query(f"{bad}\nand {worst}"),
        Query(f"{events}\nand {worst}"),
        Query(f"{queries.share(bad, events)}\nand {worst}"),
        Query(worst),
        Query(f"({worst}) * 0\n+ on ({', '.join(SLICE)}) group_left () {seen} * 1000"),
        sort="Over budget",
        hidden=["objective"],
        width=15,
        empty="no version overspends its budget",
    )  # fmt: skip


def _burn(spans: Spans, answers: str) -> GrafanaPanel:
    window, labels = spans.fast, ("sli", "objective", "app", "route")
    bad, events = (_tally(labels, window, name) for name in ("bad_events", "events"))
    return graph(
        4,
        "Since when: how fast budgets burn, for sure",
        f"Lower 95 % bound of the bad ratio of the last {window}, as a multiple of the budget, for the worst route of "
        "each SLI. Above 1 the objective is surely being missed; chance alone stays below. The marks are versions "
        "that were first seen, the red spans are pages.",
        Query(f"max by (sli) ({queries.low(bad, events)} / {PER_SLI} (1 - {OBJECTIVE}))", "{{sli}}"),
        Query(f"max({OBJECTIVE} / {OBJECTIVE})", "budget"),
        unit="suffix: budgets",
        width=15,
        height=9,
        overrides=[line("^budget$", "red")],
        values=["lastNotNull", "max"],
        links=[bad_answers(answers, {"sli": of_line("sli")}, SLICE)],
    )


def _roll_outs() -> GrafanaPanel:
    return graph(
        5,
        "Requests by prompt version",
        "Requests for each prompt version and app: roll-outs, roll-backs and holes in the traffic.",
        Query(queries.requests(("app", "prompt_version"), "$__rate_interval"), "{{app}} {{prompt_version}}"),
        unit="short",
        width=9,
        height=9,
        stacked=True,
        interval="2m",
        values=["sum"],
    )


def _objectives(spans: Spans, answers: str) -> GrafanaPanel:
    labels = ("sli", "objective", "app")
    fast, slow = (
        (queries.bad(labels, window, 'sli=~"$sli"'), queries.events(labels, window, 'sli=~"$sli"'))
        for window in (spans.fast, spans.slow)
    )
    burnt = f"{queries.share(*slow)} / {PER_SLI} (1 - {OBJECTIVE})"
    theirs = bad_answers(answers, {"sli": cell("SLI"), "app": cell("App")}, SLICE)
    gauge = {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}
    return table(
        21,
        "Objectives",
        "Good answers of each app against the objective, with the number of answers that each ratio rests on. Budget "
        f"spent: the bad answers of the last {spans.slow} over those that the objective allows them.",
        [
            Column("sli", "SLI", links=[*link_cell("SLO detail", _SLO_OF_ROW), theirs], custom__minWidth=190),
            Column("app", "App"),
            Column("objective", "Objective", unit=RATIO, decimals=1),
            Column("A", f"Good, {spans.fast}", unit=RATIO, decimals=1),
            Column("B", f"of answers, {spans.fast}"),
            Column("C", f"Good, {spans.slow}", unit=RATIO, decimals=1),
            Column("D", f"of answers, {spans.slow}"),
            Column("E", "Budget spent", unit=RATIO, decimals=0, min=0, max=2, custom__width=330,
                   custom__cellOptions=gauge, color={"mode": "thresholds"}, thresholds=_SPENT),
        ],
        Query(f"1 - {queries.share(*fast)}"),
        Query(fast[1]),
        Query(f"1 - {queries.share(*slow)}"),
        Query(slow[1]),
        Query(burnt),
        sort="Budget spent",
        height=9,
    )  # fmt: skip


_SPENT: Final[Json] = {
    "mode": "absolute",
    "steps": [{"value": None, "color": GREEN}, {"value": 0.8, "color": ORANGE}, {"value": 1, "color": RED}],
}


def _each(spans: Spans, answers: str) -> GrafanaPanel:
    window = spans.fast
    bad, events = (_tally(("sli", "app"), window, name) for name in ("bad_events", "events"))
    bad, events = (text.replace('sli=~"$sli"', 'sli="$sli"') for text in (bad, events))
    return graph(
        22,
        f"$sli: bad answers, last {window}",
        "Ratio of bad answers by app, with the budget that the objective leaves and the line of the quickest page. "
        "The bars are the answers that it rests on.",
        Query(queries.share(bad, events), "{{app}}{{evaluator}}"),
        Query(f'max(1 - {OBJECTIVE}{{sli="$sli"}})', "budget"),
        Query(f'max({LINE}{{sli="$sli",window="{window}"}})', "page"),
        Query(f"sum({events})", "n"),
        unit=RATIO,
        width=8,
        height=8,
        overrides=[line("^budget$", "orange"), line("^page$", "red"), count_on_the_right()],
        repeat="sli",
        links=[bad_answers(answers, {"sli": "${sli:percentencode}", "app": of_line("app")}, SLICE)],
    )


def _suites() -> GrafanaPanel:
    gap = selector("suite:llmq_online_minus_offline:ratio_increase1d", CHOSEN[0])
    events = selector("suite:llmq_compared_evaluations:increase1d", CHOSEN[0])
    return graph(
        31,
        "Online minus offline pass rate, last day",
        "A suite that has fallen behind reality: production passes less than the suite says, and the gap grows. A "
        "steady gap is normal, because the populations differ. The bars are the answers online. Dashboard: Offline "
        "and online.",
        Query(gap, "{{suite}} {{app}} {{evaluator}}"),
        Query(f"sum({events})", "n"),
        unit=RATIO,
        width=24,
        height=7,
        overrides=[override("byRegexp", "/^(?!n$)/", min=None), count_on_the_right()],
        empty="no offline suite is pushed",
    )


def _quantile(metric: str, share: str) -> str:
    buckets = selector(f"{metric}_bucket", *CHOSEN[:3])
    return f"histogram_quantile({share}, sum by (le, model_version) (increase({buckets}[$__rate_interval])))"


def _beside() -> list[GrafanaPanel]:
    duration = selector("llmq_request_duration_seconds_bucket", *CHOSEN)
    per_model = ("model_version",)
    cost = queries.by(per_model, f"increase({selector('llmq_cost_dollars_total', *CHOSEN)}[$__rate_interval])")
    tokens = queries.by(
        ("direction",), f"increase({selector('llmq_tokens_total', *CHOSEN)}[$__rate_interval])"
    )  # fmt: skip
    slow = f"histogram_quantile(0.95, sum by (le, model_version) (increase({duration}[$__rate_interval])))"
    return [
        graph(
            41,
            "Latency, 95th percentile",
            "Time from start to end of a request's trace, by model version.",
            Query(slow, "{{model_version}}"),
            unit="s",
            width=8,
            interval="2m",
        ),
        graph(
            42,
            "Cost of 1,000 requests",
            "Dollars by the configured price table, by model version; 0 for models without a price.",
            Query(
                f"1000 * {queries.share(cost, queries.requests(per_model, '$__rate_interval'))}", "{{model_version}}"
            ),
            unit="currencyUSD",
            width=8,
        ),
        graph(
            43,
            "Tokens of a request",
            "Tokens that the models reported, per request.",
            Query(f"{tokens} / on () group_left () ({queries.requests((), '$__rate_interval')} > 0)", "{{direction}}"),
            unit="short",
            width=8,
        ),
        graph(
            44,
            "Time to first token, 95th percentile",
            "Time from the request to the first token, by model version; of streamed answers whose instrumentation "
            "says it.",
            Query(_quantile("llmq_time_to_first_token_seconds", "0.95"), "{{model_version}}"),
            unit="s",
            interval="2m",
            empty="no instrumentation sends it",
        ),
        graph(
            45,
            "Tokens a second, median",
            "Output tokens a second after the first token, by model version: half of the answers are slower.",
            Query(_quantile("llmq_output_tokens_per_second", "0.5"), "{{model_version}}"),
            unit="suffix: /s",
            interval="2m",
            empty="no instrumentation sends it",
        ),
    ]
