"""The last traces, in memory, for what their documents may not hold: the text. Bounded in bytes; gone at a restart."""

from collections import OrderedDict
from typing import Final

from ..trace import Trace

MOST_BYTES: Final = 32 << 20
_OVERHEAD: Final = 1000


class Recent:
    """The last traces by id."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.bytes = 0
        self._most_bytes = most_bytes
        self._traces: OrderedDict[bytes, tuple[Trace, int]] = OrderedDict()

    def add(self, trace_id: bytes, trace: Trace) -> None:
        """Keep a trace, and let the oldest go where they are too large together."""
        size = _OVERHEAD + len(trace.question or "") + len(trace.answer or "")
        for document in trace.context:
            size += len(document.text)
        self.bytes += size - self._traces.pop(trace_id, (None, 0))[1]
        self._traces[trace_id] = (trace, size)
        while self.bytes > self._most_bytes:
            self.bytes -= self._traces.popitem(last=False)[1][1]

    def remove(self, trace_id: bytes) -> None:
        """Keep a trace no longer."""
        self.bytes -= self._traces.pop(trace_id, (None, 0))[1]

    def get(self, trace_id: bytes) -> Trace | None:
        """The trace, if it is one of the last."""
        found = self._traces.get(trace_id)
        return found[0] if found else None
