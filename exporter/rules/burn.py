"""SLOs → the rules that record each SLI and alert on its burn. Knows PromQL, not where rules are written or read.

Names follow ``level:metric:operations``. Every series of an SLI carries ``sli`` and ``objective``; the levels are slice
(app, route, model and prompt version), route, app, and evaluator for coverage. Counts are added up; ratios are never
averaged.
"""

import textwrap
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from .counts import HOUR, LABELS, SLICE, Block, Steps, counts, identity, summed, sums, windows_of
from .promql import number, selector, wilson_low
from .rulefile import Alert, Group, Record
from .slo import CoverageSli, Severity, Slo, Window, minutes, shown_first
from .templates import ROW, count, matchers, query

ALERTED: Final[dict[Severity, tuple[str, ...]]] = {"page": ("app", "route"), "ticket": ("app", "slice", "evaluator")}
JOIN: Final = "on (sli, objective) group_left ()"
OBJECTIVE: Final = "max by (sli, objective) (sli:llmq_slo_objective:ratio)"
"""One series of each objective, also where several Prometheis that record it are read together."""
LEAST_BAD: Final = "max by (sli, objective) (sli:llmq_slo_min_bad_events:count)"
KEEP_FIRING: Final = "10m"
MOST: Final = Decimal("0.75")
"""Of the bad events beyond the budget: where one route has more of an app's, it is the route that is wrong."""


def objectives(slos: Sequence[Slo]) -> list[Group]:
    """The objectives, the alert lines and the least numbers of bad events, as series that alerts and panels share."""
    return Group(name="llmq-slo-objectives", rules=[]).filled([[rule] for slo in slos for rule in _constants(slo)])


def _constants(slo: Slo) -> Iterator[Record]:
    for objective in slo.objectives():
        labels = identity(slo, objective)
        yield Record(name="sli:llmq_slo_objective:ratio", expr=_vector(objective), labels=labels)
        yield Record(name="sli:llmq_slo_min_bad_events:count", expr=_vector(slo.min_bad_events), labels=labels)
        for window in slo.alerting():
            where = {**labels, "severity": window.severity, "window": window.long}
            yield Record(name="sli:llmq_slo_burn_line:ratio", expr=_vector(window.line(objective)), labels=where)


def _vector(value: Decimal | int) -> str:
    return f"vector({number(value)})"


def burn_groups(slos: Sequence[Slo], z: Decimal, steps: Steps) -> dict[str, list[Group]]:
    """The groups of each file: one file for all windows of an hour and less, and one for each longer window.

    What pages within an hour is counted by route at each evaluation; all else by slice, every few minutes.
    """
    windows = windows_of(slos)
    short = [window for window in windows if minutes(window.long) <= HOUR]
    files: dict[str, list[Window]] = {}
    for window in windows:
        files.setdefault(short[-1].long if window in short else window.long, []).append(window)
    made = _Made(slos, windows, z, steps)
    return {name: made.file(name, _distinct(pairs)) for name, pairs in files.items()}


