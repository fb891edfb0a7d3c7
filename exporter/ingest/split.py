"""Splits the spans of one trace id into requests: one, or several that followed each other."""

from collections.abc import Callable, Generator
from itertools import pairwise
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ..model.trace import LogRecord, Span, Trace
from .assembly import OpenTrace

MOST_REQUESTS: Final = 200
"""Requests that are taken out of one trace."""
Read = Callable[[OpenTrace], Trace | None]
Requests = list[tuple[OpenTrace, Trace | None]]
Reading = Generator[None, None, Requests]
"""Pauses after each request, and returns all of them."""


def requests(parts: OpenTrace, read: Read) -> Requests:
    """Return each request's parts with what was read of them; the parts as they are where they are one request."""
    steps = reading(parts, read)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Requests = end.value
            return found


def reading(parts: OpenTrace, read: Read) -> Reading:
    """Return what ``requests`` does, with pauses.

    A generator that gives a whole session one trace id makes requests that follow each other, each with a root of its
    own that ended before the next one began. They are taken apart where each of them is a request by itself, and where
    they are few enough to be scored together.
    """
    if 1 < parts.roots <= MOST_REQUESTS and len(apart := _apart(parts)) > 1:
        found: Requests = []
        for one in apart:
            found.append((one, read(one)))
            yield
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
    apart = [_Part() for _ in roots]
    for span in found:
        apart[of[span.span_id]].spans[span.span_id] = span
    for log in logs:
        apart[of[log.span_id]].logs[log.key] = log
    return [_request(parts, number, one, last=number == len(roots) - 1) for number, one in enumerate(apart)]


class _Part(Struct):
    spans: dict[bytes, Span] = {}
    logs: dict[bytes, LogRecord] = {}


def _request(parts: OpenTrace, number: int, part: _Part, *, last: bool) -> OpenTrace:
    """One of the requests; the journal entries of all are needed until the last one is recorded."""
    return replace(
        parts,
        spans=part.spans,
        logs=part.logs,
        roots=1,
        again=parts.again or number > 0,
        seqs=parts.seqs if last else [],
    )
