"""The body of a request of the review API → Asked; every error names its place and cure. Knows no item."""

from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from ..decode.batch import DecodeError
from ..model.score import Verdict
from ..records.review import Answer
from ..runtime import mismatch

Action = Literal["claim", "release", "skip", "label", "send"]
_T = TypeVar("_T")
ACTIONS: Final[tuple[Action, ...]] = ("claim", "release", "skip", "label", "send")
_ODD: Final = r"\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
_NAMED: Final = "a name of 1 to 64 characters, without control characters"
_Reviewer = Annotated[str, Meta(min_length=1, max_length=64, pattern=rf"^(?=.*\S)[^{_ODD}]+\Z", description=_NAMED)]
_TraceId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z", description="32 lower-case hexadecimal digits")]
_Name = Annotated[str, Meta(min_length=1, max_length=64)]
_Note = Annotated[str, Meta(max_length=10_000)]
_Corrected = Annotated[str, Meta(max_length=200_000)]


class ReviewRequest(Struct, kw_only=True):
    """What a reviewer asks for, as it stands in the journal; ``outcome`` is written by the desk.

    ``token`` is the name of the bearer's token, "" where none is needed.
    """

    action: Action
    reviewer: str
    trace_id: str
    token: str = ""
    note: str = ""
    answers: tuple[Answer, ...] = ()
    corrected: str | None = None
    outcome: str = ""


class Wish(Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of a claim: the next item of any queue, or of one."""

    reviewer: _Reviewer
    reason: _Name | None = None


class _Step(Struct, forbid_unknown_fields=True, kw_only=True):
    reviewer: _Reviewer
    trace_id: _TraceId
    note: _Note = ""


class _Send(Struct, forbid_unknown_fields=True, kw_only=True):
    trace_id: _TraceId


class _Said(Struct, forbid_unknown_fields=True, kw_only=True):
    verdict: Verdict
    note: _Note = ""


class _Labels(Struct, forbid_unknown_fields=True, kw_only=True):
    reviewer: _Reviewer
    trace_id: _TraceId
    labels: Annotated[dict[_Name, _Said], Meta(max_length=64)] = {}
    corrected: _Corrected | None = None


def wish(body: bytes) -> Wish:
    """Decode a claim; raises DecodeError."""
    return _decoded(body, Wish)


def step(action: Action, body: bytes, token: str) -> ReviewRequest:
    """A release, a skip, a label, or a trace that somebody wants looked at; raises DecodeError."""
    if action == "send":
        return ReviewRequest(action=action, reviewer="", trace_id=_decoded(body, _Send).trace_id, token=token)
    if action == "label":
        return _label(_decoded(body, _Labels), token)
    sent = _decoded(body, _Step)
    return ReviewRequest(
        action=action, reviewer=sent.reviewer.strip(), trace_id=sent.trace_id, token=token, note=sent.note
    )


def again(body: bytes) -> ReviewRequest:
    """Decode a request from the journal."""
    return _decoded(body, ReviewRequest)


def _label(sent: _Labels, token: str) -> ReviewRequest:
    if not sent.labels and not sent.corrected:
        raise DecodeError("$: says nothing; give labels or a corrected answer, or skip the item")
    answers = tuple(Answer(evaluator=name, verdict=said.verdict, note=said.note) for name, said in sent.labels.items())
    return ReviewRequest(
        action="label",
        reviewer=sent.reviewer.strip(),
        trace_id=sent.trace_id,
        token=token,
        answers=answers,
        corrected=sent.corrected or None,
    )


def _decoded(body: bytes, form: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise DecodeError(mismatch.of_json(body, form).at("$")) from None
