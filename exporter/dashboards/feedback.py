"""What users say of the answers, and the queue in which people label them."""

from typing import Final

from ..rules.counts import SLICE
from ..rules.judge import REVIEW_DAYS
from ..rules.promql import selector
from . import choices, queries
from .grafana import Dashboard, GrafanaPanel, GrafanaRow, Query
from .panels import COUNT, RATIO, Column, count_on_the_right, graph, heat, line, table, tiles
from .queries import CHOSEN

RATINGS: Final = 'signal=~"thumbs_up|thumbs_down"'
DOWN: Final = 'signal="thumbs_down"'


def feedback_review() -> Dashboard:
    """The dashboard that the alert on the labelling queue links to."""
    return Dashboard(
        uid="llmq-feedback",
        title="LLM quality / Feedback and review",
        description="What users say of the answers, by the version that answered, and the queue in which people label",
        variables=choices.SLICE,
        marks=choices.MARKS,
        since="now-24h",
        content=[
            *_now(),
            GrafanaRow(
                10, "What users do", [_signals(), _per_response(), _per_rating(), _edits(), _slices(), _received()]
            ),
            GrafanaRow(20, "The labelling queue", _review()),
        ],
    )


def signals(labels: tuple[str, ...], window: str, *matchers: str) -> str:
    """Signals of users on answers of the chosen slices."""
    return queries.by(labels, f"increase({selector('llmq_feedback_total', *matchers, *CHOSEN)}[{window}])")


def _now() -> list[GrafanaPanel]:
    answers, ratings = queries.requests((), "24h"), signals((), "24h", RATINGS)
    down = signals((), "24h", DOWN)
    return [
        tiles(1, "Down, of answers, 24h", "Thumbs down: the SLI thumbs_down: everybody who got an answer counts.",
              Query(queries.share(down, answers), "down"), unit=RATIO, decimals=2),
        tiles(2, "n: answers, 24h", "The answers that the share rests on.", Query(answers, "n"), unit=COUNT,
              decimals=0),
        tiles(3, "Down, of ratings, 24h", "Thumbs down of those who rated; they are not those who use.",
              Query(queries.share(down, ratings), "down"), unit=RATIO, decimals=1),
        tiles(4, "n: ratings, 24h", "The ratings that the share rests on.", Query(ratings, "n"), unit=COUNT,
              decimals=0),
        tiles(5, "Waiting for a label", "Traces in the labelling queue that nobody has taken.",
              Query('sum(max by (reason) (llmq_review_items{state="waiting"}))', "waiting"), unit=COUNT, decimals=0),
        tiles(6, "Oldest in the queue", "How long the oldest trace has waited for a label.",
              Query("max(llmq_review_oldest_seconds)", "oldest"), unit="s", decimals=0),
    ]  # fmt: skip


def _signals() -> GrafanaPanel:
    return graph(
        11,
        "Signals",
        "What users did with the answers, by signal; those that are derived from the traces of a conversation are "
        "named so.",
        Query(signals(("signal", "source"), "$__rate_interval"), "{{signal}} ({{source}})"),
        unit="short",
        stacked=True,
        interval="2m",
    )


def _per_response() -> GrafanaPanel:
    by = ("app", "prompt_version")
    return graph(
        12,
        "Thumbs down of all answers, 6h, by prompt version",
        "Share of answers that got a thumbs down, of the version that answered. Feedback is late: the newest hours "
        "look better than they are. The bars are the answers of all versions.",
        Query(queries.share(signals(by, "6h", DOWN), queries.requests(by, "6h")), "{{app}} {{prompt_version}}"),
        Query('max(1 - sli:llmq_slo_objective:ratio{sli="thumbs_down"})', "budget"),
        Query(queries.requests((), "6h"), "n"),
        unit=RATIO,
        overrides=[line("^budget$", "orange"), count_on_the_right()],
    )


