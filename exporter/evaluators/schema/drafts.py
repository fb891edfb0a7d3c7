"""The drafts of JSON Schema, and which of them a schema is written in."""

import operator
from collections.abc import Iterator
from typing import Any

from . import applicators as apply
from . import assertions as check
from .budget import ValidationRun
from .draft import HOLDING_NAMED_SCHEMAS, HOLDING_SCHEMAS, Builder, Draft, inside

_LIMITS: dict[str, Builder] = {
    "maxLength": check.sized("maxLength", str, operator.le),
    "minLength": check.sized("minLength", str, operator.ge),
    "pattern": check.pattern,
    "maxItems": check.sized("maxItems", list, operator.le),
    "minItems": check.sized("minItems", list, operator.ge),
    "uniqueItems": check.unique_items,
    "maxProperties": check.sized("maxProperties", dict, operator.le),
    "minProperties": check.sized("minProperties", dict, operator.ge),
    "required": check.required,
}
_IN_PLACE: dict[str, Builder] = {
    "allOf": apply.all_of,
    "anyOf": apply.any_of,
    "oneOf": apply.one_of,
    "not": apply.not_,
}
_OF_OBJECTS: dict[str, Builder] = {
    "properties": apply.properties,
    "patternProperties": apply.pattern_properties,
    "additionalProperties": apply.additional_properties,
}
_NUMBERS: dict[str, Builder] = {
    "minimum": check.MINIMUM,
    "maximum": check.MAXIMUM,
    "exclusiveMinimum": check.EXCLUSIVE_MINIMUM,
    "exclusiveMaximum": check.EXCLUSIVE_MAXIMUM,
    "multipleOf": check.multiple_of,
}
_FLAGGED_NUMBERS: dict[str, Builder] = _NUMBERS | {
    "minimum": check.compared_as_flagged("minimum", "exclusiveMinimum", operator.ge, operator.gt),
    "maximum": check.compared_as_flagged("maximum", "exclusiveMaximum", operator.le, operator.lt),
    "exclusiveMinimum": check.flag("exclusiveMinimum"),
    "exclusiveMaximum": check.flag("exclusiveMaximum"),
}
_ITEMS_OR_LIST: dict[str, Builder] = {"items": apply.items_or_list, "additionalItems": apply.additional_items}
_SINCE_6: dict[str, Builder] = {"contains": apply.contains, "propertyNames": apply.property_names}
_SINCE_7: dict[str, Builder] = {"if": apply.if_}
_SINCE_2019: dict[str, Builder] = {
    "dependentRequired": check.dependent_required,
    "dependentSchemas": apply.dependent_schemas,
}
_UNEVALUATED: dict[str, Builder] = {
    "unevaluatedItems": apply.unevaluated_items,
    "unevaluatedProperties": apply.unevaluated_properties,
}
_REF: dict[str, Builder] = {"$ref": apply.ref}
_DEPENDENCIES: dict[str, Builder] = {"dependencies": apply.dependencies}
_EQUAL: dict[str, Builder] = {"type": check.type_, "enum": check.enum}
_CONST: dict[str, Builder] = {"const": check.const}

