"""Offline suites beside production: their newest results, and the failures in production that they do not cover.

results    the newest result of every suite, evaluator and version, as gauges
coverage   the questions of the suites, and which failures have no near neighbour among them
inbox      takes pushed results and failures, and keeps both
feature    the class that takes part in an exporter
http       the endpoints: pushed runs in, what suites do not cover out
"""
