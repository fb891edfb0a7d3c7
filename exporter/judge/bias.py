"""A judge's known weaknesses, measured: length and its own family. Knows verdicts and lengths, no text.

What a judge likes is a bias only as far as people do not like it too, so wherever people's verdicts are known the
measure is relative to them. On live traffic they are not, and an association there is a reason to look, no more.
"""

import re
from collections.abc import Iterable
from itertools import combinations
from statistics import median
from typing import Final

from msgspec import Struct

from ..model.score import Verdict
from .intervals import CONFIDENCE, Estimate, correlation, gap, shifted, wilson

_FAMILIES: Final = {
    "anthropic": r"claude",
    "openai": r"gpt|chatgpt|o[1-9](?![0-9])|davinci",
    "google": r"gemini|gemma|palm|bison",
    "deepseek": r"deepseek",
    "alibaba": r"qwen|qwq|tongyi",
    "mistral": r"mistral|mixtral|ministral|magistral|codestral|devstral|pixtral",
    "meta": r"(?:code)?llama",
    "cohere": r"command|aya",
    "xai": r"grok",
    "amazon": r"nova|titan",
    "microsoft": r"phi|wizardlm",
    "zhipu": r"glm|chatglm",
    "moonshot": r"kimi|moonshot",
    "ibm": r"granite",
    "nvidia": r"nemotron",
    "ai21": r"jamba|jurassic",
    "01.ai": r"yi",
}
_FAMILY: Final = re.compile(
    r"(?<![a-z])(?:" + "|".join(f"({names})" for names in _FAMILIES.values()) + r")(?![a-z])", re.IGNORECASE
)


class Labelled(Struct, frozen=True, kw_only=True):
    """A case with the judge's verdict and people's; ``length`` in characters of the answer."""

    judge: Verdict
    human: Verdict
    length: int
    score: float = 0.0
    question: str = ""
    """Anything that is equal for answers to the same question."""
    own_family: bool | None = None
    """Whether a model of the judge's family answered; None where nobody knows."""

    @property
    def lift(self) -> int:
        """1 where the judge alone passes, -1 where people alone do."""
        return (self.judge == "pass") - (self.human == "pass")


class Preference(Struct, frozen=True):
    """How often the longer of two answers wins, with the judge and with people, and the difference."""

    judge: Estimate
    human: Estimate
    relative: Estimate


def family(model: str) -> str:
    """Who made a model, by its name; empty where the name does not say."""
    found = _FAMILY.search(model)
    return list(_FAMILIES)[found.lastindex - 1] if found and found.lastindex else ""


def own_family(judge: str, model: str) -> bool | None:
    """Whether two models are of one family; None where a name does not say."""
    one, other = family(judge), family(model)
    return one == other if one and other else None


def length_lift(cases: Iterable[Labelled], confidence: float = CONFIDENCE) -> Estimate | None:
    """What the judge adds to people's pass rate on the longer half of the answers, minus what it adds on the shorter.

    0 is a judge that treats lengths as people do; None where all answers are of one length.
    """
    known = list(cases)
    middle = _middle([one.length for one in known])
    longer = [one.lift for one in known if one.length > middle]
    return gap(longer, [one.lift for one in known if one.length <= middle], confidence)


def _middle(lengths: list[int]) -> float:
    """The median, or what is next below it where nothing is above it."""
    middle = median(lengths) if lengths else 0
    return middle if any(length > middle for length in lengths) else max((n for n in lengths if n < middle), default=0)


def length_preference(choices: Iterable[tuple[float, float]], confidence: float = CONFIDENCE) -> Preference | None:
    """From pairs of answers of different lengths: was the longer one chosen, by the judge and by people (1 or 0)?

    A judge that chose several times gives its share. Pairs without a winner are left out before.
    """
    known = list(choices)
    judge = wilson(sum(one for one, _ in known), len(known), confidence)
    human = wilson(sum(other for _, other in known), len(known), confidence)
    relative = shifted((one - other for one, other in known), confidence)
    return Preference(judge, human, relative) if judge and human and relative else None


def choices(cases: Iterable[Labelled]) -> list[tuple[float, float]]:
    """Pairs for ``length_preference``: answers to one question of which people pass one, and the judge scores apart."""
    by_question: dict[str, list[Labelled]] = {}
    for case in cases:
        by_question.setdefault(case.question, []).append(case)
    pairs = (pair for group in by_question.values() for pair in combinations(group, 2))
    return [_choice(*pair) for pair in pairs if _comparable(*pair)]


def _comparable(one: Labelled, other: Labelled) -> bool:
    return one.human != other.human and one.score != other.score and one.length != other.length


def _choice(one: Labelled, other: Labelled) -> tuple[float, float]:
    longer, shorter = (one, other) if one.length > other.length else (other, one)
    return float(longer.score > shorter.score), float(longer.human == "pass")


def length_association(scores: Iterable[tuple[int, float]], confidence: float = CONFIDENCE) -> Estimate | None:
    """Rank correlation of answers' lengths with their scores on live traffic; long answers may be better ones."""
    return correlation(((float(length), score) for length, score in scores), confidence)


def own_family_lift(cases: Iterable[Labelled], confidence: float = CONFIDENCE) -> Estimate | None:
    """What the judge adds to people's pass rate on answers of its own family, minus what it adds on others."""
    known = list(cases)
    ours = [one.lift for one in known if one.own_family]
    return gap(ours, [one.lift for one in known if one.own_family is False], confidence)


def own_family_gap(verdicts: Iterable[tuple[bool, Verdict]], confidence: float = CONFIDENCE) -> Estimate | None:
    """On live traffic: pass rate of the judge's own family minus that of others; its models may be better ones."""
    known = list(verdicts)
    ours = [float(verdict == "pass") for own, verdict in known if own]
    return gap(ours, [float(verdict == "pass") for own, verdict in known if not own], confidence)
