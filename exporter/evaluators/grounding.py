"""The evaluator `grounding`: do the retrieved documents support the answer? Compares words and facts, no entailment."""

from collections.abc import Sequence
from importlib.resources import files
from math import exp
from operator import mul

import msgspec
from msgspec import Struct

from ..model.score import Score, Skipped
from ..model.trace import Trace
from .languages import strange_to
from .refusal import SHORT_DECLINE, declined
from .registry import evaluator
from .sources import Source, source
from .support import FIELDS, PROSE, Support, strangest, support
from .words import ANSWER_LIMIT, ReadText, prose, read

_EXPLAINED = 0.8
_LANGUAGES_OF = 3
"""Documents whose language is compared with the answer's."""
_QUOTED_BELOW = 0.5
_QUOTE_LENGTH = 300
_QUESTION_LENGTH = 4096
_PROSE_SHORT_MARK = 0.35
_FIELDS_SHORT_MARK = 0.59
"""The risks, by shares alone, that are the pass marks of short texts: the answers that were fitted on are long."""


class Weights(Struct, frozen=True):
    """Fitted weights of one kind of documents: the features' factors, and the risk that is the pass mark."""

    bias: float
    mark: float
    features: dict[str, float]

    def factors(self, names: Sequence[str]) -> tuple[float, ...]:
        """The features' factors in an order."""
        return tuple([self.features[name] for name in names])


class _Fitted(Struct, frozen=True):
    prose: Weights
    structured: Weights


_FITTED = msgspec.json.decode(files(__package__).joinpath("grounding.json").read_bytes(), type=_Fitted)
_PROSE = _FITTED.prose.factors(PROSE)
_FIELDS = _FITTED.structured.factors(FIELDS)


@evaluator("grounding", version="2")
def grounding(trace: Trace) -> Score | Skipped | None:
    """The answer's claims are supported by the documents, else by the tool results; quotes what is not."""
    answer, texts = trace.answer, [one.text for one in trace.context if one.text] or trace.tool_results
    if not answer or not (texts or trace.context):
        return None
    if len(answer) <= SHORT_DECLINE and declined(answer).probability > 0.5:
        return None
    if not texts:
        return Skipped("not_captured")
    reading = read(prose(answer))
    found = support(reading, source(texts), (trace.question or "")[:_QUESTION_LENGTH])
    if found is None:
        return None
    value = supported(found)
    if value < _QUOTED_BELOW and strange_to(answer, texts[:_LANGUAGES_OF]):
        return Skipped("language")
    if value >= _EXPLAINED:
        return Score(value)
    strange = strangest(found, reading) if value < _QUOTED_BELOW else []
    note = explained(found)
    if trace.context and len(texts) < len(trace.context):
        note += f"; {len(trace.context) - len(texts)} of {len(trace.context)} documents came without text"
    if len(answer) > ANSWER_LIMIT:
        note += f"; looked at the first {ANSWER_LIMIT} characters"
    return Score(value, None, note, tuple([one.strip()[:_QUOTE_LENGTH] for one in strange]))


def supported(found: Support) -> float:
    """How well a text is supported, 0..1; 0.5 is the risk at which few answers fail wrongly, by kind of documents."""
    weights, factors = (_FITTED.structured, _FIELDS) if found.structured else (_FITTED.prose, _PROSE)
    total = weights.bias + sum(map(mul, factors, found.features()))
    return value_of(total, found, weights.mark)


def value_of(total: float, found: Support, mark: float) -> float:
    """The score by the weighed sum of a text's features and the mark of its kind, or by its shares if that is lower.

    The weights know long answers. Of short ones shares must tell, down to one wrong word, number or fact.
    """
    short_mark = _FIELDS_SHORT_MARK if found.structured else _PROSE_SHORT_MARK
    agreed = _agreed(found)
    kept = _kept(found, agreed)
    return min(on_scale(_risk(total, kept, agreed), mark), on_scale(1 - kept, short_mark))


def risk_of(total: float, found: Support) -> float:
    """The probability that something in a text is unsupported."""
    agreed = _agreed(found)
    return _risk(total, _kept(found, agreed), agreed)


def _agreed(found: Support) -> float:
    """What conflicts with facts leave, 0..1."""
    return (1 - found.conflicts.share) ** 2


def _kept(found: Support, agreed: float) -> float:
    """What the unsupported shares of words, numbers and facts leave, 0..1."""
    return (1 - found.share**2) * (1 - found.number_share) * agreed


def _risk(total: float, kept: float, agreed: float) -> float:
    return 1 - kept * agreed / (1 + exp(min(total, 700.0)))


def on_scale(risk: float, mark: float) -> float:
    """A risk as a score: 1 where there is none, 0.5 at the mark, 0 where it is certain; straight between."""
    return 1 - 0.5 * risk / mark if risk <= mark else 0.5 * (1 - risk) / (1 - mark)


def judged(reading: ReadText, known: Source) -> float:
    """How well a text is supported by documents, 0..1; 1 where it claims nothing."""
    found = support(reading, known)
    return supported(found) if found else 1.0


def explained(found: Support) -> str:
    """What is unsupported, in counts."""
    counts = [
        (len(found.strange), f"of {found.content} content words are in no document"),
        (found.strange_numbers, "of them numbers"),
        (found.names, "of them names"),
    ]
    if found.conflicts.checked:
        conflicts = found.conflicts
        counts += [
            (conflicts.contradicted, "facts contradicted"),
            (conflicts.unknown, "claims of what the document leaves open"),
            (conflicts.hours, "days with other opening hours"),
            (conflicts.times, "times of day that occur nowhere"),
        ]
    return "; ".join([f"{count} {what}" for count, what in counts if count])
