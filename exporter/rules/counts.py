"""SLOs → the counts of good and bad events that ratios and alerts are made of. Knows PromQL and the metrics, no alert.

Windows of an hour and less are counted from the metrics. Longer ones are sums of steps: the count of a short window is
recorded all the time, and one value of it in each step is added up. To count three days from the metrics would read
each of their samples at each evaluation.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from msgspec import Struct

from .promql import SAMPLE, increase, matching, number, selector
from .rulefile import Alert, Record
from .slo import CoverageSli, Errors, Override, Signal, Slo, VerdictsSli, Window, minutes

SLICE: Final = ("app", "route", "model_version", "prompt_version")
LABELS: Final = {"slice": SLICE, "route": ("app", "route"), "app": ("app",), "evaluator": ("evaluator",)}
INSTRUMENT: Final = ("evaluator", "evaluator_version")
METRICS: Final = ("llmq_sli_events", "llmq_sli_bad_events")
COVERAGE_GAPS: Final = "not_captured|over_budget|late"
"""Reasons for which an evaluator gives no verdict on a trace that it should judge; all others are right."""
HOUR: Final = 60
_DAY: Final = 1440
_UNITS: Final = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))

Block = list[Record | Alert]
"""Rules that stay in one group, because one reads what another has just recorded."""


class Steps(Struct, frozen=True, kw_only=True):
    """How counts are kept: in windows of ``length``, which longer ones are made of, recorded ``every`` few minutes.

    ``every`` must be below the five minutes after which a recorded value is gone.
    """

    length: str = "15m"
    every: str = "3m"

    def over(self, name: str, duration: str, *matchers: str) -> str:
        """The steps of a recorded count added up over a window, each step once; up to a step old."""
        seconds = round(minutes(duration) * 60) - 1
        series = selector(f"{name}:increase{self.length}", *matchers)
        return f"sum_over_time({series}[{_duration(seconds)}:{self.length}])"

    def make(self, duration: str) -> bool:
        """Whether the window is long, and a number of whole steps."""
        return minutes(duration) > HOUR and minutes(duration) % minutes(self.length) == 0


def _duration(seconds: int) -> str:
    parts = []
    for unit, length in _UNITS:
        count, seconds = divmod(seconds, length)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts)


def windows_of(slos: Sequence[Slo]) -> list[Window]:
    """Every window of any SLO, the shortest first."""
    return sorted({window for slo in slos for window in slo.windows}, key=lambda window: minutes(window.long))


def counts(slos: Sequence[Slo], level: str, duration: str) -> Iterator[Block]:
    """The events of each SLI in a window, from the metrics, at a level."""
    for slo in slos:
        yield from _counted(slo, level, duration)


def summed(slos: Sequence[Slo], level: str, duration: str, steps: Steps) -> Block:
    """The events of every SLI in a window, from their steps; those that never alert only in windows below a day."""
    silent = [slo.name for slo in slos if not slo.alerts] if minutes(duration) >= _DAY else []
    apart = [f'sli!~"{"|".join(silent)}"' if len(silent) > 1 else f'sli!="{silent[0]}"'] if silent else []
    return [
        Record(name=f"{level}:{metric}:increase{duration}", expr=steps.over(f"{level}:{metric}", duration, *apart))
        for metric in METRICS
    ]


def sums(level: str, duration: str) -> Block:
    """Slices added up to routes, and routes to apps, from this level on."""
    finer = {"slice": (("route", "slice"), ("app", "route")), "route": (("app", "route"),)}[level]
    return [
        Record(
            name=f"{coarse}:{metric}:increase{duration}",
            expr=f"sum by ({', '.join(('sli', 'objective', *LABELS[coarse]))}) ({fine}:{metric}:increase{duration})",
        )
        for coarse, fine in finer
        for metric in METRICS
    ]


def _counted(slo: Slo, level: str, duration: str) -> Iterator[Block]:
    """Events and bad events of one SLI at a level, for each objective that some app or route has."""
    on = f"on ({', '.join(LABELS[level])})"
    shares: dict[Decimal, list[tuple[str, str]]] = {}
    taken = ""
    for override in (*slo.overrides, Override(objective=slo.objective)):
        events, bad = _sources(slo, override, LABELS[level], duration)
        shares.setdefault(override.objective, []).append((events + taken, bad + taken))
        taken += f"\nunless {on} {events}"
    for objective, parts in shares.items():
        labels = identity(slo, objective)
        mine = "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
        names = [f"{level}:{metric}:increase{duration}" for metric in METRICS]
        events, bad = ("\nor ".join(texts) for texts in zip(*parts, strict=True))
        yield [
            Record(name=names[0], expr=events, labels=labels),
            Record(name=names[1], expr=f"{bad}\nor {on} 0 * {names[0]}{mine}", labels=labels),
        ]


def identity(slo: Slo, objective: Decimal) -> dict[str, str]:
    """The labels by which the series of an SLI are known."""
    return {"sli": slo.name, "objective": number(objective)}


def _sources(slo: Slo, override: Override, by: Sequence[str], duration: str) -> tuple[str, str]:
    where = [matching("app", slo.apps), matching("route", slo.routes)]
    where += [matching("app", override.apps), matching("route", override.routes)]
    match slo.measure:
        case VerdictsSli(evaluator):
            chosen = (f'evaluator="{evaluator}"', SAMPLE, *where)
            events = selector("llmq_evaluations_total", *chosen)
            bad = selector("llmq_evaluations_total", *chosen, 'verdict="fail"')
        case Signal(signal, "rating"):
            events = selector("llmq_feedback_total", 'signal=~"thumbs_up|thumbs_down"', *where)
            bad = selector("llmq_feedback_total", f'signal="{signal}"', *where)
        case Signal(signal):
            events = selector("llmq_requests_total", *where)
            bad = selector("llmq_feedback_total", f'signal="{signal}"', *where)
        case Errors():
            events = selector("llmq_requests_total", *where)
            bad = selector("llmq_request_errors_total", *where)
        case CoverageSli():
            return _coverage(duration)
    return increase(by, events, duration), increase(by, bad, duration)


def _coverage(duration: str) -> tuple[str, str]:
    # Added up before "or", which would compare the labels of every slice; "verdict" tells them from what was missed.
    verdicts = increase(("evaluator", "verdict"), selector("llmq_evaluations_total", SAMPLE), duration)
    gaps = selector("llmq_unscored_total", f'reason=~"{COVERAGE_GAPS}"')
    missed = f"increase(llmq_evaluation_failures_total[{duration}])\n  or increase({gaps}[{duration}])"
    return f"sum by (evaluator) (\n  {verdicts}\n  or {missed}\n)", f"sum by (evaluator) (\n  {missed}\n)"
