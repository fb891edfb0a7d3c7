"""Inflates request bodies within a limit; knows encodings, not what is inside."""

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from isal import isal_zlib

from .batch import DecodeError, TooLarge, UnsupportedEncoding

_MAX_MEMBERS: Final = 32


class _Inflater(Protocol):
    """What inflates one member (of gzip) or frame (of zstd)."""

    @property
    def eof(self) -> bool:
        """Whether it has ended."""

    @property
    def unused_data(self) -> bytes:
        """What follows it."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """At most so many bytes of what the data holds."""


def _zstd() -> _Inflater:
    from .zstd import Inflater  # noqa: PLC0415 - few send it, and nobody else needs the library in memory

    return Inflater()


_gzip = partial(isal_zlib.decompressobj, 31)
_zlib = partial(isal_zlib.decompressobj, 15)
_INFLATERS: Final[dict[str, Callable[[], _Inflater]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _zlib,
    "zlib": _zlib,
    "zstd": _zstd,
}


def decompress(encoding: str, body: bytes, limit: int) -> bytes:
    """Return the body as it was before its Content-Encoding, at most ``limit`` bytes.

    Raises UnsupportedEncoding, TooLarge (found while inflating, before the memory is spent) or DecodeError.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        if len(body) > limit:
            raise _too_large(limit)
        return body
    if encoding not in _INFLATERS:
        raise UnsupportedEncoding("the Content-Encoding is not supported; send gzip, zstd, deflate or identity")
    try:
        return _inflate(_INFLATERS[encoding], body, limit)
    except isal_zlib.error:  # type: ignore[misc]  # the stub types the alias as a variable
        raise DecodeError(f"the body is not valid {encoding} data") from None


def _inflate(inflater_of: Callable[[], _Inflater], body: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    room = limit
    for _ in range(_MAX_MEMBERS):
        inflater = inflater_of()
        part = inflater.decompress(body, room + 1)
        room -= len(part)
        if room < 0:
            raise _too_large(limit)
        if not inflater.eof:
            raise DecodeError("the compressed body is truncated")
        parts.append(part)
        body = inflater.unused_data
        if not body.strip(b"\0"):
            return part if len(parts) == 1 else b"".join(parts)
        if inflater_of is _zlib:
            raise DecodeError("bytes follow the end of the compressed body")
    raise DecodeError(f"the compressed body has more than {_MAX_MEMBERS} members")


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit} bytes after decompression")
