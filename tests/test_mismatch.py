"""Why a value is refused: the place and the reason, in words that no library chooses."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from exporter.runtime.mismatch import closest, ends_early, of_json, of_pattern, of_value


class Inner(Struct, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=3)]
    kind: Literal["up", "down"] = "up"


class Outer(Struct, rename="camel"):
    inner_one: Inner
    items: list[Inner | str] = []
    by_name: dict[str, Inner] = {}
    count: Annotated[int, Meta(ge=0, le=10)] = 0
    key: Annotated[str, Meta(pattern="^k", description="a name that begins with k")] = "k"
    at: float | datetime | None = None
    raw: bytes = b""
    anything: Any = None


GOOD = {"innerOne": {"name": "a"}}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([], "expected an object, found a list"),
        (None, "expected an object, found null"),
        ({}, '"innerOne" is missing'),
        ({"innerOne": 3}, "innerOne: expected an object, found a whole number"),
        ({"innerOne": {"nme": "a"}}, 'innerOne: unknown field "nme"; did you mean "name"?'),
        ({"innerOne": {"name": ""}}, "innerOne.name: expected text of 1 to 3 characters"),
        ({"innerOne": {"name": "a", "kind": "dwn"}}, 'innerOne.kind: no such value; did you mean "down"?'),
        ({"innerOne": {"name": "a", "kind": 1}}, "innerOne.kind: expected one of up, down, found a whole number"),
        (GOOD | {"items": {}}, "items: expected a list, found an object"),
        (GOOD | {"items": ["x", {"name": "abcd"}]}, "items[1].name: expected text of 1 to 3 characters"),
        (GOOD | {"items": ["x", 7.5]}, "items[1]: expected an object or text, found a number"),
        (GOOD | {"byName": {"x": {}}}, 'byName.x: "name" is missing'),
        (GOOD | {"count": 11}, "count: expected a whole number from 0 to 10"),
        (GOOD | {"count": True}, "count: expected a whole number from 0 to 10, found true or false"),
        (GOOD | {"key": "x"}, "key: expected a name that begins with k"),
        (GOOD | {"at": "soon"}, "at: expected a number or a time such as 2026-01-31T12:00:00Z"),
        (GOOD | {"raw": "*"}, "raw: expected text in base64"),
    ],
)
def test_the_first_thing_that_is_wrong_is_told_with_its_place(value, told):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(value, Outer)
    assert str(of_value(value, Outer)) == told
    assert str(of_json(json.dumps(value).encode(), Outer)) == told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not valid JSON (line 1, column 1)"),
        (b'{"a":\n  }', "not valid JSON (line 2, column 3)"),
        (b"NaN", "not valid JSON"),
        (b'"\xff"', "not UTF-8; encode the text as UTF-8"),
        (b"[" * 60_000, "nested too deeply; send plain values"),
        (b"[" + b"1," * 40_000 + b"1]", "not JSON of the form that is expected; send less at once to be told where"),
    ],
)
def test_json_that_cannot_be_read_is_told_apart(content, told):
    assert str(of_json(content, Outer)) == told


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["innerOne", "items", "byName", "name", "kind", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_every_value_that_is_refused_has_a_reason(value):
    try:
        msgspec.convert(value, Outer)
    except msgspec.ValidationError:
        assert "has the form" not in of_value(value, Outer).message
        assert of_value(value, Outer).message != "does not have the form that is expected"


def test_the_closest_word_is_offered_else_all_are():
    assert closest("gren", ["red", "green"]) == 'did you mean "green"?'
    assert closest("x", ["red", "green"]) == "known: green, red"
    assert closest("x", []) == "known: none"


def test_a_pattern_that_is_refused_is_told_by_its_place():
    assert of_pattern("ab(c") == "cannot be read from its character 3 on"
    assert of_pattern("(?=a)") == "has what is not allowed, such as look-around or a back-reference"


WHOLE = '{"a": [1, -2.5, true, null], "b\\u00e9": "c\\"d", "e": {"f": false}}'


@pytest.mark.parametrize("length", range(1, len(WHOLE)))
def test_a_beginning_of_json_ends_early(length):
    assert ends_early(WHOLE[:length])


@pytest.mark.parametrize(
    "text", [WHOLE, "no JSON", "{'a': 1}", '{"a": x}', '{"a": 1} {', "[1, 2,, 3]", '["a" "b"', "Sure: {"]
)
def test_what_is_whole_or_wrong_does_not_end_early(text):
    assert not ends_early(text)
