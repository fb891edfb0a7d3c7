"""Derived data of a set of attribute names, computed once for all spans with these names. Has no names of its own."""

from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import astuple

from .embedded import unflattened

Candidates = tuple[tuple[int, str, str], ...]
"""(rank, attribute, key): where to look for a value, in order; a key leads into the JSON object in the attribute."""

Plan = tuple[Struct, tuple[tuple[int, str], ...], tuple[tuple[int, tuple[str, ...]], ...]]
"""Of a struct's fields, by their place: those that one attribute alone may hold, and the names to try for others."""

_Get = Callable[[Any], tuple[Any, ...]]


class FieldRow(Struct, frozen=True):
    """Where to look for many fields together: what ``direct`` attributes hold, set ``in_order`` before others' values.

    ``others``: the fields that several attributes may hold. ``kept``: whose id the row is found by.
    """

    kept: Any
    direct: tuple[tuple[int, str], ...]
    get: _Get | None
    in_order: _Get
    others: tuple[tuple[int, tuple[str, ...]], ...]


_MOST = 512
_LONGEST = 16_384
_MOST_PLANS = 16
_Names = TypeVar("_Names", bound=Collection[str])
_T = TypeVar("_T")


class Met(dict[_Names, _T]):
    """Bounded memo keyed by attribute-name sets, first in first out; programs have few such sets."""

    def __init__(self, make: Callable[[_Names], _T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, names: _Names) -> _T:
        made = self._make(names)
        if sum(map(len, names)) <= _LONGEST:
            if len(self) >= _MOST:
                del self[next(iter(self))]
            self[names] = made
        return made


class Shape(dict[tuple[str, ...], Candidates]):
    """The attribute names of one kind of span; for each ``attribute`` or ``attribute#key``, where its value is."""

    __slots__ = ("_flattened", "names", "plans", "rows")

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__()
        self.names = names
        self._flattened: dict[str, list[Any]] = {}
        self.plans: dict[int, Plan] = {}
        """By the id of a struct whose fields are names to find. It is kept, so that nothing else gets its id."""
        self.rows: dict[tuple[str, int], FieldRow] = {}

    def __missing__(self, wanted: tuple[str, ...]) -> Candidates:
        parts = enumerate(name.partition("#") for name in wanted)
        found = self[wanted] = tuple((rank, name, key) for rank, (name, _, key) in parts if name in self.names)
        return found

    def plan(self, wanted: Struct) -> Plan:
        """Return where to look for each field of a struct that is a tuple of names to find."""
        known = self.plans.get(id(wanted))
        if known is None:
            fields = [(field, names) for field, names in enumerate(astuple(wanted)) if type(names) is tuple]
            found = [(field, names, self[names]) for field, names in fields]
            direct = tuple((field, places[0][1]) for field, _, places in found if _is_one(places))
            others = tuple((field, names) for field, names, places in found if places and not _is_one(places))
            if len(self.plans) >= _MOST_PLANS:
                self.plans.clear()
            known = self.plans[id(wanted)] = wanted, direct, others
        return known

    def row(self, name: str, kept: Any, wanted: Sequence[tuple[str, ...]]) -> FieldRow:
        """Return where to look for each of some fields; ``rows`` then has it by the name and the id of ``kept``."""
        places = list(enumerate(map(self.__getitem__, wanted)))
        direct = tuple((field, found[0][1]) for field, found in places if _is_one(found))
        where = {field: at for at, (field, _) in enumerate(direct)}
        get = itemgetter(*(name for _, name in direct)) if len(direct) > 1 else None
        in_order = itemgetter(*(where.get(field, len(direct) + field) for field, _ in places))
        others = tuple((field, wanted[field]) for field, found in places if found and field not in where)
        if len(self.rows) >= _MOST_PLANS:
            self.rows.clear()
        self.rows[name, id(kept)] = row = FieldRow(kept, direct, get, in_order, others)
        return row

    def flattened(self, prefix: str) -> list[Any]:
        """Return the list that was flattened under a prefix, of the names of its values."""
        found = self._flattened.get(prefix)
        if found is None:
            found = self._flattened[prefix] = unflattened(self.names, prefix)
        return found


def _is_one(places: Candidates) -> bool:
    return len(places) == 1 and not places[0][2]


_shapes: Met[frozenset[str], Shape] = Met(Shape)


def _of(names: tuple[str, ...]) -> Shape:
    return _shapes[frozenset(names)]


_ordered: Met[tuple[str, ...], Shape] = Met(_of)
"""The same by names in their order, in which a program writes them: found sooner than a set."""


def shape_of(attributes: Mapping[str, Any]) -> Shape:
    """Return the shape of a set of attributes."""
    return _ordered[tuple(attributes)]
