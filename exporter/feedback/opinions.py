"""Feedback as other tools' SDKs send it → the body of POST /v1/feedback: Langfuse, Phoenix, LangSmith, MLflow.

A score or a label is a thumb up or down where a person gave it, or where its name says so (user_feedback …). What an
evaluator said is no feedback, and refused. Pure; knows no HTTP.
"""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from ..decode.batch import DecodeError, TooLarge
from ..runtime import mismatch
from ..semconv.evaluations import opinion
from .signals import LONGEST_COMMENT, LONGEST_ID, LONGEST_TEXT, MOST_ITEMS, plain_trace_id

_Name = Annotated[str, Meta(min_length=1, max_length=500)]
_Value = float | bool | str | None
_T = TypeVar("_T")
_HUMAN: Final = "HUMAN"
_HOW: Final = (
    'not what a user said: name it "user_feedback", or say that a person gave it. Send evaluations as the '
    "OpenTelemetry event gen_ai.evaluation.result"
)
_SCALE: Final = "not up or down: send a score from 0 to 1, a boolean, or a label such as thumbs_up"


class Opinion(Struct, frozen=True, kw_only=True):
    """One item of a request: as POST /v1/feedback takes it, or its error."""

    id: str = ""
    sent: dict[str, str] | None = None
    error: str = ""


class _Said(Struct, frozen=True, kw_only=True):
    """What all tools say alike; ``at`` is the place in the body, ``by_human``: a person said so."""

    at: str
    name: str
    trace_id: str | None
    trace_field: str
    conversation_id: str | None = None
    score: _Value = None
    label: str | None = None
    comment: str | None = None
    edited_text: str | None = None
    user: str | None = None
    id: str | None = None
    by_human: bool = False


class _Score(Struct, frozen=True, rename="camel"):
    """Langfuse's score."""

    name: _Name
    value: _Value = None
    id: str | None = None
    trace_id: str | None = None
    session_id: str | None = None
    string_value: str | None = None
    data_type: str | None = None
    comment: str | None = None
    source: str | None = None


class _Event(Struct, frozen=True):
    """One event of Langfuse's ingestion."""

    type: str
    id: str = ""
    body: msgspec.Raw = msgspec.Raw(b"null")


class _Events(Struct, frozen=True):
    batch: list[_Event]


class _Result(Struct, frozen=True):
    label: str | None = None
    score: float | None = None
    explanation: str | None = None


class _Annotation(Struct, frozen=True):
    """Phoenix's annotation of a span or a trace."""

    name: _Name
    annotator_kind: str = ""
    trace_id: str | None = None
    result: _Result | None = None
    identifier: str | None = None
    metadata: dict[str, Any] | None = None


class _Annotations(Struct, frozen=True):
    data: list[msgspec.Raw]


class _Source(Struct, frozen=True):
    type: str = ""


class _RunFeedback(Struct, frozen=True):
    """LangSmith's feedback."""

    key: _Name
    run_id: str | None = None
    trace_id: str | None = None
    id: str | None = None
    score: _Value = None
    value: Any = None
    comment: str | None = None
    feedback_source: _Source | None = None


class _AssessmentSource(Struct, frozen=True):
    source_type: str = ""
    source_id: str | None = None


class _AssessmentValue(Struct, frozen=True):
    value: Any = None


class _Assessment(Struct, frozen=True):
    """MLflow's assessment."""

    assessment_name: _Name
    source: _AssessmentSource = field(default_factory=_AssessmentSource)
    feedback: _AssessmentValue | None = None
    rationale: str | None = None
    trace_id: str | None = None


class _Assessed(Struct, frozen=True):
    assessment: _Assessment


Reader = Callable[[bytes], list[Opinion]]
"""What a body says, thing by thing; raises DecodeError and TooLarge."""


def langfuse_scores(body: bytes) -> list[Opinion]:
    """POST /api/public/scores: one score or a list of them."""
    is_list = body.lstrip()[:1] == b"["
    raws = _decoded(body, list[msgspec.Raw]) if is_list else [msgspec.Raw(body)]
    _check_number(raws)
    return [_langfuse(raw, f"$[{index}]" if is_list else "$") for index, raw in enumerate(raws)]


def langfuse_events(body: bytes) -> list[Opinion]:
    """POST /api/public/ingestion: a batch of events, of which scores are taken."""
    events = _decoded(body, _Events).batch
    _check_number(events)
    return list(_ingested(events))


def _ingested(events: list[_Event]) -> Iterator[Opinion]:
    for index, event in enumerate(events):
        at = f"$.batch[{index}]"
        if event.type == "score-create":
            yield msgspec.structs.replace(_langfuse(event.body, f"{at}.body"), id=event.id)
        else:
            yield Opinion(id=event.id, error=f"{at}.type: only score-create is taken; send traces by OpenTelemetry")


def phoenix_annotations(body: bytes) -> list[Opinion]:
    """POST /v1/trace_annotations, and /v1/span_annotations whose metadata name the trace."""
    raws = _decoded(body, _Annotations).data
    _check_number(raws)
    return [_phoenix(raw, f"$.data[{index}]") for index, raw in enumerate(raws)]


