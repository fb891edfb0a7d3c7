"""The store and the ledger that a URL names: which backends there are."""

import time
from collections.abc import Callable

from ..judge.budget import Caps
from .port import SpendLedger, Store
from .sqlite.files import locate
from .sqlite.spend_ledger import SpendLedger as SqliteLedger
from .sqlite.store import Store as SqliteStore


def open_store(url: str, now: Callable[[], float] = time.time, *, ballast: int = 0) -> Store:
    """Open or create the store that ``url`` names, for this process alone; raises StoreError and says the cure.

    ``ballast`` is how many bytes of the disk are kept for when that is full.
    """
    return SqliteStore.open(url, now, ballast=ballast)


def open_ledger(url: str, caps: Caps, now: Callable[[], float] = time.time) -> SpendLedger:
    """Open or create the ledger that ``url`` names, which other processes may have open; raises StoreError."""
    return SqliteLedger(locate(url), caps, now=now)
