"""Emergency disk space: a file beside the store without content, deleted when the disk is full.

On a full disk SQLite can neither copy its WAL into the database nor delete rows, because both need some space first.
The file is deleted then, and written again when there is room.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

_LARGEST_SHARE: Final = 4
"""At most one part in so many of the file system."""
_SPARE: Final = 2
"""It is laid where so many times its size is free: else the disk would be full again at once."""


class Ballast:
    """The emergency space of the store at ``path``; ``size`` in bytes, 0: none."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path.with_name(f"{path.name}.ballast")
        self._most = size
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes that are kept: what was asked for, and no more than a quarter of the file system."""
        with suppress(OSError):
            self._size = min(self._most, shutil.disk_usage(self._path.parent).total // _LARGEST_SHARE)
        return self._size

    @property
    def held(self) -> int:
        """Bytes that are held at the moment."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    @property
    def has_room(self) -> bool:
        """Whether the disk has room to reserve it, or to enlarge it."""
        return shutil.disk_usage(self._path.parent).free >= _SPARE * self.size - self.held

    def resize(self, size: int) -> None:
        """Keep so much from the next time on that it is laid."""
        self._most = size

    def lay(self) -> bool:
        """Reserve the space, where there is room; returns whether it is held."""
        size = self.size
        if self.held == size:
            return True
        if not self.has_room:
            return False
        self.give_up()
        try:
            self._allocate(size)
        except OSError:
            self.give_up()
            return False
        return True

    def _allocate(self, size: int) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(descriptor, 0, size)
            else:  # macOS
                os.pwrite(descriptor, bytes(size), 0)
        finally:
            os.close(descriptor)

    def give_up(self) -> None:
        """Delete the file, which frees its space."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
