"""Decided cases with their provenance: the lines of GET /api/review/reviewed. Knows no HTTP and no store."""

from typing import Any

from msgspec import Struct

from ..model.score import Verdict
from ..records.review import Evidence, Item, Label


class Reviewed(Struct, frozen=True, kw_only=True):
    """One case that people looked at: its text, what they say by evaluator, and its provenance.

    ``verdicts`` has the evaluators on which they agree, or most do; ``corrected`` is the last corrected answer.
    ``why`` has "control" for cases that were drawn by chance; the others were chosen because they are hard.
    """

    trace_id: str
    app: str
    route: str
    model_version: str
    prompt_version: str
    reason: str
    why: tuple[str, ...]
    created_at: float
    reviewed_at: float
    verdicts: dict[str, Verdict]
    disputed: tuple[str, ...]
    labels: tuple[Label, ...]
    corrected: str | None
    evidence: Evidence

    @property
    def good(self) -> str | None:
        """An answer that people found right: the corrected one, or the answer itself where all said is pass."""
        if self.corrected:
            return self.corrected
        is_settled = set(self.disputed) <= set(self.verdicts)
        passed = is_settled and set(self.verdicts.values()) == {"pass"}
        return self.evidence.answer if passed else None

    @property
    def bad(self) -> str | None:
        """The answer, where people failed it or corrected it."""
        is_failed = "fail" in self.verdicts.values() or bool(self.corrected)
        return self.evidence.answer or None if is_failed and self.evidence.answer != self.good else None

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the case is from, and who said what of it."""
        return {
            "source": "llmq review",
            "trace_id": self.trace_id,
            "app": self.app,
            "route": self.route,
            "model_version": self.model_version,
            "prompt_version": self.prompt_version,
            "reason": self.reason,
            "why": self.why,
            "verdicts": self.verdicts,
            "reviewers": sorted({label.reviewer for label in self.labels}),
            "reviewed_at": self.reviewed_at,
        }


def reviewed(item: Item, evidence: Evidence | None) -> Reviewed | None:
    """The case that an item is once it is done; None where people gave neither a verdict nor a corrected answer."""
    verdicts = item.verdicts()
    corrected = next((label.corrected for label in reversed(item.labels) if label.corrected), None)
    if evidence is None or not (verdicts or corrected):
        return None
    app, route, model_version, prompt_version = item.where
    return Reviewed(
        trace_id=item.trace_id,
        app=app,
        route=route,
        model_version=model_version,
        prompt_version=prompt_version,
        reason=item.reason,
        why=item.why,
        created_at=item.created_at,
        reviewed_at=item.done_at or 0.0,
        verdicts=verdicts,
        disputed=item.disputed,
        labels=item.labels,
        corrected=corrected,
        evidence=evidence,
    )
