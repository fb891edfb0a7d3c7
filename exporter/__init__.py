"""llmq: scores LLM traces as they arrive and turns quality into Prometheus metrics.

The packages, from the entry point down to the data; each imports only from those below it (`make lint`):

    cli/         the command line; with the demo the only place that prints
    demo/        a whole stack with live traffic and an incident in it
    app/         which features there are; start, stop, reload

Features, each one folder with one class in its feature.py:

    answers/     recorded answers: search by filter, each with its verdicts, feedback and labels
    status/      the status page: traffic, captured fields, scores, current problems
    review/      the review queue: traces that need a human label, and those labels
    feedback/    user feedback: explicit signals, and signals derived from conversations
    suites/      results of offline suites, and the failures in production that no suite covers
    judging/     the running judge: sampling, calibration, its gauges
    erasure/     deletes all stored data of a trace or of a user
    emission/    sends evaluations to other systems, as standard OTLP events

    features/    the base class of features, and the dispatcher that calls their hooks

The pipeline of a trace:

    grpc/        OTLP over gRPC, on a port of its own; shares limits, auth and decoding with http/
    http/        limits, auth and errors of requests; OTLP endpoints; pages
    pipeline/    the order: durable → assembled → normalised → evaluated → recorded
    ingest/      decoding, backpressure, and the assembly of complete traces
    recording/   a scored trace → its stored form; buffers writes for the next transaction
    offline/     replay of captures, suites of rows, a judge over its anchors; result files of other tools

Used by the pipeline and the features; no network:

    config/      one YAML file → Config; every error at once, with file and line
    decode/      bodies → spans and log records: OTLP (protobuf, JSON) and plain JSON; knows nothing of LLMs
    semconv/     spans in any dialect → one Trace; the only place that reads "gen_ai."
    evaluators/  one file per family; registry, options, and the panel that runs them; failures are values
    judge/       a model that scores a sample by rubrics; measured, pinned, gated; budget and worker
    metrics/     every metric, declared once; durable totals and their exposition
    store/       where records, totals and the journal are durable; the only SQL
    records/     what is stored: one plain struct for each kind of thing
    rules/       SLOs → Prometheus rules
    dashboards/  SLOs → Grafana dashboards
    redaction/   text → the same with placeholders for what is private and has a form

Underneath:

    model/       Span, Trace, Score: the data
    runtime/     what any long-running process needs: clock, log, errors of the system
    native/      the kernels in C, and whether they are used

A folder's README.md is for its users; the docstring of its __init__.py is for those who read its code.
"""

__version__ = "0.1.0"
