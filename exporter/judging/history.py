"""Past verdicts of a judge version on anchors and in production → its current measures. Knows no store and no gauge."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from ..judge.evidence import ENOUGH_ASKED, AskedAnchor, EvidenceWindow, JudgeEvidence, evidence, kind_due, window
from ..judge.intervals import gap
from ..judge.intervals import moved as is_change
from ..records.judge import AnchorVerdicts, LiveTraffic, LiveVerdict

_LATEST: Final = 200
"""The last verdicts, that are held against those before them: did production move?"""
_SURELY: Final = 0.999


def moved(traffic: LiveTraffic) -> bool:
    """Whether the pass rate of the latest verdicts in production differs significantly from the one before."""
    rates = [float(one.verdict == "pass") for one in traffic.recent]
    return is_change(gap(rates[-_LATEST:], rates[:-_LATEST], _SURELY))


class KnownJudge(Struct, frozen=True):
    """The measures of a judge now, from the anchors, and the window that they cover."""

    window: EvidenceWindow
    evidence: JudgeEvidence


def known(
    said: Mapping[str, AnchorVerdicts], traffic: LiveTraffic, now: float, *, all_count: bool = False
) -> KnownJudge:
    """What is known of a judge now from the anchors that were ``said``.

    ``all_count``: each anchor's last verdict, however old, as for a version that was asked about all at once.
    """
    judged = [one for one in said.values() if one.first.judge is not None and one.last.judge is not None]
    kinds = [[one.at for one in judged if one.first.human == human] for human in ("pass", "fail")]
    over = window(traffic.hours, kinds, now)
    fresh = [one.at for one in judged if one.at >= over.since]
    weights = dict(zip(fresh, over.weights(fresh), strict=True))
    if all_count or not any(weights.values()):
        weights = dict.fromkeys([one.at for one in judged if all_count or one.at >= over.since], 1.0)
    return KnownJudge(over, evidence(_asked(one, weights.get(one.at)) for one in judged))


def _asked(one: AnchorVerdicts, weight: float | None) -> AskedAnchor:
    first, again = one.first.judge or "fail", None if weight is None else one.last.judge
    return AskedAnchor(human=one.first.human, first=first, again=again, weight=weight or 0.0)


def next_of(said: Mapping[str, AnchorVerdicts]) -> str:
    """The anchor to ask again now: of the kind that is due, the one whose last verdict is oldest."""
    lately = [one.first.human for one in sorted(said.values(), key=lambda one: one.at) if one.at][-ENOUGH_ASKED:]
    labels = [one.first.human for one in said.values()]
    due = kind_due({"pass": labels.count("pass"), "fail": labels.count("fail")}, lately)
    return min(said, key=lambda key: (said[key].first.human != due, said[key].at, key))


def passed(some: Iterable[LiveVerdict]) -> tuple[int, int]:
    """(passed, judged) of some verdicts."""
    verdicts = [one.verdict for one in some]
    return verdicts.count("pass"), len(verdicts)
