"""Says at once that a trace id was never recorded, for nearly all that were not. Knows ids, not what they name.

Almost every id that the store is asked about is new, and a look-up among a million costs 5 to 10 µs on the event loop.
One bit for each id, in the place that its hash gives, answers "never" in a fraction of one; the few that share a bit
with another are looked up for nothing.
"""

from collections.abc import Iterable

_BITS = 1 << 26
_MASK = _BITS - 1
_CAPACITY = 1 << 22
"""Ids in one generation: when it is full, one new id in 16 shares a bit."""


class _Generation:
    __slots__ = ("bits", "count")

    def __init__(self) -> None:
        self.bits = bytearray(_BITS >> 3)
        self.count = 0

    def add(self, ids: Iterable[bytes]) -> None:
        bits = self.bits
        count = 0
        for count, place in enumerate(map(hash, ids), 1):
            bits[(place & _MASK) >> 3] |= 1 << (place & 7)
        self.count += count


class Sieve:
    """The ids it was made with, and those added and not yet forgotten; 8 MB for each four million.

    One thread adds and forgets, another may ask.
    """

    def __init__(self, ids: Iterable[bytes] = ()) -> None:
        first = _Generation()
        first.add(ids)
        self._generations: tuple[_Generation, ...] = (first,)

    def add(self, ids: Iterable[bytes]) -> None:
        """Add ids that are younger than all before."""
        if self._generations[-1].count >= _CAPACITY:
            self._generations = (*self._generations, _Generation())
        self._generations[-1].add(ids)

    def forget(self, count: int) -> None:
        """Forget the oldest ``count`` ids; those of one generation go together, when the last of them is forgotten."""
        oldest = self._generations[0]
        oldest.count -= count
        if oldest.count <= 0:
            rest = self._generations[1:] or (_Generation(),)
            rest[0].count += oldest.count
            self._generations = rest

    def may_hold(self, ids: Iterable[bytes]) -> list[bytes]:
        """Those of the ids that may have been added; the others were not."""
        hashes = [(id_, hash(id_)) for id_ in ids]
        found: dict[bytes, None] = {}
        for generation in self._generations:
            bits = generation.bits
            found.update((id_, None) for id_, h in hashes if bits[(h & _MASK) >> 3] >> (h & 7) & 1)
        return list(found)
