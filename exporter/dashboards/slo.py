"""The detail of one SLI: how bad it is, how sure that is, since when, and on which route and version."""

from collections.abc import Sequence
from typing import Final

from ..rules.counts import SLICE
from ..rules.promql import SAMPLE, selector
from ..rules.rulefile import Links
from ..rules.slo import Slo, VerdictsSli
from . import choices, queries
from .grafana import (
    Dashboard,
    GrafanaPanel,
    GrafanaRow,
    Query,
    Variable,
    address,
    bad_answers,
    cell,
    link_cell,
    of_line,
)
from .panels import COUNT, GREEN, RATIO, RED, Column, band, count_on_the_right, graph, heat, line, painted, table, tiles
from .queries import CHOSEN, LINE, OBJECTIVE, PER_SLI, Spans

MINE: Final = 'sli="$sli"'
WINDOW: Final = "$window"
BAD: Final = queries.bad((), WINDOW, MINE)
_SPLITS: Final = ((21, "prompt_version"), (22, "model_version"), (23, "route"))
_CHOSEN_SLI: Final = "${sli:percentencode}"
EVENTS: Final = queries.events((), WINDOW, MINE)


def slo_detail(slos: Sequence[Slo], links: Links) -> Dashboard:
    """The dashboard that burn alerts link to."""
    spans = queries.spans(slos)
    return Dashboard(
        uid="llmq-slo",
        title="LLM quality / SLO detail",
        description="One SLI: how bad, how sure, since when, and on which route and version",
        variables=[_sli(slos), *choices.SLICE, _window(spans), _evaluator(slos)],
        marks=choices.MARKS,
        content=[
            *_now(spans),
            _ratio(links.answers),
            _windows(spans),
            _slices(links.answers),
            GrafanaRow(20, "Where", [_split(number, label, links.answers) for number, label in _SPLITS]),
            GrafanaRow(30, "The evaluator behind it: $evaluator", _evidence()),
        ],
    )


def _sli(slos: Sequence[Slo]) -> Variable:
    without = "|".join(queries.named(slos, coverage=True))
    where = f'{{sli!~"{without}"}}' if without else ""
    return Variable(
        name="sli", label="SLI", query=f"label_values({OBJECTIVE}{where}, sli)", every=False, default=slos[0].name
    )


def _window(spans: Spans) -> Variable:
    return Variable(name="window", label="Window", values=spans.every, default=spans.fast, every=False)


def _evaluator(slos: Sequence[Slo]) -> Variable:
    """The evaluator that an SLI reads; an SLI of feedback reads none."""
    source = f"{OBJECTIVE}{{{MINE}}}"
    for slo in slos:
        evaluator = slo.measure.evaluator if isinstance(slo.measure, VerdictsSli) else "none"
        source = f'label_replace({source}, "evaluator", "{evaluator}", "sli", "{slo.name}")'
    return Variable(
        name="evaluator",
        label="Evaluator",
        query=f"query_result({source})",
        regex='/evaluator="([^"]+)"/',
        every=False,
        hidden=True,
    )


def _now(spans: Spans) -> list[GrafanaPanel]:
    slow = (queries.bad(("sli", "objective"), spans.slow, MINE), queries.events(("sli", "objective"), spans.slow, MINE))
    good, objective = f"1 - {queries.share(BAD, EVENTS)}", f"min({OBJECTIVE}{{{MINE}}})"
    spent = f"max({queries.share(*slow)} / {PER_SLI} (1 - {OBJECTIVE}))"
    return [
        tiles(1, f"Good answers, last {WINDOW}", "Share of answers that are good, of the chosen slices: red below the "
              "objective.", Query(f"({good}) >= scalar({objective})", "good", instant=True),
              Query(f"({good}) < scalar({objective})", "good", instant=True), unit=RATIO, decimals=1,
              overrides=[painted("A", GREEN), painted("B", RED)]),
        tiles(2, "Objective", "The share that should be good; the lowest, where several apps have their own.",
              Query(objective, "objective"), unit=RATIO, decimals=1),
        tiles(3, f"n: answers, last {WINDOW}", "The answers that the ratio rests on.",
              Query(EVENTS, "n"), unit=COUNT, decimals=0),
        tiles(4, f"Bad answers, last {WINDOW}", "No alert fires on fewer than sli:llmq_slo_min_bad_events:count.",
              Query(BAD, "bad"), unit=COUNT, decimals=0),
        tiles(5, "Surely bad, at least", f"Lower 95 % bound of the bad ratio of the last {WINDOW}.",
              Query(queries.low(BAD, EVENTS), "at least"), unit=RATIO, decimals=1),
        tiles(6, f"Budget spent, last {spans.slow}", "Bad answers over those that the objective allows; over 100 % the "
              "objective was missed.", Query(spent, "spent"), unit=RATIO, decimals=0,
              steps=[(None, GREEN), (1, RED)]),
    ]  # fmt: skip


