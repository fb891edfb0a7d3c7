"""The gate: whether a judge version may count, by the anchors, and which version is active. Knows verdicts only.

A new version is shadowed: it scores what the active one scores, and counts nowhere, until the gate admits it. Every
struct here is stored as JSON.
"""

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from ..model.score import Verdict
from .agreement import Agreement, Confusion, agreement
from .intervals import CONFIDENCE, Estimate, shifted
from .rubric import Rubric

MOST_SHOWN: Final = 10
MOST_REMEMBERED: Final = 20


Fallen = Literal["alert", "shadow"]


class GateLimits(Struct, frozen=True, kw_only=True):
    """What a version must reach: lower bounds of intervals, on enough cases. None: not asked for.

    ``margin`` is by how much its agreement may at most be below the acting version's, on the same anchors, at the lower
    bound; ``max_unanswered`` is the share of anchors on which it may fail to give a verdict. ``fallen`` says what
    becomes of an admitted version that is surely below them: an alert alone, or it is shadowed until it passes again.
    """

    min_cases: int = 50
    kappa: float | None = 0.4
    agreement: float | None = None
    margin: float | None = None
    max_unanswered: float = 0.1
    confidence: float = CONFIDENCE
    fallen: Fallen = "shadow"


class ScoredAnchor(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last verdict of a judge version on an anchor; ``judge`` is None where it was asked and gave none."""

    anchor: str
    key: str
    human: Verdict
    judge: Verdict | None = None
    score: float | None = None
    explanation: str = ""


class GateDecision(Struct, frozen=True, kw_only=True):
    """Open or shut, why it is shut, and the measures behind it; the worst disagreements first."""

    version: str
    open: bool
    reasons: tuple[str, ...]
    anchors: int
    unanswered: int
    agreement: Agreement
    against_acting: Estimate | None
    worst: tuple[ScoredAnchor, ...]


class Version(Struct, frozen=True, kw_only=True):
    """A judge version, with all that is needed to ask it again."""

    version: str
    model: str
    rubric: Rubric


class Standing(Struct, frozen=True):
    """The active version of an evaluator ("" for none), and all that were admitted, the newest last.

    ``fallen`` are versions that lost their place and have not passed the gate again.
    """

    acting: str = ""
    admitted: tuple[Version, ...] = ()
    fallen: tuple[str, ...] = ()

    def known(self, version: str) -> Version | None:
        """An admitted version by its name."""
        return next((one for one in self.admitted if one.version == version), None)


class Roles(Struct, frozen=True):
    """Which version's verdicts count (active), and which are only compared (shadow)."""

    acting: Version | None
    shadow: Version | None


def decide(
    version: str, scored: Sequence[ScoredAnchor], anchors: int, limits: GateLimits, acting: Sequence[ScoredAnchor] = ()
) -> GateDecision:
    """Judge a version by what it said of the anchor set, of which there are ``anchors``, each counted once.

    It decides nothing before every anchor was tried, so that nobody is admitted at a lucky moment. ``acting`` is what
    the acting version said of the same anchors.
    """
    answered = [one for one in scored if one.judge is not None]
    measured = agreement(Confusion.of((one.judge, one.human) for one in answered if one.judge), limits.confidence)
    unanswered = len(scored) - len(answered)
    difference = _against(answered, acting, limits.confidence)
    reasons = [
        *_evidence(len(scored), len(answered), anchors, limits),
        *_below("kappa", measured.kappa, limits.kappa),
        *_below("agreement", measured.agreement, limits.agreement),
        *_worse(difference, limits, bool(acting)),
    ]
    return GateDecision(
        version=version,
        open=not reasons,
        reasons=tuple(reasons),
        anchors=anchors,
        unanswered=unanswered,
        agreement=measured,
        against_acting=difference,
        worst=_worst(answered),
    )


def roles(standing: Standing, configured: Version) -> tuple[Standing, Roles]:
    """The active and the shadow version when ``configured`` is what the config pins.

    An admitted version becomes active at once, which is how one rolls back; any other is shadowed, and the previous
    active one stays active.
    """
    if known := standing.known(configured.version):
        return replace(standing, acting=known.version), Roles(known, None)
    return standing, Roles(standing.known(standing.acting), configured)


def fallen(found: Agreement, limits: GateLimits) -> tuple[str, ...]:
    """Why an admitted version is surely below the limits: the upper bounds of its intervals are; none: it is not."""
    measured = (("kappa", found.kappa, limits.kappa), ("agreement", found.agreement, limits.agreement))
    return tuple(
        f"{name} is {one.value:.2f}, at most {one.high:.2f}, and {least:.2f} is asked for"
        for name, one, least in measured
        if one is not None and least is not None and one.high < least
    )


def dismiss(standing: Standing) -> Standing:
    """Demote the active version; none is active until one is admitted."""
    admitted = tuple(one for one in standing.admitted if one.version != standing.acting)
    return Standing("", admitted, (*standing.fallen, standing.acting)[-MOST_REMEMBERED:])


def admit(standing: Standing, version: Version) -> Standing:
    """Make a version active; the oldest of too many admitted ones are forgotten."""
    others = tuple(one for one in standing.admitted if one.version != version.version)
    still = tuple(one for one in standing.fallen if one != version.version)
    return Standing(version.version, (*others, version)[-MOST_REMEMBERED:], still)


def _evidence(tried: int, answered: int, anchors: int, limits: GateLimits) -> list[str]:
    if tried < anchors:
        return [f"{tried} of {anchors} anchors have been scored: it is decided when all have"]
    found = []
    if answered < limits.min_cases:
        found.append(f"{answered} anchors with a verdict, and {limits.min_cases} are needed: label more cases")
    if tried and (tried - answered) / tried > limits.max_unanswered:
        share = f"{(tried - answered) / tried:.0%}, at most {limits.max_unanswered:.0%}"
        found.append(f"no verdict on {tried - answered} of {tried} anchors ({share})")
    return found


def _below(name: str, measured: Estimate | None, least: float | None) -> list[str]:
    if least is None:
        return []
    if measured is None:
        return [f"{name} cannot be told: the anchors need cases that people pass and cases that people fail"]
    if measured.low >= least:
        return []
    return [f"{name} is {measured.value:.2f}, at least {measured.low:.2f}, and {least:.2f} must be sure"]


def _worse(difference: Estimate | None, limits: GateLimits, compared: bool) -> list[str]:
    if limits.margin is None or not compared:
        return []
    if difference is None:
        return ["no anchor has a verdict of both this and the acting version"]
    if difference.low >= -limits.margin:
        return []
    found = f"{difference.value:+.2f}, at worst {difference.low:+.2f}"
    return [f"agreement minus the acting version's is {found}, and {-limits.margin:+.2f} must be sure"]


def _against(answered: Sequence[ScoredAnchor], acting: Sequence[ScoredAnchor], confidence: float) -> Estimate | None:
    """Agreement of this version minus the acting one's, on the anchors that both gave a verdict on."""
    right = {one.key: one.judge == one.human for one in acting if one.judge is not None}
    both = [((one.judge == one.human), right[one.key]) for one in answered if one.key in right]
    return shifted((float(ours) - float(theirs) for ours, theirs in both), confidence)


def _worst(answered: Sequence[ScoredAnchor]) -> tuple[ScoredAnchor, ...]:
    wrong = [one for one in answered if one.judge != one.human]
    return tuple(sorted(wrong, key=lambda one: (-_distance(one), one.anchor))[:MOST_SHOWN])


def _distance(one: ScoredAnchor) -> float:
    """How far a score is from the verdict that people gave."""
    score = one.score if one.score is not None else float(one.judge == "pass")
    return abs(score - float(one.human == "pass"))