DRAFT_4 = Draft(
    name="draft 4",
    uri="http://json-schema.org/draft-04/schema",
    keywords=_EQUAL | _FLAGGED_NUMBERS | _LIMITS | _OF_OBJECTS | _ITEMS_OR_LIST | _DEPENDENCIES | _REF | _IN_PLACE,
    id_keyword="id",
    ref_stands_alone=True,
)
DRAFT_6 = Draft(
    name="draft 6",
    uri="http://json-schema.org/draft-06/schema",
    keywords=_EQUAL | _CONST | _NUMBERS | _LIMITS | _OF_OBJECTS | _ITEMS_OR_LIST | _SINCE_6 | _DEPENDENCIES | _REF
    | _IN_PLACE,
    ref_stands_alone=True,
)  # fmt: skip
DRAFT_7 = Draft(
    name="draft 7",
    uri="http://json-schema.org/draft-07/schema",
    keywords=DRAFT_6.keywords | _SINCE_7,
    ref_stands_alone=True,
)
DRAFT_2019 = Draft(
    name="draft 2019-09",
    uri="https://json-schema.org/draft/2019-09/schema",
    keywords=_EQUAL | _CONST | _NUMBERS | _LIMITS | _OF_OBJECTS | _ITEMS_OR_LIST | _SINCE_6 | _SINCE_2019 | _REF
    | {"$recursiveRef": apply.recursive_ref} | _IN_PLACE | _SINCE_7 | _UNEVALUATED,
    anchor_keywords=("$anchor",),
)  # fmt: skip
DRAFT_2020 = Draft(
    name="draft 2020-12",
    uri="https://json-schema.org/draft/2020-12/schema",
    keywords=_EQUAL | _CONST | _NUMBERS | _LIMITS | _OF_OBJECTS
    | {"prefixItems": apply.prefix_items, "items": apply.items} | _SINCE_6 | _SINCE_2019 | _REF
    | {"$dynamicRef": apply.dynamic_ref} | _IN_PLACE | _SINCE_7 | _UNEVALUATED,
    anchor_keywords=("$anchor", "$dynamicAnchor"),
    contains_evaluates=True,
)  # fmt: skip

DRAFTS = (DRAFT_2020, DRAFT_2019, DRAFT_7, DRAFT_6, DRAFT_4)
"""The newest first."""

_BY_URI = {draft.uri: draft for draft in DRAFTS}

_FORMS: dict[str, tuple[Draft, ...]] = {
    "$dynamicRef": (DRAFT_2020,),
    "$dynamicAnchor": (DRAFT_2020,),
    "prefixItems": (DRAFT_2020,),
    "$recursiveRef": (DRAFT_2019,),
    **dict.fromkeys(
        ("$anchor", "dependentRequired", "dependentSchemas", "minContains", "maxContains", *_UNEVALUATED),
        (DRAFT_2020, DRAFT_2019),
    ),
    "if": DRAFTS[:3],
    **dict.fromkeys(("const", "contains", "propertyNames", "$id"), DRAFTS[:4]),
    "dependencies": DRAFTS[2:],
    "a list of items": DRAFTS[1:],
    "an anchor as $id": DRAFTS[2:4],
    "a flag as exclusive limit": (DRAFT_4,),
    "a number as exclusive limit": DRAFTS[:4],
    "id": (DRAFT_4,),
}
"""In which drafts a form of a keyword means something; forms that mean the same in all are not here."""


def candidates(schema: Any, run: ValidationRun) -> list[Draft]:
    """The drafts in which a schema may be read, the likeliest first: the one it names, else all.

    The more forms of keywords mean something in a draft the likelier it is, and of those equal the newest.
    """
    named = schema.get("$schema") if isinstance(schema, dict) else None
    if isinstance(named, str) and (draft := _BY_URI.get(named.rstrip("#"))):
        return [draft]
    forms = set(_forms(schema, run))
    return sorted(DRAFTS, key=lambda draft: sum(draft not in _FORMS[form] for form in forms))


def _forms(schema: Any, run: ValidationRun) -> Iterator[str]:
    waiting = [schema]
    while waiting:
        one = waiting.pop()
        run.spend(2)
        if isinstance(one, dict):
            yield from _forms_of(one)
            waiting += inside(one, HOLDING_SCHEMAS | HOLDING_NAMED_SCHEMAS)


def _forms_of(schema: dict[str, Any]) -> Iterator[str]:
    yield from _FORMS.keys() & schema.keys()
    if isinstance(schema.get("items"), list):
        yield "a list of items"
    if str(schema.get("$id")).startswith("#"):
        yield "an anchor as $id"
    for limit in ("exclusiveMinimum", "exclusiveMaximum"):
        if limit in schema:
            yield f"a {'flag' if isinstance(schema[limit], bool) else 'number'} as exclusive limit"
