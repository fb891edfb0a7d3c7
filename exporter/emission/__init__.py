"""Sends evaluations to other systems as standard OTLP events.

feature  the feature class emitter  a bounded queue that drops events when it is full, and the sender behind it
"""
