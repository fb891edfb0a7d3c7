"""What one evaluation may spend on validation; knows no keyword."""

from typing import Any

STEPS = 100_000
"""Steps that the validations of one evaluation may take together: a step is one check of one value, some 0.5 us."""

DEEPEST = 200
"""Schemas within schemas, or values within values, that are followed. Each takes two frames of Python's stack."""


class BudgetError(Exception):
    """More work than the budget allows: nothing can be said of the value."""


class ValidationRun:
    """The steps that are left, and what was found so far.

    ``found`` holds the place of each shared node and value that were met, by the value's ``id``: ``values`` keeps what
    was validated from being freed. ``scope`` are the schema resources that were entered, the first one first.
    """

    __slots__ = ("found", "keys", "left", "scope", "values")

    def __init__(self, steps: int = STEPS) -> None:
        self.left = steps
        self.found: dict[Any, Any] = {}
        self.keys: dict[int, bytes] = {}
        self.scope: tuple[Any, ...] = ()
        self.values: list[Any] = []

    def spend(self, steps: int) -> None:
        """Take steps from the budget; BudgetError where it has not so many."""
        self.left -= steps
        if self.left < 0:
            raise BudgetError
