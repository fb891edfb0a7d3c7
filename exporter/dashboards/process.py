"""The exporter itself: does it take what it is sent, score it, and keep it; what is left without a verdict, and why."""

from collections.abc import Sequence
from typing import Final

from ..rules.promql import SAMPLE, selector
from ..rules.slo import Slo
from . import choices, queries
from .grafana import Dashboard, GrafanaPanel, GrafanaRow, Query, Variable, override
from .panels import GREEN, RATIO, RED, Column, count_on_the_right, graph, line, table, tiles
from .queries import CHOSEN, LINE, OBJECTIVE, Spans

JOB: Final = Variable(name="job", label="Job", query="label_values(llmq_exporter_build_info, job)")
INSTANCE: Final = Variable(
    name="instance", label="Instance", query='label_values(llmq_exporter_build_info{job=~"$job"}, instance)'
)
EVALUATOR: Final = Variable(
    name="evaluator", label="Evaluator", query="label_values(llmq_evaluations_total, evaluator)"
)
_REASONS: Final = ("not_applicable", "language", "not_captured", "sampled_out", "over_budget")
HERE: Final = ('job=~"$job"', 'instance=~"$instance"')
MINE: Final = 'evaluator=~"$evaluator"'


def exporter_health(slos: Sequence[Slo]) -> Dashboard:
    """The dashboard that the alerts on the exporter and on coverage link to."""
    return Dashboard(
        uid="llmq-exporter",
        title="LLM quality / Exporter",
        description="Does the exporter take what it is sent, score it and keep it; what has no verdict, and why",
        variables=[JOB, INSTANCE, EVALUATOR, choices.APP],
        marks=[choices.PAGES],
        content=[
            *_now(),
            GrafanaRow(10, "What comes in", _intake()),
            GrafanaRow(20, "What becomes a verdict", _scoring(slos, queries.spans(slos))),
            GrafanaRow(30, "What is kept", _upkeep()),
        ],
    )


def increase(metric: str, *labels: str, matchers: Sequence[str] = ()) -> str:
    """What a counter of the chosen instances grew by at each step."""
    return queries.by(labels, f"increase({selector(metric, *HERE, *matchers)}[$__rate_interval])")


def _gauge(metric: str, *labels: str, worst: str = "max") -> str:
    return f"{worst} by ({', '.join(('instance', *labels))}) ({selector(metric, *HERE)})"


def _now() -> list[GrafanaPanel]:
    up = {"0": {"text": "down", "color": RED, "index": 0}, "1": {"text": "up", "color": GREEN, "index": 1}}
    loaded = {"0": {"text": "refused", "color": RED, "index": 0}, "1": {"text": "loaded", "color": GREEN, "index": 1}}
    age = "time() - max by (instance) ({})".format
    return [
        tiles(1, "Scraped", "Whether Prometheus reaches the exporter.",
              Query(_gauge("up", worst="min"), "{{instance}}"), unit="none",
              mappings=[{"type": "value", "options": up}]),
        tiles(2, "Version", "The version of llmq that runs, and whether its kernels are in c or in python.",
              Query(_gauge("llmq_exporter_build_info", "version", "kernels"), "{{version}} ({{kernels}})"),
              unit="none", text="name"),
        tiles(3, "Config", "Whether the last load of the config succeeded; llmq check says what is wrong with it.",
              Query(_gauge("llmq_exporter_config_last_reload_successful", worst="min"), "{{instance}}"), unit="none",
              mappings=[{"type": "value", "options": loaded}]),
        tiles(4, "Age of the config", "Time since the config was last loaded.",
              Query(age(selector("llmq_exporter_config_last_reload_success_timestamp_seconds", *HERE)), "{{instance}}"),
              unit="s", decimals=0),
        tiles(5, "Traces a second", "Traces of which a first part was acknowledged.",
              Query(queries.by((), f"rate({selector('llmq_exporter_traces_received_total', *HERE)}[$__rate_interval])"),
                    "traces"), unit="suffix: /s", decimals=2),
        tiles(6, "Oldest not scored", "Age of the oldest acknowledged request that is not all recorded.",
              Query(_gauge("llmq_exporter_journal_lag_seconds"), "{{instance}}"), unit="s", decimals=1),
    ]  # fmt: skip


