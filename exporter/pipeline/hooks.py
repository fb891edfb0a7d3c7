"""What the pipeline calls in features: hooks for scored traces, handlers of requests other than OTLP."""

from collections.abc import Mapping
from typing import Any, Protocol

from ..metrics.labels import Slice
from ..model.score import Outcome, Unscored
from ..model.trace import Trace
from ..recording.scored import Scored
from ..records.requests import Entry
from ..semconv.evaluations import Reported


class Desk(Protocol):
    """Handler of one kind of request that is not OTLP (feedback, labels …); called in order of arrival."""

    def read(self, entry: Entry) -> Any:
        """Decode a request; raises DecodeError or TooLarge."""

    def take(self, entry: Entry, asked: Any) -> None:
        """Apply a decoded request in the current unit of work; the outcome is written into ``asked``."""


class Hooks(Protocol):
    """Called in this order for every scored trace; none may raise."""

    @property
    def desks(self) -> Mapping[str, Desk]:
        """The handlers of requests that are not OTLP, by signal."""

    def choose(self, trace: Trace, where: Slice, outcome: Outcome) -> tuple[Unscored, ...]:
        """Select judge jobs for a scored trace; returns the evaluators that will give no verdict, and why."""

    def is_erased(self, trace: Trace, arrived_at: float) -> bool:
        """Delete a trace that was just recorded, if an erasure covers it; returns whether it was deleted."""

    def recorded(self, scored: Scored) -> None:
        """A trace was scored and is about to become durable."""

    def reported(self, trace_id: bytes, where: Slice, said: Reported) -> None:
        """User feedback that arrived as an OpenTelemetry evaluation event."""

    def tick(self) -> None:
        """Periodic work."""
