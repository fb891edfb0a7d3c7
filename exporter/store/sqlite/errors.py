"""Maps SQLite and operating system errors to StoreError, with a reason and a message of our own."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ...runtime.os_errors import why
from ..errors import StoreError

_REASONS: Final = {
    sqlite3.SQLITE_FULL: "disk_full",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_PERM: "read_only",
    sqlite3.SQLITE_IOERR: "io_error",
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_CORRUPT: "corrupt",
    sqlite3.SQLITE_NOTADB: "corrupt",
    sqlite3.SQLITE_CANTOPEN: "cannot_open",
}
_OS_REASONS: Final = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EROFS: "read_only",
    errno.EACCES: "read_only",
    errno.EPERM: "read_only",
    errno.EIO: "io_error",
}
_WORDS: Final = {
    "disk_full": "its disk is full",
    "read_only": "it cannot be written: the file or its disk is read-only",
    "io_error": "its disk failed to read or write",
    "locked": "another program has locked it",
    "corrupt": "it is damaged, or no database",
    "cannot_open": "it cannot be opened",
}


@contextmanager
def as_store_errors(what: str = "the store") -> Iterator[None]:
    """Turn what SQLite and the file system raise into StoreError; ``what`` begins its message."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        reason = "internal" if code is None else _REASONS.get(code & 0xFF, "internal")
        words = _WORDS.get(reason, f"SQLite refused ({getattr(error, 'sqlite_errorname', type(error).__name__)})")
        raise StoreError(reason, f"{what}: {words}") from error
    except OSError as error:
        reason = os_reason(error)
        raise StoreError(reason, f"{what}: {_WORDS[reason]} ({why(error)})") from error


def os_reason(error: OSError) -> str:
    """The reason of a StoreError for what the file system raised."""
    return _OS_REASONS.get(error.errno or 0, "cannot_open")
