"""Stores pushed results of offline suites, and compares failures in production with their questions. Knows no HTTP."""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import blake2b
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from ..config.settings import Config
from ..decode import decompress
from ..judge.queue import Job
from ..metrics import families as f
from ..metrics.labels import Slice
from ..metrics.registry import Metrics
from ..model.score import Evaluation
from ..model.trace import Trace
from ..offline import likeness
from ..offline.result import OfflineResult, decoded
from ..recording.scored import Scored
from ..recording.unit_of_work import Recorder
from ..records.requests import Entry
from ..records.suites import Gap, Suite, SuiteResult
from ..store.errors import StoreError
from ..store.kinds import OFFLINE_FAILURE
from .coverage import SuiteCoverage
from .results import Fold, Key, Results, kept

SIGNAL: Final = "offline-results"
_FORGET_EVERY: Final = 60.0
_FORGET_AT_ONCE: Final = 5000

_log = logging.getLogger(__name__)


class PushedResults(Struct):
    """A request: its results, and after it was applied, the number of results by outcome."""

    results: tuple[OfflineResult, ...]
    outcomes: dict[str, int] = field(default_factory=dict)


class Uncovered(Struct, frozen=True, kw_only=True):
    """Similar failures that no suite covers, as people read them; ``question`` where it is stored."""

    app: str
    route: str
    failures: int
    first_seen: float
    last_seen: float
    trace_id: str
    question: str | None


