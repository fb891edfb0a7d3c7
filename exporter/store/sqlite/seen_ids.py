"""Bloom-style filter of recorded trace ids: answers most look-ups without touching the database. Knows ids only.

Almost every id that the store is asked about is new, and a look-up among a million rows costs 5 to 10 µs on the event
loop. One bit for each id, at the position given by its hash, answers "never recorded" in a fraction of 1 µs; the few
ids that share a bit with another cost a look-up that finds nothing.
"""

from collections.abc import Iterable, Sequence

_BITS = 1 << 25
_MASK = _BITS - 1
_CAPACITY = 1 << 21
"""Ids in one generation: when it is full, one new id in 16 shares a bit."""


class _Generation:
    __slots__ = ("bits", "count", "last_row")

    def __init__(self) -> None:
        self.bits = bytearray(_BITS >> 3)
        self.count = 0
        self.last_row = 0

    def add(self, ids: Iterable[bytes]) -> None:
        bits = self.bits
        for place in map(hash, ids):
            bits[(place & _MASK) >> 3] |= 1 << (place & 7)


class SeenIds:
    """A Bloom-style filter with one hash, in generations that can be dropped; 4 MB for every two million ids.

    One thread adds and forgets, another may query.
    """

    def __init__(self, ids: Iterable[bytes] = (), *, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        first = _Generation()
        first.add(ids)
        self._generations: tuple[_Generation, ...] = (first,)

    @property
    def is_full(self) -> bool:
        """Whether the current generation is full and the next one should begin."""
        return self._generations[-1].count >= self._capacity

    def next_generation(self, last_row: int) -> None:
        """Begin a generation for the rows after ``last_row``; rows up to it belong to earlier ones."""
        self._generations[-1].last_row = last_row
        self._generations = (*self._generations, _Generation())

    def add(self, ids: Sequence[bytes]) -> None:
        """Add the ids of new rows, before they can be read."""
        newest = self._generations[-1]
        newest.add(ids)
        newest.count += len(ids)

    def forget(self, first_row: int) -> None:
        """Drop the generations whose rows all come before ``first_row``."""
        *closed, newest = self._generations
        self._generations = (*(some for some in closed if some.last_row >= first_row), newest)

    def may_hold(self, ids: Iterable[bytes]) -> list[bytes]:
        """The ids that may have been added; the others certainly were not."""
        hashes = [(id_, hash(id_)) for id_ in ids]
        found: dict[bytes, None] = {}
        for generation in self._generations:
            bits = generation.bits
            found.update((id_, None) for id_, place in hashes if bits[(place & _MASK) >> 3] >> (place & 7) & 1)
        return list(found)