def _counts(number: int, title: str, description: str, *counts: Query) -> GrafanaPanel:
    return graph(number, title, description, *counts, unit="short", width=8, stacked=True)


def _intake() -> list[GrafanaPanel]:
    return [
        _counts(11, "Requests by answer", "HTTP requests that brought data. 503: the exporter cannot keep up, or its "
              "store refuses writes; senders retry for a while and then drop.",
              Query(increase("llmq_exporter_requests_total", "signal", "code"), "{{signal}} {{code}}")),
        _counts(12, "Spans and log records", "Acknowledged, retried ones included.",
              Query(increase("llmq_exporter_spans_received_total"), "spans"),
              Query(increase("llmq_exporter_log_records_received_total"), "log records")),
        _counts(13, "Traces closed, by reason", "root: complete. idle: the root never came. pressure: the memory for "
              "open traces was full, so the oldest was scored as it was.",
              Query(increase("llmq_exporter_traces_closed_total", "reason"), "{{reason}}"),
              Query(increase("llmq_exporter_traces_ignored_total", "reason"), "ignored: {{reason}}")),
        _counts(14, "Refused, and late", "Spans, log records and whole requests that were refused, and parts that came "
                "after their trace was recorded: still used, or dropped.",
                Query(increase("llmq_exporter_rejected_total", "signal", "reason"), "refused {{signal}}: {{reason}}"),
                Query(increase("llmq_exporter_late_total", "signal", "outcome"), "late {{signal}}, {{outcome}}")),
        _counts(15, "Received again", "Parts that were received again, with the same content (a retry) or with other.",
                Query(increase("llmq_exporter_duplicates_total", "signal", "kind"), "{{signal}}, {{kind}}")),
        _counts(16, "Repaired, and folded", "Parts that were accepted with a repair, and label values past their "
              "budget that were folded into __other__.",
              Query(increase("llmq_exporter_anomalies_total", "reason"), "repaired: {{reason}}"),
              Query(increase("llmq_exporter_label_overflow_total", "label"), "folded: {{label}}")),
    ]  # fmt: skip


def _scoring(slos: Sequence[Slo], spans: Spans) -> list[GrafanaPanel]:
    coverage = "|".join(queries.named(slos, coverage=True))
    buckets = selector("llmq_evaluation_duration_seconds_bucket", *HERE, MINE)
    seen = f"max by (evaluator) ({selector('llmq_exporter_last_scored_timestamp_seconds', *HERE, MINE)})"
    return [
        _coverage(f'sli=~"{coverage}"', spans),
        _outcomes(),
        graph(23, "Left without a verdict, rightly or for lack of text", "Traces on which an evaluator rightly gave no "
              "verdict, of the chosen apps, by reason: such as not_applicable, language, not_captured, sampled_out.",
              Query(f"{increase('llmq_unscored_total', 'evaluator', 'reason', matchers=(MINE, CHOSEN[0]))} > 0",
                    "{{evaluator}} {{reason}}"), unit="short", stacked=True, values=("sum",), empty="none"),
        graph(24, "Failures", "Evaluations that should have given a verdict and could not; never counted as a verdict. "
              "Set aside: what ended the exporter each time it was tried.",
              Query(f"{increase('llmq_evaluation_failures_total', 'evaluator', 'reason', matchers=(MINE,))} > 0",
                    "{{evaluator}} {{reason}}"),
              Query(f"{increase('llmq_exporter_quarantined_total', 'stage')} > 0", "set aside: {{stage}}"),
              unit="short", stacked=True, values=("sum",), empty="none"),
        graph(25, "Time of an evaluation, 99th percentile", "Time that an evaluator took on one trace.",
              Query(f"histogram_quantile(0.99, sum by (le, evaluator) (increase({buckets}[$__rate_interval])))",
                    "{{evaluator}}"), unit="s",
              overrides=[override("byRegexp", "/./", custom__scaleDistribution={"type": "log", "log": 10}, min=None)]),
        graph(26, "Since the last verdict", "How long ago each evaluator last gave a verdict.",
              Query(f"time() - {seen}", "{{evaluator}}"), unit="s"),
    ]  # fmt: skip


