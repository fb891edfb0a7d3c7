"""Deletes all stored data of a trace or of a user, including pending data. Knows no HTTP and no text.

What stays: the counters, and the keys of a trace's parts, so that a repeated part is not taken for a new trace. Traces
that began before the request and arrive within a day after it are deleted as they are recorded.
"""

import logging
import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final

import msgspec
from msgspec import Struct

from ..decode.batch import DecodeError
from ..model.trace import Trace
from ..recording.unit_of_work import Recorder
from ..records.erasure import Erasure
from ..records.requests import Entry
from ..store.errors import StoreError

SIGNAL: Final = "forget"
LIFE: Final = 86_400.0
"""Seconds for which what arrives of a deleted trace or user is deleted, too."""

Erased = Callable[[Sequence[bytes], str | None], None]

_log = logging.getLogger(__name__)


class PendingErasure(Struct):
    """An erasure request; ``done`` is called with the number of traces once they are permanently deleted."""

    asked: Erasure
    done: Callable[[int], None] = lambda _traces: None


class Eraser:
    """Handler of erasure requests, including those that an earlier run left. ``now`` is Unix seconds.

    ``erased`` is told which traces, and which user, to have deleted what others keep of them; it must not raise. Raises
    StoreError.
    """

    def __init__(self, recorder: Recorder, erased: Erased, now: Callable[[], float] = time.time) -> None:
        self._erased = erased
        self._recorder = recorder
        self._now = now
        self._graves: dict[bytes, float] = {}
        self._undone: dict[bytes, PendingErasure] = {}

    async def recover(self) -> None:
        """Load the state of an earlier run, before the journal is replayed; raises StoreError."""
        self._graves = await self._recorder.tombstones.all()
        self._undone = {key: PendingErasure(asked) for key, asked in await self._recorder.erasures.all()}

    # Requests.

    def read(self, entry: Entry) -> PendingErasure:
        """What a request asks for; raises DecodeError."""
        return PendingErasure(_asked(entry.body))

    def take(self, entry: Entry, asked: PendingErasure) -> None:
        """Delete what is there, and remember to delete what comes."""
        key = _trace_key(asked.asked.trace_id) if asked.asked.trace_id else _user_key(asked.asked.user or "")
        self._graves[key] = entry.received_at
        self._recorder.tombstones.put(key, at=entry.received_at)
        self._recorder.erasures.put(key, asked.asked)
        self._undone[key] = asked
        self._try(key)

    def _try(self, key: bytes) -> None:
        """Where the store cannot be read, the request waits."""
        request = self._undone[key]
        user = request.asked.user
        try:
            traces = [bytes.fromhex(request.asked.trace_id or "")] if user is None else self._recorder.of_user(user)
            known = sum([self._recorder.forget(trace_id) for trace_id in traces])
        except StoreError as error:
            _log.error("not deleted yet, will try again: reason=%s", error.reason)
            return
        self._erased(traces, user)
        del self._undone[key]
        self._recorder.erasures.drop(key)
        self._recorder.afterwards(lambda: request.done(known))

    # Traces.

    def covers(self, trace: Trace, arrived_at: float) -> bool:
        """Delete a trace that was just recorded, if it is one of those to forget; returns whether it was."""
        if not self._graves or not self._is_dead(trace, arrived_at):
            return False
        trace_id = bytes.fromhex(trace.trace_id)
        self._recorder.forget(trace_id)
        self._erased([trace_id], None)
        return True

    def _is_dead(self, trace: Trace, arrived_at: float) -> bool:
        if _trace_key(trace.trace_id) in self._graves:
            return True
        asked_at = self._graves.get(_user_key(trace.user)) if trace.user else None
        began_at = arrived_at if trace.started_at is None else min(arrived_at, trace.started_at)
        return asked_at is not None and began_at <= asked_at

    # The clockwork.

    def tick(self) -> None:
        """Try again what could not be done, and drop the tombstones whose time is over."""
        for key in list(self._undone):
            self._try(key)
        for key, at in list(self._graves.items()):
            if at < self._recorder.aged() - LIFE:
                del self._graves[key]
                self._recorder.tombstones.drop(key)


def _asked(body: bytes) -> Erasure:
    try:
        return msgspec.json.decode(body, type=Erasure)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise DecodeError("name a trace by 32 hexadecimal digits, or a user by 1 to 4096 characters") from None


def _trace_key(trace_id: str) -> bytes:
    return b"trace " + bytes.fromhex(trace_id)


def _user_key(user: str) -> bytes:
    """A digest: a tombstone shall not be where a name lives on."""
    return b"user " + blake2b(user.encode("utf-8", "replace"), digest_size=16, person=b"llmq forget").digest()
