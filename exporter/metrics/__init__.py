"""The metrics: their declarations, durable totals, and exposition.

families    every metric of quality, judge, users and reviewers, declared once
own         every metric about the exporter itself, declared once
catalogue   all of them
labels      free text → bounded label values
label_text  text from outside → text that a label may have
series      types: families, series, histograms, exemplars
slices      increments of a batch by slice, and the cached series of each slice
gauges      current values, not durable
births      exposes new series at 0 until every scraper has read them
projection  selects the series of given slices
slice_budget  limits the number of exposed slices, shared fairly by the apps
registry    all metrics of one exporter
ledger      durable totals: staged, stored, then exposed
events      one method for each event that is counted
exposition  text and OpenMetrics
"""
