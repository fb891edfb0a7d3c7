"""Evaluations by other systems, read as verdicts; and gen_ai.evaluation.result, the standard event for ours.

Of a score made elsewhere nobody tells us the scale or the pass mark. A label that says pass or fail is believed; else a
score in 0..1 passes from the mark that the config has for it, or from the middle; anything else is no verdict. The same
of OpenInference's annotations, whose scores count only where a person gave them: of others, higher may be worse.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from ..model.score import Evaluation, Failure, Verdict
from ..model.trace import LogRecord, Span
from .annotations import Annotation, annotations, is_annotated

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
_PASSING: Final = frozenset({"pass", "passed", "true", "yes", "correct"})
_FAILING: Final = frozenset({"fail", "failed", "false", "no", "incorrect"})
_LIKED: Final = frozenset({"thumbs_up", "up", "positive", "like", "liked", "good", "helpful"})
_DISLIKED: Final = frozenset({"thumbs_down", "down", "negative", "dislike", "disliked", "bad", "unhelpful"})
"""Further words, of users alone."""
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
    """An evaluation by another system, and its subject: a trace (raw id), one of its spans (or b""), a response.

    ``is_feedback``: a user said so, and not an evaluator.
    """

    trace_id: bytes
    span_id: bytes
    response_id: str
    evaluation: Evaluation
    is_feedback: bool


def may_report(spans: Collection[Span], logs: Collection[LogRecord]) -> bool:
    """Whether it is worth to look: nearly no trace reports any."""
    return bool(logs) or any(span.events or is_annotated(span) for span in spans)


def reported(
    spans: Collection[Span], logs: Collection[LogRecord], marks: Mapping[str, float] | None = None
) -> Iterator[Reported]:
    """The evaluations that log records, span events and annotations of spans report.

    ``marks``: pass marks by our name for the evaluator. What has no verdict, such as an error, is passed over.
    """
    for trace_id, span_id, found in _events(spans, logs):
        name, score, label, explanation = map(found.get, (_NAME, _SCORE, _LABEL, _EXPLANATION))
        said = Annotation(name, score, label, explanation, by_human=False)
        yield from _reported(said, trace_id, span_id, found, marks or {})
    for span in spans:
        for said in annotations(span):
            told = said if _is_feedback(said) else replace(said, score=None)
            yield from _reported(told, span.trace_id, span.span_id, {}, marks or {})


def opinion(
    name: str, score: float | None, label: str | None, *, by_human: bool
) -> Verdict | Literal["unclear"] | None:
    """What a user said by a score or a label; None where no user said it, unclear where it is neither up nor down."""
    said = Annotation(name, score, label, None, by_human)
    if not _is_feedback(said):
        return None
    return _verdict(_text(label), _score(score), _MIDDLE, is_feedback=True) or "unclear"


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


def _events(spans: Collection[Span], logs: Collection[LogRecord]) -> list[tuple[bytes, bytes, Mapping[str, Any]]]:
    told = [log for log in logs if EVENT in (log.event_name, log.attributes.get("event.name"))]
    found = [(log.trace_id, log.span_id, log.attributes) for log in told]
    for span in spans:
        if span.events:
            told_by = span.trace_id, span.span_id
            found += [(*told_by, event.attributes) for event in span.events if event.name == EVENT]
    return found


def _reported(
    said: Annotation, trace_id: bytes, span_id: bytes, found: Mapping[str, Any], marks: Mapping[str, float]
) -> Iterator[Reported]:
    name, score, is_feedback = evaluator(_text(said.name)), _score(said.score), _is_feedback(said)
    verdict = _verdict(_text(said.label), score, marks.get(name, _MIDDLE), is_feedback=is_feedback)
    if not name or verdict is None or _ERROR in found:
        return
    words = _text(said.explanation)[:_LONGEST_EXPLANATION]
    evaluation = Evaluation(
        evaluator=name,
        evaluator_version=_text(found.get(_VERSION))[:_LONGEST_VERSION] or REPORTED,
        verdict=verdict,
        score=score if score is not None else float(verdict == "pass"),
        quotes=(words,) if words else (),  # words of others, which may be the trace's own text
    )
    yield Reported(trace_id, span_id, _text(found.get(_RESPONSE)), evaluation, is_feedback)


def _is_feedback(said: Annotation) -> bool:
    return said.by_human or evaluator(_text(said.name)) in _FEEDBACK


def _verdict(label: str, score: float | None, mark: float, *, is_feedback: bool) -> Verdict | None:
    word = label.strip().casefold()
    if word in _PASSING or (is_feedback and _OTHERS.sub("_", word) in _LIKED):
        return "pass"
    if word in _FAILING or (is_feedback and _OTHERS.sub("_", word) in _DISLIKED):
        return "fail"
    if score is None:
        return None
    return "pass" if score >= mark else "fail"


def _score(value: Any) -> float | None:
    """A score in 0..1; None for any other, whose scale nobody knows."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        return None
    return float(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
