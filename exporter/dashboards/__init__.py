"""The dashboards → Grafana's JSON.

files     which file holds what
places    variables for the labels that Prometheus adds, read by every query
overview  what is wrong, since when, which version did it
slo       one SLI: how bad, how sure, where
versions  version against version
offline   offline results against production
judge     the judge as an instrument
feedback  what users say, and the labelling queue
process   the exporter itself
choices   variables and annotations that all share
queries   the PromQL that several share
panels    the kinds of panels, and how each looks
grafana   dashboards as data → JSON
"""
