"""The requests that the parts of a trace tell of: one, or several that followed each other under one trace id."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from msgspec.structs import replace

from .assembly import OpenTrace
from .trace import LogRecord, Span, Trace

Read = Callable[[OpenTrace], Trace | None]


def requests(parts: OpenTrace, read: Read) -> list[tuple[OpenTrace, Trace | None]]:
    """Return each request's parts with what was read of them; the parts as they are where they are one request.

    A generator that gives a whole session one trace id makes requests that follow each other, each with a root of its
    own that ended before the next one began. They are taken apart where each of them is a request by itself.
    """
    if parts.roots > 1 and len(apart := _apart(parts)) > 1:
        found = [(one, read(one)) for one in apart]
        if all(trace is not None for _, trace in found):
            return found
    return [(parts, read(parts))]


def _apart(parts: OpenTrace) -> list[OpenTrace]:
    """Take the parts apart by root; a single one where roots overlap or a part is below none of them."""
    roots = sorted((span for span in parts.spans.values() if not span.parent_span_id), key=lambda span: span.start)
    if any(later.start < earlier.end for earlier, later in pairwise(roots)):
        return [parts]
    of = {root.span_id: number for number, root in enumerate(roots)}
    below: dict[bytes, list[Span]] = {}
    for span in parts.spans.values():
        below.setdefault(span.parent_span_id, []).append(span)
    found = list(roots)
    for span in found:
        for child in below.get(span.span_id, ()):
            of[child.span_id] = of[span.span_id]
            found.append(child)
    logs = list(parts.logs.values())
    if len(found) < len(parts.spans) or any(log.span_id not in of for log in logs):
        return [parts]
    return [_part(parts, number, found, logs, of) for number in range(len(roots))]


def _part(
    parts: OpenTrace, number: int, spans: Sequence[Span], logs: Sequence[LogRecord], of: dict[bytes, int]
) -> OpenTrace:
    return replace(
        parts,
        spans={span.span_id: span for span in spans if of[span.span_id] == number},
        logs={log.key: log for log in logs if of[log.span_id] == number},
        roots=1,
        again=parts.again or number > 0,
        seqs=[] if number else parts.seqs,
    )
