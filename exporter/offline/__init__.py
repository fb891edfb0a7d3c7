"""The same evaluators without a server.

arguments    the arguments of ``llmq calibrate`` and ``llmq anchors``
replay       captured OTLP bodies → traces
dataset      rows of a suite (JSONL) → traces, and their scores → rows
application  the application under test, asked again over HTTP or by a command
expected     does an answer agree with the one that a row expects
trial        the config's rubrics tried on traces: the cost first, then the verdicts
forecast     what a day of the judge costs
probe        one case put before the judge, and all that is seen of it
calibrate    a judge over the anchor set, on demand
calibration  what is known of a judge against people, as text
report       scored traces and tables, as text
readers/     result files of other tools → runs
push         a run → the results that are pushed
result       the body of an offline-results request
client       one request to a running llmq, repeated while it asks to wait
likeness     how alike two questions are, by signatures in the place of text
"""
