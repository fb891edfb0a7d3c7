"""Which failures have no near neighbour among the questions of an app's suites. Pure and bounded; keeps no text."""

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from ..offline.likeness import Neighbours, Signature
from ..offline.result import MOST_SIGNATURES
from ..records.suites import Gap, Suite

MOST_SUITES: Final = 20
"""Suites whose questions are kept; beyond it the one of the earliest run goes."""
MOST_GAPS: Final = 1000
"""Groups of failures that no suite covers; beyond it the one that was seen least recently goes."""


class SuiteCoverage:
    """The questions of every app's suites, and the groups of failures that none of them covers ("gaps")."""

    def __init__(self) -> None:
        self.suites: dict[tuple[str, str], Suite] = {}
        self.gaps: dict[bytes, Gap] = {}
        self._questions: dict[str, Neighbours] = {}
        self._open: dict[str, Neighbours] = {}

    def __bool__(self) -> bool:
        return bool(self.suites)

    def merged(self, new: Suite) -> Suite | None:
        """The suite to store after new results: the same run is extended; None where a newer run is stored."""
        known = self.suites.get(new.key)
        if known is None or (new.timestamp, new.run_id) > (known.timestamp, known.run_id):
            return new if known is None or new.run_id != known.run_id else _joined(known, new)
        return _joined(known, new) if new.run_id == known.run_id else None

    def learn(self, suite: Suite) -> list[Suite]:
        """Replace a suite's questions; returns the suites that were evicted for it, which may include this one."""
        self.suites[suite.key] = suite
        gone: list[Suite] = []
        while len(self.suites) > MOST_SUITES:
            oldest = min(self.suites.values(), key=lambda one: one.timestamp)
            gone.append(self.suites.pop(oldest.key))
        for app in {suite.app, *(one.app for one in gone)}:
            self._questions[app] = Neighbours(
                signature for one in self.suites.values() if one.app == app for signature in one.signatures
            )
        return gone

    def compares(self, app: str) -> bool:
        """Whether any suite of the app has sent its questions."""
        return bool(self._questions.get(app))

    def covers(self, app: str, question: Signature) -> bool:
        """Whether a suite of the app has a question near this one."""
        return app in self._questions and self._questions[app].near(question) is not None

    def grown(self, app: str, route: str, question: Signature, trace_id: bytes, at: float) -> Gap:
        """The gap that a failure belongs to, with this failure added."""
        near = self._open[app].near(question) if app in self._open else None
        if near is None:
            return Gap(app, route, question, trace_id, trace_id, at, at)
        known = self.gaps[app.encode() + b"\x00" + near]
        return replace(known, route=route, trace_id=trace_id, last_seen=at, failures=known.failures + 1)

    def note(self, gap: Gap) -> list[Gap]:
        """Store a gap; returns those that were evicted for it."""
        self.gaps.pop(gap.key, None)
        self.gaps[gap.key] = gap
        self._open.setdefault(gap.app, Neighbours()).add(gap.signature)
        gone = [self.gaps[key] for key in list(self.gaps)[: max(0, len(self.gaps) - MOST_GAPS)]]
        for one in gone:
            self.close(one)
        return gone

    def close(self, gap: Gap) -> None:
        """Delete a gap."""
        del self.gaps[gap.key]
        self._open[gap.app].remove(gap.signature)

    def closed_by(self, app: str) -> Iterator[Gap]:
        """The gaps that the suites of an app cover by now."""
        yield from (one for one in self.gaps.values() if one.app == app and self.covers(app, one.signature))


def _joined(known: Suite, new: Suite) -> Suite:
    every = tuple(dict.fromkeys((*known.signatures, *new.signatures)))[:MOST_SIGNATURES]
    return replace(new, signatures=every)
