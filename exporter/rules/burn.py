"""SLOs → the rules that record each SLI and alert on its burn. Knows PromQL, not where rules are written or read.

Names follow ``level:metric:operations``. Every series of an SLI carries ``sli`` and ``objective``; the levels are slice
(app, route, model and prompt version), route, app, and evaluator for coverage. Counts are added up; ratios are never
averaged.
"""

import textwrap
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from .promql import SAMPLE, increase, matching, number, selector, wilson_low
from .rulefile import Alert, Group, Record
from .slo import Coverage, Errors, Override, Severity, Signal, Slo, Verdicts, Window, minutes
from .templates import ROW, count, matchers, query

SLICE: Final = ("app", "route", "model_version", "prompt_version")
LABELS: Final = {"slice": SLICE, "route": ("app", "route"), "app": ("app",), "evaluator": ("evaluator",)}
ALERTED: Final[dict[Severity, tuple[str, ...]]] = {"page": ("app", "route"), "ticket": ("app", "slice", "evaluator")}
JOIN: Final = "on (sli, objective) group_left ()"
OBJECTIVE: Final = "max by (sli, objective) (sli:llmq_slo_objective:ratio)"
"""One series of each objective, also where several Prometheis that record it are read together."""
LEAST_BAD: Final = "max by (sli, objective) (sli:llmq_slo_min_bad_events:count)"
KEEP_FIRING: Final = "10m"
MOST: Final = Decimal("0.75")
"""Of the bad events beyond the budget: where one route has more of an app's, it is the route that is wrong."""

COVERAGE_GAPS: Final = "not_captured|over_budget|late"
"""Reasons for which an evaluator gives no verdict on a trace that it should judge; all others are right."""


def objectives(slos: Sequence[Slo]) -> Group:
    """The objectives, the alert lines and the least numbers of bad events, as series that alerts and panels share."""
    return Group(name="llmq-slo-objectives", rules=[rule for slo in slos for rule in _constants(slo)])


def _constants(slo: Slo) -> Iterator[Record]:
    for objective in slo.objectives():
        labels = _identity(slo, objective)
        yield Record(name="sli:llmq_slo_objective:ratio", expr=_vector(objective), labels=labels)
        yield Record(name="sli:llmq_slo_min_bad_events:count", expr=_vector(slo.min_bad_events), labels=labels)
        for window in slo.alerting():
            where = {**labels, "severity": window.severity, "window": window.long}
            yield Record(name="sli:llmq_slo_burn_line:ratio", expr=_vector(window.line(objective)), labels=where)


def _vector(value: Decimal | int) -> str:
    return f"vector({number(value)})"


def _identity(slo: Slo, objective: Decimal) -> dict[str, str]:
    return {"sli": slo.name, "objective": number(objective)}


def burn_groups(slos: Sequence[Slo], z: Decimal, slow_interval: str) -> list[Group]:
    """One group for each long window: its counts (unless made before), ratios and bounds, then its alerts.

    ``slow_interval`` is how often windows of a day and more are evaluated.
    """
    windows = sorted({window for slo in slos for window in slo.windows}, key=lambda window: minutes(window.long))
    levels = [[slo for slo in slos if _base(slo) == base] for base in ("slice", "evaluator")]
    groups, made = [], [set[str](), set[str]()]
    for long in dict.fromkeys(window.long for window in windows):
        pairs = _distinct([window for window in windows if window.long == long])
        rules: list[Record | Alert] = []
        for mine, done in zip(levels, made, strict=True):
            for duration in sorted(_durations(mine, pairs) - done, key=minutes):
                rules += [*_counts(mine, duration), *_ratios(mine, windows, duration, z)]
                done.add(duration)
        rules += [alert for pair in pairs for alert in _alerts(slos, pair)]
        interval = slow_interval if minutes(long) >= minutes("1d") else ""
        groups.append(Group(name=f"llmq-slo-{long}", rules=rules, interval=interval))
    return groups


def _durations(slos: Sequence[Slo], pairs: Sequence[Window]) -> set[str]:
    """Which windows of the pairs are recorded: all; of coverage those that alert, and the first, which panels show.

    To count coverage is to add up every verdict there is, which is too dear for a window that nobody reads.
    """
    using = [pair for pair in pairs if any(pair in _recorded(slo) for slo in slos)]
    covered = [slo for slo in slos if isinstance(slo.measure, Coverage)] if using else []
    shown = {min((window.long for window in slo.windows), key=minutes) for slo in covered}
    return shown.union(*((pair.long, pair.short) for pair in using))


def _recorded(slo: Slo) -> tuple[Window, ...]:
    return slo.alerting() or slo.windows if isinstance(slo.measure, Coverage) else slo.windows


