"""Whose data is to be deleted."""

from typing import Annotated

from msgspec import Meta, Struct


class Erasure(Struct, forbid_unknown_fields=True):
    """A trace, or all of a user; exactly one of them is named."""

    trace_id: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")] | None = None
    user: Annotated[str, Meta(min_length=1, max_length=4096)] | None = None

    def __post_init__(self) -> None:
        if (self.trace_id is None) == (self.user is None):
            raise ValueError("name either a trace or a user")
