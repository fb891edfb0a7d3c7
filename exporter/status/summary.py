"""Summarises the last answers: by application, which fields were captured; by evaluator, what was scored. No HTTP.

Counts answers instead of metrics: a newcomer wants the current state, also right after a restart.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from ..store.search import FoundAnswer

UNKNOWN: Final = frozenset({"", "unknown"})
_SENDING_TEXT: Final = {
    "openinference": "let OPENINFERENCE_HIDE_INPUTS and OPENINFERENCE_HIDE_OUTPUTS be false",
    "traceloop": "set TRACELOOP_TRACE_CONTENT=true",
    "vercel": "set recordInputs and recordOutputs in experimental_telemetry",
}
"""How an instrumentation is told to send text, by dialect."""
_SENDING_TEXT_OTEL: Final = (
    "set OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_AND_EVENT (older packages: true), or what your "
    "instrumentation calls it"
)


class _Tokens(Struct, gc=False):
    output: int | None


class _Said(Struct, gc=False):
    evaluator: str
    verdict: str
    sample: str


class _Left(Struct, gc=False):
    evaluator: str
    reason: str


class ReadAnswer(Struct, gc=False):
    """What the summary needs of a stored document, and when it was recorded (Unix seconds)."""

    app: str
    route: str
    model_version: str
    prompt_version: str
    conversation_id: str | None
    content_state: str
    context: list[Any]
    tokens: _Tokens
    dialect: str
    evaluations: list[_Said]
    unscored: list[_Left]
    failures: list[_Left]
    at: float = 0.0


class Captured(Struct, kw_only=True):
    """A field that answers may have: how many did, and what to do where it is missing."""

    what: str
    answers: int
    cure: str


class ApplicationSummary(Struct, kw_only=True):
    """One application: its number of recent answers, their instrumentations, and the fields that were captured."""

    app: str
    answers: int
    last_at: float
    instrumentations: list[str]
    captured: list[Captured]


class EvaluatorSummary(Struct, kw_only=True):
    """One evaluator: its verdicts on recent answers, the reasons where there were none, and its failures."""

    evaluator: str
    passed: int = 0
    failed: int = 0
    unscored: dict[str, int] = {}
    failures: dict[str, int] = {}


_reading: Final = msgspec.json.Decoder(ReadAnswer)


def read(row: FoundAnswer) -> ReadAnswer:
    """What the summary needs of a recorded answer."""
    found = _reading.decode(row.document)
    found.at = row.recorded_at
    return found


def sources(answers: Iterable[ReadAnswer]) -> list[ApplicationSummary]:
    """Each application, the busiest first."""
    apps: defaultdict[str, list[ReadAnswer]] = defaultdict(list)
    for one in answers:
        apps[one.app].append(one)
    found = [_source(app, some) for app, some in apps.items()]
    return sorted(found, key=lambda source: (-source.answers, source.app))


def _source(app: str, answers: Sequence[ReadAnswer]) -> ApplicationSummary:
    dialects = Counter(one.dialect for one in answers)
    return ApplicationSummary(
        app=app,
        answers=len(answers),
        last_at=max(one.at for one in answers),
        instrumentations=[name for name, _ in dialects.most_common()],
        captured=[
            Captured(what=what, answers=sum(map(has, answers)), cure=cure)
            for what, has, cure in (("text", _has_text, _sending_text(answers)), *_CHECKS)
        ],
    )


def _has_text(one: ReadAnswer) -> bool:
    return one.content_state != "not_captured"


def _sending_text(answers: Sequence[ReadAnswer]) -> str:
    silent = Counter(one.dialect for one in answers if not _has_text(one))
    return _SENDING_TEXT.get(max(silent, key=lambda name: silent[name], default=""), _SENDING_TEXT_OTEL)


_CHECKS: Final[tuple[tuple[str, Callable[[ReadAnswer], bool], str], ...]] = (
    (
        "documents",
        lambda one: bool(one.context),
        "trace the retriever, where there is one; without documents grounding and citation do not apply",
    ),
    ("route", lambda one: one.route not in UNKNOWN, "name the attribute that has it in attributes.route"),
    (
        "prompt version",
        lambda one: one.prompt_version not in UNKNOWN,
        "send one with each request, and name its attribute in attributes.prompt_version, so that roll-outs are seen",
    ),
    ("model version", lambda one: one.model_version not in UNKNOWN, "send gen_ai.response.model"),
    ("tokens", lambda one: one.tokens.output is not None, "send gen_ai.usage.output_tokens; without them no cost"),
    (
        "conversation",
        lambda one: one.conversation_id is not None,
        "name the attribute that has it in attributes.conversation; without it nothing is derived from what users do",
    ),
)


def scored(answers: Iterable[ReadAnswer]) -> list[EvaluatorSummary]:
    """Each evaluator that ran, by name."""
    found: dict[str, EvaluatorSummary] = {}

    def of(name: str) -> EvaluatorSummary:
        return found.setdefault(name, EvaluatorSummary(evaluator=name, unscored={}, failures={}))

    for one in answers:
        for said in one.evaluations:
            if said.sample == "shadow":
                continue
            if said.verdict == "pass":
                of(said.evaluator).passed += 1
            else:
                of(said.evaluator).failed += 1
        for left in one.unscored:
            _count(of(left.evaluator).unscored, left.reason)
        for failure in one.failures:
            _count(of(failure.evaluator).failures, failure.reason)
    return [found[name] for name in sorted(found)]


def _count(counts: dict[str, int], reason: str) -> None:
    counts[reason] = counts.get(reason, 0) + 1


def wrong(found: Sequence[ApplicationSummary], evaluators: Sequence[EvaluatorSummary]) -> list[str]:
    """Problems of a source, each with its cure; documents and conversations may be missing, not every app has them."""
    said = [
        f"{source.app}: {one.what} is missing in {source.answers - one.answers} of {source.answers} answers: {one.cure}"
        for source in found
        for one in source.captured
        if one.what in ("text", "prompt version", "route", "tokens") and one.answers < source.answers
    ]
    return said + [
        f"{one.evaluator} gave no verdict on {sum(one.failures.values())} answers: "
        f"{', '.join(sorted(one.failures))}; see /runbooks/LLMQualityScoringFailing"
        for one in evaluators
        if one.failures
    ]
