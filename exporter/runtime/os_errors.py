"""Messages for operating system errors: the system's own differ between platforms, languages and releases."""

import errno
import socket
import ssl
from collections.abc import Mapping
from typing import Final

_WHY: Final[Mapping[int, str]] = {
    errno.EACCES: "permission denied",
    errno.EADDRINUSE: "something listens there already",
    errno.EADDRNOTAVAIL: "no such address on this machine",
    errno.ECONNREFUSED: "nothing listens there",
    errno.ECONNRESET: "the connection was cut",
    errno.EDQUOT: "the disk quota is used up",
    errno.EEXIST: "it exists already",
    errno.EHOSTUNREACH: "no way leads there",
    errno.EIO: "the disk fails",
    errno.EISDIR: "it is a directory",
    errno.ELOOP: "its links lead in a circle",
    errno.EMFILE: "this process has too many files open",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ENETUNREACH: "no way leads there",
    errno.ENFILE: "this machine has too many files open",
    errno.ENOENT: "there is no such file",
    errno.ENOSPC: "the disk is full",
    errno.ENOTDIR: "a part of its path is not a directory",
    errno.ENOTEMPTY: "the directory is not empty",
    errno.EPERM: "it is not permitted",
    errno.EPIPE: "the other side has closed the connection",
    errno.EROFS: "the file system is read-only",
    errno.ETIMEDOUT: "no answer came in time",
}
_KINDS: Final[Mapping[type[OSError], str]] = {
    TimeoutError: _WHY[errno.ETIMEDOUT],
    socket.gaierror: "no address is known of this name",
    ssl.SSLCertVerificationError: "its certificate is not trusted here",
    ssl.SSLError: "it does not speak TLS as it should: if it is not meant to, write http://",
}
"""Of these the number does not tell."""


def why(error: OSError) -> str:
    """Return why a call failed, such as "there is no such file"; for what is rare, the name of the error number."""
    for kind, text in _KINDS.items():
        if isinstance(error, kind):
            return text
    return _WHY.get(error.errno or 0) or errno.errorcode.get(error.errno or 0, type(error).__name__)


def whose(error: OSError) -> str:
    """Return why a call failed, behind the name of the file where one is known."""
    return f"{error.filename}: {why(error)}" if error.filename else why(error)
