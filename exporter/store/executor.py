"""One thread that writes one file. Knows what a failure is, not what is written."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from .errors import StoreError

_T = TypeVar("_T")


class Hand:
    """Does one thing after the other. ``clock`` is in seconds and only goes up.

    ``on_commit`` hears the seconds that a commit took, ``on_error`` why something failed. ``problem`` is the reason why
    the last commit failed, None when it did not.
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
        """See whether something could be made durable, without doing so; raises StoreError."""
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
        """Do anything else; raises StoreError, for what nobody foresaw with the reason internal."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        except StoreError as error:
            self._on_error(error.reason)
            raise
        except Exception as error:
            self._on_error("internal")
            raise StoreError("internal", type(error).__name__) from error

    def stop(self) -> None:
        """Wait for what it does."""
        self._thread.shutdown()


def tell(future: asyncio.Future[_T], result: _T) -> None:
    """Give the one who waits a result, if anybody does still."""
    if not future.done():
        future.set_result(result)


def fail(future: asyncio.Future[Any], error: Exception) -> None:
    """Give the one who waits an error, if anybody does still."""
    if not future.done():
        future.set_exception(error)
