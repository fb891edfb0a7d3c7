"""Are the answer's claims supported by what was retrieved: `grounding`; knows words and facts, not entailment."""

from collections.abc import Sequence
from importlib.resources import files
from math import exp

import msgspec
from msgspec import Struct

from ..score import Score
from ..trace import Trace
from .refusal import declined
from .registry import evaluator
from .sources import Source, Sources
from .support import NAMES, Support, support
from .words import ANSWER_LIMIT, Reading, prose, read

SOURCES = Sources()
"""The documents that recur, remembered for all evaluators that compare with them."""

_SHORT_DECLINE = 600
_QUOTED = 3
_QUOTE_LENGTH = 300


class _Weights(Struct, frozen=True):
    bias: float
    features: dict[str, float]


_WEIGHTS = msgspec.json.decode(files(__package__).joinpath("grounding.json").read_bytes(), type=_Weights)
_FACTORS = tuple(_WEIGHTS.features[name] for name in NAMES)


@evaluator("grounding", version="1")
def grounding(trace: Trace) -> Score | None:
    """The answer's claims are supported by the documents, else by the tool results; quotes what is not."""
    texts = [one.text for one in trace.context] or trace.tool_results
    if not trace.answer or not texts:
        return None
    if len(trace.answer) <= _SHORT_DECLINE and declined(trace.answer).probability > 0.5:
        return None
    reading = read(prose(trace.answer))
    found = support(reading, SOURCES.ready(texts))
    if found is None:
        return None
    value = supported(found)
    cut = f"looked at the first {ANSWER_LIMIT} characters; " if len(trace.answer) > ANSWER_LIMIT else ""
    return Score(value, explanation=cut + explained(found, len(reading.words)), quotes=quoted(found, reading))


def supported(found: Support) -> float:
    """The probability that nothing in the text is unsupported."""
    total = _WEIGHTS.bias + sum(map(float.__mul__, _FACTORS, found.features()))
    # The weights know long answers; the share alone must tell of short ones, down to a single wrong word.
    return (1 - found.share**2) / (1 + exp(total))


def judged(reading: Reading, sources: Sequence[Source]) -> float:
    """How well a text is supported by documents, 0..1; 1 where it claims nothing."""
    found = support(reading, sources)
    return supported(found) if found else 1.0


def explained(found: Support, sentences: int) -> str:
    """What is unsupported, in counts."""
    if not found.strange and not found.conflicts:
        return ""
    numbers = sum(map(bytes.isdigit, found.strange))
    where = f"in {len(found.sentences)} of {sentences} sentences"
    parts = [
        f"{len(found.strange)} of {found.content} content words, {where}, are in no document",
        f"{numbers} of them numbers" if numbers else "",
        f"{found.names} of them names" if found.names else "",
        f"{found.conflicts.contradicted} facts contradicted" if found.conflicts.contradicted else "",
        f"{found.conflicts.unknown} claims of what the document leaves open" if found.conflicts.unknown else "",
        f"{found.conflicts.times} times of day that occur nowhere" if found.conflicts.times else "",
    ]
    return "; ".join(filter(None, parts))


def quoted(found: Support, reading: Reading) -> tuple[str, ...]:
    """The sentences with the largest unsupported share."""
    worst = sorted(found.sentences, key=lambda one: -one[0])[:_QUOTED]
    return tuple(reading.sentences[place].strip()[:_QUOTE_LENGTH] for _, place in worst)
