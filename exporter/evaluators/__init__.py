"""The code evaluators, one file per family, and the registry of all that exist."""

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
