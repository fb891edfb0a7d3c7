"""Derives signals from the turns of each conversation. Bounded, durable; knows no HTTP.

A conversation is identified by its application, its route and its id: other calls of the application (a title, a
summary) have routes of their own and are no turns of it.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from hashlib import blake2b
from typing import Final

import msgspec

from ..config.settings import FeedbackSettings
from ..metrics.labels import Slice
from ..recording.identifiers import KEEP
from ..recording.scored import Scored
from ..recording.unit_of_work import Recorder
from ..records.feedback import Turn
from .attribution import Attribution
from .derive import after, follows, is_later, turn

_ENDS_AT_ONCE: Final = 500
_LONGEST_KEY: Final = 128
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Turn)


class Conversations:
    """The last turn of each active conversation. ``now`` is Unix seconds."""

    def __init__(
        self, settings: FeedbackSettings, recorder: Recorder, credit: Attribution, now: Callable[[], float] = time.time
    ) -> None:
        self.settings = settings
        self.identifiers = KEEP
        self._recorder = recorder
        self._credit = credit
        self._now = now
        self._last: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()
        """When the last turn came, and the turn as it is stored, which takes a fraction of a Turn's memory."""

    def __len__(self) -> int:
        """How many go on."""
        return len(self._last)

    async def recover(self) -> None:
        """Load the state of an earlier run; downtime does not count as idle time. Raises StoreError."""
        now = self._now()
        for key, last in await self._recorder.conversations.all():
            self._last[key] = (now, _encoder.encode(last))

    def forget(self, trace_ids: Collection[bytes]) -> None:
        """Delete the turns of these traces."""
        for key in [key for key, (_, last) in self._last.items() if _decoder.decode(last).trace_id in trace_ids]:
            del self._last[key]
            self._recorder.conversations.drop(key)

    def follow(self, scored: Scored) -> None:
        """Process one more trace; one without a conversation id is ignored."""
        conversation = scored.trace.conversation_id
        if not conversation:
            return
        where, now = scored.where, self._now()
        key = _key(where, self.identifiers.key(conversation))
        before = self._last.get(key)
        earlier = None if before is None else _decoder.decode(before[1])
        if earlier is not None and not is_later(earlier, scored.trace):
            return
        current = turn(scored.trace, where, scored.outcome, scored.trace_id)
        if earlier is not None:
            current = self._after(earlier, current, now)
            self._last.move_to_end(key)
        self._last[key] = (now, _encoder.encode(current))
        self._recorder.conversations.put(key, current, at=now)
        if len(self._last) > self.settings.conversations:
            self._evict()

    def _after(self, before: Turn, current: Turn, now: float) -> Turn:
        signal = follows(before, current, alike=self.settings.similarity, words=self.settings.words)
        if signal is not None:
            self._credit.derived(signal, before.trace_id, Slice(*before.where), now)
        return after(before, current, signal)

    def _evict(self) -> None:
        while len(self._last) > self.settings.conversations:
            key, _ = self._last.popitem(last=False)
            self._recorder.conversations.drop(key)
            self._recorder.tally.conversation_ended("evicted")

    def end_idle(self) -> None:
        """End those that were idle for long enough, some at a time."""
        now = self._now()
        for _ in range(_ENDS_AT_ONCE):
            key, (at, last) = next(iter(self._last.items()), (b"", (now, None)))
            if last is None or at > now - self.settings.idle:
                return
            del self._last[key]
            self._recorder.conversations.drop(key)
            self._recorder.tally.conversation_ended("idle")
            ended = _decoder.decode(last)
            if ended.trouble is not None:
                self._credit.derived("abandon", ended.trace_id, Slice(*ended.where), now, after=ended.trouble)


def _key(where: Slice, conversation: str) -> bytes:
    name = f"{where.app}\0{where.route}\0{conversation}".encode("utf-8", "replace")
    return name if len(name) <= _LONGEST_KEY else blake2b(name).digest()
