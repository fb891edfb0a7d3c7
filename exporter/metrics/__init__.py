"""What /metrics shows.

families    every metric of quality, judge, users and reviewers, declared once
own         every metric about the exporter itself, declared once
catalogue   all of them
labels      free text → bounded label values
series      what a metric is made of
slices      what a batch gathers of each slice, and its series, named once
gauges      values of the moment
births      which series are new, and how long those who scrape are shown them at 0
ledger      durable totals: staged, stored, then shown
events      the events that move them, each a method
exposition  text and OpenMetrics
"""
