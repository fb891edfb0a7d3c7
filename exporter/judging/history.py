"""What a judge version said of anchors and of production → what is known of it now. Knows no store and no gauge."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from ..judge.evidence import Asked, Evidence, Stratum, Window, evidence, tells, window
from ..judge.intervals import gap
from ..judge.intervals import moved as is_change
from ..records.judge import AnchorVerdicts, LiveTraffic, LiveVerdict

_LATEST: Final = 200
"""The last verdicts, that are held against those before them: did production move?"""
_SURELY: Final = 0.999


def moved(traffic: LiveTraffic) -> bool:
    """Whether the pass rate of the last verdicts on production is surely another one than before them."""
    rates = [float(one.verdict == "pass") for one in traffic.recent]
    return is_change(gap(rates[-_LATEST:], rates[:-_LATEST], _SURELY))


class Known(Struct, frozen=True):
    """What the anchors say of a judge now, over which window; ``telling``: the keys, the most telling first."""

    window: Window
    evidence: Evidence
    telling: list[str]


def known(said: Mapping[str, AnchorVerdicts], traffic: LiveTraffic, now: float, *, all_count: bool = False) -> Known:
    """What is known of a judge now from the anchors that were ``said``.

    ``all_count``: each anchor's last verdict, however old, as for a version that was asked about all at once.
    """
    judged = {key: one for key, one in said.items() if one.first.judge is not None and one.last.judge is not None}
    over = window(traffic.hours, [one.at for one in judged.values()], now)
    fresh = [key for key, one in judged.items() if all_count or one.at >= over.since]
    weights = dict(zip(fresh, over.weights([judged[key].at for key in fresh]), strict=True))
    if not any(weights.values()) or all_count:
        weights = dict.fromkeys(fresh, 1.0)
    asked = {key: _asked(one, weights.get(key)) for key, one in judged.items()}
    return Known(over, evidence(asked.values()), _telling(asked, judged))


def _asked(one: AnchorVerdicts, weight: float | None) -> Asked:
    first = one.first.judge or "fail"
    return Asked(
        human=one.first.human, first=first, again=None if weight is None else one.last.judge, weight=weight or 0.0
    )


def _telling(asked: Mapping[str, Asked], said: Mapping[str, AnchorVerdicts]) -> list[str]:
    """The anchors in the order in which to ask them again: of the most telling kind, and there the oldest first."""
    gains: dict[Stratum, float] = tells(asked.values())
    return sorted(asked, key=lambda key: (-gains[asked[key].human, asked[key].first], said[key].at, key))


def passed(some: Iterable[LiveVerdict]) -> tuple[int, int]:
    """(passed, judged) of some verdicts."""
    verdicts = [one.verdict for one in some]
    return verdicts.count("pass"), len(verdicts)
