"""The judge as an instrument: does it agree with people, has it drifted, is it fair, what does it cost and miss."""

from typing import Final

from ..rules.judge import KAPPA, PAIRED, PAIRS
from ..rules.promql import SAMPLE, number, selector
from . import choices, queries
from .grafana import Dashboard, GrafanaPanel, GrafanaRow, Query, Variable, override
from .panels import COUNT, GREEN, ORANGE, RATIO, RED, Column, count_on_the_right, graph, heat, line, table, tiles
from .queries import CHOSEN

EVALUATOR: Final = Variable(
    name="evaluator",
    label="Judge",
    query="label_values(llmq_judge_gate_open, evaluator)",
    all_value="",
)
MINE: Final = 'evaluator=~"$evaluator"'
VALUE: Final = 'estimate="value"'
VERSION: Final = ("evaluator", "evaluator_version")
EACH: Final = "{{evaluator}} {{evaluator_version}}"


def judge_health() -> Dashboard:
    """The dashboard that the alerts on the judge link to."""
    return Dashboard(
        uid="llmq-judge",
        title="LLM quality / Judge",
        description="The judge as an instrument: does it agree with people, is it fair, what does it cost",
        variables=[EVALUATOR, *choices.SLICE],
        marks=choices.MARKS,
        since="now-24h",
        content=[
            *_now(),
            GrafanaRow(10, "Does it agree with people", [_agreement(), _source(), _labelled()]),
            GrafanaRow(20, "What it says", [_corrected(), _scores()]),
            GrafanaRow(30, "Drift and bias", _drift_and_bias()),
            GrafanaRow(40, "Work and money", [*_work(), *_money()]),
        ],
    )


def _paired(series: str) -> str:
    return selector(f"evaluator:llmq_judge_human_{series}increase{PAIRED}", MINE)


def _gauge(metric: str, *labels: str, where: str = "") -> str:
    return f"max by ({', '.join((*VERSION, *labels))}) ({selector(metric, MINE, where)})"


def _cases(measure: str) -> str:
    matcher = f'measure=~"{measure}"' if "|" in measure else f'measure="{measure}"'
    return f"sum({_gauge('llmq_judge_measured_cases', 'measure', where=matcher)})"


def _now() -> list[GrafanaPanel]:
    anchors = _gauge("llmq_judge_labelled_cases", "judge", "human", where='source="anchor"')
    return [
        tiles(1, "Kappa, anchors", "Cohen's kappa of judge and people on the anchors, the lowest of the judges.",
              Query(f'min(llmq_judge_kappa{{{MINE},{VALUE},source="anchor"}})', "kappa"), unit="none", decimals=2,
              width=3),
        tiles(2, "At least", "Lower bound of that kappa: how good the judge surely is.",
              Query(f'min(llmq_judge_kappa{{{MINE},estimate="low",source="anchor"}})', "kappa"), unit="none",
              decimals=2, width=3),
        tiles(3, "n: anchors", "Anchors with a verdict of the judge, of all judge versions.",
              Query(f"sum({anchors})", "n"), unit=COUNT, decimals=0, width=3),
        _gate(),
        tiles(5, "Not the pinned", "Replies of another model or fingerprint than the pinned one, in 24h.",
              Query(f"sum(increase(llmq_judge_pin_mismatches_total{{{MINE}}}[24h]))\n"
                    f"or 0 * count(llmq_judge_gate_open{{{MINE}}})", "replies"), unit=COUNT,
              width=3, decimals=0, steps=[(None, GREEN), (1, RED)]),
        tiles(6, "Budget spent", "Share of the hour's and the day's budget that is spent or reserved.",
              Query("max by (window) (llmq_judge_budget_spent_ratio)", "{{window}}"), unit=RATIO, width=3,
              decimals=0, steps=[(None, GREEN), (0.8, ORANGE), (1, RED)]),
    ]  # fmt: skip


