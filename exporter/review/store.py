"""Repository of review items: in memory by trace, durable through the recorder, text only in the store.

Knows how items are found; not what happens to them.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from typing import Final

from ..recording.identifiers import stored_names
from ..recording.unit_of_work import Recorder
from ..records.review import Evidence, Item, State
from ..store.kinds import REVIEW_EVIDENCE
from .quota import day
from .reviewed import Reviewed, reviewed
from .similar import Sketches

MOST_BYTES: Final = 512 << 20
"""Text of all open items; an item beyond it is not queued."""


class ReviewStore:
    """All review items. Only ``recover``, ``evidence`` and ``finished`` read the store."""

    def __init__(self, recorder: Recorder) -> None:
        self.open: dict[str, Item] = {}
        """Items that are not done, by trace id."""
        self.done: dict[str, Item] = {}
        self.sketches = Sketches()
        self.bytes = 0
        """Text of the open items."""
        self._recorder = recorder
        self._finished: Counter[str] = Counter()
        self._durable: set[str] = set()
        self._days: dict[tuple[str, int], dict[str, None]] = {}

    async def recover(self) -> None:
        """Load the items of an earlier run, before the journal is replayed; raises StoreError."""
        for _, item in await self._recorder.review_items.all():
            self._place(item)
            self._durable.add(item.trace_id)

    def get(self, trace_id: str) -> Item | None:
        """The item of a trace, open or done."""
        return self.open.get(trace_id) or self.done.get(trace_id)

    def evidence(self, trace_id: str) -> Evidence | None:
        """What a reviewer is shown of the item; raises StoreError."""
        return self._recorder.get(REVIEW_EVIDENCE, trace_id)

    async def read_evidence(self, trace_id: str) -> Evidence | None:
        """As ``evidence``, for whoever can wait; raises StoreError."""
        return await self._recorder.review_evidence.get(trace_id)

    async def finished(self) -> AsyncIterator[Reviewed]:
        """Every case that people finished with a verdict or a corrected answer, the earliest first; raises StoreError.

        Near-duplicates were never queued, and a trace is there once.
        """
        for item in sorted(self.done.values(), key=lambda one: (one.done_at or 0.0, one.trace_id)):
            found = reviewed(item, await self.read_evidence(item.trace_id)) if item.labels else None
            if found is not None:
                yield found

    def add(self, item: Item, evidence: Evidence) -> None:
        """Keep a new item; it can be given out once it is durable, so that no crash undoes what somebody holds."""
        self.keep_evidence(item.trace_id, evidence)
        self.keep(item)
        self._recorder.afterwards(lambda: self._settle(item.trace_id))

    def _settle(self, trace_id: str) -> None:
        if self.get(trace_id) is not None:  # else it was displaced or forgotten before
            self._durable.add(trace_id)

    def keep(self, item: Item) -> None:
        """Replace an item."""
        self._unplace(item.trace_id)
        self._place(item)
        self._recorder.review_items.put(item.trace_id, item, at=item.created_at)

    def keep_evidence(self, trace_id: str, evidence: Evidence) -> None:
        """Replace what a reviewer is shown of an item."""
        self._recorder.review_evidence.put(trace_id, evidence)

    def remove(self, trace_id: str) -> None:
        """Delete an item, with its text and labels."""
        item = self._unplace(trace_id)
        if item is not None:
            self.sketches.discard(trace_id)
            self._durable.discard(trace_id)
            self._days[_day(item)].pop(trace_id)
            if not self._days[_day(item)]:
                del self._days[_day(item)]
            self._recorder.review_items.drop(trace_id)
            self._recorder.review_evidence.drop(trace_id)

    def today(self, reason: str, at: float) -> list[Item]:
        """The items of a reason that came on the day of a time, the earliest first."""
        keys = self._days.get((reason, day(at)), {})
        return [item for key in keys if (item := self.get(key)) is not None]

    def next_for(self, reviewer: str, now: float, reason: str | None = None) -> Item | None:
        """The reviewer's claimed item, else the next: items that others disagree on or began first, then the oldest."""
        mine = next((item for item in self.open.values() if item.claim_of(reviewer, now)), None)
        if mine is not None:
            return mine
        free = (
            item
            for item in self.open.values()
            if item.trace_id in self._durable and reason in (None, item.reason) and item.is_for(reviewer, now)
        )
        return min(free, key=_order, default=None)

    def count(self, state: State, reason: str, now: float) -> int:
        """How many items of a reason stand in a state."""
        if state == "done":
            return self._finished[reason]
        return sum(item.reason == reason and item.state(now) == state for item in self.open.values())

    def reasons(self) -> set[str]:
        """The reasons of all items."""
        return {item.reason for item in self.open.values()} | {
            reason for reason, count in self._finished.items() if count
        }

    def oldest(self) -> float | None:
        """When the oldest open item came (Unix seconds)."""
        return min((item.created_at for item in self.open.values()), default=None)

    def of_user(self, user: str) -> Iterable[str]:
        """The trace ids of a user's items."""
        names = stored_names(user)
        return [item.trace_id for some in (self.open, self.done) for item in some.values() if item.user in names]

    def _place(self, item: Item) -> None:
        if item.ended:
            self.done[item.trace_id] = item
            self._finished[item.reason] += 1
        else:
            self.open[item.trace_id] = item
            self.bytes += item.size
        self.sketches.discard(item.trace_id)
        self.sketches.add(item.trace_id, item.sketch)
        self._days.setdefault(_day(item), {})[item.trace_id] = None

    def _unplace(self, trace_id: str) -> Item | None:
        opened = self.open.pop(trace_id, None)
        if opened is not None:
            self.bytes -= opened.size
            return opened
        done = self.done.pop(trace_id, None)
        if done is not None:
            self._finished[done.reason] -= 1
        return done


def _order(item: Item) -> tuple[bool, bool, float, str]:
    return not item.disputed, item.is_untouched, item.created_at, item.trace_id


def _day(item: Item) -> tuple[str, int]:
    return item.reason, day(item.created_at)