class SuitesInbox:
    """Handler of offline results of one exporter. ``now`` is Unix seconds."""

    def __init__(
        self, config: Config, recorder: Recorder, metrics: Metrics, fold: Fold, now: Callable[[], float] = time.time
    ) -> None:
        self.results = Results(metrics, fold)
        self.coverage = SuiteCoverage()
        self._recorder, self._metrics, self._fold, self._now = recorder, metrics, fold, now
        self._forgot_at = 0.0
        self.configure(config)

    def configure(self, config: Config) -> None:
        """Apply other settings."""
        self._most_bytes = config.limits.decompressed_bytes
        self._kept_for = config.store.retention.age

    async def recover(self) -> None:
        """Load the state of an earlier run, before the journal is replayed; raises StoreError."""
        for _, result in await self._recorder.suite_results.all():
            self.results.show([result.key, *(gone.key for gone in self.results.add(result))])
        for _, suite in await self._recorder.suite_questions.all():
            self._learn(suite)
        for _, gap in await self._recorder.suite_gaps.all():
            self.coverage.note(gap)

    # Requests.

    def read(self, entry: Entry) -> PushedResults:
        """Decode a request; raises DecodeError, TooLarge or UnsupportedEncoding."""
        body = decompress(entry.encoding, entry.body, self._most_bytes)
        return PushedResults(decoded(body, entry.received_at))

    def take(self, entry: Entry, asked: PushedResults) -> None:  # noqa: ARG002 - every desk is given the entry
        """Store the newest results, and write the outcome of each into ``asked``."""
        outcomes = dict.fromkeys(("newest", "duplicate", "older"), 0)
        changed: list[Key] = []
        for result in asked.results:
            outcomes[self._take(result, changed)] += 1
        asked.outcomes = outcomes
        self._recorder.afterwards(partial(self.results.show, changed))

    def _take(self, result: OfflineResult, changed: list[Key]) -> str:
        one = kept(result)
        outcome = self.results.outcome(one)
        self._recorder.tally.offline_result(outcome)
        if outcome == "newest":
            changed.append(one.key)
            self._recorder.suite_results.put(_digest(*one.key), one, at=one.timestamp)
            for gone in self.results.add(one):
                changed.append(gone.key)
                self._recorder.suite_results.drop(_digest(*gone.key))
                self._recorder.tally.labels_overflowed({"suite": 1})
        if result.signatures:
            self._take_questions(result, one)
        return outcome

    def _take_questions(self, result: OfflineResult, one: SuiteResult) -> None:
        signatures = tuple(likeness.read(text) for text in dict.fromkeys(result.signatures))
        suite = self.coverage.merged(
            Suite(
                one.suite,
                self._fold(one.app, one.model_version, one.prompt_version)[0],
                one.run_id,
                one.timestamp,
                signatures,
            )
        )
        if suite is None:
            return
        self._recorder.suite_questions.put(_digest(*suite.key), suite, at=suite.timestamp)
        for gone in self._learn(suite):
            self._recorder.suite_questions.drop(_digest(*gone.key))
        for gap in list(self.coverage.closed_by(suite.app)):
            self._close(gap)

    def _learn(self, suite: Suite) -> list[Suite]:
        """Replace a suite's questions; returns the suites that were evicted for it, which may include this one."""
        displaced = self.coverage.learn(suite)
        self._metrics.measured(f.OFFLINE_QUESTIONS, suite.key, len(suite.signatures))
        for gone in displaced:
            self._metrics.measured(f.OFFLINE_QUESTIONS, gone.key, None)
        return displaced

    # Failures.

    def follow(self, scored: Scored) -> None:
        """Compare a trace that an evaluator failed."""
        if self.coverage and scored.is_failing:
            self.failed(scored.trace_id, scored.where, scored.trace.question)

    def judged(self, job: Job, evaluation: Evaluation) -> None:
        """Compare a trace that a judge failed later."""
        if evaluation.verdict == "fail":
            self.failed(bytes.fromhex(job.trace_id), Slice(*job.where), job.case.question)

    def disliked(self, trace: Trace, where: Slice) -> None:
        """Compare a trace whose user disliked the answer."""
        self.failed(bytes.fromhex(trace.trace_id), where, trace.question)

    def failed(self, trace_id: bytes, where: Slice, question: str | None) -> None:
        """Compare a failure with the suites of its app, once; without its question there is nothing to compare."""
        where = self._recorder.limiter.current(where)
        asked = likeness.signature(question) if question and self.coverage.compares(where.app) else b""
        try:
            if not asked or self._recorder.has_id(OFFLINE_FAILURE, trace_id):
                return
            self._forget()
        except StoreError as error:
            _log.error("failure not compared with the suites: reason=%s", error.reason)
            return
        now, covered = self._now(), self.coverage.covers(where.app, asked)
        self._recorder.compared_failures.put(trace_id, at=now)
        self._recorder.tally.offline_failure(where.app, where.route, trace_id.hex(), covered=covered)
        if not covered:
            self._note(self.coverage.grown(where.app, where.route, asked, trace_id, now))

    def forget(self, trace_ids: Sequence[bytes], user: str | None) -> None:  # noqa: ARG002 - users are not known here
        """Delete what is stored of these traces, and the groups of failures that they began."""
        gone = frozenset(trace_ids)
        for trace_id in gone:
            self._recorder.compared_failures.drop(trace_id)
        for gap in list(self.coverage.gaps.values()):
            if gap.first_trace_id in gone or gap.trace_id in gone:
                self._close(gap)

    def _note(self, gap: Gap) -> None:
        for gone in self.coverage.note(gap):
            self._recorder.suite_gaps.drop(_digest(gone.key))
        self._recorder.suite_gaps.put(_digest(gap.key), gap, at=gap.last_seen)

    def _close(self, gap: Gap) -> None:
        self.coverage.close(gap)
        self._recorder.suite_gaps.drop(_digest(gap.key))

    def _forget(self) -> None:
        now = self._now()
        if now >= self._forgot_at + _FORGET_EVERY:
            self._forgot_at = now
            self._recorder.compared_failures.drop_older(self._recorder.aged() - self._kept_for, _FORGET_AT_ONCE)

    # What people read.

    async def uncovered(self, app: str | None = None, most: int = 100) -> list[Uncovered]:
        """The gaps with the most failures, their questions as far as they are stored; raises StoreError."""
        gaps = [gap for gap in self.coverage.gaps.values() if app in (None, gap.app)]
        gaps.sort(key=lambda gap: (-gap.failures, -gap.last_seen))
        return [await self._shown(gap) for gap in gaps[:most]]

    async def _shown(self, gap: Gap) -> Uncovered:
        stored = await self._recorder.traces.document(gap.trace_id)
        document: dict[str, Any] = msgspec.json.decode(stored) if stored else {}
        return Uncovered(
            app=gap.app,
            route=gap.route,
            failures=gap.failures,
            first_seen=gap.first_seen,
            last_seen=gap.last_seen,
            trace_id=gap.trace_id.hex(),
            question=document.get("question"),
        )


def _digest(*names: str | bytes) -> bytes:
    """A key of fixed length from names of any length."""
    return blake2b(msgspec.msgpack.encode(names), digest_size=16).digest()
