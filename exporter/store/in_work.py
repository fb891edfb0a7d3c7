"""Marks what is being processed in a small file that survives a crash of the process. Knows ids only.

A request or trace that crashes the process, in native code or by exhausting memory, would crash it again at each start.
The marks tell the next start which one it was. They are written without fsync: they survive a killed process, and are
ignored after a power failure, which no request causes (the file names the boot in which it was written).

Two marks can be set at once: one for the event loop, one for the commit under way. Where the file cannot be written
there are no marks, and everything else works.
"""

import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Final, Self, get_args

from msgspec import Struct

from ..model.score import Stage

STAGES: Final[tuple[Stage, ...]] = get_args(Stage)
KEY_BYTES: Final = 16
DEATHS: Final = 3
"""How often something may end the process while it is worked on: once, and twice more when it is tried again."""

_BOOT = slice(0, 16)
_TRIES = 16
_LOOP, _COMMIT, _BODIES, _END = 64, 4096, 1 << 20, (1 << 20) + 4096
_HEADER = struct.Struct("<BI")
_MOST_BODIES = 128
_TAKEN = b"taken "
"""What the key of a body is made with once it was read: that it could be read says nothing of what comes then."""


class Marked(Struct, frozen=True):
    """What was being processed when the process ended, and in which stage."""

    stage: Stage
    keys: tuple[bytes, ...]


def key_of(seq: int) -> bytes:
    """The key of a journal entry; that of a trace is its id."""
    return seq.to_bytes(KEY_BYTES, "big")


def key_of_body(body: bytes) -> bytes:
    """A hash of the two ends of a body: a compressed body ends in a checksum, others have span ids there."""
    return blake2b(b"%d %b%b" % (len(body), body[:2048], body[-2048:]), digest_size=KEY_BYTES).digest()


class PoisonError(Exception):
    """A request crashed the process each time it was read."""


