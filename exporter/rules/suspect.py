"""Rules on a judge that became suspect: it drifted, or it favours. Knows its gauges, not how they are made."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from .promql import lately, number, selector
from .rulefile import Alert, Group

SHIFT: Final = Decimal("0.05")
FAVOUR: Final = Decimal("0.1")
_BY: Final = "by (evaluator, evaluator_version)"
_BIASES: Final = (
    ("length", "llmq_judge_length_preference_ratio", "", "long answers"),
    ("own_family", "llmq_judge_own_family_gap_ratio", 'source="anchor"', "answers of its own model family"),
)


def suspect() -> Group:
    """A judge that says something else of the same anchors, or that favours what people do not."""
    return Group(name="llmq-judge-suspect", rules=[_drifted(), *_biased()])


def _drifted() -> Alert:
    value, low, high = (
        lately(selector("llmq_judge_shift_ratio", 'part="judge"', f'estimate="{end}"'))
        for end in ("value", "low", "high")
    )
    return Alert(
        name="LLMQualityJudgeDrifted",
        expr=(
            f"avg {_BY} ({value})\nand abs(avg {_BY} ({value})) > {number(SHIFT)}\n"
            f"and (min {_BY} ({low}) > 0 or max {_BY} ({high}) < 0)"
        ),
        severity="ticket",
        pending="1h",
        summary="The judge no longer says what it said of the same cases",
        description=(
            "{{ $labels.evaluator }} {{ $labels.evaluator_version }}: on the anchors, which do not change, its pass "
            "rate moved by {{ $value | humanizePercentage }}. What its SLI moved by is at least in part the judge."
        ),
        dashboard="llmq-judge",
        variables=("evaluator",),
    )


def _biased() -> Iterator[Alert]:
    for name, metric, source, what in _BIASES:
        low = lately(selector(metric, source, 'estimate="low"'))
        yield Alert(
            name="LLMQualityJudgeBiased",
            expr=f"max {_BY} ({low}) > {number(FAVOUR)}",
            severity="ticket",
            pending="1h",
            labels={"bias": name},
            summary="The judge favours what people do not",
            description=(
                f"{{{{ $labels.evaluator }}}} {{{{ $labels.evaluator_version }}}} passes {what} more often than people "
                "do, beyond what it adds elsewhere, by at least {{ $value | humanizePercentage }}. A change of the "
                "system towards them looks like better quality."
            ),
            dashboard="llmq-judge",
            variables=("evaluator",),
        )
