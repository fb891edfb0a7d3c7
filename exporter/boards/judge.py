"""The judge as an instrument: does it agree with people, is it the pinned one, what does it cost, what does it miss."""

from typing import Final

from ..rules.compare import KAPPA, PAIRED, PAIRS
from ..rules.promql import SAMPLE, number, selector
from . import choices, queries
from .grafana import Dashboard, Panel, Query, Row, Variable, override
from .panels import COUNT, GREEN, RATIO, RED, Column, count_on_the_right, graph, heat, line, table, tiles
from .queries import CHOSEN

EVALUATOR: Final = Variable(
    name="evaluator", label="Judge", query="label_values(llmq_judge_gate_open, evaluator)", all_value=""
)
MINE: Final = 'evaluator=~"$evaluator"'
VERSION: Final = ("evaluator", "evaluator_version")
EACH: Final = "{{evaluator}} {{evaluator_version}}"


def judge_health() -> Dashboard:
    """The dashboard that the alerts on the judge link to."""
    return Dashboard(
        uid="llmq-judge",
        title="LLM quality / Judge",
        description="The judge as an instrument: does it agree with people, is it the pinned one, what does it cost",
        variables=[EVALUATOR, *choices.SLICE],
        marks=choices.MARKS,
        since="now-24h",
        content=[
            *_now(),
            Row(10, "Does it agree with people", [_agreement(), _source(), _confusion()]),
            Row(20, "What it says", [_corrected(), _scores()]),
            Row(30, "Bias", [_flips(), _bias()]),
            Row(40, "Work and money", _work()),
        ],
    )


def _recorded(series: str) -> str:
    return selector(f"evaluator:llmq_judge_human_{series}_increase{PAIRED}".replace(":_", ":"), MINE)


def _now() -> list[Panel]:
    return [
        tiles(1, f"Kappa, {PAIRED}", "Cohen's kappa of judge and people, the lowest of the judges.",
              Query(f"min({_recorded('kappa:ratio')})", "kappa"), unit="none", decimals=2, width=3),
        tiles(2, f"Agreement, {PAIRED}", "Share of pairs in which judge and human say the same, of the lowest judge.",
              Query(f"min({_recorded('agreement:ratio')})", "agreement"), unit=RATIO, decimals=1, width=3),
        tiles(3, f"n: pairs, {PAIRED}", f"Pairs that agreement rests on; below {PAIRS} it says little.",
              Query(f"sum({_recorded('pairs:')})", "n"), unit=COUNT, decimals=0, width=3),
        _gate(),
        tiles(5, "Other models", "Replies of a model that is not the pinned one, in 24h.",
              Query(f"sum(increase(llmq_judge_pin_mismatches_total{{{MINE}}}[24h]))", "replies"), unit=COUNT,
              width=3, decimals=0, steps=[(None, GREEN), (1, RED)]),
        tiles(6, "Budget left", "Dollars left of the hour and of the day.",
              Query("min by (period) (llmq_judge_budget_left_dollars)", "{{period}}"), unit="currencyUSD", width=3,
              decimals=2),
    ]  # fmt: skip


def _gate() -> Panel:
    gate = {"0": {"text": "shut", "color": RED, "index": 0}, "1": {"text": "open", "color": GREEN, "index": 1}}
    open_ = {"type": "color-background", "mode": "basic"}
    return table(
        4,
        "Gate",
        "Whether the verdicts of a judge version enter the SLIs; a shut one scores, and does not count.",
        [
            Column("evaluator", "Judge"),
            Column("evaluator_version", "Version"),
            Column("A", "Gate", mappings=[{"type": "value", "options": gate}], custom__cellOptions=open_),
        ],
        Query(f"max by ({', '.join(VERSION)}) (llmq_judge_gate_open{{{MINE}}})"),
        sort="Judge",
        width=9,
        height=4,
    )


