"""One scored trace → its JSON document, in the store, over HTTP, from ``replay``; decides where text may stand."""

import re
from typing import Any, Final

import msgspec

from .judge.case import Case
from .score import Evaluation, Failure, Outcome, Unscored
from .trace import Document, ToolCall, Trace

_KIND_OF_ERROR: Final = re.compile(r"[A-Za-z_][\w.]{0,127}(?=:|\Z)", re.ASCII)
_QUOTE: Final = re.compile(r'(?:\A|: |; )"(.*?)"(?=; "|\Z)', re.DOTALL)
_LATE_FIELDS: Final = ("conversation_id", "user")


def document(trace: Trace, outcome: Outcome, *, content: bool) -> dict[str, Any]:
    """Everything that is known of a trace; without ``content``, no text of users, models, tools or documents.

    To be encoded: what is written as it stands is in it as it stands.
    """
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
        "question": trace.question if content else None,
        "answer": trace.answer if content else None,
        "refusal": trace.refusal if content else None,
        "context": trace.context if content else [_without_text(one) for one in trace.context],
        "tool_calls": [_tool_call(one, content) for one in trace.tool_calls],
        "finish_reason": trace.finish_reason,
        "tokens": {"input": trace.input_tokens, "output": trace.output_tokens},
        "duration_seconds": trace.duration_seconds,
        "dialect": trace.dialect,
        "error": trace.error if content else _kind(trace.error),
        "evaluations": [_evaluation(one, content) for one in outcome.evaluations],
        "unscored": outcome.unscored,
        "failures": outcome.failures,
        "feedback": [],
    }


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
    if case is not None and known["question"] is None and known["answer"] is None:
        known |= {"question": case.question, "answer": case.answer}
        for shown, text in zip(known["context"], case.context, strict=False):
            shown["text"] = text
    known["evaluations"].append(_evaluation(evaluation, known["answer"] is not None))
    return msgspec.json.encode(known)


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


def _without_text(one: Document) -> dict[str, Any]:
    return {"id": one.id, "text": None, "score": one.score}


def _tool_call(one: ToolCall, content: bool) -> dict[str, Any]:
    return {"name": one.name, "arguments": one.arguments if content else None}


def _evaluation(one: Evaluation, content: bool) -> dict[str, Any]:
    return {
        "evaluator": one.evaluator,
        "evaluator_version": one.evaluator_version,
        "verdict": one.verdict,
        "score": one.score,
        "sample": one.sample,
        "explanation": explained(one, content=content),
    }


def _kind(error: str | None) -> str | None:
    """An error without its message, which may quote what was asked or answered."""
    if not error:
        return error
    kind = _KIND_OF_ERROR.match(error)
    return kind[0] if kind else "error"
