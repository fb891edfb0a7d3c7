"""Groups requests that wait to be durable into one commit at a time. Knows the journal and asyncio, not what a span is.

Group commit: while one group is on its way to the disk, in a thread of its own, the next one gathers. The busier the
disk, the larger the groups.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from ..records.requests import Entry
from .errors import StoreError
from .executor import Executor, fail, tell
from .threaded import ThreadedJournal


class _Waiting:
    """One entry, what its sender wants back when it is durable, and the future that the sender waits for."""

    __slots__ = ("entry", "future", "payload")

    def __init__(self, entry: Entry, payload: Any, future: asyncio.Future[int]) -> None:
        self.entry = entry
        self.payload = payload
        self.future = future


class GroupCommit:
    """Writes the journal with the executor ``executor``, in groups of at most ``most_bytes``.

    ``on_durable(seq, entry, payload)`` is called on the event loop for every entry that became durable, in order of its
    number and before its sender is answered, also when the sender has disconnected. If it raises, the sender gets the
    error, and the entry stays in the journal until it is removed.
    """

    def __init__(
        self,
        journal: ThreadedJournal,
        executor: Executor,
        on_durable: Callable[[int, Entry, Any], None],
        most_bytes: int,
    ) -> None:
        self._journal = journal
        self._executor = executor
        self._most_bytes = most_bytes
        self._on_durable = on_durable
        self._queue: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._done = list(journal.leftover)
        self._work = asyncio.Event()
        self._work.set()
        self._stopping = False

    @property
    def bytes(self) -> int:
        """Bytes of the bodies of all entries, durable and pending."""
        return self._journal.bytes + self._waiting_bytes

    async def add(self, entry: Entry, payload: Any) -> int:
        """Make one entry durable and return its number; raises StoreError when it is not durable."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(entry, payload, future))
        self._waiting_bytes += len(entry.body)
        self._work.set()
        return await future

    def remove(self, seqs: Sequence[int]) -> None:
        """Remove processed entries; if that fails, they are removed with the next group."""
        self._done += seqs
        self._work.set()

    def stop(self) -> None:
        """Have ``run`` end once all pending entries are durable or have failed."""
        self._stopping = True
        self._work.set()

    def refuse(self, error: StoreError) -> None:
        """Fail all pending entries."""
        while self._queue:
            self._fail(self._queue.popleft(), error)

    async def relieve(self) -> None:
        """After space was freed on a full disk: return unused pages to the file system; raises StoreError."""
        await self._executor.commit(self._journal.relieve)
        self._work.set()

    async def probe(self) -> None:
        """Check that the journal can be written; raises StoreError."""
        await self._executor.commit(self._journal.probe)
        self._work.set()

    async def run(self) -> None:
        """Write until stopped."""
        while not self._stopping or self._queue:
            await self._work.wait()
            self._work.clear()
            wrote = await self._write(self._next_group())
            if self._queue:
                # Who asked meanwhile has waited for one long write, and does not wait for housekeeping, too.
                await self._write(self._next_group())
            if wrote:
                with suppress(StoreError):  # counted; what was committed is safe in the WAL, the next one tries again
                    await self._executor.do(self._journal.checkpoint)
            if self._queue:
                self._work.set()
        await self._write([])  # what became done during the last group

    def _next_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        size = 0
        while self._queue and (not group or size + len(self._queue[0].entry.body) <= self._most_bytes):
            group.append(self._queue.popleft())
            size += len(group[-1].entry.body)
        return group

    async def _write(self, group: list[_Waiting]) -> bool:
        """Write one group; returns whether there was anything to write."""
        done, self._done = self._done, []
        if not group and not done:
            return False
        first = self._journal.last_seq + 1
        numbered = [(seq, waiting.entry) for seq, waiting in enumerate(group, first)]
        try:
            await self._executor.commit(self._journal.commit, numbered, done)
        except StoreError as error:
            self._done = done + self._done
            await self._not_written(group, error)
        else:
            self._written(first, group)
        return True

    def _written(self, first: int, group: list[_Waiting]) -> None:
        for seq, waiting in enumerate(group, first):
            self._tell(seq, waiting)

    def _tell(self, seq: int, waiting: _Waiting) -> None:
        self._waiting_bytes -= len(waiting.entry.body)
        try:
            self._on_durable(seq, waiting.entry, waiting.payload)
        except Exception as error:  # noqa: BLE001 (a fault of ours, told to this sender; the others' entries are safe)
            fail(waiting.future, error)
        tell(waiting.future, seq)

    async def _not_written(self, group: list[_Waiting], error: StoreError) -> None:
        if error.reason == "internal" and len(group) > 1:
            # Something in the group cannot be written, not even to a healthy disk: only that may fail.
            for waiting in group:
                await self._write([waiting])
            return
        for waiting in group:
            self._fail(waiting, error)

    def _fail(self, waiting: _Waiting, error: StoreError) -> None:
        self._waiting_bytes -= len(waiting.entry.body)
        fail(waiting.future, StoreError(error.reason, str(error)))
