"""Which spans are late: of a request that was recorded, not of a further one with the same trace id."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Final

from msgspec import Struct, field

from ..model.trace import LogRecord, Span

KEY_BYTES = 8
FULL: Final = "trace_full"
"""Why parts are dropped of a trace that has as many as it may have."""


class RecordedKeys:
    """The keys of the spans and log records of a recorded trace, and whether an LLM request was found in it."""

    __slots__ = ("ignored", "keys")

    def __init__(self, keys: bytes = b"", *, ignored: bool = False) -> None:
        """``keys`` lie side by side."""
        self.keys = set(split(keys))
        self.ignored = ignored

    def __contains__(self, key: bytes) -> bool:
        """Whether a part with this key was recorded."""
        return key in self.keys

    def __len__(self) -> int:
        """How many parts were recorded."""
        return len(self.keys)


Known = Mapping[bytes, RecordedKeys]


def split(keys: bytes) -> Iterator[bytes]:
    """The keys of a concatenation of keys."""
    return (keys[at : at + KEY_BYTES] for at in range(0, len(keys), KEY_BYTES))


def awaited(parent: bytes) -> bytes:
    """The mark, as long as a key, of a parent that had not come when its trace was closed."""
    return blake2b(parent, digest_size=KEY_BYTES, person=b"llmq awaited").digest()


class Late(Struct):
    """Spans and log records that came after their trace was recorded."""

    trace_id: bytes
    spans: list[Span]
    logs: list[LogRecord]

    def add(self, part: Span | LogRecord) -> None:
        """Add one part."""
        if isinstance(part, Span):
            self.spans.append(part)
        else:
            self.logs.append(part)

    def keys(self) -> list[bytes]:
        """The keys of all parts."""
        return [*(span.span_id for span in self.spans), *(log.key for log in self.logs)]


class Added(Struct):
    """What became of one request: parts taken, duplicates by (signal, kind), parts dropped by reason, late parts."""

    spans: int = 0
    logs: int = 0
    duplicates: Counter[tuple[str, str]] = field(default_factory=Counter)
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    late: list[Late] = field(default_factory=list)
    kept: bool = False
    """Whether an open trace now needs the journal entry."""


def without_late(
    spans: Sequence[Span],
    logs: Sequence[LogRecord],
    recorded: Known,
    added: Added,
    most: int,
    came: Callable[[str], None],
) -> tuple[list[Span], list[LogRecord]]:
    """Return what may be taken: of a trace that was recorded nothing known, and no late part of a request.

    What belongs to no span that was recorded, and is no parent that was waited for, is another request of that trace
    id. Of a trace with ``most`` parts nothing more is taken, late or not: their keys would be kept for ever. ``came``
    hears of which application a parent came late.
    """
    late: dict[bytes, Late] = {}
    of_request = _late_spans(spans, recorded, came)
    others = {span.span_id for span in spans if span.span_id not in of_request}
    taken: Counter[bytes] = Counter()

    def is_new(part: Span | LogRecord, key: bytes, signal: str) -> bool:
        before = recorded.get(part.trace_id)
        if before is None:
            return True
        if key in before:
            added.duplicates[signal, "same"] += 1
            return False
        if len(before) + taken[part.trace_id] >= most:
            added.dropped[signal, FULL] += 1
            return False
        taken[part.trace_id] += 1
        if before.ignored or part.span_id in others:
            return True
        late.setdefault(part.trace_id, Late(part.trace_id, [], [])).add(part)
        return False

    new_spans = [span for span in spans if is_new(span, span.span_id, "traces")]
    new_logs = [log for log in logs if is_new(log, log.key, "logs")]
    added.late.extend(late.values())
    return new_spans, new_logs


def _late_spans(spans: Sequence[Span], recorded: Known, came: Callable[[str], None]) -> set[bytes]:
    """The ids of the spans that are part of a request that was recorded: below its spans or a parent that it lacked."""
    below: defaultdict[bytes, list[bytes]] = defaultdict(list)
    late: list[bytes] = []
    for span in spans:
        before = recorded.get(span.trace_id)
        if before is None or before.ignored:
            continue
        if is_awaited := awaited(span.span_id) in before:
            came(app_of(span))
        parent = span.parent_span_id
        if is_awaited or (parent and (parent in before or awaited(parent) in before)):
            late.append(span.span_id)
        else:
            below[parent].append(span.span_id)
    for span_id in late:
        late += below.pop(span_id, ())
    return set(late)


def app_of(span: Span) -> str:
    """The application that a span is of, as far as it is needed here."""
    return str(span.resource.get("service.name", ""))
