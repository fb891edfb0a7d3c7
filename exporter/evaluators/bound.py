"""An evaluator with its options, and the conversion of its return values into results."""

from functools import partial
from typing import Any, get_args

from ..model.score import Evaluation, Failure, FailureReason, Score, Skipped, SkipReason, Unscored
from ..model.trace import Trace
from .deadline import OverdueError
from .registry import Evaluator
from .schema import BudgetError

Said = Evaluation | Unscored | Failure
"""What an evaluator says of a trace."""

_NUMBERS = (int, float)
_SKIP_REASONS = frozenset(get_args(SkipReason))


class Bound:
    """An evaluator with its options; its most frequent results are made once and reused.

    ``timeout`` is in seconds, ``rule`` the number of the one that gave the options. ``is_foreign``: a plugin's, which
    runs in a process of its own.
    """

    __slots__ = (
        "_before", "_function", "_plain", "interrupted", "is_foreign", "late", "name", "pass_mark",
        "rule", "timeout", "version",
    )  # fmt: skip

    def __init__(
        self, evaluator: Evaluator, pass_mark: float, timeout: float, options: dict[str, Any], version: str, rule: int
    ) -> None:
        self.name = evaluator.name
        self.version = version
        self.timeout = timeout
        self.is_foreign = evaluator.source != "built in"
        self.interrupted = self.failed("timeout", "interrupted")
        self.late = self.failed("timeout", "found out afterwards")
        self.pass_mark = pass_mark
        self.rule = rule
        self._function = partial(evaluator.function, **options) if options else evaluator.function
        self._plain: dict[bool | None, Said] = {
            None: Unscored(evaluator=evaluator.name, reason="not_applicable"),
            True: self._judged(1.0),
            False: self._judged(0.0),
        }
        self._before: tuple[Score | None, Said] = None, self._plain[None]

    def said(self, trace: Trace) -> Said:
        """The evaluator's result for a trace; raises only OverdueError and KeyboardInterrupt."""
        try:
            result = self._function(trace)
            if result is None or result is True or result is False:
                return self._plain[result]
            if isinstance(result, Skipped):
                return self._skipped(result.reason)
            return self._scored(result) if isinstance(result, Score) else self._judged(result)
        except (OverdueError, KeyboardInterrupt):
            raise
        except BudgetError:
            return self.failed("budget", "more work than the evaluator may do for one trace")
        except BaseException as error:  # noqa: BLE001 - SystemExit too: an evaluator must not end the exporter
            return self.failed("exception", type(error).__name__)

    def failed(self, reason: FailureReason, detail: str) -> Failure:
        """The evaluator's failure."""
        return Failure(evaluator=self.name, evaluator_version=self.version, reason=reason, detail=detail)

    def _scored(self, score: Score) -> Said:
        """Some evaluators have one Score for most traces."""
        before, said = self._before
        if score is not before:
            said = self._judged(score.value, score.passed, score.explanation, score.quotes)
            self._before = score, said
        return said

    def _skipped(self, reason: Any) -> Unscored | Failure:
        if reason not in _SKIP_REASONS:
            return self.failed("invalid_result", "skipped for a reason that does not exist")
        return Unscored(evaluator=self.name, reason=reason)

    def _judged(self, value: Any, passed: Any = None, explanation: Any = "", quotes: Any = ()) -> Evaluation | Failure:
        if isinstance(value, bool) or not isinstance(value, _NUMBERS):
            return self.failed("invalid_result", f"a {type(value).__name__}, not a number")
        if not 0 <= value <= 1:
            return self.failed("invalid_result", "outside 0..1")
        if not (isinstance(explanation, str) and isinstance(quotes, tuple)):
            return self.failed("invalid_result", "an explanation or quotes of the wrong type")
        good = value >= self.pass_mark if passed is None else passed
        return Evaluation(
            evaluator=self.name,
            evaluator_version=self.version,
            verdict="pass" if good else "fail",
            score=float(value),
            explanation=explanation,
            quotes=quotes,
        )
