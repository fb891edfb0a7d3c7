"""Everything that a user decides, parsed and frozen: seconds, bytes, addresses. Knows no files."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, field

from ..decode.batch import DecodeLimits
from ..evaluators.panel import EvaluatorSpec, Panel
from ..evaluators.registry import Registry
from ..ingest.assembly import AssemblyLimits as Assembly
from ..judge.anchors import Anchor
from ..judge.budget import Cap, Caps, Tariff
from ..judge.endpoint import Endpoint
from ..judge.gate import GateLimits as Gate
from ..judge.rubric import Rubric
from ..judge.sampling import SamplingRule, Targeted
from ..metrics.births import Wait
from ..metrics.slice_budget import SLICES
from ..redaction import Redactor
from ..rules.files import RuleSettings
from ..rules.slo import DEFAULT_SLOS, Slo
from ..semconv.sources import Sources
from ..store.opening import Shared
from .configfile import Problem
from .units import Address

DAY = 86400.0
BUDGETS = {"app": 20, "route": 50, "model_version": 20, "prompt_version": 20}
MIB, GIB = 1 << 20, 1 << 30
OTLP_GRPC, OTLP_HTTP = 4317, 4318
"""The ports of OTLP."""
HAS_GRPC = find_spec("grpc") is not None
NO_GRPC = "the extra grpc is not installed (pip install 'llm-quality-exporter[grpc]')"

Role = Literal["ingest", "feedback", "review", "read", "admin"]
Content = Literal["none", "failing", "all"]
Identifiers = Literal["keep", "hash", "drop"]


class Secret(Struct, frozen=True):
    """A secret text that no log, traceback or page shows; ``value`` is the secret itself."""

    value: str

    def __repr__(self) -> str:
        return "<secret>"


class Token(Struct, frozen=True, kw_only=True):
    """A bearer token: its name, what its bearer may do, and the secret."""

    name: str
    roles: frozenset[Role]
    secret: Secret


class ConnectionLimits(Struct, frozen=True, kw_only=True):
    """How many HTTP connections may be open, and how long each may keep us waiting (seconds).

    ``header``: for the first whole header, and for each that has begun; ``idle``: between two requests; ``body``: for a
    request's body; ``answer``: while the client does not take an answer.
    """

    connections: int = 1000
    header: float = 10.0
    idle: float = 120.0
    body: float = 60.0
    answer: float = 60.0


class ServerSettings(Struct, frozen=True, kw_only=True):
    """Where to listen and who may come in; no tokens means that everybody who reaches the address may do everything.

    ``grpc``: where OTLP over gRPC is listened on. ``hosts``: names by which requests may address it where there are no
    tokens, beside those of ``listen``; "*": any.
    ``shutdown``: seconds from SIGTERM until the process has ended, whatever clients and the store do. ``trace_url``:
    where a trace store shows a trace, with {trace_id} in it; "": nowhere.
    """

    listen: Address = Address("127.0.0.1", 4318)
    grpc: Address | Literal["auto", "none"] = "auto"
    allow_unauthenticated: bool = False
    tokens: tuple[Token, ...] = ()
    hosts: tuple[str, ...] = ()
    limits: ConnectionLimits = ConnectionLimits()
    shutdown: float = 10.0
    trace_url: str = ""

    @property
    def grpc_address(self) -> Address | None:
        """Where gRPC is to be listened on; None for nowhere."""
        if isinstance(self.grpc, Address):
            return self.grpc
        is_usual = self.grpc == "auto" and self.listen.port == OTLP_HTTP
        return Address(self.listen.host, OTLP_GRPC) if is_usual else None


class RequestLimits(Struct, frozen=True, kw_only=True):
    """What one request may hold, and how much may wait to be scored (bytes)."""

    body_bytes: int = 16 * MIB
    decompressed_bytes: int = 64 * MIB
    attributes_per_span: int = 10_000
    plugin_memory: int = 4 * GIB
    pending_bytes: int = 64 * MIB

    def decode(self) -> DecodeLimits:
        """The limits by which requests and captures are decoded."""
        return DecodeLimits(decompressed_bytes=self.decompressed_bytes, attributes_per_span=self.attributes_per_span)


class RetentionSettings(Struct, frozen=True, kw_only=True):
    """How long (seconds) and how much (bytes) is kept; ``content``: how long text is, None for as long as its trace."""

    age: float = 7 * DAY
    size: int = 2 * GIB
    content: float | None = None


class StoreSettings(Struct, frozen=True, kw_only=True):
    """Where traces and totals are kept, and whether the text of traces is kept with them.

    ``journal`` is how many bytes of requests may wait until all their traces are recorded, ``ballast`` how many of the
    disk are held for when it is full. ``identifiers``: how those of users, conversations, responses, documents and
    tools are stored. ``schema``, ``password``, ``replica`` ("": the host's name) and ``files`` (a folder for what this
    process marks and sets aside) are for PostgreSQL.
    """

    url: str = "sqlite:///llmq.db"
    schema: str = "llmq"
    password: Secret | None = None
    replica: str = ""
    files: str = "."
    journal: int = GIB
    ballast: int = 64 * MIB
    content: Content = "failing"
    identifiers: Identifiers = "keep"
    retention: RetentionSettings = RetentionSettings()

    def shared(self) -> Shared:
        """What a database that replicas share is opened with."""
        password = self.password.value if self.password else ""
        return Shared(schema=self.schema, password=password, replica=self.replica, files=Path(self.files))


class Privacy(Struct, frozen=True, kw_only=True):
    """What is redacted in text before it is stored: kinds, and the user's own patterns by name."""

    redact: tuple[str, ...] = ("secret", "email", "phone", "card", "iban")
    patterns: dict[str, str] = {}

    def redactor(self) -> Redactor:
        """What does it."""
        return Redactor(self.redact, self.patterns)