def _gate() -> GrafanaPanel:
    gate = {"0": {"text": "shut", "color": RED, "index": 0}, "1": {"text": "open", "color": GREEN, "index": 1}}
    return table(
        4,
        "Gate",
        "Whether the verdicts of a judge version enter the SLIs; a shut one scores, and does not count.",
        [
            Column("evaluator", "Judge"),
            Column("evaluator_version", "Version"),
            Column(
                "A",
                "Gate",
                mappings=[{"type": "value", "options": gate}],
                custom__cellOptions={"type": "color-background", "mode": "basic"},
            ),
        ],
        Query(_gauge("llmq_judge_gate_open")),
        sort="Judge",
        width=9,
        height=4,
    )


def _agreement() -> GrafanaPanel:
    return graph(
        11,
        f"Kappa and agreement with people, {PAIRED}",
        "Cohen's kappa (what is left of agreement after chance) and plain agreement, as the alert reads them. Kappa is "
        f"low by itself where one verdict is rare: read the counts below. The bars are the pairs; below {PAIRS} they "
        "say little.",
        Query(_paired("kappa:ratio_"), f"kappa {EACH} {{{{source}}}}"),
        Query(_paired("agreement:ratio_"), f"agreement {EACH} {{{{source}}}}"),
        Query(f"vector({number(KAPPA)})", "alert on kappa"),
        Query(f"sum({_paired('pairs:')})", "n"),
        unit=RATIO,
        overrides=[line("^alert", "red"), count_on_the_right()],
    )


def _source() -> GrafanaPanel:
    return graph(
        12,
        "Agreement by source",
        "On the anchors, which stay the same, and on what people review, which are hard cases. If the anchors fall, "
        "the judge drifted. Dashed: the lower bound. The bars are the cases.",
        Query(_gauge("llmq_judge_agreement_ratio", "source", where=VALUE), f"{{{{source}}}} {EACH}"),
        Query(_gauge("llmq_judge_agreement_ratio", "source", where='estimate="low"'), f"{{{{source}}}} {EACH}, low"),
        Query(f"sum({_gauge('llmq_judge_labelled_cases', 'source', 'judge', 'human')})", "n"),
        unit=RATIO,
        overrides=[line(", low$", "text", named=False), count_on_the_right()],
    )


def _labelled() -> GrafanaPanel:
    def count(judge: str, human: str) -> str:
        return _gauge("llmq_judge_labelled_cases", "source", where=f'judge="{judge}",human="{human}"')

    shares = [
        _gauge(f"llmq_judge_{name}_ratio", "source", where=f'estimate="{estimate}"')
        for name in ("specificity", "sensitivity")
        for estimate in ("value", "low")
    ]
    ratio = {"unit": RATIO, "decimals": 1}
    return table(
        13,
        "The four counts",
        "Cases that people call bad or good, and whether the judge says so too. Specificity: the share of the bad ones "
        "that it catches; sensitivity: the share of the good ones that it passes; each with its lower bound.",
        [
            Column("evaluator", "Judge"),
            Column("evaluator_version", "Version"),
            Column("source", "Source"),
            Column("A", "Bad, caught"),
            Column("B", "Bad, missed"),
            Column("C", "Good, blamed"),
            Column("D", "Good, passed"),
            Column("E", "Specificity", **ratio),
            Column("F", "at least", **ratio),
            Column("G", "Sensitivity", **ratio),
            Column("H", "at least ", **ratio),
        ],
        *(Query(count(judge, human)) for human in ("fail", "pass") for judge in ("fail", "pass")),
        *(Query(expr) for expr in shares),
        sort="Good, passed",
        height=6,
    )


