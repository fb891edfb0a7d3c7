"""Closed traces are normalised, evaluated and recorded in batches, yielding to the event loop."""

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, Future
from math import inf
from time import perf_counter
from typing import Final

from ..evaluators.panel import Panel
from ..ingest.assembly import OpenTrace
from ..ingest.split import Reading, Requests
from ..model.score import Outcome, Stage
from ..model.trace import Trace
from ..store.in_work import InWork

_RECORDED_BYTES: Final = 64 << 10
"""Of traces that are recorded without a pause: what it takes grows with their text."""

Read = Callable[[OpenTrace], Reading]
Record = Callable[[Sequence[OpenTrace], Sequence[Trace | None], Sequence[Outcome | None]], None]


class Round:
    """A batch of traces that take each step together; ``scoring`` holds their ids while further spans may arrive.

    ``waiting`` is set while plugins run, in a thread of ``executor``: until then there is nothing to do here.
    """

    def __init__(
        self,
        some: Sequence[OpenTrace],
        panel: Panel,
        in_work: InWork,
        scoring: set[bytes],
        executor: Executor,
        *,
        read: Read,
        record: Record,
    ) -> None:
        self.waiting: Future[None] | None = None
        self._some, self._panel, self._in_work, self._scoring = some, panel, in_work, scoring
        self._ids = [parts.trace_id for parts in some]
        self._executor, self._read, self._record = executor, read, record
        self._stage: Stage = "normalise"
        self._until = inf
        self._steps = self._taken()

    def go_on(self, until: float = inf) -> bool:
        """Work until a deadline (``perf_counter`` seconds), or until plugins run; returns whether all is done."""
        self._until = until
        self._scoring.update(self._ids)
        self._in_work.mark(self._stage, self._ids)
        is_done = True
        try:
            with self._panel.armed():
                for _ in self._steps:
                    is_done = False
                    break
        finally:
            self._in_work.clear()
            if is_done:
                self._scoring.difference_update(self._ids)
        return is_done

    def finish(self) -> None:
        """Do all remaining steps, waiting for plugins where needed."""
        while not self.go_on():
            if self.waiting is not None:
                self.waiting.result()

    def give_up(self) -> None:
        """Leave unrecorded traces to the next start."""
        self._steps.close()
        self._scoring.difference_update(self._ids)

    def _mark(self, stage: Stage) -> None:
        self._stage = stage
        self._in_work.mark(stage, self._ids)

    def _taken(self) -> Generator[None, None, None]:
        found: Requests = []
        for parts in self._some:
            found += yield from self._in_slices(self._read(parts))
        some, traces = [parts for parts, _ in found], [trace for _, trace in found]
        self._mark("evaluate")
        session = self._panel.session([trace for trace in traces if trace is not None])
        session.until = self._until
        for _ in session.here():
            yield
            session.until = self._until
        if session.asks_elsewhere:
            self.waiting = self._executor.submit(session.elsewhere)
            while not self.waiting.done():
                yield
            self.waiting.result()
            self.waiting = None
        said = iter(session.outcomes())
        outcomes = [None if trace is None else next(said) for trace in traces]
        self._mark("record")
        for few in _few(some):
            self._record(some[few], traces[few], outcomes[few])
            if perf_counter() > self._until:
                yield

    def _in_slices(self, reading: Reading) -> Reading:
        """Pause only when it is time."""
        while True:
            try:
                next(reading)
            except StopIteration as end:
                if perf_counter() > self._until:
                    yield
                requests: Requests = end.value
                return requests
            if perf_counter() > self._until:
                yield


def _few(some: Sequence[OpenTrace]) -> Iterator[slice]:
    """The places of the next traces that together are not large."""
    start = size = 0
    for place, parts in enumerate(some):
        size += parts.size
        if size > _RECORDED_BYTES and place > start:
            yield slice(start, place)
            start, size = place, parts.size
    yield slice(start, len(some))
