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
Denominator = Literal["response", "rating"]

LAST_WEEK: Final = "last_week"
"""The alert on a bad ratio that leaves last week's, in either direction; the others are named by their windows."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_DURATION: Final = re.compile(r"([1-9]\d{0,4})([smhdw])", re.ASCII)
_MINUTES: Final[dict[str, float]] = {"s": 1 / 60, "m": 1, "h": 60, "d": 1440, "w": 10_080}
_NEARLY_ALL: Final = Decimal("0.75")


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

    @property
    def name(self) -> str:
        """What people call its alert: severity and long window, such as "page_1h"."""
        return f"{self.severity}_{self.long}"

    def line(self, objective: Decimal) -> Decimal:
        """The bad ratio above which this window alerts."""
        return min(self.factor * (1 - objective), self.cap).normalize()


WINDOWS: Final = (
    Window(
        severity="page",
        long="15m",
        short="5m",
        factor=Decimal(12),
        cap=Decimal("0.75"),
        pending="1m",
    ),
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


BURNS: Final = tuple(window.name for window in WINDOWS)
TICKETS: Final = tuple(window.name for window in WINDOWS if window.severity == "ticket")
COLLAPSE: Final = ("page_15m", "page_1h", *TICKETS)
"""For what is subjective or slow: no page but for a collapse within an hour."""


class VerdictsSli(Struct, frozen=True, tag="verdicts"):
    """Bad is a failing verdict of ``evaluator``, out of all its verdicts on every or a random trace."""

    evaluator: str


class Signal(Struct, frozen=True, tag="signal"):
    """Bad is the user signal ``signal``, out of all responses or out of all ratings (thumbs up and down)."""

    signal: str
    per: Denominator = "response"


class CoverageSli(Struct, frozen=True, tag="coverage"):
    """Bad is a trace that an evaluator should have scored and did not: failed, over budget, or content not captured."""


class Errors(Struct, frozen=True, tag="errors"):
    """Bad is a request whose answering call failed, out of all requests."""


class Override(Struct, frozen=True, kw_only=True):
    """Another objective for the apps and routes that match one glob of each; the first that matches wins."""

    objective: Decimal
    apps: tuple[str, ...] = ("*",)
    routes: tuple[str, ...] = ("*",)


class Slo(Struct, frozen=True, kw_only=True):
    """An objective for one SLI: the share of good events, between 0 and 1, wherever app and route match.

    Every window is recorded; those named in ``alerts`` alert, and ``LAST_WEEK`` may be among the names. No alert on
    burn rests on fewer than ``min_bad_events`` bad events in its long window, however sure the statistics are.
    """

    name: str
    measure: VerdictsSli | Signal | CoverageSli | Errors
    objective: Decimal
    alerts: tuple[str, ...] = BURNS
    apps: tuple[str, ...] = ("*",)
    routes: tuple[str, ...] = ("*",)
    overrides: tuple[Override, ...] = ()
    windows: tuple[Window, ...] = WINDOWS
    min_bad_events: int = 10

    def objectives(self) -> tuple[Decimal, ...]:
        """Every objective that some app or route has."""
        return tuple(dict.fromkeys((*(override.objective for override in self.overrides), self.objective)))

    def alerting(self) -> tuple[Window, ...]:
        """The windows that alert."""
        return tuple(window for window in self.windows if window.name in self.alerts)


DEFAULT_SLOS: Final = (
    Slo(name="grounding", measure=VerdictsSli("grounding"), objective=Decimal("0.95")),
    Slo(
        name="refusal",
        measure=VerdictsSli("refusal"),
        objective=Decimal("0.95"),
        alerts=(*BURNS, LAST_WEEK),
    ),
    Slo(name="errors", measure=Errors(), objective=Decimal("0.98")),
    Slo(name="structured_output", measure=VerdictsSli("json_schema"), objective=Decimal("0.98")),
    Slo(name="empty", measure=VerdictsSli("empty"), objective=Decimal("0.99")),
    Slo(name="helpfulness", measure=VerdictsSli("helpfulness"), objective=Decimal("0.85"), alerts=COLLAPSE),
    Slo(name="faithfulness", measure=VerdictsSli("faithfulness"), objective=Decimal("0.9"), alerts=COLLAPSE),
    Slo(name="thumbs_down", measure=Signal("thumbs_down"), objective=Decimal("0.97"), alerts=COLLAPSE),
    Slo(
        name="thumbs_down_per_rating",
        measure=Signal("thumbs_down", per="rating"),
        objective=Decimal("0.7"),
        alerts=(),
    ),
    Slo(name="coverage", measure=CoverageSli(), objective=Decimal("0.95"), alerts=TICKETS),
)


class SloProblem(Struct, frozen=True):
    """What is wrong with an SLO, in words that say what would be right; a warning does not stop anything.

    ``at`` leads to the field that is wrong, ``window`` is the name of the window; both are empty where neither is.
    """

    slo: str
    message: str
    warning: bool = False
    at: tuple[str | int, ...] = ()
    window: str = ""


class Reach(Struct, frozen=True, kw_only=True):
    """From what bad ratio an alert can fire, and after how many events in its long window: all bad, and twice the line.

    None where no number of events is enough.
    """

    slo: str
    objective: Decimal
    alert: str
    line: Decimal
    events_all_bad: int | None
    events_twice_line: int | None


class WindowError(ValueError):
    """The text is no PromQL duration; the message says what to write."""


def minutes(duration: str) -> float:
    """Minutes of a PromQL duration such as "15m" or "3d"; WindowError for anything else."""
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise WindowError(f'"{duration}" is not a window: write a whole number and s, m, h, d or w, such as "15m"')
    return int(match[1]) * _MINUTES[match[2]]


def shown_first(windows: Sequence[Window]) -> str:
    """The long window that overviews show: the shortest of an hour or more, or the shortest."""
    longs = sorted({window.long for window in windows}, key=minutes)
    return next((long for long in longs if minutes(long) >= 60), longs[0])


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
    """One row for each SLO, objective and window that alerts and can."""
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
        alert=window.name,
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
    if isinstance(slo.measure, CoverageSli):
        yield from _coverage_problems(slo)
    if isinstance(slo.measure, Signal) and slo.measure.per == "rating" and not slo.measure.signal.startswith("thumbs_"):
        yield SloProblem(slo.name, f"{slo.measure.signal} is no rating: use per: response", at=("per",))
    if slo.min_bad_events < 1:
        yield SloProblem(slo.name, "min_bad_events must be at least 1", at=("min_bad_events",))
    objectives: dict[tuple[str | int, ...], Decimal] = {("objective",): slo.objective}
    objectives |= {("overrides", number, "objective"): one.objective for number, one in enumerate(slo.overrides)}
    outside = [at for at, objective in objectives.items() if not 0 < objective < 1]
    for at in outside:
        yield SloProblem(slo.name, "an objective lies above 0 and below 1, such as 0.95", at=at)
    if not outside:
        yield from _window_problems(slo)


def _coverage_problems(slo: Slo) -> Iterator[SloProblem]:
    """Coverage is counted by evaluator and app alone, and its alerts by evaluator."""
    if slo.overrides or slo.apps != ("*",) or slo.routes != ("*",):
        yield SloProblem(slo.name, "coverage is known by evaluator only: leave out apps, routes and overrides")
    tickets = [window.name for window in slo.windows if window.severity == "ticket"]
    for alert in [alert for alert in slo.alerts if alert not in tickets]:
        message = f"{alert} can never fire: coverage alerts by ticket; use {', '.join(tickets)}"
        yield SloProblem(slo.name, message, at=("alerts",))


def _window_problems(slo: Slo) -> Iterator[SloProblem]:
    names = [window.name for window in slo.windows]
    if len(set(names)) < len(names):
        yield SloProblem(slo.name, "two windows have the same severity and the same long window")
    for window in slo.windows:
        try:
            if minutes(window.short) >= minutes(window.long):
                message = f"the short window {window.short} is not shorter than {window.long}"
                yield SloProblem(slo.name, message, window=window.name)
            minutes(window.pending)
        except WindowError as error:
            yield SloProblem(slo.name, str(error), window=window.name)
            return
        if window.factor < 1:
            message = "a factor below 1 alerts while the objective is met: make it at least 1"
            yield SloProblem(slo.name, message, window=window.name)
    for objective in slo.objectives():
        for window in slo.alerting():
            yield from _reach_problems(slo, objective, window)


def _reach_problems(slo: Slo, objective: Decimal, window: Window) -> Iterator[SloProblem]:
    line, budget = window.line(objective), (1 - objective).normalize()
    whose = f"for {slo.name} (objective {objective})"
    if line >= 1:
        message = (
            f"{window.name} can never fire {whose}: {window.factor} times a budget of {budget:f} is "
            f"{(window.factor * budget).normalize():f}, and its cap is {window.cap}; lower the factor, or set a cap "
            "below 1"
        )
        yield SloProblem(slo.name, message, window=window.name)
    elif line <= 0:
        message = f"{window.name} would always fire {whose}: its cap is {window.cap}; set one between 0 and 1"
        yield SloProblem(slo.name, message, window=window.name)
    elif line > _NEARLY_ALL:
        message = f"{window.name} fires {whose} only when more than {line:.0%} is bad; lower its cap"
        yield SloProblem(slo.name, message, warning=True, window=window.name)
