"""Alerts when offline suite and judge both improve while users' signals get worse: the metric is being gamed.

When a measure becomes a target it stops being a good measure (C. Goodhart): prompts that are tuned to the judge and to
the suite please both, not users. A week is held against the week before, per app, with evidence for each of the three.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from .compare import DIFFERENCE, LEAST
from .counts import INSTRUMENT, Steps
from .promql import SAMPLE, increase, lately, number, pooled_z, selector
from .rulefile import Alert, Group, Record
from .templates import matchers, shown

CASES: Final = 30
"""Offline cases below which a suite says nothing."""
_OF_JUDGES: Final = f"and on ({', '.join(INSTRUMENT)}) {lately('llmq_judge_gate_open')} == 1"
_UNHAPPY: Final = 'signal=~"thumbs_down|regenerate|rephrase|abandon"'
_JUDGE: Final = (*INSTRUMENT, "app")
_WEEK: Final = "7d"
_JUDGED: Final = f"app:llmq_judge_sampled_evaluations:increase{_WEEK}"
_PASSED: Final = f"app:llmq_judge_sampled_passes:increase{_WEEK}"
_JUDGE_Z: Final = "app:llmq_judge_sampled_pass_rise:z_increase7d"
_SIGNALS: Final = f"app:llmq_unhappy_signals:increase{_WEEK}"
_REQUESTS: Final = f"app:llmq_app_requests:increase{_WEEK}"
_USERS_Z: Final = "app:llmq_unhappy_rise:z_increase7d"
_SUITE: Final = "app:llmq_offline_best_pass:ratio"
_SUITE_RISE: Final = "app:llmq_offline_best_pass_rise:ratio"


def gamed(z: Decimal, steps: Steps) -> Group:
    """Goodhart's guard."""
    return Group(name="llmq-goodhart", rules=[*_judges(steps), *_users(steps), *_suites(), _alert(z)])


def _judges(steps: Steps) -> Iterator[Record]:
    for name, verdict in ((_JUDGED, ""), (_PASSED, 'verdict="pass"')):
        yield from _counted(name, _JUDGE, selector("llmq_evaluations_total", SAMPLE, verdict), steps, _OF_JUDGES)
    yield Record(name=_JUDGE_Z, expr=pooled_z(_and_before(_PASSED), _and_before(_JUDGED)))


def _users(steps: Steps) -> Iterator[Record]:
    yield from _counted(_SIGNALS, ("app",), selector("llmq_feedback_total", _UNHAPPY), steps)
    yield from _counted(_REQUESTS, ("app",), "llmq_requests_total", steps)
    yield Record(name=_USERS_Z, expr=pooled_z(_and_before(_SIGNALS), _and_before(_REQUESTS)))


def _suites() -> Iterator[Record]:
    """Of each suite the best version so far, which rises when a version is tuned to it."""
    by = ", ".join(("suite", *INSTRUMENT, "app"))
    enough = f"version:llmq_offline_pass:ratio\nand version:llmq_offline_cases:count >= {CASES}"
    yield Record(name=_SUITE, expr=f"max by ({by}) (\n{enough}\n)")
    yield Record(name=_SUITE_RISE, expr=f"{_SUITE} - {_SUITE} offset 1w")


def _counted(name: str, by: Sequence[str], source: str, steps: Steps, only: str = "") -> Iterator[Record]:
    """A count of the week, and of the steps that it is the sum of."""
    base = name.removesuffix(f":increase{_WEEK}")
    counted = increase(by, source, steps.length)
    yield Record(name=f"{base}:increase{steps.length}", expr=f"{counted}\n{only}" if only else counted)
    yield Record(name=name, expr=steps.over(base, _WEEK))


def _and_before(series: str) -> tuple[str, str]:
    return series, f"{series} offset 1w"


def _alert(z: Decimal) -> Alert:
    rise = f"({_PASSED} / {_JUDGED} - {_PASSED} offset 1w / {_JUDGED} offset 1w)"
    mine, percent = matchers(("app",)), "humanizePercentage"
    now, before = (f"{_SIGNALS}{mine}{when} / {_REQUESTS}{mine}{when}" for when in ("", " offset 1w"))
    return Alert(
        name="LLMQualityMetricGamed",
        expr=(
            f"{rise}\nand {rise} > {number(DIFFERENCE)}\nand {_JUDGE_Z} > {number(z)}\n"
            f"and {_JUDGED} >= {LEAST}\nand {_JUDGED} offset 1w >= {LEAST}\n"
            f"and on (app) {_USERS_Z} > {number(z)}\n"
            f"and on (app) {_REQUESTS} >= {LEAST}\nand on (app) {_REQUESTS} offset 1w >= {LEAST}\n"
            f"and on (app) max by (app) ({_SUITE_RISE}) > {number(DIFFERENCE)}"
        ),
        severity="ticket",
        pending="1h",
        keep_firing="10m",
        summary="Judge and offline suite rise while users are less content: the metric may be gamed",
        description=(
            "App {{ $labels.app }}, this week against the last: the pass rate by {{ $labels.evaluator }} rose by "
            "{{ $value | humanizePercentage }}, the offline suite by "
            f"{shown(f'max({_SUITE_RISE}{mine})', ('app',), percent)}, and signals of discontent went from "
            f"{shown(before, ('app',), percent)} to {shown(now, ('app',), percent)} of the requests."
        ),
        dashboard="llmq-feedback",
        variables=("app",),
    )
