"""Marks: a text without any of a kind's marks cannot contain that kind. Declarations, and their table for C."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

_MOST_RULES: Final = 16
_MOST_RUNS: Final = 16
_MOST_RANGES: Final = 6
_LONGEST: Final = 32
_RULE: Final = struct.Struct("=9I2048s")
_RUN: Final = struct.Struct("=5I")
_HEADER: Final = struct.Struct(f"=4I{_MOST_RANGES}s{_MOST_RANGES}s256H256H{_RUN.size * _MOST_RUNS}s")


class Mark(Struct, frozen=True, kw_only=True):
    """A necessary part of each match: a run of bytes ``of``, at least ``least`` long, ``count`` of them ``counted``.

    Where ``near`` is given, one of these, in any case, begins in the ``before`` bytes before the run, in it (unless it
    is not to be ``inside``), or in the ``after`` bytes after it. ``begins``: no ASCII letter or digit stands before it.
    """

    of: bytes
    least: int = 1
    counted: bytes
    count: int = 1
    near: tuple[str, ...] = ()
    before: int = 0
    inside: bool = True
    after: int = 0
    begins: bool = False

    @property
    def literals(self) -> tuple[bytes, ...]:
        """What is to be near, in small letters."""
        return tuple(one.lower().encode("latin-1") for one in self.near)


def packed(marks: Mapping[int, Sequence[Mark]]) -> bytes:
    """The table of the marks of each kind (a bit) as C reads it; a kind without any may be in every text.

    Rules for runs of the same bytes stand together, because C finds such runs once.
    """
    rules = [(mark, bit) for bit, some in marks.items() for mark in some]
    always = sum(bit for bit, some in marks.items() if not some)
    together: dict[tuple[bytes, bytes], list[tuple[Mark, int]]] = {}
    for mark, bit in rules:
        together.setdefault((mark.of, mark.counted), []).append((mark, bit))
    if len(rules) > _MOST_RULES or len(together) > _MOST_RUNS:
        raise ValueError(f"more than {_MOST_RULES} marks, or runs of more than {_MOST_RUNS} kinds")
    of_run, counted, runs = [0] * 256, [0] * 256, b""
    packed, literals = list[bytes](), b""
    for number, ((of, counts), some) in enumerate(together.items()):
        for byte in of:
            of_run[byte] |= 1 << number
        for byte in counts:
            counted[byte] |= 1 << number
        kinds, least, count = 0, min(mark.least for mark, _ in some), min(mark.count for mark, _ in some)
        first = len(packed)
        for mark, bit in some:
            kinds |= bit
            ends = len(literals), len(literals := literals + _lengths_and(mark.literals))
            where = mark.before, mark.inside, mark.after, mark.begins
            packed.append(_RULE.pack(mark.least, mark.count, *where, bit, *ends, _pairs(mark)))
        runs += _RUN.pack(first, len(packed), least, count, kinds)
    wanted = 0
    for _, bit in rules:
        wanted |= bit
    ranges = _ranges(byte for byte in range(256) if counted[byte])
    low, width = bytes(first for first, _ in ranges), bytes(last - first for first, last in ranges)
    sizes = len(together), len(rules), wanted, always
    return b"".join([_HEADER.pack(*sizes, low, width, *of_run, *counted, runs), *packed, literals])


def _lengths_and(literals: Sequence[bytes]) -> bytes:
    return b"".join(bytes([len(one)]) + one for one in literals)


def _pairs(mark: Mark) -> bytes:
    """A bit for each two bytes that a literal begins with."""
    pairs = bytearray(2048)
    for one in mark.literals:
        if not 2 <= len(one) <= _LONGEST:
            raise ValueError(f"{one!r} is not of 2 to {_LONGEST} bytes")
        pair = (one[0] & 0x7F) << 7 | (one[1] & 0x7F)
        pairs[pair >> 3] |= 1 << (pair & 7)
    return bytes(pairs)


def _ranges(found: Iterable[int]) -> list[tuple[int, int]]:
    """Ascending numbers as that many ranges; where there are more, the nearest are taken as one."""
    ranges: list[tuple[int, int]] = []
    for byte in found:
        if ranges and ranges[-1][1] == byte - 1:
            ranges[-1] = ranges[-1][0], byte
        else:
            ranges.append((byte, byte))
    while len(ranges) > _MOST_RANGES:
        at = min(range(len(ranges) - 1), key=lambda at: ranges[at + 1][0] - ranges[at][1])
        ranges[at : at + 2] = [(ranges[at][0], ranges[at + 1][1])]
    return [*ranges, *ranges[-1:] * (_MOST_RANGES - len(ranges))] if ranges else [(0, 0)] * _MOST_RANGES
