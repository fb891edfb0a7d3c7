"""The standard event of an evaluation, gen_ai.evaluation.result: read where it was made elsewhere, and written.

Of a score made elsewhere nobody tells us the scale or the pass mark. A label that says pass or fail is believed; else a
score in 0..1 passes from the mark that the config has for it, or from the middle; anything else is no verdict.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from ..score import Evaluation, Failure, Verdict
from ..trace import LogRecord, Span

EVENT: Final = "gen_ai.evaluation.result"
REPORTED: Final = "reported"
"""The version of an evaluator that is not ours and does not say its own; with _ the beginning of its name."""

_NAME: Final = "gen_ai.evaluation.name"
_SCORE: Final = "gen_ai.evaluation.score.value"
_LABEL: Final = "gen_ai.evaluation.score.label"
_EXPLANATION: Final = "gen_ai.evaluation.explanation"
_RESPONSE: Final = "gen_ai.response.id"
_ERROR: Final = "error.type"
_VERSION: Final = "llmq.evaluator.version"
_SAMPLE: Final = "llmq.sample"
_PASSING: Final = frozenset({"pass", "passed", "true", "yes"})
_FAILING: Final = frozenset({"fail", "failed", "false", "no"})
_OTHERS: Final = re.compile(r"[^a-z0-9]+", re.ASCII)
_LONGEST_NAME: Final = 48
_LONGEST_VERSION: Final = 64
_LONGEST_EXPLANATION: Final = 2_000
_MIDDLE: Final = 0.5
_FEEDBACK: Final = frozenset(
    f"{REPORTED}_{name}"
    for name in ("user_feedback", "human_feedback", "feedback", "user_rating", "user_score", "thumbs", "thumbs_up_down")
)
"""Names under which applications report what a user said."""


class Reported(Struct, frozen=True):
    """An evaluation made elsewhere, and what it is of: a trace (raw id), one of its spans (or b""), a response."""

    trace_id: bytes
    span_id: bytes
    response_id: str
    evaluation: Evaluation

    @property
    def is_feedback(self) -> bool:
        """Whether a user said so, and not an evaluator."""
        return self.evaluation.evaluator in _FEEDBACK


def reported(
    spans: Sequence[Span], logs: Sequence[LogRecord], marks: Mapping[str, float] | None = None
) -> Iterator[Reported]:
    """The evaluations that log records and span events report; ``marks``: pass marks by our name for the evaluator.

    An event without a verdict, such as one that reports an error, is passed over.
    """
    for trace_id, span_id, attributes in _events(spans, logs):
        evaluation = _evaluation(attributes, marks or {})
        if evaluation is not None:
            yield Reported(trace_id, span_id, _text(attributes, _RESPONSE), evaluation)


def evaluator(name: str) -> str:
    """Our name of an evaluator that is not ours: reported_relevance for "Relevance"; "" where nothing is left of it."""
    plain = _OTHERS.sub("_", name.casefold()).strip("_")[:_LONGEST_NAME]
    return f"{REPORTED}_{plain}" if plain else ""


def attributes(result: Evaluation | Failure, response_id: str | None) -> dict[str, str | float]:
    """The attributes of the event that tells others of an evaluation of ours, or that it failed."""
    found: dict[str, str | float] = {_NAME: result.evaluator, _VERSION: result.evaluator_version}
    if isinstance(result, Failure):
        found[_ERROR] = result.reason
    else:
        found |= {_SCORE: float(result.score), _LABEL: result.verdict, _SAMPLE: result.sample}
        if result.explanation:
            found[_EXPLANATION] = result.explanation
    return found | ({_RESPONSE: response_id} if response_id else {})


def _events(spans: Sequence[Span], logs: Sequence[LogRecord]) -> Iterator[tuple[bytes, bytes, Mapping[str, Any]]]:
    for log in logs:
        if EVENT in (log.event_name, log.attributes.get("event.name")):
            yield log.trace_id, log.span_id, log.attributes
    for span in spans:
        for event in span.events:
            if event.name == EVENT:
                yield span.trace_id, span.span_id, event.attributes


def _evaluation(found: Mapping[str, Any], marks: Mapping[str, float]) -> Evaluation | None:
    name = evaluator(_text(found, _NAME))
    score = _score(found.get(_SCORE))
    verdict = _verdict(_text(found, _LABEL), score, marks.get(name, _MIDDLE))
    if not name or verdict is None or _ERROR in found:
        return None
    said = _text(found, _EXPLANATION)[:_LONGEST_EXPLANATION]
    return Evaluation(
        evaluator=name,
        evaluator_version=_text(found, _VERSION)[:_LONGEST_VERSION] or REPORTED,
        verdict=verdict,
        score=score if score is not None else float(verdict == "pass"),
        quotes=(said,) if said else (),  # words of others, which may be the trace's own text
    )


def _verdict(label: str, score: float | None, mark: float) -> Verdict | None:
    word = label.strip().casefold()
    if word in _PASSING or word in _FAILING:
        return "pass" if word in _PASSING else "fail"
    if score is None:
        return None
    return "pass" if score >= mark else "fail"


def _score(value: Any) -> float | None:
    """A score in 0..1; None for any other, whose scale nobody knows."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        return None
    return float(value)


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""
