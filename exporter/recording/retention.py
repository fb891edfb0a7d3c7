"""Deletes recorded traces when they are old or too many, and before that their text. Knows ages, not what is text.

How far the text is deleted is stored, so that no trace is examined twice.
"""

import asyncio
from typing import Final

from ..records.traces import Place
from ..store.port import Writer
from .trace_document import without_text
from .unit_of_work import Recorder

_AT_ONCE: Final = 64


class Retention:
    """Seconds and bytes; ``content`` None keeps text for as long as its trace."""

    def __init__(self, recorder: Recorder, writer: Writer) -> None:
        self._recorder = recorder
        self._writer = writer
        self._place: Place | None = None
        self.configure(7 * 86_400.0, 2 << 30, None)

    def configure(self, age: float, size: int, content: float | None) -> None:
        """Apply other settings."""
        self._age, self._size, self._content = age, size, content

    async def apply(self) -> None:
        """Delete all that is due, a few at a time; raises StoreError."""
        while await self._writer.prune(self._age, self._size):
            self._recorder.pruned()
        while self._content is not None:
            if not await self._take_text(self._recorder.aged() - self._content):
                return
            await asyncio.sleep(0)

    async def _take_text(self, before: float) -> int:
        """Take the text out of the next few traces that were recorded before that; returns how many it looked at."""
        if self._place is None:
            self._place = await self._recorder.content_retention.get(self._recorder.replica) or Place()
        due = await self._recorder.traces.recorded(self._place, before, _AT_ONCE)
        for trace_id, _ in due:
            stored = self._recorder.document(trace_id)
            blank = without_text(stored) if stored else None
            if blank is not None:
                self._recorder.rewrite(trace_id, blank)
        if due:
            self._place = due[-1][1]
            self._recorder.content_retention.put(self._recorder.replica, self._place)
        return len(due)
