"""What a result file of any tool holds: verdicts counted by evaluator and version, and the questions. Knows no tool."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from ...runtime import mismatch

_T = TypeVar("_T")

QUESTION_FIELDS: Final = ("question", "input", "query", "user_input", "prompt")
"""What tools and people call the question of a case, the best name first."""


class NotReadableError(ValueError):
    """A file that a reader cannot use; the message says where and what to do, and holds nothing of a case's text."""


def converted(document: Any, form: type[_T], tool: str) -> _T:
    """The document as what a tool writes; raises NotReadableError."""
    try:
        return msgspec.convert(document, form)
    except msgspec.ValidationError:
        raise NotReadableError(f"not a result file of {tool}: {mismatch.of_value(document, form)}") from None


class Marks(Struct, frozen=True):
    """From which value on a score passes, where a tool gives no verdict: ``default``, or that of a ``named`` score.

    A score that is not named must be within 0 to 1, since of another nobody knows the scale.
    """

    default: float = 0.5
    named: Mapping[str, float] = {}

    def passes(self, name: str, value: float) -> bool | None:
        """Whether a score passes; None where that is not known."""
        if name in self.named:
            return value >= self.named[name]
        return value >= self.default if 0.0 <= value <= 1.0 else None

    def written(self, name: str) -> str:
        """The mark of a score, as a version names it."""
        return f">={self.named.get(name, self.default):g}"


class RunCounts(Struct, frozen=True, kw_only=True):
    """What one evaluator said of one model and prompt: cases with a verdict, and the mean of those with a score.

    ``model`` and ``prompt`` are "" where the file does not tell them.
    """

    evaluator: str
    evaluator_version: str
    model: str
    prompt: str
    cases: int
    passed: int
    mean_score: float | None


class SuiteRun(Struct, frozen=True, kw_only=True):
    """One run of a suite; where a file does not tell them, ``run_id`` and ``suite`` are "", ``ended_at`` is None."""

    tool: str
    counted: tuple[RunCounts, ...]
    questions: tuple[str, ...] = ()
    run_id: str = ""
    suite: str = ""
    ended_at: float | None = None


class RunTally:
    """Counts verdicts by (evaluator, its version, model, prompt)."""

    def __init__(self) -> None:
        self._verdicts: dict[tuple[str, str, str, str], list[bool]] = {}
        self._scores: dict[tuple[str, str, str, str], list[float]] = {}

    def add(
        self, evaluator: str, version: str, *, passed: bool, score: float | None, model: str = "", prompt: str = ""
    ) -> None:
        """Count one case; a score that is not within 0 to 1 is left out of the mean."""
        key = (evaluator, version, model, prompt)
        self._verdicts.setdefault(key, []).append(passed)
        if score is not None and 0.0 <= score <= 1.0:
            self._scores.setdefault(key, []).append(score)

    def counted(self) -> tuple[RunCounts, ...]:
        """All that was counted."""
        return tuple(self._counted())

    def _counted(self) -> Iterator[RunCounts]:
        for key, verdicts in self._verdicts.items():
            evaluator, version, model, prompt = key
            scores = self._scores.get(key, ())
            yield RunCounts(
                evaluator=evaluator,
                evaluator_version=version,
                model=model,
                prompt=prompt,
                cases=len(verdicts),
                passed=sum(verdicts),
                mean_score=sum(scores) / len(scores) if len(scores) == len(verdicts) else None,
            )
