"""Runs blocking store calls on one dedicated thread, in order, and keeps the reason of the last failure."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from .errors import StoreError

_T = TypeVar("_T")


class Executor:
    """Single-thread executor for the blocking calls of one store file. ``clock`` is monotonic, in seconds.

    ``on_commit`` is called with the duration of each commit (seconds), ``on_error`` with the reason of each failure.
    ``problem`` is the reason why the last commit failed, None when it succeeded.
    """

    def __init__(
        self, name: str, on_commit: Callable[[float], None], on_error: Callable[[str], None], clock: Callable[[], float]
    ) -> None:
        self.problem: str | None = None
        self._on_commit = on_commit
        self._on_error = on_error
        self._clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def commit(self, work: Callable[..., object], *arguments: Any) -> None:
        """Make something durable; raises StoreError."""
        try:
            seconds = await self.do(self._timed, work, arguments)
        except StoreError as error:
            self.problem = error.reason
            raise
        self.problem = None
        self._on_commit(seconds)

    async def verify(self, work: Callable[..., object]) -> None:
        """Check that a commit would be possible, without making one; raises StoreError."""
        try:
            await self.do(work)
        except StoreError as error:
            self.problem = error.reason
            raise

    def _timed(self, work: Callable[..., object], arguments: tuple[Any, ...]) -> float:
        started = self._clock()
        work(*arguments)
        return self._clock() - started

    async def do(self, work: Callable[..., _T], *arguments: Any) -> _T:
        """Run any other call; raises StoreError, with the reason ``internal`` for an unexpected exception."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        except StoreError as error:
            self._on_error(error.reason)
            raise
        except Exception as error:
            self._on_error("internal")
            raise StoreError("internal", type(error).__name__) from error

    def stop(self) -> None:
        """Wait for the running call, and end the thread."""
        self._thread.shutdown()


def tell(future: asyncio.Future[_T], result: _T) -> None:
    """Set the result of a future, unless it was cancelled meanwhile."""
    if not future.done():
        future.set_result(result)


def fail(future: asyncio.Future[Any], error: Exception) -> None:
    """Set the exception of a future, unless it was cancelled meanwhile."""
    if not future.done():
        future.set_exception(error)