def _corrected() -> GrafanaPanel:
    def app(series: str) -> str:
        return selector(f"app:llmq_{series}_increase1d", MINE, CHOSEN[0])

    return graph(
        21,
        "Answers judged good, last day: as judged, and corrected",
        "The pass rate of the judge's verdicts of each app, and the same corrected for its errors on the anchors, with "
        "the bounds within which the true rate lies. The bars are the answers judged.",
        Query(app("judged_pass:ratio"), "judged {{app}} {{evaluator}}"),
        Query(app("corrected_pass:ratio"), "corrected {{app}} {{evaluator}}"),
        Query(app("corrected_pass_low:ratio"), "at least {{app}} {{evaluator}}"),
        Query(app("corrected_pass_high:ratio"), "at most {{app}} {{evaluator}}"),
        Query(f"sum({app('judged_evaluations:').replace(':_', ':')})", "n"),
        unit=RATIO,
        width=24,
        overrides=[
            line("^at (least|most)", "text", named=False),
            override("byRegexp", "/^(?!n$)/", min=None, max=1),
            count_on_the_right(),
        ],
    )


def _scores() -> GrafanaPanel:
    source = selector("llmq_evaluation_score_bucket", 'evaluator="$evaluator"', SAMPLE, *CHOSEN[:3])
    return heat(
        22,
        "Scores: $evaluator",
        "How the judge's scores are spread, from 0 (bad) to 1; the dots are exemplars of bad answers.",
        Query(f"sum by (le) (increase({source}[$__rate_interval]))", exemplars=True),
        repeat="evaluator",
    )


def _drift_and_bias() -> list[GrafanaPanel]:
    signed = override("byRegexp", "/^(?!n$)/", min=None)
    repeats, flipped = (
        f"sum by (evaluator, evaluator_version) (increase({selector('llmq_judge_repeats_total', MINE, outcome)}[24h]))"
        for outcome in ("", 'outcome="flipped"')
    )
    return [
        graph(31, "Change of the pass rate since a reference", "How far the live pass rate moved, and whose part that "
              "is: the judge's (it moved on the anchors, too) or the system's. The bars are the cases behind it.",
              Query(_gauge("llmq_judge_shift_ratio", "part", where=VALUE), f"{{{{part}}}} {EACH}"),
              Query(_cases("shift_live|shift_judge"), "n"), unit=RATIO, overrides=[signed, count_on_the_right()]),
        graph(32, "Drift of the scores", "Population stability index of live scores against a reference; dashed: what "
              "chance seldom reaches. The bars are the scores.",
              Query(_gauge("llmq_judge_score_drift", where='bound="value"'), EACH),
              Query(_gauge("llmq_judge_score_drift", where='bound="chance"'), f"chance {EACH}"),
              Query(_cases("score_drift"), "n"), unit="none",
              overrides=[line("^chance", "yellow"), count_on_the_right()]),
        graph(33, "Flips on a second look, 24h", "A small share of answers is judged twice: how often the second "
              "verdict differs. The bars are the repeats.",
              Query(queries.share(flipped, repeats), EACH), Query(f"sum({repeats})", "n"), unit=RATIO, width=8,
              overrides=[count_on_the_right()]),
        graph(34, "Length", "What the judge adds to people's pass rate on the longer half of the anchors beyond the "
              "shorter half; 0 is fair. Dashed: the bounds. The bars are the anchors.",
              *_bounded("llmq_judge_length_preference_ratio"), Query(_cases("length_preference"), "n"), unit=RATIO,
              width=8, overrides=[signed, line(", (low|high)$", "text", named=False), count_on_the_right()]),
        graph(35, "Its own family", "Pass rate of answers of the judge's own model family against others, beyond what "
              "people say (anchor) or bare (live); 0 is fair. The bars are the cases.",
              Query(_gauge("llmq_judge_own_family_gap_ratio", "source", where=VALUE), f"{{{{source}}}} {EACH}"),
              Query(_cases("own_family_anchor|own_family_live"), "n"), unit=RATIO, width=8,
              overrides=[signed, count_on_the_right()]),
    ]  # fmt: skip


