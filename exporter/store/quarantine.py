"""Keeps requests and traces that crashed the process in files, few and not for long. Knows names and bytes only."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..records.requests import Entry
from .in_work import key_of_body

MOST_FILES: Final = 100
MOST_BYTES: Final = 256 << 20


_ENDINGS: Final = {"application/x-protobuf": "pb", "application/json": "json"}


class Quarantine:
    """A folder beside the store, created when there is something to keep. ``now`` is Unix seconds.

    Disk errors are never raised: a crashing request must be set aside even if it cannot be kept.
    """

    def __init__(self, store: Path, now: Callable[[], float] = time.time) -> None:
        self.folder = store.with_name(f"{store.name}.quarantine")
        self._now = now

    def keep_request(self, entry: Entry) -> Path | None:
        """Keep a request as it came, under a name as ``llmq replay`` reads it; the same one once."""
        compressed = ".gz" if entry.encoding else ""
        ending = f"{entry.signal}.{_ENDINGS.get(entry.media_type, 'bin')}{compressed}"
        name = f"request-{key_of_body(entry.body).hex()}.{ending}"
        return path if (path := self.folder / name).exists() else self.keep(name, entry.body)

    def keep(self, name: str, content: bytes) -> Path | None:
        """Write a file durably under a name of its own; None where the disk refuses it."""
        path = self.folder / name
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            os.utime(path, (self._now(), self._now()))
        except OSError:
            return None
        self._make_room()
        return path

    def forget(self, names: Sequence[str]) -> None:
        """Delete what is kept under a name that begins with one of these."""
        for path, _, _ in self._files():
            if path.name.startswith(tuple(names)):
                _delete(path)

    def expire(self, age: float) -> None:
        """Delete what is older than so many seconds."""
        for path, at, _ in self._files():
            if at < self._now() - age:
                _delete(path)

    def _make_room(self) -> None:
        """Delete the oldest files beyond the limits; the newest one stays whatever its size."""
        files = self._files()
        size = 0
        for number, (path, _, bytes_) in enumerate(files):
            size += bytes_
            if number >= MOST_FILES or (number and size > MOST_BYTES):
                _delete(path)

    def _files(self) -> list[tuple[Path, float, int]]:
        """(file, when it was kept, bytes), the latest first."""
        try:
            found = [(path, path.stat().st_mtime, path.stat().st_size) for path in self.folder.iterdir()]
        except OSError:
            return []
        return sorted(found, key=lambda one: one[1], reverse=True)


def _delete(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
