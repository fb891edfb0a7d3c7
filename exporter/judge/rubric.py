"""Rubrics as data: instructions for the judge, its scale, the pass mark. Knows no file, no endpoint and no trace."""

from hashlib import sha256
from typing import Final

import msgspec
from msgspec import Struct

from ..model.score import Verdict
from .case import Case

FORM: Final = 1
"""Counts the wordings of ``prompt``: raised with each change there, so that another prompt is another version."""


class Level(Struct, frozen=True, kw_only=True):
    """One score that may be given, and what earns it."""

    score: int
    means: str


class Example(Struct, frozen=True, kw_only=True):
    """A case with the score that it deserves and why, shown to the judge."""

    question: str
    answer: str
    context: tuple[str, ...] = ()
    score: int
    explanation: str


class Lengths(Struct, frozen=True, kw_only=True):
    """Characters of a case that the judge is shown; of what is longer, the middle is left out, and the judge told."""

    question: int = 8_000
    answer: int = 16_000
    context: int = 48_000


class Rubric(Struct, frozen=True, kw_only=True):
    """Judging instructions and their scale; ``pass_score`` is the lowest score of the scale that passes."""

    name: str
    summary: str
    instructions: str
    scale: tuple[Level, ...]
    pass_score: int
    needs_context: bool = False
    examples: tuple[Example, ...] = ()
    max_characters: Lengths = Lengths()

    @property
    def lowest(self) -> int:
        """The lowest score of the scale."""
        return min(level.score for level in self.scale)

    @property
    def highest(self) -> int:
        """The highest score of the scale."""
        return max(level.score for level in self.scale)

    @property
    def pass_mark(self) -> float:
        """The lowest score that passes, in 0..1."""
        return self.share(self.pass_score)

    @property
    def hash(self) -> str:
        """Eight hexadecimal digits that change with everything the judge is told by this rubric."""
        told = msgspec.structs.replace(self, summary="")
        return sha256(msgspec.json.encode((FORM, told))).hexdigest()[:8]

    def version(self, model: str) -> str:
        """The ``evaluator_version`` of this rubric judged by a model: "<model>+<hash>"."""
        return f"{model}+{self.hash}"

    def applies_to(self, case: Case) -> bool:
        """Whether the case has what this rubric judges by."""
        return bool(case.context) or not self.needs_context

    def share(self, score: float) -> float:
        """A score of the scale as a number in 0..1, higher is better."""
        return (score - self.lowest) / (self.highest - self.lowest)

    def verdict(self, score: float) -> Verdict:
        """Whether a score of the scale passes."""
        return "pass" if score >= self.pass_score else "fail"


def problems(rubric: Rubric) -> list[tuple[str, str]]:
    """What contradicts itself in a rubric of the right shape, as (field, message with the cure)."""
    scores = [level.score for level in rubric.scale]
    found: list[tuple[str, str]] = []
    if len(set(scores)) < len(scores):
        found.append(("scale", "gives one score twice: keep one level for each"))
    if len(set(scores)) < 2:
        found.append(("scale", "needs at least two levels: one that fails and one that passes"))
    elif rubric.pass_score not in scores:
        found.append(("pass_score", f"{rubric.pass_score} is not on the scale: name one of {_listed(scores)}"))
    elif rubric.pass_score == min(scores):
        found.append(("pass_score", f"{rubric.pass_score} is the lowest score, so that nothing can fail: raise it"))
    for number, example in enumerate(rubric.examples):
        if example.score not in scores:
            found.append((f"examples.{number}", f"its score {example.score} is not on the scale ({_listed(scores)})"))
        if rubric.needs_context and not example.context:
            found.append((f"examples.{number}", "has no context, which this rubric needs: give it one"))
    return found


def _listed(scores: list[int]) -> str:
    return ", ".join(map(str, sorted(set(scores))))
