"""The queue of judge jobs: which is next, and when a failed one is retried. Knows no clock, store or endpoint.

Jobs of the random sample go before those of hard cases, because SLIs rest on them; within each, the earliest first.
"""

from collections.abc import Collection, Iterator
from heapq import heappop, heappush
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from ..model.score import Sample, Verdict
from .case import Case

Role = Literal["acting", "shadow", "repeat", "anchor"]
"""What a verdict is for: to count; to be compared while the gate is shut; to see whether a second one is the same; to
be held against people's."""


class Job(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One case to be judged by one version of a rubric; times are Unix seconds, ``where`` is the trace's slice.

    ``attempts`` failed for the case's sake, ``waits`` for the endpoint's or the judge's, the last at ``failed_at``.
    ``first`` is the verdict that a repeated judgement is compared with.
    """

    trace_id: str
    evaluator: str
    version: str
    role: Role
    sample: Sample
    where: tuple[str, str, str, str]
    case: Case
    created_at: float
    due_at: float
    attempts: int = 0
    waits: int = 0
    failed_at: float = 0.0
    first: Verdict | None = None

    @property
    def key(self) -> bytes:
        """Names this job among all others."""
        return f"{self.trace_id}/{self.evaluator}/{self.version}/{self.role}".encode()

    def again(self, due_at: float, failed_at: float = 0.0) -> "Job":
        """This job after one more attempt that failed."""
        return replace(self, due_at=due_at, failed_at=failed_at, attempts=self.attempts + 1)

    def later(self, due_at: float, failed_at: float = 0.0) -> "Job":
        """This job after a failure that was not its own and costs it no attempt."""
        return replace(self, due_at=due_at, failed_at=failed_at, waits=self.waits + 1)


class Queue:
    """Pending jobs, at most ``capacity``; a claimed job is out of the queue, but counts until it is released."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._waiting: dict[bytes, Job] = {}
        self._heaps: dict[bool, list[tuple[float, bytes]]] = {False: [], True: []}
        self._claimed: dict[bytes, Job] = {}

    def __len__(self) -> int:
        return len(self._waiting) + len(self._claimed)

    @property
    def is_full(self) -> bool:
        """Whether no other job should be put."""
        return len(self) >= self.capacity

    def put(self, job: Job) -> None:
        """Add a job, or put a claimed one back; the same job twice is one."""
        self._claimed.pop(job.key, None)
        self._waiting[job.key] = job
        heappush(self._heaps[job.sample == "targeted"], (job.due_at, job.key))

    def claim(self, now: float) -> Job | None:
        """Take the next job that is due; None where none is."""
        for heap in self._heaps.values():
            while heap and heap[0][0] <= now:
                due_at, key = heappop(heap)
                job = self._waiting.get(key)
                if job is not None and job.due_at == due_at:
                    del self._waiting[key]
                    self._claimed[key] = job
                    return job
        return None

    def remove(self, trace_ids: Collection[str]) -> tuple[list[Job], list[Job]]:
        """Take out the jobs of traces that wait; returns them, and those that are claimed."""
        waiting = [job for job in self._waiting.values() if job.trace_id in trace_ids]
        for job in waiting:
            del self._waiting[job.key]
        return waiting, [job for job in self._claimed.values() if job.trace_id in trace_ids]

    def hurry(self, now: float) -> None:
        """Have all that waits due at once."""
        for job in [one for one in self._waiting.values() if one.due_at > now]:
            self.put(replace(job, due_at=now))

    def release(self, job: Job) -> None:
        """A claimed job has ended."""
        self._claimed.pop(job.key, None)

    def oldest(self) -> float | None:
        """When the oldest job was created (Unix seconds); None where there is none."""
        return min((job.created_at for job in self._jobs()), default=None)

    def _jobs(self) -> Iterator[Job]:
        yield from self._waiting.values()
        yield from self._claimed.values()
