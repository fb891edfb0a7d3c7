"""A compiled schema: for each type of value the checks that apply to it; knows no keyword."""

from collections.abc import Callable, Iterable
from typing import Any

from .budget import DEEPEST, BudgetError, ValidationRun

Place = tuple[str, str, Any]
"""Where a value breaks a schema: a keyword, a property or index in it ("" for none), and the Place below or None."""

Check = Callable[[Any, ValidationRun, int], Place | None]
"""(value, run, depth) → where the value breaks the schema, or None where it does not."""

Marks = Callable[[Any, ValidationRun, int, set[Any]], None]
"""(value, run, depth, seen): adds to ``seen`` the names, or the indices, that a keyword evaluates in a value."""

TYPES = (dict, list, str, bool, int, float, type(None))
NUMBERS = (int, float)


class SchemaNode:
    """What one schema asks of a value. ``is_shared``: several places refer to it."""

    __slots__ = ("by_type", "is_shared", "marks_items", "marks_names", "other")

    def __init__(self) -> None:
        self.by_type: dict[type, tuple[Check, ...]] = dict.fromkeys(TYPES, ())
        self.other: tuple[Check, ...] = ()
        self.is_shared = False
        self.marks_names: tuple[Marks, ...] = ()
        self.marks_items: tuple[Marks, ...] = ()

    def add(self, types: Iterable[type], check: Check) -> None:
        """Have values of these types checked, after the checks that there are."""
        for one in types:
            self.by_type[one] += (check,)
        if types is TYPES:
            self.other += (check,)

    def check(self, value: Any, run: ValidationRun, depth: int) -> Place | None:
        """Where the value breaks the schema first, or None where it does not; raises BudgetError."""
        checks = self.by_type.get(type(value), self.other)
        if not checks:
            return None
        run.left -= len(checks)
        if run.left < 0 or depth > DEEPEST:
            raise BudgetError
        place = None
        if not self.is_shared:
            for check in checks:
                place = check(value, run, depth)
                if place is not None:
                    return place
            return None
        known = self, id(value), run.scope
        if known in run.found:
            return run.found[known]  # type: ignore[no-any-return]
        for check in checks:
            place = check(value, run, depth)
            if place is not None:
                break
        run.found[known] = place
        return place

    def names(self, value: Any, run: ValidationRun, depth: int, seen: set[Any]) -> None:
        """Add the property names of the value that the schema evaluates; the value must keep the schema."""
        self._mark(self.marks_names, value, run, depth, seen)

    def items(self, value: Any, run: ValidationRun, depth: int, seen: set[Any]) -> None:
        """Add the indices of the value's items that the schema evaluates; the value must keep the schema."""
        self._mark(self.marks_items, value, run, depth, seen)

    def _mark(self, marks: tuple[Marks, ...], value: Any, run: ValidationRun, depth: int, seen: set[Any]) -> None:
        run.left -= 1 + len(marks)
        if run.left < 0 or depth > DEEPEST:
            raise BudgetError
        for one in marks:
            one(value, run, depth, seen)


class ScopedNode(SchemaNode):
    """A node of a schema with dynamic references: what they refer to depends on the resources that were entered."""

    __slots__ = ("_resource",)

    def __init__(self, resource: Any) -> None:
        super().__init__()
        self._resource = resource

    def check(self, value: Any, run: ValidationRun, depth: int) -> Place | None:
        """As of Node, within the node's resource."""
        before = self._enter(run)
        place = super().check(value, run, depth)
        run.scope = before
        return place

    def _mark(self, marks: tuple[Marks, ...], value: Any, run: ValidationRun, depth: int, seen: set[Any]) -> None:
        before = self._enter(run)
        super()._mark(marks, value, run, depth, seen)
        run.scope = before

    def _enter(self, run: ValidationRun) -> tuple[Any, ...]:
        before = run.scope
        if self._resource not in before:
            run.scope = (*before, self._resource)
        return before


def _refused(_value: Any, _run: ValidationRun, _depth: int) -> Place:
    return "", "", None


ANYTHING, NOTHING = SchemaNode(), SchemaNode()
"""The schemas true and false."""
NOTHING.add(TYPES, _refused)


def path(place: Place | None, most: int) -> str:
    """A place as people read it, of at most so many characters."""
    text = ""
    while place is not None and len(text) < most:
        keyword, name, place = place
        text += "".join([f"/{part}" for part in (keyword, name) if part])
    return text[1 : most + 1]
