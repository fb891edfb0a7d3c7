"""The HTTP server: limits, authentication and errors of every request, and endpoints that belong to no feature.

connections  limits on connections and slow clients, and replies to malformed HTTP
hosts        which Host and Origin a request may name
auth         bearer tokens with roles
requests     request limits, body reading and error responses, shared by every handler
otlp         the endpoints that take traces: OTLP, and plain JSON
pages        /metrics, health, /config, and the verdicts of a trace
scraping     renders scrapes in a thread and sends them in parts
static       files of pages for people, under a strict content policy
runbooks     the runbook of each alert
"""