def _bounded(metric: str) -> list[Query]:
    estimates = [("value", ""), ("low", ", low"), ("high", ", high")]
    return [Query(_gauge(metric, where=f'estimate="{name}"'), f"{EACH}{suffix}") for name, suffix in estimates]


def _work() -> list[GrafanaPanel]:
    def counted(metric: str, labels: str, *matchers: str) -> str:
        return f"sum by ({labels}) (increase({selector(metric, MINE, *matchers)}[$__rate_interval]))"

    buckets = counted("llmq_evaluation_duration_seconds_bucket", "le")
    left = ('reason=~"sampled_out|over_budget|gated"', CHOSEN[0])
    return [
        graph(41, "Calls of the judge", "Calls by how they ended: judged, why they failed, or which limit of the "
              "budget forbade them.", Query(counted("llmq_judge_requests_total", "outcome"), "{{outcome}}"),
              unit="short", width=8, stacked=True, interval="2m"),
        graph(42, "Failures", "Evaluations that should have given a verdict and could not, by reason.",
              Query(f"{counted('llmq_evaluation_failures_total', 'evaluator, reason')} > 0",
                    "{{evaluator}} {{reason}}"),
              unit="short", width=8, stacked=True, interval="2m", empty="none"),
        graph(43, "Traces that were not judged", "Left out by the sample, the budget or the gate. Over budget means "
              "that what the judge says is thinner than it was meant to be.",
              Query(counted("llmq_unscored_total", "evaluator, reason", *left), "{{evaluator}} {{reason}}"),
              unit="short", width=8, stacked=True, interval="2m"),
        graph(44, "Time of a judgement", "Median and 95th percentile.",
              *[Query(f"histogram_quantile({q}, {buckets})", name)
                for q, name in (("0.5", "median"), ("0.95", "95th percentile"))], unit="s", width=8, interval="2m"),
    ]  # fmt: skip


def _money() -> list[GrafanaPanel]:
    calls = "sum(increase(llmq_judge_requests_total[1h]))"
    return [
        graph(45, "Waiting for the judge", "Age of the oldest trace that waits; the line is there while the endpoint "
              "fails and is left alone.", Query("max(llmq_judge_lag_seconds)", "oldest"),
              Query("max(llmq_judge_lag_seconds and on (instance) llmq_judge_breaker_open == 1)", "left alone"),
              unit="s", width=8, overrides=[line("left alone$", "red", width=3)]),
        graph(46, "Budget spent", "Share of each limit that is spent or reserved, by all processes that share it.",
              Query("max by (window, unit) (llmq_judge_budget_spent_ratio)", "{{unit}} of the {{window}}"),
              unit=RATIO, width=8),
        graph(47, "Spent per hour", "Dollars of the last hour, failed calls included.",
              Query("sum(increase(llmq_judge_cost_dollars_total[1h]))", "dollars"), unit="currencyUSD", width=8),
        graph(48, "Tokens of a call", "Tokens billed for each call of the last hour, failed ones included.",
              Query(queries.share("sum(increase(llmq_judge_tokens_total[1h]))", calls), "tokens"), unit="short",
              width=8),
        _stopped(),
    ]  # fmt: skip


def _stopped() -> GrafanaPanel:
    stopped = _gauge("llmq_judge_stopped", "reason")
    replied = _gauge("llmq_judge_replied_info", "model")
    return table(
        49,
        "Who replies, and who is stopped",
        "The name under which the model replied last; the reason where it gives no verdict and is asked only now and "
        "then. llmq judge probe shows all of one call.",
        [
            Column("evaluator", "Judge"),
            Column("evaluator_version", "Version"),
            Column("model", "Replies as"),
            Column("reason", "Stopped"),
        ],
        Query(
            f"{replied}\n* on ({', '.join(VERSION)}) group_left (reason) {stopped}\n"
            f"or {replied} unless on ({', '.join(VERSION)}) {stopped}"
        ),
        sort="Judge",
        width=16,
        height=5,
    )
