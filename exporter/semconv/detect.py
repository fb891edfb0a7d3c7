"""Which dialect a span speaks, and what the span is: decided by a few look-ups, never by name or kind alone.

Read from: OpenInference 0.1.42, Langfuse 3-5, MLflow 3.17, LangSmith 0.15, AI SDK 4-7, Traceloop 0.47-0.62,
OTel semantic-conventions 1.22-1.41 and semantic-conventions-genai (``CONVENTIONS`` §1.0 and §1.1).
"""

from ..model.trace import Span
from . import genai, haystack, langfuse, langsmith, mlflow, openinference, vercel
from .node import Node
from .recognition import Recognition, Teller
from .shape import Met, shape_of

RECOGNITIONS: tuple[Recognition, ...] = (
    haystack.RECOGNITION,
    openinference.RECOGNITION,
    langfuse.RECOGNITION,
    mlflow.RECOGNITION,
    langsmith.RECOGNITION,
    vercel.RECOGNITION,
    genai.RECOGNITION,
    genai.DATABASES,
)
"""Asked in this order: first those whose spans all carry a mark of their own, then those that share names."""


def classify(span: Span) -> Node | None:
    """Return the span as a node of its dialect; None where it has nothing to do with language models."""
    attributes = span.attributes
    shape = shape_of(attributes)
    names = shape.names
    teller = _tellers[names]
    if teller is None:
        return None
    value = attributes[teller.mark] if teller.known else None
    told = teller.known.get(value) if type(value) is str else None
    dialect, role = teller.otherwise(span, names) if told is None else told
    return Node(attributes, shape, names, span=span, dialect=dialect, role=role)


def _teller(names: frozenset[str]) -> Teller | None:
    """Choose how to tell what spans with such names are; None where they have nothing to do with language models."""
    return next((one.teller(names) for one in RECOGNITIONS if not one.marks.isdisjoint(names)), None)


_tellers: Met[frozenset[str], Teller | None] = Met(_teller)
