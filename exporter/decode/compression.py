"""Inflates request bodies within a limit; knows encodings, not what is inside."""

from isal import isal_zlib

from .batch import DecodeError, TooLarge, UnsupportedEncoding

_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15, "zlib": 15}
_MAX_MEMBERS = 32


def decompress(encoding: str, body: bytes, limit: int) -> bytes:
    """Return the body as it was before its Content-Encoding, at most ``limit`` bytes.

    Raises UnsupportedEncoding, TooLarge (found while inflating, before the memory is spent) or DecodeError.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        if len(body) > limit:
            raise _too_large(limit)
        return body
    if encoding not in _WINDOW_BITS:
        raise UnsupportedEncoding("the Content-Encoding is not supported; send gzip, deflate or identity")
    try:
        return _inflate(_WINDOW_BITS[encoding], body, limit)
    except isal_zlib.error:  # type: ignore[misc]  # the stub types the alias as a variable
        raise DecodeError(f"the body is not valid {encoding} data") from None


def _inflate(window_bits: int, body: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    room = limit
    for _ in range(_MAX_MEMBERS):
        inflater = isal_zlib.decompressobj(window_bits)
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
        if window_bits == _WINDOW_BITS["deflate"]:
            raise DecodeError("bytes follow the end of the compressed body")
    raise DecodeError(f"the body has more than {_MAX_MEMBERS} gzip members")


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit} bytes after decompression")
