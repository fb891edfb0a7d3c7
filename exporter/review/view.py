"""What a reviewer may see of an item: blind to judge, other people and reason until they have labelled."""

from collections.abc import Mapping
from typing import Any

from msgspec import to_builtins

from ..config.settings import Ask, Reason, ReviewSettings
from ..records.review import Evidence, Item


def shown(item: Item, evidence: Evidence, settings: ReviewSettings, reviewer: str, now: float) -> dict[str, Any]:
    """The item as JSON for one reviewer; ``revealed`` is there once they have labelled."""
    claim = item.claim_of(reviewer, now)
    return {
        "trace_id": item.trace_id,
        "app": item.where[0],
        "route": item.where[1],
        "question": evidence.question,
        "answer": evidence.answer,
        "context": to_builtins(evidence.context),
        "tools": list(evidence.tools),
        "finish_reason": evidence.finish_reason,
        "unsupported": unsupported(evidence),
        "ask": [{"evaluator": one.evaluator, "question": one.question} for one in _questions(item, settings.ask)],
        "instructions": _instructions(item, settings),
        "annotators": item.annotators,
        "claim_seconds": max(0.0, claim.until - now) if claim else None,
        "revealed": revealed(item, evidence) if item.label_of(reviewer) else None,
    }


def unsupported(evidence: Evidence) -> list[str]:
    """The sentences of the answer that code does not find in the documents: marked for people, without a verdict."""
    quotes = (quote for one in evidence.evaluations if not one.is_of_judge for quote in one.quotes)
    return list(dict.fromkeys(quote for quote in quotes if quote and quote in evidence.answer))


def revealed(item: Item, evidence: Evidence) -> dict[str, Any]:
    """What was hidden: why the item is here, all scores, what users said, and what people said so far."""
    return {
        "reason": item.reason,
        "why": list(item.why),
        "model_version": item.where[2],
        "prompt_version": item.where[3],
        "evaluations": to_builtins(evidence.evaluations),
        "signals": list(evidence.signals),
        "comments": list(evidence.comments),
        "labels": to_builtins(item.labels),
        "disputed": list(item.disputed),
        "verdicts": item.verdicts(),
        "done": item.ended is not None,
    }


def _questions(item: Item, ask: tuple[Ask, ...]) -> list[Ask]:
    """The questions in the config's words of today."""
    known: Mapping[str, Ask] = {one.evaluator: one for one in ask}
    return [known.get(name) or Ask(evaluator=name, question=f"{name}?") for name in item.ask]


def _instructions(item: Item, settings: ReviewSettings) -> str:
    reason: Reason | None = next((one for one in settings.reasons if one.name == item.reason), None)
    return (reason.instructions if reason else "") or settings.instructions
