"""What a reviewer is shown: question, answer, context, scores. All text of an item passes through here.

Knows documents of traces; no store and no reviewer.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..judge.case import Case
from ..model.trace import Trace
from ..recording.trace_document import quotes_in
from ..records.review import Evidence, RetrievedDocument, ScoredBy

Redact = Callable[[str], str]
MOST_BYTES: Final = 8 << 20
"""A larger case is not queued: nobody reads it."""


def gather(document: Mapping[str, Any], text: Trace | Case | None, redact: Redact) -> Evidence | None:
    """The evidence in a trace's document; ``text`` has the words where the document does not. None without any."""
    question, answer = document["question"], document["answer"] or document["refusal"]
    context = [(one["id"], one["text"]) for one in document["context"]]
    if question is None and answer is None and text is not None:
        question, answer = text.question, _answer(text)
        context = list(_sources(text, [name for name, _ in context]))
    if question is None and answer is None:
        return None
    return Evidence(
        question=redact(question or ""),
        answer=redact(answer or ""),
        context=tuple(RetrievedDocument(id=name, text=redact(words or "")) for name, words in context),
        tools=tuple(call["name"] for call in document["tool_calls"]),
        finish_reason=document["finish_reason"],
        conversation_id=document["conversation_id"],
        **said(document, redact),
    )


def said(document: Mapping[str, Any], redact: Redact) -> dict[str, Any]:
    """What was said of the trace, as fields of Evidence; late scores change them."""
    return {
        "evaluations": tuple(_scored(one, redact) for one in document["evaluations"]),
        "signals": tuple(dict.fromkeys(one["signal"] for one in document["feedback"])),
        "comments": tuple(redact(one["comment"]) for one in document["feedback"] if one.get("comment")),
    }


def _scored(one: Mapping[str, Any], redact: Redact) -> ScoredBy:
    quotes = tuple(redact(quote) for quote in quotes_in(one["explanation"]))
    fields = {name: one[name] for name in ("evaluator", "evaluator_version", "verdict", "score", "sample")}
    return ScoredBy(**fields, explanation=redact(one["explanation"]), quotes=quotes)


def _answer(text: Trace | Case) -> str | None:
    return text.answer or (text.refusal if isinstance(text, Trace) else None)


def _sources(text: Trace | Case, names: list[str | None]) -> list[tuple[str | None, str]]:
    if isinstance(text, Trace):
        return [(one.id, one.text) for one in text.context]
    return [(names[number] if number < len(names) else None, words) for number, words in enumerate(text.context)]
