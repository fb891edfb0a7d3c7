"""The PromQL that panels share: counts of the chosen slices, their ratios and bounds. Knows series, not panels.

Every ratio is made of recorded counts that are added up over the slices chosen by the dashboard's variables, so that a
choice of versions never averages ratios.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from ..rules.promql import SAMPLE, selector
from ..rules.slo import CoverageSli, Slo, minutes, shown_first

CHOSEN: Final = (
    'app=~"$app"',
    'route=~"$route"',
    'model_version=~"$model_version"',
    'prompt_version=~"$prompt_version"',
)
"""The slices that the variables choose."""

OBJECTIVE: Final = "sli:llmq_slo_objective:ratio"
LINE: Final = "sli:llmq_slo_burn_line:ratio"
PER_SLI: Final = "on (sli, objective) group_left ()"
Z: Final = 1.96
"""Bands and bounds on dashboards are those of 95 %."""


class Spans(Struct, frozen=True):
    """The windows for which SLIs are recorded, the shortest first, and the two that overviews show."""

    every: tuple[str, ...]
    fast: str
    slow: str


def spans(slos: Sequence[Slo]) -> Spans:
    """What the SLOs' windows are: ``fast`` is an hour or what is next to it, ``slow`` that of the slowest alert."""
    longs = sorted({window.long for slo in slos for window in slo.windows}, key=minutes)
    every = {duration for slo in slos for window in slo.windows for duration in (window.long, window.short)}
    shown = [duration for duration in every if minutes(duration) >= minutes(longs[0])]
    return Spans(
        tuple(sorted(shown, key=minutes)), shown_first([window for slo in slos for window in slo.windows]), longs[-1]
    )


def by(labels: Sequence[str], source: str) -> str:
    """A sum that keeps these labels."""
    return f"sum by ({', '.join(labels)}) ({source})" if labels else f"sum({source})"


def events(labels: Sequence[str], window: str, *matchers: str) -> str:
    """Events of the chosen slices in the window."""
    return by(labels, selector(f"slice:llmq_sli_events:increase{window}", *matchers, *CHOSEN))


def bad(labels: Sequence[str], window: str, *matchers: str) -> str:
    """Bad events of the chosen slices in the window."""
    return by(labels, selector(f"slice:llmq_sli_bad_events:increase{window}", *matchers, *CHOSEN))


def share(part: str, whole: str) -> str:
    """A ratio that has no value where there is nothing to divide by."""
    return f"{part} / ({whole} > 0)"


def low(part: str, whole: str) -> str:
    """Lower end of the 95 % Wilson interval of two counts."""
    return _wilson(part, whole, "-")


def high(part: str, whole: str) -> str:
    """Upper end of the same interval."""
    return _wilson(part, whole, "+")


def _wilson(part: str, whole: str, sign: str) -> str:
    square = Z * Z
    return (
        f"(\n  {part} + {square / 2:.4g}\n"
        f"  {sign} {Z} * sqrt(clamp_min({part} * (1 - {part} / {whole}), 0) + {square / 4:.4g})\n"
        f") / ({whole} + {square:.4g} > {square:.4g})"
    )


def verdicts(labels: Sequence[str], window: str, *matchers: str) -> str:
    """Verdicts that an SLI may read, of the chosen slices."""
    return by(labels, f"increase({selector('llmq_evaluations_total', *matchers, SAMPLE, *CHOSEN)}[{window}])")


def requests(labels: Sequence[str], window: str) -> str:
    """Requests of the chosen slices."""
    return by(labels, f"increase({selector('llmq_requests_total', *CHOSEN)}[{window}])")


def named(slos: Sequence[Slo], coverage: bool) -> list[str]:
    """The names of the SLIs that are coverage, or of those that are not."""
    return [slo.name for slo in slos if isinstance(slo.measure, CoverageSli) is coverage]
