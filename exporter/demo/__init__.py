"""A whole stack with live traffic, and an incident in it, on one machine and without containers.

story     who asks what, and which prompt goes wrong when: data, in story.yaml
stub      a model behind an OpenAI-compatible endpoint
traffic   the applications: they ask the model, and send what happened as OpenTelemetry spans
rules     the shipped rules, and the same on short windows
desk      where notifications arrive, and where their links lead
stack     exporter, Prometheus and Alertmanager as processes in a temporary folder
janitor   what is left to do when the demo was killed
narrator  what the terminal says
command   the three commands
"""
