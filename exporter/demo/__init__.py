"""A whole stack with live traffic, and an incident in it, on one machine and without containers.

story      who asks what, and which prompt goes wrong: data, in story.yaml
stub       a model behind an OpenAI-compatible endpoint
judge_stub a judge whose errors are known
judge      the story's judge: what it errs from, and labelled cases for its gate
spans      OpenTelemetry spans as real applications send them
traffic    the applications: they ask the model, and send what happened
users      who ask, rate, edit, ask again, and leave
reviewers  people who label what is queued
suites     the offline suite, which is green for every version
rules      the shipped rules, and the page on short windows
alert_receiver  where notifications arrive, and where their links lead
stack      processes in a temporary folder
janitor    what is left to do when the demo was killed
servers    exporter, Prometheus and Alertmanager, configured for each other
readings   what they say
narrator   what the terminal says of it
bad        bad answers for a running llmq, to see whether its alerts arrive
arguments  the options
command    all wiring of the demo
"""
