"""Deletes all that is kept of a trace or of a user, also what is still on its way.

erasure  finds and deletes it
feature  the class that takes part in an exporter
http     the endpoints, for administrators
"""