def _ratio(answers: str) -> GrafanaPanel:
    return graph(
        7,
        f"$sli: bad answers of the chosen slices, last {WINDOW}",
        "The ratio of bad answers with its 95 % Wilson interval, the budget that the objective leaves, and the alert "
        "lines, each for the ratio of its own window (in its name). The bars are the answers. Marks: versions first "
        "seen; red spans: pages.",
        Query(queries.share(BAD, EVENTS), "bad"),
        Query(queries.low(BAD, EVENTS), "at least"),
        Query(queries.high(BAD, EVENTS), "at most"),
        Query(f"max by (objective) (1 - {OBJECTIVE}{{{MINE}}})", "budget at {{objective}}"),
        Query(f"max by (severity, window) ({LINE}{{{MINE}}})", "{{severity}} {{window}}"),
        Query(EVENTS, "n"),
        unit=RATIO,
        width=16,
        height=10,
        overrides=[
            *band("at least", "at most"),
            line("^budget", "orange"),
            line("^page", "red"),
            line("^ticket", "yellow"),
            count_on_the_right(),
        ],
        links=[bad_answers(answers, {"sli": _CHOSEN_SLI}, SLICE)],
    )


def _windows(spans: Spans) -> GrafanaPanel:
    found = [
        Query(queries.share(queries.bad((), window, MINE), queries.events((), window, MINE)), window)
        for window in spans.every
    ]
    return graph(
        8,
        "Bad ratio by window",
        "The same ratio over every window that is recorded: short ones show what goes on now, long ones what it has "
        "cost so far. The budget is that of the objective; n is of the longest window.",
        *found,
        Query(f"max(1 - {OBJECTIVE}{{{MINE}}})", "budget"),
        Query(queries.events((), spans.slow, MINE), "n"),
        unit=RATIO,
        width=8,
        height=10,
        overrides=[line("^budget", "orange"), count_on_the_right()],
    )


def _slices(answers: str) -> GrafanaPanel:
    bad, events = queries.bad(SLICE, WINDOW, MINE), queries.events(SLICE, WINDOW, MINE)
    seen = f"max by ({', '.join(SLICE)}) (llmq_version_first_seen_timestamp_seconds)"
    versions = address(
        "llmq-versions",
        {"app": cell("App"), "route": cell("Route"), "prompt_version": cell("Prompt version")},
    )
    columns = {"app": "App", "route": "Route", "prompt_version": "Prompt version", "model_version": "Model version"}
    theirs = {"sli": _CHOSEN_SLI, **{name: cell(column) for name, column in columns.items()}}
    return table(
        9,
        f"Slices, last {WINDOW}",
        "Every slice that answered, with its ratio, the interval in which its true ratio lies at 95 %, and its share "
        "of all bad answers of the SLI.",
        [
            Column("app", "App"),
            Column("route", "Route"),
            Column("prompt_version", "Prompt version", links=link_cell("Compare versions", versions)),
            Column("model_version", "Model version"),
            Column("A", "Bad", links=[bad_answers(answers, theirs)]),
            Column("B", "n"),
            Column("C", "Ratio", unit=RATIO, decimals=1),
            Column("D", "At least", unit=RATIO, decimals=1),
            Column("E", "At most", unit=RATIO, decimals=1),
            Column(
                "F",
                "Of all bad",
                unit=RATIO,
                decimals=0,
                min=0,
                max=1,
                custom__width=180,
                custom__cellOptions={"type": "gauge", "mode": "basic", "valueDisplayMode": "text"},
            ),
            Column("G", "First seen", unit="dateTimeFromNow"),
        ],
        Query(bad),
        Query(events),
        Query(queries.share(bad, events)),
        Query(queries.low(bad, events)),
        Query(queries.high(bad, events)),
        Query(f"{bad} / on () group_left () ({BAD} > 0)"),
        Query(f"{events} * 0\n+ on ({', '.join(SLICE)}) {seen} * 1000"),
        sort="Bad",
        height=8,
    )


def _split(number: int, label: str, answers: str) -> GrafanaPanel:
    bad, events = queries.bad((label,), WINDOW, MINE), queries.events((label,), WINDOW, MINE)
    name = label.replace("_", " ")
    return graph(
        number,
        f"Bad ratio by {name}, last {WINDOW}",
        f"The ratio of bad answers of each {name}, against the budget; the bars are the answers of all of them. How "
        "many answers each has is in the table of slices.",
        Query(queries.share(bad, events), f"{{{{{label}}}}}"),
        Query(f"max(1 - {OBJECTIVE}{{{MINE}}})", "budget"),
        Query(EVENTS, "n"),
        unit=RATIO,
        width=8,
        overrides=[line("^budget", "orange"), count_on_the_right()],
        links=[bad_answers(answers, {"sli": _CHOSEN_SLI, label: of_line(label)}, SLICE)],
    )


def _evidence() -> list[GrafanaPanel]:
    scores = selector("llmq_evaluation_score_bucket", 'evaluator="$evaluator"', SAMPLE, *CHOSEN[:3])
    failing = queries.verdicts(("evaluator_version",), "$__rate_interval", 'evaluator="$evaluator"', 'verdict="fail"')
    every = queries.verdicts(("evaluator_version",), "$__rate_interval", 'evaluator="$evaluator"')
    return [
        heat(
            31,
            "Scores, with exemplars of bad ones",
            "How scores are spread, from 0 (bad) to 1; the dots are exemplars of bad answers and lead to their traces.",
            Query(f"sum by (le) (increase({scores}[$__rate_interval]))", exemplars=True),
        ),
        graph(
            32,
            "Verdicts that fail, by evaluator version",
            "The share of failing verdicts of each version of the evaluator: a step where the version changes is the "
            "instrument, not the product. The dots are exemplars of failing answers.",
            Query(queries.share(failing, every), "{{evaluator_version}}", exemplars=True),
            Query(f"sum({every})", "n"),
            unit=RATIO,
            overrides=[count_on_the_right()],
        ),
    ]
