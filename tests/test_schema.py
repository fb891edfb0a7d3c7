"""JSON Schema within a budget: right in every draft, and whatever schema and value are, soon at an end."""

import json
import random
import tracemalloc

import jsonschema
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from exporter.evaluators.schema import STEPS, BudgetError, SchemaError, ValidationRun, compiled
from exporter.evaluators.schema.drafts import DRAFTS
from exporter.evaluators.schema.expressions import translated

DRAFT_URIS = {draft.name: draft.uri for draft in DRAFTS}


def problem(schema, value):
    return compiled(schema).problem(value, ValidationRun())


def keeps(schema, value):
    return problem(schema, value) is None


CASES = [
    ({"type": "integer"}, [1, 1.0, -7], [1.5, True, "1", None]),
    ({"type": ["string", "null"]}, ["", None], [0, [], {}]),
    ({"const": 1}, [1, 1.0], [True, "1", [1]]),
    ({"const": [False, {"a": 0}]}, [[False, {"a": 0}], [False, {"a": 0.0}]], [[0, {"a": 0}], [False, {"a": False}]]),
    ({"enum": [[1, 2], {"b": 1, "a": 2}]}, [[1.0, 2], {"a": 2, "b": 1}], [[2, 1], {"a": 2}]),
    ({"const": 10**20}, [10**20, 1e20], [10**20 + 1]),
    ({"multipleOf": 0.01}, [0.07, 19.99, 4], [0.075]),
    ({"multipleOf": 0.0001}, [0.0075], [0.00751]),
    ({"minimum": 9007199254740993}, [9007199254740993], [9007199254740992, 9007199254740992.0]),
    ({"maxLength": 2}, ["👩👩", 123], ["abc"]),
    ({"uniqueItems": True}, [[1, True, "1", [1]], [{"a": 1}, {"a": 2}]],
     [[1, 1.0], [{"a": 1, "b": 2}, {"b": 2, "a": 1}]]),
    ({"pattern": r"^\d{3}$"}, ["123", 5], ["1234", "123\n"]),
    ({"pattern": r"^[\u00e0-\u00ff]\s$"}, ["é\u00a0"], ["e "]),
    ({"contains": {"const": 1}, "minContains": 2, "maxContains": 3}, [[1, 1, 0]], [[1], [1] * 4, []]),
    ({"contains": {"const": 1}, "minContains": 0}, [[], [0]], []),
    ({"prefixItems": [{"type": "string"}], "items": False}, [["a"], []], [["a", 1], [1]]),
    ({"propertyNames": {"maxLength": 1}}, [{"a": 1}, 7], [{"ab": 1}]),
    ({"patternProperties": {"^x": {"type": "null"}}, "additionalProperties": {"type": "array"}},
     [{"x1": None, "y": []}], [{"x1": 1}, {"y": 1}]),
    ({"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}},
     [{"a": 1, "b": 1}, {"c": 1}], [{"a": 1}, {}]),
    ({"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"maxProperties": 1}}}, [{"b": 1}, {"c": 1}],
     [{"a": 1}, {"c": 1, "d": 1}]),
    ({"oneOf": [{"type": "integer"}, {"minimum": 2}]}, [1, 2.5], [3, 1.5]),
    ({"not": {"type": "null"}}, [0], [None]),
    ({"$defs": {"a~b": {"$anchor": "here", "type": "null"}}, "allOf": [{"$ref": "#here"}, {"$ref": "#/$defs/a~0b"}]},
     [None], [0]),
    ({"$id": "http://x.test/a/", "properties": {"p": {"$ref": "b"}}, "$defs": {"q": {"$id": "b", "type": "null"}}},
     [{"p": None}], [{"p": 0}]),
    ({"allOf": [{"properties": {"a": True}}], "unevaluatedProperties": False}, [{"a": 1}], [{"b": 1}]),
    ({"anyOf": [{"required": ["a"], "properties": {"a": True}}, {"required": ["b"], "properties": {"b": True}}],
      "unevaluatedProperties": False}, [{"a": 1}, {"a": 1, "b": 1}], [{"a": 1, "c": 1}]),
    ({"prefixItems": [True], "contains": {"const": 2}, "unevaluatedItems": False}, [[1, 2, 2]], [[1, 2, 3]]),
    ({"$id": "http://x.test/strict", "$dynamicAnchor": "node", "$ref": "tree", "unevaluatedProperties": False,
      "$defs": {"tree": {"$id": "tree", "$dynamicAnchor": "node", "properties": {
          "data": True, "children": {"items": {"$dynamicRef": "#node"}}}}}},
     [{"children": [{"data": 1}]}], [{"children": [{"daat": 1}]}]),
    ({"$schema": "https://json-schema.org/draft/2019-09/schema", "$recursiveAnchor": True,
      "type": ["object", "integer"], "additionalProperties": {"$recursiveRef": "#"}},
     [{"a": {"b": 1}}], [{"a": {"b": "x"}}]),
    (True, [1, None], []),
    (False, [], [1, None]),
    # What older drafts alone have, without saying which draft it is.
    ({"items": [{"type": "integer"}, {"type": "string"}]}, [[1, "y"], [1]], [["x", "y"]]),
    ({"items": [{}], "additionalItems": False}, [[1]], [[1, 2]]),
    ({"minimum": 3, "exclusiveMinimum": True}, [4], [3]),
    ({"dependencies": {"a": ["b"], "c": {"required": ["d"]}}}, [{"a": 1, "b": 1}], [{"a": 1}, {"c": 1}]),
    ({"definitions": {"p": {"$id": "#p", "type": "null"}}, "$ref": "#p"}, [None], [0]),
    ({"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"a": {}}, "$ref": "#/definitions/a",
      "type": "null"}, [1], []),
    ({"$schema": "http://json-schema.org/draft-04/schema#", "const": 1, "maximum": 5}, [2], [6]),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "good", "bad"), CASES)
def test_a_value_keeps_a_schema_or_breaks_it_as_the_draft_says(schema, good, bad):
    validator = compiled(schema)
    assert [value for value in good if validator.problem(value, ValidationRun()) is not None] == []
    assert [value for value in bad if validator.problem(value, ValidationRun()) is None] == []


@pytest.mark.parametrize(
    ("schema", "value", "where"),
    [
        ({"properties": {"a": {"items": {"type": "null"}}}}, {"a": [None, 1]}, "properties/a/items/type"),
        ({"additionalProperties": False}, {"secret": 1}, "additionalProperties"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"minimum": 5}}}, 1, "minimum"),
        ({"anyOf": [{"type": "null"}, {"type": "array"}]}, 1, "anyOf"),
        ({"allOf": [{}, {"required": ["x"]}]}, {}, "allOf/1/required"),
        (False, 1, ""),
    ],
)
def test_the_place_is_named_by_the_schema_and_quotes_nothing_of_the_value(schema, value, where):
    assert problem(schema, value) == where


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"properties": {"a": {"type": "nope"}}}, "at /properties/a/type: 'nope' is no type"),
        ({"items": {"minLength": -1}}, "at /items/minLength: must be a whole number, not below 0"),
        ({"required": "a"}, "at /required: must be a list of strings"),
        ({"allOf": {}}, "at /allOf: must be a list of schemas"),
        ({"properties": {"a": 5}}, "at /properties/a: must be a schema"),
        ({"pattern": "(?=a)"}, "at /pattern: cannot be used: it is wrong, large, or has look-around"),
        ({"pattern": "("}, "at /pattern: cannot be used"),
        ({"$ref": "http://x.test/other"}, "at /$ref: 'http://x.test/other' is not in this schema"),
        ({"$ref": "#/nowhere"}, "at /$ref: '#/nowhere' leads to no schema"),
        ({"$ref": "#"}, "at /$ref: leads to another reference without end"),
        ({"multipleOf": 0}, "at /multipleOf: must be above 0"),
        ([], "a schema is a mapping, true or false"),
    ],
)
def test_a_schema_that_cannot_be_used_is_an_error_that_names_the_place(schema, why):
    with pytest.raises(SchemaError) as caught:
        compiled(schema)
    assert str(caught.value).startswith(why)


