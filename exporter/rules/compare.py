"""Rules that compare: versions with each other, this week with last, online with offline.

Knows the statistics and the metrics they need; a comparison without evidence on both sides says nothing.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from .counts import INSTRUMENT, Steps
from .promql import SAMPLE, increase, lately, matching, number, pooled_z, selector
from .rulefile import Alert, Group, Record
from .slo import LAST_WEEK, Slo

VERSIONS: Final = ("app", "model_version", "prompt_version")
LEAST: Final = 100
DIFFERENCE: Final = Decimal("0.03")
GAP: Final = Decimal("0.05")


def versions(z: Decimal, steps: Steps) -> Group:
    """Each model version and each prompt version against all others on its route, under one evaluator version."""
    route = (*INSTRUMENT, "app", "route")
    by = (*route, "model_version", "prompt_version")
    rules: list[Record | Alert] = []
    for metric, verdict in (("evaluations", ""), ("failing_evaluations", 'verdict="fail"')):
        slices, source = f"slice:llmq_{metric}", selector("llmq_evaluations_total", SAMPLE, verdict)
        rules.append(Record(name=f"{slices}:increase{steps.length}", expr=increase(by, source, steps.length)))
        rules.append(Record(name=f"{slices}:increase6h", expr=steps.over(slices, "6h")))
        rules.append(
            Record(name=f"route:llmq_{metric}:increase6h", expr=f"sum by ({', '.join(route)}) ({slices}:increase6h)")
        )
    for dimension in ("model_version", "prompt_version"):
        rules += _against_the_rest(dimension, z)
    return Group(name="llmq-versions", rules=rules)


def _against_the_rest(dimension: str, z: Decimal) -> Iterator[Record | Alert]:
    route = ", ".join((*INSTRUMENT, "app", "route"))
    metrics = ("failing_evaluations", "evaluations")
    bad, events = (f"{dimension}:llmq_{metric}:increase6h" for metric in metrics)
    all_bad, all_events = (f"route:llmq_{metric}:increase6h" for metric in metrics)
    other_bad, others = (
        f"({every} - on ({route}) group_right () {own})" for every, own in ((all_bad, bad), (all_events, events))
    )
    for own, metric in ((bad, metrics[0]), (events, metrics[1])):
        yield Record(name=own, expr=f"sum by ({route}, {dimension}) (slice:llmq_{metric}:increase6h)")
    difference, statistic = (
        f"{dimension}:llmq_failing_difference:ratio_increase6h",
        f"{dimension}:llmq_failing:z_increase6h",
    )
    # Where there are no others, two sums of the same parts may still differ by rounding: less than one answer is none.
    yield Record(name=difference, expr=f"{bad} / ({events} > 0)\n- {other_bad}\n/ ({others} >= 1)")
    # The two-proportion z statistic: a version and its others make up the route.
    pooled = f"{all_bad} / {all_events}"
    variance = f"  {pooled} * (1 - {pooled})\n  * on ({route}) group_right () (\n    1 / {events} + 1 / {others}\n  )"
    yield Record(name=statistic, expr=f"{difference}\n/ sqrt(\n{variance}\n)")
    yield Alert(
        name="LLMQualityVersionWorse",
        expr=(
            f"{difference} > {number(DIFFERENCE)}\nand {statistic} > {number(z)}\n"
            f"and {events} >= {LEAST}\nand {others} >= {LEAST}"
        ),
        severity="ticket",
        pending="15m",
        keep_firing="10m",
        labels={"dimension": dimension},
        summary="A version fails more often than the others on its route",
        description=(
            f"{{{{ $labels.evaluator }}}}: {dimension} {{{{ $labels.{dimension} }}}} on app {{{{ $labels.app }}}}, "
            "route {{ $labels.route }}, has a share of failing answers {{ $value | humanizePercentage }} higher than "
            "the other versions there in the last 6h."
        ),
        dashboard="llmq-versions",
        variables=("evaluator", "app", "route", "dimension", dimension),
        bad_in=6 * 3600,
    )


def last_week(slos: Sequence[Slo], z: Decimal) -> list[Group]:
    """Two-sided SLIs against the same hours a week before: to refuse less can be as wrong as to refuse more."""
    names = [slo.name for slo in slos if LAST_WEEK in slo.alerts]
    if not names:
        return []
    mine = matching("sli", names)
    series = (f"route:llmq_sli_{name}increase6h" for name in ("bad_per_events:ratio_", "bad_events:", "events:"))
    ratio, bad, events = (selector(one, mine) for one in series)
    before, bad_before, events_before = (f"{one} offset 1w" for one in (ratio, bad, events))
    statistic = "route:llmq_sli_shift_from_last_week:z_increase6h"
    shift = Alert(
        name="LLMQualityShiftFromLastWeek",
        expr=(
            f"{ratio} - {before}\nand abs({statistic}) > {number(z)}\n"
            f"and ({ratio} > 2 * {before} or {ratio} < 0.5 * {before})\n"
            f"and {events} >= {LEAST}\nand {events_before} >= {LEAST}"
        ),
        severity="ticket",
        pending="30m",
        keep_firing="10m",
        labels={"window": "6h", "level": "route"},
        summary="An SLI is far from where it was in the same hours a week before",
        description=(
            "{{ $labels.sli }} on app {{ $labels.app }}, route {{ $labels.route }}: the bad ratio of the last 6h "
            "differs by {{ $value | humanizePercentage }} from the same hours a week before; a drop can be a safety "
            "failure."
        ),
        dashboard="llmq-slo",
        variables=("sli", "app", "route", "window"),
        bad_in=6 * 3600,
    )
    z_expr = pooled_z((bad, bad_before), (events, events_before))
    return [Group(name="llmq-last-week", rules=[Record(name=statistic, expr=z_expr), shift])]


def offline(z: Decimal, max_age: int, steps: Steps) -> Group:
    """Online against offline: the change of their gap in a week, and offline results that are old or missing."""
    return Group(
        name="llmq-offline",
        rules=[*_gap(steps), *_before(), _gap_changed(z), _offline_stale(max_age), _offline_missing()],
    )


def _gap(steps: Steps) -> Iterator[Record]:
    by = (*INSTRUMENT, *VERSIONS)
    verdicts = "version:llmq_verdicts"
    counted = increase((*INSTRUMENT, "verdict", *VERSIONS), selector("llmq_evaluations_total", SAMPLE), steps.length)
    evaluations, passes = (
        f"sum by ({', '.join(by)}) ({steps.over(verdicts, '1d', verdict)})" for verdict in ("", 'verdict="pass"')
    )
    per_suite = ", ".join(("suite", *by))
    suites = ", ".join(("suite", *INSTRUMENT, "app"))
    match = f"on ({', '.join(by)}) group_right ()"
    online, n = "version:llmq_online_pass:ratio_increase1d", "version:llmq_evaluations:increase1d"
    offline_pass, cases = "version:llmq_offline_pass:ratio", "version:llmq_offline_cases:count"
    gap, weight = "version:llmq_online_minus_offline:ratio_increase1d", "version:llmq_compared_evaluations:increase1d"
    yield Record(name=f"{verdicts}:increase{steps.length}", expr=counted)
    yield Record(name=n, expr=evaluations)
    yield Record(name=online, expr=f"{passes} / ({n} > 0)")
    yield Record(name=cases, expr=f"max by ({per_suite}) ({lately('llmq_offline_cases')})")
    passed = f"max by ({per_suite}) ({lately('llmq_offline_passed_cases')})"
    yield Record(name=offline_pass, expr=f"{passed} / ({cases} > 0)")
    yield Record(name=gap, expr=f"{online} - {match} {offline_pass}")
    yield Record(name=weight, expr=f"{n} * {match} ({offline_pass} >= bool 0)")
    yield Record(
        name="suite:llmq_online_minus_offline:ratio_increase1d",
        expr=f"sum by ({suites}) ({gap} * {weight}) / (sum by ({suites}) ({weight}) > 0)",
    )
    yield Record(
        name="suite:llmq_online_minus_offline:variance_increase1d",
        expr=(
            f"sum by ({suites}) (\n"
            f"  {online} * (1 - {online}) * {match} {weight}\n"
            f"  + {weight} ^ 2 * {offline_pass} * (1 - {offline_pass}) / {cases}\n"
            f") / (sum by ({suites}) ({weight}) > 0) ^ 2"
        ),
    )
    yield Record(
        name="suite:llmq_compared_evaluations:increase1d",
        expr=f"sum by ({suites}) ({weight})",
    )


def _before() -> Iterator[Record]:
    """The gap of each version a week before; of a version that was not there then, that of all versions."""
    suites = ", ".join(("suite", *INSTRUMENT, "app"))
    measures = ("ratio_increase1d", "variance_increase1d")
    gap, variance = (f"version:llmq_online_minus_offline:{measure}" for measure in measures)
    yield Record(
        name=variance,
        expr=(
            f"{_spread('version:llmq_online_pass:ratio_increase1d', 'version:llmq_evaluations:increase1d')}\n"
            f"+ on ({', '.join((*INSTRUMENT, *VERSIONS))}) group_right ()\n"
            f"{_spread('version:llmq_offline_pass:ratio', 'version:llmq_offline_cases:count')}"
        ),
    )
    for measure in measures:
        own, all_of_them = (f"{level}:llmq_online_minus_offline:{measure} offset 1w" for level in ("version", "suite"))
        yield Record(
            name=f"version:llmq_online_minus_offline_before:{measure}",
            expr=(
                f"({own} and version:llmq_compared_evaluations:increase1d offset 1w >= {LEAST})\n"
                f"or ({all_of_them} and suite:llmq_compared_evaluations:increase1d offset 1w >= {LEAST})\n"
                f"  + on ({suites}) group_right () 0 * {gap}"
            ),
        )


def _spread(ratio: str, events: str) -> str:
    """The variance of a ratio, as if two more events were good and two bad: 0 of 20 is no proof that there are none."""
    smoothed = f"(({ratio} * {events} + 2) / ({events} + 4))"
    return f"({smoothed} * (1 - {smoothed}) / {events})"


def _gap_changed(z: Decimal) -> Alert:
    gap, before = (f"version:llmq_online_minus_offline{when}:ratio_increase1d" for when in ("", "_before"))
    variances = " + ".join(f"version:llmq_online_minus_offline{when}:variance_increase1d" for when in ("", "_before"))
    return Alert(
        name="LLMQualityOfflineOnlineGapChanged",
        expr=(
            f"{gap} - {before}\n"
            f"and abs({gap} - {before}) > {number(GAP)}\n"
            f"and abs({gap} - {before}) > {number(z)} * sqrt({variances})\n"
            f"and version:llmq_compared_evaluations:increase1d >= {LEAST}"
        ),
        severity="ticket",
        pending="1h",
        keep_firing="10m",
        summary="The offline suite no longer says what production says",
        description=(
            "{{ $labels.evaluator }} on app {{ $labels.app }}, prompt_version {{ $labels.prompt_version }} with "
            "model_version {{ $labels.model_version }}: the online pass rate of the last day minus that of suite "
            "{{ $labels.suite }} moved by {{ $value | humanizePercentage }} in a week."
        ),
        dashboard="llmq-offline",
        variables=("suite", "evaluator", *VERSIONS),
    )


def _offline_stale(max_age: int) -> Alert:
    by = ", ".join(("suite", *VERSIONS))
    live = f"sum by ({', '.join(VERSIONS)}) (version:llmq_evaluations:increase1d) >= {LEAST}"
    age = f"time() - max by ({by}) (max_over_time(llmq_offline_timestamp_seconds[10m]))"
    return Alert(
        name="LLMQualityOfflineStale",
        expr=f"{age} > {max_age}\nand on ({', '.join(VERSIONS)}) {live}",
        severity="ticket",
        pending="1h",
        summary="A live version's offline results are old",
        description=(
            "Suite {{ $labels.suite }} was last run {{ $value | humanizeDuration }} ago on prompt_version "
            "{{ $labels.prompt_version }} with model_version {{ $labels.model_version }}, which serves users of app "
            "{{ $labels.app }}."
        ),
        dashboard="llmq-offline",
        variables=("suite", *VERSIONS),
    )


def _offline_missing() -> Alert:
    versions = ", ".join(VERSIONS)
    return Alert(
        name="LLMQualityOfflineMissing",
        expr=(
            f"sum by ({versions}) (version:llmq_evaluations:increase1d) >= {LEAST}\n"
            f"unless on ({versions}) version:llmq_offline_cases:count\n"
            "and on (app) version:llmq_offline_cases:count"
        ),
        severity="ticket",
        pending="1h",
        summary="A version serves users and was never run on the offline suite",
        description=(
            "prompt_version {{ $labels.prompt_version }} with model_version {{ $labels.model_version }} on app "
            '{{ $labels.app }} had {{ $value | printf "%.0f" }} verdicts in the last day and has no offline result, '
            "unlike other versions of the app."
        ),
        dashboard="llmq-offline",
        variables=VERSIONS,
    )
