"""What every HTTP request meets, and the endpoints that belong to no feature.

connections  how many there may be, how slow, and what broken HTTP is answered
hosts        which Host and Origin a request may name
auth         bearer tokens with roles
requests     limits, reading of bodies, and refusals that say what to do: shared by every handler
otlp         the endpoints that take traces: OTLP, and plain JSON
pages        metrics, health, config, and why a trace got its verdicts
scraping     renders scrapes in a thread and sends them in parts
static       files of pages for people, under a strict content policy
runbooks     what to do about an alert
"""
