"""What people have decided, with where it came from: for exports and tools. Knows no HTTP."""

from collections.abc import Iterator

from msgspec import Struct

from ..score import Verdict
from .evidence import Evidence
from .item import Item, Label
from .shelf import Shelf


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


def finished(shelf: Shelf) -> Iterator[Reviewed]:
    """Every case that people finished with a verdict or a corrected answer, the earliest first; raises StoreError.

    This is what exports read: over HTTP it is GET /api/review/reviewed, one JSON object a line. Near-duplicates were
    never queued, and a trace is there once.
    """
    for item in sorted(shelf.done.values(), key=lambda one: (one.done_at or 0.0, one.trace_id)):
        found = _reviewed(item, shelf.evidence(item.trace_id)) if item.labels else None
        if found is not None:
            yield found


def _reviewed(item: Item, evidence: Evidence | None) -> Reviewed | None:
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
