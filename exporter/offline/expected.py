"""The evaluator ``expected`` of ``llmq eval``: does an answer agree with the right one, and no longer with a bad one?

By words and numbers, in any language: it is for regression tests that fail on the answer that people failed, and pass
once it is mended. What an answer means it does not know.
"""

import re
from typing import Final

from msgspec import Struct

from ..evaluators.words import FUNCTION_WORDS, STEM, plain
from ..model.score import Evaluation, Verdict

NAME: Final = "expected"
VERSION: Final = "1"
_PASS_MARK: Final = 0.5
"""The share of the right answer's words that an answer must have."""
_SAME: Final = 0.8
"""From this likeness on an answer is the one that people failed."""
_NUMBER: Final = re.compile(r"\d+(?:[.,:/]\d+)*")
_LONGEST: Final = 64 * 1024


class Wanted(Struct, frozen=True):
    """What a row of a suite says of its answers: the right one, and one that people failed."""

    expected: str | None = None
    rejected: str | None = None

    def __bool__(self) -> bool:
        return bool(self.expected or self.rejected)


def judged(answer: str, wanted: Wanted) -> Evaluation:
    """The verdict on an answer; its score is the share of the right answer's words and numbers that it has."""
    said = _Words.of(answer)
    rejected = _Words.of(wanted.rejected) if wanted.rejected else None
    is_bad = rejected is not None and said.likeness(rejected) >= _SAME
    if not wanted.expected:
        return _evaluation(float(not is_bad), "is the answer that people failed" if is_bad else _CHANGED)
    right = _Words.of(wanted.expected)
    if rejected is not None and said.likeness(rejected) > said.likeness(right):
        return _evaluation(0.0, "is more like the answer that people failed than like the right one")
    if missing := right.numbers - said.numbers:
        return _evaluation(0.0, f"{len(missing)} of {len(right.numbers)} numbers of the right answer are missing")
    share = said.share_of(right)
    return _evaluation(share, f"has {share:.0%} of the right answer's words")


_CHANGED: Final = "is no longer the answer that people failed; nobody wrote a right one"


def _evaluation(score: float, why: str) -> Evaluation:
    verdict: Verdict = "pass" if score >= _PASS_MARK else "fail"
    return Evaluation(evaluator=NAME, evaluator_version=VERSION, verdict=verdict, score=score, explanation=why)


class _Words(Struct, frozen=True):
    words: frozenset[bytes]
    numbers: frozenset[str]

    @classmethod
    def of(cls, text: str) -> "_Words":
        text = text[:_LONGEST]
        stems = frozenset(word[:STEM] for word in plain(text).split() if not word.isdigit())
        return cls(stems - FUNCTION_WORDS or stems, frozenset(_NUMBER.findall(text)))

    def likeness(self, other: "_Words") -> float:
        """The share of what either has that both have."""
        either = len(self.words | other.words) + len(self.numbers | other.numbers)
        both = len(self.words & other.words) + len(self.numbers & other.numbers)
        return both / either if either else 1.0

    def share_of(self, other: "_Words") -> float:
        """The share of another text's words and numbers that this one has."""
        wanted = len(other.words) + len(other.numbers)
        return (len(other.words & self.words) + len(other.numbers & self.numbers)) / wanted if wanted else 1.0
