"""Rules on the exporter itself and on its scoring. Knows their metrics, not quality."""

from collections.abc import Iterator
from typing import Final

from .promql import SAMPLE, increase, selector
from .rulefile import Alert, Group, Record
from .templates import matchers, query

PROCESS: Final = ("job", "instance")
BY: Final = "sum by (job, instance)"
APP: Final = ("evaluator", "app")
ROUTE: Final = (*APP, "route")
SAMPLED_OUT: Final = selector("llmq_unscored_total", 'reason="sampled_out"')
USUAL: Final = "route:llmq_evaluations_per_request:ratio_increase1d"
USUALLY_SAMPLED_OUT: Final = "app:llmq_sampled_out_per_request:ratio_increase1d"
EXPECTED: Final = "route:llmq_expected_evaluations:increase1h"
LATELY: Final = "route:llmq_evaluations:increase1h"
MISSING: Final = "route:llmq_missing_evaluations:increase1h"
EXCUSED: Final = "app:llmq_excused_evaluations:increase1h"


def scoring() -> Group:
    """Whether traces still become verdicts."""
    alerts = [_verdicts_missing(), _scoring_stalled(), _scoring_failing()]
    rules: list[Record | Alert] = [*_missing(), *alerts]
    return Group(name="llmq-scoring", rules=rules)


def usual_scoring() -> Group:
    """What share of the requests each evaluator scored in a day, and left to the others.

    It is dear and hardly changes, so that it is evaluated every quarter of an hour and read for longer.
    """
    verdicts = increase(ROUTE, selector("llmq_evaluations_total", SAMPLE), "1d")
    left_out = increase(APP, SAMPLED_OUT, "1d")
    routes, apps = (increase(by, "llmq_requests_total", "1d") for by in (("app", "route"), ("app",)))
    return Group(
        name="llmq-usual-scoring",
        interval="15m",
        rules=[
            Record(name=USUAL, expr=f"{verdicts}\n/ on (app, route) group_left () ({routes} > 0)"),
            Record(name=USUALLY_SAMPLED_OUT, expr=f"{left_out}\n/ on (app) group_left () ({apps} > 0)"),
        ],
    )


def _last(series: str) -> str:
    return f"last_over_time({series}[35m])"


def _missing() -> Iterator[Record]:
    requests = increase(("app", "route"), "llmq_requests_total", "1h")
    yield Record(name=LATELY, expr=increase(ROUTE, "llmq_evaluations_total", "1h"))
    yield Record(name=EXPECTED, expr=f"{_last(USUAL)}\n* on (app, route) group_left () {requests}")
    yield Record(name=MISSING, expr=f"{EXPECTED}\nunless on (evaluator, app, route) {LATELY} > 0")
    yield Record(name=EXCUSED, expr=_excused())


def _excused() -> str:
    """What an evaluator rightly left out on an app: budget, gate, what was forgotten, and a sample that got smaller."""
    none = f"sum by (evaluator, app) (0 * {EXPECTED})"
    left = increase(APP, selector("llmq_unscored_total", 'reason=~"over_budget|gated|forgotten"'), "1h")
    requests = increase(("app",), "llmq_requests_total", "1h")
    more = f"{increase(APP, SAMPLED_OUT, '1h')}\n    - {_last(USUALLY_SAMPLED_OUT)} * on (app) group_left () {requests}"
    return f"({left} or {none})\n+ on (evaluator, app) (\n  clamp_min(\n    {more},\n    0\n  )\n  or {none}\n)"


def _verdicts_missing() -> Alert:
    by = "sum by (evaluator, app)"
    # Where e verdicts are expected there are none with a probability of exp(-e): of many thin routes some are silent.
    by_chance = f"{by} ({EXPECTED} * exp(-{EXPECTED}))"
    return Alert(
        name="LLMQualityVerdictsMissing",
        expr=f"{by} ({MISSING})\n- {by_chance}\n- {EXCUSED}\n> 20",
        severity="page",
        pending="5m",
        summary="An evaluator that scored yesterday gives no verdict today; its SLI is blind",
        description=(
            "{{ $labels.evaluator }} gave no verdict in the last hour on routes of app {{ $labels.app }} where its "
            'share of the last day would make {{ $value | printf "%.0f" }}. No data is not good data.'
        ),
        notes={"routes": _silent_routes()},
        dashboard="llmq-exporter",
        variables=("evaluator", "app"),
    )


