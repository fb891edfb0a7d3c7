"""Compiles JSON schemas, and validates values."""

from typing import Any

from .budget import STEPS, ValidationRun
from .compiler import Compiler
from .drafts import candidates
from .errors import SchemaError
from .node import SchemaNode, path


class Validator:
    """A compiled schema; ``draft`` is the one in which it was read, ``steps`` are those that its compilation took."""

    __slots__ = ("_root", "draft", "steps")

    def __init__(self, root: SchemaNode, draft: str, steps: int) -> None:
        self._root = root
        self.draft = draft
        self.steps = steps

    def problem(self, value: Any, run: ValidationRun, most: int = 160) -> str | None:
        """Where in the schema the value breaks it first, in at most so many characters; None where it keeps it.

        Raises BudgetError where the run's steps do not suffice, or schema and value are nested too deep together.
        """
        run.values.append(value)
        place = self._root.check(value, run, 0)
        return None if place is None else path(place, most)


def compiled(schema: Any) -> Validator:
    """Compile a schema, in the draft that it names or else in the likeliest in which it can be used.

    Raises SchemaError where there is none, BudgetError where that takes more than STEPS.
    """
    if not isinstance(schema, dict | bool):
        raise SchemaError("a schema is a mapping, true or false")
    run = ValidationRun()
    problem: SchemaError | None = None
    for draft in candidates(schema, run):
        try:
            return Validator(Compiler(schema, draft, run).root, draft.name, STEPS - run.left)
        except SchemaError as error:
            problem = problem or error
    problem = problem or SchemaError("no draft")
    problem.steps = STEPS - run.left
    raise problem
