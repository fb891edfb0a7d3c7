"""The judge: a model that scores a sample of traces by written rubrics, and is itself measured, pinned and gated.

Asking it:

    case        what is asked and what is said: cases, judgements, failures
    rubric      what a judge is told, its scale, the pass mark
    rubrics/    the shipped ones
    prompt      the messages that put one case before it
    endpoint    where it is and which one is meant
    shown       text of an endpoint, fit to be shown to an operator
    error_body  what an endpoint's error says
    answer      what an answer that is no reply means
    completion  the OpenAI chat-completions format
    client      one call
    reply       a reply → a score on the rubric's scale
    breaker     keeps calls from an endpoint that fails
    error_budget stops a judge that gives no verdict whatever it is asked
    budget      what calls cost, and the ledger that they are paid from

Which traces:

    sampling    a fair sample
    queue       jobs that wait
    worker      takes jobs to the judge, within the budget

How good it is:

    anchors     cases that people labelled, asked again and again
    imported    rows that other people labelled → anchors
    versions    active and shadow versions, per rubric
    gate        whether a version may count
    evidence    what the anchors say now, when some were asked again of late
    measures    all that the anchors say of one version
    agreement   agreement with people; rates corrected for its errors
    bias        its known weaknesses: length, its own family
    drift       has something moved, and was it the system or the judge
    intervals   estimates with intervals
    recorded    verdicts given once, measured without asking
"""
