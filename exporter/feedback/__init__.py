"""User feedback: explicit signals from users, and signals derived from their conversations.

signals        the body of POST /v1/feedback → Feedback
opinions       feedback as other tools' SDKs send it → the same body
distance       how much of an answer was edited
annotate       adds a signal to the document of its trace: new, repeated, or a correction
lexicon        what words tell, and which mean the same, in six languages
wording        a user's text → what is kept of it to compare it with the next
derive         two turns of a conversation → regenerate, rephrase; its end → abandon
recent         cache of the last traces, for text that their documents may not hold
attribution    counts a signal for the version that answered, and notifies features
waiting        feedback whose trace is not known yet; bounded, durable
conversations  the last turn of each conversation; bounded, durable
rate_limit     token bucket per client address
join           joins feedback with its trace, whichever comes first
feature        the feature class
http           the endpoint, for servers and for pages
tools          the endpoints of other tools' SDKs

The first seven are pure.
"""
