"""Sends evaluations to other systems as standard OTLP events.

feature  the class that takes part in an exporter
emitter  a bounded queue that drops what does not fit, and the sender behind it
"""
