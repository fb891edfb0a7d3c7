"""The code evaluators, one file per family, and the registry of all that exist.

The evaluators:

    refusal, completeness (empty, truncated), repetition, form (format), structure (json_schema), tools (tool_calls),
    tool_errors, tool_loops, grounding, citation, private (private_data), leaks (prompt_leak),
    answer_language (language_match)

How they are declared and run:

    registry       the evaluator type, and the registry
    options        an evaluator's options: its keyword parameters and their type hints
    bound          an evaluator with its options
    panel          runs the configured evaluators on one trace
    session        evaluates a batch of traces, yielding to other work
    deadline       interrupts a call that runs too long, where Python can
    foreign, guest  plugins in a separate process: the parent's side, and the process
    patterns       regular expressions that users write
    schema/        JSON Schema, validated within a budget of steps

What they use:

    words, scan, vocabulary, lexicon, scripts   words of a text, cheaply, in any script
    languages      a text's language, guessed from script and small words
    values, numerals, clock   numbers, dates and times as values
    records        what of an answer is prose, code, JSON or a table
    export_limits  was a text cut on its way here
    sources, support, facts, claims   documents, how far they support a sentence, what they state, what contradicts them
    citation_marks  citation marks and the documents that they name
    declining, phrases, decline_phrases, decline_latin, decline_limits, decline_scripts   how assistants decline
"""

from .answer_language import language_match
from .citation import citation
from .completeness import empty, truncated
from .form import format_
from .grounding import grounding
from .leaks import prompt_leak
from .private import private_data
from .refusal import refusal
from .registry import Evaluator, Listed, Registry, described, evaluator
from .repetition import repetition
from .structure import json_schema
from .tool_errors import tool_error
from .tool_loops import tool_loop
from .tools import tool_calls

BUILT_IN = (
    refusal,
    empty,
    truncated,
    repetition,
    format_,
    json_schema,
    tool_calls,
    tool_error,
    tool_loop,
    grounding,
    citation,
    private_data,
    prompt_leak,
    language_match,
)
"""The evaluators that come with llmq, in the order in which they run."""

__all__ = ["BUILT_IN", "Evaluator", "Listed", "Registry", "built_in", "described", "evaluator", "installed"]


def built_in() -> Registry:
    """A registry of the evaluators that come with llmq."""
    return Registry(described(function) for function in BUILT_IN)


def installed() -> Registry:
    """A registry of the evaluators that come with llmq and those of installed plugins."""
    return built_in().with_plugins()
