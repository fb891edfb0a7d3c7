"""Groups all that waits to be durable into one transaction at a time. Knows the store and asyncio, not what a span is.

Group commit: while one group is on its way to the disk, in a thread of its own, the next one gathers. The busier the
disk, the larger the groups.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from .sqlite import Entry, Store, StoreError, Transaction

_GROUP_BYTES = 32 * 1024 * 1024
_T = TypeVar("_T")
_Results = tuple[Transaction, asyncio.Future[None]]


class _Waiting:
    """One entry, what its sender wants back when it is durable, and the future that the sender waits for."""

    __slots__ = ("entry", "future", "payload")

    def __init__(self, entry: Entry, payload: Any, future: asyncio.Future[int]) -> None:
        self.entry = entry
        self.payload = payload
        self.future = future


class Writer:
    """The one door through which the store is written.

    ``on_durable(seq, entry, payload)`` is called on the event loop for every entry that became durable, in the order
    of its number and before its sender is told; it is called also when the sender is gone. It must not raise.
    ``on_commit`` hears the seconds that a group took, ``on_error`` why one failed. ``clock`` is in seconds and only
    goes up.

    For the metrics: ``commits`` and ``entries`` count what became durable, ``group_entries`` is the size of the last
    group, ``commit_seconds`` the time it took, ``commit_seconds_total`` the time of all, ``errors`` counts failures by
    reason, ``pending_bytes`` are the bodies that wait.
    """

    def __init__(
        self,
        store: Store,
        on_durable: Callable[[int, Entry, Any], None],
        *,
        on_commit: Callable[[float], None] = lambda _seconds: None,
        on_error: Callable[[str], None] = lambda _reason: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.commits = 0
        self.entries = 0
        self.group_entries = 0
        self.commit_seconds = 0.0
        self.commit_seconds_total = 0.0
        self.pending_bytes = 0
        self.errors: Counter[str] = Counter()
        self._store = store
        self._on_durable = on_durable
        self._on_commit = on_commit
        self._on_error = on_error
        self._clock = clock
        self._queue: deque[_Waiting] = deque()
        self._transaction: _Results | None = None
        self._prune: tuple[float | None, int | None, asyncio.Future[int]] | None = None
        self._work = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="llmq-writer")
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        """Begin to write; what was queued before is written first."""
        self._task = asyncio.create_task(self._run(), name="llmq-writer")

    async def stop(self) -> None:
        """Refuse new work, write all that waits, and return when it is durable or has failed."""
        self._stopping = True
        self._work.set()
        if self._task is not None:
            await self._task
        self._thread.shutdown()

    async def journal(self, entry: Entry, payload: Any) -> int:
        """Make one entry durable and return its number; raises StoreError when it is not durable."""
        self._refuse_when_stopping()
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(entry, payload, future))
        self.pending_bytes += len(entry.body)
        self._work.set()
        return await future

    async def record(self, transaction: Transaction) -> None:
        """Make one transaction durable; raises StoreError, and then the same transaction may be tried again.

        One at a time: a second one before the first is done is a RuntimeError.
        """
        self._refuse_when_stopping()
        if self._transaction is not None:
            raise RuntimeError("a transaction is on its way already")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transaction = (transaction, future)
        self._work.set()
        await future

    async def prune(self, older_than: float | None, max_bytes: int | None) -> int:
        """Delete some of the recorded traces that are due, between two groups; see ``Store.prune``.

        Returns how many; while it is not 0, more may be due.
        """
        self._refuse_when_stopping()
        if self._prune is not None:
            raise RuntimeError("traces are being pruned already")
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._prune = (older_than, max_bytes, future)
        self._work.set()
        return await future

    def _refuse_when_stopping(self) -> None:
        if self._stopping:
            raise StoreError("closed", "the store is closing")

    async def _run(self) -> None:
        while not self._stopping or self._is_waiting():
            await self._work.wait()
            self._work.clear()
            while self._is_waiting():
                await self._write(self._next_group(), self._transaction)
                # Who asked meanwhile has waited for one long write, and does not wait for housekeeping, too.
                await self._write(self._next_group(), self._transaction)
                await self._keep_house()

    def _is_waiting(self) -> bool:
        return bool(self._queue or self._transaction or self._prune)

    def _next_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        size = 0
        while self._queue and (not group or size + len(self._queue[0].entry.body) <= _GROUP_BYTES):
            group.append(self._queue.popleft())
            size += len(group[-1].entry.body)
        return group

    async def _write(self, group: list[_Waiting], transaction: _Results | None) -> None:
        if not group and transaction is None:
            return
        first = self._store.last_seq + 1
        numbered = [(seq, waiting.entry) for seq, waiting in enumerate(group, first)]
        try:
            await self._in_thread(self._commit, numbered, transaction and transaction[0])
        except StoreError as error:
            await self._not_written(group, transaction, error)
        else:
            self._written(first, group, transaction)

    def _commit(self, numbered: list[tuple[int, Entry]], transaction: Transaction | None) -> None:
        started = self._clock()
        self._store.commit(numbered, transaction)
        self.commit_seconds = self._clock() - started
        self.commit_seconds_total += self.commit_seconds

    def _written(self, first: int, group: list[_Waiting], transaction: _Results | None) -> None:
        self.commits += 1
        self.entries += len(group)
        self.group_entries = len(group)
        self._on_commit(self.commit_seconds)
        self._leave(group, transaction)
        for seq, waiting in enumerate(group, first):
            self._tell(seq, waiting)
        if transaction is not None and not transaction[1].done():
            transaction[1].set_result(None)

    def _tell(self, seq: int, waiting: _Waiting) -> None:
        try:
            self._on_durable(seq, waiting.entry, waiting.payload)
        except Exception as error:  # noqa: BLE001 (a fault of ours, told to this sender; the others' entries are safe)
            _fail(waiting.future, error)
        if not waiting.future.done():
            waiting.future.set_result(seq)

    async def _not_written(self, group: list[_Waiting], transaction: _Results | None, error: StoreError) -> None:
        if error.reason == "internal" and len(group) + (transaction is not None) > 1:
            # Something in the group cannot be written, not even to a healthy disk: only that may fail.
            for waiting in group:
                await self._write([waiting], None)
            await self._write([], transaction)
            return
        self._leave(group, transaction)
        futures: list[asyncio.Future[Any]] = [waiting.future for waiting in group]
        if transaction is not None:
            futures.append(transaction[1])
        for future in futures:
            _fail(future, StoreError(error.reason, str(error)))

    def _leave(self, group: list[_Waiting], transaction: _Results | None) -> None:
        self.pending_bytes -= sum(len(waiting.entry.body) for waiting in group)
        if transaction is not None:
            self._transaction = None

    async def _keep_house(self) -> None:
        prune, self._prune = self._prune, None
        if prune is not None:
            older_than, max_bytes, future = prune
            try:
                pruned = await self._in_thread(self._store.prune, older_than, max_bytes)
            except StoreError as error:
                _fail(future, error)
            else:
                if not future.done():
                    future.set_result(pruned)
        with suppress(StoreError):  # counted; what was committed is safe in the WAL, and the next one tries again
            await self._in_thread(self._store.checkpoint)

    async def _in_thread(self, work: Callable[..., _T], *arguments: Any) -> _T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        except Exception as error:
            failed = error if isinstance(error, StoreError) else StoreError("internal", type(error).__name__)
            self.errors[failed.reason] += 1
            self._on_error(failed.reason)
            raise failed from error


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
