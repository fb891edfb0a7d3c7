"""A stored document → what is shown of an answer: a line in the list, or everything. Knows no store and no HTTP."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from ..recording.trace_document import has_expired, quotes_in
from ..store.search import COLUMNS, FoundAnswer
from .query import AnswerQuery

_BEGINNING: Final = 280
"""Characters of a text that the list shows."""


class _Said(Struct, gc=False):
    evaluator: str
    verdict: str
    sample: str


class _Signal(Struct, gc=False):
    signal: str
    comment: str | None = None


class _Read(Struct, gc=False):
    """The fields of a document that a filter and the list need."""

    question: str | None
    answer: str | None
    refusal: str | None
    error: str | None
    evaluations: list[_Said]
    feedback: list[_Signal]


class Line(Struct, kw_only=True, gc=False):
    """An answer in the list; ``at`` is ISO 8601. Texts are cut, None where none are stored."""

    trace_id: str
    at: str
    app: str
    route: str
    model_version: str
    prompt_version: str
    question: str | None
    answer: str | None
    error: str | None
    failed: list[str]
    passed: list[str]
    signals: list[str]


_reading: Final = msgspec.json.Decoder(_Read)


def line(row: FoundAnswer, wanted: AnswerQuery) -> Line | None:
    """The answer as the list shows it, None where it does not match the query."""
    read = _reading.decode(row.document)
    verdicts = [one for one in read.evaluations if one.sample != "shadow"]
    failed = list(dict.fromkeys(one.evaluator for one in verdicts if one.verdict == "fail"))
    passed = list(dict.fromkeys(one.evaluator for one in verdicts if one.verdict == "pass"))
    if not _fits(wanted, failed, passed) or not _says(wanted.text, read):
        return None
    return Line(
        trace_id=row.trace_id.hex(),
        at=written_time(row.recorded_at),
        app=row.app,
        route=row.route,
        model_version=row.model_version,
        prompt_version=row.prompt_version,
        question=_beginning(read.question),
        answer=_beginning(read.answer or read.refusal),
        error=_beginning(read.error),
        failed=failed,
        passed=passed,
        signals=list(dict.fromkeys(one.signal for one in read.feedback)),
    )


def _fits(wanted: AnswerQuery, failed: Sequence[str], passed: Sequence[str]) -> bool:
    asked = wanted.evaluators
    if wanted.verdict == "fail":
        return bool(failed) if not asked else any(one in failed for one in asked)
    if wanted.verdict == "pass":
        return bool(passed) and not failed if not asked else any(one in passed for one in asked)
    return not asked or any(one in failed or one in passed for one in asked)


def _says(text: str, read: _Read) -> bool:
    if not text:
        return True
    texts = (read.question, read.answer, read.refusal, *(one.comment for one in read.feedback))
    return any(text in one.lower() for one in texts if one)


def _beginning(text: str | None) -> str | None:
    return text if text is None or len(text) <= _BEGINNING else f"{text[:_BEGINNING]}…"


def written_time(at: float) -> str:
    """Unix seconds as ISO 8601, in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def whole(row: FoundAnswer) -> dict[str, Any]:
    """Everything that is stored of an answer; each evaluation with the passages it objects to."""
    known: dict[str, Any] = msgspec.json.decode(row.document)
    known["at"] = written_time(row.recorded_at)
    known["counted_in"] = {name: getattr(row, name) for name in COLUMNS}
    known["content_expired"] = has_expired(known)
    for one in known["evaluations"]:
        quotes = quotes_in(one["explanation"])
        one["quotes"] = quotes
        one["by_judge"] = one["sample"] != "all"
        if quotes:
            one["explanation"] = one["explanation"].partition('"')[0].removesuffix(": ")
    for one in known["feedback"]:
        one["at"] = written_time(one["at"])
    return known
