"""The body of an offline-results request ↔ OfflineResult, each error with its place and cure. Knows no store."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from ..decode.batch import DecodeError
from ..runtime import mismatch
from . import likeness

MOST_RESULTS: Final = 1000
"""Results in one request."""
MOST_SIGNATURES: Final = 2000
"""Questions of one suite that are compared with production's failures."""
_AHEAD: Final = 86_400.0
_MOST_ERRORS: Final = 20

_NAMED: Final = "a name of 1 to 128 characters, without control characters"
_Name = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$", description=_NAMED)]
_Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]


class OfflineResult(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What one evaluator said of one version on the cases of a suite, in one run.

    ``cases`` are those with a verdict. ``timestamp``: when the run ended, in Unix seconds or as RFC 3339.
    ``signatures`` stand for the questions of the suite (see ``likeness``); one result of a run is enough to bring them.
    """

    suite: _Name
    run_id: _Name
    evaluator: _Name
    evaluator_version: _Name
    app: _Name
    model_version: _Name = "unknown"
    prompt_version: _Name = "unknown"
    cases: _Count
    passed: Annotated[int, Meta(ge=0)]
    mean_score: Annotated[float, Meta(ge=0.0, le=1.0)] | None = None
    timestamp: float | datetime | None = None
    signatures: tuple[str, ...] = ()


_raws: Final = msgspec.json.Decoder(list[msgspec.Raw])
_result: Final = msgspec.json.Decoder(OfflineResult)


def decoded(body: bytes, received_at: float) -> tuple[OfflineResult, ...]:
    """The results of a request, one object or a list of them, all with a timestamp in Unix seconds.

    Raises DecodeError that names every place that is wrong: a run is taken whole or not at all.
    """
    is_list = body.lstrip()[:1] == b"["
    try:
        raws = _raws.decode(body) if is_list else [msgspec.Raw(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise DecodeError("$: not JSON; send one result or a list of them") from None
    if not raws or len(raws) > MOST_RESULTS:
        raise DecodeError(f"$: {len(raws)} results; send 1 to {MOST_RESULTS}")
    found: list[OfflineResult] = []
    errors: list[str] = []
    for index, raw in enumerate(raws):
        place = f"$[{index}]" if is_list else "$"
        try:
            found.append(_checked(_result.decode(raw), received_at))
        except _PlacedError as error:
            errors.append(f"{place}.{error.field}: {error}")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            told = len(errors) < _MOST_ERRORS
            errors.append(mismatch.of_json(raw, OfflineResult).at(place) if told else place)
    if errors:
        more = f"; and {len(errors) - _MOST_ERRORS} more" if len(errors) > _MOST_ERRORS else ""
        raise DecodeError("; ".join(errors[:_MOST_ERRORS]) + more)
    return tuple(found)


def encoded(results: tuple[OfflineResult, ...] | list[OfflineResult]) -> bytes:
    """A request's body."""
    return msgspec.json.encode(results)


class _PlacedError(ValueError):
    """What is wrong with one field."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def _checked(result: OfflineResult, received_at: float) -> OfflineResult:
    if result.passed > result.cases:
        raise _PlacedError("passed", f"{result.passed} of {result.cases} cases passed; count the cases with a verdict")
    if len(result.signatures) > MOST_SIGNATURES:
        raise _PlacedError("signatures", f"{len(result.signatures)} signatures; send at most {MOST_SIGNATURES}")
    for index, text in enumerate(result.signatures):
        try:
            likeness.read(text)
        except ValueError:
            raise _PlacedError(f"signatures[{index}]", "not a signature; send what llmq offline push makes") from None
    return msgspec.structs.replace(result, timestamp=_seconds(result.timestamp, received_at))


def _seconds(timestamp: float | datetime | None, received_at: float) -> float:
    if timestamp is None:
        return received_at
    if isinstance(timestamp, datetime):
        if timestamp.tzinfo is None:
            raise _PlacedError("timestamp", "no time zone; write it as 2026-01-31T12:00:00Z")
        timestamp = timestamp.timestamp()
    if not 0 < timestamp < received_at + _AHEAD:
        raise _PlacedError("timestamp", "not in the past; send when the run ended, in Unix seconds")
    return timestamp
