"""Validates a config file against its JSON schema, with messages of our own. Knows the schemas, not the settings."""

import json
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker
from msgspec import Struct

from ..redaction import compiled
from ..rules.slo import minutes
from ..runtime.mismatch import closest
from . import units
from .configfile import Part, Problem

CONFIG: Final = "config.schema.json"
RUBRIC: Final = "rubric.schema.json"
_FORMATS: Final[dict[str, Callable[[str], object]]] = {
    "duration": units.duration,
    "birth": units.birth,
    "size": units.size,
    "address": units.address,
    "grpc": units.grpc,
    "glob": units.glob,
    "variable": units.variable,
    "attribute": units.attribute,
    "store": units.store,
    "schema": units.schema,
    "window": minutes,
    "burn_window": units.burn_window,
    "job": units.job,
    "place_label": units.place_label,
    "matchers": units.matchers,
    "url": units.url,
    "trace_url": units.trace_url,
    "rubric": units.rubric,
    "origin": units.origin,
    "host": units.host,
    "placeholder": units.placeholder,
    "pattern": compiled,
}
_NOUNS: Final = {
    "duration": 'a duration such as "30s"',
    "birth": 'auto, never, or a duration such as "75s"',
    "size": 'a size such as "64MiB"',
    "address": 'an address such as "127.0.0.1:4318"',
    "grpc": 'auto, none, or an address such as "127.0.0.1:4317"',
    "object": "a mapping of keys to values",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
_Fault = tuple[Part, str, list[str | int]]


class _Mismatch(Struct, frozen=True):
    keyword: str
    expected: Any
    found: Any
    schema: dict[str, Any]
    detail: str


def check(root: Part, name: str, schema: str = CONFIG) -> list[Problem]:
    """Every way in which the file's values are not of the right shape; parts that are not are taken out of ``root``."""
    faults = list(_faults(root, schema))
    problems = [part.problem(name, message) for part, message, _ in faults if message]
    while faults and root.value:
        for parent, part in [(root.find(*steps[:-1]), part) for part, message, steps in faults if message and steps]:
            if parent:
                parent.discard(part)
        for part, message, steps in faults:
            if not message or not steps:
                part.value = {}
        faults = list(_faults(root, schema))
    return problems


def _faults(root: Part, schema: str) -> Iterator[_Fault]:
    """What is wrong: the part, a message (none where an empty section merely means its default), and the way to it."""
    validator = _validator(schema)
    incomplete: list[Part] = []
    for error in validator.iter_errors(root.plain()):
        steps: list[str | int] = list(error.absolute_path)
        mismatch = _mismatch(error)
        bounded = mismatch.keyword in ("minimum", "maximum")
        if bounded and not validator.is_type(mismatch.found, mismatch.schema["type"]):
            continue  # its type is wrong, which is said already
        if "propertyNames" in error.absolute_schema_path:
            steps.append(mismatch.found)
        part = root.find(*steps) or root
        if mismatch.keyword == "required":
            if part not in incomplete:  # the library repeats itself for each key, and names it in its text alone
                missing = [key for key in mismatch.expected if key not in mismatch.found]
                yield from ((part, f'"{key}" is missing', steps) for key in missing)
            incomplete.append(part)
        elif mismatch.keyword == "additionalProperties":
            yield from _unknown_keys(part, mismatch.schema["properties"], steps)
        else:
            yield part, _EXPLAIN[mismatch.keyword](mismatch), steps


def _mismatch(error: Any) -> _Mismatch:  # the library's own types say Unset where there never is one
    return _Mismatch(error.validator, error.validator_value, error.instance, error.schema, str(error.cause or ""))


def _unknown_keys(part: Part, known: dict[str, Any], steps: list[str | int]) -> Iterator[_Fault]:
    for key in part.value.keys() - known.keys():
        yield part.value[key], f'unknown key "{key}"; {closest(key, known)}', [*steps, key]


def _wrong_type(it: _Mismatch) -> str:
    if it.found is None and it.expected == "object":
        return ""
    noun = _NOUNS.get(it.schema.get("format", ""), _NOUNS[it.expected])
    quoted = noun == "text" and isinstance(it.found, bool | int | float)
    return f"expected {noun}, found {_shown(it.found)}{': put it in quotes' if quoted else ''}"


def _shown(value: Any) -> str:
    """The kind of a value, and the value itself only where it cannot be a secret in the wrong place."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    return {"str": "text", "list": "a list", "dict": "a mapping"}[type(value).__name__]


def _not_listed(it: _Mismatch) -> str:
    if not isinstance(it.found, str):
        return f"expected one of {', '.join(it.expected)}, found {_shown(it.found)}"
    return f'"{it.found}" is not possible; {closest(it.found, it.expected)}'


def _repeated(it: _Mismatch) -> str:
    twice = next(item for item in it.found if it.found.count(item) > 1)
    return f'"{twice}" is listed twice: keep one'


def _outside(it: _Mismatch) -> str:
    return f"must be at {'least' if it.keyword == 'minimum' else 'most'} {it.expected}, found {it.found}"


def _empty(_: _Mismatch) -> str:
    return "must not be empty: give a value, or leave the key out"


_EXPLAIN: Final[dict[str, Callable[[_Mismatch], str]]] = {
    "type": _wrong_type,
    "enum": _not_listed,
    "uniqueItems": _repeated,
    "format": lambda it: it.detail,
    "minimum": _outside,
    "maximum": _outside,
    "minItems": _empty,
    "minLength": _empty,
    "maxLength": lambda it: f"must have at most {it.expected} characters, found {len(it.found)}",
}


@cache
def _validator(schema: str) -> Draft202012Validator:
    content = json.loads(Path(__file__).with_name(schema).read_text("utf-8"))
    checker = FormatChecker(())
    for name, parse in _FORMATS.items():
        checker.checks(name, raises=ValueError)(partial(_reads, parse))
    return Draft202012Validator(content, format_checker=checker)


def _reads(parse: Callable[[str], object], value: object) -> bool:
    return not isinstance(value, str) or parse(value) is not None