def _agreement() -> Panel:
    return graph(
        11,
        f"Kappa and agreement, {PAIRED}",
        "Cohen's kappa (what is left of agreement after chance) and plain agreement. Kappa is low by itself where one "
        "verdict is rare: read the counts below. The bars are the pairs.",
        Query(_recorded("kappa:ratio"), f"kappa {EACH}"),
        Query(_recorded("agreement:ratio"), f"agreement {EACH}"),
        Query(f"vector({number(KAPPA)})", "alert on kappa"),
        Query(f"sum({_recorded('pairs:')})", "n"),
        unit=RATIO,
        overrides=[line("^alert", "red"), count_on_the_right()],
    )


def _pairs(window: str, *matchers: str, by: tuple[str, ...] = (*VERSION, "source")) -> str:
    return queries.by(by, f"increase({selector('llmq_judge_human_pairs_total', MINE, *matchers)}[{window}])")


def _source() -> Panel:
    same = (
        f"({_pairs('7d', *_said('pass', 'pass'), by=('source',))}"
        f" + {_pairs('7d', *_said('fail', 'fail'), by=('source',))})"
    )
    every = _pairs("7d", by=("source",))
    return graph(
        12,
        "Agreement by source, 7d",
        "On the anchor set, which never changes, and on what people review. If the anchor falls, the judge drifted; if "
        "only reviews fall, the traffic did. The bars are the pairs.",
        Query(queries.share(same, every), "{{source}}"),
        Query(f"sum({every})", "n"),
        unit=RATIO,
        overrides=[count_on_the_right()],
    )


def _said(judge: str, human: str) -> tuple[str, str]:
    return f'judge="{judge}"', f'human="{human}"'


def _confusion() -> Panel:
    cells = [(judge, human) for human in ("fail", "pass") for judge in ("fail", "pass")]
    counts = [_pairs(PAIRED, *_said(judge, human)) for judge, human in cells]
    caught = queries.share(counts[0], _pairs(PAIRED, 'human="fail"'))
    spared = queries.share(counts[3], _pairs(PAIRED, 'human="pass"'))
    return table(
        13,
        f"The four counts, {PAIRED}",
        "Answers that people call bad or good, and whether the judge says so too. Sensitivity: the share of the bad "
        "ones that it catches; specificity: the share of the good ones that it passes.",
        [
            Column("evaluator", "Judge"),
            Column("evaluator_version", "Version"),
            Column("source", "Source"),
            Column("A", "Bad, caught"),
            Column("B", "Bad, missed"),
            Column("C", "Good, blamed"),
            Column("D", "Good, passed"),
            Column("E", "Sensitivity", unit=RATIO, decimals=1),
            Column("F", "Specificity", unit=RATIO, decimals=1),
            Column("G", "n"),
        ],
        *(Query(expr) for expr in (*counts, caught, spared, _pairs(PAIRED))),
        sort="n",
        height=6,
    )


def _corrected() -> Panel:
    failing = queries.verdicts(VERSION, "6h", MINE, 'verdict="fail"')
    every = queries.verdicts(VERSION, "6h", MINE)
    judged = f"llmq_judge_gate_open{{{MINE}}}"
    raw = f"({queries.share(failing, every)}) and on ({', '.join(VERSION)}) {judged}"
    caught = queries.share(
        _pairs(PAIRED, *_said("fail", "fail"), by=VERSION), _pairs(PAIRED, 'human="fail"', by=VERSION)
    )
    spared = queries.share(
        _pairs(PAIRED, *_said("pass", "pass"), by=VERSION), _pairs(PAIRED, 'human="pass"', by=VERSION)
    )
    corrected = f"clamp(({queries.share(failing, every)} + {spared} - 1) / ({caught} + {spared} - 1 > 0), 0, 1)"
    return graph(
        21,
        "Answers judged bad, last 6h: as judged, and corrected",
        "The share of answers that the judge calls bad, and the same corrected for its known sensitivity and "
        "specificity (Rogan and Gladen). The bars are the answers judged.",
        Query(raw, f"judged {EACH}"),
        Query(corrected, f"corrected {EACH}"),
        Query(f"sum({every} and on ({', '.join(VERSION)}) {judged})", "n"),
        unit=RATIO,
        width=24,
        overrides=[line("^corrected", "text", width=2), count_on_the_right()],
    )


