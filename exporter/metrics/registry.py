"""All metrics of one exporter: durable totals, gauges, and their exposition.

Two kinds of numbers: those in the ledger (every counter and histogram), which change when a ``Tally`` is applied, and
gauges of the moment, which are read when they are scraped.
"""

import time
from collections.abc import Callable, Collection, Iterable

from msgspec.structs import replace
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector

from ..native import KERNELS
from . import families as f
from . import own
from .births import Births
from .catalogue import CATALOGUE
from .events import Tally
from .exposition import Exposition, Snapshot, negotiate
from .gauges import Gauges, Watched
from .labels import Limiter, Slice
from .ledger import Deltas, Ledger, Row
from .projection import of_any
from .series import Family
from .slices import Slices


class Metrics:
    """All metrics of one exporter: durable totals, gauges, and their exposition.

    ``evaluators`` (names) and ``pass_marks`` (bounds of the score histogram) come from the config; ``births`` says how
    long new series are shown at 0, ``limiter`` which slices are shown (without one: all); ``now`` gives Unix seconds.
    """

    def __init__(
        self,
        *,
        version: str,
        evaluators: Iterable[str] = (),
        pass_marks: Iterable[float] = (),
        births: Births | None = None,
        limiter: Limiter | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.now = now
        self._limiter = limiter
        self._slices = Slices()
        self.births = Births() if births is None else births
        self.ledger = Ledger(CATALOGUE, self.births)
        self._gauges = Gauges()
        process = CollectorRegistry()
        ProcessCollector(registry=process)
        PlatformCollector(registry=process)
        self._exposition = Exposition(process, CATALOGUE)
        self._begin()
        self._gauges.set(own.BUILD_INFO, (version, KERNELS), 1)
        self.configure(evaluators, pass_marks)

    def configure(self, evaluators: Iterable[str], pass_marks: Iterable[float]) -> None:
        """Take the evaluators and pass marks of a new config; scores so far are fitted to the new bounds."""
        bounds = tuple(sorted({*f.SCORE.bounds, *(mark for mark in pass_marks if 0.0 < mark < 1.0)}))
        if bounds != self._slices.score.bounds:
            score = replace(f.SCORE, bounds=bounds)
            self._slices.declare(score)
            self.ledger.refit(score)
        for evaluator in evaluators:
            self.ledger.born(f.EVALUATION_FAILURES, (evaluator, "exception"))

    def tally(self) -> Tally:
        """Return an empty tally, dated now."""
        return Tally(self._slices, self._current, self.now)

    def stage(self, tally: Deltas) -> list[Row]:
        """Return the rows (family, labels JSON, value JSON) that ``apply`` of a tally makes true; changes nothing."""
        return self.ledger.stage(tally)

    def apply(self, tally: Deltas) -> None:
        """Show what a tally adds; to be called once its rows are durable."""
        self.ledger.apply(tally)

    def restore(self, rows: Iterable[Row]) -> None:
        """Take the totals of an earlier run, and which slices are shown.

        What does not fit the metrics of now is logged and left in the store.
        """
        self.ledger.restore(rows)
        if self._limiter is not None:
            used = self.ledger.last_updated(Slice._fields)
            self._limiter.restore({Slice(*labels): at for labels, at in used.items()})

    def expired(self, before: float, keep: Deltas | None = None) -> list[tuple[str, str]]:
        """Return the keys of what nothing happened to since ``before`` (Unix seconds); ``keep``'s series stay."""
        return self.ledger.expired(before, keep)

    def forgotten(self, keep: Deltas) -> list[tuple[str, str]]:
        """Return the keys of what belongs to slices that had to go, as too many are parked; ``keep``'s series stay."""
        gone = self._limiter.slices.take_forgotten() if self._limiter is not None else ()
        if self._limiter is None or not gone:
            return []
        slices = self._limiter.slices
        goes, stays = of_any(gone), of_any({*slices.shown, *slices.parked})
        return self.ledger.keys_of(lambda series: goes(series) and not stays(series), keep)

    def drop(self, keys: Collection[tuple[str, str]]) -> None:
        """Forget expired series; to be called once they are gone from the store."""
        self.ledger.drop(keys)

    def evaluated_slices(self) -> dict[tuple[str, ...], float]:
        """Return each evaluator, version and slice with verdicts, and when the last one was counted."""
        return self.ledger.last_updated(("evaluator", "evaluator_version", *f.SLICE))

    def snapshot(self, *, held: bool = False) -> Snapshot:
        """Return all values, new series at 0 if ``held``, for ``render``; cheap, and for the event loop's thread."""
        slices = None if self._limiter is None else frozenset(self._limiter.slices.shown)
        return Snapshot(self.ledger.held() if held else self.ledger.totals(), self._gauges.values(), slices)

    def render(self, snapshot: Snapshot, content_type: str) -> list[bytes]:
        """Return the document of a snapshot in parts; takes long, and may run in another thread, one at a time."""
        return self._exposition.render(snapshot, content_type)

    def expose(self, accept: str = "") -> tuple[bytes, str]:
        """Return what /metrics answers to an Accept header, and its content type."""
        content_type = negotiate(accept)
        return b"".join(self.render(self.snapshot(), content_type)), content_type

    def watch(self, owner: str, gauges: Iterable[Watched]) -> None:
        """Let every scrape read gauges from functions, in the place of those that the owner had before."""
        self._gauges.watch(owner, gauges)

    def measured(self, gauge: Family, labels: tuple[str, ...], value: float | None) -> None:
        """Show a gauge of the moment; None takes the series away, because nobody can tell its value."""
        if value is None:
            self._gauges.remove(gauge, labels)
        else:
            self._gauges.set(gauge, labels, value)

    def gone(self, gauge: Family, labels: tuple[str, ...]) -> None:
        """Take away every series of a gauge whose first labels are these."""
        self._gauges.remove_all(gauge, labels)

    def answered(self, signal: str, code: int, protocol: str = "http") -> None:
        """Count the answer to a request at once, because a refused one never reaches the store."""
        self._at_once(own.RESPONSES, (signal, str(code), protocol))

    def connection_closed(self, reason: str) -> None:
        """Count a connection that we ended, at once."""
        self._at_once(own.CONNECTIONS_CLOSED, (reason,))

    def store_failed(self, reason: str) -> None:
        """Count a transaction that the store refused, at once."""
        self._at_once(own.STORE_ERRORS, (reason,))

    def clock_jumped(self, direction: str) -> None:
        """Count a jump of the machine's clock, at once."""
        self._at_once(own.CLOCK_JUMPS, (direction,))

    def committed(self, seconds: float) -> None:
        """Note how long a transaction took."""
        deltas = Deltas(self.now())
        deltas.observe(own.COMMIT_DURATION, (), seconds)
        self.ledger.apply(deltas)

    def config_loaded(self, succeeded: bool) -> None:
        """Note the outcome of loading the config, at the start or at a reload."""
        self._gauges.set(own.CONFIG_RELOAD_SUCCESSFUL, (), float(succeeded))
        if succeeded:
            self._gauges.set(own.CONFIG_RELOAD_TIME, (), self.now())

    def _current(self, where: Slice) -> Slice:
        return where if self._limiter is None else self._limiter.current(where)

    def _begin(self) -> None:
        for family in CATALOGUE:
            if not family.durable and family.type == "gauge" and not family.labels:
                self._gauges.set(family, (), 0.0)
            if family.type != "gauge" and set(family.labels) == set(family.siblings):
                self.ledger.born(family, tuple(values[0] for values in family.siblings.values()))

    def _at_once(self, family: Family, labels: tuple[str, ...]) -> None:
        deltas = Deltas(self.now())
        deltas.inc(family, labels)
        self.ledger.apply(deltas)
