"""The cheap look: which kinds a text may hold. One pass that most texts end with, by rules that the kinds declare.

Its table is made from the rules of the kinds' patterns; C and Python go by the same one.
"""

import re
import struct
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from itertools import chain
from typing import Final

from msgspec import Struct

from ..native import COMPILED
from .shadow import shadow
from .shadow import table as stand_ins

if COMPILED:
    from ..native._kernels import marked_kinds

_MOST_RULES: Final = 32
_MOST_RUNS: Final = 16
_MOST_RANGES: Final = 4
_LONGEST: Final = 32
_RULE: Final = struct.Struct("=7I2048s")
_RUN: Final = struct.Struct("=5I")
_HEADER: Final = struct.Struct(f"=4I{_MOST_RANGES}s{_MOST_RANGES}s256H256H{_RUN.size * _MOST_RUNS}s")


class Mark(Struct, frozen=True, kw_only=True, dict=True):
    """What each match of a pattern has: a run of bytes ``of``, at least ``least`` long, ``count`` of them ``counted``.

    Where ``near`` is given, one of these, in any case, begins in the run or in the ``before`` and ``after`` bytes
    around it.
    """

    of: bytes
    least: int = 1
    counted: bytes
    count: int = 1
    near: tuple[str, ...] = ()
    before: int = 0
    after: int = 0

    @cached_property
    def literals(self) -> tuple[bytes, ...]:
        """What is to be near, in small letters."""
        return tuple(one.lower().encode("latin-1") for one in self.near)


class Look:
    """Tells from a text which kinds it may hold; ``marks`` by kind: without any, a kind may be anywhere."""

    def __init__(self, marks: Mapping[str, Sequence[Mark]]) -> None:
        self._bits = {kind: 1 << number for number, kind in enumerate(marks)}
        self._always = sum(self._bits[kind] for kind, some in marks.items() if not some)
        rules = [(mark, self._bits[kind]) for kind, some in marks.items() for mark in some]
        self._rules = [_Rule(mark, bit) for mark, bit in rules]
        self.kinds: Callable[[str], int] = self.in_python
        """The kinds that may be in a text, as the sum of their bits."""
        if COMPILED:
            self.kinds = partial(marked_kinds, _packed(rules, self._always), stand_ins())

    def in_python(self, text: str) -> int:
        """The same where C is not; fewer, where a text has half a character."""
        data, found = shadow(text), self._always
        for rule in self._rules:
            if not found & rule.bit and rule.holds(data):
                found |= rule.bit
        return found

    def bit(self, kind: str) -> int:
        """The bit of a kind."""
        return self._bits[kind]


class _Rule:
    """One mark, as Python looks for it."""

    def __init__(self, mark: Mark, bit: int) -> None:
        self.bit = bit
        self._mark = mark
        self._run = re.compile(b"[%b]{%d,}" % (re.escape(mark.of), mark.least))
        self._not_counted = bytes(byte for byte in range(256) if byte not in mark.counted)
        self._near = re.compile(b"(?=%b)" % b"|".join(map(re.escape, mark.literals)))

    def holds(self, data: bytes) -> bool:
        runs = (run.span() for run in self._run.finditer(data) if self._is_enough(run[0]))
        if not self._mark.near or (first := next(runs, None)) is None:
            return next(runs, None) is not None
        near = [found.start() for found in self._near.finditer(data.lower())]
        return any(self._is_near(near, *run) for run in chain([first], runs))

    def _is_enough(self, run: bytes) -> bool:
        return len(run.translate(None, self._not_counted)) >= self._mark.count

    def _is_near(self, near: Sequence[int], first: int, last: int) -> bool:
        at = bisect_left(near, first - self._mark.before)
        return at < len(near) and near[at] < last + self._mark.after


def _packed(rules: Sequence[tuple[Mark, int]], always: int) -> bytes:
    """The table as C reads it: rules for runs of the same bytes stand together, because C finds such runs once."""
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
            packed.append(_RULE.pack(mark.least, mark.count, mark.before, mark.after, bit, *ends, _pairs(mark)))
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
