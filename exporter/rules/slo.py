"""Service level objectives: what they are, which burns page, and whether an alert can fire. Knows no PromQL.

The windows have the shape of the SRE workbook's (https://sre.google/workbook/alerting-on-slos/), not its factors: 14.4
times the budget of a 90 % objective is more than everything, so that page could never fire.
"""

import math
import re
from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Final, Literal

from msgspec import Struct

Severity = Literal["page", "ticket"]
Policy = Literal["page", "collapse", "ticket", "watch"]
Denominator = Literal["response", "rating"]

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_DURATION: Final = re.compile(r"([1-9]\d{0,4})([mhdw])", re.ASCII)
_MINUTES: Final = {"m": 1, "h": 60, "d": 1440, "w": 10_080}
_NEARLY_ALL: Final = Decimal("0.7")


class Window(Struct, frozen=True, kw_only=True):
    """A pair of windows and the burn that alerts in it; the alert line is ``min(factor * budget, cap)`` as a bad ratio.

    The long window shows that it matters, the short one that it still goes on; ``pending`` is the rule's ``for``.
    """

    severity: Severity
    long: str
    short: str
    factor: Decimal
    cap: Decimal
    pending: str

    def line(self, objective: Decimal) -> Decimal:
        """The bad ratio above which this window alerts."""
        return min(self.factor * (1 - objective), self.cap).normalize()


WINDOWS: Final = (
    Window(
        severity="page",
        long="1h",
        short="15m",
        factor=Decimal(6),
        cap=Decimal("0.6"),
        pending="2m",
    ),
    Window(
        severity="page",
        long="6h",
        short="30m",
        factor=Decimal(3),
        cap=Decimal("0.45"),
        pending="5m",
    ),
    Window(
        severity="ticket",
        long="1d",
        short="2h",
        factor=Decimal(2),
        cap=Decimal("0.3"),
        pending="30m",
    ),
    Window(
        severity="ticket",
        long="3d",
        short="6h",
        factor=Decimal("1.25"),
        cap=Decimal("0.95"),
        pending="1h",
    ),
)


class Verdicts(Struct, frozen=True, tag="verdicts"):
    """Bad is a failing verdict of ``evaluator``, out of all its verdicts on every or a random trace."""

    evaluator: str


class Signal(Struct, frozen=True, tag="signal"):
    """Bad is the user signal ``signal``, out of all responses or out of all ratings (thumbs up and down)."""

    signal: str
    per: Denominator = "response"


class Coverage(Struct, frozen=True, tag="coverage"):
    """Bad is a trace that an evaluator should have scored and did not: failed, over budget, or content not captured."""


class Tier(Struct, frozen=True, kw_only=True):
    """Another objective for the apps and routes that match one glob of each; the first tier that matches wins."""

    objective: Decimal
    apps: tuple[str, ...] = ("*",)
    routes: tuple[str, ...] = ("*",)


class Slo(Struct, frozen=True, kw_only=True):
    """An objective for one SLI: the share of good events, between 0 and 1, wherever app and route match.

    ``policy``: page (all windows), collapse (of the pages only the shortest), ticket (no page), watch (recorded only).
    No alert rests on fewer than ``min_bad_events`` bad events in its long window, however sure the statistics are.
    ``two_sided`` also alerts when the bad ratio leaves last week's.
    """

    name: str
    measure: Verdicts | Signal | Coverage
    objective: Decimal
    policy: Policy = "page"
    apps: tuple[str, ...] = ("*",)
    routes: tuple[str, ...] = ("*",)
    tiers: tuple[Tier, ...] = ()
    windows: tuple[Window, ...] = WINDOWS
    min_bad_events: int = 10
    two_sided: bool = False

    def objectives(self) -> tuple[Decimal, ...]:
        """Every objective that some app or route has, the default last."""
        return tuple(dict.fromkeys((*(tier.objective for tier in self.tiers), self.objective)))

    def alerting(self) -> tuple[Window, ...]:
        """The windows that alert under the policy."""
        pages = [window for window in self.windows if window.severity == "page"]
        tickets = [window for window in self.windows if window.severity == "ticket"]
        shortest = sorted(pages, key=lambda window: minutes(window.long))[:1]
        chosen = {"page": pages + tickets, "collapse": shortest + tickets, "ticket": tickets, "watch": []}[self.policy]
        return tuple(window for window in self.windows if window in chosen)


DEFAULT_SLOS: Final = (
    Slo(name="grounding", measure=Verdicts("grounding"), objective=Decimal("0.95")),
    Slo(name="refusal", measure=Verdicts("refusal"), objective=Decimal("0.95"), two_sided=True),
    Slo(name="structured_output", measure=Verdicts("json_schema"), objective=Decimal("0.98")),
    Slo(name="empty", measure=Verdicts("empty"), objective=Decimal("0.99")),
    Slo(name="helpfulness", measure=Verdicts("helpfulness"), objective=Decimal("0.85"), policy="collapse"),
    Slo(name="faithfulness", measure=Verdicts("faithfulness"), objective=Decimal("0.9"), policy="collapse"),
    Slo(name="thumbs_down", measure=Signal("thumbs_down"), objective=Decimal("0.97"), policy="collapse"),
    Slo(
        name="thumbs_down_per_rating",
        measure=Signal("thumbs_down", per="rating"),
        objective=Decimal("0.7"),
        policy="watch",
    ),
    Slo(name="coverage", measure=Coverage(), objective=Decimal("0.95"), policy="ticket"),
)


class SloProblem(Struct, frozen=True):
    """What is wrong with an SLO, in words that say what would be right; a warning does not stop anything."""

    slo: str
    message: str
    warning: bool = False