class _Made:
    """The rules of windows, shorter ones first; each count and ratio is recorded once, for the first that reads it."""

    def __init__(self, slos: Sequence[Slo], windows: Sequence[Window], z: Decimal, steps: Steps) -> None:
        self._covering = [slo for slo in slos if isinstance(slo.measure, CoverageSli)]
        self._sliced = [slo for slo in slos if slo not in self._covering]
        self._slos, self._windows, self._z, self._steps = slos, windows, z, steps
        self._counted = set[tuple[str, str]]()
        self._rated = set[tuple[str, str]]()

    def file(self, name: str, pairs: Sequence[Window]) -> list[Group]:
        """The groups of the windows of one file."""
        fast = [pair for pair in pairs if minutes(pair.long) < HOUR and pair.severity == "page"]
        slow = [pair for pair in pairs if pair not in fast]
        groups = Group(name=f"llmq-slo-{fast[-1].long}", rules=[]).filled(self._fast(fast)) if fast else []
        # Slices of a fast window are what its annotations name.
        durations = {*_durations(slow), *(pair.long for pair in fast)}
        if self._sliced and not self._counted & {("slice", self._steps.length)}:
            durations.add(self._steps.length)
        blocks = [*self._slow(slow, sorted(durations, key=minutes))]
        suffix = "-slices" if fast and not slow else ""
        group = Group(name=f"llmq-slo-{name}{suffix}", rules=[], interval=self._steps.every)
        return [*groups, *group.filled(blocks)]

    def _fast(self, pairs: Sequence[Window]) -> Iterator[Block]:
        alerting = [slo for slo in self._sliced if {*slo.alerting()} & {*pairs}]
        for duration in _durations(pairs):
            yield from counts(alerting, "route", duration)
            yield sums("route", duration)
            self._counted |= {("route", duration), ("app", duration)}
        yield from self._read(pairs, _durations(pairs))

    def _slow(self, pairs: Sequence[Window], durations: Sequence[str]) -> Iterator[Block]:
        for duration in durations if self._sliced else []:
            if ("slice", duration) not in self._counted:
                yield from self._by_slice(duration)
            if ("route", duration) not in self._counted:
                yield sums("slice", duration)
            self._counted |= {(level, duration) for level in ("slice", "route", "app")}
        for duration in self._covered(pairs):
            if ("evaluator", duration) not in self._counted:
                yield from self._by_evaluator(duration)
            self._counted.add(("evaluator", duration))
        yield from self._read(pairs, sorted({*durations, *_durations(pairs)}, key=minutes))

    def _by_slice(self, duration: str) -> Iterator[Block]:
        if self._steps.make(duration):
            yield summed(self._sliced, "slice", duration, self._steps)
        else:
            yield from counts(self._sliced, "slice", duration)

    def _by_evaluator(self, duration: str) -> Iterator[Block]:
        if duration != self._steps.length and minutes(duration) % minutes(self._steps.length) == 0:
            yield summed(self._covering, "evaluator", duration, self._steps)
        else:
            yield from counts(self._covering, "evaluator", duration)

    def _covered(self, pairs: Sequence[Window]) -> list[str]:
        """Windows in which coverage is recorded: a step, where it alerts, and the first, which panels show."""
        alerting = {pair for slo in self._covering for pair in slo.alerting()} & {*pairs}
        found = {pair.long for pair in pairs} & {shown_first(slo.windows) for slo in self._covering}
        found = found.union(*((pair.long, pair.short) for pair in alerting))
        return sorted({self._steps.length, *found}, key=minutes) if found else []

    def _read(self, pairs: Sequence[Window], durations: Sequence[str]) -> Iterator[Block]:
        """What alerts read, and the alerts."""
        for duration in durations:
            yield [rule for level in LABELS for rule in self._ratio(level, duration)]
        for alert in (alert for pair in pairs for alert in _alerts(self._slos, pair)):
            yield [alert]

    def _ratio(self, level: str, duration: str) -> Iterator[Record]:
        """The ratio in both windows of an alert of this level, and the bound in the long one."""
        reading = [window for window in self._windows if level in ALERTED[window.severity]]
        known = (level, duration) in self._counted and (level, duration) not in self._rated
        if not known or not any(duration in (window.long, window.short) for window in reading):
            return
        self._rated.add((level, duration))
        ratio = f"{level}:llmq_sli_bad_per_events:ratio_increase{duration}"
        bad, events = (f"{level}:{metric}:increase{duration}" for metric in ("llmq_sli_bad_events", "llmq_sli_events"))
        # Late feedback may leave a window with more bad events than events, and no ratio is above 1.
        yield Record(name=ratio, expr=f"clamp_max({bad} / ({events} > 0), 1)")
        if any(window.long == duration for window in reading):
            bound = wilson_low(ratio, events, self._z)
            expr = f"{bound}\nand {_above(ratio, duration)}" if level == "slice" else bound
            yield Record(name=f"{level}:llmq_sli_bad_per_events:wilson_low_increase{duration}", expr=expr)


def _durations(pairs: Sequence[Window]) -> list[str]:
    return sorted({duration for pair in pairs for duration in (pair.long, pair.short)}, key=minutes)


def _distinct(windows: Sequence[Window]) -> list[Window]:
    return list({(window.severity, window.long, window.short, window.pending): window for window in windows}.values())


def _above(ratio: str, duration: str) -> str:
    """The ratios above an alert line of the window: the bound, which is lower, matters to no alert elsewhere."""
    line = selector("sli:llmq_slo_burn_line:ratio", f'window="{duration}"')
    return f"{ratio} > {JOIN} min by (sli, objective) ({line})"


def _alerts(slos: Sequence[Slo], window: Window) -> Iterator[Alert]:
    covers = {isinstance(slo.measure, CoverageSli) for slo in slos if window in slo.alerting()}
    for level in ALERTED[window.severity]:
        if (level == "evaluator") in covers:
            yield _coverage_alert(window) if level == "evaluator" else _burn_alert(window, level)


def _burn_alert(window: Window, level: str) -> Alert:
    paging = window.severity == "page"
    labels = LABELS[level]
    subject = ", ".join(f"{name} {{{{ $labels.{name} }}}}" for name in labels)
    return Alert(
        name="LLMQualityBudgetBurn" if paging else "LLMQualityBudgetBurnSlow",
        expr=_condition(window, level) + (_unless_one_route(window) if level == "app" else ""),
        severity=window.severity,
        pending=window.pending,
        keep_firing=KEEP_FIRING,
        labels={"window": window.long, "level": level},
        summary=(
            "Answers get bad fast enough to spend the error budget soon"
            if paging
            else "Answers are bad often enough to miss the objective"
        ),
        description=(
            f"{{{{ $labels.sli }}}} on {subject}: {{{{ $value | humanizePercentage }}}} bad of "
            f"{_events(window, level)} in the last {window.long}; the objective is {{{{ $labels.objective }}}} good."
        ),
        notes={
            "worst": _worst(window, level),
            **({} if level == "slice" else {"suspects": _suspects(window.long, labels)}),
        },
        dashboard="llmq-slo",
        variables=("sli", *labels, "window"),
        bad_in=int(60 * minutes(window.long)),
    )


