"""The settings of a pipeline that a reload swaps."""

from msgspec import Struct

from ..decode.batch import DecodeLimits
from ..evaluators.panel import Panel
from ..ingest.assembly import AssemblyLimits
from ..metrics.labels import Limiter
from ..recording.identifiers import KEEP, Identifiers
from ..recording.prices import Prices
from ..redaction import Redactor
from ..semconv import Sources


class Settings(Struct, frozen=True, kw_only=True):
    """Settings that a reload replaces: how traces are read, scored and labelled, and how much may be pending."""

    sources: Sources
    helpers: tuple[str, ...]
    panel: Panel
    limiter: Limiter
    prices: Prices
    decode: DecodeLimits
    assembly: AssemblyLimits
    content: str = "failing"
    journal_bytes: int = 1 << 30
    ballast_bytes: int = 0
    redactor: Redactor = Redactor()
    identifiers: Identifiers = KEEP
    expire_after: float = 7 * 86_400.0
    retention_age: float = 7 * 86_400.0
    retention_bytes: int = 2 << 30
    content_age: float | None = None
