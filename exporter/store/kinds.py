"""Every kind of thing that is stored, by the name that its rows bear, and how older versions of it are read.

Each row has the version of its value. To change what a kind's values look like, append to its ``upgrades`` the function
that makes a value of the version before into one of the new: rows are then read as the newest version, however old they
are, and written as it. A kind that is not listed here cannot be stored.

Journal entries, which are few, and the rows of the ledger are of the version of their file: a change of its schema
rewrites them.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from msgspec import Struct, msgpack

_T = TypeVar("_T")


class Kind(Struct, frozen=True, eq=False):
    """``upgrades[n]`` makes a value of version n + 1 into one of version n + 2."""

    name: str
    upgrades: tuple[Callable[[Any], Any], ...] = ()

    @property
    def version(self) -> int:
        """The version that is written."""
        return len(self.upgrades) + 1

    def newest(self, value: _T, version: int | None) -> _T:
        """A value as it is of the newest version; one without a version is of version 1."""
        for upgrade in self.upgrades[(version or 1) - 1 :]:
            value = upgrade(value)
        return value


def _without_question(value: bytes) -> bytes:
    """A conversation's last turn of version 1, whose question cannot be compared with those of version 2."""
    turn = msgpack.decode(value)
    turn[4] = None
    return msgpack.encode(turn)


# Rows of tables of their own.
DOCUMENT: Final = Kind("trace document")  # bytes, JSON, see exporter/document.py
TOTAL: Final = Kind("total")  # text, JSON, see exporter/metrics/ledger.py

# Objects: bytes, JSON unless it says otherwise.
CLOCK: Final = Kind("clock")
CONTENT_RETENTION: Final = Kind("content retention")
CONVERSATION: Final = Kind("conversation", (_without_question,))  # msgpack
EARLY_FEEDBACK: Final = Kind("early feedback")
FEEDBACK_ID: Final = Kind("feedback id")  # empty
FORGET_REQUEST: Final = Kind("forget request")
TOMBSTONE: Final = Kind("tombstone")  # empty
JUDGE_ANCHOR: Final = Kind("judge anchor")
JUDGE_DRIP: Final = Kind("judge drip")
JUDGE_JOB: Final = Kind("judge job")
JUDGE_REVIEW: Final = Kind("judge review")
JUDGE_SAMPLER: Final = Kind("judge sampler")
JUDGE_STANDING: Final = Kind("judge standing")
JUDGE_TRAFFIC: Final = Kind("judge traffic")
OFFLINE_FAILURE: Final = Kind("offline failure")  # empty: a trace that was counted, so that it is counted once
OFFLINE_GAP: Final = Kind("offline gap")  # msgpack
OFFLINE_RESULT: Final = Kind("offline result")  # msgpack
OFFLINE_SUITE: Final = Kind("offline suite")  # msgpack
REVIEW_EVIDENCE: Final = Kind("review evidence")
REVIEW_ITEM: Final = Kind("review item")

KINDS: Final = {kind.name: kind for kind in list(globals().values()) if isinstance(kind, Kind)}
"""All of them, by name."""
