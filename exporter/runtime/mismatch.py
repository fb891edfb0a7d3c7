"""A value and the type that rejects it → place and message of the error; knows types, not their use.

msgspec says only that a value is refused; its texts change from release to release and are shown to nobody.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Self, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Raw, Struct

_LONGEST_NAME: Final = 100
_LARGEST: Final = 1 << 16
"""Bytes of JSON in which the place of a fault is looked for: that takes several times as long as to read them."""
_UNFINISHED: Final = re.compile(
    r"""\s*|"(?:[^"\\\x00-\x1f]|\\.)*\\?|\\?u?[0-9a-fA-F]{0,4}|-|\.|[eE][+-]?|tr?u?|fa?l?s?|nu?l?""",
    re.DOTALL,
)
"""What Python's reader of JSON stops at where a text breaks off: its end, a string, an escape, a number, a word."""
_NOUNS: Final[Mapping[Any, str]] = {
    bool: "true or false",
    bytes: "text in base64",
    datetime: "a time such as 2026-01-31T12:00:00Z",
    float: "a number",
    int: "a whole number",
    str: "text",
    NoneType: "null",
}
_FOUND: Final[Mapping[type, str]] = {
    bool: "true or false", dict: "an object", float: "a number", int: "a whole number", list: "a list",
    NoneType: "null", str: "text",
}  # fmt: skip


class Mismatch(Struct, frozen=True):
    """The error; ``place`` is the path from the value on, such as ``.tokens.input`` or ``[3]``."""

    place: str
    message: str

    def at(self, place: str) -> str:
        """Return the message behind the place, which begins with that of the value itself, such as ``$``."""
        return f"{place}{self.place}: {self.message}"

    def below(self, step: str) -> Self:
        """The same, seen from one level further up."""
        return msgspec.structs.replace(self, place=f"{step}{self.place}")

    def __str__(self) -> str:
        return f"{self.place.removeprefix('.')}: {self.message}" if self.place else self.message


def of_json(content: bytes | Raw, kind: Any, **options: Any) -> Mismatch:
    """Why JSON is refused as a value of a type; very large JSON gets a general answer."""
    if len(bytes(content)) > _LARGEST:
        return Mismatch("", "not JSON of the form that is expected; send less at once to be told where")
    try:
        bytes(content).decode()
        value = msgspec.json.decode(content)
    except RecursionError:
        return Mismatch("", "nested too deeply; send plain values")
    except UnicodeDecodeError:
        return Mismatch("", "not UTF-8; encode the text as UTF-8")
    except msgspec.DecodeError:
        return Mismatch("", f"not valid JSON{_syntax(bytes(content))}")
    return of_value(value, kind, **options)


def of_value(value: Any, kind: Any, **options: Any) -> Mismatch:
    """Why a plain value is refused by ``msgspec.convert``; ``options`` are those that it was called with."""
    try:
        return _Check(options).fault(value, kind) or Mismatch("", "does not have the form that is expected")
    except RecursionError:
        return Mismatch("", "nested too deeply; send plain values")


