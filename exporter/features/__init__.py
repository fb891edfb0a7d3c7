"""What a feature is, and who tells all of them what happens.

feature     one feature: which requests it takes, what it does when, its gauges, its routes
dispatcher  calls the hooks of every feature, in the order in which they were entered

Each feature is a folder with one class in its ``feature.py``; ``app`` has the list of them.
"""
