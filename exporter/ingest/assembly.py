"""Gathers the spans and log records of one trace, which arrive in several requests.

Pure: the clock and what was recorded before are passed in. A trace whose root has ended and whose parents are all there
is complete, and is due after a grace period. One that is known to lack a parent waits longer, because children end, and
are sent, before their parents; any other is due when nothing has come for a while. A trace that is too old is closed;
where open traces exceed their limit, those that wait for parents are closed first, longest without a new span first.
"""

import heapq
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import count
from typing import Literal

from msgspec import Struct

from ..model.trace import CONSUMER, SERVER, LogRecord, Span
from .late_spans import FULL, KEY_BYTES, Added, Known, RecordedKeys, app_of, awaited, without_late
from .patience import Patience

Reason = Literal["root", "idle", "incomplete", "age", "pressure", "shutdown"]
OVERHEAD = 600
"""Bytes of memory that an open trace takes beside its parts (roughly, measured)."""
AT_ONCE, AT_ONCE_BYTES = 32, 1 << 18
"""Traces that take each step together, which is faster; of large ones fewer, since parts of theirs wait for the end."""

Recorded = Callable[[Sequence[bytes]], Known]


class AssemblyLimits(Struct, frozen=True, kw_only=True):
    """When a trace is complete, and how much may be open at once. Times in seconds."""

    grace: float = 2.0
    idle: float = 10.0
    incomplete: float = 900.0
    max_age: float = 3600.0
    max_traces: int = 100_000
    max_bytes: int = 40 << 20
    max_spans_per_trace: int = 10_000


_PROBE = 60.0
"""Seconds after which a trace without news that lacks a parent counts as one that waits in vain."""
_SHARE_WAITING = 0.5
"""Of the room for open traces: once so much is taken, traces that wait for parents are closed."""


class OpenTrace(Struct, eq=False):
    """A trace that is still being gathered: its spans and log records by key, and the journal entries they came in.

    ``missing`` are the ids of parents that spans name and that have not come; ``roots`` counts the spans without one.
    """

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
    roots: int = 0
    missing: set[bytes] = set()
    lacks_remote: bool = False
    """Whether a parent is missing that is in another process, which may send its spans elsewhere."""
    touched_at: float = 0.0
    app: str = ""
    known: RecordedKeys | tuple[()] = ()
    """The keys before, to look one up."""
    again: bool = False
    """Whether a request of this trace id was recorded before: this is another one."""

    @property
    def parts(self) -> int:
        """How many parts it has, also of those recorded before."""
        return len(self.before) // KEY_BYTES + len(self.spans) + len(self.logs)

    @property
    def request_id(self) -> bytes:
        """What the request is recorded under: the trace id; for a later request of it, one made of it and its root."""
        if not self.again:
            return self.trace_id
        root = next((span.span_id for span in self.spans.values() if not span.parent_span_id), b"")
        return blake2b(self.trace_id + root, digest_size=16, person=b"llmq request").digest()

    def own_keys(self) -> bytes:
        """The concatenated keys of its spans and log records, and marks of the parents it was closed without."""
        return b"".join((*self.spans, *self.logs, *map(awaited, self.missing)))

    def keys(self) -> bytes:
        """The concatenated keys of all spans and log records, including those recorded before."""
        return self.before + self.own_keys()

    def take(self, span: Span) -> bool:
        """Note what a new span tells of completeness; returns whether it was a parent that was waited for."""
        parent = span.parent_span_id
        if not parent:
            self.roots += 1
        elif parent not in self.spans and parent not in self.missing and parent not in self.known:
            if span.has_remote_parent or span.kind in (SERVER, CONSUMER):
                self.lacks_remote = True
            else:
                if not self.missing:
                    self.missing = set()
                self.missing.add(parent)
                self.app = app_of(span)
        if span.span_id in self.missing:
            self.missing.discard(span.span_id)
            return True
        return False


