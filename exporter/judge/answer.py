"""Classifies error responses of an endpoint: whether to retry, their cost, and whether case or judge is at fault."""

from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Final, NamedTuple

from msgspec import Struct

from ..model.stops import StopReason
from .case import Case, JudgeError, Usage
from .completion import billed
from .error_body import EndpointError, told
from .shown import HiddenTexts, shown

LONGEST_WAIT: Final = 3600.0
"""Seconds that an endpoint can ask to be left alone."""
_MAY_BE_BILLED: Final = frozenset({408, 499, 502, 504, 524})
"""Answers of a gateway that lost its upstream, which may have done the work."""
_PASSING: Final = frozenset({408, 425, 499})
_BUSY: Final = frozenset({429, 503, 529})
_CREDENTIALS: Final = frozenset({401, 402, 403, 407})
_NOT_FOUND: Final = frozenset({404, 405, 410})


class HttpAnswer(NamedTuple):
    """Status, headers and body of a response; the body is empty where it was too long."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Ending(Struct, frozen=True, kw_only=True):
    """What is needed to classify an error response: the maximum cost of the call, the case, and the secrets."""

    ceiling: Usage
    now: Callable[[], float]
    case: Case
    secrets: HiddenTexts


def error_of(answer: HttpAnswer, ending: Ending) -> JudgeError:
    """The JudgeError of an error response: whether, when and at what cost to retry, and what to fix."""
    said = told(answer.body)
    is_success = 200 <= answer.status < 300
    status = said.status or 500 if is_success else answer.status
    case = ending.case
    shows = shown(said.message, (case.question, case.answer, *case.context), ending.secrets)
    usage = ending.ceiling if is_success or answer.status in _MAY_BE_BILLED else billed(answer.body) or Usage()
    after = _after(answer.headers, ending.now())
    if status == 429 or (status in range(400, 600) and said.busy):
        message = f"the endpoint takes no more calls for now: {shows}" if shows else _NO_MORE
        return JudgeError("rate_limited", message, after=after, usage=usage)
    stop = _stop(status, said)
    if stop == "refused":
        return JudgeError("refused", _FILTERED, retry=False, usage=usage, stop=stop)
    message = "the endpoint's reply is not a completion" if is_success else f"the endpoint answered {answer.status}"
    message = f"{message}: {shows}" if shows else message
    suspect = stop is None and status not in _BUSY
    retry = stop != "request"
    return JudgeError("http_error", message, retry=retry, after=after, usage=usage, stop=stop, suspect=suspect)


_NO_MORE: Final = "the endpoint takes no more calls for now"
_FILTERED: Final = "the endpoint's content filter declined the case"


def _stop(status: int, said: EndpointError) -> StopReason | None:
    """Why the judge can give no verdict while every answer is like this one; None where the endpoint may recover."""
    if status in _CREDENTIALS:
        return "credentials"
    if status in _NOT_FOUND or 300 <= status < 400:
        return "not_found"
    if 400 <= status < 500 and status not in _PASSING:
        return said.kind or "request"
    return None


def _after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that an answer asks to wait, as a number or a date, 0 to an hour; None where it says neither."""
    try:
        if milliseconds := headers.get("retry-after-ms", "").strip():
            return _bounded(float(milliseconds) / 1000)
        text = headers.get("retry-after", "").strip()
        is_number = text[:1].isdecimal() and "," not in text
        return _bounded(float(text) if is_number else _date(text) - now)
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def _bounded(seconds: float) -> float | None:
    return min(max(seconds, 0.0), LONGEST_WAIT) if isfinite(seconds) or seconds > 0 else None


def _date(text: str) -> float:
    """Unix seconds of an HTTP date; one without a zone is of UTC."""
    date = parsedate_to_datetime(text)
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
