"""Memory cache of the last traces, for text that their documents may not hold. Bounded in bytes; not durable."""

from collections import OrderedDict
from typing import Final

from isal import isal_zlib
from msgspec import msgpack

from ..model.trace import Trace

MOST_BYTES: Final = 16 << 20
_OVERHEAD: Final = 200
"""Bytes that a trace takes beside its own (roughly, measured)."""

MOST_A_TURN: Final = 250
"""Traces kept between two turns of ``compress``: where more come, all of them would be gone before a user can react."""
_AT_ONCE: Final = 64
_FASTEST: Final = 1
_UNENCODABLE: Final = (OverflowError, RecursionError, UnicodeEncodeError)
"""A tool's argument may be a number beyond 64 bits or nested without end, a text may hold half a character."""


class Recent:
    """The last traces by id, each in one piece: as the objects that it is, a trace takes half as much again.

    Those that stay are compressed, a few at a time: where traces come fast, most leave before it is worth the CPU. Of
    those that come faster than ``MOST_A_TURN``, the first are kept.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.bytes = 0
        self._room = MOST_A_TURN
        self._most_bytes = most_bytes
        self._plain: OrderedDict[bytes, bytes] = OrderedDict()
        self._compressed: OrderedDict[bytes, bytes] = OrderedDict()
        """All of them older than the plain ones."""
        self._encoder = msgpack.Encoder()
        self._decoder = msgpack.Decoder(Trace)
        self._buffer = bytearray()

    def __contains__(self, trace_id: bytes) -> bool:
        """Whether a trace is one of the last."""
        return trace_id in self._plain or trace_id in self._compressed

    def add(self, trace_id: bytes, trace: Trace, *, wanted: bool = False) -> None:
        """Keep a trace, in any case one that is wanted; let the oldest go where they are too large together."""
        self.remove(trace_id)
        if not self._room and not wanted:
            return
        self._room = max(0, self._room - 1)
        try:
            self._encoder.encode_into(trace, self._buffer)
        except _UNENCODABLE:
            return
        self._plain[trace_id] = bytes(self._buffer)
        self.bytes += len(self._buffer) + _OVERHEAD
        while self.bytes > self._most_bytes:
            _, oldest = (self._compressed or self._plain).popitem(last=False)
            self.bytes -= len(oldest) + _OVERHEAD

    def remove(self, trace_id: bytes) -> None:
        """Remove a trace."""
        piece = self._plain.pop(trace_id, None) or self._compressed.pop(trace_id, None)
        if piece is not None:
            self.bytes -= len(piece) + _OVERHEAD

    def get(self, trace_id: bytes) -> Trace | None:
        """The trace, if it is still cached."""
        piece = self._plain.get(trace_id)
        if piece is None and (compressed := self._compressed.get(trace_id)) is not None:
            piece = isal_zlib.decompress(compressed)
        return None if piece is None else self._decoder.decode(piece)

    def compress(self) -> None:
        """Compress some of the oldest that are not yet, as every second; takes two to three milliseconds."""
        self._room = MOST_A_TURN
        for _ in range(min(_AT_ONCE, len(self._plain))):
            trace_id, piece = self._plain.popitem(last=False)
            self._compressed[trace_id] = compressed = isal_zlib.compress(piece, _FASTEST)
            self.bytes += len(compressed) - len(piece)
