"""The file of the store: which one a URL names, and that this process alone may use it. Knows no SQL.

Files are made readable by their owner only: what is in them is private.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote

from .errors import os_reason
from .records import StoreError


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


def claim(path: Path) -> int:
    """Make the files for this process alone, creating them and their folder where missing; raises StoreError.

    The claim ends when the returned descriptor is closed, or the process ends, however it ends.
    """
    if path.is_dir():
        raise StoreError("cannot_open", f"store {path} is a directory: name a file in it, such as {path / 'llmq.db'}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = _create(path.with_name(f"{path.name}.lock"))
    except OSError as error:
        _refuse(path, error)
    try:
        _take(lock, path)
        for file in (path, beside(path)):
            os.close(_create(file))  # after the lock: closing a file would drop the locks of a store open on it
            _sync(file.with_name(f"{file.name}-wal"))
    except StoreError:
        os.close(lock)
        raise
    except OSError as error:
        os.close(lock)
        _refuse(path, error)
    return lock


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


def _refuse(path: Path, error: OSError) -> NoReturn:
    raise StoreError(
        os_reason(error), f"cannot open store {path}: {error.strerror}: {error.filename or path}"
    ) from error