def closest(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the known word that was meant, or all of them."""
    words = sorted(known)
    near = get_close_matches(word[:_LONGEST_NAME], words, n=1)
    return f'did you mean "{near[0]}"?' if near else f"known: {', '.join(words) or 'none'}"


def of_pattern(pattern: str) -> str:
    """Return what is wrong with a regular expression that was refused: where, or that it has what is not allowed."""
    try:
        re.compile(pattern)
    except re.error as error:
        return "cannot be read" if error.pos is None else f"cannot be read from its character {error.pos + 1} on"
    return "has what is not allowed, such as look-around or a back-reference"


def _syntax(content: bytes) -> str:
    """Where JSON ends to be JSON, as `` (line 3, column 5)``; nothing where Python's own reader takes it."""
    try:
        json.loads(content)
    except json.JSONDecodeError as error:
        return f" (line {error.lineno}, column {error.colno})"
    except (ValueError, RecursionError):
        pass
    return ""


def ends_early(text: str) -> bool:
    """Whether a text that is not JSON would be the beginning of JSON: it breaks off at its end."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return _UNFINISHED.fullmatch(text, error.pos) is not None
    except (ValueError, RecursionError):
        pass
    return False


class _Check(Struct, frozen=True):
    """Walks a value and its type down to the first place that does not fit."""

    options: Mapping[str, Any]

    def fault(self, value: Any, kind: Any) -> Mismatch | None:
        if self._fits(value, kind):
            return None
        plain, _ = _without_rules(kind)
        if _is_struct(plain) and isinstance(value, dict):
            return self._in_object(value, plain) or _unexpected(value, kind)
        if get_origin(plain) in (Union, UnionType):
            return self._in_union(value, plain)
        if isinstance(value, list | tuple) and (inside := _items(plain)):
            return self._first(((f"[{at}]", one, inside) for at, one in enumerate(value))) or _unexpected(value, kind)
        if isinstance(value, dict) and len(inside := get_args(plain)) == 2:
            return self._in_mapping(value, *inside) or _unexpected(value, kind)
        return _unlisted(value, plain) or _unparsed(value, plain) or _unexpected(value, kind)

    def _fits(self, value: Any, kind: Any) -> bool:
        try:
            msgspec.convert(value, kind, str_keys=True, **self.options)
        except (msgspec.ValidationError, ValueError, TypeError):
            return False
        return True

    def _first(self, parts: Iterable[tuple[str, Any, Any]]) -> Mismatch | None:
        found = ((step, self.fault(value, kind)) for step, value, kind in parts)
        return next((fault.below(step) for step, fault in found if fault), None)

    def _in_object(self, value: dict[str, Any], kind: Any) -> Mismatch | None:
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        if kind.__struct_config__.forbid_unknown_fields and (unknown := [name for name in value if name not in fields]):
            return Mismatch("", f'unknown field "{unknown[0][:_LONGEST_NAME]}"; {closest(unknown[0], fields)}')
        if missing := [name for name, field in fields.items() if field.required and name not in value]:
            return Mismatch("", f'"{missing[0]}" is missing')
        given = ((_step(name), value[name], field.type) for name, field in fields.items() if name in value)
        return self._first(given)

    def _in_mapping(self, value: dict[str, Any], name: Any, item: Any) -> Mismatch | None:
        wrong = next((fault for key in value if (fault := self.fault(key, name))), None)
        if wrong:
            return Mismatch("", f"a name in it: {wrong.message}")
        return self._first((_step(key), one, item) for key, one in value.items())

    def _in_union(self, value: Any, kind: Any) -> Mismatch:
        """The fault in the one alternative that the value was meant for; else what all of them are."""
        alternatives = get_args(kind)
        meant = [one for one in alternatives if _is_meant(value, one)]
        fault = self.fault(value, meant[0]) if len(meant) == 1 else None
        return fault or _unexpected(value, kind)


def _step(name: str) -> str:
    return f".{name[:_LONGEST_NAME]}"


def _without_rules(kind: Any) -> tuple[Any, list[Meta]]:
    if get_origin(kind) is not Annotated:
        return kind, []
    plain, *rules = get_args(kind)
    return plain, [rule for rule in rules if isinstance(rule, Meta)]


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _items(kind: Any) -> Any:
    """The type of a list's items, or None where the type is no list."""
    origin = get_origin(kind)
    if not (isinstance(origin, type) and issubclass(origin, Sequence | set | frozenset)):
        return None
    return next((one for one in get_args(kind) if one is not Ellipsis), None)


def _is_meant(value: Any, kind: Any) -> bool:
    plain, _ = _without_rules(kind)
    if hasattr(plain, "parse"):
        return value is not None
    if isinstance(value, dict):
        origin = get_origin(plain)
        return _is_struct(plain) or (isinstance(origin, type) and issubclass(origin, Mapping))
    if isinstance(value, list):
        return _items(plain) is not None
    if get_origin(plain) is Literal:
        return type(value) in {type(one) for one in get_args(plain)}
    return plain is type(value) or (plain, type(value)) == (float, int)


def _unparsed(value: Any, kind: Any) -> Mismatch | None:
    """What a type of ours or of a plugin says itself of a text that it cannot parse."""
    try:
        getattr(kind, "parse", bool)(value)
    except (ValueError, TypeError) as error:
        return Mismatch("", str(error))
    return None


def _unlisted(value: Any, kind: Any) -> Mismatch | None:
    """A word that is none of those that are allowed; it is not repeated, because it may be any text."""
    if get_origin(kind) is not Literal or not isinstance(value, str):
        return None
    return Mismatch("", f"no such value; {closest(value, map(str, get_args(kind)))}")


def _unexpected(value: Any, kind: Any) -> Mismatch:
    """What would be right, and what it is instead, unless only a rule beside its type is broken."""
    found = "" if _is_of(value, kind) else f", found {_FOUND.get(type(value), 'something else')}"
    return Mismatch("", f"expected {_expected(kind)}{found}")


def _is_of(value: Any, kind: Any) -> bool:
    plain, _ = _without_rules(kind)
    if get_origin(plain) in (Union, UnionType):
        return any(_is_of(value, one) for one in get_args(plain))
    return _is_meant(value, plain) or (plain in (bytes, datetime) and isinstance(value, str))


def _expected(kind: Any) -> str:
    """What a type admits, as people say it."""
    plain, rules = _without_rules(kind)
    described = next((rule.description for rule in rules if rule.description), None)
    unit = "characters" if plain is str else "entries"
    return described or " ".join([_noun(plain), *(part for rule in rules for part in _bounds(rule, unit))])


def _noun(kind: Any) -> str:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        alternatives = dict.fromkeys(_expected(one) for one in get_args(kind) if one is not NoneType)
        return " or ".join(alternatives)
    if origin is Literal:
        return "one of " + ", ".join(map(str, get_args(kind)))
    if _items(kind) is not None or kind in (list, tuple, set):
        return "a list"
    if _is_struct(kind) or kind is dict or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return "an object"
    return _NOUNS.get(kind, getattr(kind, "option_type", None) or "another value")


def _bounds(rule: Meta, unit: str) -> Iterator[str]:
    if rule.ge is not None and rule.le is not None:
        yield f"from {_number(rule.ge)} to {_number(rule.le)}"
    elif rule.ge is not None:
        yield f"of at least {_number(rule.ge)}"
    elif rule.le is not None:
        yield f"of at most {_number(rule.le)}"
    if rule.min_length and rule.max_length is not None:
        yield f"of {rule.min_length} to {_number(rule.max_length)} {unit}"
    elif rule.min_length:
        yield f"of at least {_number(rule.min_length)} {unit}" if rule.min_length > 1 else "that is not empty"
    elif rule.max_length is not None:
        yield f"of at most {_number(rule.max_length)} {unit}"
    if rule.tz:
        yield "with a time zone"


def _number(value: float) -> str:
    return f"{value:,.15g}"
