"""The data that everything else speaks of; imports nothing of ours.

trace         Span, LogRecord, Trace
score         Score, Evaluation, Unscored, Failure, Outcome: what evaluators say
stops         why a judge can give no verdict at all, and the cures
visible_text  what a person sees of a model's text
"""
