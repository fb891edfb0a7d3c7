"""Every metric about the exporter itself, declared once by its literal name: ``llmq_exporter_…``.

Knows nothing of when they move or how they are kept.
"""

from typing import get_args

from ..model.score import Stage
from ..redaction import KINDS
from .families import SLICE
from .series import Family, counter, gauge, histogram

SIGNALS = ("traces", "logs", "interactions")
CLOSED_REASONS = ("root", "idle", "incomplete", "age", "pressure", "shutdown")

# The exporter's funnel: what came in, and where it went

RESPONSES = counter(
    "llmq_exporter_requests_total",
    "Requests that brought data, by the HTTP status of the answer, or the one that says the same as gRPC's; starts "
    "again at a restart.",
    "signal",
    "code",
    "protocol",
    durable=False,
)
CONNECTIONS_CLOSED = counter(
    "llmq_exporter_connections_closed_total",
    "HTTP connections that llmq ended: header, idle or answer (the client was too slow), room (made for a new one), "
    "refused (no room), malformed (not HTTP).",
    "reason",
    siblings={"reason": ("header", "idle", "answer", "room", "refused", "malformed")},
    durable=False,
)
SPANS_RECEIVED = counter("llmq_exporter_spans_received_total", "Spans that were acknowledged, retried ones included.")
LOG_RECORDS_RECEIVED = counter(
    "llmq_exporter_log_records_received_total", "Log records that were acknowledged, retried ones included."
)
REJECTED = counter(
    "llmq_exporter_rejected_total",
    "Spans, log records or whole requests that were refused, by reason.",
    "signal",
    "reason",
)
DUPLICATES = counter(
    "llmq_exporter_duplicates_total",
    "Spans and log records received again: with the same content (a retry) or with conflicting content.",
    "signal",
    "kind",
    siblings={"signal": SIGNALS, "kind": ("same", "conflicting")},
)
LATE = counter(
    "llmq_exporter_late_total",
    "Spans and log records that came after their trace was recorded: still used, or dropped.",
    "signal",
    "outcome",
    siblings={"signal": SIGNALS, "outcome": ("used", "dropped")},
)
ANOMALIES = counter(
    "llmq_exporter_anomalies_total", "Spans and log records that were accepted with a repair, by reason.", "reason"
)
TRACES_RECEIVED = counter("llmq_exporter_traces_received_total", "Traces of which a first part was acknowledged.")
TRACES_CLOSED = counter(
    "llmq_exporter_traces_closed_total",
    "Traces that were taken as they were: root ended, idle, a parent never came, too old, under pressure, at shutdown.",
    "reason",
    siblings={"reason": CLOSED_REASONS},
)
TRACES_IGNORED = counter(
    "llmq_exporter_traces_ignored_total",
    "Traces that were not scored because there is nothing in them to score, by reason.",
    "reason",
    siblings={"reason": ("no_llm_request",)},
)
EMITTED = counter(
    "llmq_exporter_emitted_events_total",
    "Evaluations told to the endpoint of judge.emit, by what became of them.",
    "outcome",
    siblings={"outcome": ("sent", "dropped", "rejected")},
)
LABEL_OVERFLOW = counter(
    "llmq_exporter_label_overflow_total",
    "Label values that were folded into __other__ or left out: past a budget, or not in the label's allow list.",
    "label",
    siblings={"label": (*SLICE, "evaluator", "evaluator_version", "suite")},
)
REDACTIONS = counter(
    "llmq_exporter_redactions_total",
    "Pieces of text that were replaced before they were stored or shown to a judge, by what they were.",
    "kind",
    siblings={"kind": KINDS},
)
TEXTS_WITHHELD = counter(
    "llmq_exporter_texts_withheld_total",
    "Texts that are neither stored nor judged, because redaction may do only so much for one trace, by what it was: "
    "their length, or matches in them.",
    "reason",
    siblings={"reason": ("length", "matches")},
)
QUARANTINED = counter(
    "llmq_exporter_quarantined_total",
    "Requests and traces that ended llmq each time they were tried and were set aside, by what was done with them.",
    "stage",
    siblings={"stage": get_args(Stage)},
)
LAST_SCORED = Family(
    name="llmq_exporter_last_scored_timestamp_seconds",
    type="gauge",
    help="Unix time at which an evaluator last gave a verdict; survives restarts.",
    labels=("evaluator",),
    expires_with=("evaluator",),
    combine="max",
)

