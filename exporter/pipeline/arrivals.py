"""Adds the spans and log records of journal entries to open traces, yielding to the event loop every few of them.

However many steps an entry takes, its counter increments become durable in one transaction, after the last step.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from ..decode.batch import Batch
from ..ingest.assembly import Assembler, whole_traces
from ..ingest.late_spans import Added, Late
from ..model.trace import LogRecord, Span
from ..recording.unit_of_work import Recorder
from ..records.requests import Entry
from ..store.in_work import InWork, key_of

PARTS_AT_ONCE: Final = 1_000
"""Spans and log records that are taken in one step."""
_TURN_SECONDS: Final = 0.01
_WAIT_SECONDS: Final = 0.01

UseLate = Callable[[Late], bool]
"""Uses parts that came after their trace was recorded; says whether they told anything."""


class Arrivals:
    """Journal entries that are being added to the assembler."""

    def __init__(self, recorder: Recorder, assembler: Assembler, in_work: InWork, use_late: UseLate) -> None:
        self._recorder, self._assembler, self._in_work, self._use_late = recorder, assembler, in_work, use_late
        self.scoring: set[bytes] = set()
        """The traces that are closed and not recorded yet: their parts wait until they are, and are late ones then."""
        self._under_way: dict[int, asyncio.Future[None]] = {}

    def begin(self, seq: int, entry: Entry, batch: Batch) -> None:
        """Add an entry: at once where that is quick, else in steps in the background; raises StoreError."""
        steps = self.steps(seq, entry, batch)
        until = time.perf_counter() + _TURN_SECONDS
        for waits in steps:
            if waits or time.perf_counter() > until:
                self._recorder.whole.clear()
                self._under_way[seq] = rest = asyncio.ensure_future(_turn_by_turn(steps))
                rest.add_done_callback(lambda _: self._ended(seq))
                return

    def _ended(self, seq: int) -> None:
        del self._under_way[seq]
        if not self._under_way:
            self._recorder.whole.set()

    async def taken(self, seq: int) -> None:
        """Return when all of an entry is added; raises StoreError."""
        if (rest := self._under_way.get(seq)) is not None:
            await asyncio.shield(rest)

    async def all_taken(self) -> None:
        """Return when no entry is partly added."""
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    def steps(
        self, seq: int, entry: Entry, batch: Batch, *, counted: bool = False, with_late: bool = True
    ) -> Iterator[bool]:
        """Take an entry a step at a time; ``counted``: its arrival was. Late parts are dropped unless ``with_late``.

        Each step says whether it only waits for traces that are being scored. Where what is recorded cannot be read it
        is done with, and StoreError raised: its sender must send it again.
        """
        self._assembler.hold(seq)
        refused = batch
        try:
            for spans, logs in whole_traces(batch.spans, batch.logs, PARTS_AT_ONCE):
                while self._must_wait(spans, logs):
                    yield True
                some = Batch(list(spans), list(logs), refused.rejected, refused.anomalies)
                for late in self._added(seq, entry, some, counted=counted).late:
                    yield False
                    self._late(seq, late, counted=counted, used=with_late)
                refused = Batch()
                yield False
        finally:
            self._recorder.seq = max(self._recorder.seq, seq)
            if self._assembler.let_go(seq):
                self._recorder.changes.done.append(seq)

    def _must_wait(self, spans: Sequence[Span], logs: Sequence[LogRecord]) -> bool:
        if not self.scoring:
            return False
        return not self.scoring.isdisjoint([*(span.trace_id for span in spans), *(log.trace_id for log in logs)])

    def _added(self, seq: int, entry: Entry, batch: Batch, *, counted: bool) -> Added:
        opened = len(self._assembler)
        with self._in_work.on("assemble", (key_of(seq),)):
            added = self._assembler.add(seq, batch.spans, batch.logs, entry.received_at)
            if not counted:
                self._count(entry, batch, added)
                self._recorder.tally.traces_opened(len(self._assembler) - opened)
        return added

    def _count(self, entry: Entry, batch: Batch, added: Added) -> None:
        tally = self._recorder.tally
        tally.received(entry.signal, len(batch.spans), len(batch.logs), batch.rejected, batch.anomalies)
        for (signal, kind), count in added.duplicates.items():
            tally.duplicate(signal, kind, count)
        for (signal, reason), count in added.dropped.items():
            tally.rejected(signal, reason, count)

    def _late(self, seq: int, late: Late, *, counted: bool, used: bool) -> None:
        with self._in_work.on("late", (key_of(seq),)):
            self.late(late, counted=counted, used=used)

    def late(self, late: Late, *, counted: bool = False, used: bool = True) -> None:
        """Use late spans of a recorded request: their ids and evaluations count, its verdicts and labels stay."""
        with self._recorder.redacting():
            self._recorder.late(late.trace_id, late.keys())
            outcome = "used" if used and self._use_late(late) else "dropped"
        if not counted:
            for signal, found in (("traces", late.spans), ("logs", late.logs)):
                if found:
                    self._recorder.tally.late(signal, outcome, len(found))


async def _turn_by_turn(steps: Iterator[bool]) -> None:
    """Run all steps, yielding to the event loop after each."""
    for waits in steps:
        await asyncio.sleep(_WAIT_SECONDS if waits else 0)
