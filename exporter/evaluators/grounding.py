"""Are the answer's claims supported by what was retrieved: `grounding`; knows words and facts, not entailment."""

from importlib.resources import files
from math import exp
from operator import mul

import msgspec
from msgspec import Struct

from ..score import Score
from ..trace import Trace
from .refusal import SHORT_DECLINE, declined
from .registry import evaluator
from .sources import Source, source
from .support import NAMES, Support, strangest, support
from .words import ANSWER_LIMIT, Reading, prose, read

_EXPLAINED = 0.8
_QUOTED_BELOW = 0.5
_QUOTE_LENGTH = 300


class _Weights(Struct, frozen=True):
    bias: float
    features: dict[str, float]


_WEIGHTS = msgspec.json.decode(files(__package__).joinpath("grounding.json").read_bytes(), type=_Weights)
_SHARE = NAMES.index("share")
_FACTORS = tuple(_WEIGHTS.features[name] for name in NAMES)


@evaluator("grounding", version="1")
def grounding(trace: Trace) -> Score | None:
    """The answer's claims are supported by the documents, else by the tool results; quotes what is not."""
    answer, texts = trace.answer, [one.text for one in trace.context] or trace.tool_results
    if not answer or not texts:
        return None
    if len(answer) <= SHORT_DECLINE and declined(answer).probability > 0.5:
        return None
    reading = read(prose(answer))
    found = support(reading, source(texts))
    if found is None:
        return None
    value = supported(found)
    if value >= _EXPLAINED:
        return Score(value)
    strange = strangest(found, reading) if value < _QUOTED_BELOW else []
    cut = f"; looked at the first {ANSWER_LIMIT} characters" if len(answer) > ANSWER_LIMIT else ""
    return Score(value, None, explained(found) + cut, tuple([one.strip()[:_QUOTE_LENGTH] for one in strange]))


def supported(found: Support) -> float:
    """The probability that nothing in the text is unsupported."""
    features = found.features()
    total = _WEIGHTS.bias + sum(map(mul, _FACTORS, features))
    # The weights know long answers; the share alone must tell of short ones, down to a single wrong word.
    return (1 - features[_SHARE] ** 2) / (1 + exp(total))


def judged(reading: Reading, known: Source) -> float:
    """How well a text is supported by documents, 0..1; 1 where it claims nothing."""
    found = support(reading, known)
    return supported(found) if found else 1.0


def explained(found: Support) -> str:
    """What is unsupported, in counts."""
    conflicts = found.conflicts
    counts = [
        (len(found.strange), f"of {found.content} content words are in no document"),
        (found.strange.numbers(), "of them numbers"),
        (found.names, "of them names"),
    ]
    if conflicts:
        counts += [
            (conflicts.contradicted, "facts contradicted"),
            (conflicts.unknown, "claims of what the document leaves open"),
            (conflicts.times, "times of day that occur nowhere"),
        ]
    return "; ".join([f"{count} {what}" for count, what in counts if count])