class Labels(Struct, frozen=True, kw_only=True):
    """How many values each slice label may take, and how many slices are shown, before labels fold.

    ``allow``: the only values that a label may take. ``expire_after`` is in seconds.
    """

    budgets: dict[str, int] = field(default_factory=lambda: dict(BUDGETS))
    max_length: int = 128
    template_routes: bool = True
    expire_after: float = 7 * DAY
    allow: dict[str, tuple[str, ...]] = {}
    slices: int = SLICES
    series_ceiling: int = 100_000


class MetricsSettings(Struct, frozen=True, kw_only=True):
    """How new series are exposed; ``birth``: seconds for which a new series is exposed at 0, or auto."""

    birth: Wait = "auto"


class FeedbackSettings(Struct, frozen=True, kw_only=True):
    """Whose pages may send feedback and how much, what waits for its trace, and how conversations are read.

    Durations are seconds; ``per_second`` and ``burst`` are signals of one address; ``similarity`` (0 to 1) and
    ``words`` say which question asks again in other words.
    """

    origins: tuple[str, ...] = ()
    per_second: float = 100.0
    burst: int = 1000
    early_age: float = DAY
    early_items: int = 10_000
    settle: float = 15.0
    idle: float = 1800.0
    conversations: int = 20_000
    similarity: float = 0.6
    words: int = 2


class Price(Struct, frozen=True, kw_only=True):
    """Dollars per million tokens of the models whose name matches the glob ``model``.

    ``cached_input`` is for input that a cache gave, ``cache_write`` for input put there; None: as other input.
    """

    model: str
    input: float
    output: float
    cached_input: float | None = None
    cache_write: float | None = None


class Anchors(Struct, frozen=True, kw_only=True):
    """Human-labelled cases, the JSONL file that they are from, if any, and how many are scored again in an hour."""

    file: Path | None = None
    per_hour: float = 4.0
    cases: tuple[Anchor, ...] = ()


class Emit(Struct, frozen=True, kw_only=True):
    """Where each evaluation is sent as an event, by OTLP/HTTP (``url`` without /v1/logs); ``queue``: how many wait."""

    url: str
    token: Secret | None = None
    queue: int = 10_000


class JudgeSettings(Struct, frozen=True, kw_only=True):
    """The judge: whether there is one, whom it asks and how, what it may cost, what it judges, when it is trusted.

    ``rubrics`` are those that are enabled and ``rules`` says of each of them where and how often it judges. ``repeat``
    is the share of judged traces that are judged twice. ``ledger`` is the URL of the file of what was spent.
    ``headers`` are sent with each call. ``traffic`` is the traces of a day for which ``llmq check`` says the cost.
    """

    enabled: bool = False
    endpoint: Endpoint = Endpoint(url="", model="")
    api_key: Secret | None = None
    headers: dict[str, Secret] = {}
    concurrency: int = 4
    attempts: int = 5
    caps: Caps = Caps(day=Cap(tokens=5_000_000))
    ledger: str = "sqlite:///llmq-judge.db"
    tariff: Tariff = Tariff()
    rubrics: tuple[Rubric, ...] = ()
    sampling: tuple[SamplingRule, ...] = (SamplingRule(rate=0.05, floor=30),)
    rules: dict[str, tuple[SamplingRule, ...]] = {}
    targeted: Targeted = Targeted()
    repeat: float = 0.02
    traffic: int = 1000
    anchors: Anchors = Anchors()
    gate: Gate = Gate()
    emit: Emit | None = None

    @property
    def sent_headers(self) -> dict[str, str]:
        """The headers of each call as they are sent, with the API key among them: secrets."""
        key = {"Authorization": f"Bearer {self.api_key.value}"} if self.api_key else {}
        return key | {name: secret.value for name, secret in self.headers.items()}


