"""Says at once that a trace id was never recorded, for nearly all that were not. Knows ids, not what they name.

Almost every id that the store is asked about is new, and a look-up among a million costs 5 to 10 µs on the event loop.
One bit for each id, in the place that its hash gives, answers "never" in a fraction of one; the few that share a bit
with another are looked up for nothing.
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


class Sieve:
    """The ids it was made with, and those added and not yet forgotten; 4 MB for each two million.

    One thread adds and forgets, another may ask.
    """

    def __init__(self, ids: Iterable[bytes] = (), *, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        first = _Generation()
        first.add(ids)
        self._generations: tuple[_Generation, ...] = (first,)

    @property
    def is_full(self) -> bool:
        """Whether it is time for the next generation."""
        return self._generations[-1].count >= self._capacity

    def next_generation(self, last_row: int) -> None:
        """Begin one for the rows after ``last_row``; those up to it are in the ones before."""
        self._generations[-1].last_row = last_row
        self._generations = (*self._generations, _Generation())

    def add(self, ids: Sequence[bytes]) -> None:
        """Add the ids of new rows, before they can be read."""
        newest = self._generations[-1]
        newest.add(ids)
        newest.count += len(ids)

    def forget(self, first_row: int) -> None:
        """Forget the generations whose rows all come before ``first_row``."""
        *closed, newest = self._generations
        self._generations = (*(some for some in closed if some.last_row >= first_row), newest)

    def may_hold(self, ids: Iterable[bytes]) -> list[bytes]:
        """Those of the ids that may have been added; the others were not."""
        hashes = [(id_, hash(id_)) for id_ in ids]
        found: dict[bytes, None] = {}
        for generation in self._generations:
            bits = generation.bits
            found.update((id_, None) for id_, place in hashes if bits[(place & _MASK) >> 3] >> (place & 7) & 1)
        return list(found)
