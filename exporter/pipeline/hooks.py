"""What the pipeline asks and tells the features, and how they take requests that are not OTLP. Knows no feature."""

from collections.abc import Mapping
from typing import Any, Protocol

from ..metrics.labels import Slice
from ..model.score import Outcome, Unscored
from ..model.trace import Trace
from ..recording.scored import Scored
from ..records.requests import Entry
from ..semconv.evaluations import Reported


class Desk(Protocol):
    """Takes the requests of one signal that is not OTLP, in the order in which they came."""

    def read(self, entry: Entry) -> Any:
        """What a request asks for; raises DecodeError or TooLarge."""

    def take(self, entry: Entry, asked: Any) -> None:
        """Do it, by the recorder alone; what is to be told is written into ``asked``."""


class Hooks(Protocol):
    """Called in this order for every trace that was scored; none may raise."""

    @property
    def desks(self) -> Mapping[str, Desk]:
        """Who takes requests that are not OTLP, by signal."""

    def choose(self, trace: Trace, where: Slice, outcome: Outcome) -> tuple[Unscored, ...]:
        """Offer a scored trace to be judged later; returns for which evaluators there will be no verdict, and why."""

    def is_erased(self, trace: Trace, arrived_at: float) -> bool:
        """Delete a trace that was just recorded, if it is one to be deleted; says whether it was."""

    def recorded(self, scored: Scored) -> None:
        """A trace was scored and is about to become durable."""

    def reported(self, trace_id: bytes, where: Slice, said: Reported) -> None:
        """User feedback that arrived as an OpenTelemetry evaluation event."""

    def tick(self) -> None:
        """Keep house."""
