"""The data types that all packages share; imports no other package of llmq.

trace         Span, LogRecord, Trace
score         Score, Evaluation, Unscored, Failure, Outcome: results of evaluators
stops         why a judge can give no verdict at all, and the cures
visible_text  what a person sees of a model's text
"""