def _coverage_alert(window: Window) -> Alert:
    return Alert(
        name="LLMQualityCoverageDown",
        expr=_condition(window, "evaluator"),
        severity=window.severity,
        pending=window.pending,
        keep_firing=KEEP_FIRING,
        labels={"window": window.long, "level": "evaluator"},
        summary="Too many traces stay without a verdict",
        description=(
            "{{ $labels.evaluator }} gave no verdict on {{ $value | humanizePercentage }} of "
            f"{_events(window, 'evaluator')} traces that it should have scored in the last {window.long}; the "
            "objective is {{ $labels.objective }} scored."
        ),
        dashboard="llmq-exporter",
        variables=("evaluator",),
    )


def _condition(window: Window, level: str) -> str:
    line = f"{JOIN} max by (sli, objective) ({_line(window)})"
    series = f"{level}:llmq_sli_bad_per_events"
    return (
        f"{series}:ratio_increase{window.long}\n"
        f"and {series}:wilson_low_increase{window.long} > {line}\n"
        f"and {series}:ratio_increase{window.short} > {line}\n"
        f"and {level}:llmq_sli_bad_events:increase{window.long} >= {JOIN} {LEAST_BAD}"
    )


def _unless_one_route(window: Window) -> str:
    """An app is told of where no single route that alerts itself has most of what is beyond the budget."""
    part = next(level for level in ALERTED[window.severity] if level != "app")
    same, alerting = "on (sli, objective, app)", textwrap.indent(_condition(window, part), "    and ")
    alerting = alerting.replace("    and and ", "    and ")
    return (
        f"\nunless {same} (\n  sum by (sli, objective, app, route) (\n    {_excess(part, window.long)}\n{alerting}\n"
        f"  ) > {same} group_left () {number(MOST)} * ({_excess('app', window.long)})\n)"
    )


def _excess(level: str, duration: str) -> str:
    """Bad events beyond those that the objective allows."""
    events, bad = (f"{level}:llmq_sli_{name}:increase{duration}" for name in ("events", "bad_events"))
    return f"{bad} - {events} * {JOIN} (1 - {OBJECTIVE})"


def _events(window: Window, level: str) -> str:
    return count(f"{level}:llmq_sli_events:increase{window.long}", ("sli", "objective", *LABELS[level]))


def _worst(window: Window, level: str) -> str:
    """A template that names every SLI of the same app, route or slice that surely burns its budget, worst first."""
    labels, duration = LABELS[level], window.long
    bound = f"{level}:llmq_sli_bad_per_events:wilson_low_increase{duration}{matchers(labels)}"
    burning = f"{bound} / {JOIN} (1 - {OBJECTIVE}) > 1 and on (sli, objective) {_line(window)}"
    every = ("sli", "objective", *labels)
    bad, events = (
        count(f"{level}:llmq_sli_{name}:increase{duration}", every, ROW) for name in ("bad_events", "events")
    )
    rows = f"{{{{ range {query(f'sort_desc({burning})', labels)} -}}}}"
    return f"{rows}\n{{{{ .Labels.sli }}}}: {bad} bad of {events}\n{{{{ end }}}}"


def _line(window: Window) -> str:
    return f'sli:llmq_slo_burn_line:ratio{{severity="{window.severity}",window="{window.long}"}}'


def _suspects(duration: str, labels: Sequence[str]) -> str:
    """A template that names the slices with the most bad events beyond their budget, one in a line."""
    names, every = ("sli", "objective", *labels), ("sli", "objective", *SLICE)
    events, bad = f"slice:llmq_sli_events:increase{duration}", f"slice:llmq_sli_bad_events:increase{duration}"
    mine = matchers(names)
    excess = query(f"topk(3, {bad}{mine} - (1 - %[2]s) * {events}{mine} > 0)", names)
    counts = [count(series, every, ROW) for series in (bad, events)]
    seen = query("llmq_version_first_seen_timestamp_seconds" + matchers(SLICE), SLICE, ROW)
    return (
        f"{{{{ range {excess} -}}}}\n"
        "prompt_version {{ .Labels.prompt_version }} with model_version {{ .Labels.model_version }}"
        f" on route {{{{ .Labels.route }}}}: {counts[0]} bad of {counts[1]}\n"
        f"{{{{- with {seen} }}}}, first seen {{{{ . | first | value | humanizeTimestamp }}}}{{{{ end }}}}\n"
        "{{ end }}"
    )
