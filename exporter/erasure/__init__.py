"""Erasure: deletes all stored data of a trace or of a user, including data that is still being processed.

erasure  finds and deletes it
feature  the feature class
http     the endpoints, for administrators
"""
