"""The base class of features: the hooks that a feature may override. Knows no feature."""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from aiohttp import web
from msgspec import Struct

from ..config import Config
from ..evaluators.panel import Panel
from ..judge.case import Judgement
from ..judge.queue import Job
from ..metrics.gauges import Watched
from ..metrics.labels import Slice
from ..model.score import Evaluation, Outcome, Unscored, Verdict
from ..model.trace import Trace
from ..pipeline.hooks import Desk
from ..recording.scored import Scored
from ..semconv.evaluations import Reported

NEGATIVE: Final = frozenset({"thumbs_down", "regenerate", "rephrase", "abandon"})
"""The signals by which users say that an answer was bad."""


Work = Callable[[], Coroutine[Any, Any, None]]
"""Runs in the background until it is cancelled."""


class Signalled(Struct, frozen=True, kw_only=True):
    """A user's signal that was counted: explicit, or derived from a conversation.

    ``trace`` has text only where it is stored or still in memory, else it is None; ``retracted`` is the earlier signal
    that this one replaces.
    """

    trace_id: bytes
    where: Slice
    signal: str
    source: Literal["explicit", "derived"]
    retracted: str = ""
    trace: Trace | None = None


class Feature:
    """One thing that llmq does beside scoring; a subclass overrides the hooks it needs.

    All but ``work`` and ``close`` run on the event loop between other work: they are quick, and do not raise unless
    they say so.
    """

    name: str

    def desks(self) -> Mapping[str, Desk]:
        """The handlers of requests that are not OTLP, by signal."""
        return {}

    def add_routes(self, app: web.Application) -> None:
        """Add the endpoints; the app holds a RECEPTION and an INTAKE."""

    # Its life.

    def configure(self, config: Config, panel: Panel) -> None:
        """Apply other settings; pending work stays pending."""

    async def recover(self) -> None:
        """Load the state of an earlier run, before the journal is replayed; raises StoreError."""

    def work(self) -> Mapping[str, Work]:
        """Background tasks, run until cancelled, by their name in the log."""
        return {}

    def tick(self) -> None:
        """Periodic work, called every 30 seconds."""

    async def close(self) -> None:
        """Release connections and threads, after background tasks were cancelled and pending writes committed."""

    def gauges(self) -> Iterable[Watched]:
        """The gauges of a scrape, computed by the settings in force."""
        return ()

    # What happens to a trace, in this order.

    def choose(self, trace: Trace, where: Slice, outcome: Outcome) -> tuple[Unscored, ...]:  # noqa: ARG002
        """Select judge jobs for a scored trace; returns the evaluators that will give no verdict, and why."""
        return ()

    def is_erased(self, trace: Trace, arrived_at: float) -> bool:  # noqa: ARG002
        """Delete a trace that was just recorded, if an erasure covers it; returns whether it was deleted."""
        return False

    def recorded(self, scored: Scored) -> None:
        """A trace was scored and is about to become durable."""

    def reported(self, trace_id: bytes, where: Slice, said: Reported) -> None:
        """User feedback that arrived as an OpenTelemetry evaluation event."""

    def signalled(self, signalled: Signalled) -> None:
        """A user's signal was counted."""

    def judged(self, job: Job, evaluation: Evaluation) -> None:
        """The judge gave a verdict that counts."""

    def observed(self, job: Job, judgement: Judgement | None) -> None:
        """A judge job ended, of the acting version or a shadow; None: it gave no verdict."""

    def compared(self, judge: tuple[str, str], said: Verdict, human: Verdict) -> None:
        """A judge (evaluator, version) and people gave verdicts on the same trace."""

    def erased(self, trace_ids: Sequence[bytes], user: str | None) -> None:
        """Traces were deleted, and all of a user where one is named: delete what is kept of them."""
