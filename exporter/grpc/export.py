"""One OTLP export over gRPC: admitted, read, decoded, made durable, answered. Knows no ports.

A call is read only once it is admitted, and few calls are read at one time: grpcio holds a whole message, of up to
limits.body_bytes, before it hands it over.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

import grpc

from ..decode import PROTOBUF, Signal
from ..http.otlp import take
from ..http.requests import HeldBytes, Reception, Refusal, check_bearer, too_many, too_slow
from ..ingest.port import Intake
from ..records.requests import Entry
from ..runtime.log import described
from .status import of

READ_AT_ONCE: Final = 16
"""Messages that are being received at one time."""
_PATIENCE: Final = 5.0
"""Seconds that a call waits until it is read."""
_ZLIB: Final = 0x78
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}
_Outcome = bytes | Refusal

_log = logging.getLogger(__name__)


class Exports:
    """Answers calls; ``on_answered`` gets (signal, the HTTP status that says the same)."""

    def __init__(self, intake: Intake, reception: Reception, on_answered: Callable[[str, int], None]) -> None:
        self._intake, self._reception, self._on_answered = intake, reception, on_answered
        self._readers = asyncio.Semaphore(READ_AT_ONCE)
        self._under_way: set[asyncio.Task[_Outcome]] = set()

    def __len__(self) -> int:
        """Calls whose message has been received and that are not answered yet."""
        return len(self._under_way)

    async def answer(self, signal: Signal, context: Any) -> bytes:
        """Return the reply to a call of this signal, or abort it with the status that says why."""
        try:
            body = await self._received(context)
        except Refusal as refusal:
            return await _abort(context, self._count(signal, refusal))
        # Finished also where the client leaves: what is in the journal already would else wait for the next start.
        task = asyncio.create_task(self._taken(signal, body))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        outcome = await asyncio.shield(task)
        return outcome if isinstance(outcome, bytes) else await _abort(context, outcome)

    async def finish(self) -> None:
        """Wait for the calls under way."""
        while self._under_way:
            await asyncio.wait(list(self._under_way))

    async def _received(self, context: Any) -> bytes:
        """The message of a call; refused before it is read where its sender may not send."""
        reception = self._reception
        check_bearer(reception.access, _authorization(context), "ingest")
        await self._turn()
        try:
            async with asyncio.timeout(reception.body_seconds):
                message = await context.read()
        except TimeoutError:
            raise too_slow(reception.body_seconds) from None
        finally:
            self._readers.release()
        if not isinstance(message, bytes):
            raise Refusal(400, "body", "no message came, or one that is too large: send less at once")
        return message

    async def _turn(self) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._readers.acquire()
        except TimeoutError:
            raise too_many() from None

    async def _taken(self, signal: Signal, body: bytes) -> _Outcome:
        """The reply to a message, or why it is refused; counted."""
        reception, held = self._reception, HeldBytes(self._reception)
        try:
            reception.check_size(len(body))
            held.add(len(body))
            entry = Entry(signal, PROTOBUF, encoding(body), body, reception.now())
            reply = await take(self._intake, reception, signal, entry)
        except Refusal as refusal:
            return self._count(signal, refusal)
        except Exception as error:  # noqa: BLE001 - grpcio would answer with the text of the error
            _log.error("request failed: signal=%s error=%s", signal, described(error))
            return self._count(signal, Refusal(503, "internal", "the request could not be processed", retry_after=5.0))
        finally:
            held.release()
        self._on_answered(signal, HTTPStatus.OK)
        return reply

    def _count(self, signal: Signal, refusal: Refusal) -> Refusal:
        self._reception.on_rejected(signal, refusal.reason, 1)
        self._on_answered(signal, refusal.code)
        return refusal


def encoding(message: bytes) -> str:
    """How a message is compressed, by its first bytes: one of OTLP's begins with a field that they cannot be."""
    if message[:2] == b"\x1f\x8b":
        return "gzip"
    return "deflate" if message[:1] == bytes([_ZLIB]) else ""


def _authorization(context: Any) -> str | None:
    return next((value for key, value in context.invocation_metadata() or () if key == "authorization"), None)


async def _abort(context: Any, refusal: Refusal) -> bytes:
    status = of(refusal)
    with suppress(grpc.aio.UsageError):  # the call has ended meanwhile: nobody is there to be told
        await context.abort(_CODES[status.code], status.message, status.trailing)
    return b""