def langsmith_feedback(body: bytes) -> list[Opinion]:
    """POST /feedback: one feedback on a run; the run of a whole trace has the id of the trace."""
    return [_read(msgspec.Raw(body), _RunFeedback, "$", _langsmith)]


def mlflow_assessment(body: bytes) -> list[Opinion]:
    """POST /api/3.0/mlflow/traces/{trace_id}/assessments: one assessment."""
    return [_read(msgspec.Raw(body), _Assessed, "$", _mlflow)]


def _langfuse(raw: msgspec.Raw, at: str) -> Opinion:
    return _read(raw, _Score, at, _langfuse_score)


def _langfuse_score(one: _Score, at: str) -> _Said:
    label = one.value if isinstance(one.value, str) else one.string_value
    return _Said(
        at=at,
        name=one.name,
        trace_id=one.trace_id,
        trace_field="traceId",
        conversation_id=one.session_id,
        score=None if isinstance(one.value, str) else one.value,
        label=label,
        comment=one.comment,
        edited_text=label if one.data_type == "CORRECTION" else None,
        id=one.id,
        by_human=one.source == "ANNOTATION",
    )


def _phoenix(raw: msgspec.Raw, at: str) -> Opinion:
    return _read(raw, _Annotation, at, _phoenix_annotation)


def _phoenix_annotation(one: _Annotation, at: str) -> _Said:
    result, metadata = one.result or _Result(), one.metadata or {}
    trace_id = one.trace_id or metadata.get("trace_id")
    return _Said(
        at=at,
        name=one.name,
        trace_id=trace_id if isinstance(trace_id, str) else None,
        trace_field="trace_id" if one.trace_id else "metadata.trace_id",
        score=result.score,
        label=result.label,
        comment=result.explanation,
        user=one.identifier,
        by_human=one.annotator_kind.upper() == _HUMAN,
    )


def _langsmith(one: _RunFeedback, at: str) -> _Said:
    return _Said(
        at=at,
        name=one.key,
        trace_id=one.trace_id or one.run_id,
        trace_field="trace_id" if one.trace_id else "run_id",
        score=one.score,
        label=one.value if isinstance(one.value, str) else None,
        comment=one.comment,
        id=one.id,
        by_human=one.feedback_source is not None and one.feedback_source.type == "app",
    )


def _mlflow(sent: _Assessed, at: str) -> _Said:
    one = sent.assessment
    if one.feedback is None:
        raise DecodeError(f"{at}.assessment: only feedback is taken")
    value = one.feedback.value
    return _Said(
        at=f"{at}.assessment",
        name=one.assessment_name,
        trace_id=one.trace_id,
        trace_field="trace_id",
        score=value if isinstance(value, bool | int | float) else None,
        label=value if isinstance(value, str) else None,
        comment=one.rationale,
        user=one.source.source_id if one.source.source_type == _HUMAN else None,
        by_human=one.source.source_type == _HUMAN,
    )


def _read(raw: msgspec.Raw, form: type[_T], at: str, how: Callable[[_T, str], _Said]) -> Opinion:
    try:
        one = msgspec.json.decode(raw, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Opinion(error=mismatch.of_json(raw, form).at(at))
    try:
        said = how(one, at)
        return Opinion(id=said.id or "", sent=_sent(said))
    except DecodeError as error:
        return Opinion(error=str(error))


def _sent(said: _Said) -> dict[str, str]:
    """What POST /v1/feedback takes; raises DecodeError."""
    sent = {"signal": _signal(said)} | _reference(said)
    if said.comment:
        sent["comment"] = said.comment[:LONGEST_COMMENT]
    if said.edited_text is not None:
        sent["edited_text"] = said.edited_text[:LONGEST_TEXT]
    if said.user:
        sent["user"] = said.user[:LONGEST_ID]
    if said.id:
        sent["id"] = said.id[:LONGEST_ID]
    return sent


def _signal(said: _Said) -> str:
    if said.edited_text is not None:
        return "edit"
    score = float(said.score) if isinstance(said.score, bool | int | float) else None
    label = said.score if isinstance(said.score, str) else said.label
    found = opinion(said.name, score, label, by_human=said.by_human)
    if found is None:
        raise DecodeError(f"{said.at}: {_HOW}")
    if found == "unclear":
        raise DecodeError(f"{said.at}: {_SCALE}")
    return "thumbs_up" if found == "pass" else "thumbs_down"


def _reference(said: _Said) -> dict[str, str]:
    if said.trace_id:
        return {"trace_id": plain_trace_id(said.trace_id, f"{said.at}.{said.trace_field}")}
    if said.conversation_id:
        return {"conversation_id": said.conversation_id[:LONGEST_ID]}
    raise DecodeError(f"{said.at}: names no trace; give {said.trace_field}")


def _decoded(body: bytes, form: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise DecodeError(mismatch.of_json(msgspec.Raw(body), form).at("$")) from None


def _check_number(items: list[Any]) -> None:
    if len(items) > MOST_ITEMS:
        raise TooLarge(f"{len(items)} in one request; send at most {MOST_ITEMS}")
