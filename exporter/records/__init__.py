"""What is stored: one plain struct for each kind of thing. Knows no store, and decides nothing.

requests   an acknowledged request, until it is done with
traces     a recorded trace, where it stands, what it is found by
feedback   a signal of a user, feedback that waits for its trace, the last turn of a conversation
review     a case in review with its claims and labels, and what it is judged by
judge      what judge versions said of anchors and of live traffic
suites     results of offline suites, their questions, and what they do not cover
erasure    whose data is to be deleted

How each is written and which versions of it are read: ``store/kinds.py``. A struct that changes needs a new version
there, unless old rows read as the new struct do (a field with a default).
"""
