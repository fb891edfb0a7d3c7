"""The types that describe the migrations of one kind of file. Knows no file and no table."""

import sqlite3
from collections.abc import Callable
from typing import Final

from msgspec import Struct

# A statement of many rows that may fail alone keeps a journal of its own: each page that it changes is copied, and
# written to a temporary file. Here what cannot be written takes its whole transaction with it.
NEEDED: Final = "NOT NULL ON CONFLICT ROLLBACK"


class Change(Struct, frozen=True):
    """The migration from the previous version to ``version``: SQL statements, then an optional function."""

    version: int
    statements: str = ""
    then: Callable[[sqlite3.Connection], object] | None = None


class History(Struct, frozen=True, kw_only=True):
    """All schemas of one kind of file.

    ``application`` is the id that says whose file it is; ``first`` is the oldest version that is upgraded, which
    ``tables`` make. ``called`` and ``cure`` are for messages. ``page`` is in bytes; ``vacuum`` is SQLite's auto_vacuum.
    """

    application: int
    called: str
    cure: str
    first: int
    tables: str
    changes: tuple[Change, ...] = ()
    page: int = 4096
    vacuum: str = "NONE"

    @property
    def version(self) -> int:
        """The version that this llmq reads and writes."""
        return self.changes[-1].version if self.changes else self.first

    def since(self, version: int) -> tuple[Change, ...]:
        """The changes that a file of a version lacks."""
        return tuple(change for change in self.changes if change.version > version)
