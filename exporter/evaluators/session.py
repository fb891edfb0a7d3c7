"""Evaluates a batch of traces, yielding to other work in between."""

from collections.abc import Iterator, Sequence
from math import inf
from time import perf_counter
from typing import Any

from ..model.score import Evaluation, Failure, Outcome, Unscored
from ..model.trace import Trace
from .bound import Bound
from .deadline import Deadline, OverdueError
from .foreign import Foreign

Plan = tuple[Bound | Unscored, ...]
"""For an app and a route: of each evaluator how it runs there, or that it does not."""


class Hearing:
    """A trace and the results of its evaluators so far."""

    __slots__ = ("durations", "foreign", "plan", "said", "trace")

    def __init__(self, trace: Trace, plan: Plan) -> None:
        self.trace = trace
        self.plan = plan
        self.said: dict[type, list[Any]] = {Evaluation: [], Unscored: [], Failure: []}
        self.durations: list[tuple[str, float]] = []
        self.foreign: list[Bound] = []

    def outcome(self) -> Outcome:
        """All results."""
        return Outcome(
            evaluations=tuple(self.said[Evaluation]),
            unscored=tuple(self.said[Unscored]),
            failures=tuple(self.said[Failure]),
            durations=tuple(self.durations),
        )


class Session:
    """Traces that are evaluated together. Running one evaluator over many traces keeps it in the CPU cache.

    First ``here``, with the deadline armed, then, where ``asks_elsewhere``, ``elsewhere``, then ``outcomes``. ``until``
    (of ``perf_counter``) is when ``here`` pauses.
    """

    def __init__(self, heard: Sequence[Hearing | Outcome], count: int, deadline: Deadline, foreign: Foreign) -> None:
        self.until = inf
        self._heard = heard
        self._hearings = [one for one in heard if isinstance(one, Hearing)]
        self._count = count
        self._deadline = deadline
        self._foreign = foreign

    def here(self) -> Iterator[None]:
        """Run the evaluators of this process; yields after one evaluator's run on one trace, if it is time."""
        for place in range(self._count if self._hearings else 0):
            ended = perf_counter()
            for hearing in self._hearings:
                bound = hearing.plan[place]
                if not isinstance(bound, Bound):
                    hearing.said[Unscored].append(bound)
                elif bound.is_foreign:
                    hearing.foreign.append(bound)
                else:
                    ended = self._ask(bound, hearing, ended)
                    if ended > self.until:
                        yield
                        ended = perf_counter()

    def _ask(self, bound: Bound, hearing: Hearing, began: float) -> float:
        deadline = self._deadline
        due = began + bound.timeout
        try:
            deadline.due = due
            said = bound.said(hearing.trace)
            deadline.due = inf
        except OverdueError:
            deadline.due = inf
            said = bound.interrupted
        ended = perf_counter()
        hearing.durations.append((bound.name, ended - began))
        if ended > due and said is not bound.interrupted:
            said = bound.late
        hearing.said[type(said)].append(said)
        return ended

    @property
    def asks_elsewhere(self) -> bool:
        """Whether evaluators of plugins are to be run."""
        return any(hearing.foreign for hearing in self._hearings)

    def elsewhere(self) -> None:
        """Run the evaluators of plugins, in their process; blocks until they are done, so best in a thread."""
        for hearing in self._hearings:
            if hearing.foreign:
                for bound, said, seconds in self._foreign.ask(hearing.trace, hearing.foreign):
                    hearing.durations.append((bound.name, seconds))
                    hearing.said[type(said)].append(said)

    def outcomes(self) -> list[Outcome]:
        """The outcome of each trace, in their order: exactly one result for each evaluator."""
        return [one.outcome() if isinstance(one, Hearing) else one for one in self._heard]
