"""The body of a feedback request → Feedback; every error names its place and cure. Knows no trace and no store."""

import re
from hashlib import blake2b
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from ..decode.batch import DecodeError, TooLarge
from ..decode.interactions import TraceId, trace_id_of
from ..records.feedback import By, Feedback, Signal
from ..runtime import mismatch

MOST_ITEMS: Final = 1000
_MOST_ERRORS: Final = 100
LONGEST_ID: Final = 512
LONGEST_COMMENT: Final = 10_000
LONGEST_TEXT: Final = 100_000
"""Characters."""
_Id = Annotated[str, Meta(min_length=1, max_length=LONGEST_ID)]
_Comment = Annotated[str, Meta(max_length=LONGEST_COMMENT)]
_Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]


class ReadSignals(Struct):
    """A decoded request: the valid signals, and the errors of the others, by position."""

    items: list[Feedback]
    errors: list[tuple[int, str]]


class _Sent(Struct, forbid_unknown_fields=True, kw_only=True):
    signal: Signal
    trace_id: TraceId | None = None
    interaction_id: _Id | None = None
    app: _Id | None = None
    response_id: _Id | None = None
    conversation_id: _Id | None = None
    user: _Id | None = None
    id: _Id | None = None
    comment: _Comment | None = None
    edited_text: _Text | None = None


_TRACE_ID: Final = re.compile("(?!0+$)[0-9a-f]{32}")
_list = msgspec.json.Decoder(list[msgspec.Raw])
_sent = msgspec.json.Decoder(_Sent)


def read(body: bytes) -> ReadSignals:
    """Read one object or a list of them; raises DecodeError where that is not what was sent, TooLarge for too many."""
    raws, is_list = _raws(body)
    if len(raws) > MOST_ITEMS:
        raise TooLarge(f"{len(raws)} signals in one request; send at most {MOST_ITEMS}")
    found = ReadSignals([], [])
    for index, raw in enumerate(raws):
        place = f"$[{index}]" if is_list else "$"
        try:
            found.items.append(_feedback(_sent.decode(raw), place))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            told = len(found.errors) < _MOST_ERRORS
            found.errors.append((index, mismatch.of_json(raw, _Sent).at(place) if told else place))
        except DecodeError as error:
            found.errors.append((index, str(error)))
    return found


def plain_trace_id(text: str, place: str) -> str:
    """A trace id as other tools write it, a UUID or MLflow's tr-…, as 32 digits; raises DecodeError."""
    digits = text.removeprefix("tr-").replace("-", "").lower()
    if not _TRACE_ID.fullmatch(digits):
        raise DecodeError(f"{place}: expected 32 hexadecimal digits, not all zero, or a UUID")
    return digits


def told(errors: list[tuple[int, str]]) -> list[dict[str, int | str]]:
    """The errors as the reply lists them, the first hundred."""
    return [{"index": index, "error": message} for index, message in errors[:_MOST_ERRORS]]


def _raws(body: bytes) -> tuple[list[msgspec.Raw], bool]:
    if body.lstrip()[:1] == b"{":
        return [msgspec.Raw(body)], False
    try:
        return _list.decode(body), True
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise DecodeError("the body is not JSON of the right form; send one object or a list of objects") from None


def _feedback(sent: _Sent, place: str) -> Feedback:
    by, reference = _reference(sent, place)
    if sent.edited_text is not None and sent.signal != "edit":
        raise DecodeError(f'{place}.edited_text: goes with the signal "edit" alone; leave it out')
    return Feedback(
        signal=sent.signal,
        by=by,
        reference=reference,
        user=digest(sent.user) if sent.user else "",
        id=_digest(f"{by} {reference} {sent.id}", 16) if sent.id else b"",
        comment=sent.comment or None,
        edited_text=sent.edited_text,
    )


def digest(user: str) -> str:
    """The stored digest of a user's name."""
    return _digest(user).hex()


def _reference(sent: _Sent, place: str) -> tuple[By, str]:
    """The most exact of the ids that were sent."""
    if sent.app is not None and sent.interaction_id is None:
        raise DecodeError(f"{place}.app: goes with interaction_id alone; leave it out")
    if sent.trace_id is not None:
        return "trace", sent.trace_id.replace("-", "").lower()
    if sent.interaction_id is not None:
        return "trace", trace_id_of(sent.app or "", sent.interaction_id).hex()
    if sent.response_id is not None:
        return "response", sent.response_id
    if sent.conversation_id is not None:
        return "conversation", sent.conversation_id
    raise DecodeError(f"{place}: names no answer; give trace_id, interaction_id, response_id or conversation_id")


def _digest(text: str, size: int = 8) -> bytes:
    return blake2b(text.encode(), digest_size=size, person=b"llmq feedback").digest()
