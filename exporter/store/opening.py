"""The store and the ledger that a URL names: which backends there are."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from ..judge.budget import Caps
from .errors import StoreError
from .port import SpendLedger, Store
from .spending import ThreadedLedger
from .sqlite.files import locate
from .sqlite.spend_ledger import LedgerFile
from .sqlite.store import SqliteStore

_POSTGRESQL: Final = ("postgresql://", "postgres://")


class Shared(Struct, frozen=True, kw_only=True):
    """How a database that replicas share is opened; a file needs none of it.

    ``replica`` is the name whose journal and totals these are, by default the host's; ``files`` the folder in which
    this process marks what it works on, and sets aside what ended it.
    """

    schema: str = "llmq"
    password: str = ""
    replica: str = ""
    files: Path = Path()

    def __repr__(self) -> str:
        return f"<replica {self.replica} in schema {self.schema}>"


def open_store(
    url: str, now: Callable[[], float] = time.time, *, ballast: int = 0, shared: Shared | None = None
) -> Store:
    """Open or create the store that ``url`` names; raises StoreError with the cure.

    ``ballast`` is how many bytes of disk space are reserved for when the disk is full.
    """
    if not url.startswith(_POSTGRESQL):
        return SqliteStore.open(url, now, ballast=ballast)
    with _needing_a_driver():
        from .postgresql.connection import Target  # noqa: PLC0415 - its driver is an extra
        from .postgresql.store import PostgresStore  # noqa: PLC0415
    shared = shared or Shared()
    replica = shared.replica or socket.gethostname()
    return PostgresStore(Target(url, shared.schema, shared.password), replica, shared.files / f"llmq-{replica}", now)


def open_ledger(
    url: str, caps: Caps, now: Callable[[], float] = time.time, *, shared: Shared | None = None
) -> SpendLedger:
    """Open or create the ledger that ``url`` names, which other processes may have open; raises StoreError."""
    if url.startswith(_POSTGRESQL):
        with _needing_a_driver():
            from .postgresql.connection import Target  # noqa: PLC0415 - its driver is an extra
            from .postgresql.spend_ledger import LedgerTables  # noqa: PLC0415
        shared = shared or Shared()
        return ThreadedLedger(LedgerTables(Target(url, shared.schema, shared.password), caps, now=now))
    return ThreadedLedger(LedgerFile(locate(url), caps, now=now))


@contextmanager
def _needing_a_driver() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise StoreError("url", 'PostgreSQL needs a driver: pip install "llm-quality-exporter[postgresql]"') from error