def _distinct(windows: Sequence[Window]) -> list[Window]:
    return list({(window.severity, window.long, window.short, window.pending): window for window in windows}.values())


def _counts(slos: Sequence[Slo], duration: str) -> Iterator[Record]:
    using = [slo for slo in slos if any(duration in (window.long, window.short) for window in slo.windows)]
    for slo in using:
        yield from _base_counts(slo, duration)
    if any(_base(slo) == "slice" for slo in using):
        for level, finer in (("route", "slice"), ("app", "route")):
            for metric in ("llmq_sli_events", "llmq_sli_bad_events"):
                by = ", ".join(("sli", "objective", *LABELS[level]))
                expr = f"sum by ({by}) ({finer}:{metric}:increase{duration})"
                yield Record(name=f"{level}:{metric}:increase{duration}", expr=expr)


def _base_counts(slo: Slo, duration: str) -> Iterator[Record]:
    level = _base(slo)
    on = f"on ({', '.join(LABELS[level])})"
    shares: dict[Decimal, list[tuple[str, str]]] = {}
    taken = ""
    for override in (*slo.overrides, Override(objective=slo.objective)):
        events, bad = _sources(slo, override, duration)
        shares.setdefault(override.objective, []).append((events + taken, bad + taken))
        taken += f"\nunless {on} {events}"
    for objective, parts in shares.items():
        labels = _identity(slo, objective)
        mine = "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
        recorded = f"{level}:llmq_sli_events:increase{duration}{mine}"
        events, bad = ("\nor ".join(texts) for texts in zip(*parts, strict=True))
        yield Record(name=f"{level}:llmq_sli_events:increase{duration}", expr=events, labels=labels)
        expr = f"{bad}\nor {on} 0 * {recorded}"
        yield Record(name=f"{level}:llmq_sli_bad_events:increase{duration}", expr=expr, labels=labels)


def _base(slo: Slo) -> str:
    return "evaluator" if isinstance(slo.measure, Coverage) else "slice"


def _sources(slo: Slo, override: Override, duration: str) -> tuple[str, str]:
    where = [matching("app", slo.apps), matching("route", slo.routes)]
    where += [matching("app", override.apps), matching("route", override.routes)]
    match slo.measure:
        case Verdicts(evaluator):
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
        case Coverage():
            return _coverage(duration)
    return increase(SLICE, events, duration), increase(SLICE, bad, duration)


def _coverage(duration: str) -> tuple[str, str]:
    # Added up before "or", which would compare the labels of every slice; "verdict" tells them from what was missed.
    verdicts = increase(("evaluator", "verdict"), selector("llmq_evaluations_total", SAMPLE), duration)
    gaps = selector("llmq_unscored_total", f'reason=~"{COVERAGE_GAPS}"')
    missed = f"increase(llmq_evaluation_failures_total[{duration}])\n  or increase({gaps}[{duration}])"
    return f"sum by (evaluator) (\n  {verdicts}\n  or {missed}\n)", f"sum by (evaluator) (\n  {missed}\n)"


def _ratios(slos: Sequence[Slo], windows: Sequence[Window], duration: str, z: Decimal) -> Iterator[Record]:
    """At each level that which an alert reads: the ratio in both its windows, the bound in the long one."""
    bases = {_base(slo) for slo in slos}
    for level in LABELS:
        if ("evaluator" if level == "evaluator" else "slice") not in bases:
            continue
        reading = [window for window in windows if level in ALERTED[window.severity]]
        ratio = f"{level}:llmq_sli_bad_per_events:ratio_increase{duration}"
        events = f"{level}:llmq_sli_events:increase{duration}"
        bad = f"{level}:llmq_sli_bad_events:increase{duration}"
        if any(duration in (window.long, window.short) for window in reading):
            # Late feedback may leave a window with more bad events than events, and no ratio is above 1.
            yield Record(name=ratio, expr=f"clamp_max({bad} / ({events} > 0), 1)")
        if any(window.long == duration for window in reading):
            name = f"{level}:llmq_sli_bad_per_events:wilson_low_increase{duration}"
            bound = wilson_low(ratio, events, z)
            yield Record(name=name, expr=f"{bound}\nand {_above(ratio, duration)}" if level == "slice" else bound)


def _above(ratio: str, duration: str) -> str:
    """The ratios above an alert line of the window: the bound, which is lower, matters to no alert elsewhere."""
    line = selector("sli:llmq_slo_burn_line:ratio", f'window="{duration}"')
    return f"{ratio} > {JOIN} min by (sli, objective) ({line})"


def _alerts(slos: Sequence[Slo], window: Window) -> Iterator[Alert]:
    bases = {_base(slo) for slo in slos if window in slo.alerting()}
    for level in ALERTED[window.severity]:
        if ("evaluator" if level == "evaluator" else "slice") in bases:
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
