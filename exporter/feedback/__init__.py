"""What users say of answers, and what their conversations show.

signals        the body of POST /v1/feedback → Feedback
opinions       the same from what other tools' SDKs send
distance       how much of an answer was edited
annotate       one signal into the document of its trace: new, repeated, or a correction
lexicon        what words tell, and which mean the same, in six languages
wording        a user's text → what is kept of it to compare it with the next
derive         two turns of a conversation → regenerate, rephrase; its end → abandon
recent         the last traces in memory, for what their documents do not hold
attribution    counts a signal for the version that answered, and tells followers
waiting        feedback whose trace is not known yet; bounded, durable
conversations  the last turn of each conversation; bounded, durable
rate_limit     how much one address may send
join           takes requests and traces, and joins the two
feature        the class that takes part in an exporter
http           the endpoint, for servers and for pages
tools          the endpoints of other tools' SDKs

The first seven are pure.
"""
