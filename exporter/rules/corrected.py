"""The pass rate that people would give, from the judge's rate and its known errors. Knows the arithmetic of the rules.

The same as ``corrected`` of ``judge/agreement.py``, where its sources are named, as recording rules: only Prometheus
knows the rate of a window and a slice, and only the exporter knows the judge's errors on the anchors.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from .promql import SAMPLE, increase, lately, number, selector
from .rulefile import Group, Record

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


def corrected() -> Group:
    """The corrected pass rate of each judged evaluator and app in a day, with its 95 % interval, beside the raw one."""
    return Group(name="llmq-judge-corrected", rules=[*_judge(), *_rates(), *_terms(), *_ends()])


def _judge() -> Iterator[Record]:
    """The judge's table on the anchors, and its two shares drawn to the middle by one success and one failure."""
    anchors = lately('llmq_judge_labelled_cases{source="anchor"}')
    yield Record(name=_LABELLED, expr=f"max by ({_BY}, judge, human) ({anchors})")
    for name, verdict in ((_SENSITIVITY, "pass"), (_SPECIFICITY, "fail")):
        yield Record(name=name, expr=f"({_right(verdict)} + 1) / ({_labelled(verdict)} + 2)")


def _rates() -> Iterator[Record]:
    """How many were judged, the share that passed, that share drawn to the middle, and the corrected share."""
    by = tuple(_APP.split(", "))
    judged, passing = (selector("llmq_evaluations_total", SAMPLE, verdict) for verdict in ("", 'verdict="pass"'))
    yield Record(name=_JUDGED, expr=f"{increase(by, judged, '1d')}\nand on ({_BY}) {_SENSITIVITY}")
    yield Record(name=_RAW, expr=f"{increase(by, passing, '1d')} / ({_JUDGED} > 0)")
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