def test_names_that_look_like_keywords_are_names():
    schema = {"properties": {"$ref": {"type": "string"}, "$id": {"enum": [{"$id": "http://x.test/"}]}}, "const": {}}
    assert keeps(schema, {})
    assert keeps({"properties": {"$ref": {"$ref": "#/$defs/s"}}, "$defs": {"s": {"type": "null"}}}, {"$ref": None})


def test_ecmascript_is_written_for_re2():
    assert translated(r"\u00e0\u{1F600}\cJ\p{Letter}\d\\u0041[\s]\S") == (
        r"\x{00e0}\x{1F600}\x{0a}\p{L}\d\\u0041[\s\v\p{Z}\x{FEFF}][^\s\v\p{Z}\x{FEFF}]"
    )


# Agreement with another implementation, on small schemas that use everything.

NAMES = st.sampled_from(["a", "b", "ab"])
SCALARS = st.sampled_from([None, True, False, 0, 1, 2, -1, 1.0, 0.5, 1.5, "", "a", "ab", "abc"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
COUNTS = st.integers(0, 3)
FLAT = {
    "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
    "enum": st.lists(VALUES, min_size=1, max_size=3, unique_by=repr),
    "minimum": COUNTS, "maximum": COUNTS, "multipleOf": st.sampled_from([1, 2, 0.5]),
    "minLength": COUNTS, "maxLength": COUNTS, "pattern": st.sampled_from(["^a", "b$", "^$", "a.c"]),
    "minItems": COUNTS, "maxItems": COUNTS, "uniqueItems": st.booleans(),
    "minProperties": COUNTS, "maxProperties": COUNTS, "required": st.lists(NAMES, min_size=1, max_size=2, unique=True),
}  # fmt: skip
SINCE_6 = {"const": VALUES, "exclusiveMinimum": COUNTS, "exclusiveMaximum": COUNTS}
PATTERNS = st.sampled_from(["^a", "b$", "."])


def schemas(draft):
    """Schemas of a draft, with references to themselves."""
    since = [one.name for one in reversed(DRAFTS)].index(draft)
    flat = FLAT | (SINCE_6 if since else {"exclusiveMinimum": st.booleans(), "exclusiveMaximum": st.booleans()})
    if since >= 3:
        flat |= {"dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, max_size=2, unique=True), max_size=1)}

    def nested(inner):
        one, several = inner | st.booleans() if since else inner, st.lists(inner, min_size=1, max_size=3)
        named = st.dictionaries(NAMES, one, max_size=2)
        keywords = {
            "properties": named, "patternProperties": st.dictionaries(PATTERNS, one, max_size=2),
            "additionalProperties": one, "allOf": several, "anyOf": several, "oneOf": several, "not": one,
        }  # fmt: skip
        lists = {"items": one, "prefixItems": several}
        keywords |= lists if since == 4 else {"items": inner | several, "additionalItems": one}
        keywords |= {"contains": one, "propertyNames": one} if since else {}
        keywords |= {"if": one, "then": one, "else": one} if since >= 2 else {}
        if since >= 3:
            keywords |= {
                "dependentSchemas": named, "unevaluatedItems": one, "unevaluatedProperties": one,
                "minContains": COUNTS, "maxContains": COUNTS,
            }  # fmt: skip
        else:
            needed = st.lists(NAMES, min_size=1, max_size=2, unique=True)
            keywords["dependencies"] = st.dictionaries(NAMES, inner | needed, max_size=1)
        return st.fixed_dictionaries({}, optional=keywords | {"type": flat["type"], "required": flat["required"]})

    leaf = st.fixed_dictionaries({}, optional=flat)
    around = {"$schema": DRAFT_URIS[draft]}
    roots = st.recursive(leaf | st.just({"$ref": "#/definitions/x"}), nested, max_leaves=8)
    return st.builds(lambda root, x: {**root, "definitions": {"x": x}, **around}, roots, leaf)


@pytest.mark.parametrize("draft", list(DRAFT_URIS))
@given(data=st.data())
@settings(max_examples=60)
def test_another_implementation_says_the_same(draft, data):
    schema, value = data.draw(schemas(draft)), data.draw(VALUES)
    assume(draft != "draft 4" or "1.0" not in json.dumps(value))  # an integer here, whatever the draft
    other = jsonschema.validators.validator_for(schema, default=None)(schema)
    assert keeps(schema, value) == other.is_valid(value), (schema, value)


# Bounds: each of these is told within the steps, or given up as over budget, in little memory.


def tower(keyword, levels, ground):
    """Levels of a keyword with two references to the next one: 2 ** levels ways to the ground."""
    refs = [{keyword: [{"$ref": f"#/$defs/d{level + 1}"}] * 2} for level in range(levels)]
    return {"$ref": "#/$defs/d0", "$defs": {f"d{level}": one for level, one in enumerate([*refs, ground])}}


def nested(value, levels, around):
    for _ in range(levels):
        value = around(value)
    return value


KINDS = ("row", "column", "card", "list")
TEXT = {
    "type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}, "additionalProperties": False
}  # fmt: skip
UI = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {"anyOf": [*({"$ref": f"#/$defs/{kind}"} for kind in KINDS), {"$ref": "#/$defs/text"}]},
        "text": TEXT,
    }
    | {
        kind: {
            "type": "object",
            "required": ["type", "children"],
            "properties": {"type": {"const": kind}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
            "additionalProperties": False,
        }
        for kind in KINDS
    },
}
BRANCH = {"l": {"$ref": "#/$defs/n"}, "r": {"$ref": "#/$defs/n"}}
TREE = {
    "$ref": "#/$defs/n",
    "$defs": {
        "n": {
            "anyOf": [
                {"type": "null"},
                {"type": "object", "required": ["v"], "properties": {"v": {"type": "integer"}, **BRANCH}},
                {"type": "object", "properties": BRANCH, "required": ["x"]},
            ]
        }
    },
}


def ui(levels, leaf):
    return nested({"text": leaf}, levels, lambda inner: {"type": "row", "children": [inner, {"text": "ok"}]})


def test_trees_and_towers_are_told_in_time_linear_in_their_size():
    for levels in (9, 20, 40):
        run = ValidationRun()
        validator = compiled(UI)
        assert validator.problem(ui(levels, 5), run) == "anyOf"
        assert validator.problem(ui(levels, "fine"), run) is None
        assert run.left > STEPS - 100 * levels
    deep = nested({"v": "bad"}, 40, lambda inner: {"v": 1, "l": inner, "r": None})
    assert problem(TREE, deep) == "anyOf"
    assert keeps(tower("allOf", 40, {}), {})
    assert keeps(tower("anyOf", 40, {"type": "object"}), {})
    assert not keeps(tower("anyOf", 40, {"type": "string"}), {})
    assert not keeps(tower("oneOf", 40, {}), {})


COSTLY = {
    "two that refer to each other": ({"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"$ref": "#"}]}}}, 1),
    "a deep value": ({"items": {"$ref": "#"}}, nested([], 900, lambda inner: [inner])),
    "many values": ({"items": {"type": "integer", "minimum": 0}}, list(range(200_000))),
    "many objects to tell apart": ({"uniqueItems": True}, [{"a": number} for number in range(50_000)]),
    "numbers whose hashes are equal": (
        {"uniqueItems": True}, [number * (2**61 - 1) for number in range(60_000)]
    ),
    "a long text and a pattern of many states": ({"pattern": "a[ab]{500}c"}, "ab" * 100_000),
    "many patterns for many names": (
        {"patternProperties": {f"a{number}": {"type": "null"} for number in range(300)}},
        {f"b{number}": 1 for number in range(3000)},
    ),
    "exact division": ({"items": {"multipleOf": 1e-300}}, [1e300] * 50_000),
    "items that others evaluate": (
        {"anyOf": [{"contains": {"const": number}} for number in range(400)], "unevaluatedItems": False},
        list(range(20_000)),
    ),
    "values to be equal, at every level": (
        {"enum": [[]], "$defs": {"n": {"not": {"const": [0]}, "items": {"$ref": "#/$defs/n"}}},
         "anyOf": [{"$ref": "#/$defs/n"}]} | {"enum": [nested([], 150, lambda inner: [inner, "x" * 3000])]},
        nested([], 150, lambda inner: [inner, "x" * 3000]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", COSTLY)
def test_what_would_take_long_is_given_up_in_little_memory(kind):
    schema, value = COSTLY[kind]
    tracemalloc.start()
    try:
        with pytest.raises(BudgetError):
            problem(schema, value)
        assert tracemalloc.get_traced_memory()[1] < 60 << 20
    finally:
        tracemalloc.stop()


LARGE = {
    "many schemas": {"allOf": [{"minimum": number} for number in range(20_000)]},
    "many patterns": {"allOf": [{"pattern": f"a{number}{{100}}"} for number in range(2000)]},
    "patterns of whole alphabets": {"allOf": [{"pattern": rf"\pL{{10}}{number}"} for number in range(1000)]},
    "many names": {"allOf": [{"$id": f"x{number}/", "type": "null"} for number in range(10_000)]},
    "many references": {"allOf": [{"$ref": f"#/allOf/{(number * 7 + 1) % 9000}"} for number in range(9000)]},
    "dynamic references in many resources": {
        "$dynamicAnchor": "m", "allOf": [{"$dynamicRef": "#m"} for _ in range(2000)],
        "$defs": {f"x{number}": {"$id": f"http://x.test/{number}", "$dynamicAnchor": "m"} for number in range(4000)},
    },
    "large values": {"enum": [[[number]] for number in range(60_000)]},
    "a long name above many": {
        "properties": {"n" * 100_000: {"properties": {f"p{number}": {"type": "nope"} for number in range(5000)}}}
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", LARGE)
def test_a_schema_that_would_take_long_to_compile_is_given_up_in_little_memory(kind):
    tracemalloc.start()
    try:
        with pytest.raises((BudgetError, SchemaError)):
            compiled(LARGE[kind])
        assert tracemalloc.get_traced_memory()[1] < 60 << 20
    finally:
        tracemalloc.stop()


WORDS = ["type", "items", "properties", "$ref", "#", "#/properties/a", "allOf", "$id", "anyOf", "a", "pattern", "enum",
         "required", "$dynamicRef", "unevaluatedItems", "if", "not", "const", "minimum", "dependencies"]  # fmt: skip


def scrambled(chance, levels):
    kind = chance.random()
    if levels == 0 or kind < 0.3:
        return chance.choice([None, True, 0, -1, 1.5, "object", "#", *WORDS])
    if kind < 0.45:
        return [scrambled(chance, levels - 1) for _ in range(chance.randrange(3))]
    return {chance.choice(WORDS): scrambled(chance, levels - 1) for _ in range(chance.randrange(4))}


def test_whatever_a_schema_holds_it_is_used_or_refused():
    chance = random.Random(1)
    for _ in range(3000):
        schema, value = scrambled(chance, 5), scrambled(chance, 4)
        try:
            problem(schema, value)
        except (SchemaError, BudgetError):
            continue


def test_a_schema_and_a_value_of_usual_size_are_far_within_the_budget():
    schema = {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "maxLength": 100},
                "tags": {"type": "array", "items": {"enum": ["a", "b", "c"]}},
                "at": {"$ref": "#/$defs/point"},
            },
            "required": ["name", "at"],
            "additionalProperties": False,
        },
        "$defs": {"point": {"type": "object", "properties": {"x": {"type": "number", "minimum": 0}}}},
    }
    value = [{"name": f"n{number}", "tags": ["a", "c"], "at": {"x": number}} for number in range(1000)]
    run = ValidationRun()
    assert compiled(schema).problem(value, run) is None
    assert run.left > STEPS // 2
    assert compiled({"properties": {f"p{number}": {"type": "string"} for number in range(5000)}}).steps < STEPS
