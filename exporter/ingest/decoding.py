"""Decodes bodies without blocking the event loop: small ones here, large ones in a separate process.

Native parsers hold the GIL until they are done, also in threads. So large bodies are decoded in another process, and
come back in pieces. A body that takes too long, or too much memory, ends that process only.
"""

import asyncio
import logging
import os
import pickle
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Final

from .. import decode as decoders
from ..decode import PROTOBUF, Batch, DecodeError, DecodeLimits, Signal, TooLarge, decode, decompress
from ..decode.weigh import is_light
from ..decode.worker import HEADER, DecodeJob, Failed, Piece, Rest
from ..model.trace import Span
from ..records.requests import Entry

HERE_BYTES: Final = 1 << 20
"""Bodies that inflate to no more than this are decoded on the event loop: at worst in about 0.1 s."""
LIGHT_BYTES: Final = 8 << 20
"""So are those up to this that hold few values, as those of LLMs do: what is left is text."""
_TURN_SECONDS: Final = 0.01
_PATIENCE: Final = 60.0
"""Seconds for a body in the other process, those in which it has no processor included."""
_TOO_SLOW: Final = "the body takes too long to decode, or too much memory: send less in one request"

_log = logging.getLogger(__name__)


class Pace:
    """Yields to the event loop between pieces of work that together would take long.

    Without it, requests that arrive at once would be decoded one after the other while everything else waits.
    """

    def __init__(self) -> None:
        self._spent = 0.0
        self._line = asyncio.Lock()

    async def turn(self) -> None:
        """Return at once after little work, else after yielding to the event loop; callers are served in order."""
        if self._spent < _TURN_SECONDS and not self._line.locked():
            return
        async with self._line:
            await asyncio.sleep(0)
            self._spent = 0.0

    @contextmanager
    def working(self) -> Iterator[None]:
        """Measures work inside the block that must not be interrupted."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._spent += time.perf_counter() - began


class Decoding:
    """Decodes bodies, large ones one at a time; call ``close`` at the end."""

    def __init__(self, seconds: float = 5.0) -> None:
        """``seconds`` of processor time are the most that one body may take."""
        self._seconds = seconds
        self.pace = Pace()
        self._one_at_a_time = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None

    async def batch(
        self,
        signal: Signal,
        entry: Entry,
        limits: DecodeLimits,
        reading: Callable[[bytes], AbstractContextManager[None]] = nullcontext,  # type: ignore[assignment]
    ) -> Batch:
        """What a request holds; raises DecodeError, TooLarge or UnsupportedEncoding.

        What could end this process is done inside ``reading(body)``.
        """
        try:
            body = decompress(entry.encoding, entry.body, min(LIGHT_BYTES, limits.decompressed_bytes))
        except TooLarge:
            if limits.decompressed_bytes <= LIGHT_BYTES:
                raise
            return await self._elsewhere(signal, entry, limits)
        if len(body) > HERE_BYTES and not is_light(body, is_protobuf=entry.media_type == PROTOBUF):
            return await self._elsewhere(signal, entry, limits)
        with self.pace.working(), reading(entry.body):
            return decode(signal, entry.media_type, body, limits, entry.received_at)

    async def _elsewhere(self, signal: Signal, entry: Entry, limits: DecodeLimits) -> Batch:
        job = DecodeJob(signal, entry.media_type, entry.encoding, entry.body, limits, entry.received_at, self._seconds)
        async with self._one_at_a_time:
            process = self._process = self._process or await _started()
            is_done = False
            try:
                async with asyncio.timeout(_PATIENCE):
                    batch = await _done(process, job, self.pace)
                is_done = True
            except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
                raise TooLarge(_TOO_SLOW) from None
            except (DecodeError, ValueError):
                is_done = True
                raise
            finally:
                if not is_done:
                    _log.warning("a body was not decoded: its process ended, code=%s", await self.close())
            return batch

    async def close(self) -> int | None:
        """End the other process, if there is one; returns the code that it ended with."""
        process, self._process = self._process, None
        if process is None:
            return None
        with suppress(ProcessLookupError):
            process.kill()
        return await process.wait()


async def _started() -> asyncio.subprocess.Process:
    """A process that decodes, with the very code of this one."""
    here = str(Path(__file__).parents[2])
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", f"from {decoders.__name__}.worker import main; main()"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": here},
        start_new_session=True,
    )


async def _done(process: asyncio.subprocess.Process, job: DecodeJob, pace: Pace) -> Batch:
    if process.stdin is None or process.stdout is None:
        raise ValueError("the process was started without pipes")
    content = pickle.dumps(job, pickle.HIGHEST_PROTOCOL)
    process.stdin.writelines((len(content).to_bytes(HEADER), content))
    await process.stdin.drain()
    batch = Batch()
    while True:
        size = int.from_bytes(await process.stdout.readexactly(HEADER))
        content = await process.stdout.readexactly(size)
        await pace.turn()
        with pace.working():
            piece: Piece = pickle.loads(content)  # noqa: S301 - from a process that we started
            if isinstance(piece, Rest):
                batch.rejected, batch.anomalies, batch.kept = piece.rejected, piece.anomalies, piece.kept
                return batch
            if isinstance(piece, Failed):
                raise _error(piece)
            (batch.spans if isinstance(piece[0], Span) else batch.logs).extend(piece)  # type: ignore[arg-type]


def _error(failed: Failed) -> Exception:
    if failed.kind:
        found: Exception = getattr(decoders, failed.kind)(failed.message)
        return found
    _log.error("request not processed: error=%s", failed.message)
    return DecodeError("the body could not be processed")
