"""The review queue, put on the road: who tells it, whom it tells, what of it is shown. No logic of its own."""

from collections.abc import Callable, Sequence
from functools import partial

from ..config import Config
from ..evaluators.panel import Panel
from ..feedback.join import FeedbackDesk
from ..judging.calibration import Calibrating
from ..judging.online import Judging
from ..metrics import families as f
from ..metrics.registry import Metrics
from ..pipeline.pipeline import Pipeline
from . import http
from .item import STATES
from .queue import SIGNAL, ReviewDesk


class Reviewing:
    """The queue and its counter for HTTP. ``now`` is Unix seconds."""

    def __init__(self, pipeline: Pipeline, feedback: FeedbackDesk, metrics: Metrics, now: Callable[[], float]) -> None:
        self.desk = ReviewDesk(Config(), pipeline.recorder, now, pipeline.recorder.redact)
        self.counter = http.Counter(self.desk, pipeline.submit, now)
        self._metrics = metrics
        pipeline.desks[SIGNAL] = self.desk
        pipeline.followers.append(self.desk.reception.follow)
        feedback.followers.append(self.desk.reception.told)

    def configure(self, config: Config, panel: Panel) -> None:
        """Go on with other settings; what waits goes on waiting."""
        marks = {**panel.marks, **{rubric.name: rubric.pass_mark for rubric in config.judge.rubrics}}
        self.desk.configure(config, marks)
        self._watch()

    def join(self, judging: Judging, calibrating: Calibrating) -> None:
        """What the judge says leads to the queue, and what people say there back to the judge."""
        judging.followers.append(self.desk.reception.judged)
        judging.observers.append(self.desk.reception.observe)
        self.desk.compared = calibrating.reviewed

    def forget(self, trace_ids: Sequence[bytes], user: str | None) -> None:
        """Delete the items of traces, and of a user."""
        for name in {*(one.hex() for one in trace_ids), *(self.desk.shelf.of_user(user) if user else ())}:
            self.desk.forget(name)

    def recover(self) -> None:
        """Take up what an earlier run left; raises StoreError."""
        self.desk.recover()
        self._watch()

    def _watch(self) -> None:
        self._metrics.watch(f.REVIEW_OLDEST, self.desk.age)
        for reason in self.desk.reasons():
            for state in STATES:
                self._metrics.watch(f.REVIEW_ITEMS, partial(self.desk.count, state, reason), state, reason)
