"""Verdicts of judge versions on anchors and on live traffic.

A job, a standing, a cursor and a confusion matrix are the judge package's own (``judge/``), and are stored as they are.
"""

from typing import Final

from msgspec import Struct

from ..judge.evidence import HOUR, LONGEST_HOURS
from ..judge.gate import ScoredAnchor
from ..model.score import Verdict

PERIOD: Final = 500
"""Verdicts on live traffic in a period: the reference is the first such, now is the last."""

Judge = tuple[str, str]
"""An evaluator and its version."""


class AnchorVerdicts(Struct, frozen=True):
    """First and last verdict of a judge version on an anchor; ``at``: time of the last (Unix seconds; 0: not known)."""

    first: ScoredAnchor
    last: ScoredAnchor
    at: float = 0.0


class LiveVerdict(Struct, frozen=True):
    """One verdict on live traffic: score, verdict, length of the answer, whether of the judge's own family."""

    score: float
    verdict: Verdict
    length: int
    own_family: bool | None


class LiveTraffic(Struct):
    """A judge version's verdicts on live traffic: its first period, its last, and (passed, judged) by hour."""

    reference: list[LiveVerdict] = []
    recent: list[LiveVerdict] = []
    hours: dict[int, tuple[int, int]] = {}

    def add(self, one: LiveVerdict, at: float) -> None:
        """Take one more verdict, given at ``at`` (Unix seconds)."""
        if len(self.reference) < PERIOD:
            self.reference.append(one)
        self.recent.append(one)
        if len(self.recent) >= 2 * PERIOD:
            del self.recent[:PERIOD]
        hour = int(at // HOUR)
        passed, judged = self.hours.get(hour, (0, 0))
        self.hours[hour] = passed + (one.verdict == "pass"), judged + 1
        self.hours = {known: counts for known, counts in self.hours.items() if known > hour - LONGEST_HOURS}

    def last(self) -> list[LiveVerdict]:
        """The last period."""
        return self.recent[-PERIOD:]
