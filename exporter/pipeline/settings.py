"""What a pipeline is given: the settings that a reload swaps, and the desks that take requests which are not OTLP."""

from typing import Any, Protocol

from msgspec import Struct

from ..decode.batch import DecodeLimits
from ..evaluators.panel import Panel
from ..ingest.assembly import Limits
from ..metrics.labels import Limiter
from ..recording.identifiers import KEEP, Identifiers
from ..recording.prices import Prices
from ..redaction import Redactor
from ..semconv import Sources
from ..store.sqlite.store import Entry


class Settings(Struct, frozen=True, kw_only=True):
    """What a reload swaps: how traces are read, scored and labelled, and how much may wait."""

    sources: Sources
    helpers: tuple[str, ...]
    panel: Panel
    limiter: Limiter
    prices: Prices
    decode: DecodeLimits
    assembly: Limits
    content: str = "failing"
    journal_bytes: int = 1 << 30
    ballast_bytes: int = 0
    redactor: Redactor = Redactor()
    identifiers: Identifiers = KEEP
    expire_after: float = 7 * 86_400.0
    retention_age: float = 7 * 86_400.0
    retention_bytes: int = 2 << 30
    content_age: float | None = None


class Desk(Protocol):
    """Takes the requests of one signal that is not OTLP, in the order in which they became durable."""

    def read(self, entry: Entry) -> Any:
        """What a journal entry asks for; raises DecodeError or TooLarge."""

    def take(self, entry: Entry, asked: Any) -> None:
        """Do it, by the recorder alone; what is to be told is written into ``asked``."""
