"""JSON inside attribute values, read with suspicion: what does not parse is text. Knows no attribute names."""

import re
from ast import literal_eval
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Any

import msgspec

_decode = msgspec.json.Decoder().decode
_LONGEST = 8 << 20
_LONGEST_LITERAL = 8 << 10
_LONGEST_CUT = 512 << 10
_SHORT = 256
_DEEPEST = 64
_MOST_VALUES = 200_000
_LITERAL_VALUES = 5
"""Values of JSON that are read in the time of one that Python printed."""

_left: ContextVar[int] = ContextVar("values that may still be read", default=_MOST_VALUES)


def begin() -> None:
    """Begin with another trace, of whose JSON _MOST_VALUES values may be read, some 0.5 us each."""
    _left.set(_MOST_VALUES)


def _may_be_read(text: str, cost: int = 1) -> bool:
    """Whether the values of a text are within what is left for its trace; takes them from it."""
    if len(text) <= _SHORT:
        return True
    values = text.count("{") + text.count("[") + text.count('":') + text.count(",") // 8
    left = _left.get() - cost * values
    if left >= 0:
        _left.set(left)
    return left >= 0


_FORMATTED = re.compile(r"""\b[fF][rR]?['"]""")
"""What no value is printed as, and takes Python long to read."""
_STRING = re.compile(r'"(role|content|text|refusal)"\s*:\s*"((?:[^"\\]|\\.)*)')


def parsed(value: Any) -> Any:
    """Return what a JSON object, list or string holds; anything else, also JSON cut short, as it came."""
    if not isinstance(value, str) or not 2 <= len(value) <= _LONGEST or value[0] not in '[{" \n\t':
        return value
    if not _may_be_read(value):
        return value
    try:
        return _decode(value)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return value


def literal(value: Any) -> Any:
    """Return what a dict or list holds that was printed by Python rather than written as JSON; else None."""
    if type(value) is not str or value[:1] not in ("{", "[") or len(value) > _LONGEST_LITERAL:
        return None
    if _FORMATTED.search(value) or not _may_be_read(value, _LITERAL_VALUES):
        return None
    try:
        return bounded(literal_eval(value))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def bounded(value: Any) -> Any:
    """Return a parsed value that is safe to walk by recursion; one that is too deep or too large becomes a remark."""
    level, values = [value], 0
    for _ in range(_DEEPEST):
        level = [child for item in level for child in _children(item)]
        values += len(level)
        if not level:
            return value
        if values > _MOST_VALUES:
            return "(too many values)"
    return "(nested too deeply)"


def _children(item: Any) -> Iterable[Any]:
    if type(item) is dict:
        return item.values()
    return item if type(item) is list else ()


def compact(value: Any) -> str:
    """Return a parsed value as JSON again."""
    return msgspec.json.encode(bounded(value), enc_hook=str).decode()


def cut_short(value: str) -> list[tuple[str, str]]:
    """Return the (key, text) pairs of roles and texts in message JSON that an SDK's length limit cut off."""
    return [(key, _unescaped(text)) for key, text in _STRING.findall(value[:_LONGEST_CUT])]


def _unescaped(text: str) -> str:
    try:
        decoded = _decode(f'"{text}"')
    except (msgspec.MsgspecError, ValueError):
        return text
    return str(decoded)


def inside(value: Any, path: str) -> Any:
    """Return what lies at a dotted path inside parsed JSON, or None; a number is a place in a list."""
    for key in path.split("."):
        if type(value) is dict:
            value = value.get(key)
        elif type(value) is list and key.isdecimal():
            value = value[int(key)] if len(key) < 6 and int(key) < len(value) else None
        else:
            return None
    return value


def label(value: Any) -> str | None:
    """Return a name or version as text, without the JSON quotes that some SDKs add; None where it says nothing."""
    if type(value) is not str or '"' in value:
        value = _unquoted(value)
    return value.strip() or None


def labels(values: Iterable[Any]) -> tuple[str, ...] | None:
    """Return names or versions as ``label`` does, all at once; None where one of them is not plain text."""
    try:
        plain = tuple(map(str.strip, values))
    except TypeError:
        return None
    return plain if all(plain) and '"' not in "".join(plain) else None


def _unquoted(value: Any) -> str:
    if type(value) is int or type(value) is float:
        return str(value)
    if type(value) is str and value[0] != '"':
        return value
    inner = parsed(value)
    return inner if type(inner) is str else ""


def count(value: Any) -> int | None:
    """Return a token count that came as a number or as digits; None for anything else."""
    if type(value) is int:
        return value if value >= 0 else None
    if type(value) is float:
        return int(value) if 0 <= value < 2**53 else None
    if type(value) is str and value.isascii() and value.isdecimal() and len(value) < 16:
        return int(value)
    return None


def number(value: Any) -> float | None:
    """Return a finite number as a float; None for anything else."""
    if type(value) is not int and type(value) is not float:
        return None
    return float(value) if -1e300 < value < 1e300 else None


def unflattened(names: Iterable[str], prefix: str) -> list[Any]:
    """Rebuild the list that was flattened as ``prefix.N.key.M.key``, in numeric order of N, gaps allowed: of names."""
    tree: dict[str, Any] = {}
    for name in sorted(names):
        if name.startswith(prefix):
            _plant(tree, name[len(prefix) :].split("."), name)
    folded = _folded(tree)
    return folded if type(folded) is list else []


def _plant(tree: dict[str, Any], path: list[str], leaf: str) -> None:
    if len(path) > _DEEPEST:
        return
    for key in path[:-1]:
        branch = tree.setdefault(key, {})
        if type(branch) is not dict:
            return
        tree = branch
    tree.setdefault(path[-1], leaf)


def _folded(node: Any) -> Any:
    if type(node) is not dict:
        return node
    if node and all(key.isascii() and key.isdecimal() and len(key) < 10 for key in node):
        return [_folded(node[key]) for key in sorted(node, key=int)]
    return {key: _folded(child) for key, child in node.items()}


def filled(tree: Any, values: Mapping[str, Any]) -> Any:
    """Return what was rebuilt of names, with their values."""
    if type(tree) is str:
        return values[tree]
    if type(tree) is list:
        return [filled(child, values) for child in tree]
    return {key: filled(child, values) for key, child in tree.items()}
