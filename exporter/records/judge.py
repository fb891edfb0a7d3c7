"""What judge versions said of anchors and of live traffic.

A job, a standing, a cursor and a confusion matrix are the judge package's own (``judge/``), and are stored as they are.
"""

from typing import Final

from msgspec import Struct

from ..judge.gate import Scored
from ..model.score import Verdict

PERIOD: Final = 500
"""Verdicts on live traffic in a period: the reference is the first such, now is the last."""

Judge = tuple[str, str]
"""An evaluator and its version."""


class AnchorVerdicts(Struct, frozen=True):
    """What a judge version said of an anchor: first, and last."""

    first: Scored
    last: Scored


class LiveVerdict(Struct, frozen=True):
    """One verdict on live traffic: score, verdict, length of the answer, whether of the judge's own family."""

    score: float
    verdict: Verdict
    length: int
    own_family: bool | None


class LiveTraffic(Struct):
    """A judge version's verdicts on live traffic: its first period, and its last."""

    reference: list[LiveVerdict] = []
    recent: list[LiveVerdict] = []

    def add(self, one: LiveVerdict) -> None:
        """Take one more verdict."""
        if len(self.reference) < PERIOD:
            self.reference.append(one)
        self.recent.append(one)
        if len(self.recent) >= 2 * PERIOD:
            del self.recent[:PERIOD]

    def last(self) -> list[LiveVerdict]:
        """The last period."""
        return self.recent[-PERIOD:]
