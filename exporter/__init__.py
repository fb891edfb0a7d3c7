"""llmq: scores LLM traces as they arrive and turns quality into Prometheus metrics.

In the order in which a trace meets them:

    trace       Span, LogRecord, Trace: the data; knows nothing
    receiver    HTTP: decode, hand over, reply
    reception   what every HTTP handler goes by: who may (access says), how much, and refusals that say what to do
    hosts       which Host and Origin a request may name
    connections how many there may be, how slow, and what broken HTTP is answered
    log         what is printed: nothing that libraries quote, few lines of a kind
    decoding    small bodies here, large ones in a process of their own (decode/worker)
    admission   makes requests wait while what was taken before fills the memory
    intake      the seam: who takes decoded requests, and how it says "not now"
    decode/     bodies → spans and log records: OTLP (protobuf, JSON) and the plain door; knows nothing of LLMs
    store/      journal, recorded traces and totals in SQLite; the only SQL; written in groups
    assembly    gathers a trace's parts, which arrive in several requests; bounded
    late_spans  which parts of a trace are late
    patience    how long to wait for spans that are known to be missing
    reading     the requests that the parts of a trace tell of
    semconv/    spans in any dialect → one Trace; the only place that reads "gen_ai."
    evaluators/ one file per family; registry, options, and the panel that runs them; failures are values
    judge/      a model that scores a sample by rubrics; measured, pinned, gated; budget and worker
    score       Score, Evaluation, Unscored, Failure, Outcome: what evaluators say
    prices      what a trace cost
    visible     what a person sees of a model's text
    identifiers how the ids of users, conversations and documents are stored
    redaction   text → the same with placeholders for what is private and has a form
    document    a scored trace as JSON, with or without its text
    scored      a trace on its way from the panel into the store
    emit        evaluations to others, as standard OTLP events
    metrics/    every metric, declared once; durable totals and their exposition
    elsewhere   evaluations made elsewhere, under bounded names; latecomers: what late parts still tell
    recorder    what was decided and is not durable yet, over what the store has
    retention   deletes what is old, text first
    isolation   tries work in a copy of the process, which ends in its place
    arrivals    requests → open traces, few parts at a time
    scoring     closed traces → read, evaluated, recorded, in slices
    pipeline    the road: durable → assembled → normalised → evaluated → recorded
    recovery    what an earlier run left: its journal; what it worked on when it ended is tried alone, or set aside

Beside the road:

    clock       time that passes as it really does, whatever the machine's clock is set to; timekeeping looks after it
    config/     one YAML file → Config; every error at once, with file and line
    runbooks    what to do about an alert
    pages       what people and Prometheus read over HTTP
    scraping    answers scrapes in a thread, so that they hold up nothing
    forgetting  deletes what is kept of a trace or of a user
    judging     which traces are judged, and what becomes of the verdicts; calibrating: anchors, gate, measures, which
                trust shows; calibrated puts both on the road
    offline/    replay of captures, suites of rows, a judge over its anchors; result files of other tools
    review/     which traces deserve a person, and what people say of them; reviewing puts it on the road
    suites/     offline results beside production, and the failures that no suite covers
    mismatch    why a value is refused, in words of ours; os_errors: what the operating system refused
    native/     the kernels in C, and whether they are used
    console     how commands speak: what is printed where, progress, exit codes
    rules/      SLOs → Prometheus rules
    boards/     SLOs → Grafana dashboards
    container/  what configures the containers of compose.yaml; no code
    demo/       a whole stack with live traffic and an incident in it
    app         all wiring, no logic
    cli         the command line; with console and its other parts (…_cli) the only place that prints

A folder's README.md is for its users; the docstring of its __init__.py is for those who read its code.
"""

__version__ = "0.1.0"
