"""The review queue, as a feature: which traces deserve a person, and what people say of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from aiohttp import web

from ..config import Config
from ..evaluators.panel import Panel
from ..features.dispatcher import Features
from ..features.feature import Feature, Signalled, Work
from ..judge.case import Judgement
from ..judge.queue import Job
from ..metrics import families as f
from ..metrics.gauges import Watched
from ..model.score import Evaluation
from ..pipeline.hooks import Desk
from ..pipeline.pipeline import Pipeline
from ..recording.scored import Scored
from ..records.review import STATES
from . import http
from .queue import SIGNAL, ReviewQueue


class ReviewFeature(Feature):
    """The review queue and its endpoints. ``now`` is Unix seconds."""

    name = "review"

    def __init__(
        self, config: Config, panel: Panel, pipeline: Pipeline, features: Features, now: Callable[[], float]
    ) -> None:
        self.desk = ReviewQueue(config, pipeline.recorder, now, pipeline.recorder.redact, features.compared)
        self._http = http.ReviewContext(self.desk, pipeline.submit, now)
        self.configure(config, panel)

    def desks(self) -> Mapping[str, Desk]:
        """The handler of reviewers' requests."""
        return {SIGNAL: self.desk}

    def add_routes(self, app: web.Application) -> None:
        """Add the API and the page."""
        http.add_routes(app, self._http)

    def configure(self, config: Config, panel: Panel) -> None:
        """Apply other settings; queued items stay."""
        self.desk.configure(
            config, {**panel.marks, **{rubric.name: rubric.pass_mark for rubric in config.judge.rubrics}}
        )

    async def recover(self) -> None:
        """Load the items of an earlier run; raises StoreError."""
        await self.desk.recover()

    def work(self) -> Mapping[str, Work]:
        """End expired claims and items."""
        return {"review": self.desk.run}

    def gauges(self) -> Iterable[Watched]:
        """The number of items by state and reason, for the reasons of the config and of the items."""
        yield Watched(f.REVIEW_OLDEST, self.desk.age)
        for reason in self.desk.reasons():
            for state in STATES:
                yield Watched(f.REVIEW_ITEMS, partial(self.desk.count, state, reason), (state, reason))

    def recorded(self, scored: Scored) -> None:
        """Queue a trace that matches a rule."""
        self.desk.reception.follow(scored)

    def signalled(self, signalled: Signalled) -> None:
        """Look again at a trace of which a user said something."""
        self.desk.reception.told(signalled)

    def judged(self, job: Job, evaluation: Evaluation) -> None:
        """Look again at a trace with a verdict of the judge."""
        self.desk.reception.judged(job, evaluation)

    def observed(self, job: Job, judgement: Judgement | None) -> None:
        """Look again at a trace that the judge was asked about a second time, or in a shadow version."""
        self.desk.reception.observe(job, judgement)

    def erased(self, trace_ids: Sequence[bytes], user: str | None) -> None:
        """Delete the items of traces, and of a user."""
        for name in {*(one.hex() for one in trace_ids), *(self.desk.shelf.of_user(user) if user else ())}:
            self.desk.forget(name)
