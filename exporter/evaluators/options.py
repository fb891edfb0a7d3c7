"""An evaluator's options: its keyword parameters and their type hints; knows nothing of any evaluator."""

import inspect
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Struct

from ..runtime import mismatch

NO_DEFAULT = inspect.Parameter.empty
"""The default of an option that must be given."""


class Option(Struct, frozen=True):
    """One keyword parameter: its name, its type and its default."""

    name: str
    type: Any
    default: Any


class OptionError(ValueError):
    """Options that are wrong: ``problems`` are (option, message), all of them at once."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{name}: {text}" if name else text for name, text in problems))


def declared(function: Callable[..., Any]) -> tuple[Option, ...]:
    """Every keyword-only parameter; TypeError where the function does not take one trace and keywords alone."""
    parameters = list(inspect.signature(function).parameters.values())
    keywords = [one for one in parameters if one.kind is one.KEYWORD_ONLY]
    positional = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    if len(positional) != 1 or len(keywords) + 1 != len(parameters):
        raise TypeError("takes other than one trace and keyword-only options")
    return tuple(Option(one.name, _hint(function, one.annotation), one.default) for one in keywords)


def bind(options: Iterable[Option], given: Mapping[str, Any]) -> dict[str, Any]:
    """The given values, checked and converted to the options' types; OptionError with all that is wrong."""
    known = {option.name: option for option in options}
    problems: list[tuple[str, str]] = []
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            names = ", ".join(known) or "none"
            problems.append((str(name), f"no such option; the options are: {names}"))
            continue
        try:
            values[name] = msgspec.convert(value, known[name].type, dec_hook=_parse)
        except (msgspec.ValidationError, ValueError, TypeError):
            problems.append((name, str(mismatch.of_value(value, known[name].type, dec_hook=_parse))))
    missing = [one.name for one in known.values() if one.default is NO_DEFAULT and one.name not in given]
    problems += [(name, "must be given") for name in missing]
    if problems:
        raise OptionError(problems)
    return values


def changed(options: Iterable[Option], given: Mapping[str, Any], bound: Mapping[str, Any]) -> dict[str, Any]:
    """The options whose value is not the default, as plain values that say the same in every process.

    A value of a type with ``identity`` (such as a schema in a file) is told by that, any other as it was given.
    """
    defaults = {option.name: option.default for option in options}
    return {
        name: _identity(value, given[name])
        for name, value in bound.items()
        if not _same(value, defaults.get(name, NO_DEFAULT))
    }


def digest(values: Mapping[str, Any]) -> str:
    """Six hexadecimal digits that stand for the values."""
    return blake2b(msgspec.json.encode(values, order="sorted", enc_hook=str), digest_size=3).hexdigest()


def _same(value: Any, default: Any) -> bool:
    if isinstance(value, list | tuple) and isinstance(default, list | tuple):
        return list(value) == list(default)
    return bool(value == default)


def _identity(value: Any, given: Any) -> Any:
    if isinstance(value, list | tuple) and isinstance(given, list | tuple):
        return [_identity(*pair) for pair in zip(value, given, strict=True)]
    return getattr(value, "identity", given)


def show_type(hint: Any) -> str:
    """A type as people write it in a configuration file."""
    if hint is Any:
        return "any"
    if hint is type(None):
        return "null"
    origin, inside = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " | ".join(str(one) for one in inside)
    if origin in (Union, types.UnionType):
        return " | ".join(show_type(one) for one in inside)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "mapping"
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return f"list of {show_type(inside[0])}"
    return str(getattr(hint, "option_type", None) or getattr(hint, "__name__", hint))


def show_default(value: Any) -> str:
    """A default as people write it in a configuration file."""
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(show_default, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _hint(function: Callable[..., Any], annotation: Any) -> Any:
    if annotation is inspect.Parameter.empty:
        return Any
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, getattr(function, "__globals__", {}))  # noqa: S307 - the plugin's own source text
    except Exception:  # noqa: BLE001 - such as a name that exists for type checkers alone: the option goes unchecked
        return Any


def _parse(kind: type, value: Any) -> Any:
    parse = getattr(kind, "parse", None)
    if parse is None:
        raise ValueError(f"options of type {kind.__name__} cannot be written in a configuration")
    return parse(value)
