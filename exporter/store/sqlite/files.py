"""The file of the store: which one a URL names, and that this process alone may use it. Knows no SQL.

Files are made readable by their owner only: what is in them is private.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import unquote

from ...runtime.os_errors import why
from ..errors import StoreError
from .errors import os_reason

_UNUSED_BYTE: Final = 1 << 40
"""Of a database, far from those that SQLite locks."""


def locate(url: str) -> Path:
    """The file that a URL names: sqlite:///relative.db or sqlite:////absolute/path.db; raises StoreError."""
    scheme, _, rest = url.partition("://")
    name = unquote(rest.removeprefix("/"))
    if scheme != "sqlite" or not rest.startswith("/") or not name.strip("/") or name == ":memory:":
        raise StoreError("url", f'cannot use store "{url}": write sqlite:///file.db or sqlite:////path/to/file.db')
    return Path(os.path.realpath(name))  # the journal stands beside the file itself, by whichever link it is named


def beside(path: Path) -> Path:
    """The file of the journal of that store, not "-journal", which is SQLite's own name for something else."""
    return path.with_name(f"{path.name}.journal")


class FileClaim:
    """An exclusive lock on the files of a store, until it is closed or the process ends.

    Close it after SQLite has closed the files: closing any descriptor of a file drops the locks that SQLite has on it.
    """

    def __init__(self) -> None:
        self._descriptors: list[int] = []

    def holds(self, descriptor: int) -> int:
        """Keep a descriptor open until the claim is closed, and return it."""
        self._descriptors.append(descriptor)
        return descriptor

    def close(self) -> None:
        """Release the locks."""
        while self._descriptors:
            os.close(self._descriptors.pop())


class Identity:
    """Which files a database was opened as: itself, its WAL and its shared memory, by device and inode."""

    def __init__(self, path: Path) -> None:
        self._files = [f"{path}{end}" for end in ("", "-wal", "-shm")]
        self._opened = [_identity(file) for file in self._files]

    def verify(self, *, beside: bool = True) -> None:
        """Raise StoreError where a file was deleted or replaced; ``beside`` includes those beside the database."""
        for file, opened in zip(self._files if beside else self._files[:1], self._opened, strict=False):
            if _identity(file) != opened:
                raise StoreError(
                    "replaced",
                    f"{file} was deleted, moved or replaced while llmq has it open: move it back, or restart llmq",
                )


def _identity(file: str) -> tuple[int, int] | None:
    try:
        found = os.stat(file)  # noqa: PTH116 - for every commit, and four times as fast
    except OSError:
        return None
    return found.st_dev, found.st_ino


def claim(path: Path) -> FileClaim:
    """Make the files for this process alone, creating them and their folder where missing; raises StoreError."""
    if path.is_dir():
        raise StoreError("cannot_open", f"store {path} is a directory: name a file in it, such as {path / 'llmq.db'}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = _create(path.with_name(f"{path.name}.lock"))
    except OSError as error:
        _refuse(path, error)
    claimed = FileClaim()
    try:
        _take(claimed.holds(lock), path)
        for file in (path, beside(path)):
            _take_file(claimed.holds(_create(file)), file)
            _sync(file.with_name(f"{file.name}-wal"))
    except StoreError:
        claimed.close()
        raise
    except OSError as error:
        claimed.close()
        _refuse(path, error)
    return claimed


def _create(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _sync(wal: Path) -> None:
    """Make durable what a killed process had committed and not synced: the next one acts on it in the other file."""
    with suppress(FileNotFoundError):
        descriptor = os.open(wal, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _take(lock: int, path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.pread(lock, 20, 0).decode(errors="replace").strip() or "unknown"
        raise StoreError(
            "in_use",
            f"store {path} is in use by another llmq (process {owner}): stop that one, or give this one a store of its "
            "own with --store",
        ) from error
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def _take_file(file: int, path: Path) -> None:
    """Lock the file itself, to which hard links and mounts of it lead as well, by flock(); SQLite locks by fcntl().

    Where the file system does not keep the two apart (NFS, macOS), SQLite would be shut out, and the lock is given up:
    there a store is only kept from those who name it by the same path.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StoreError(
            "in_use",
            f"store {path} is in use by another llmq, which names the same file differently (a hard link, or a mount "
            "of it): stop that one, or give this one a store of its own with --store",
        ) from error
    except OSError:
        return  # this file system has no such lock
    other = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.lockf(other, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _UNUSED_BYTE)
    except OSError:
        fcntl.flock(file, fcntl.LOCK_UN)
    finally:
        os.close(other)


def _refuse(path: Path, error: OSError) -> NoReturn:
    raise StoreError(os_reason(error), f"cannot open store {path}: {why(error)}: {error.filename or path}") from error
