"""Pending feedback whose trace has not arrived: indexed by trace, bounded in number, bytes and age. Counts nothing."""

import heapq
from collections.abc import Collection, Iterator
from typing import Final

from msgspec.structs import replace

from ..recording.unit_of_work import Recorder
from ..records.feedback import By, EarlyFeedback

MOST_BYTES: Final = 32 << 20


class EarlyFeedbackQueue:
    """Pending signals, by number, in order of arrival. Only ``recover`` reads the store.

    ``keep_text`` tells whether comments and edited texts may be stored; in memory they are always kept.
    """

    def __init__(self, recorder: Recorder, most_items: int, most_bytes: int = MOST_BYTES) -> None:
        self.most_items = most_items
        self.keep_text = True
        self.bytes = 0
        self._most_bytes = most_bytes
        self._recorder = recorder
        self._items: dict[int, EarlyFeedback] = {}
        self._numbers: dict[tuple[By, str], list[int]] = {}
        self._clock: list[tuple[float, int]] = []
        self._last = 0

    def __len__(self) -> int:
        """How many are pending."""
        return len(self._items)

    async def recover(self) -> None:
        """Load the pending signals of an earlier run; raises StoreError."""
        for number, waiting in await self._recorder.early_feedback.all():
            self._place(number, waiting)

    def add(self, waiting: EarlyFeedback) -> int:
        """Keep a signal pending; returns how many older ones were evicted for it."""
        number = self._last + 1
        self._place(number, waiting)
        self._store(number, waiting)
        gone = 0
        while len(self._items) > self.most_items or self.bytes > self._most_bytes:
            self.remove(next(iter(self._items)))
            gone += 1
        return gone

    def remove(self, number: int) -> EarlyFeedback:
        """Remove a signal and return it."""
        waiting = self._items.pop(number)
        feedback = waiting.feedback
        self.bytes -= feedback.size
        others = self._numbers[feedback.by, feedback.reference]
        others.remove(number)
        if not others:
            del self._numbers[feedback.by, feedback.reference]
        self._recorder.early_feedback.drop(number)
        return waiting

    def about(self, by: By, reference: str) -> list[tuple[int, EarlyFeedback]]:
        """Pending signals about the trace of that id."""
        return [(number, self._items[number]) for number in self._numbers.get((by, reference), ())]

    def of(self, trace_ids: Collection[bytes], user: str) -> list[int]:
        """Numbers of the signals about one of these traces, or from a user (a digest; "" is no user)."""
        names = {trace_id.hex() for trace_id in trace_ids}
        return [
            number
            for number, one in self._items.items()
            if one.trace_id in trace_ids
            or (one.feedback.by == "trace" and one.feedback.reference in names)
            or (user and one.feedback.user == user)
        ]

    def update(self, number: int, waiting: EarlyFeedback) -> None:
        """Replace a signal after more became known of it."""
        self._items[number] = waiting
        heapq.heappush(self._clock, (waiting.look_at, number))
        self._store(number, waiting)

    def due(self, now: float) -> Iterator[tuple[int, EarlyFeedback]]:
        """Signals that are due now; each is returned once, until it is updated."""
        while self._clock and self._clock[0][0] <= now:
            look_at, number = heapq.heappop(self._clock)
            waiting = self._items.get(number)
            if waiting is not None and waiting.look_at == look_at:
                yield number, waiting

    def _place(self, number: int, waiting: EarlyFeedback) -> None:
        self._last = max(self._last, number)
        self._items[number] = waiting
        self._numbers.setdefault((waiting.feedback.by, waiting.feedback.reference), []).append(number)
        self.bytes += waiting.feedback.size
        heapq.heappush(self._clock, (waiting.look_at, number))

    def _store(self, number: int, waiting: EarlyFeedback) -> None:
        said = waiting.feedback.comment, waiting.feedback.edited_text
        comment, edited = self._recorder.redact(said) if self.keep_text else (None, None)
        waiting = replace(waiting, feedback=replace(waiting.feedback, comment=comment, edited_text=edited))
        self._recorder.early_feedback.put(number, waiting, at=waiting.received_at)
