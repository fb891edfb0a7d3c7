"""The one error of a store."""


class StoreError(Exception):
    """A store operation failed, and none of it was applied.

    ``reason`` is one of disk_full, read_only, io_error, locked, corrupt, cannot_open, unreachable, replaced, in_use,
    foreign, newer, older, url, closed, internal.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
