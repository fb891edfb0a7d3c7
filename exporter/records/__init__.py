"""Stored records: one plain struct for each kind. Knows no store, and has no logic.

requests   an acknowledged request, until it is processed
traces     a recorded trace, its slice, and the ids and marks it is found by
feedback   a signal of a user, feedback that waits for its trace, the last turn of a conversation
review     a review item with its claims and labels, and what reviewers are shown
judge      verdicts of judge versions on anchors and on live traffic
suites     results of offline suites, their questions, and what they do not cover
erasure    whose data is to be deleted

How each is written and which versions of it are read: ``store/kinds.py``. A struct that changes needs a new version
there, unless old rows read as the new struct do (a field with a default).
"""