def _per_rating() -> GrafanaPanel:
    down, ratings = signals((), "6h", DOWN), signals((), "6h", RATINGS)
    return graph(
        13,
        "Thumbs down of ratings, 6h",
        "Share of ratings that are thumbs down, with its lower and upper 95 % bounds. The bars are the ratings.",
        Query(queries.share(down, ratings), "down"),
        Query(queries.low(down, ratings), "at least"),
        Query(queries.high(down, ratings), "at most"),
        Query(ratings, "n"),
        unit=RATIO,
        overrides=[line("^at (least|most)$", "blue"), count_on_the_right()],
    )


def _edits() -> GrafanaPanel:
    where = selector("llmq_feedback_edit_ratio_bucket", *CHOSEN[:2])
    return heat(
        14,
        "How much users change",
        "Of answers that users edited: the share of the text that they changed.",
        Query(f"sum by (le) (increase({where}[$__rate_interval]))"),
    )


def _slices() -> GrafanaPanel:
    answers, ratings = queries.requests(SLICE, "24h"), signals(SLICE, "24h", RATINGS)
    down = signals(SLICE, "24h", DOWN)
    return table(
        15,
        "By version, 24h",
        "Signals on the answers of each slice, per answer, with the 95 % bounds of thumbs down per rating.",
        [
            Column("app", "App"),
            Column("route", "Route"),
            Column("prompt_version", "Prompt version"),
            Column("model_version", "Model version"),
            Column("A", "n answers"),
            Column("B", "Down, answers", unit=RATIO, decimals=2),
            Column("C", "n ratings"),
            Column("D", "Down, ratings", unit=RATIO, decimals=1),
            Column("E", "At least", unit=RATIO, decimals=1),
            Column("F", "At most", unit=RATIO, decimals=1),
            Column("G", "Regenerated", unit=RATIO, decimals=2),
            Column("H", "Rephrased", unit=RATIO, decimals=2),
        ],
        Query(answers),
        Query(queries.share(down, answers)),
        Query(ratings),
        Query(queries.share(down, ratings)),
        Query(queries.low(down, ratings)),
        Query(queries.high(down, ratings)),
        Query(queries.share(signals(SLICE, "24h", 'signal="regenerate"'), answers)),
        Query(queries.share(signals(SLICE, "24h", 'signal="rephrase"'), answers)),
        sort="Down, answers",
    )


def _received() -> GrafanaPanel:
    return graph(
        16,
        "What became of feedback",
        "Feedback that was accepted: joined to its trace, a correction of an earlier rating, a repetition, or expired "
        "because its trace never came.",
        Query("sum by (outcome) (increase(llmq_feedback_received_total[$__rate_interval]))", "{{outcome}}"),
        unit="short",
        width=24,
        height=6,
        stacked=True,
        interval="2m",
    )


def _review() -> list[GrafanaPanel]:
    finished = 'sum(increase(llmq_review_done_total{ending=~"decided|majority|undecided"}[7d]))'
    differ = "sum(increase(llmq_review_disagreements_total[7d]))"
    return [
        graph(21, "Waiting, by reason", "Traces in the queue, by why they came there.",
              Query('max by (state, reason) (llmq_review_items{state!="done"})', "{{state}}: {{reason}}"),
              unit="short", width=6, stacked=True, interval="2m"),
        graph(22, "Age of the oldest", "Beyond the line the alert fires.",
              Query("max(llmq_review_oldest_seconds)", "oldest"), Query(f"vector({REVIEW_DAYS * 86_400})", "too old"),
              unit="s", width=6, overrides=[line("^too old$", "red")]),
        graph(23, "Labels a day", "Labels of the last 24 hours, by what people said.",
              Query("sum by (evaluator, label) (increase(llmq_review_labels_total[24h]))", "{{evaluator}} {{label}}"),
              unit="short", width=6, stacked=True, interval="1m"),
        graph(24, "People who differ, 7d", "Share of finished items on which people differed; a judge cannot agree "
              "better than they do. The bars are the items.",
              Query(f"clamp_max({queries.share(differ, finished)}, 1)", "differ"),
              Query(finished, "n"), unit=RATIO, width=6,
              overrides=[count_on_the_right()]),
    ]  # fmt: skip
