"""Recovers an earlier run: its totals, its journal, and what it was processing when it ended.

What was being processed (``store/in_work.py``) may crash this process, too. So it is first tried in a forked copy of
the process (``runtime/isolation.py``), through the same pipeline up to a commit into a scratch store. If the copy
survives, the trace was not the cause: it is processed here, before anything else. What crashes the copy twice is set
aside: kept in the quarantine, counted, and its traces recorded as failures of every evaluator. Where the process dies
with its copy, as on some machines that run out of memory, the next start continues from the attempt that was noted.
"""

import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ..decode import decode, decompress
from ..decode.batch import Batch, DecodeError, TooLarge
from ..decode.to_json import encode
from ..ingest.assembly import OpenTrace
from ..metrics.registry import Metrics
from ..model.score import Stage
from ..model.trace import LogRecord, Span, Trace
from ..records.requests import Entry
from ..runtime.isolation import survives
from ..store.errors import StoreError
from ..store.in_work import STAGES, key_of
from ..store.opening import open_store
from ..store.port import Store
from ..store.quarantine import Quarantine
from .pipeline import Pipeline

_AHEAD: Final = 60.0
TRIES: Final = 2
"""How often what was worked on when the process ended may end a copy of it."""
_COMMITS: Final = 64
"""Into how many transactions the results of suspects go, so that a commit that ends the process says of whom."""
_OF_ENTRIES: Final = ("decode", "assemble", "late", "commit")

_log = logging.getLogger(__name__)


class _Suspect(Struct):
    """A journal entry or a trace that is being tried: its key, and the stage in which it was."""

    key: bytes
    work: Callable[[], None]