class Ask(Struct, frozen=True, kw_only=True):
    """A question to reviewers in an evaluator's place; ``with_context``: only where there are documents."""

    evaluator: str
    question: str
    with_context: bool = False


class Reason(Struct, frozen=True, kw_only=True):
    """A rule that queues a trace for review: all conditions that are given must hold.

    ``failed``, ``passed``: one of these evaluators said so; ``disagree``: one of them passed and one failed the trace;
    ``near``: the score of one of them is ``within`` so much of its pass mark; ``flipped``: the judge, asked again by
    one of these rubrics, said the opposite; ``feedback``: its user signalled one of these; ``share``: of all that,
    drawn by the trace's id. At most ``per_day`` (UTC) become items. ``ask`` is a choice of the section's questions;
    none: all.
    """

    name: str
    failed: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    disagree: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    within: float = 0.05
    flipped: tuple[str, ...] = ()
    feedback: tuple[str, ...] = ()
    share: float = 1.0
    apps: tuple[str, ...] = ("*",)
    routes: tuple[str, ...] = ("*",)
    per_day: int = 20
    annotators: int = 1
    instructions: str = ""
    ask: tuple[str, ...] = ()


DEFAULT_ASK: tuple[Ask, ...] = (
    Ask(evaluator="helpfulness", question="Does the answer do what was asked?"),
    Ask(
        evaluator="faithfulness",
        question="Do the documents support everything that the answer says?",
        with_context=True,
    ),
)
DEFAULT_REASONS: tuple[Reason, ...] = (
    Reason(name="control", share=0.01, per_day=10, annotators=2),
    Reason(name="complaint", feedback=("thumbs_down",)),
    Reason(name="disagreement", disagree=("grounding", "faithfulness")),
    Reason(name="flipped", flipped=("helpfulness", "faithfulness"), per_day=10),
    Reason(name="unsure", near=("helpfulness", "faithfulness", "grounding"), within=0.05),
    Reason(name="failed", failed=("grounding", "citation", "refusal")),
)


class ReviewSettings(Struct, frozen=True, kw_only=True):
    """Which traces people look at, and how.

    The first of ``reasons`` that holds and has room today takes a trace. Durations are seconds: ``claim`` until an item
    that somebody took is free again, ``wait`` for late scores before an item is given out, ``expire`` until an item
    that nobody finished is given up, ``keep`` of finished ones. ``items`` may be open at once. ``similarity`` (0 to 1)
    of two questions' words makes them near-duplicates.
    """

    enabled: bool = False
    reasons: tuple[Reason, ...] = DEFAULT_REASONS
    ask: tuple[Ask, ...] = DEFAULT_ASK
    instructions: str = ""
    claim: float = 900.0
    wait: float = 120.0
    expire: float = 14 * DAY
    keep: float = 90 * DAY
    items: int = 1000
    similarity: float = 0.8


class Origin(Struct, frozen=True, kw_only=True):
    """Where a config came from: the file, if any, and the flags that won over it."""

    path: Path | None = None
    listen: str | None = None
    store: str | None = None


class Config(Struct, frozen=True, kw_only=True):
    """Everything that a user decides, parsed: seconds, bytes, addresses.

    ``prices``: the first match wins. ``evaluators`` holds every built-in one and every other that the file names;
    ``slos`` only those that are enabled.
    ``warnings`` are what is odd and yet usable. ``written`` is the file over the defaults, as people write it.
    """

    server: ServerSettings = ServerSettings()
    limits: RequestLimits = RequestLimits()
    store: StoreSettings = StoreSettings()
    privacy: Privacy = Privacy()
    assembly: Assembly = Assembly()
    attributes: Sources = Sources()
    helpers: tuple[str, ...] = ()
    """Patterns over the names of model calls that answer nobody: of the span, its prompt, its agent or its function."""
    labels: Labels = Labels()
    metrics: MetricsSettings = MetricsSettings()
    prices: tuple[Price, ...] = ()
    evaluators: dict[str, EvaluatorSpec] = {}
    slos: tuple[Slo, ...] = DEFAULT_SLOS
    alerting: RuleSettings = RuleSettings()
    judge: JudgeSettings = JudgeSettings()
    feedback: FeedbackSettings = FeedbackSettings()
    review: ReviewSettings = ReviewSettings()
    warnings: tuple[Problem, ...] = ()
    written: dict[str, Any] = {}
    origin: Origin = Origin()

    def panel(self, registry: Registry, *, only: Mapping[str, EvaluatorSpec] | None = None) -> Panel:
        """The evaluators as configured, or ``only`` these: for the server, ``replay`` and ``eval`` alike."""
        specs = self.evaluators if only is None else only
        return Panel(specs, registry, plugin_memory=self.limits.plugin_memory)
