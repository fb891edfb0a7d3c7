"""One scored trace → its JSON document (store, HTTP, ``replay``); decides where text may be included."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from ..judge.case import Case
from ..model.score import Evaluation, Failure, Outcome, Sample, Unscored, Verdict
from ..model.trace import ContentState, Trace
from ..records.traces import FORGOTTEN, NO_ANSWER
from ..redaction import WITHHELD

_KIND_OF_ERROR: Final = re.compile(r"[A-Za-z_][\w.]{0,127}(?=:|\Z)", re.ASCII)
FAILED_CALL: Final = "\nerror\n"
"""The mark of a request whose answering call failed."""
_QUOTE: Final = re.compile(r'(?:\A|: |; )"(.*?)"(?=; "|\Z)', re.DOTALL)
_LATE_FIELDS: Final = ("conversation_id", "user")
_SAID: Final = ("comment", "edited_text")
_MOST_EVALUATIONS: Final = 1_000
"""Of one document, before those that were made elsewhere are no longer added."""
_encoder: Final = msgspec.json.Encoder()
Redact = Callable[[Any], Any]
"""Text, or lists and mappings with text in them → the same as it may be stored."""


class _Source(Struct, gc=False):
    id: str | None
    text: str | None
    score: float | None


class _Call(Struct, gc=False):
    name: str
    arguments: Any


class _Tokens(Struct, gc=False):
    input: int | None
    output: int | None


class _Evaluation(Struct, gc=False):
    evaluator: str
    evaluator_version: str
    verdict: Verdict
    score: float
    sample: Sample
    explanation: str


class _Verdict(Struct, gc=False):
    evaluator: str
    verdict: Verdict
    sample: Sample


class _Signal(Struct, gc=False):
    signal: str


class _Marked(Struct, gc=False):
    content_state: ContentState
    evaluations: list[_Verdict]
    feedback: list[_Signal]


_marked: Final = msgspec.json.Decoder(_Marked)


class _Document(Struct, gc=False):
    """The fields of a document, in the order in which they are written."""

    trace_id: str
    app: str
    route: str
    model_version: str
    prompt_version: str
    provider: str | None
    conversation_id: str | None
    user: str | None
    content_state: ContentState
    question: str | None
    answer: str | None
    refusal: str | None
    context: list[_Source]
    tool_calls: list[_Call]
    finish_reason: str | None
    tokens: _Tokens
    duration_seconds: float | None
    dialect: str
    error: str | None
    evaluations: list[_Evaluation]
    unscored: tuple[Unscored, ...]
    failures: tuple[Failure, ...]
    feedback: tuple[()] = ()


def document(trace: Trace, outcome: Outcome, *, content: bool, redact: Redact = lambda value: value) -> dict[str, Any]:
    """Everything that is known of a trace; without ``content``, no text of users, models, tools or documents."""
    texts = redact(_texts(trace, outcome)) if content else _without_texts(trace, outcome)
    found: dict[str, Any] = msgspec.to_builtins(_document(trace, outcome, texts))
    return found


def encoded(trace: Trace, outcome: Outcome, *, content: bool, redact: Redact) -> bytes:
    """The document as it is stored."""
    texts = redact(_texts(trace, outcome)) if content else _without_texts(trace, outcome)
    return _encoder.encode(_document(trace, outcome, texts))


def _document(trace: Trace, outcome: Outcome, texts: list[Any]) -> _Document:
    """Takes the texts in the order in which they are written."""
    text = iter(texts)
    return _Document(
        trace.trace_id,
        trace.app,
        trace.route,
        trace.model_version,
        trace.prompt_version,
        trace.provider,
        trace.conversation_id,
        trace.user,
        trace.content_state,
        next(text),
        next(text),
        next(text),
        [_Source(one.id, next(text), one.score) for one in trace.context],
        [_Call(one.name, next(text)) for one in trace.tool_calls],
        trace.finish_reason,
        _Tokens(trace.input_tokens, trace.output_tokens),
        trace.duration_seconds,
        trace.dialect,
        _kind(trace.error) if (error := next(text)) == WITHHELD else error,
        [
            _Evaluation(
                one.evaluator,
                one.evaluator_version,
                one.verdict,
                one.score,
                one.sample,
                _with_quotes(one.explanation, next(text)),
            )
            for one in outcome.evaluations
        ],
        outcome.unscored,
        outcome.failures,
    )


def _texts(trace: Trace, outcome: Outcome) -> list[Any]:
    """All text of a trace, to be redacted together: question, answer, refusal, documents, arguments of tools, error and
    what explanations quote; words of ours are no text.
    """
    return [
        trace.question,
        trace.answer,
        trace.refusal,
        *[one.text for one in trace.context],
        *[one.arguments for one in trace.tool_calls],
        trace.error,
        *[one.quotes for one in outcome.evaluations],
    ]


def _without_texts(trace: Trace, outcome: Outcome) -> list[Any]:
    nothing = [None] * (3 + len(trace.context) + len(trace.tool_calls))
    return [*nothing, _kind(trace.error), *[()] * len(outcome.evaluations)]


def explained(evaluation: Evaluation, *, content: bool) -> str:
    """The explanation, with the quotes from the trace after it where content may be shown."""
    return _with_quotes(evaluation.explanation, evaluation.quotes if content else ())


def _with_quotes(explanation: str, quoted: Sequence[str]) -> str:
    if not quoted:
        return explanation
    quotes = '"; "'.join(map(str, quoted))
    return f'{explanation}: "{quotes}"' if explanation else f'"{quotes}"'


def quotes_in(explanation: str) -> tuple[str, ...]:
    """The quotes that ``explained`` put behind an explanation."""
    return tuple(_QUOTE.findall(explanation))


def with_late_fields(stored: bytes, trace: Trace) -> bytes | None:
    """The stored document with what late parts told of who asked; None where it knew that already."""
    known = msgspec.json.decode(stored)
    late = {name: getattr(trace, name) for name in _LATE_FIELDS if not known.get(name) and getattr(trace, name)}
    return msgspec.json.encode(known | late) if late else None


def asker(stored: bytes) -> tuple[str | None, str | None]:
    """Conversation and user of a stored document."""
    known = msgspec.json.decode(stored)
    return known["conversation_id"], known["user"]


def judged(stored: bytes, evaluation: Evaluation, case: Case | None) -> bytes:
    """The stored document with a later verdict; with the judged text, where a case is given."""
    known = msgspec.json.decode(stored)
    if case is not None and known["question"] is None and known["answer"] is None and not has_expired(known):
        known |= {"question": case.question, "answer": case.answer}
        for shown, text in zip(known["context"], case.context, strict=False):
            shown["text"] = text
    known["evaluations"].append(_evaluated(evaluation, known))
    return msgspec.json.encode(known)


def told_later(stored: bytes, evaluations: Sequence[Evaluation]) -> bytes:
    """The stored document with later evaluations by other systems, as far as there is room for them."""
    known = msgspec.json.decode(stored)
    room = max(0, _MOST_EVALUATIONS - len(known["evaluations"]))
    known["evaluations"] += [_evaluated(one, known) for one in evaluations[:room]]
    return msgspec.json.encode(known)


def _evaluated(one: Evaluation, known: dict[str, Any]) -> _Evaluation:
    shown = explained(one, content=known["answer"] is not None)
    return _Evaluation(one.evaluator, one.evaluator_version, one.verdict, one.score, one.sample, shown)


def without_text(stored: bytes) -> bytes | None:
    """The stored document when its text has expired; None where there is none in it."""
    known = msgspec.json.decode(stored)
    shown = known["context"], known["tool_calls"], known["evaluations"], known["feedback"]
    blank = {
        **dict.fromkeys(("question", "answer", "refusal")),
        "context": [one | {"text": None} for one in shown[0]],
        "tool_calls": [one | {"arguments": None} for one in shown[1]],
        "error": _kind(known["error"]),
        "evaluations": [one | {"explanation": _without_quotes(one["explanation"])} for one in shown[2]],
        "feedback": [{name: said for name, said in one.items() if name not in _SAID} for one in shown[3]],
    }
    if all(known[name] == value for name, value in blank.items()):
        return None
    return msgspec.json.encode(known | blank | {"content_expired": True})


def has_expired(known: dict[str, Any]) -> bool:
    """Whether text was taken out of a document because of its age; none may come in any more."""
    return "content_expired" in known


def with_failure(stored: bytes, failure: Failure) -> bytes:
    """The stored document with an evaluation that failed later."""
    known = msgspec.json.decode(stored)
    known["failures"].append(msgspec.to_builtins(failure))
    return msgspec.json.encode(known)


def with_unscored(stored: bytes, unscored: Unscored) -> bytes:
    """The stored document with an evaluation that will not be made."""
    known = msgspec.json.decode(stored)
    known["unscored"].append({"evaluator": unscored.evaluator, "reason": unscored.reason})
    return msgspec.json.encode(known)


def marks(stored: bytes) -> str:
    """What an answer is searched by: who failed it, what its users signalled, and whether the call failed.

    Between line feeds, so that one mark is found with those around it; "" where there is nothing of the kind.
    """
    if not stored or stored == FORGOTTEN:
        return NO_ANSWER
    known = _marked.decode(stored)
    said = [signalled(one.signal) for one in known.feedback]
    return _side_by_side([*_failed(known.evaluations), *said, *_failed_call(known.content_state)])


def marks_of(trace: Trace, outcome: Outcome) -> str:
    """The marks of an answer of which its users have said nothing yet, without reading its document."""
    return _side_by_side([*_failed(outcome.evaluations), *_failed_call(trace.content_state)])


def _failed_call(state: ContentState) -> list[str]:
    return [FAILED_CALL] if state == "error" else []


def _failed(evaluations: Iterable[_Verdict | Evaluation]) -> list[str]:
    return [failed_by(one.evaluator) for one in evaluations if one.verdict == "fail" and one.sample != "shadow"]


def _side_by_side(marks: list[str]) -> str:
    return "".join(dict.fromkeys(marks)).replace("\n\n", "\n")


def failed_by(evaluator: str = "") -> str:
    """The mark of an answer that an evaluator failed; "" begins those of all evaluators."""
    return f"\nfail {evaluator}\n" if evaluator else "\nfail "


def signalled(signal: str) -> str:
    """The search mark of an answer with this user signal."""
    return f"\nsignal {signal}\n"


def _without_quotes(explanation: str) -> str:
    """An explanation in words of ours alone: quotes come last."""
    return explanation.partition('"')[0].removesuffix(": ")


def _kind(error: str | None) -> str | None:
    """An error without its message, which may quote what was asked or answered."""
    if not error:
        return error
    kind = _KIND_OF_ERROR.match(error)
    return kind[0] if kind else "error"
