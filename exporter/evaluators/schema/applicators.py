"""Keywords that apply other schemas: to the same value, to properties, to items; and what they evaluate of a value."""

from collections.abc import Sequence
from typing import Any

from .assertions import needing
from .budget import ValidationRun
from .context import Context
from .node import NOTHING, TYPES, Marks, Place, SchemaNode

_NAMES_PER_STEP = 8


def _marking(node: SchemaNode, names: Marks | None = None, items: Marks | None = None) -> None:
    if names is not None:
        node.marks_names = (*node.marks_names, names)
    if items is not None:
        node.marks_items = (*node.marks_items, items)


def _follows(node: SchemaNode, keyword: str, target: SchemaNode) -> None:
    """The value keeps the target too, and what that evaluates is evaluated."""

    def check(value: Any, run: ValidationRun, depth: int) -> Place | None:
        place = target.check(value, run, depth + 1)
        return None if place is None else (keyword, "", place)

    node.add(TYPES, check)
    _marking(
        node,
        lambda value, run, depth, seen: target.names(value, run, depth + 1, seen),
        lambda value, run, depth, seen: target.items(value, run, depth + 1, seen),
    )


def ref(node: SchemaNode, uri: Any, here: Context) -> None:
    """``$ref``: the schema that it refers to applies."""
    _follows(node, "$ref", here.referred("$ref", uri))


def dynamic_ref(node: SchemaNode, uri: Any, here: Context) -> None:
    """``$dynamicRef``, ``$recursiveRef``: the schema of that anchor in the resource that was entered first applies."""
    _follows(node, "$dynamicRef", here.referred_dynamically("$dynamicRef", uri))


def recursive_ref(node: SchemaNode, uri: Any, here: Context) -> None:
    """``$recursiveRef`` (2019-09): the root of the resource that was entered first applies, where it wants that."""
    _follows(node, "$recursiveRef", here.referred_recursively("$recursiveRef", uri))


def all_of(node: SchemaNode, schemas: Any, here: Context) -> None:
    """``allOf``: every schema applies."""
    targets = here.several("allOf", schemas)

    def check(value: Any, run: ValidationRun, depth: int) -> Place | None:
        for number, target in enumerate(targets):
            place = target.check(value, run, depth + 1)
            if place is not None:
                return "allOf", str(number), place
        return None

    def names(value: Any, run: ValidationRun, depth: int, seen: set[Any]) -> None:
        for target in targets:
            target.names(value, run, depth + 1, seen)

    def items(value: Any, run: ValidationRun, depth: int, seen: set[Any]) -> None:
        for target in targets:
            target.items(value, run, depth + 1, seen)

    node.add(TYPES, check)
    _marking(node, names, items)


def any_of(node: SchemaNode, schemas: Any, here: Context) -> None:
    """``anyOf``: at least one schema applies."""
    targets, place = here.several("anyOf", schemas), ("anyOf", "", None)

    def check(value: Any, run: ValidationRun, depth: int) -> Place | None:
        run.left -= len(targets) // _NAMES_PER_STEP
        for target in targets:
            if target.check(value, run, depth + 1) is None:
                return None
        return place

    node.add(TYPES, check)
    _marking_kept(node, targets)


def one_of(node: SchemaNode, schemas: Any, here: Context) -> None:
    """``oneOf``: exactly one schema applies."""
    targets, place = here.several("oneOf", schemas), ("oneOf", "", None)

    def check(value: Any, run: ValidationRun, depth: int) -> Place | None:
        run.left -= len(targets) // _NAMES_PER_STEP
        kept = 0
        for target in targets:
            if target.check(value, run, depth + 1) is None:
                kept += 1
                if kept > 1:
                    return place
        return None if kept else place

    node.add(TYPES, check)
    _marking_kept(node, targets)


