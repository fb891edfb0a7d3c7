"""The store that a URL names: which backends there are."""

import time
from collections.abc import Callable

from .port import Store
from .sqlite.store import Store as SqliteStore


def open_store(url: str, now: Callable[[], float] = time.time, *, ballast: int = 0) -> Store:
    """Open or create the store that ``url`` names, for this process alone; raises StoreError and says the cure.

    ``ballast`` is how many bytes of the disk are kept for when that is full.
    """
    return SqliteStore.open(url, now, ballast=ballast)
