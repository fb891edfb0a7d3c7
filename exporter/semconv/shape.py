"""What follows from the names that a span carries, worked out once for all spans of its kind; knows no names itself."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import astuple

from .embedded import unflattened

Candidates = tuple[tuple[int, str, str], ...]
"""(rank, attribute, key): where to look for a value, in order; a key leads into the JSON object in the attribute."""

Plan = tuple[tuple[tuple[int, str], ...], tuple[tuple[int, tuple[str, ...]], ...]]
"""Of a struct's fields, by their place: those that one attribute alone may hold, and the names to try for others."""

_MOST = 512
_LONGEST = 16_384
_MOST_PLANS = 16
_T = TypeVar("_T")


class Met(dict[frozenset[str], _T]):
    """What was made of the sets of names met last: programs have few. How many and how long ones is bounded."""

    def __init__(self, make: Callable[[frozenset[str]], _T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, names: frozenset[str]) -> _T:
        made = self._make(names)
        if sum(map(len, names)) <= _LONGEST:
            if len(self) >= _MOST:
                del self[next(iter(self))]
            self[names] = made
        return made


class Shape:
    """The set of names that spans of one kind carry, and which of the names asked for are among them."""

    __slots__ = ("_flattened", "_found", "_plans", "names")

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self._found: dict[tuple[str, ...], Candidates] = {}
        self._flattened: dict[str, list[Any]] = {}
        self._plans: dict[int, tuple[Struct, Plan]] = {}

    def find(self, wanted: tuple[str, ...]) -> Candidates:
        """Return where to look for the first of some ``attribute`` and ``attribute#key`` names."""
        found = self._found.get(wanted)
        if found is None:
            parts = enumerate(name.partition("#") for name in wanted)
            found = tuple((rank, name, key) for rank, (name, _, key) in parts if name in self.names)
            self._found[wanted] = found
        return found

    def plan(self, wanted: Struct) -> Plan:
        """Return where to look for each field of a struct whose fields are names to find."""
        known = self._plans.get(id(wanted))  # which is kept, so that nothing else gets its id
        if known is None:
            found = [(field, names, self.find(names)) for field, names in enumerate(astuple(wanted))]
            direct = tuple((field, places[0][1]) for field, _, places in found if _is_one(places))
            others = tuple((field, names) for field, names, places in found if places and not _is_one(places))
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            known = self._plans[id(wanted)] = wanted, (direct, others)
        return known[1]

    def flattened(self, prefix: str) -> list[Any]:
        """Return the list that was flattened under a prefix, of the names of its values."""
        found = self._flattened.get(prefix)
        if found is None:
            found = self._flattened[prefix] = unflattened(self.names, prefix)
        return found


def _is_one(places: Candidates) -> bool:
    return len(places) == 1 and not places[0][2]


_shapes = Met(Shape)


def shape_of(attributes: Mapping[str, Any]) -> Shape:
    """Return the shape of a set of attributes."""
    return _shapes[frozenset(attributes)]
