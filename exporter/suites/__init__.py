"""Offline suites: their newest results as gauges, and the failures in production that no suite covers.

results    the newest result of every suite, evaluator and version, as gauges
coverage   the questions of the suites, and which failures have no near neighbour among them
inbox      receives pushed results and production failures, and stores both
feature    the feature class
http       the endpoints: push a run, list uncovered failures
"""
