"""Every kind of thing that is stored: its struct, its table, its version, and how older versions of it are read.

Each row has the version of its record. To change what the records of a kind look like, append to its ``upgrades`` the
function that makes what was written by the version before into what the new one writes: rows are then read as the
newest version, however old they are, and written as it. A kind that is not listed here cannot be stored.

Journal entries, which are few, and the rows of the ledger are of the version of their file: a change of its schema
rewrites them.
"""

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar, cast

import msgspec
from msgspec import Struct, msgpack

from ..judge.agreement import Confusion
from ..judge.anchors import Cursor
from ..judge.gate import Standing
from ..judge.queue import Job
from ..records.erasure import Erasure
from ..records.feedback import EarlyFeedback, Turn
from ..records.judge import AnchorVerdicts, Judge, LiveTraffic
from ..records.review import Evidence, Item
from ..records.suites import Gap, Suite, SuiteResult
from ..records.traces import Place
from ..runtime.clock import KeptTime

K = TypeVar("K")
R = TypeVar("R")
_T = TypeVar("_T")


class Kind(Struct, Generic[K, R], frozen=True, eq=False, kw_only=True):
    """One kind of record, by keys of type ``K``.

    ``name`` is for people and for the list of versions in a store. ``table`` has the columns of ``key``, then ``at``
    (what orders the rows, Unix seconds or 0), ``record`` and ``version``. ``upgrades[n]`` makes a stored record of
    version n + 1 into one of version n + 2. ``packed`` records are msgpack, others JSON. ``own`` records are
    what one replica has in memory, too, and works on: where replicas share a store, each reads and writes its own.
    """

    name: str
    record: type[R]
    table: str
    key: tuple[str, ...]
    upgrades: tuple[Callable[[Any], Any], ...] = ()
    packed: bool = False
    own: bool = False

    @property
    def version(self) -> int:
        """The version that is written."""
        return len(self.upgrades) + 1

    def newest(self, stored: _T, version: int | None) -> _T:
        """What is stored as it is of the newest version; what has no version is of version 1."""
        for upgrade in self.upgrades[(version or 1) - 1 :]:
            stored = upgrade(stored)
        return stored

    def encode(self, record: R) -> bytes:
        """A record as it is stored."""
        if self.record is bytes:
            return cast(bytes, record)
        return msgpack.encode(record) if self.packed else msgspec.json.encode(record)

    def decode(self, stored: bytes, version: int | None) -> R:
        """A record that was stored; raises msgspec.DecodeError."""
        newest = self.newest(stored, version)
        if self.record is bytes:
            return cast(R, bytes(newest))
        decode = msgpack.decode if self.packed else msgspec.json.decode
        return decode(newest, type=self.record)

    def columns(self, key: K) -> tuple[Any, ...]:
        """A key as the values of its columns."""
        return key if isinstance(key, tuple) else (key,)

    def key_of(self, columns: tuple[Any, ...]) -> K:
        """The key that these columns have."""
        return cast(K, columns if len(self.key) > 1 else columns[0])


def _without_question(stored: bytes) -> bytes:
    """A conversation's last turn of version 1, whose question cannot be compared with those of version 2."""
    turn = msgpack.decode(stored)
    turn[4] = None
    return msgpack.encode(turn)


class Ids(Struct, frozen=True, eq=False, kw_only=True):
    """Deduplication ids, each with the time it was first met (Unix seconds)."""

    name: str
    table: str
    version: int = 1


DOCUMENT: Final = Kind[bytes, bytes](name="trace document", record=bytes, table="traces", key=("trace_id",))
TOTAL: Final = Kind[tuple[str, str], str](name="total", record=str, table="totals", key=("family", "labels"))

CLOCK: Final = Kind[str, KeptTime](name="clock", record=KeptTime, table="clocks", key=("replica",))
CONTENT_RETENTION: Final = Kind[str, Place](
    name="content retention", record=Place, table="content_retention", key=("replica",)
)
CONVERSATION: Final = Kind[bytes, Turn](
    name="conversation",
    record=Turn,
    table="conversations",
    key=("conversation",),
    own=True,
    upgrades=(_without_question,),
    packed=True,
)
EARLY_FEEDBACK: Final = Kind[int, EarlyFeedback](
    name="early feedback", record=EarlyFeedback, table="early_feedback", key=("number",), own=True
)
ERASURE: Final = Kind[bytes, Erasure](name="forget request", record=Erasure, table="erasures", key=("whom",))
JUDGE_ANCHOR: Final = Kind[tuple[str, str, str], AnchorVerdicts](
    name="judge anchor",
    record=AnchorVerdicts,
    table="judge_anchors",
    key=("evaluator", "judge_version", "anchor"),
)
JUDGE_DRIP: Final = Kind[str, Cursor](name="judge drip", record=Cursor, table="judge_drips", key=("drip",))
JUDGE_JOB: Final = Kind[bytes, Job](name="judge job", record=Job, table="judge_jobs", key=("job",), own=True)
JUDGE_REVIEW: Final = Kind[Judge, Confusion](
    name="judge review", record=Confusion, table="judge_reviews", key=("evaluator", "judge_version")
)
JUDGE_SAMPLER: Final = Kind[str, bytes](name="judge sampler", record=bytes, table="judge_samplers", key=("replica",))
JUDGE_STANDING: Final = Kind[str, Standing](
    name="judge standing", record=Standing, table="judge_standings", key=("evaluator",)
)
JUDGE_TRAFFIC: Final = Kind[Judge, LiveTraffic](
    name="judge traffic", record=LiveTraffic, table="judge_traffic", key=("evaluator", "judge_version")
)
OFFLINE_GAP: Final = Kind[bytes, Gap](name="offline gap", record=Gap, table="offline_gaps", key=("gap",), packed=True)
OFFLINE_RESULT: Final = Kind[bytes, SuiteResult](
    name="offline result", record=SuiteResult, table="offline_results", key=("result",), packed=True
)
OFFLINE_SUITE: Final = Kind[bytes, Suite](
    name="offline suite", record=Suite, table="offline_suites", key=("suite",), packed=True
)
REVIEW_EVIDENCE: Final = Kind[str, Evidence](
    name="review evidence", record=Evidence, table="review_evidence", key=("trace_id",)
)
REVIEW_ITEM: Final = Kind[str, Item](name="review item", record=Item, table="review_items", key=("trace_id",))

FEEDBACK_ID: Final = Ids(name="feedback id", table="feedback_ids")
OFFLINE_FAILURE: Final = Ids(name="offline failure", table="offline_failures")
TOMBSTONE: Final = Ids(name="tombstone", table="tombstones")

KINDS: Final[dict[str, "Kind[Any, Any] | Ids"]] = {
    kind.name: kind for kind in list(globals().values()) if isinstance(kind, Kind | Ids)
}
"""All of them, by name."""
