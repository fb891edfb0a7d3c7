"""From a scored trace to what is stored of it.

scored                a trace on its way from the evaluators into the store
trace_document        its JSON document, with or without text
identifiers           how ids of users, conversations and documents are stored
prices                what it cost
unit_of_work          buffers writes until the next commit; reads see buffered data first
late_details          what late spans still tell: user and conversation ids, external evaluations
external_evaluations  evaluations made by other systems, under bounded names
retention             deletes what is old, text first
"""
