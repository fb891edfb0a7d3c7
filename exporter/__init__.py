"""llmq: scores LLM traces as they arrive and turns quality into Prometheus metrics.

The rooms, from what starts everything down to the data; each imports only from those below it (`make lint`):

    cli/         the command line; with the demo the only place that prints
    demo/        a whole stack with live traffic and an incident in it
    app/         which features there are; start, stop, reload

Features, each one folder with one class in its feature.py:

    answers/     recorded answers, found by filter, each with everything said of it
    status/      what comes in, what is captured, what scores, what is wrong now
    review/      which traces deserve a person, and what people say of them
    feedback/    what users say of answers, and what their conversations show
    suites/      offline results beside production, and the failures that no suite covers
    judging/     the judge at work: sampling, calibration, its gauges
    erasure/     deletes what is kept of a trace or of a user
    emission/    evaluations to other systems, as standard OTLP events

    features/    what a feature may take part in, and who tells them all what happens

The road of a trace:

    grpc/        OTLP over gRPC, on a port of its own; shares limits, auth and decoding with http/
    http/        limits, auth and errors of requests; OTLP endpoints; pages
    pipeline/    the order: durable → assembled → normalised → evaluated → recorded
    ingest/      decoding, backpressure, and the assembly of complete traces
    recording/   from a scored trace to what is stored of it
    offline/     replay of captures, suites of rows, a judge over its anchors; result files of other tools

What the road and the features are made of; no network:

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
