"""Rules on the judge: agreement with people, corrected rate, drift, bias, gate and budget.

Knows the metrics of the judge, its anchors and the labelling queue, and the arithmetic of the corrected pass rate: the
same as ``corrected`` of ``judge/agreement.py``, where its sources are named, as recording rules, because only
Prometheus knows the rate of a window and a slice, and only the exporter knows the judge's errors on the anchors.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from . import judge_stop
from .counts import INSTRUMENT, Steps
from .promql import SAMPLE, increase, lately, number, selector
from .rulefile import Alert, Group, Record
from .templates import count, matchers, query, shown

KAPPA: Final = Decimal("0.4")
PAIRS: Final = 50
PAIRED: Final = "14d"
REVIEW_DAYS: Final = 3
"""For longer no trace should wait for a person."""
SHIFT: Final = Decimal("0.05")
FAVOUR: Final = Decimal("0.1")
_COMPARED: Final = (*INSTRUMENT, "source")
_BY_JUDGE: Final = "by (evaluator, evaluator_version)"
_BIASES: Final = (
    ("length", "llmq_judge_length_preference_ratio", "", "long answers"),
    ("own_family", "llmq_judge_own_family_gap_ratio", 'source="anchor"', "answers of its own model family"),
)
Z: Final = Decimal("1.96")
_BY: Final = "evaluator, evaluator_version"
_APP: Final = f"{_BY}, app"
_LABELLED: Final = "judge:llmq_labelled_anchors:count"
_JUDGED: Final = "app:llmq_judged_evaluations:increase1d"
_RAW: Final = "app:llmq_judged_pass:ratio_increase1d"
_RATE: Final = "app:llmq_judged_pass:padded_increase1d"
_SENSITIVITY: Final = "judge:llmq_sensitivity:padded"
_SPECIFICITY: Final = "judge:llmq_specificity:padded"
_NAME: Final = "app:llmq_corrected_pass{}:ratio_increase1d"
_TERM: Final = "app:llmq_corrected_pass_{}:term_increase1d"


def groups(steps: Steps) -> list[Group]:
    """Every group of the judge's rules."""
    return [agreement(), corrected(steps), stopped(), suspect(), review()]


def agreement() -> Group:
    """The judge against people: raw agreement, agreement by chance, Cohen's kappa.

    Anchors and reviewed cases apart: people look at cases because they are hard, and no rate may be made of both.
    """
    by = ", ".join(_COMPARED)
    pairs = f"evaluator:llmq_judge_human_pairs:increase{PAIRED}"
    observed = f"evaluator:llmq_judge_human_agreement:ratio_increase{PAIRED}"
    chance = f"evaluator:llmq_judge_human_chance_agreement:ratio_increase{PAIRED}"
    kappa = f"evaluator:llmq_judge_human_kappa:ratio_increase{PAIRED}"

    def share(**where: str) -> str:
        source = selector("llmq_judge_human_pairs_total", *(f'{name}="{value}"' for name, value in where.items()))
        return f"(({increase(_COMPARED, source, PAIRED)} or on ({by}) 0 * {pairs}) / ({pairs} > 0))"

    marginals = [f"{share(judge=verdict)}\n  * {share(human=verdict)}" for verdict in ("pass", "fail")]
    return Group(
        name="llmq-judge-agreement",
        rules=[
            Record(name=pairs, expr=increase(_COMPARED, "llmq_judge_human_pairs_total", PAIRED)),
            Record(
                name=observed,
                expr=f"{share(judge='pass', human='pass')}\n+ {share(judge='fail', human='fail')}",
            ),
            Record(name=chance, expr=f"{marginals[0]}\n+ {marginals[1]}"),
            Record(name=kappa, expr=f"({observed} - {chance}) / (1 - ({chance} < 1))"),
            _judge_disagrees(kappa, observed, pairs),
        ],
    )


def _judge_disagrees(kappa: str, observed: str, pairs: str) -> Alert:
    agreed = shown(observed + matchers(_COMPARED), _COMPARED, "humanizePercentage")
    return Alert(
        name="LLMQualityJudgeDisagrees",
        expr=f"{kappa} < {number(KAPPA)}\nand {pairs} >= {PAIRS}",
        severity="ticket",
        pending="1h",
        summary="The judge disagrees with people too often to be believed",
        description=(
            "{{ $labels.evaluator }} {{ $labels.evaluator_version }} ({{ $labels.source }}): kappa "
            '{{ $value | printf "%.2f" }}, raw agreement '
            f"{agreed} of {count(pairs, _COMPARED)} pairs "
            f"in {PAIRED}. Kappa is low by itself where one verdict is rare: look at the four counts first."
        ),
        dashboard="llmq-judge",
        variables=("evaluator",),
    )


