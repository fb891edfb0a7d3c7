"""The feature protocol, and the dispatcher that calls all features.

feature     one feature: which requests it takes, its hooks, its gauges, its routes
dispatcher  calls the hooks of every feature, in the order in which they were registered

Each feature is a folder with one class in its ``feature.py``; ``app`` has the list of them.
"""
