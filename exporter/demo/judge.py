"""The demo's judge: its known errors, the truth that it errs from, and cases with labels. Knows no server's address."""

import re
from collections.abc import Iterator
from typing import Final

from ..config.rubrics import shipped
from ..judge.anchors import Anchor
from .judge_stub import Behaviour, Stub
from .story import DemoStory

_ANSWER: Final = re.compile(r"answer begins\]\n(.*?)\n\[\w+ answer ends\]", re.DOTALL)
_LATENCY: Final = 0.05
_REMEMBERED: Final = 100
_ANCHORED: Final = 3
"""Openings with which each question is an anchor."""


def stub(story: DemoStory) -> Stub:
    """The judge of a story."""
    known = story.judge
    behaviour = Behaviour(
        model=known.model,
        sensitivity=known.sensitivity,
        specificity=known.specificity,
        length_bias=known.length_bias,
        flip_rate=known.contradicts,
        refuse_rate=known.declines,
        latency=_LATENCY,
    )

    def truth(asked: str) -> bool | None:
        found = _ANSWER.search(asked)
        return story.is_right(found[1]) if found else None

    return Stub(behaviour, truth=truth, remembers=_REMEMBERED)


def anchors(story: DemoStory) -> Iterator[Anchor]:
    """A right and a wrong answer to each question, as people would label them, for each rubric."""
    for evaluator in shipped():
        for name, topic in story.topics.items():
            for number, opening in enumerate(story.openings[:_ANCHORED]):
                for answer in (topic.answer, topic.invention):
                    right = story.is_right(answer)
                    yield Anchor(
                        id=f"{name}-{number}-{'right' if right else 'wrong'}",
                        evaluator=evaluator,
                        question=f"{opening} {topic.question}",
                        answer=answer.strip(),
                        context=topic.documents,
                        human="pass" if right else "fail",
                        provenance="the demo's story",
                    )
