"""An acknowledged request, until it is processed."""

from msgspec import Struct


class Entry(Struct, frozen=True):
    """One acknowledged request as it was received, body still compressed; ``received_at`` in Unix seconds."""

    signal: str
    media_type: str
    encoding: str
    body: bytes
    received_at: float
