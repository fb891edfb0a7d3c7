"""Emission, as a feature: sends each evaluation by llmq once it is durable."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from ..config.settings import Emit
from ..features.feature import Feature, Work
from ..judge.queue import Job
from ..metrics import own
from ..metrics.gauges import Watched
from ..model.score import Evaluation, Failure
from ..recording.external_evaluations import is_ours
from ..recording.scored import Scored
from ..recording.unit_of_work import Recorder
from .emitter import Emitter, EvaluationEvent, Fate


class EmissionFeature(Feature):
    """Queues evaluations of evaluators and judge for sending. ``now`` is Unix seconds."""

    name = "emission"

    def __init__(self, settings: Emit, recorder: Recorder, now: Callable[[], float]) -> None:
        self._recorder, self._now = recorder, now
        self.emitter = Emitter(
            settings.url,
            token=settings.token.value if settings.token else "",
            capacity=settings.queue,
            told=self._emitted,
        )

    def work(self) -> Mapping[str, Work]:
        """Send what waits."""
        return {"sending evaluations": self.emitter.run}

    async def close(self) -> None:
        """Try once to send what waits."""
        await self.emitter.close()

    def gauges(self) -> Iterable[Watched]:
        """How much waits."""
        yield Watched(own.QUEUE_LENGTH, lambda: len(self.emitter), ("emit",))
        yield Watched(own.QUEUE_CAPACITY, lambda: self.emitter.capacity, ("emit",))

    def recorded(self, scored: Scored) -> None:
        """Send what the evaluators say of a trace."""
        trace, outcome = scored.trace, scored.outcome
        self._tell(trace.trace_id, trace.response_id, (*outcome.evaluations, *outcome.failures))

    def judged(self, job: Job, evaluation: Evaluation) -> None:
        """Send a verdict of the judge."""
        self._tell(job.trace_id, None, (evaluation,))

    def _tell(self, trace_id: str, response_id: str | None, results: Iterable[Evaluation | Failure]) -> None:
        for one in filter(is_ours, results):
            event = EvaluationEvent(trace_id=trace_id, response_id=response_id, result=one, at=self._now())
            self._recorder.afterwards(partial(self.emitter.offer, event))

    def _emitted(self, fate: Fate, count: int) -> None:
        self._recorder.tally.emitted(fate, count)
