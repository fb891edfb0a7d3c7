"""llmq: scores LLM traces as they arrive and turns quality into Prometheus metrics.

The modules in the order in which a trace meets them:

    trace       Span, LogRecord, Trace: the data; knows nothing
    score       Score, Evaluation, Unscored, Failure, Outcome: what evaluators say
    otlp        OTLP bytes → spans and log records; knows protobuf and JSON, nothing of LLMs
    interactions  the plain JSON door → the same spans
    receiver    HTTP handlers: decode, accept, reply
    store       SQLite: journal, recorded traces, totals; the only SQL
    writer      groups what must be durable into transactions
    assembly    gathers a trace's spans, which arrive in several requests; bounded
    semconv/    spans in any dialect → one Trace; the only place that spells "gen_ai."
    evaluators/ the registry and the code evaluators, one file per family
    deadline    interrupts an evaluator that takes too long
    panel       runs the configured evaluators on one Trace; failures are values
    labels      free text → bounded label values
    metrics     every metric, declared once; durable totals and their exposition
    pipeline    the road: durable → assembled → normalised → evaluated → recorded
    config      one YAML file → Config; every error at once, with file and line
    app         all wiring, no logic
    cli         the command line; the only place that prints or exits
"""

__version__ = "0.1.0"
