"""Stops a judge after too many consecutive calls without a verdict, so that it costs nothing more. Knows no endpoint.

Calls count whether another model replied, the request was refused or the reply could not be parsed. This limit is the
judge's, apart from the attempts of each case. A stopped judge is probed with one case at growing intervals; a verdict,
or a reload of the config, resumes it.
"""

import logging
import random
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from .breaker import Backoff, Breaker
from .case import JudgeError

Judge = tuple[str, str]
"""An evaluator and its version."""

FAILURES: Final = 5
"""Calls in a row without a verdict, after which a judge is stopped."""
_BACKOFF: Final = Backoff(first=60.0, longest=3600.0, least=0.5)
_SOON: Final = 1.0
"""Seconds until a case is looked at again that waits for the outcome of others."""
_OF_THE_MODEL: Final = frozenset({"model", "fingerprint", "credentials", "not_found"})
"""Reasons that hold for every rubric that the model judges by."""

_log = logging.getLogger(__name__)


class _Record(Struct):
    """How a judge fares: ``proven`` says that it gave a verdict; ``under_way`` are calls without an end so far."""

    breaker: Breaker
    proven: bool = False
    under_way: int = 0
    last: JudgeError | None = None


class ErrorBudget:
    """Consecutive calls without a verdict, by judge. For one thread."""

    def __init__(
        self,
        *,
        now: Callable[[], float],
        chance: random.Random,
        failures: int = FAILURES,
        backoff: Backoff = _BACKOFF,
    ) -> None:
        self._now, self._chance, self._failures, self._backoff = now, chance, failures, backoff
        self._judges: dict[Judge, _Record] = {}

    def wait(self, judge: Judge) -> float:
        """Seconds until this judge may be called; at 0 a call begins, and its outcome must be reported.

        A judge that has given no verdict so far gets no more concurrent calls than may fail.
        """
        one = self._of(judge)
        if one.breaker.state != "closed":
            if not one.breaker.allow():
                return max(one.breaker.wait, _SOON)
        elif not one.proven and one.under_way + one.breaker.in_a_row >= self._failures:
            return _SOON
        one.under_way += 1
        return 0.0

    def succeeded(self, judge: Judge) -> None:
        """The call gave a verdict."""
        one = self._ended(judge)
        was_stopped = one.breaker.state == "half_open"
        one.breaker.succeeded()
        one.proven = True
        if was_stopped and one.breaker.state == "closed":
            _log.info("judge goes on: evaluator=%s version=%s", *judge)

    def failed(self, judge: Judge, error: JudgeError) -> None:
        """The call gave no verdict, and the endpoint as such is not to blame."""
        self._ended(judge)
        for other in [judge, *self._alike(judge)] if error.stop in _OF_THE_MODEL else [judge]:
            self._count(other, error)

    def abandoned(self, judge: Judge) -> None:
        """The call was not made after all, or its outcome is no evidence about the judge."""
        self._ended(judge).breaker.abandoned()

    def stopped(self, judge: Judge) -> JudgeError | None:
        """Why a judge is stopped; None while it is not."""
        one = self._judges.get(judge)
        return one.last if one is not None and one.breaker.state != "closed" else None

    def reset(self) -> None:
        """Resume every judge: the cause may be fixed."""
        self._judges.clear()

    def _of(self, judge: Judge) -> _Record:
        if judge not in self._judges:
            breaker = Breaker(now=self._now, chance=self._chance, failures=self._failures, backoff=self._backoff)
            self._judges[judge] = _Record(breaker)
        return self._judges[judge]

    def _ended(self, judge: Judge) -> _Record:
        one = self._of(judge)
        one.under_way = max(0, one.under_way - 1)
        return one

    def _alike(self, judge: Judge) -> list[Judge]:
        """The other judges that are the same model, as their versions say."""
        model = judge[1].rpartition("+")[0]
        return [one for one in self._judges if one != judge and one[1].rpartition("+")[0] == model]

    def _count(self, judge: Judge, error: JudgeError) -> None:
        one = self._of(judge)
        was_closed = one.breaker.state == "closed"
        one.breaker.failed()
        one.last = error
        if was_closed and one.breaker.state != "closed":
            what = "judge stopped: evaluator=%s version=%s reason=%s: %s: %s"
            _log.error(what, *judge, error.stop or error.reason, error, error.cure)