def corrected(steps: Steps) -> Group:
    """The corrected pass rate of each judged evaluator and app in a day, with its 95 % interval, beside the raw one."""
    return Group(name="llmq-judge-corrected", rules=[*_skill(), *_rates(steps), *_terms(), *_ends()])


def _skill() -> Iterator[Record]:
    """The judge's table on the anchors, and its two shares drawn to the middle by one success and one failure."""
    anchors = lately('llmq_judge_labelled_cases{source="anchor"}')
    yield Record(name=_LABELLED, expr=f"max by ({_BY}, judge, human) ({anchors})")
    for name, verdict in ((_SENSITIVITY, "pass"), (_SPECIFICITY, "fail")):
        yield Record(name=name, expr=f"({_right(verdict)} + 1) / ({_labelled(verdict)} + 2)")


def _rates(steps: Steps) -> Iterator[Record]:
    """How many were judged, the share that passed, that share drawn to the middle, and the corrected share."""
    counted = increase((*_APP.split(", "), "verdict"), selector("llmq_evaluations_total", SAMPLE), steps.length)
    yield Record(name=f"app:llmq_verdicts:increase{steps.length}", expr=counted)
    judged, passing = (
        f"sum by ({_APP}) ({steps.over('app:llmq_verdicts', '1d', verdict)})" for verdict in ("", 'verdict="pass"')
    )
    yield Record(name=_JUDGED, expr=f"{judged}\nand on ({_BY}) {_SENSITIVITY}")
    yield Record(name=_RAW, expr=f"{passing} / ({_JUDGED} > 0)")
    square = Z * Z
    yield Record(name=_RATE, expr=f"({_RAW} * {_JUDGED} + {number(square / 2)}) / ({_JUDGED} + {number(square)})")
    shares = [f"{_right(verdict)} / ({_labelled(verdict)} > 0)" for verdict in ("pass", "fail")]
    yield Record(
        name=_NAME.format(""),
        expr=(
            f"clamp(\n  ({_each(_RAW, '+', shares[1])} - 1)\n"
            f"  / on ({_BY}) group_left () ({shares[0]} + {shares[1]} - 1 > 0),\n  0, 1\n)"
        ),
    )


def _terms() -> Iterator[Record]:
    """The quadratic whose roots are the ends: a (of the judge alone), b and c."""
    square = number(Z * Z)
    excess = f"({_each(_RATE, '+', _SPECIFICITY)} - 1)"
    skill = f"({_SENSITIVITY} + {_SPECIFICITY} - 1)"
    rate_variance = f"{_RATE} * (1 - {_RATE}) / ({_JUDGED} + {square})"
    sensitivity, specificity = _variance(_SENSITIVITY, "pass"), _variance(_SPECIFICITY, "fail")
    a = f"({skill} > 0) ^ 2 - {square} * ({sensitivity} + {specificity})"
    yield Record(name=_TERM.format("a"), expr=_each(f"0 * {_RATE}", "+", f"({a})"))
    yield Record(name=_TERM.format("b"), expr=_each(_each(excess, "*", skill), "-", f"{square} * {specificity}"))
    yield Record(
        name=_TERM.format("c"),
        expr=_each(f"{excess} ^ 2 - {square} * {rate_variance}", "-", f"{square} * {specificity}"),
    )


def _ends() -> Iterator[Record]:
    """The ends of the interval; where the judge may be no better than a coin, 0 and 1."""
    a, b, c = (_TERM.format(name) for name in "abc")
    root = f"sqrt(clamp_min({b} ^ 2 - {a} * {c}, 0))"
    value = _NAME.format("")
    for end, sign, everything in (("_low", "-", "0"), ("_high", "+", "1")):
        yield Record(
            name=_NAME.format(end),
            expr=f"(clamp(({b} {sign} {root}) / ({a} > 0), 0, 1) or {everything} + 0 * {b})\nand {value}",
        )


def _each(many: str, operator: str, judge: str) -> str:
    """Many series of a judge, each with the judge's own one."""
    return f"{many} {operator} on ({_BY}) group_left () {judge}"


