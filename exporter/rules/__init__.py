"""SLOs → Prometheus rules.

slo       objectives, windows, reach: what may alert, and whether it can; knows no PromQL
counts    SLOs → counts of good and bad events, in windows and in steps that long windows are made of
burn      counts → ratios, bounds and burn alerts
compare   versions, last week, offline results: the alerts that compare
judge     the judge against people, its corrected rate, drift, bias, gate and budget; the labelling queue
judge_stop alerts on a judge that is stopped, or below its gate
goodhart  suite and judge rise while users' signals fall
health    the alerts about scoring and exporter
promql    pieces of PromQL
rulefile  rules as data → YAML
files     which file holds what
routes    Alertmanager routes and inhibitions for these alerts
scope     the labels by which environments are told apart, added to every rule
templates what an annotation looks up when its alert fires
folder    the files that are there against those that should be
"""
