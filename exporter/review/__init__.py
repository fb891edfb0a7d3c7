"""The review queue: which traces need a human label, and the human labels they got.

routing    rules over scores and feedback → the reasons to queue a trace
similar    sketches of questions, so that near-duplicates are queued once
quota      a daily quota for each reason, fair over slices
item       one item of the queue: its claims, labels and state
evidence   what a reviewer is shown: question, answer, context, scores; all text of an item passes here
requests   the body of a request of the review API → Asked
view       what a reviewer may see: blind until they have labelled
store      repository of items: in memory by trace, durable
enqueue    scored traces, late verdicts and feedback → items
queue      applies reviewers' requests; time-outs, decisions, pairs of judge and human verdicts
reviewed   decided cases with provenance, for exports
export     reviewed cases → the data sets that evaluation tools read
http       the endpoints of the API and of the page
status     the queue of a running exporter, for ``llmq review status``
feature    the feature class
page/      the page for people: no build step, no inline script

The first seven are pure.
"""