def _labelled(human: str) -> str:
    return f'sum by ({_BY}) ({_LABELLED}{{human="{human}"}})'


def _right(verdict: str) -> str:
    return f'sum by ({_BY}) ({_LABELLED}{{judge="{verdict}",human="{verdict}"}})'


def _variance(share: str, human: str) -> str:
    return f"{share} * (1 - {share}) / ({_labelled(human)} + 2)"


def stopped() -> Group:
    """What makes a judge's verdicts stop or mean something else."""
    return Group(
        name="llmq-judge",
        rules=[_pin_mismatch(), judge_stop.stopped(), judge_stop.fallen(), _gate_shut(), _budget_gone()],
    )


def _pin_mismatch() -> Alert:
    mismatches = increase(("evaluator",), "llmq_judge_pin_mismatches_total", "1h")
    return Alert(
        name="LLMQualityJudgePinMismatch",
        expr=f"{mismatches} > 0",
        severity="ticket",
        pending="5m",
        summary="The judge's endpoint answers with another model than the pinned one",
        description=(
            '{{ $labels.evaluator }}: {{ $value | printf "%.0f" }} answers in the last hour came from a model that is '
            "not the pinned one; they are not scored unless the config says so."
        ),
        dashboard="llmq-judge",
        variables=("evaluator",),
    )


def _gate_shut() -> Alert:
    return Alert(
        name="LLMQualityJudgeGateShut",
        expr="max by (evaluator, evaluator_version) (max_over_time(llmq_judge_gate_open[5m])) < 1",
        severity="ticket",
        pending="1h",
        summary="A judge version's verdicts are kept out of the SLIs",
        description=(
            "{{ $labels.evaluator }} {{ $labels.evaluator_version }} has not passed its gate on the anchor set: it "
            f"scores, but its verdicts do not count. {_why_shut()} llmq calibrate says all."
        ),
        dashboard="llmq-judge",
        variables=("evaluator",),
    )


def _why_shut() -> str:
    """A template: how well the version agrees with people on the anchors, as far as that is known."""
    judge = ("evaluator", "evaluator_version")

    def kappa(estimate: str) -> str:
        mine = matchers(judge, 'source="anchor"', f'estimate="{estimate}"')
        return f"with {query(f'llmq_judge_kappa{mine}', judge)}"

    shown = '{{ . | first | value | printf "%.2f" }}'
    return (
        f"{{{{ {kappa('value')} }}}}Its kappa there is {shown}{{{{ else }}}}Its kappa there is not known{{{{ end }}}}"
        f"{{{{ {kappa('low')} }}}}, {shown} at the lower bound, which the gate goes by{{{{ end }}}}."
    )


def _budget_gone() -> Alert:
    over = increase(("evaluator",), selector("llmq_unscored_total", 'reason="over_budget"'), "1h")
    verdicts = increase(("evaluator",), selector("llmq_evaluations_total", SAMPLE), "1h")
    return Alert(
        name="LLMQualityJudgeBudgetGone",
        expr=f"{over} > 20\nunless on (evaluator) {over} < 0.1 * {verdicts}",
        severity="ticket",
        pending="10m",
        summary="The judge's budget is spent and traces stay unjudged",
        description=(
            '{{ $labels.evaluator }} left {{ $value | printf "%.0f" }} traces unjudged in the last hour because a '
            "budget is spent; what it says about the rest of the hour or day is thin."
        ),
        dashboard="llmq-judge",
        variables=("evaluator",),
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
            f"avg {_BY_JUDGE} ({value})\nand abs(avg {_BY_JUDGE} ({value})) > {number(SHIFT)}\n"
            f"and (min {_BY_JUDGE} ({low}) > 0 or max {_BY_JUDGE} ({high}) < 0)"
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
            expr=f"max {_BY_JUDGE} ({low}) > {number(FAVOUR)}",
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


def review() -> Group:
    """The labelling queue, where the judge's truth comes from."""
    age = Alert(
        name="LLMQualityReviewQueueAgeing",
        expr=f"max by () (max_over_time(llmq_review_oldest_seconds[5m])) > {REVIEW_DAYS} * 86400",
        severity="ticket",
        pending="1h",
        summary="Traces wait for a human label for days",
        description="The oldest trace in the labelling queue has waited {{ $value | humanizeDuration }}.",
        dashboard="llmq-feedback",
    )
    return Group(name="llmq-review", rules=[age])
