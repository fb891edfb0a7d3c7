"""Gathers the spans and log records of one trace, which arrive in several requests.

Pure: the clock and what was recorded before are passed in. A trace is due when its root has ended and a grace has
passed, when nothing more came for a while, when it is too old, or when open traces take more room than they may (then
the one that would be due first is closed early: it is the most complete).
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Literal

from msgspec import Struct, field

from .trace import LogRecord, Span

Reason = Literal["root", "idle", "age", "pressure", "shutdown"]
KEY_BYTES = 8
AT_ONCE, AT_ONCE_BYTES = 16, 1 << 20
"""Traces that take a step together: the processor goes through one step's code many times faster than through all."""

Recorded = Callable[[Sequence[bytes]], Mapping[bytes, "RecordedKeys"]]


class RecordedKeys(Struct, frozen=True):
    """What is known of a trace that was recorded: the keys of its parts, and whether an LLM request was found in it."""

    keys: bytes
    ignored: bool = False

    def __contains__(self, key: bytes) -> bool:
        """Whether a part with this key was recorded; keys lie side by side, so a hit must be aligned."""
        at = self.keys.find(key)
        while at >= 0 and at % KEY_BYTES:
            at = self.keys.find(key, at + 1)
        return at >= 0


class Limits(Struct, frozen=True, kw_only=True):
    """When a trace is complete, and how much may be open at once. Times in seconds."""

    grace: float = 2.0
    idle: float = 10.0
    max_age: float = 300.0
    max_traces: int = 100_000
    max_bytes: int = 64 << 20
    max_spans_per_trace: int = 10_000


class OpenTrace:
    """A trace that is still being gathered: its parts by key, and the journal entries that they came in."""

    __slots__ = ("before", "due_at", "logs", "opened_at", "reason", "seqs", "size", "spans", "trace_id")

    def __init__(self, trace_id: bytes, now: float, before: bytes = b"") -> None:
        self.trace_id = trace_id
        self.before = before
        self.spans: dict[bytes, Span] = {}
        self.logs: dict[bytes, LogRecord] = {}
        self.seqs: list[int] = []
        self.opened_at = now
        self.due_at = 0.0
        self.reason: Reason = "idle"
        self.size = 0

    def keys(self) -> bytes:
        """The keys of all parts, side by side, also of those recorded before the trace opened again."""
        return b"".join((self.before, *self.spans, *self.logs))


class Late(Struct):
    """Parts of a trace that came after it was recorded."""

    trace_id: bytes
    spans: list[Span]
    logs: list[LogRecord]


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
        self._due: list[tuple[float, int, OpenTrace]] = []
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
        parts: dict[bytes, Late] = {}
        for span in spans:
            _of(parts, span.trace_id).spans.append(span)
        for log in logs:
            _of(parts, log.trace_id).logs.append(log)
        recorded = self._recorded([trace_id for trace_id in parts if trace_id not in self._open])
        added = Added()
        for trace_id, part in parts.items():
            if (before := recorded.get(trace_id)) is not None:
                self._take_again(seq, _without_known(part, before, added), before, now, added)
            else:
                self._take(seq, part, now, added)
        return added

    def _take_again(self, seq: int, part: Late, before: RecordedKeys, now: float, added: Added) -> None:
        """A trace in which no LLM request was found opens again; what comes after a verdict is late."""
        if not part.spans and not part.logs:
            return
        if before.ignored:
            self._take(seq, part, now, added, before.keys)
        else:
            added.late.append(part)

    def _take(self, seq: int, part: Late, now: float, added: Added, before: bytes = b"") -> None:
        trace = self._open.get(part.trace_id)
        if trace is None:
            trace = self._open[part.trace_id] = OpenTrace(part.trace_id, now, before)
        size = trace.size
        taken = [self._put(trace, "traces", trace.spans, span.span_id, span, added) for span in part.spans]
        taken += [self._put(trace, "logs", trace.logs, log.key, log, added) for log in part.logs]
        if not any(taken) and trace.seqs:
            return
        self.bytes += trace.size - size
        if not trace.seqs or trace.seqs[-1] != seq:
            trace.seqs.append(seq)
            self._references[seq] += 1
        added.kept = True
        self._schedule(trace, any(not span.parent_span_id for span in part.spans), now)

    def _put(
        self,
        trace: OpenTrace,
        signal: str,
        into: dict[bytes, Span] | dict[bytes, LogRecord],
        key: bytes,
        part: Span | LogRecord,
        added: Added,
    ) -> bool:
        if (before := into.get(key)) is not None:
            same = isinstance(part, LogRecord) or _same(before, part)
            added.duplicates[signal, "same" if same else "conflicting"] += 1
            return False
        if len(trace.spans) + len(trace.logs) >= self.limits.max_spans_per_trace:
            added.dropped[signal, "trace_full"] += 1
            return False
        into[key] = part  # type: ignore[assignment]
        trace.size += part.size
        if signal == "traces":
            added.spans += 1
        else:
            added.logs += 1
        return True

    def _schedule(self, trace: OpenTrace, root_ended: bool, now: float) -> None:
        new = not trace.due_at
        if root_ended and trace.reason != "root":
            trace.reason, trace.due_at = "root", now + self.limits.grace
            new = True
        elif trace.reason != "root":
            trace.due_at = now + self.limits.idle
        if trace.due_at > (oldest := trace.opened_at + self.limits.max_age):
            trace.due_at, trace.reason = oldest, "age" if trace.reason != "root" else "root"
        if new:
            heapq.heappush(self._due, (trace.due_at, next(self._tie), trace))

    def due(self, now: float) -> Iterator[OpenTrace]:
        """Close and yield the traces that are due, the longest due first; the caller may stop at any point."""
        while self._due:
            at, _, trace = self._due[0]
            if self._open.get(trace.trace_id) is not trace:
                heapq.heappop(self._due)
            elif trace.due_at > at:
                heapq.heapreplace(self._due, (trace.due_at, next(self._tie), trace))
            elif at <= now:
                yield self._close(trace)
            elif len(self._open) > self.limits.max_traces or self.bytes > self.limits.max_bytes:
                trace.reason = "pressure"
                yield self._close(trace)
            else:
                return

    def drain(self) -> Iterator[OpenTrace]:
        """Close and yield every trace, as at the end of a replay."""
        for trace in list(self._open.values()):
            trace.reason = "shutdown"
            yield self._close(trace)

    def _close(self, trace: OpenTrace) -> OpenTrace:
        del self._open[trace.trace_id]
        self.bytes -= trace.size
        return trace

    def release(self, trace: OpenTrace) -> list[int]:
        """The journal entries that nobody needs any more once this closed trace is recorded."""
        done = []
        for seq in trace.seqs:
            self._references[seq] -= 1
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


def _of(parts: dict[bytes, Late], trace_id: bytes) -> Late:
    part = parts.get(trace_id)
    if part is None:
        part = parts[trace_id] = Late(trace_id, [], [])
    return part


def _without_known(part: Late, before: RecordedKeys, added: Added) -> Late:
    spans = [span for span in part.spans if span.span_id not in before]
    logs = [log for log in part.logs if log.key not in before]
    if known := len(part.spans) - len(spans):
        added.duplicates["traces", "same"] += known
    if known := len(part.logs) - len(logs):
        added.duplicates["logs", "same"] += known
    return Late(part.trace_id, spans, logs)


def _same(before: Span | LogRecord, span: Span) -> bool:
    """Whether a retried span says what the first one said, as far as is cheap to see."""
    return (
        isinstance(before, Span)
        and before.name == span.name
        and before.start == span.start
        and before.end == span.end
        and before.size == span.size
    )
