"""What OpenInference's annotations on a span say of it, its trace or its session; knows no verdict.

Read from openinference-semantic-conventions 0.1.42: ``annotations.N.annotation.*`` and ``evaluations.N.evaluation.*``,
for a whole trace or session with that word before it.
"""

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from ..model.trace import Span

_FORMS: Final = tuple(
    (f"{scope}{kind}s", kind) for scope in ("", "trace.", "session.") for kind in ("annotation", "evaluation")
)
_FIRST: Final = tuple((f"{all_of}.0.{each}.name", all_of, each) for all_of, each in _FORMS)
"""Indices begin at 0, so that a look for these tells of nearly every span that it has none."""
_FIRSTS: Final = frozenset(first for first, _, _ in _FIRST)
_MOST: Final = 64
_KIND: Final = "openinference.span.kind"
_EVALUATOR: Final = "EVALUATOR"
_HUMAN: Final = "HUMAN"


class Annotation(Struct, frozen=True):
    """One annotation, with the values as they came; ``by_human``: a person said so."""

    name: Any
    score: Any
    label: Any
    explanation: Any
    by_human: bool


def is_annotated(span: Span) -> bool:
    """Whether there is any annotation."""
    return not span.attributes.keys().isdisjoint(_FIRSTS)


def annotations(span: Span) -> Iterator[Annotation]:
    """The annotations of a span, none of an evaluator's span: what it says is about the span that it links to."""
    found = span.attributes
    for first, all_of, each in _FIRST:
        if first in found and found.get(_KIND) != _EVALUATOR:
            yield from _numbered(span, all_of, each)


def _numbered(span: Span, all_of: str, each: str) -> Iterator[Annotation]:
    for number in range(_MOST):
        name, score, label, explanation, kind = (
            span.attributes.get(f"{all_of}.{number}.{each}.{field}")
            for field in ("name", "score", "label", "explanation", "annotator_kind")
        )
        if name is None:
            return
        yield Annotation(name, score, label, explanation, isinstance(kind, str) and kind.upper() == _HUMAN)