class Reach(Struct, frozen=True, kw_only=True):
    """From what bad ratio an alert can fire, and after how many events in its long window: all bad, and twice the line.

    None where no number of events is enough.
    """

    slo: str
    objective: Decimal
    severity: Severity
    long: str
    line: Decimal
    events_all_bad: int | None
    events_twice_line: int | None


def minutes(duration: str) -> int:
    """Minutes of a PromQL duration such as "15m" or "3d"; ValueError for anything else."""
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(f'"{duration}" is not a window: write a whole number and m, h, d or w, such as "15m"')
    return int(match[1]) * _MINUTES[match[2]]


def wilson_low(bad: float, events: float, z: float) -> float:
    """Lower end of the Wilson interval of ``bad`` out of ``events`` at ``z`` standard deviations; 0 without events."""
    if events <= 0:
        return 0.0
    ratio, square = bad / events, z * z
    centre = ratio + square / (2 * events)
    spread = z * math.sqrt((ratio * (1 - ratio) + square / (4 * events)) / events)
    return (centre - spread) / (1 + square / events)


def events_needed(line: Decimal, truth: Decimal, z: Decimal, least_bad: int) -> int | None:
    """Events until a bad ratio of ``truth`` has ``least_bad`` bad ones and its bound above ``line``; None for never."""
    if truth <= line:
        return None
    sure = z * z * line * (1 - line) / (truth - line) ** 2
    return int(max(sure, least_bad / truth).to_integral_value(ROUND_CEILING))


def reach(slos: Sequence[Slo], z: Decimal = Decimal("2.58")) -> list[Reach]:
    """One row for each SLO, objective and alerting window."""
    return [
        _reach(slo, objective, window, z)
        for slo in slos
        for objective in slo.objectives()
        for window in slo.alerting()
        if window.line(objective) < 1
    ]


def _reach(slo: Slo, objective: Decimal, window: Window, z: Decimal) -> Reach:
    line, least = window.line(objective), slo.min_bad_events
    return Reach(
        slo=slo.name,
        objective=objective,
        severity=window.severity,
        long=window.long,
        line=line,
        events_all_bad=events_needed(line, Decimal(1), z, least),
        events_twice_line=events_needed(line, 2 * line, z, least) if 2 * line <= 1 else None,
    )


def problems(slos: Sequence[Slo]) -> list[SloProblem]:
    """Everything that is wrong with the SLOs, among it every alert that could never fire."""
    found = [problem for slo in slos for problem in _problems(slo)]
    names = [slo.name for slo in slos]
    found += [SloProblem(name, "another SLO has this name") for name in sorted(set(names)) if names.count(name) > 1]
    return [*found, *_unequal_pairs(slos)]


def _unequal_pairs(slos: Sequence[Slo]) -> Iterator[SloProblem]:
    """SLOs share their alerts by severity and long window, so those must have one short window and one ``for``."""
    shared: dict[tuple[str, str], tuple[str, str]] = {}
    for slo in slos:
        for window in slo.windows:
            pair = (window.short, window.pending)
            if shared.setdefault((window.severity, window.long), pair) != pair:
                message = f"the {window.severity} of {window.long} has another short window or for in another SLO"
                yield SloProblem(slo.name, message)


def _problems(slo: Slo) -> Iterator[SloProblem]:
    if not _NAME.fullmatch(slo.name):
        yield SloProblem(slo.name, "a name has small letters, digits and _, and starts with a letter")
    if isinstance(slo.measure, Coverage) and (slo.tiers or slo.apps != ("*",) or slo.routes != ("*",)):
        yield SloProblem(slo.name, "coverage is known by evaluator only: leave out apps, routes and tiers")
    if isinstance(slo.measure, Signal) and slo.measure.per == "rating" and not slo.measure.signal.startswith("thumbs_"):
        yield SloProblem(slo.name, f"{slo.measure.signal} is no rating: use per: response")
    if slo.min_bad_events < 1:
        yield SloProblem(slo.name, "min_bad_events must be at least 1")
    if not all(0 < objective < 1 for objective in slo.objectives()):
        yield SloProblem(slo.name, "an objective lies above 0 and below 1, such as 0.95")
    else:
        yield from _window_problems(slo)


def _window_problems(slo: Slo) -> Iterator[SloProblem]:
    longs = [(window.severity, window.long) for window in slo.windows]
    if len(set(longs)) < len(longs):
        yield SloProblem(slo.name, "two windows have the same severity and the same long window")
    for window in slo.windows:
        try:
            if minutes(window.short) >= minutes(window.long):
                yield SloProblem(slo.name, f"the short window {window.short} is not shorter than {window.long}")
            minutes(window.pending)
        except ValueError as error:
            yield SloProblem(slo.name, str(error))
            return
        if window.factor < 1:
            yield SloProblem(slo.name, f"{window.long}: a factor below 1 alerts while the objective is met")
    for objective in slo.objectives():
        for window in slo.alerting():
            yield from _reach_problems(slo, objective, window)


def _reach_problems(slo: Slo, objective: Decimal, window: Window) -> Iterator[SloProblem]:
    line = window.line(objective)
    where = f"the {window.severity} of {window.long}/{window.short}"
    if line >= 1:
        yield SloProblem(
            slo.name,
            f"{where} can never fire: {window.factor} times a budget of {(1 - objective).normalize():f} is a bad ratio "
            f"of {line:f}; lower the factor, or set a cap below 1",
        )
    elif line <= 0:
        yield SloProblem(slo.name, f"{where} would always fire: its cap is {window.cap}")
    elif line > _NEARLY_ALL:
        yield SloProblem(slo.name, f"{where} fires only when more than {line:.0%} is bad; lower its cap", warning=True)