def _scores() -> Panel:
    source = selector("llmq_evaluation_score_bucket", 'evaluator="$evaluator"', SAMPLE, *CHOSEN[:3])
    return heat(
        22,
        "Scores: $evaluator",
        "How the judge's scores are spread, from 0 (bad) to 1; the dots are exemplars of bad answers.",
        Query(f"sum by (le) (increase({source}[$__rate_interval]))", exemplars=True),
        repeat="evaluator",
    )


def _flips() -> Panel:
    def repeats(*matchers: str) -> str:
        return queries.by(VERSION, f"increase({selector('llmq_judge_repeats_total', MINE, *matchers)}[24h])")

    return graph(
        31,
        "Flips on a second look, 24h",
        "A small share of answers is judged twice: how often the second verdict differs. The bars are the repeats.",
        Query(queries.share(repeats('outcome="flipped"'), repeats()), EACH),
        Query(f"sum({repeats()})", "n"),
        unit=RATIO,
        overrides=[count_on_the_right()],
    )


def _bias() -> Panel:
    where = f"{{{MINE}}}"
    return graph(
        32,
        "Length preference, and gap for its own family",
        "How much more than people the judge favours longer answers, and answers of its own model family; 0 is fair. "
        "The bars are the pairs with people that this rests on.",
        Query(f"llmq_judge_length_preference_ratio{where}", f"length {EACH}"),
        Query(f"llmq_judge_own_family_gap_ratio{where}", f"own family {EACH}"),
        Query(f"sum({_recorded('pairs:')})", "n"),
        unit=RATIO,
        overrides=[override("byRegexp", "/^(length|own family)/", min=None), count_on_the_right()],
    )


def _work() -> list[Panel]:
    def rate(metric: str, *labels: str) -> str:
        return queries.by(labels, f"increase({selector(metric, MINE)}[$__rate_interval])")

    gaps = selector("llmq_unscored_total", MINE, 'reason=~"sampled_out|over_budget|gated"', CHOSEN[0])
    seconds = selector("llmq_evaluation_duration_seconds_bucket", MINE)
    return [
        graph(41, "Requests to the judge", "Requests by their outcome.",
              Query(rate("llmq_judge_requests_total", "outcome"), "{{outcome}}"), unit="short", width=8, stacked=True,
              interval="5m"),
        graph(42, "Failures", "Evaluations that should have given a verdict and could not, by reason.",
              Query(rate("llmq_evaluation_failures_total", "evaluator", "reason"), "{{evaluator}} {{reason}}"),
              unit="short", width=8, stacked=True, interval="5m"),
        graph(43, "Time of a judgement", "Median and 95th percentile.",
              *[Query(f"histogram_quantile({q}, sum by (le) (increase({seconds}[$__rate_interval])))", name)
                for q, name in (("0.5", "median"), ("0.95", "95th percentile"))], unit="s", width=8),
        graph(44, "Traces that were not judged", "Left out by the sample, the budget or the gate. Over budget means "
              "that what the judge says is thinner than it was meant to be.",
              Query(f"sum by (evaluator, reason) (increase({gaps}[$__rate_interval]))", "{{evaluator}} {{reason}}"),
              unit="short", width=8, stacked=True, interval="5m"),
        graph(45, "Spent per hour", "Dollars over the last hour, by judge.",
              Query(f"sum by (evaluator) (increase(llmq_judge_cost_dollars_total{{{MINE}}}[1h]))", "{{evaluator}}"),
              unit="currencyUSD", width=8),
        graph(46, "Tokens of a request", "Tokens of each request to the judge.",
              Query(f"sum by (direction) (increase(llmq_judge_tokens_total{{{MINE}}}[1h])) / on () group_left () "
                    f"(sum(increase(llmq_judge_requests_total{{{MINE}}}[1h])) > 0)", "{{direction}}"),
              unit="short", width=8),
    ]  # fmt: skip
