"""Gathers the spans and log records of one trace, which arrive in several requests.

Pure: the clock and what was recorded before are passed in. A trace is due when its root has ended and a grace has
passed, when nothing more came for a while, when it is too old, or when open traces take more room than they may (then
the one that would be due first is closed early: it is the most complete).
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Final, Literal

from msgspec import Struct, field

from .trace import LogRecord, Span

Reason = Literal["root", "idle", "age", "pressure", "shutdown"]
KEY_BYTES = 8
FULL: Final = "trace_full"
"""Why parts are dropped of a trace that has as many as it may have."""
OVERHEAD = 600
"""Bytes of memory that an open trace takes beside its parts (roughly, measured)."""
AT_ONCE, AT_ONCE_BYTES = 16, 1 << 16
"""Traces that take each step together, which is faster; of large ones fewer, since the event loop waits for them."""

Known = Mapping[bytes, "RecordedKeys"]
Recorded = Callable[[Sequence[bytes]], Known]


class RecordedKeys:
    """What is known of a trace that was recorded: the keys of its parts, and whether an LLM request was found in it."""

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


def split(keys: bytes) -> Iterator[bytes]:
    """The keys that lie side by side."""
    return (keys[at : at + KEY_BYTES] for at in range(0, len(keys), KEY_BYTES))


class Limits(Struct, frozen=True, kw_only=True):
    """When a trace is complete, and how much may be open at once. Times in seconds."""

    grace: float = 2.0
    idle: float = 10.0
    max_age: float = 300.0
    max_traces: int = 100_000
    max_bytes: int = 40 << 20
    max_spans_per_trace: int = 10_000


class OpenTrace(Struct, eq=False):
    """A trace that is still being gathered: its parts by key, and the journal entries that they came in."""

    trace_id: bytes
    opened_at: float
    before: bytes = b""
    """The keys of those parts that were recorded before the trace opened again."""
    spans: dict[bytes, Span] = {}
    logs: dict[bytes, LogRecord] = {}
    seqs: list[int] = []
    due_at: float = 0.0
    reason: Reason = "idle"
    size: int = OVERHEAD

    @property
    def parts(self) -> int:
        """How many parts it has, also of those recorded before."""
        return len(self.before) // KEY_BYTES + len(self.spans) + len(self.logs)

    def keys(self) -> bytes:
        """The keys of all parts, side by side, also of those recorded before."""
        return b"".join((self.before, *self.spans, *self.logs))


class Late(Struct):
    """Parts of a trace that came after it was recorded."""

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


class Assembler:
    """The open traces, bounded in number and bytes. Not thread-safe: it lives on the event loop."""

    def __init__(self, limits: Limits, recorded: Recorded) -> None:
        self.limits = limits
        self.bytes = 0
        self._recorded = recorded
        self._open: dict[bytes, OpenTrace] = {}
        self._due: list[tuple[float, int, list[OpenTrace]]] = []
        """When to look at which traces, the last one first: those of a request mostly have one time."""
        self._references: Counter[int] = Counter()
        self._tie = count()

    def __len__(self) -> int:
        """How many traces are open."""
        return len(self._open)

    @property
    def waiting(self) -> int:
        """How many journal entries open traces need."""
        return len(self._references)

    def oldest(self) -> float | None:
        """When the trace that was opened first of all open ones was opened (Unix seconds)."""
        return next((trace.opened_at for trace in self._open.values()), None)

    def add(self, seq: int, spans: Sequence[Span], logs: Sequence[LogRecord], now: float) -> Added:
        """Take the parts of the request that journal entry ``seq`` holds."""
        added = Added()
        unknown = ({span.trace_id for span in spans} | {log.trace_id for log in logs}).difference(self._open)
        recorded = self._recorded(list(unknown))
        if recorded:
            spans, logs = _without_late(spans, logs, recorded, added, self.limits.max_spans_per_trace)
        touched: dict[bytes, OpenTrace] = {}
        self._add_spans(spans, touched, recorded, now, added)
        self._add_logs(logs, touched, recorded, now, added)
        added.kept = bool(touched)
        if touched:
            self._references[seq] += len(touched)
            ended = {span.trace_id for span in spans if not span.parent_span_id}
            fresh: defaultdict[float, list[OpenTrace]] = defaultdict(list)
            for trace in reversed(touched.values()):
                trace.seqs.append(seq)
                if self._schedule(trace, trace.trace_id in ended, now):
                    fresh[trace.due_at].append(trace)
            for due_at, traces in fresh.items():
                heapq.heappush(self._due, (due_at, next(self._tie), traces))
        return added

    def _add_spans(
        self, spans: Sequence[Span], touched: dict[bytes, OpenTrace], recorded: Known, now: float, added: Added
    ) -> None:
        for span in spans:
            trace = self._open.get(span.trace_id) or self._opened(span.trace_id, touched, recorded, now)
            if (before := trace.spans.get(span.span_id)) is not None:
                added.duplicates["traces", "same" if _same(before, span) else "conflicting"] += 1
            elif self._has_room(trace, "traces", added):
                trace.spans[span.span_id] = span
                added.spans += 1
                self._grow(trace, span.size, touched)

    def _add_logs(
        self, logs: Sequence[LogRecord], touched: dict[bytes, OpenTrace], recorded: Known, now: float, added: Added
    ) -> None:
        for log in logs:
            trace = self._open.get(log.trace_id) or self._opened(log.trace_id, touched, recorded, now)
            if log.key in trace.logs:
                added.duplicates["logs", "same"] += 1
            elif self._has_room(trace, "logs", added):
                trace.logs[log.key] = log
                added.logs += 1
                self._grow(trace, log.size, touched)

    def _grow(self, trace: OpenTrace, size: int, touched: dict[bytes, OpenTrace]) -> None:
        trace.size += size
        self.bytes += size
        touched[trace.trace_id] = trace

    def _opened(self, trace_id: bytes, touched: dict[bytes, OpenTrace], recorded: Known, now: float) -> OpenTrace:
        before = recorded.get(trace_id)
        trace = OpenTrace(trace_id, now) if before is None else OpenTrace(trace_id, now, b"".join(before.keys))
        self._open[trace_id] = touched[trace_id] = trace
        self.bytes += trace.size
        return trace

    def _has_room(self, trace: OpenTrace, signal: str, added: Added) -> bool:
        if trace.parts < self.limits.max_spans_per_trace:
            return True
        added.dropped[signal, FULL] += 1
        return False

    def _schedule(self, trace: OpenTrace, root_ended: bool, now: float) -> bool:
        """Set when it is due; says whether nobody looks at it then yet."""
        new = not trace.due_at
        if root_ended and trace.reason != "root":
            trace.reason, trace.due_at = "root", now + self.limits.grace
            new = True
        elif trace.reason != "root":
            trace.due_at = now + self.limits.idle
        if trace.due_at > (oldest := trace.opened_at + self.limits.max_age):
            trace.due_at, trace.reason = oldest, "age" if trace.reason != "root" else "root"
        return new

    def due(self, now: float) -> Iterator[OpenTrace]:
        """Close and yield the traces that are due, the longest due first; the caller may stop at any point."""
        while self._due:
            at, _, traces = self._due[0]
            if not traces:
                heapq.heappop(self._due)
                continue
            trace = traces[-1]
            is_open = self._open.get(trace.trace_id) is trace
            if is_open and trace.due_at <= at > now:
                if len(self._open) <= self.limits.max_traces and self.bytes <= self.limits.max_bytes:
                    return
                trace.reason = "pressure"
            traces.pop()
            if is_open and trace.due_at > at:
                heapq.heappush(self._due, (trace.due_at, next(self._tie), [trace]))
            elif is_open:
                yield self._close(trace)

    def take(self, trace_ids: Iterable[bytes]) -> list[OpenTrace]:
        """Close those of the traces that are open; they were complete once."""
        return [self._close(self._open[trace_id]) for trace_id in trace_ids if trace_id in self._open]

    def drain(self) -> Iterator[OpenTrace]:
        """Close and yield every trace, as at the end of a replay."""
        for trace in list(self._open.values()):
            trace.reason = "shutdown"
            yield self._close(trace)

    def _close(self, trace: OpenTrace) -> OpenTrace:
        del self._open[trace.trace_id]
        self.bytes -= trace.size
        return trace

    def hold(self, seq: int) -> None:
        """Need a journal entry until ``let_go``, because its parts are taken in several steps."""
        self._references[seq] += 1

    def let_go(self, seq: int) -> bool:
        """Need it no longer for that; says whether nobody else needs it either."""
        self._references[seq] -= 1
        if self._references[seq]:
            return False
        del self._references[seq]
        return True

    def release(self, traces: Sequence[OpenTrace]) -> list[int]:
        """The journal entries that nobody needs any more once these closed traces are recorded."""
        done = []
        for seq, needed in Counter(seq for trace in traces for seq in trace.seqs).items():
            self._references[seq] -= needed
            if not self._references[seq]:
                del self._references[seq]
                done.append(seq)
        return done


def several(due: Iterator[OpenTrace]) -> list[OpenTrace]:
    """The next traces that are due, as many as take each step together."""
    some: list[OpenTrace] = []
    size = 0
    for parts in due:
        some.append(parts)
        size += parts.size
        if len(some) >= AT_ONCE or size >= AT_ONCE_BYTES:
            break
    return some


def whole_traces(
    spans: Sequence[Span], logs: Sequence[LogRecord], most: int
) -> Iterator[tuple[Sequence[Span], Sequence[LogRecord]]]:
    """The parts of a request, about ``most`` at a time, and never some of a trace without its others."""
    if len(spans) + len(logs) <= most:
        yield spans, logs
        return
    traces: defaultdict[bytes, tuple[list[Span], list[LogRecord]]] = defaultdict(lambda: ([], []))
    for span in spans:
        traces[span.trace_id][0].append(span)
    for log in logs:
        traces[log.trace_id][1].append(log)
    some: tuple[list[Span], list[LogRecord]] = ([], [])
    for trace_spans, trace_logs in traces.values():
        some[0].extend(trace_spans)
        some[1].extend(trace_logs)
        if len(some[0]) + len(some[1]) >= most:
            yield some
            some = ([], [])
    if some[0] or some[1]:
        yield some


def _without_late(
    spans: Sequence[Span], logs: Sequence[LogRecord], recorded: Known, added: Added, most: int
) -> tuple[list[Span], list[LogRecord]]:
    """Return what may be taken: of a trace that was recorded nothing known, and nothing at all after a verdict.

    Of a trace with ``most`` parts nothing more is taken, late or not: their keys would be kept for ever.
    """
    late: dict[bytes, Late] = {}

    def is_new(part: Span | LogRecord, key: bytes, signal: str) -> bool:
        before = recorded.get(part.trace_id)
        if before is None:
            return True
        if key in before:
            added.duplicates[signal, "same"] += 1
            return False
        parts = late.get(part.trace_id) or Late(part.trace_id, [], [])
        if len(before) + len(parts.spans) + len(parts.logs) >= most:
            added.dropped[signal, FULL] += 1
            return False
        if not before.ignored:
            late[part.trace_id] = parts
            parts.add(part)
        return before.ignored

    new_spans = [span for span in spans if is_new(span, span.span_id, "traces")]
    new_logs = [log for log in logs if is_new(log, log.key, "logs")]
    added.late.extend(late.values())
    return new_spans, new_logs


def _same(before: Span, span: Span) -> bool:
    """Whether a retried span says what the first one said, as far as is cheap to see."""
    return (
        before.name == span.name and before.start == span.start and before.end == span.end and before.size == span.size
    )