class Recovery:
    """The recovery at one start. ``quarantine`` keeps what is set aside."""

    def __init__(self, pipeline: Pipeline, store: Store, metrics: Metrics, quarantine: Quarantine) -> None:
        self._pipeline = pipeline
        self._store = store
        self._metrics = metrics
        self._quarantine = quarantine
        self._in_work = store.in_work
        self._counted = pipeline.recorder.seq
        self._stages = {key: mark.stage for mark in store.in_work.left for key in mark.keys}
        self._tries = store.in_work.tries

    async def run(self) -> int:
        """Recover everything and start writing; returns how many requests had not been scored. Raises StoreError."""
        await self._restore()
        entries = self._take_up_journal()
        innocent = self._try_traces()
        if unreadable := self._in_work.unreadable:
            self._pipeline.recorder.tally.quarantined("read", unreadable)
        await self._pipeline.writer.start()
        await self._finish(innocent)
        return entries

    async def _restore(self) -> None:
        self._metrics.restore(await self._store.reads.totals())
        self._pipeline.elsewhere.restore(self._metrics.evaluated_slices())

    # The journal.

    def _take_up_journal(self) -> int:
        guilty = self._guilty_entries()
        entries = 0
        for seq, entry in self._store.entries():
            entries += 1
            if (stage := guilty.get(key_of(seq))) is not None:
                self._set_entry_aside(seq, entry, stage)
                continue
            self._in_work.on_trial(self._tries + 1 if key_of(seq) in self._stages else 0)
            # Where the clock was far ahead then, its traces would be open until it gets there.
            self._take_up(seq, replace(entry, received_at=min(entry.received_at, self._metrics.now() + _AHEAD)))
        return entries

    def _guilty_entries(self) -> dict[bytes, Stage]:
        keys = {key for key, stage in self._stages.items() if stage in _OF_ENTRIES}
        suspects = [
            _Suspect(key_of(seq), partial(self._take_up, seq, entry))
            for seq, entry in (self._store.entries() if keys else ())
            if key_of(seq) in keys
        ]
        return self._guilty(suspects)

    def _take_up(self, seq: int, entry: Entry) -> None:
        if entry.signal in self._pipeline.hooks.desks:
            self._take(seq, entry)
        else:
            batch = self._decoded(seq, entry)
            self._pipeline.assemble(seq, entry, batch, counted=seq <= self._counted)

    def _take(self, seq: int, entry: Entry) -> None:
        try:
            with self._in_work.on("decode", (key_of(seq),)):
                asked = self._pipeline.hooks.desks[entry.signal].read(entry)
            self._pipeline.take_up(seq, entry, asked)
        except (DecodeError, TooLarge) as error:
            _not_understood(entry, error)
            self._pipeline.done(seq)

    def _decoded(self, seq: int, entry: Entry) -> Batch:
        """A stricter limit of today must not lose what was acknowledged yesterday: then nothing of it can be scored."""
        limits = self._pipeline.settings.decode
        try:
            with self._in_work.on("decode", (key_of(seq),)):
                body = decompress(entry.encoding, entry.body, limits.decompressed_bytes)
                return decode(entry.signal, entry.media_type, body, limits, entry.received_at)  # type: ignore[arg-type]
        except (DecodeError, TooLarge) as error:
            _not_understood(entry, error)
            return Batch(rejected={"journal": 1})

    # Traces.

    def _try_traces(self) -> list[OpenTrace]:
        """Set aside the traces that crash; returns the others, which were complete when the process ended."""
        closed = self._pipeline.assembler.take(self._stages)
        guilty = self._guilty([_Suspect(one.trace_id, partial(self._pipeline.score_closed, [one])) for one in closed])
        for parts in closed:
            if parts.trace_id in guilty:
                self._set_trace_aside(parts, guilty[parts.trace_id])
        return [parts for parts in closed if parts.trace_id not in guilty]

    async def _finish(self, innocent: Sequence[OpenTrace]) -> None:
        """Score the traces that do not crash, and commit a few at a time."""
        at_once = max(1, len(innocent) // _COMMITS)
        self._in_work.on_trial(self._tries + 1 if self._stages else 0)
        for some in [innocent[at : at + at_once] for at in range(0, len(innocent), at_once)] or [()]:
            with self._pipeline.settings.panel.armed():
                for parts in some:
                    self._pipeline.score_closed([parts])
            if self._stages:
                with suppress(StoreError):  # is tried again, as all that is to be recorded
                    await self._pipeline.recorder.flush()
        self._in_work.on_trial(0)

    # Trials.

    def _guilty(self, suspects: Sequence[_Suspect]) -> dict[bytes, Stage]:
        """The suspects that crash a copy of this process in each of a few attempts, and the stage of the crash."""
        if len(suspects) == 1 and self._tries >= TRIES:
            return {suspects[0].key: self._stages[suspects[0].key]}
        guilty: dict[bytes, Stage] = {}
        tries = Counter({one.key: min(self._tries, TRIES - 1) for one in suspects})
        waiting = list(suspects)
        with tempfile.TemporaryDirectory(prefix="llmq-trial-") as scratch:
            while waiting:
                self._in_work.clear()
                self._in_work.committed()
                self._in_work.on_trial(tries[waiting[0].key] + 1)
                if survives(partial(self._try_all, waiting, Path(scratch)), self._in_work.progress):
                    break
                died_at = self._died_at(waiting)
                if died_at is None:
                    _log.error("a trial ended outside of any trace: none is set aside")
                    break
                place, stage = died_at
                key = waiting[place].key
                tries[key] += 1
                if tries[key] >= TRIES:
                    guilty[key] = stage
                waiting = waiting[place + (key in guilty) :]
        self._in_work.clear()
        self._in_work.committed()
        return guilty

    def _try_all(self, suspects: Sequence[_Suspect], folder: Path) -> None:
        """In a copy of this process: try one after the other, so that the marks name the one that crashes it."""
        scratch = open_store(f"sqlite:///{tempfile.mkdtemp(dir=folder)}/llmq.db")
        recorder = self._pipeline.recorder
        recorder.rehearse(scratch, ())
        with self._pipeline.settings.panel.armed():
            for one in suspects:
                one.work()
                recorder.rehearse(scratch, (one.key,))

    def _died_at(self, suspects: Sequence[_Suspect]) -> tuple[int, Stage] | None:
        """Which suspect was being processed when a copy crashed, and in which stage."""
        marked = {key: mark.stage for mark in self._in_work.now() for key in mark.keys}
        return next(((place, marked[one.key]) for place, one in enumerate(suspects) if one.key in marked), None)

    # What is set aside.

    def _set_entry_aside(self, seq: int, entry: Entry, stage: Stage) -> None:
        """Count what can be counted of a request without doing again what ended the process."""
        pipeline = self._pipeline
        self._tell(stage, self._quarantine.keep_request(entry))
        if stage in ("decode", "assemble"):
            self._in_work.condemn(entry.body)
        if stage == "decode" or entry.signal in pipeline.hooks.desks:
            pipeline.done(seq)
            return
        batch, counted = self._decoded(seq, entry), seq <= self._counted
        if stage != "assemble":
            pipeline.assemble(seq, entry, batch, counted=counted, with_late=False)
            return
        pipeline.done(seq)
        traces = self._gathered(batch, entry)
        if not counted:
            tally = pipeline.recorder.tally
            tally.received(entry.signal, len(batch.spans), len(batch.logs), batch.rejected, batch.anomalies)
            tally.traces_opened(len(traces))
        for parts in traces:
            self._count_as_failed(parts, Trace(parts.trace_id.hex()))

    def _gathered(self, batch: Batch, entry: Entry) -> list[OpenTrace]:
        """The traces of a request that are not recorded yet, gathered in the plainest way."""
        every: list[Span | LogRecord] = [*batch.spans, *batch.logs]
        ids = list(dict.fromkeys(part.trace_id for part in every))
        known = self._pipeline.recorder.keys(ids)
        found = {trace_id: OpenTrace(trace_id, entry.received_at) for trace_id in ids if trace_id not in known}
        found |= {parts.trace_id: parts for parts in self._pipeline.assembler.take(found)}
        for part in every:
            if (parts := found.get(part.trace_id)) is None:
                continue
            if isinstance(part, Span):
                parts.spans.setdefault(part.span_id, part)
            else:
                parts.logs.setdefault(part.key, part)
        return list(found.values())

    def _set_trace_aside(self, parts: OpenTrace, stage: Stage) -> None:
        """Count a trace as failed; its labels are read where reading them was done with when it ended the process."""
        self._tell(stage, self._kept(parts))
        trace: Trace | None = Trace(parts.trace_id.hex())
        if STAGES.index(stage) > STAGES.index("normalise"):
            trace = self._pipeline.read(parts)
        self._count_as_failed(parts, trace and _without_text(trace), row=stage != "commit")

    def _count_as_failed(self, parts: OpenTrace, trace: Trace | None, *, row: bool = True) -> None:
        """Record a trace of which nothing is looked at any more; unless ``row``, only count it.

        ``trace`` holds no text; None where there was no request in it.
        """
        pipeline = self._pipeline
        bare = OpenTrace(parts.trace_id, parts.opened_at, parts.keys(), seqs=parts.seqs, reason=parts.reason)
        bare.again = parts.again
        pipeline.record([bare], [trace], [None if trace is None else pipeline.settings.panel.crashed()])
        if not row:
            pipeline.recorder.traces.take_back(parts.trace_id)

    def _kept(self, parts: OpenTrace) -> Path | None:
        """Write the parts of a trace as requests that ``llmq replay`` reads; in a copy, as it may end that, too."""
        name = parts.trace_id.hex()
        files = [(f"{name}.json", parts.spans.values(), ()), (f"{name}.logs.json", (), parts.logs.values())]

        def write() -> None:
            for file, spans, logs in files:
                if spans or logs:
                    self._quarantine.keep(file, encode(spans, logs))

        survives(write, lambda: None)
        return next((path for file, *_ in files if (path := self._quarantine.folder / file).exists()), None)

    def _tell(self, stage: Stage, kept: Path | None) -> None:
        self._pipeline.recorder.tally.quarantined(stage)
        _log.error("set aside, for it ended llmq each time: stage=%s kept=%s", stage, kept or "no: the disk is full?")


def _without_text(trace: Trace) -> Trace:
    """The trace with nothing in it that an evaluator, a pattern or a judge could stumble over."""
    nothing = Trace(trace.trace_id)
    kept = ("app", "route", "model_version", "prompt_version", "conversation_id", "user", "started_at")
    return replace(nothing, **{name: getattr(trace, name) for name in kept})


def _not_understood(entry: Entry, error: Exception) -> None:
    _log.error("journal entry not understood: signal=%s reason=%s", entry.signal, error)
