"""Schedules all writes of a store. Knows the store and asyncio, not what a span is.

Requests go to the journal and results to the store, each on a thread of its own, so that a request never waits for
results to be written.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from ..records.requests import Entry
from .changes import Changes
from .errors import StoreError
from .executor import Executor, fail, tell
from .group_commit import GroupCommit
from .repositories import Repositories
from .threaded import ThreadedStore

_Results = tuple[Changes, asyncio.Future[None]]
_Prune = tuple[float | None, int | None, asyncio.Future[int]]


class ThreadedWriter:
    """Writes one store. ``on_durable``: see ``GroupCommit``; the other callbacks and ``clock``: see ``Executor``."""

    def __init__(
        self,
        store: ThreadedStore,
        on_durable: Callable[[int, Entry, Any], None],
        *,
        on_commit: Callable[[float], None] = lambda _seconds: None,
        on_error: Callable[[str], None] = lambda _reason: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._store = store
        self._journal_executor = Executor("llmq-journal", on_commit, on_error, clock)
        self._store_executor = Executor("llmq-store", on_commit, on_error, clock)
        self.requests = GroupCommit(store.journal, self._journal_executor, on_durable, store.most_bytes // 4)
        self.reads = store.reads
        self._results: deque[_Results] = deque()
        self._turn = asyncio.Lock()
        """Held by the one unit of work, commit or pruning that is under way."""
        self._prune: _Prune | None = None
        self._work = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._short = False
        """Whether the ballast was given up: what it makes room for is for what was acknowledged already."""

    @property
    def problem(self) -> str | None:
        """The reason why requests or results cannot be written at the moment; None while they can."""
        return self._journal_executor.problem or self._store_executor.problem or ("disk_full" if self._short else None)

    @property
    def journal_bytes(self) -> int:
        """Bytes of the bodies of all journal entries, durable and pending."""
        return self.requests.bytes

    async def start(self) -> None:
        """Begin to write; what was queued before is written first."""
        self._tasks = [
            asyncio.create_task(self.requests.run(), name="llmq-journal"),
            asyncio.create_task(self._run(), name="llmq-store"),
        ]

    async def stop(self) -> None:
        """Refuse new work, write all that waits, and return when it is durable or has failed."""
        self._stopping = True
        self._work.set()
        if self._tasks:
            requests, results = self._tasks
            await results
            self.requests.stop()
            await requests
        for executor in (self._store_executor, self._journal_executor):
            executor.stop()

    async def journal(self, entry: Entry, payload: Any) -> int:
        """Make one entry durable and return its number; raises StoreError when it is not durable.

        It refuses while results cannot be written: the results of more requests would fill the memory without bound.
        """
        self._refuse_when_stopping()
        if self._short:
            raise StoreError("disk_full", "the disk is full")
        if (reason := self._store_executor.problem) is not None:
            raise StoreError(reason, "the results of earlier requests cannot be written")
        return await self.requests.add(entry, payload)

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Repositories]:
        """One unit of work, see ``port.Store``; raises StoreError where it cannot be written."""
        self._refuse_when_stopping()
        async with self._turn:
            changes = Changes()
            yield Repositories(self.reads, lambda: (changes,))
            if changes:
                await self._written(changes)

    async def commit(self, changes: Changes) -> None:
        """Make changes durable, all or none; raises StoreError, and then the same may be committed again."""
        self._refuse_when_stopping()
        async with self._turn:
            await self._written(changes)

    async def _written(self, changes: Changes) -> None:
        """Finish the write even if the caller that waits for it is cancelled."""
        self._refuse_when_stopping()
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._results.append((changes, future))
        self._work.set()
        await future

    async def prune(self, older_than: float | None, max_bytes: int | None) -> int:
        """Delete some of the recorded traces that are due, between two transactions; see ``Store.prune``.

        Returns how many; while it is not 0, more may be due.
        """
        self._refuse_when_stopping()
        if self._prune is not None:
            raise RuntimeError("traces are being pruned already")
        async with self._turn:
            self._refuse_when_stopping()
            future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            self._prune = (older_than, max_bytes, future)
            self._work.set()
            return await future

    async def relieve(self) -> None:
        """On a full disk, free space for acknowledged requests, and only for those; raises StoreError."""
        self._refuse_when_stopping()
        if self.problem == "disk_full":
            self._short = True
            self.requests.refuse(StoreError("disk_full", "the disk is full"))
            await self._store_executor.commit(self._store.relieve)
            await self._store_executor.commit(self._store.make_room)
            await self.requests.relieve()

    async def keep_ballast(self) -> None:
        """Reserve the emergency disk space where it is missing and room can be made; raises StoreError."""
        self._refuse_when_stopping()
        if await self._store_executor.do(self._store.keep_ballast):
            self._short = False

    async def probe(self) -> None:
        """Check that the files still exist, and whether writing that failed works again; raises StoreError."""
        self._refuse_when_stopping()
        await self._journal_executor.verify(self._store.journal.verify)
        await self._store_executor.verify(self._store.verify)
        if self._journal_executor.problem is not None:
            await self.requests.probe()
        if self._store_executor.problem is not None:
            await self._store_executor.commit(self._store.probe)
        if self._short:
            await self.requests.relieve()  # what has been recorded meanwhile is needed there no more
            await self.keep_ballast()

    def _refuse_when_stopping(self) -> None:
        if self._stopping:
            raise StoreError("closed", "the store is closing")

    async def _run(self) -> None:
        while not self._stopping or self._results or self._prune:
            await self._work.wait()
            self._work.clear()
            while self._results:
                await self._record(*self._results.popleft())
            if self._prune is not None:
                await self._prune_some(*self._prune)
            with suppress(StoreError):  # counted; what was committed is safe in the WAL, and the next one tries again
                await self._store_executor.do(self._store.checkpoint)

    async def _record(self, changes: Changes, future: asyncio.Future[None]) -> None:
        try:
            await self._store_executor.commit(self._store.commit, changes)
        except StoreError as error:
            fail(future, error)
        else:
            self.requests.remove(changes.done)
            tell(future, None)

    async def _prune_some(self, older_than: float | None, max_bytes: int | None, future: asyncio.Future[int]) -> None:
        try:
            tell(future, await self._store_executor.do(self._store.prune, older_than, max_bytes))
        except StoreError as error:
            fail(future, error)
        finally:
            self._prune = None