# The exporter's health; starts again at a restart

STORE_ERRORS = counter(
    "llmq_exporter_store_errors_total",
    "Transactions that the store refused, by reason; requests are answered 503 until it recovers.",
    "reason",
    siblings={
        "reason": (
            *("disk_full", "read_only", "io_error", "locked", "corrupt", "replaced", "unreachable", "in_use"),
            "internal",
        )
    },
    durable=False,
)
COMMIT_DURATION = histogram(
    "llmq_exporter_commit_duration_seconds",
    "Time that the store took to make one group of changes durable.",
    bounds=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
    durable=False,
)
CLOCK_JUMPS = counter(
    "llmq_exporter_clock_jumps_total",
    "How often the machine's clock was set forward or back by more than 10 s; llmq goes on by its own time.",
    "direction",
    siblings={"direction": ("forward", "back")},
    durable=False,
)
CLOCK_OFFSET = gauge(
    "llmq_exporter_clock_offset_seconds",
    "By how much the machine's clock is ahead of the time that llmq goes by, after a jump; else 0.",
)
STORE_SIZE = gauge("llmq_exporter_store_size_bytes", "Size of the store on disk.")
STORE_BALLAST = gauge(
    "llmq_exporter_store_ballast_bytes",
    "Disk space held for when the disk is full; 0 once it was given up, or while there is no room for it.",
)
OPEN_CONNECTIONS = gauge("llmq_exporter_open_connections", "HTTP connections that are open.")
GRPC_CALLS = gauge(
    "llmq_exporter_open_grpc_calls", "Calls over gRPC whose message has been received and that are not answered yet."
)
OPEN_TRACES = gauge("llmq_exporter_open_traces", "Traces that wait for their remaining parts.")
OPEN_TRACE_BYTES = gauge("llmq_exporter_open_trace_bytes", "Approximate memory of the traces that wait.")
SLICES = gauge(
    "llmq_exporter_slices",
    "Slices that are shown, those that are parked (their totals are kept and not shown), and labels.slices (limit).",
    "state",
)
QUEUE_LENGTH = gauge("llmq_exporter_queue_length", "Entries that wait in a queue.", "queue")
QUEUE_CAPACITY = gauge("llmq_exporter_queue_capacity", "Entries that a queue holds at most.", "queue")
JOURNAL_ENTRIES = gauge("llmq_exporter_journal_entries", "Acknowledged requests whose traces are not all recorded yet.")
JOURNAL_LAG = gauge(
    "llmq_exporter_journal_lag_seconds", "Age of the oldest acknowledged request that is not all recorded yet."
)
JOURNAL_SIZE = gauge("llmq_exporter_journal_size_bytes", "Bytes of requests that are kept in the journal.")
JOURNAL_CAPACITY = gauge(
    "llmq_exporter_journal_capacity_bytes", "Bytes of requests that the journal keeps at most; at the limit: 503."
)
HELD_SERIES = gauge(
    "llmq_exporter_held_series", "New series that those who scrape are still shown at 0, as metrics.birth says."
)
CONFIG_RELOAD_SUCCESSFUL = gauge(
    "llmq_exporter_config_last_reload_successful", "1 if the last load of the config succeeded, else 0."
)
CONFIG_RELOAD_TIME = gauge(
    "llmq_exporter_config_last_reload_success_timestamp_seconds",
    "Unix time of the last load of the config that succeeded.",
)
BUILD_INFO = gauge(
    "llmq_exporter_build_info",
    "Always 1; its labels say which version runs, and whether its kernels are in c or in python.",
    "version",
    "kernels",
)