class InWork:
    """The marks of this process.

    ``left`` are the marks of the previous process; ``tries`` is the number of the attempt in which it retried a
    suspect, 0 if it did not.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file; raises OSError."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        before = os.pread(self._file, _END, 0).ljust(_END, b"\0")
        if before[_BOOT] != _boot():
            before = bytes(_END)
            for place in (_TRIES, _LOOP, _COMMIT, _BODIES):
                self._write(place, bytes(_HEADER.size))
            self._write(_BOOT.start, _boot())
        self.left = _marks(before)
        self.tries = before[_TRIES]
        self.unreadable = 0
        """How many bodies are not read any more since this start, because they ended the process while they were."""
        self._deaths = _read_bodies(before)
        for mark in self.left:
            if mark.stage == "read":
                self.clear()
                self._died(mark.keys)
                self.unreadable = sum(self._deaths[key] == DEATHS for key in mark.keys)

    @classmethod
    def beside(cls, store: Path) -> Self:
        """The marks of the exporter that has this store."""
        return cls(store.with_name(f"{store.name}.work"))

    def close(self) -> None:
        """Close the file without marks, as at a regular end of the process. Safe to call twice."""
        if self._file == -1:
            return
        self.clear()
        self.committed()
        self.on_trial(0)
        os.close(self._file)
        self._file = -1

    # The event loop's side.

    def mark(self, stage: Stage, keys: Iterable[bytes]) -> None:
        """Mark these requests or traces (keys of 16 bytes) as being processed, in the place of the previous mark."""
        self._mark(_LOOP, _COMMIT, stage, keys)

    def clear(self) -> None:
        """Mark nothing as being processed."""
        self._write(_LOOP, b"\0")

    @contextmanager
    def on(self, stage: Stage, keys: Iterable[bytes]) -> Iterator[None]:
        """Mark what the ``with`` block processes."""
        self.mark(stage, keys)
        try:
            yield
        finally:
            self.clear()

    def committing(self, keys: Iterable[bytes]) -> None:
        """Mark the traces and entries whose results are being committed."""
        self._mark(_COMMIT, _BODIES, "commit", keys)

    def committed(self) -> None:
        """Clear the mark of the commit."""
        self._write(_COMMIT, b"\0")

    def on_trial(self, tries: int) -> None:
        """Note that a suspect is being retried alone, and in which attempt; 0 ends the trial."""
        self._write(_TRIES, bytes([tries]))

    def now(self) -> tuple[Marked, ...]:
        """The current mark, also when it was set by a forked copy of this process."""
        return _marks(os.pread(self._file, _BODIES, 0).ljust(_END, b"\0"))

    def progress(self) -> bytes:
        """A number that changes with each mark of the event loop, also in a forked copy of this process."""
        return os.pread(self._file, _COMMIT, 0)

    # Bodies of requests, which are read before they have a number.

    @contextmanager
    def reading(self, body: bytes) -> Iterator[None]:
        """Mark a body that the block decodes; raises PoisonError if that crashed the process too often."""
        self.check(body)
        key = key_of_body(body)
        with self.on("read", (key,)):
            yield
        if self._deaths.pop(key, None) is not None:
            self._write_bodies()

    @contextmanager
    def taking(self, body: bytes) -> Iterator[None]:
        """Mark a decoded body that the block processes; raises PoisonError as ``reading`` does."""
        with self.reading(_TAKEN + body):
            yield

    def check(self, body: bytes) -> None:
        """Raise PoisonError for a body that crashed the process too often, also after it was decoded."""
        keys = [key_of_body(body), key_of_body(_TAKEN + body)] if self._deaths else []
        if any(self._deaths.get(key, 0) >= DEATHS for key in keys):
            raise PoisonError

    def condemn(self, body: bytes) -> None:
        """Refuse a body from now on: its sender was not answered, and retries it until it is."""
        key = key_of_body(body)
        self._deaths[key] = DEATHS - 1
        self._died((key,))

    def _died(self, keys: Iterable[bytes]) -> None:
        for key in keys:
            self._deaths[key] = self._deaths.pop(key, 0) + 1
        while len(self._deaths) > _MOST_BODIES:
            del self._deaths[next(iter(self._deaths))]
        self._write_bodies()

    def _write_bodies(self) -> None:
        rows = b"".join(key + bytes([deaths]) for key, deaths in self._deaths.items())
        self._write(_BODIES, _HEADER.pack(1, len(self._deaths)) + rows)

    def _mark(self, place: int, end: int, stage: Stage, keys: Iterable[bytes]) -> None:
        rows = b"".join(keys)[: (end - place - _HEADER.size) // KEY_BYTES * KEY_BYTES]
        self._write(place, _HEADER.pack(STAGES.index(stage) + 1, len(rows) // KEY_BYTES) + rows)

    def _write(self, place: int, content: bytes) -> None:
        try:  # noqa: SIM105 - suppress() takes as long as the write
            os.pwrite(self._file, content, place)
        except OSError:
            pass


def _marks(content: bytes) -> tuple[Marked, ...]:
    return tuple(mark for mark in (_read(content, _LOOP), _read(content, _COMMIT)) if mark is not None)


def _read(content: bytes, place: int) -> Marked | None:
    stage, count = _HEADER.unpack_from(content, place)
    if not 0 < stage <= len(STAGES):
        return None
    first = place + _HEADER.size
    rows = content[first : first + count * KEY_BYTES]
    return Marked(STAGES[stage - 1], tuple(rows[at : at + KEY_BYTES] for at in range(0, len(rows), KEY_BYTES)))


def _read_bodies(content: bytes) -> dict[bytes, int]:
    _, count = _HEADER.unpack_from(content, _BODIES)
    row, first = KEY_BYTES + 1, _BODIES + _HEADER.size
    rows = [content[first + at : first + at + row] for at in range(0, min(count, _MOST_BODIES) * row, row)]
    return {one[:KEY_BYTES]: one[KEY_BYTES] for one in rows}


def _boot() -> bytes:
    """Names this boot of the machine; the same for all where the system does not say."""
    try:
        named = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    except OSError:
        named = b""
    return blake2b(named, digest_size=_BOOT.stop, person=b"llmq boot").digest()
