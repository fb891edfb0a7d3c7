"""What metrics cost: counting a trace, making a batch's totals, and writing 10,000 samples, against prometheus_client.

Run: python benchmarks/metrics.py. Times are CPU times of this process, the median of the repeats.
"""

import time
from collections.abc import Callable
from statistics import median

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from exporter.metrics import families as f
from exporter.metrics.labels import Limiter, Slice
from exporter.metrics.ledger import Deltas
from exporter.metrics.registry import Metrics
from exporter.model.score import Evaluation, Outcome
from exporter.model.trace import Trace

EVALUATORS = (
    "refusal",
    "empty",
    "truncated",
    "repetition",
    "format",
    "json_schema",
    "tool_calls",
    "grounding",
    "citation",
)
TRACES = 2_000
REPEATS = 9
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
SLICES = [Slice(f"app{n % 4}", f"/route{n % 8}", f"model{n % 2}", f"v{n // 8}") for n in range(32)]


def seconds(work: Callable[[], object]) -> float:
    """Median CPU seconds of one call."""
    taken = []
    for _ in range(REPEATS):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return median(taken)


def outcome(number: int) -> Outcome:
    evaluations = tuple(
        Evaluation(
            evaluator=name,
            evaluator_version="1",
            verdict="fail" if (number + at) % 20 == 0 else "pass",
            score=(number + at) % 20 / 20,
        )
        for at, name in enumerate(EVALUATORS)
    )
    return Outcome(evaluations=evaluations, durations=tuple((name, 0.0001) for name in EVALUATORS))


def tallied(metrics: Metrics, traces: list[tuple[Slice, Trace, Outcome]]) -> Deltas:
    tally = metrics.tally()
    for where, trace, said in traces:
        tally.trace_recorded(where, trace, said, 0.001)
    return tally


def samples(count: int) -> tuple[Metrics, CollectorRegistry]:
    """The same series in our ledger and in prometheus_client: about a third of the samples are buckets."""
    metrics, deltas = Metrics(version="bench"), Deltas(0.0)
    registry = CollectorRegistry()
    counter = Counter(f.EVALUATIONS.name, f.EVALUATIONS.help, f.EVALUATIONS.labels, registry=registry)
    bounds = (*f.REQUEST_DURATION.bounds, float("inf"))
    histogram = Histogram(
        f.REQUEST_DURATION.name, f.REQUEST_DURATION.help, f.REQUEST_DURATION.labels, registry=registry, buckets=bounds
    )
    per_histogram = len(bounds) + 2
    for number in range(count // (3 * per_histogram)):
        where = ("app", f"/route{number}", "model-2026-01-01", "v1")
        deltas.observe(f.REQUEST_DURATION, where, 1.5)
        histogram.labels(*where).observe(1.5)
        for child in range(2 * per_histogram):
            labels = ("grounding", f"{child // 2}", ("pass", "fail")[child % 2], "all", *where)
            deltas.inc(f.EVALUATIONS, labels, child)
            counter.labels(*labels).inc(child)
    metrics.apply(deltas)
    return metrics, registry


def lines(document: bytes) -> int:
    return sum(not line.startswith(b"#") for line in document.splitlines())


def batch() -> None:
    metrics = Metrics(version="bench", evaluators=EVALUATORS, pass_marks=(0.75,))
    trace = Trace(trace_id="ab" * 16, duration_seconds=1.5, input_tokens=900, output_tokens=300)
    traces = [(SLICES[number % len(SLICES)], trace, outcome(number)) for number in range(TRACES)]
    tally = tallied(metrics, traces)
    metrics.apply(tally)
    counter = Counter("one_total", "One.", ("a", "b", "c", "d", "e"), registry=CollectorRegistry())
    one = seconds(lambda: [counter.labels("a", "b", "c", "d", "e").inc() for _ in range(TRACES)]) / TRACES * 1e6
    limits = Limiter(dict.fromkeys(Slice._fields, 50))
    sliced = seconds(lambda: [limits.slice("shop", "/chat/1", "gpt", "v1") for _ in range(TRACES)]) / TRACES * 1e6
    per_trace = seconds(lambda: tallied(metrics, traces)) / TRACES * 1e6
    print(f"limit four labels                  {sliced:8.2f} us a trace")
    print(
        f"tally (9 verdicts, 25 changes)     {per_trace:8.2f} us a trace, {per_trace / one:.1f} x one labels().inc() of"
    )
    print(f"                                   prometheus_client ({one:.2f} us)")
    staged, rows = seconds(lambda: metrics.stage(tally)), len(metrics.stage(tally))
    print(f"stage {rows:5d} totals of {TRACES} traces  {staged * 1e3:8.2f} ms")
    print(f"apply them                         {seconds(lambda: metrics.apply(tally)) * 1e3:8.2f} ms")


def scrape() -> None:
    disable_created_metrics()
    metrics, registry = samples(10_000)
    for name, accept, theirs in (
        ("text", "", lambda: generate_latest(registry)),
        ("OpenMetrics", OPENMETRICS, lambda: generate_openmetrics(registry)),
    ):
        count = lines(metrics.expose(accept)[0])
        ours, other = seconds(lambda accept=accept: metrics.expose(accept)), seconds(theirs)
        print(
            f"write {count:6d} samples, {name:12}  {ours * 1e3:8.2f} ms; prometheus_client {other * 1e3:.1f} ms "
            f"for {lines(theirs())}: {other / ours:.0f} x"
        )
    idle = seconds(lambda: metrics.ledger.expired(-1.0))
    print(f"look for idle series: none can be  {idle * 1e3:8.2f} ms")
    keys = seconds(lambda: metrics.ledger.expired(1.0))
    print(f"look for idle series: all are      {keys * 1e3:8.2f} ms")


if __name__ == "__main__":
    batch()
    scrape()
