"""A rubric's YAML file → a Rubric: strict, every error with file, line and cure. Knows the files, not who judges."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from .. import judge
from ..judge.rubric import Rubric, problems
from .configfile import ConfigError, Part, read
from .shape import RUBRIC, check

SHIPPED: Final = Path(judge.__file__).with_name("rubrics")


def rubric(path: Path) -> Rubric:
    """The rubric that a file holds; ConfigError has everything that is wrong with it."""
    file = str(path)
    root, found = read(path)
    found += check(root, file, schema=RUBRIC)
    if found:
        raise ConfigError(found)
    one = msgspec.convert(root.plain(), Rubric)
    found = [_part(root, where).problem(file, message) for where, message in problems(one)]
    if found:
        raise ConfigError(found)
    return one


@cache
def shipped() -> dict[str, Rubric]:
    """The rubrics that come with llmq, by name."""
    found = [rubric(path) for path in sorted(SHIPPED.glob("*.yaml"))]
    return {one.name: one for one in found}


def _part(root: Part, where: str) -> Part:
    steps: list[Any] = [int(step) if step.isdecimal() else step for step in where.split(".")]
    return root.find(*steps) or root
