"""Sends evaluations to other systems as standard OTLP events.

emitter  a bounded queue that drops what does not fit, and the sender behind it
"""
