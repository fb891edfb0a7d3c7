"""Renders totals in Prometheus's text format and in OpenMetrics. Knows no metric by name."""

import re
from collections.abc import Iterable, Iterator
from itertools import accumulate, islice
from math import isfinite, isnan
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from .ledger import SeriesTotals
from .projection import of_any
from .series import INF, Exemplar, Family, Histogram, Series
from .slice_budget import Slice

TEXT = CONTENT_TYPE_PLAIN_0_0_4
OPENMETRICS = openmetrics.CONTENT_TYPE_LATEST
# An exemplar's labels may have 128 characters; one that has more makes Prometheus refuse the whole scrape.
_TRACE_ID = re.compile("[0-9A-Fa-f]{1,64}")
_SERIES_IN_A_PART = 250


def negotiate(accept: str) -> str:
    """Return the content type that answers an Accept header: OpenMetrics 1.0 where it is wanted most, else text."""
    best, chosen = 0.0, TEXT
    for media_range in accept.split(","):
        name, *parameters = (part.strip().lower() for part in media_range.split(";"))
        given = dict(parameter.partition("=")[::2] for parameter in parameters)
        offered = _offered(name, given.get("version"))
        quality = _quality(given.get("q", "1"))
        if offered is not None and quality > best:
            best, chosen = quality, offered
    return chosen


class Snapshot(NamedTuple):
    """The content of one scrape: durable totals, current gauges, and the slices to include (None: all)."""

    totals: SeriesTotals
    gauges: dict[Series, float]
    slices: frozenset[Slice] | None = None


class Exposition:
    """Renders snapshots and the metrics of a small registry as one document; caches the parts that never change."""

    def __init__(self, registry: CollectorRegistry, families: Iterable[Family]) -> None:
        self._registry = registry
        self._headers = {
            family.name: (_header(family, openmetrics_=False), _header(family, openmetrics_=True))
            for family in families
        }
        self._templates: dict[Series, tuple[tuple[float, ...], str]] = {}

    def render(self, snapshot: Snapshot, content_type: str) -> list[bytes]:
        """Return the document in parts of a few hundred kB at most.

        May run in another thread than the one that counts: no step of it keeps Python's lock for long.
        """
        openmetrics_ = content_type == OPENMETRICS
        parts = list(self._families(snapshot, openmetrics_=openmetrics_))
        if openmetrics_:
            parts.append(openmetrics.generate_latest(self._registry))  # type: ignore[no-untyped-call]
        else:
            parts.append(generate_latest(self._registry))
        self._forget(snapshot.totals)
        return parts

    def _families(self, snapshot: Snapshot, *, openmetrics_: bool) -> Iterator[bytes]:
        """Write one family after the other, each in one place, as both formats want it."""
        members: dict[str, list[Series]] = {name: [] for name in self._headers}
        is_shown = (lambda _series: True) if snapshot.slices is None else of_any(snapshot.slices)
        for held in (snapshot.totals.numbers, snapshot.totals.histograms):
            for series in filter(is_shown, held):
                members[series.family.name].append(series)
        for series in snapshot.gauges:
            members[series.family.name].append(series)
        for name, headers in self._headers.items():
            lines = self._lines(members.pop(name), snapshot, openmetrics_=openmetrics_)
            yield headers[openmetrics_].encode()
            while part := list(islice(lines, _SERIES_IN_A_PART)):
                yield "".join(part).encode()

    def _lines(self, members: Iterable[Series], snapshot: Snapshot, *, openmetrics_: bool) -> Iterator[str]:
        """Write the series of one family: a line each, or the several lines of a histogram."""
        totals, gauges = snapshot.totals, snapshot.gauges
        numbers, histograms, exemplars = totals.numbers, totals.histograms, totals.exemplars
        for series in members:
            if (histogram := histograms.get(series)) is not None:
                yield self._histogram(series, histogram, openmetrics_)
            elif (value := numbers.get(series)) is not None:
                found = exemplars.get(series) if openmetrics_ else None
                yield f"{series} {value!r}{_exemplar(found) if found else ''}\n"
            else:
                yield f"{series} {_written(gauges[series])}\n"

    def _histogram(self, series: Series, histogram: Histogram, exemplars: bool) -> str:
        bounds, template = self._templates.get(series, ((), ""))
        if bounds is not histogram.bounds:
            template = _template(series, histogram.bounds)
            self._templates[series] = (histogram.bounds, template)
        cumulative = tuple(accumulate(histogram.counts))
        text = template % (*cumulative, cumulative[-1], histogram.sum)
        if not exemplars or not histogram.exemplars:
            return text
        return "".join(_with_exemplars(text, histogram))

    def _forget(self, totals: SeriesTotals) -> None:
        if len(self._templates) > len(totals.histograms):
            for series in self._templates.keys() - totals.histograms.keys():
                self._templates.pop(series, None)


def _offered(name: str, version: str | None) -> str | None:
    if name == "application/openmetrics-text" and version in {None, "1.0.0"}:
        return OPENMETRICS
    return TEXT if name == "text/plain" else None


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _header(family: Family, *, openmetrics_: bool) -> str:
    name = family.name.removesuffix("_total") if openmetrics_ else family.name
    return f"# HELP {name} {family.help}\n# TYPE {name} {family.type}\n"


def _written(value: float) -> str:
    """Write a gauge, which may be no finite number, as both formats want it."""
    if isfinite(value):
        return repr(value)
    return "NaN" if isnan(value) else ("+Inf" if value > 0 else "-Inf")


def _template(series: Series, bounds: tuple[float, ...]) -> str:
    name = series.family.name
    pairs = series[len(name) + 1 : -1].replace("%", "%%")
    within, before = (f"{{{pairs}}}", pairs + ",") if pairs else ("", "")
    ends = (*map(repr, bounds), "+Inf")
    buckets = "".join(f'{name}_bucket{{{before}le="{end}"}} %d\n' for end in ends)
    return f"{buckets}{name}_count{within} %d\n{name}_sum{within} %r\n"


def _with_exemplars(text: str, histogram: Histogram) -> Iterator[str]:
    lines = text.splitlines(keepends=True)
    for bound, line in zip((*histogram.bounds, INF), lines, strict=False):
        found = histogram.exemplars.get(bound)
        yield line[:-1] + _exemplar(found) + "\n" if found else line
    yield from lines[len(histogram.bounds) + 1 :]


def _exemplar(exemplar: Exemplar) -> str:
    if not _TRACE_ID.fullmatch(exemplar.trace_id):
        return ""
    return f' # {{trace_id="{exemplar.trace_id}"}} {exemplar.value!r} {exemplar.at!r}'
