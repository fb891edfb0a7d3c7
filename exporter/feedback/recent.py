"""The last traces, in memory, for what their documents may not hold: the text. Bounded in bytes; gone at a restart."""

from collections import OrderedDict
from typing import Final

from msgspec import msgpack

from ..trace import Trace

MOST_BYTES: Final = 32 << 20
_OVERHEAD: Final = 200
"""Bytes that a trace takes beside its own (roughly, measured)."""

_UNENCODABLE: Final = (OverflowError, RecursionError, UnicodeEncodeError)
"""A tool's argument may be a number beyond 64 bits or nested without end, a text may hold half a character."""


class Recent:
    """The last traces by id, each in one piece: as the objects that it is, a trace takes half as much again."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.bytes = 0
        self._most_bytes = most_bytes
        self._traces: OrderedDict[bytes, bytes] = OrderedDict()
        self._encoder = msgpack.Encoder()
        self._decoder = msgpack.Decoder(Trace)
        self._piece = bytearray()

    def __contains__(self, trace_id: bytes) -> bool:
        """Whether a trace is one of the last."""
        return trace_id in self._traces

    def add(self, trace_id: bytes, trace: Trace) -> None:
        """Keep a trace, and let the oldest go where they are too large together."""
        self.remove(trace_id)
        try:
            self._encoder.encode_into(trace, self._piece)
        except _UNENCODABLE:
            return
        self._traces[trace_id] = bytes(self._piece)
        self.bytes += len(self._piece) + _OVERHEAD
        while self.bytes > self._most_bytes:
            _, oldest = self._traces.popitem(last=False)
            self.bytes -= len(oldest) + _OVERHEAD

    def remove(self, trace_id: bytes) -> None:
        """Keep a trace no longer."""
        if (piece := self._traces.pop(trace_id, None)) is not None:
            self.bytes -= len(piece) + _OVERHEAD

    def get(self, trace_id: bytes) -> Trace | None:
        """The trace, if it is one of the last."""
        piece = self._traces.get(trace_id)
        return None if piece is None else self._decoder.decode(piece)
