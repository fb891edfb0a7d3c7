"""SLOs → Prometheus rules.

slo       objectives, windows, reach: what may alert, and whether it can; knows no PromQL
burn      SLOs → counts, ratios, bounds and burn alerts
compare   versions, last week, offline results, people: the alerts that compare
suspect   the judge became suspect: it drifted, or it favours
corrected the pass rate that people would give, from the judge's rate and its known errors
health    the alerts about judge, scoring and exporter
promql    pieces of PromQL
rulefile  rules as data → YAML
files     which file holds what
routes    who hears what: the part of an Alertmanager's config about these alerts
scope     the labels by which environments are told apart, added to every rule
templates what an annotation looks up when its alert fires
folder    the files that are there against those that should be
"""
