"""Keywords that look at one value alone: types, numbers, strings, lengths, equality. Each says what it checks."""

import operator
from collections.abc import Callable, Sequence
from typing import Any

from .budget import ValidationRun
from .context import Context
from .node import NUMBERS, TYPES, Check, Place, SchemaNode
from .values import all_differ, is_multiple, key

_NAMED: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "boolean": (bool,), "null": (type(None),),
    "integer": (int, float), "number": (int, float),
}  # fmt: skip
_NAMES_PER_STEP = 8


def _refusing(keyword: str) -> Check:
    place = keyword, "", None
    return lambda _value, _run, _depth: place


def type_(node: SchemaNode, wanted: Any, here: Context) -> None:
    """``type``: values of other types are refused; 1.0 is an integer."""
    names = [wanted] if isinstance(wanted, str) else here.strings("type")
    if unknown := [name for name in names if name not in _NAMED]:
        raise here.error("type", f"{unknown[0]!r} is no type; there are: {', '.join(_NAMED)}")
    allowed = {one for name in names for one in _NAMED[name]}
    refuse = _refusing("type")
    node.add([one for one in TYPES if one not in allowed], refuse)
    node.other += (refuse,)
    if "integer" in names and "number" not in names:
        place = "type", "", None
        node.add((float,), lambda value, _run, _depth: None if value.is_integer() else place)


def enum(node: SchemaNode, allowed: Any, here: Context) -> None:
    """``enum``: the value is one of these."""
    if not isinstance(allowed, list):
        raise here.error("enum", "must be a list")
    _one_of(node, "enum", allowed, here.run)


def const(node: SchemaNode, wanted: Any, here: Context) -> None:
    """``const``: the value is this one."""
    _one_of(node, "const", [wanted], here.run)


def _one_of(node: SchemaNode, keyword: str, allowed: Sequence[Any], compiling: ValidationRun) -> None:
    place, refuse = (keyword, "", None), _refusing(keyword)
    compiling.spend(len(allowed) // 2)
    strings = frozenset([one for one in allowed if type(one) is str])
    others = frozenset([key(one, compiling) for one in allowed if type(one) is not str])
    kinds = {type(one) for one in allowed if type(one) is not str}
    kinds |= set(NUMBERS) if kinds & set(NUMBERS) else set()
    node.add((str,), lambda value, _run, _depth: None if value in strings else place)
    node.add(kinds, lambda value, run, _depth: None if key(value, run) in others else place)
    node.add([one for one in TYPES if one not in kinds and one is not str], refuse)
    node.other += (refuse,)


def compared(keyword: str, keeps: Callable[[Any, Any], bool]) -> Callable[[SchemaNode, Any, Context], None]:
    """A limit of numbers: ``keeps(value, limit)``."""
    place = keyword, "", None

    def build(node: SchemaNode, limit: Any, here: Context) -> None:
        limit = here.number(keyword, limit)
        node.add(NUMBERS, lambda value, _run, _depth: None if keeps(value, limit) else place)

    return build


def compared_as_flagged(
    keyword: str, flag: str, keeps: Any, strictly: Any
) -> Callable[[SchemaNode, Any, Context], None]:
    """A limit of numbers that another keyword, true or false, makes exclusive (draft 4)."""

    def build(node: SchemaNode, limit: Any, here: Context) -> None:
        compared(keyword, strictly if here.schema.get(flag) is True else keeps)(node, limit, here)

    return build


def flag(keyword: str) -> Callable[[SchemaNode, Any, Context], None]:
    """A keyword that is true or false and checks nothing by itself."""

    def build(node: SchemaNode, value: Any, here: Context) -> None:  # noqa: ARG001 - as all keywords
        if not isinstance(value, bool):
            raise here.error(keyword, "must be true or false")

    return build


def multiple_of(node: SchemaNode, of: Any, here: Context) -> None:
    """``multipleOf``: exact, as the numbers are written."""
    of, place = here.number("multipleOf", of), ("multipleOf", "", None)
    if of <= 0:
        raise here.error("multipleOf", "must be above 0")
    node.add(NUMBERS, lambda value, run, _depth: None if is_multiple(value, of, run) else place)


def sized(keyword: str, kind: type, keeps: Callable[[int, int], bool]) -> Callable[[SchemaNode, Any, Context], None]:
    """A limit of lengths: characters, items or properties."""
    place = keyword, "", None

    def build(node: SchemaNode, limit: Any, here: Context) -> None:
        limit = here.count(keyword, limit)
        node.add((kind,), lambda value, _run, _depth: None if keeps(len(value), limit) else place)

    return build


def pattern(node: SchemaNode, source: Any, here: Context) -> None:
    """``pattern``: the expression matches somewhere in the text."""
    found, place = here.pattern("pattern", source), ("pattern", "", None)
    node.add((str,), lambda value, run, _depth: None if found(value, run) else place)


def unique_items(node: SchemaNode, wanted: Any, here: Context) -> None:
    """``uniqueItems``: no two items are equal."""
    flag("uniqueItems")(node, wanted, here)
    place = "uniqueItems", "", None
    if wanted:
        node.add((list,), lambda value, run, _depth: None if all_differ(value, run) else place)


def required(node: SchemaNode, wanted: Any, here: Context) -> None:  # noqa: ARG001 - as all keywords
    """``required``: the object has these properties."""
    names, place = here.strings("required"), ("required", "", None)
    cost = len(names) // _NAMES_PER_STEP

    def check(value: Any, run: ValidationRun, _depth: int) -> Place | None:
        run.left -= cost
        for name in names:
            if name not in value:
                return place
        return None

    node.add((dict,), check)


def dependent_required(node: SchemaNode, wanted: Any, here: Context) -> None:
    """``dependentRequired``: an object that has one property has these too."""
    lists = here.mapping("dependentRequired", wanted)
    needed = {name: here.strings("dependentRequired", names) for name, names in lists.items()}
    node.add((dict,), needing(needed, "dependentRequired"))


def needing(needed: dict[str, tuple[str, ...]], keyword: str) -> Check:
    """Objects that have a property of ``needed`` have the properties listed there."""

    def check(value: Any, run: ValidationRun, _depth: int) -> Place | None:
        run.spend(len(needed))
        for name, names in needed.items():
            if name in value:
                run.spend(len(names))
                if any(one not in value for one in names):
                    return keyword, name, None
        return None

    return check


MINIMUM = compared("minimum", operator.ge)
MAXIMUM = compared("maximum", operator.le)
EXCLUSIVE_MINIMUM = compared("exclusiveMinimum", operator.gt)
EXCLUSIVE_MAXIMUM = compared("exclusiveMaximum", operator.lt)
