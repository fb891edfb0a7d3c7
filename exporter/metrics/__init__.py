"""What /metrics shows.

families    every metric, declared once
labels      free text → bounded label values
series      what a metric is made of
ledger      durable totals: staged, stored, then shown
events      the events that move them, each a method
exposition  text and OpenMetrics
"""