def _coverage(where: str, spans: Spans) -> GrafanaPanel:
    window = spans.fast
    missed, events = (
        selector(f"evaluator:llmq_sli_{name}:increase{window}", where, MINE) for name in ("bad_events", "events")
    )
    by = "sum by (evaluator) ({})".format
    return graph(
        21,
        f"Coverage: without a verdict that they should have, last {window}",
        "Traces that an evaluator should have scored and did not: it failed, a budget was spent, or the text was not "
        "captured. The bars are the traces of all chosen evaluators.",
        Query(queries.share(by(missed), by(events)), "{{evaluator}}"),
        Query(f"max(1 - {OBJECTIVE}{{{where}}})", "budget"),
        Query(f"max by (window) ({LINE}{{{where}}})", "ticket {{window}}"),
        Query(f"sum({events})", "n"),
        unit=RATIO,
        overrides=[line("^budget$", "orange"), line("^ticket", "red"), count_on_the_right()],
    )


def _outcomes() -> GrafanaPanel:
    by = ("evaluator",)
    verdicts = selector("llmq_evaluations_total", MINE, SAMPLE, CHOSEN[0])
    every = queries.by(by, f"increase({verdicts}[24h])")

    def unscored(reason: str) -> str:
        where = selector("llmq_unscored_total", MINE, f'reason="{reason}"', CHOSEN[0])
        return queries.by(by, f"increase({where}[24h])")

    failed = queries.by(by, f"increase({selector('llmq_evaluation_failures_total', MINE)}[24h])")
    return table(
        22,
        "What became of the traces, 24h",
        "For each evaluator: verdicts, traces rightly left out, and failures. Failures are of all apps.",
        [
            Column("evaluator", "Evaluator"),
            Column("A", "Verdicts"),
            Column("B", "Not applicable"),
            Column("C", "Language"),
            Column("D", "Not captured"),
            Column("E", "Sampled out"),
            Column("F", "Over budget"),
            Column("G", "Failed"),
        ],
        Query(every),
        *(Query(unscored(reason)) for reason in _REASONS),
        Query(failed),
        sort="Verdicts",
        width=12,
    )


def _upkeep() -> list[GrafanaPanel]:
    commits = selector("llmq_exporter_commit_duration_seconds_bucket", *HERE)
    length, capacity = (_gauge(f"llmq_exporter_queue_{name}", "queue") for name in ("length", "capacity"))
    return [
        graph(31, "Time of a commit", "Time that the store took to make one group of changes durable.",
              *[Query(f"histogram_quantile({q}, sum by (le) (increase({commits}[$__rate_interval])))", name)
                for q, name in (("0.5", "median"), ("0.99", "99th percentile"))], unit="s", width=8),
        graph(32, "Store", "Size of the store on disk; of it the journal, whose limit is store.journal.",
              Query(_gauge("llmq_exporter_store_size_bytes"), "{{instance}}"),
              Query(_gauge("llmq_exporter_journal_size_bytes"), "journal {{instance}}"), unit="bytes", width=8),
        graph(33, "Writes that the store refused", "While the store refuses, senders get 503.",
              Query(increase("llmq_exporter_store_errors_total", "reason"), "{{reason}}"), unit="short", width=8,
              stacked=True),
        graph(34, "Open traces", "Traces that wait for their remaining parts, and requests not all recorded yet.",
              Query(_gauge("llmq_exporter_open_traces"), "open traces {{instance}}"),
              Query(_gauge("llmq_exporter_journal_entries"), "journal {{instance}}"), unit="short", width=8),
        graph(35, "Memory of open traces", "Approximate memory of the traces that wait.",
              Query(_gauge("llmq_exporter_open_trace_bytes"), "{{instance}}"), unit="bytes", width=8),
        graph(36, "Queues", "How full each queue is; n is the entries that wait in all of them.",
              Query(queries.share(length, capacity), "{{queue}} {{instance}}"), Query(f"sum({length})", "n"),
              unit=RATIO, width=8, overrides=[count_on_the_right()]),
        graph(37, "Slices", "Combinations of app, route, model and prompt version: shown on /metrics, parked until "
              "they are used again, and the limit, beyond which labels fold into __other__.",
              Query(_gauge("llmq_exporter_slices", "state"), "{{state}} {{instance}}"), unit="short", width=8,
              overrides=[line("^limit", "red")]),
    ]  # fmt: skip