def _marking_kept(node: SchemaNode, targets: Sequence[SchemaNode]) -> None:
    """What those schemas evaluate that the value keeps is evaluated."""

    def names(value: Any, run: ValidationRun, depth: int, seen: set[Any]) -> None:
        for target in targets:
            if target.check(value, run, depth + 1) is None:
                target.names(value, run, depth + 1, seen)

    def items(value: Any, run: ValidationRun, depth: int, seen: set[Any]) -> None:
        for target in targets:
            if target.check(value, run, depth + 1) is None:
                target.items(value, run, depth + 1, seen)

    _marking(node, names, items)


def not_(node: SchemaNode, schema: Any, here: Context) -> None:
    """``not``: the schema does not apply."""
    target, place = here.one("not", schema), ("not", "", None)
    node.add(TYPES, lambda value, run, depth: place if target.check(value, run, depth + 1) is None else None)


def if_(node: SchemaNode, schema: Any, here: Context) -> None:
    """``if``, ``then``, ``else``: the one applies where a schema does, the other where it does not."""
    condition = here.one("if", schema)
    then, otherwise = (here.one(name, here.schema[name]) if name in here.schema else None for name in ("then", "else"))
    condition.is_shared = True

    def check(value: Any, run: ValidationRun, depth: int) -> Place | None:
        holds = condition.check(value, run, depth + 1) is None
        target = then if holds else otherwise
        place = None if target is None else target.check(value, run, depth + 1)
        return None if place is None else ("then" if holds else "else", "", place)

    def marks(attribute: str) -> Marks:
        def mark(value: Any, run: ValidationRun, depth: int, seen: set[Any]) -> None:
            holds = condition.check(value, run, depth + 1) is None
            for target in (condition, then) if holds else (otherwise,):
                if target is not None:
                    getattr(target, attribute)(value, run, depth + 1, seen)

        return mark

    node.add(TYPES, check)
    _marking(node, marks("names"), marks("items"))


def properties(node: SchemaNode, schemas: Any, here: Context) -> None:
    """``properties``: the schema of a name applies to the property of that name."""
    targets = here.named("properties", schemas)
    pairs = [(name, target, target.check) for name, target in targets.items()]

    def check(value: Any, run: ValidationRun, depth: int) -> Place | None:
        run.left -= len(pairs) // _NAMES_PER_STEP
        for name, target, below in pairs:
            if name in value:
                item = value[name]
                kind = type(item)
                checks = target.by_type.get(kind, target.other)
                if not checks:
                    continue
                if len(checks) == 1 and kind is not dict and kind is not list:
                    run.left -= 1  # as Node.check, which costs more than most checks
                    place = checks[0](item, run, depth + 1)
                else:
                    place = below(item, run, depth + 1)
                if place is not None:
                    return "properties", name, place
        return None

    node.add((dict,), check)
    _marking(node, lambda value, run, _depth, seen: _add(seen, targets.keys() & value.keys(), run))


