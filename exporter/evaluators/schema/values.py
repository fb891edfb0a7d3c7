"""JSON values as JSON Schema compares them: 1 is 1.0, and true is not 1; in time linear in their size."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import msgspec

from .budget import DEEPEST, BudgetError, ValidationRun

_EXACT = 1 << 53
_BYTES_PER_STEP = 64
_DIVISION = 50


def key(value: Any, run: ValidationRun) -> bytes:
    """Bytes that two values share if and only if they are equal."""
    if type(value) is not dict and type(value) is not list:
        return _encoded(value, run)
    known = run.keys.get(id(value))
    if known is None:
        known = run.keys[id(value)] = _encoded(_plain(value, run, 0), run)
    return known


def _encoded(value: Any, run: ValidationRun) -> bytes:
    encoded = msgspec.json.encode(
        _number(value) if type(value) in (int, float) else value, order="sorted", enc_hook=str
    )
    run.spend(1 + len(encoded) // _BYTES_PER_STEP)
    return encoded


def _plain(value: Any, run: ValidationRun, depth: int) -> Any:
    run.spend(1)
    if depth > DEEPEST:
        raise BudgetError
    if type(value) is dict:
        return {name: _plain(inner, run, depth + 1) for name, inner in value.items()}
    if type(value) is list:
        return [_plain(inner, run, depth + 1) for inner in value]
    return _number(value)


def _number(value: Any) -> Any:
    """A number in its one form; large ones in hexadecimal, which takes time linear in their length."""
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is int and not -_EXACT <= value <= _EXACT:
        return msgspec.Raw(hex(value).encode())
    return value


def all_differ(values: Iterable[Any], run: ValidationRun) -> bool:
    """Whether no two of the values are equal."""
    seen: set[Any] = set()
    for value in values:
        run.spend(1)
        # Python compares strings as JSON does; of other values the keys are compared.
        one = value if type(value) is str else key(value, run)
        if one in seen:
            return False
        seen.add(one)
    return True


def is_multiple(value: float, of: float, run: ValidationRun) -> bool:
    """Whether a number is a multiple of another one, both as they are written in decimal."""
    if type(value) is int and type(of) is int:
        return value % of == 0
    run.spend(_DIVISION)
    return (_exact(value) / _exact(of)).denominator == 1


def _exact(number: float) -> Fraction:
    return Fraction(number if type(number) is int else repr(number))