def _silent_routes() -> str:
    """A template that names the routes on which most verdicts are missing, one in a line."""
    missing = query(f"topk(3, {MISSING}{matchers(APP)} > 0)", APP)
    return f'{{{{ range {missing} -}}}}\n{{{{ .Labels.route }}}}: {{{{ .Value | printf "%.0f" }}}}\n{{{{ end }}}}'


def _scoring_stalled() -> Alert:
    outcomes = (
        "llmq_unscored_total",
        "llmq_evaluation_failures_total",
        "llmq_requests_total",  # what is recorded, whatever evaluators say of it
        "llmq_exporter_traces_ignored_total",
    )
    ends = "\n  or ".join(f"{BY} (increase({name}[15m])) > 0" for name in outcomes)
    return Alert(
        name="LLMQualityScoringStalled",
        expr=(
            f"{increase(PROCESS, 'llmq_exporter_traces_received_total', '15m')} > 20\n"
            f"unless on (job, instance) (\n  {ends}\n)"
        ),
        severity="page",
        pending="5m",
        summary="Traces come in and nothing comes out: no verdict, no reason",
        description=(
            '{{ $labels.instance }} received {{ $value | printf "%.0f" }} traces in 15m and none of them was scored, '
            "found not applicable, or failed."
        ),
        dashboard="llmq-exporter",
        variables=("instance",),
    )


def _scoring_failing() -> Alert:
    failures = increase(("evaluator",), "llmq_evaluation_failures_total", "1h")
    verdicts = f"sum by (evaluator) ({LATELY})"
    return Alert(
        name="LLMQualityScoringFailing",
        expr=(
            f"{failures}\n/ (\n  {failures}\n  + ({verdicts} or on (evaluator) 0 * {failures})\n"
            f"  > 0\n) > 0.1\nand on (evaluator) {failures} >= 20"
        ),
        severity="ticket",
        pending="10m",
        summary="An evaluator fails where it should score",
        description=(
            "{{ $labels.evaluator }} failed on {{ $value | humanizePercentage }} of the traces it tried in 1h. "
            "Failures are never verdicts, so its SLI is thinner than it looks."
        ),
        dashboard="llmq-exporter",
        variables=("evaluator",),
    )


def exporter(job: str) -> Group:
    """Whether the exporter is there, takes what it is sent, and keeps it."""
    return Group(name="llmq-exporter", rules=[*_presence(job), *_intake(), *_upkeep()])


def _presence(job: str) -> Iterator[Alert]:
    yield Alert(
        name="LLMQualityExporterDown",
        expr=f'max by (job, instance) (up{{job="{job}"}}) < 1',
        severity="page",
        pending="5m",
        summary="An exporter cannot be scraped",
        description="{{ $labels.instance }} does not answer scrapes; the quality of what it receives is not watched.",
        dashboard="llmq-exporter",
        variables=("instance",),
    )
    yield Alert(
        name="LLMQualityMetricsAbsent",
        # All of them down is for LLMQualityExporterDown to say.
        expr=f'absent(llmq_exporter_build_info{{job="{job}"}} or up{{job="{job}"}} < 1) > 0',
        labels={"job": job},
        severity="page",
        pending="10m",
        summary="There are no quality metrics at all",
        description=f"Prometheus sees no exporter under job {job}: every quality alert is blind.",
        dashboard="llmq-exporter",
        variables=("job",),
    )
    yield Alert(
        name="Watchdog",
        expr="vector(1) > 0",
        severity="none",
        summary="The alerting pipeline works",
        description="Always firing: when the dead man's switch stops hearing this, alerts no longer reach anybody.",
        dashboard="llmq-exporter",
    )


