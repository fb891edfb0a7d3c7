"""Ensures that one process writes as a replica: a session-level advisory lock, and a fencing token in every commit.

The lock tells at a start whether another process writes as this replica; the server releases it when the session ends.
The token protects against a process that has not noticed that its session ended: its successor raises the token, and
transactions with the old token are refused.
"""

import time
from typing import Final

from ..errors import StoreError
from .connection import Connected

_LOCK: Final = "hashtextextended('llmq replica ' || current_schema() || ' ' || %s, 0)"
_TRY_LOCK: Final = f"SELECT pg_try_advisory_lock({_LOCK})"
_END: Final = f"""SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND (classid::bigint << 32 | objid::bigint) = {_LOCK} AND pid = %s"""  # noqa: S608
_RAISE: Final = """INSERT INTO leases VALUES (%s, 1)
ON CONFLICT (replica) DO UPDATE SET fence = leases.fence + 1 RETURNING fence"""
_HELD: Final = "SELECT 1 FROM leases WHERE replica = %s AND fence = %s FOR SHARE"
_PATIENCE: Final = 15.0
"""Seconds that the session of an earlier process has to end after its connection was lost."""


class Lease:
    """The right to write as ``replica``. ``fence`` is the token of this process, 0 until it has had one."""

    def __init__(self, replica: str) -> None:
        self.replica = replica
        self.fence = 0
        self._session: int | None = None
        """The server's process that had the lock for us the last time."""

    def take(self, connection: Connected) -> None:
        """Take the lock in this session, and at the first time the token; raises StoreError where another has it."""
        until = time.monotonic() + _PATIENCE
        while not _one(connection, _TRY_LOCK, self.replica):
            if time.monotonic() > until:
                raise StoreError(
                    "in_use",
                    f'another llmq writes as the replica "{self.replica}": stop it, or give this one a store.replica '
                    "of its own",
                )
            connection.execute(_END.encode(), (self.replica, self._session))
            time.sleep(0.1)
        self._session = connection.info.backend_pid
        if self.fence:
            self.check(connection)
        else:
            self.fence = int(str(_one(connection, _RAISE, self.replica)))

    def check(self, connection: Connected) -> None:
        """Refuse a transaction of which another process has the lease; raises StoreError. It keeps it until its end."""
        if connection.execute(_HELD, (self.replica, self.fence)).fetchone() is None:
            raise StoreError(
                "in_use", f'another llmq took over as the replica "{self.replica}": restart this one, or stop it'
            )


def _one(connection: Connected, query: str, replica: str) -> object:
    row = connection.execute(query.encode(), (replica,)).fetchone()
    return row[0] if row else None
