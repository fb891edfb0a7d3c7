"""All measures of one judge version on the anchors. Knows anchors and verdicts; makes no calls."""

from collections.abc import Iterable

from msgspec import Struct

from .agreement import Agreement, Confusion, agreement
from .anchors import Anchor
from .bias import Labelled, Preference, choices, length_lift, length_preference, own_family, own_family_lift
from .case import Judgement
from .gate import ScoredAnchor
from .intervals import CONFIDENCE, Estimate


class Measures(Struct, frozen=True, kw_only=True):
    """Agreement with people, and biases relative to them; None where the anchors cannot tell."""

    agreement: Agreement
    length: Estimate | None
    pairs: Preference | None
    own_family: Estimate | None


def scored(anchor: Anchor, pass_mark: float, judgement: Judgement | None) -> ScoredAnchor:
    """What a judge said of an anchor; None is a judge that was asked and gave no verdict."""
    human = anchor.verdict(pass_mark)
    if judgement is None:
        return ScoredAnchor(anchor=anchor.id, key=anchor.key, human=human)
    return ScoredAnchor(
        anchor=anchor.id,
        key=anchor.key,
        human=human,
        judge=judgement.verdict,
        score=judgement.score,
        explanation=judgement.explanation,
    )


def measures(
    found: Iterable[tuple[Anchor, ScoredAnchor]],
    judge_model: str,
    confidence: float = CONFIDENCE,
    confusion: Confusion | None = None,
) -> Measures:
    """Measure a judge by its last verdict on each anchor; anchors without one are left out.

    ``confusion`` is what is known of its agreement now, where not all were asked of late.
    """
    cases = [_labelled(anchor, said, judge_model) for anchor, said in found]
    known = [case for case in cases if case is not None]
    return Measures(
        agreement=agreement(confusion or Confusion.of((case.judge, case.human) for case in known), confidence),
        length=length_lift(known, confidence),
        pairs=length_preference(choices(known), confidence),
        own_family=own_family_lift(known, confidence),
    )


def _labelled(anchor: Anchor, said: ScoredAnchor, judge_model: str) -> Labelled | None:
    if said.judge is None:
        return None
    return Labelled(
        judge=said.judge,
        human=said.human,
        length=len(anchor.answer),
        score=said.score or 0.0,
        question=anchor.question,
        own_family=own_family(judge_model, anchor.model),
    )
