"""The same evaluators without a server.

arguments    the arguments of ``llmq calibrate`` and ``llmq anchors``
replay       captured OTLP bodies → traces
dataset      rows of a suite (JSONL) → traces, and their scores → rows
application  the application under test, asked again over HTTP or by a command
expected     does an answer agree with the one that a row expects
trial        runs the config's rubrics on traces: the cost first, then the verdicts
forecast     what a day of the judge costs
probe        one test call to the judge, shown in full
calibrate    a judge over the anchor set, on demand
calibration  a judge's calibration, as text
report       scored traces and tables, as text
readers/     result files of other tools → runs
push         a run → the results that are pushed
result       the body of an offline-results request
client       one request to a running llmq, repeated while it asks to wait
likeness     similarity of questions, by signatures in the place of text
"""
