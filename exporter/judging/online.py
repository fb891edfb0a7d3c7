"""The online judge: which traces become jobs, and how their verdicts are recorded. Knows no HTTP and no statistics.

A job is stored in the transaction of its trace and deleted in the transaction that counts its outcome, so that after a
crash between the two it is judged again and counted once.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import Final

import msgspec
from msgspec.structs import replace

from ..config.settings import JudgeSettings
from ..judge.budget import Cost, Ledger, Short
from ..judge.case import Case, JudgeError, Judgement, Usage
from ..judge.queue import Job, Queue
from ..judge.rubric import Rubric
from ..judge.sampling import Sampler, hard
from ..judge.shown import name
from ..judge.versions import JudgeVersions
from ..judge.worker import Worker
from ..metrics.labels import Slice
from ..model.score import Evaluation, Failure, Outcome, Sample, Unscored, UnscoredReason
from ..model.trace import Trace
from ..recording.trace_document import judged, with_failure, with_unscored
from ..recording.unit_of_work import Recorder
from ..redaction import WITHHELD
from ..store.kinds import JUDGE_JOB

CAPACITY: Final = 20_000
"""Jobs that wait at most; a trace beyond them is counted as over budget."""
_KEEP_EVERY: Final = 60.0
_LATEST: Final = 300.0
"""Seconds from a start until the last of what waited is due, also where the clock was ahead when it was put back."""
_PATIENCE: Final = 10.0
"""Seconds that calls under way get at a stop; what is not done by then is done after the next start."""
_NO_MONEY: Final = 600.0
"""Seconds until an anchor that there was no money for is tried again."""
_REPEATS: Final = b"llmq judge repeats"
_COMPLAINTS: Final = b"llmq judge complaints"

_log = logging.getLogger(__name__)


class OnlineJudge:
    """The online judge of one exporter, as configured. ``now`` is Unix seconds.

    ``content`` is the store's setting. ``told_verdict`` is called with each verdict that counts, ``told_end`` at the
    end of each job, of the active version or a shadow, with None where it ended without a judgement.
    """

    def __init__(
        self,
        settings: JudgeSettings,
        recorder: Recorder,
        bench: JudgeVersions,
        ledger: Ledger,
        *,
        pass_marks: Mapping[str, float],
        content: str,
        told_verdict: Callable[[Job, Evaluation], None],
        told_end: Callable[[Job, Judgement | None], None],
        now: Callable[[], float] = time.time,
        blocked: Callable[[], bool] = lambda: False,
        chance: random.Random | None = None,
    ) -> None:
        self.settings = settings
        self.bench = bench
        self.queue = Queue(CAPACITY)
        self._told_verdict, self._told_end = told_verdict, told_end
        self._recorder = recorder
        self._last: tuple[Case, Case | None] | None = None
        """A case and what the judge is shown of it, for the next rubric."""
        self._given: dict[bytes, Job] = {}
        """Jobs that are not durable yet."""
        self.replied: dict[tuple[str, str], str] = {}
        """The name under which each judge's model replied last."""
        self._forgotten: set[bytes] = set()
        """Keys of jobs under way whose traces were forgotten."""
        self._pass_marks = pass_marks
        self._content = content
        self._now = now
        self._sampler = Sampler(settings.rules, now=now, targeted=settings.targeted)
        self.worker = Worker(
            self.queue,
            self,
            self,
            ledger=ledger,
            tariff=settings.tariff,
            concurrency=settings.concurrency,
            attempts=settings.attempts,
            now=now,
            blocked=blocked,
            chance=chance,
        )

    def configure(
        self, settings: JudgeSettings, bench: JudgeVersions, *, pass_marks: Mapping[str, float], content: str
    ) -> None:
        """Apply other settings; waiting jobs keep the version they were created for."""
        sampler = Sampler(settings.rules, now=self._now, targeted=settings.targeted)
        sampler.restore(self._sampler.state())
        self.settings, self.bench, self._sampler = settings, bench, sampler
        self._pass_marks, self._content = pass_marks, content
        self._keep_standings()
        self.worker.tariff, self.worker.attempts = settings.tariff, settings.attempts
        self.worker.errors.reset()
        self.queue.hurry(self._now())

    def _keep_standings(self) -> None:
        for evaluator, standing in self.bench.standings.items():
            self._recorder.judge_standings.put(evaluator, standing)

    def most(self, job: Job) -> Usage:
        """An upper bound of the tokens that the call is billed; KeyError where its judge is not configured any more."""
        return self.bench.most(job)

    def judge(self, job: Job) -> Awaitable[Judgement]:
        """The verdict of the judge that the job is for; raises JudgeError."""
        return self.bench.judge(job)

    # What is judged.

    def choose(self, trace: Trace, where: Slice, outcome: Outcome) -> tuple[Unscored, ...]:
        """Create jobs for a trace; returns the rubrics that will give no verdict, and why."""
        case = Case.of(trace) if trace.content_state in ("answered", "refused") else None
        is_hard = bool(self.settings.targeted.rate) and self._is_hard(outcome)
        left = []
        for rubric in self.settings.rubrics:
            reason = self._refused(trace, case, rubric) or self._give_out(trace, where, case, rubric, is_hard)
            if reason is not None:
                left.append(Unscored(evaluator=rubric.name, reason=reason))
        return tuple(left)

    def disliked(self, trace: Trace, where: Slice) -> None:
        """A user disliked the answer: judge the trace as a hard case, if configured and not judged anyway."""
        case = Case.of(trace)
        targeted = self.settings.targeted
        if (
            case is None
            or not hard(targeted, {}, disliked=True)
            or _share(trace.trace_id, _COMPLAINTS) >= targeted.rate
        ):
            return
        judged = self._judged_by(trace.trace_id)
        for rubric in self.settings.rubrics:
            is_wanted = rubric.applies_to(case) and self._sampler.rule(rubric.name, trace) is not None
            if is_wanted and rubric.name not in judged and not self.queue.is_full:
                self._put(trace, where, case, rubric, "targeted")

    def _judged_by(self, trace_id: str) -> set[str]:
        """The rubrics by which a recorded trace was judged, or will be."""
        document = self._recorder.document(bytes.fromhex(trace_id))
        done = msgspec.json.decode(document)["evaluations"] if document else []
        waiting = {
            rubric.name
            for rubric in self.settings.rubrics
            if (acting := self.bench.roles(rubric.name).acting)
            and self._recorder.get(JUDGE_JOB, f"{trace_id}/{rubric.name}/{acting.version}/acting".encode()) is not None
        }
        return waiting | {one["evaluator"] for one in done}

    def _is_hard(self, outcome: Outcome) -> bool:
        said = {
            one.evaluator: (one.verdict, one.score, self._pass_marks.get(one.evaluator, 0.5))
            for one in outcome.evaluations
        }
        return bool(hard(self.settings.targeted, said))

    def _refused(self, trace: Trace, case: Case | None, rubric: Rubric) -> UnscoredReason | None:
        if trace.content_state == "not_captured":
            return "not_captured"
        return None if case is not None and rubric.applies_to(case) else "not_applicable"

    def _give_out(
        self, trace: Trace, where: Slice, case: Case | None, rubric: Rubric, is_hard: bool
    ) -> UnscoredReason | None:
        choice = self._sampler.decide(rubric.name, trace, hard=is_hard).choice
        if choice in ("sampled_out", "not_applicable") or case is None:
            return "not_applicable" if choice == "not_applicable" else "sampled_out"
        if self.queue.is_full:
            return "over_budget"
        return self._put(trace, where, case, rubric, choice)  # type: ignore[arg-type]

    def _put(self, trace: Trace, where: Slice, case: Case, rubric: Rubric, sample: Sample) -> UnscoredReason | None:
        roles = self.bench.roles(rubric.name)
        now = self._now()
        if (shown := self._shown(case)) is None:
            return "withheld"
        job = Job(
            trace_id=trace.trace_id,
            evaluator=rubric.name,
            version="",
            role="acting",
            sample=sample,
            where=where,
            case=shown,
            created_at=now,
            due_at=now,
        )
        if roles.shadow is not None and sample != "targeted":
            self._store(replace(job, version=roles.shadow.version, role="shadow"))
        if roles.acting is None:
            return "gated"
        self._store(replace(job, version=roles.acting.version))
        return None

    def _shown(self, case: Case) -> Case | None:
        """The redacted case, as it is stored until it is judged and sent to the judge, which may be another company's.

        None where some of it is withheld: a partial case is judged wrongly.
        """
        if self._last is None or self._last[0] is not case:
            question, answer, *context = self._recorder.redact([case.question, case.answer, *case.context])
            shown = replace(case, question=question, answer=answer, context=tuple(context))
            self._last = case, None if WITHHELD in (question, answer, *context) else shown
        return self._last[1]

    def _store(self, job: Job) -> None:
        """Keep a job, and queue it once it is durable."""
        self._recorder.judge_jobs.put(job.key, job, at=job.due_at)
        self._given[job.key] = job
        self._recorder.afterwards(lambda: self._queue(job))

    def _queue(self, job: Job) -> None:
        if self._given.pop(job.key, None) is not None:
            self.queue.put(job)
            self.worker.wake()

    def forget(self, trace_ids: Sequence[bytes], _user: str | None = None) -> None:
        """Delete the jobs of traces; the verdict of a call under way still counts, and its text is not kept."""
        names = {trace_id.hex() for trace_id in trace_ids}
        given = [job for job in self._given.values() if job.trace_id in names]
        waiting, claimed = self.queue.remove(names)
        for job in (*given, *waiting):
            self._given.pop(job.key, None)
            if job.role == "acting":
                self._recorder.tally.left_unscored(Unscored(evaluator=job.evaluator, reason="forgotten"), job.where[0])
            self._end(job, None)
        for job in claimed:
            self._forgotten.add(job.key)
            self._recorder.judge_jobs.drop(job.key)

    # How jobs end.

    def judged(self, job: Job, judgement: Judgement, cost: Cost) -> None:
        """Count a verdict, as the active version's or a shadow's, and add its explanation to the trace's document."""
        self._spent(job, "judged", cost)
        self._named(job, judgement.model)
        self._recorder.tally.judge_took(job.evaluator, judgement.seconds)
        if kind := self.bench.mismatch(job, judgement):
            self._recorder.tally.judge_mismatched(job.evaluator, kind)
        if job.role == "repeat":
            self._recorder.tally.judge_repeated(job.evaluator, job.version, flipped=job.first != judgement.verdict)
        elif job.role != "anchor":
            self._count(job, judgement)
        self._end(job, judgement)

    def again(self, job: Job, error: JudgeError, cost: Cost) -> None:
        """Keep the job for its next attempt."""
        self._spent(job, error.reason, cost)
        self._named(job, error.replied)
        if job.key in self._forgotten:
            self._forgotten.discard(job.key)
            self.forget([bytes.fromhex(job.trace_id)])
        elif job.role != "anchor":
            self._recorder.judge_jobs.put(job.key, job, at=job.due_at)

    def failed(self, job: Job, error: JudgeError, cost: Cost) -> None:
        """Count a failed job: it is never a verdict."""
        self._spent(job, error.reason, cost)
        self._named(job, error.replied)
        if error.mismatch:
            self._recorder.tally.judge_mismatched(job.evaluator, error.mismatch)
        self._end(job, None)
        if job.role != "acting":
            return
        failure = Failure(
            evaluator=job.evaluator, evaluator_version=job.version, reason=error.reason, detail=str(error)
        )
        self._recorder.tally.evaluation_failed(failure)
        self._explain(job, lambda document: with_failure(document, failure))

    def over_budget(self, job: Job, limit: Short) -> None:
        """Count a trace that the budget did not allow; an anchor waits for the budget instead."""
        self._recorder.tally.judge_called(job.evaluator, f"over_{limit}")
        if job.role == "anchor":
            later = self._now() + _NO_MONEY
            self.queue.put(replace(job, created_at=later, due_at=later))
            return
        self._end(job, None)
        if job.role != "acting":
            return
        unscored = Unscored(evaluator=job.evaluator, reason="over_budget")
        self._recorder.tally.left_unscored(unscored, job.where[0])
        self._explain(job, lambda document: with_unscored(document, unscored))

    def _count(self, job: Job, judgement: Judgement) -> None:
        evaluation = Evaluation(
            evaluator=job.evaluator,
            evaluator_version=job.version,
            verdict=judgement.verdict,
            score=judgement.score,
            sample="shadow" if job.role == "shadow" else job.sample,
            quotes=(self._recorder.redact(judgement.explanation),) if judgement.explanation else (),
        )
        self._recorder.tally.evaluated(Slice(*job.where), job.trace_id, evaluation)
        keep = self._content == "all" or (self._content == "failing" and evaluation.verdict == "fail")
        self._explain(job, lambda document: judged(document, evaluation, job.case if keep else None))
        if job.role != "acting":
            return
        if job.sample != "targeted" and job.key not in self._forgotten and self._is_repeated(job.trace_id):
            self._store(replace(job, role="repeat", first=evaluation.verdict, attempts=0, due_at=self._now()))
        self._told_verdict(job, evaluation)

    def _is_repeated(self, trace_id: str) -> bool:
        return _share(trace_id, _REPEATS) < self.settings.repeat

    def _spent(self, job: Job, outcome: str, cost: Cost) -> None:
        self._recorder.tally.judge_called(job.evaluator, outcome)
        self._recorder.tally.judge_spent(cost.tokens, cost.micros / 1e6)

    def _named(self, job: Job, model: str) -> None:
        if model:
            self.replied[job.evaluator, job.version] = name(model)

    def _end(self, job: Job, judgement: Judgement | None) -> None:
        self._forgotten.discard(job.key)
        if job.role != "anchor":
            self._recorder.judge_jobs.drop(job.key)
        self._told_end(job, judgement)

    def _explain(self, job: Job, change: Callable[[bytes], bytes]) -> None:
        trace_id = bytes.fromhex(job.trace_id)
        document = self._recorder.document(trace_id)
        if document is not None:  # else retention was faster than the judge
            self._recorder.rewrite(trace_id, change(document))

    # The clockwork.

    async def recover(self) -> int:
        """Load the jobs of an earlier run; returns how many. Raises StoreError."""
        for _, job in await self._recorder.judge_jobs.all():
            self.queue.put(replace(job, due_at=min(job.due_at, self._now() + _LATEST)))
        state = await self._recorder.judge_samplers.get(self._recorder.replica)
        if state is not None:
            self._sampler.restore(state)
        return len(self.queue)

    async def run(self) -> None:
        """Judge until cancelled; calls under way then get some seconds to end."""
        worker = asyncio.create_task(self.worker.run(), name="llmq-judge")
        try:
            await asyncio.gather(asyncio.shield(worker), self._keep_state())
        finally:
            self.worker.stop()
            with suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(worker, _PATIENCE)

    async def _keep_state(self) -> None:
        while True:
            await asyncio.sleep(_KEEP_EVERY)
            self._recorder.judge_samplers.put(self._recorder.replica, self._sampler.state())

    def lag(self) -> float:
        """Age of the oldest job in seconds."""
        oldest = self.queue.oldest()
        return 0.0 if oldest is None else max(0.0, self._now() - oldest)


def _share(trace_id: str, purpose: bytes) -> float:
    """A number in 0..1 from a trace id, a different one for each purpose."""
    digest = blake2b(trace_id.encode(), digest_size=8, key=purpose).digest()
    return int.from_bytes(digest, "big") / (1 << 64)
