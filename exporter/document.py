"""One scored trace → its JSON document, in the store, over HTTP, from ``replay``; decides where text may stand."""

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from .judge.case import Case
from .score import Evaluation, Failure, Outcome, Unscored
from .trace import Trace

_KIND_OF_ERROR: Final = re.compile(r"[A-Za-z_][\w.]{0,127}(?=:|\Z)", re.ASCII)
_QUOTE: Final = re.compile(r'(?:\A|: |; )"(.*?)"(?=; "|\Z)', re.DOTALL)
_LATE_FIELDS: Final = ("conversation_id", "user")
_SAID: Final = ("comment", "edited_text")
_TEXTS: Final = ("question", "answer", "refusal", "error", "context", "arguments", "explanations")
Redact = Callable[[Any], Any]
"""Text, or lists and mappings with text in them → the same as it may be stored."""


def document(trace: Trace, outcome: Outcome, *, content: bool, redact: Redact = lambda value: value) -> dict[str, Any]:
    """Everything that is known of a trace; without ``content``, no text of users, models, tools or documents."""
    shown = _texts(trace, outcome, redact) if content else _without_texts(trace, outcome)
    return {
        "trace_id": trace.trace_id,
        "app": trace.app,
        "route": trace.route,
        "model_version": trace.model_version,
        "prompt_version": trace.prompt_version,
        "provider": trace.provider,
        "conversation_id": trace.conversation_id,
        "user": trace.user,
        "content_state": trace.content_state,
        "question": shown["question"],
        "answer": shown["answer"],
        "refusal": shown["refusal"],
        "context": [
            {"id": one.id, "text": text, "score": one.score}
            for one, text in zip(trace.context, shown["context"], strict=True)
        ],
        "tool_calls": [
            {"name": one.name, "arguments": arguments}
            for one, arguments in zip(trace.tool_calls, shown["arguments"], strict=True)
        ],
        "finish_reason": trace.finish_reason,
        "tokens": {"input": trace.input_tokens, "output": trace.output_tokens},
        "duration_seconds": trace.duration_seconds,
        "dialect": trace.dialect,
        "error": shown["error"],
        "evaluations": [
            _evaluation(one, explanation)
            for one, explanation in zip(outcome.evaluations, shown["explanations"], strict=True)
        ],
        "unscored": outcome.unscored,
        "failures": outcome.failures,
        "feedback": [],
    }


def _texts(trace: Trace, outcome: Outcome, redact: Redact) -> dict[str, Any]:
    """All text of a trace, redacted together: to see that nothing is to be redacted is one look, not twenty."""
    texts = (
        trace.question,
        trace.answer,
        trace.refusal,
        trace.error,
        [one.text for one in trace.context],
        [one.arguments for one in trace.tool_calls],
        [explained(one, content=True) for one in outcome.evaluations],
    )
    return dict(zip(_TEXTS, redact(texts), strict=True))  # names of ours are no text: a user's pattern may match them


def _without_texts(trace: Trace, outcome: Outcome) -> dict[str, Any]:
    lacking = [None] * len(trace.context), [None] * len(trace.tool_calls)
    known = (None, None, None, _kind(trace.error), *lacking, [one.explanation for one in outcome.evaluations])
    return dict(zip(_TEXTS, known, strict=True))


def explained(evaluation: Evaluation, *, content: bool) -> str:
    """The explanation, with the quotes from the trace after it where content may be shown."""
    if not content or not evaluation.quotes:
        return evaluation.explanation
    quotes = "; ".join(f'"{quote}"' for quote in evaluation.quotes)
    return f"{evaluation.explanation}: {quotes}" if evaluation.explanation else quotes


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
    """The stored document with a verdict that came later; with the text that was judged, where a case is given."""
    known = msgspec.json.decode(stored)
    if case is not None and known["question"] is None and known["answer"] is None and not has_expired(known):
        known |= {"question": case.question, "answer": case.answer}
        for shown, text in zip(known["context"], case.context, strict=False):
            shown["text"] = text
    shown = explained(evaluation, content=known["answer"] is not None)
    known["evaluations"].append(_evaluation(evaluation, shown))
    return msgspec.json.encode(known)


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


def _evaluation(one: Evaluation, explanation: str | None) -> dict[str, Any]:
    return {
        "evaluator": one.evaluator,
        "evaluator_version": one.evaluator_version,
        "verdict": one.verdict,
        "score": one.score,
        "sample": one.sample,
        "explanation": explanation,
    }


def _without_quotes(explanation: str) -> str:
    """An explanation in words of ours alone: quotes come last."""
    return explanation.partition('"')[0].removesuffix(": ")


def _kind(error: str | None) -> str | None:
    """An error without its message, which may quote what was asked or answered."""
    if not error:
        return error
    kind = _KIND_OF_ERROR.match(error)
    return kind[0] if kind else "error"