def _add(seen: set[Any], more: Any, run: ValidationRun) -> None:
    run.spend(len(more) // _NAMES_PER_STEP)
    seen.update(more)


def pattern_properties(node: SchemaNode, schemas: Any, here: Context) -> None:
    """``patternProperties``: the schema of a pattern applies to the properties whose name it matches."""
    targets = [
        (source, here.pattern("patternProperties", source), target)
        for source, target in here.named("patternProperties", schemas).items()
    ]

    def check(value: Any, run: ValidationRun, depth: int) -> Place | None:
        for source, found, target in targets:
            for name, item in value.items():
                if found(name, run):
                    place = target.check(item, run, depth + 1)
                    if place is not None:
                        return "patternProperties", source, place
        return None

    def marks(value: Any, run: ValidationRun, _depth: int, seen: set[Any]) -> None:
        seen.update([name for _, found, _ in targets for name in value if found(name, run)])

    node.add((dict,), check)
    _marking(node, marks)


def additional_properties(node: SchemaNode, schema: Any, here: Context) -> None:
    """``additionalProperties``: applies to properties that neither a name nor a pattern beside it is for."""
    target = here.one("additionalProperties", schema)
    known = frozenset(here.mapping("properties", here.schema.get("properties", {})))
    refused = "additionalProperties", "", None
    sources = here.mapping("patternProperties", here.schema.get("patternProperties", {}))
    patterns = [here.pattern("patternProperties", source) for source in sources]

    def check(value: Any, run: ValidationRun, depth: int) -> Place | None:
        run.left -= len(value) // _NAMES_PER_STEP
        if target is NOTHING and not patterns:
            return None if known.issuperset(value) else refused
        for name in value:
            if name in known or any(found(name, run) for found in patterns):
                continue
            place = target.check(value[name], run, depth + 1)
            if place is not None:
                return "additionalProperties", "", place
        return None

    node.add((dict,), check)
    _marking(node, lambda value, run, _depth, seen: _add(seen, value, run))


def property_names(node: SchemaNode, schema: Any, here: Context) -> None:
    """``propertyNames``: applies to each name."""
    target = here.one("propertyNames", schema)

    def check(value: Any, run: ValidationRun, depth: int) -> Place | None:
        run.spend(len(value) // _NAMES_PER_STEP)
        for name in value:
            place = target.check(name, run, depth + 1)
            if place is not None:
                return "propertyNames", "", place
        return None

    node.add((dict,), check)


def dependent_schemas(node: SchemaNode, schemas: Any, here: Context) -> None:
    """``dependentSchemas``: the schema of a name applies to an object that has that property."""
    _dependent(node, "dependentSchemas", here.named("dependentSchemas", schemas))


def dependencies(node: SchemaNode, given: Any, here: Context) -> None:
    """``dependencies`` (to draft 7): names of properties, or a schema, for objects that have a property."""
    given = here.mapping("dependencies", given)
    lists = {name: here.strings("dependencies", one) for name, one in given.items() if isinstance(one, list)}
    schemas = {name: here.one("dependencies", one) for name, one in given.items() if not isinstance(one, list)}
    node.add((dict,), needing(lists, "dependencies"))
    _dependent(node, "dependencies", schemas)


def _dependent(node: SchemaNode, keyword: str, targets: dict[str, SchemaNode]) -> None:
    def check(value: Any, run: ValidationRun, depth: int) -> Place | None:
        run.spend(len(targets) // _NAMES_PER_STEP)
        for name, target in targets.items():
            if name in value:
                place = target.check(value, run, depth + 1)
                if place is not None:
                    return keyword, name, place
        return None

    def marks(value: Any, run: ValidationRun, depth: int, seen: set[Any]) -> None:
        for name, target in targets.items():
            if name in value:
                target.names(value, run, depth + 1, seen)

    node.add((dict,), check)
    _marking(node, marks)


def prefix_items(node: SchemaNode, schemas: Any, here: Context) -> None:
    """``prefixItems``, and the list form of ``items`` before: each schema applies to the item at its place."""
    keyword = "prefixItems" if "prefixItems" in here.schema else "items"
    targets = here.several(keyword, schemas)

    def check(value: Any, run: ValidationRun, depth: int) -> Place | None:
        run.left -= len(targets) // _NAMES_PER_STEP
        for number, (item, target) in enumerate(zip(value, targets, strict=False)):
            place = target.check(item, run, depth + 1)
            if place is not None:
                return keyword, str(number), place
        return None

    node.add((list,), check)
    _marking(node, items=lambda value, run, _depth, seen: _add(seen, range(min(len(value), len(targets))), run))


def items(node: SchemaNode, schema: Any, here: Context) -> None:
    """``items`` (2020-12): applies to the items after those that ``prefixItems`` is for."""
    before = here.schema.get("prefixItems")
    _rest(node, "items", here.one("items", schema), len(before) if isinstance(before, list) else 0)


def items_or_list(node: SchemaNode, schema: Any, here: Context) -> None:
    """``items`` (to 2019-09): one schema for all items, or a list with one for each place."""
    if isinstance(schema, list):
        prefix_items(node, schema, here)
    else:
        _rest(node, "items", here.one("items", schema), 0)


def additional_items(node: SchemaNode, schema: Any, here: Context) -> None:
    """``additionalItems`` (to 2019-09): applies to the items after those of a list of ``items``."""
    target, before = here.one("additionalItems", schema), here.schema.get("items")
    if isinstance(before, list):
        _rest(node, "additionalItems", target, len(before))


def _rest(node: SchemaNode, keyword: str, target: SchemaNode, start: int) -> None:
    def check(value: Any, run: ValidationRun, depth: int) -> Place | None:
        run.spend(len(value) // _NAMES_PER_STEP)
        for item in value[start:] if start else value:
            kind = type(item)
            checks = target.by_type.get(kind, target.other)
            if not checks:
                continue
            if len(checks) == 1 and kind is not dict and kind is not list:
                run.left -= 1
                place = checks[0](item, run, depth + 1)
            else:
                place = target.check(item, run, depth + 1)
            if place is not None:
                return keyword, "", place
        run.spend(0)
        return None

    node.add((list,), check)
    _marking(node, items=lambda value, run, _depth, seen: _add(seen, range(start, len(value)), run))


def contains(node: SchemaNode, schema: Any, here: Context) -> None:
    """``contains``: as many items as ``minContains`` and ``maxContains`` say, else one, keep the schema."""
    target = here.one("contains", schema)
    least = here.limit("minContains", 1)
    most = here.limit("maxContains", None)

    def check(value: Any, run: ValidationRun, depth: int) -> Place | None:
        run.spend(len(value) // _NAMES_PER_STEP)
        kept = 0
        for item in value:
            kept += target.check(item, run, depth + 1) is None
            if most is None and kept >= least:
                return None
            if most is not None and kept > most:
                return "maxContains", "", None
        return None if kept >= least else ("contains" if least == 1 else "minContains", "", None)

    node.add((list,), check)
    if here.draft.contains_evaluates:
        _marking(node, items=_contained(target))


def _contained(target: SchemaNode) -> Marks:
    def mark(value: Any, run: ValidationRun, depth: int, seen: set[Any]) -> None:
        run.spend(len(value) // _NAMES_PER_STEP)
        seen.update([at for at, item in enumerate(value) if target.check(item, run, depth + 1) is None])

    return mark


def unevaluated_properties(node: SchemaNode, schema: Any, here: Context) -> None:
    """``unevaluatedProperties``: applies to properties that no other keyword here evaluates; stands last."""
    _unevaluated(node, "unevaluatedProperties", here.one("unevaluatedProperties", schema), dict)
    _marking(node, lambda value, run, _depth, seen: _add(seen, value, run))


def unevaluated_items(node: SchemaNode, schema: Any, here: Context) -> None:
    """``unevaluatedItems``: applies to items that no other keyword here evaluates; stands last."""
    _unevaluated(node, "unevaluatedItems", here.one("unevaluatedItems", schema), list)
    _marking(node, items=lambda value, run, _depth, seen: _add(seen, range(len(value)), run))


def _unevaluated(node: SchemaNode, keyword: str, target: SchemaNode, kind: type) -> None:
    marks = node.marks_names if kind is dict else node.marks_items

    def check(value: Any, run: ValidationRun, depth: int) -> Place | None:
        run.spend(1 + len(value) // _NAMES_PER_STEP)
        seen: set[Any] = set()
        for mark in marks:
            mark(value, run, depth, seen)
        for at in value if kind is dict else range(len(value)):
            if at not in seen:
                place = target.check(value[at], run, depth + 1)
                if place is not None:
                    return keyword, "", place
        return None

    node.add((kind,), check)
