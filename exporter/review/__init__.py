"""Which traces deserve a person, and what people said of them.

routing    what is known of a trace → the reasons for which it deserves a person
similar    sketches of questions, so that a near-duplicate is not asked about twice
quota      so many a day of each reason, fair over slices
item       one case in the queue: its claims and labels, and the state that follows from them
evidence   what a case is judged by: question, answer, context, scores; the one place that its text passes
requests   the body of a request of the review API → Asked
view       what a reviewer may see: blind until they have labelled
store      all items: in memory by trace, durable
enqueue    where events become items: scored traces, late verdicts, feedback
queue      takes the reviewers' requests; time-outs, decisions, the judge's pairs
reviewed   what has been decided, with provenance: for exports
export     reviewed cases → the data sets that evaluation tools read
http       the endpoints of the API and of the page
status     what a running exporter says of its queue, for ``llmq review status``
feature    the class that takes part in an exporter
page/      the page for people: no build step, no inline script

The first seven are pure.
"""
