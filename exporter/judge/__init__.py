"""The judge: a model that scores a sample of traces by written rubrics, and is itself measured, pinned and gated.

Asking it:

    case        the types of a call: cases, judgements, failures
    rubric      instructions for the judge, its scale, the pass mark
    rubrics/    the shipped ones
    prompt      the messages of one call
    endpoint    address and parameters of the model, and which model names are accepted
    shown       text from an endpoint, made safe to show to an operator
    error_body  parses error responses of endpoints
    answer      classifies error responses: retry, stop, cost
    completion  the OpenAI chat-completions format
    client      one call
    reply       a reply → a score on the rubric's scale
    breaker     circuit breaker for a failing endpoint
    error_budget stops a judge after too many calls without a verdict
    budget      cost of calls, and the interface of the spend ledger

Which traces:

    sampling    a fair sample
    queue       pending jobs
    worker      calls the judge for pending jobs, within the budget

How good it is:

    anchors     cases that people labelled, asked again and again
    imported    rows that other people labelled → anchors
    versions    active and shadow versions, per rubric
    gate        whether a version may count
    evidence    current agreement, estimated when only some anchors were asked again recently
    measures    all that the anchors say of one version
    agreement   agreement with people; rates corrected for its errors
    bias        its known weaknesses: length, its own family
    drift       has something moved, and was it the system or the judge
    intervals   estimates with intervals
    recorded    verdicts given once, measured without asking
"""
