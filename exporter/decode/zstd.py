"""Inflates a frame of zstd; the library is in Python itself from 3.14 on."""

import sys
from typing import Final

from .batch import DecodeError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_WINDOW: Final = 23
"""The largest window, as a power of 2: 8 MiB, which is what RFC 9659 allows a Content-Encoding."""
_OPTIONS: Final = {int(zstd.DecompressionParameter.window_log_max): _WINDOW}


class Inflater:
    """Inflates one frame, in pieces; raises DecodeError."""

    def __init__(self) -> None:
        self._of_library = zstd.ZstdDecompressor(options=_OPTIONS)

    @property
    def eof(self) -> bool:
        """Whether the frame has ended."""
        return bool(self._of_library.eof)

    @property
    def unused_data(self) -> bytes:
        """What follows the frame."""
        return bytes(self._of_library.unused_data)

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """At most so many bytes of what the data holds."""
        try:
            return bytes(self._of_library.decompress(data, max_length))
        except zstd.ZstdError:
            raise DecodeError("the body is not valid zstd data") from None