class Assembler:
    """All open traces, bounded in number and bytes. Not thread-safe: used on the event loop only."""

    def __init__(self, limits: AssemblyLimits, recorded: Recorded) -> None:
        self.limits = limits
        self.bytes = 0
        self._recorded = recorded
        self._open: dict[bytes, OpenTrace] = {}
        self._patience = Patience()
        self._waiting: OrderedDict[bytes, OpenTrace] = OrderedDict()
        """Those that lack a parent, the one longest without news first."""
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
            spans, logs = without_late(
                spans, logs, recorded, added, self.limits.max_spans_per_trace, self._patience.came
            )
        touched: dict[bytes, OpenTrace] = {}
        self._add_spans(spans, touched, recorded, now, added)
        self._add_logs(logs, touched, recorded, now, added)
        added.kept = bool(touched)
        if touched:
            self._references[seq] += len(touched)
            fresh: defaultdict[float, list[OpenTrace]] = defaultdict(list)
            for trace in reversed(touched.values()):
                trace.seqs.append(seq)
                if self._schedule(trace, now):
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
                if trace.take(span) and now - trace.touched_at >= _PROBE:
                    self._patience.came(trace.app)
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
        trace = OpenTrace(trace_id, now)
        if before is not None:
            trace.before, trace.known, trace.again = b"".join(before.keys), before, not before.ignored
        self._open[trace_id] = touched[trace_id] = trace
        self.bytes += trace.size
        return trace

    def _has_room(self, trace: OpenTrace, signal: str, added: Added) -> bool:
        if trace.parts < self.limits.max_spans_per_trace:
            return True
        added.dropped[signal, FULL] += 1
        return False

    def _schedule(self, trace: OpenTrace, now: float) -> bool:
        """Set when it is due; returns whether nobody looks at it then yet."""
        before, was = trace.due_at, trace.reason
        trace.touched_at = now
        limits = self.limits
        if trace.missing and not trace.roots and self._patience.waits(trace.app):
            trace.reason, trace.due_at = "incomplete", now + min(_PROBE, max(limits.incomplete, limits.idle))
            self._waiting[trace.trace_id] = trace
            self._waiting.move_to_end(trace.trace_id)
        else:
            self._waiting.pop(trace.trace_id, None)
            if trace.roots and not (trace.missing or trace.lacks_remote):
                if was != "root":
                    trace.reason, trace.due_at = "root", now + limits.grace
            else:
                trace.reason, trace.due_at = "idle", now + limits.idle
        if trace.due_at > (oldest := trace.opened_at + limits.max_age):
            trace.due_at, trace.reason = oldest, "age" if trace.reason != "root" else "root"
        return not before or trace.due_at < before

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
                if self._is_full(_SHARE_WAITING) and self._waiting:
                    trace = next(iter(self._waiting.values()))
                    trace.reason = "pressure"
                    yield self._close(trace)
                    continue
                if not self._is_full(1):
                    return
                trace.reason = "pressure"
            traces.pop()
            if is_open and (trace.due_at > at or self._waits_on(trace, now)):
                heapq.heappush(self._due, (trace.due_at, next(self._tie), [trace]))
            elif is_open:
                yield self._close(trace)

    def _is_full(self, share: float) -> bool:
        limits = self.limits
        return len(self._open) > share * limits.max_traces or self.bytes > share * limits.max_bytes

    def _waits_on(self, trace: OpenTrace, now: float) -> bool:
        """Let a trace that lacks a parent wait longer, unless that was in vain for others; returns whether it waits."""
        until = min(trace.touched_at + self.limits.incomplete, trace.opened_at + self.limits.max_age)
        if trace.reason != "incomplete" or trace.due_at >= until:
            return False
        self._patience.in_vain(trace.app)
        if not self._patience.waits(trace.app):
            return False
        trace.due_at = max(until, now)
        return True

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
        self._waiting.pop(trace.trace_id, None)
        self.bytes -= trace.size
        return trace

    def hold(self, seq: int) -> None:
        """Keep a journal entry until ``let_go``, because its spans are added in several steps."""
        self._references[seq] += 1

    def let_go(self, seq: int) -> bool:
        """Undo ``hold``; returns whether no open trace needs the entry either."""
        self._references[seq] -= 1
        if self._references[seq]:
            return False
        del self._references[seq]
        return True

    def release(self, traces: Sequence[OpenTrace]) -> list[int]:
        """The journal entries that can be removed once these closed traces are recorded."""
        done = []
        for seq, needed in Counter(seq for trace in traces for seq in trace.seqs).items():
            self._references[seq] -= needed
            if not self._references[seq]:
                del self._references[seq]
                done.append(seq)
        return done


def several(due: Iterator[OpenTrace]) -> list[OpenTrace]:
    """The next due traces, as many as are processed as one batch."""
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


def _same(before: Span, span: Span) -> bool:
    """Whether a retried span says what the first one said, as far as is cheap to see."""
    return (
        before.name == span.name and before.start == span.start and before.end == span.end and before.size == span.size
    )
