"""Spans in any dialect → one Trace: the only place that spells "gen_ai."; knows no I/O, no clock, no evaluators.

sources     which attributes to try for the fields that teams name themselves
detect      which dialect a span speaks and what the span is: the list of dialects
recognition how the spans of a dialect are told from others
genai       distinguishes spans of OTel GenAI and OpenLLMetry, which share names
story       the spans of a trace as a tree: its model calls, and what stands around them
answering   which of several model calls produced the answer
templates   question and answer inside what frameworks write around them
schemas     schemas in the dialects of providers → JSON Schema
facts       names, models, tokens, times and errors of a story
timing      time to first token, retries and fallbacks
errors      the many names of an error → a few kinds
evaluations evaluations by other systems, and the event by which ours are sent
annotations OpenInference's annotations of a span
resolve     one Trace from a story, one source for each field
otel, openinference, traceloop, langfuse, vercel, langsmith, mlflow, haystack   how to read a span of each
two_attributes   dialects with loose JSON in two attributes: langsmith, mlflow
node        a span with its dialect; what every dialect answers
shape       data derived from a set of attribute names, computed once for all spans with these names
messages, toolcalls, loose, finish, embedded   message JSON, tool calls, loose JSON, finish reasons, JSON in strings
"""

from .resolve import normalise
from .sources import Sources

__all__ = ["Sources", "normalise"]