def _intake() -> Iterator[Record | Alert]:
    lost, taken = "instance:llmq_exporter_parts_lost:increase15m", "instance:llmq_exporter_parts_received:increase15m"
    late = selector("llmq_exporter_late_total", 'outcome="dropped"')
    refused = "llmq_exporter_rejected_total"
    yield Record(name=lost, expr=f"{BY} (\n  increase({refused}[15m])\n  or increase({late}[15m])\n)")
    spans = increase(PROCESS, "llmq_exporter_spans_received_total", "15m")
    logs = increase(PROCESS, "llmq_exporter_log_records_received_total", "15m")
    yield Record(name=taken, expr=f"{spans}\n+ ({logs} or 0 * {spans})")
    yield Alert(
        name="LLMQualityTracesDropped",
        expr=f"{lost} / ({lost} + {taken} > 0) > 0.01\nand {lost} >= 20",
        severity="ticket",
        pending="10m",
        summary="Parts of traces are refused or come too late to count",
        description=(
            "{{ $labels.instance }} lost {{ $value | humanizePercentage }} of the spans and log records that it was "
            "sent in 15m. The reasons are in llmq_exporter_rejected_total and llmq_exporter_late_total."
        ),
        dashboard="llmq-exporter",
        variables=("instance",),
    )
    busy = increase(PROCESS, selector("llmq_exporter_requests_total", 'code="503"'), "15m")
    every = increase(PROCESS, "llmq_exporter_requests_total", "15m")
    yield Alert(
        name="LLMQualityBackPressure",
        expr=f"{busy}\n/ ({every} > 0) > 0.05\nand {busy} >= 10",
        severity="ticket",
        pending="10m",
        summary="The exporter turns senders away because it cannot keep up",
        description=(
            "{{ $labels.instance }} answered 503 to {{ $value | humanizePercentage }} of the requests of 15m; senders "
            "retry for a while and then drop."
        ),
        dashboard="llmq-exporter",
        variables=("instance",),
    )
    yield Alert(
        name="LLMQualityLabelOverflow",
        expr=f"{increase((*PROCESS, 'label'), 'llmq_exporter_label_overflow_total', '15m')} > 0",
        severity="ticket",
        pending="15m",
        summary="A label has more values than its budget; the rest is folded into __other__",
        description=(
            '{{ $labels.instance }} folded {{ $value | printf "%.0f" }} values of {{ $labels.label }} in 15m; SLOs '
            "still count them, but not by this label."
        ),
        dashboard="llmq-exporter",
        variables=("instance",),
    )


def _upkeep() -> Iterator[Alert]:
    yield Alert(
        name="LLMQualityConfigReloadFailed",
        expr="min by (job, instance) (max_over_time(llmq_exporter_config_last_reload_successful[5m])) < 1",
        severity="ticket",
        pending="10m",
        summary="The exporter refused its new config and runs on the old one",
        description="{{ $labels.instance }} could not load its config; llmq check says what is wrong with it.",
        dashboard="llmq-exporter",
        variables=("instance",),
    )
    yield Alert(
        name="LLMQualityJournalFilling",
        expr=(
            "max by (job, instance) (\n  max_over_time(llmq_exporter_journal_size_bytes[5m])\n"
            "  / max_over_time(llmq_exporter_journal_capacity_bytes[5m])\n) > 0.8"
        ),
        severity="ticket",
        pending="5m",
        summary="The journal is nearly full of requests that are not recorded yet",
        description=(
            "{{ $labels.instance }}: the journal holds {{ $value | humanizePercentage }} of what it may; when it is "
            "full, senders get 503 until traces are recorded, and drop what they cannot send."
        ),
        dashboard="llmq-exporter",
        variables=("instance",),
    )
    yield Alert(
        name="LLMQualityQuarantined",
        expr=f"{increase((*PROCESS, 'stage'), 'llmq_exporter_quarantined_total', '1h')} > 0",
        severity="ticket",
        pending="5m",
        summary="A request or trace ended the exporter each time it was tried, and was set aside",
        description=(
            '{{ $labels.instance }} set {{ $value | printf "%.0f" }} requests or traces aside in 1h, at the stage '
            "{{ $labels.stage }}: each ended the exporter, and again when it was tried alone. They count as failed."
        ),
        dashboard="llmq-exporter",
        variables=("instance",),
    )
    yield Alert(
        name="LLMQualityClockOff",
        expr="abs(last_over_time(llmq_exporter_clock_offset_seconds[5m])) > 60",
        severity="ticket",
        pending="15m",
        summary="The machine's clock was set, and the exporter goes on by its own time",
        description=(
            '{{ $labels.instance }} goes by a time that is {{ $value | printf "%.0f" }} s from that of its machine, '
            "whose clock has jumped. One of the two is wrong."
        ),
        dashboard="llmq-exporter",
        variables=("instance",),
    )
    yield Alert(
        name="LLMQualityStoreTrouble",
        # While the store refuses, it is tried every second: what is over by then is over within the window.
        expr=f"{increase((*PROCESS, 'reason'), 'llmq_exporter_store_errors_total', '5m')} > 0",
        severity="page",
        pending="7m",
        summary="The store refuses writes, so the exporter refuses traces",
        description=(
            '{{ $labels.instance }}: {{ $value | printf "%.0f" }} transactions failed in 5m ({{ $labels.reason }}); '
            "senders get 503 until the store recovers, and drop traces when they give up."
        ),
        dashboard="llmq-exporter",
        variables=("instance",),
    )
