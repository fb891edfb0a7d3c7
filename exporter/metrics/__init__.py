"""What /metrics shows.

families    every metric of quality, judge, users and reviewers, declared once
own         every metric about the exporter itself, declared once
catalogue   all of them
labels      free text → bounded label values
label_text  text from outside → text that a label may have
series      what a metric is made of
slices      what a batch gathers of each slice, and its series, named once
gauges      values of the moment
births      which series are new, and how long those who scrape are shown them at 0
projection  which series belong to some slices
slice_budget  which slices are shown: so many at most, shared fairly by the apps
registry    all metrics of one exporter
ledger      durable totals: staged, stored, then shown
events      the events that move them, each a method
exposition  text and OpenMetrics
"""
