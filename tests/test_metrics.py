import logging
from itertools import count

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from exporter.metrics import families as f
from exporter.metrics import own
from exporter.metrics.catalogue import CATALOGUE
from exporter.metrics.gauges import Watched
from exporter.metrics.labels import Slice
from exporter.metrics.ledger import Deltas, Ledger
from exporter.metrics.registry import Metrics
from exporter.metrics.series import Exemplar, Family, Histogram, Series, series_of
from exporter.model.score import Evaluation, Failure, Outcome, Unscored
from exporter.model.trace import Trace
from exporter.native import KERNELS

WHERE = Slice("shop", "/chat", "gpt-5", "v7")
DAY = 86_400.0


class Clock:
    def __init__(self, at=1_000_000.0):
        self.at = at

    def __call__(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def metrics(clock):
    return Metrics(version="1.2.3", evaluators=("refusal", "grounding"), pass_marks=(0.75,), now=clock)


def a_trace(**fields):
    return Trace(trace_id="ab" * 16, **fields)


def verdict(passed=True, evaluator="refusal", score=None, version="1"):
    return Evaluation(
        evaluator=evaluator,
        evaluator_version=version,
        verdict="pass" if passed else "fail",
        score=float(passed) if score is None else score,
    )


def samples(metrics):
    """Every sample of an exposition by name and labels."""
    body, _ = metrics.expose()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def value(metrics, name, /, **labels):
    return samples(metrics).get((name, frozenset(labels.items())))


def durable(metrics):
    gone = {family.name for family in CATALOGUE if not family.durable}
    totals = metrics.ledger.totals()
    numbers = {series: number for series, number in totals.numbers.items() if series.family.name not in gone}
    histograms = {
        series: (tuple(histogram.counts), histogram.sum)
        for series, histogram in totals.histograms.items()
        if series.family.name not in gone
    }
    return numbers, histograms


def record(metrics, *outcomes, where=WHERE, cost=None, **fields):
    tally = metrics.tally()
    for outcome in outcomes or (Outcome(),):
        tally.trace_recorded(where, a_trace(**fields), outcome, cost)
    return tally


def committed(metrics, store, tally):
    """Do what the road does: stage, make durable, apply."""
    for family, labels, number in metrics.stage(tally):
        store[family, labels] = number
    metrics.apply(tally)


def restarted(store, clock, **options):
    metrics = Metrics(
        version="1.2.3", evaluators=("refusal", "grounding"), now=clock, **{"pass_marks": (0.75,), **options}
    )
    metrics.restore((family, labels, number) for (family, labels), number in store.items())
    return metrics


def test_one_recorded_trace_is_counted_everywhere(metrics, clock):
    outcome = Outcome(
        evaluations=(verdict(), verdict(False, "grounding", 0.25)),
        unscored=(Unscored(evaluator="citation", reason="not_captured"),),
        failures=(Failure(evaluator="refusal", evaluator_version="1", reason="timeout"),),
        durations=(("grounding", 0.002),),
    )
    metrics.apply(record(metrics, outcome, cost=0.5, duration_seconds=1.5, input_tokens=7, output_tokens=3))

    where = WHERE._asdict()
    assert value(metrics, "llmq_requests_total", **where) == 1
    assert value(metrics, "llmq_request_duration_seconds_sum", **where) == 1.5
    assert value(metrics, "llmq_tokens_total", direction="input", **where) == 7
    assert value(metrics, "llmq_tokens_total", direction="output", **where) == 3
    assert value(metrics, "llmq_cost_dollars_total", **where) == 0.5
    judged = {"evaluator": "grounding", "evaluator_version": "1", "sample": "all"}
    assert value(metrics, "llmq_evaluations_total", verdict="fail", **judged, **where) == 1
    del where["prompt_version"]
    assert value(metrics, "llmq_evaluation_score_bucket", le="0.2", **judged, **where) == 0
    assert value(metrics, "llmq_evaluation_score_bucket", le="0.3", **judged, **where) == 1
    assert value(metrics, "llmq_unscored_total", evaluator="citation", reason="not_captured", app="shop") == 1
    assert value(metrics, "llmq_evaluation_failures_total", evaluator="refusal", reason="timeout") == 1
    assert value(metrics, "llmq_evaluation_duration_seconds_count", evaluator="grounding") == 1
    assert value(metrics, "llmq_version_first_seen_timestamp_seconds", **WHERE._asdict()) == clock.at
    assert value(metrics, "llmq_exporter_last_scored_timestamp_seconds", evaluator="grounding") == clock.at


def test_a_failed_request_is_counted_by_kind_and_what_was_asked_again(metrics):
    failed = record(metrics, content_state="error", error_kind="rate_limit", retries=2)
    failed.trace_recorded(WHERE, a_trace(content_state="error", fallbacks=1), Outcome(), None)
    metrics.apply(failed)

    where = WHERE._asdict()
    assert value(metrics, "llmq_requests_total", **where) == 2
    assert value(metrics, "llmq_request_errors_total", error="rate_limit", **where) == 1
    assert value(metrics, "llmq_request_errors_total", error="other", **where) == 1
    assert value(metrics, "llmq_repeated_calls_total", kind="retry", **where) == 2
    assert value(metrics, "llmq_repeated_calls_total", kind="fallback", **where) == 1


def test_speed_is_of_the_time_after_the_first_token(metrics):
    told = {"first_token_seconds": 1.0, "generation_seconds": 3.0, "generation_tokens": 100}
    metrics.apply(record(metrics, **told))

    where = dict(zip(("app", "route", "model_version"), WHERE, strict=False))
    assert value(metrics, "llmq_time_to_first_token_seconds_sum", **where) == 1
    assert value(metrics, "llmq_output_tokens_per_second_sum", **where) == 50


def test_both_verdicts_of_a_slice_are_born_together(metrics):
    metrics.apply(record(metrics, Outcome(evaluations=(verdict(),))))
    labels = {"evaluator": "refusal", "evaluator_version": "1", "sample": "all", **WHERE._asdict()}
    assert value(metrics, "llmq_evaluations_total", verdict="pass", **labels) == 1
    assert value(metrics, "llmq_evaluations_total", verdict="fail", **labels) == 0


def test_a_sibling_born_later_does_not_reset_the_first(metrics):
    metrics.apply(record(metrics, Outcome(evaluations=(verdict(),))))
    metrics.apply(record(metrics, Outcome(evaluations=(verdict(False),))))
    labels = {"evaluator": "refusal", "evaluator_version": "1", "sample": "all", **WHERE._asdict()}
    assert value(metrics, "llmq_evaluations_total", verdict="pass", **labels) == 1
    assert value(metrics, "llmq_evaluations_total", verdict="fail", **labels) == 1


def test_closed_label_sets_start_at_zero(metrics):
    shown = samples(metrics)
    zeros = {name for (name, _), number in shown.items() if number == 0}
    assert {
        "llmq_exporter_traces_closed_total",
        "llmq_exporter_late_total",
        "llmq_exporter_store_errors_total",
    } <= zeros
    for evaluator in ("refusal", "grounding"):
        for reason in ("exception", "timeout", "invalid_result"):
            assert value(metrics, "llmq_evaluation_failures_total", evaluator=evaluator, reason=reason) == 0
    assert value(metrics, "llmq_exporter_label_overflow_total", label="route") == 0


def test_nothing_is_shown_before_it_is_applied(metrics):
    before = samples(metrics)
    metrics.stage(record(metrics, Outcome(evaluations=(verdict(False),))))
    after = samples(metrics)
    quality = {key for key in before | after if key[0].startswith("llmq_")}
    assert {key: before.get(key) for key in quality} == {key: after.get(key) for key in quality}


def test_for_every_evaluator_evaluated_unscored_and_failed_add_up_to_the_requests(metrics):
    outcomes = [
        Outcome(evaluations=(verdict(),)),
        Outcome(evaluations=(verdict(False),)),
        Outcome(unscored=(Unscored(evaluator="refusal", reason="not_applicable"),)),
        Outcome(failures=(Failure(evaluator="refusal", evaluator_version="1", reason="exception"),)),
    ]
    metrics.apply(record(metrics, *outcomes))
    by_name = {}
    for (name, labels), number in samples(metrics).items():
        if dict(labels).get("evaluator", "refusal") == "refusal":
            by_name[name] = by_name.get(name, 0) + number
    parts = ("llmq_evaluations_total", "llmq_unscored_total", "llmq_evaluation_failures_total")
    assert sum(by_name[part] for part in parts) == by_name["llmq_requests_total"] == 4


@pytest.mark.parametrize("absurd", [-1.0, float("nan"), float("inf"), 2.0**60])
def test_absurd_measurements_are_left_out_and_the_request_is_counted(metrics, absurd):
    metrics.apply(record(metrics, Outcome(durations=(("refusal", absurd),)), cost=absurd, duration_seconds=absurd))
    assert value(metrics, "llmq_requests_total", **WHERE._asdict()) == 1
    assert value(metrics, "llmq_request_duration_seconds_count", **WHERE._asdict()) is None
    assert value(metrics, "llmq_cost_dollars_total", **WHERE._asdict()) is None


def test_absurd_token_counts_are_left_out(metrics):
    metrics.apply(record(metrics, input_tokens=-5, output_tokens=10**400))
    assert value(metrics, "llmq_requests_total", **WHERE._asdict()) == 1
    assert value(metrics, "llmq_tokens_total", direction="input", **WHERE._asdict()) is None


@pytest.mark.parametrize("amount", [-1.0, float("nan"), float("inf")])
def test_counting_what_cannot_be_counted_is_an_error(amount):
    with pytest.raises(ValueError, match="llmq_exporter_rejected_total cannot count"):
        Deltas(0.0).inc(own.REJECTED, ("traces", "span_id"), amount)
    with pytest.raises(ValueError, match="llmq_evaluation_score cannot count"):
        Deltas(0.0).observe(f.SCORE, ("a",) * 6, amount)


def test_a_series_needs_all_its_labels():
    with pytest.raises(ValueError, match="llmq_exporter_rejected_total has 2 labels, not 1"):
        Series(own.REJECTED, ("traces",))


def test_the_funnel_counts_what_came_in(metrics):
    tally = metrics.tally()
    tally.received("traces", 5, 0, {"span_id": 2}, {"clock_skew": 1})
    tally.received("logs", 0, 3, {}, {})
    tally.rejected("traces", "body_too_large")
    tally.duplicate("traces", "same", 4)
    tally.late("logs", "used", 2)
    tally.traces_opened(3)
    tally.traces_closed(["root"])
    tally.trace_ignored()
    tally.labels_overflowed({"route": 6})
    metrics.apply(tally)
    assert value(metrics, "llmq_exporter_spans_received_total") == 5
    assert value(metrics, "llmq_exporter_log_records_received_total") == 3
    assert value(metrics, "llmq_exporter_rejected_total", signal="traces", reason="span_id") == 2
    assert value(metrics, "llmq_exporter_rejected_total", signal="traces", reason="body_too_large") == 1
    assert value(metrics, "llmq_exporter_anomalies_total", reason="clock_skew") == 1
    assert value(metrics, "llmq_exporter_duplicates_total", signal="traces", kind="same") == 4
    assert value(metrics, "llmq_exporter_late_total", signal="logs", outcome="used") == 2
    assert value(metrics, "llmq_exporter_traces_received_total") == 3
    assert value(metrics, "llmq_exporter_traces_closed_total", reason="root") == 1
    assert value(metrics, "llmq_exporter_traces_ignored_total", reason="no_llm_request") == 1
    assert value(metrics, "llmq_exporter_label_overflow_total", label="route") == 6


def test_what_the_store_must_not_carry_is_counted_at_once(metrics):
    metrics.answered("traces", 503)
    metrics.store_failed("disk_full")
    metrics.committed(0.004)
    assert value(metrics, "llmq_exporter_requests_total", signal="traces", code="503", protocol="http") == 1
    assert value(metrics, "llmq_exporter_store_errors_total", reason="disk_full") == 1
    assert value(metrics, "llmq_exporter_commit_duration_seconds_bucket", le="0.005") == 1


def test_what_is_not_durable_is_never_staged(metrics):
    tally = metrics.tally()
    tally.inc(own.STORE_ERRORS, ("locked",))
    tally.observe(own.COMMIT_DURATION, (), 1.0)
    assert metrics.stage(tally) == []


def test_gauges_of_the_moment_are_read_at_each_scrape(metrics, clock):
    waiting = [3]
    metrics.watch("traces", [Watched(own.OPEN_TRACES, lambda: waiting[0])])
    metrics.watch("queues", [Watched(own.QUEUE_LENGTH, lambda: 2 * waiting[0], ("journal",))])
    assert value(metrics, "llmq_exporter_open_traces") == 3
    waiting[0] = 5
    assert value(metrics, "llmq_exporter_open_traces") == 5
    assert value(metrics, "llmq_exporter_queue_length", queue="journal") == 10
    assert value(metrics, "llmq_exporter_build_info", version="1.2.3", kernels=KERNELS) == 1


def test_a_failed_reload_keeps_the_time_of_the_last_success(metrics, clock):
    metrics.config_loaded(succeeded=True)
    loaded_at, clock.at = clock.at, clock.at + 60
    metrics.config_loaded(succeeded=False)
    assert value(metrics, "llmq_exporter_config_last_reload_successful") == 0
    assert value(metrics, "llmq_exporter_config_last_reload_success_timestamp_seconds") == loaded_at


def test_a_tally_that_waited_is_dated_by_its_verdicts(metrics, clock):
    tally = metrics.tally()
    clock.at += DAY
    tally.trace_recorded(WHERE, a_trace(), Outcome(evaluations=(verdict(False),)), None)
    metrics.apply(tally)
    assert value(metrics, "llmq_version_first_seen_timestamp_seconds", **WHERE._asdict()) == clock.at
    (exemplar,) = metrics.ledger.totals().exemplars.values()
    assert exemplar == Exemplar("ab" * 16, 0.0, clock.at)


def test_a_version_is_first_seen_once(metrics, clock):
    first = clock.at
    metrics.apply(record(metrics))
    clock.at += DAY
    metrics.apply(record(metrics))
    assert value(metrics, "llmq_version_first_seen_timestamp_seconds", **WHERE._asdict()) == first


def test_a_late_verdict_moves_the_verdicts_and_not_the_requests(metrics):
    tally = metrics.tally()
    tally.evaluated(WHERE, "cd" * 16, verdict(False, "judge", 0.4))
    metrics.apply(tally)
    labels = {"evaluator": "judge", "evaluator_version": "1", "sample": "all", **WHERE._asdict()}
    assert value(metrics, "llmq_evaluations_total", verdict="fail", **labels) == 1
    assert value(metrics, "llmq_requests_total", **WHERE._asdict()) is None


def test_an_empty_tally_is_false_and_stages_nothing(metrics):
    tally = metrics.tally()
    assert not tally
    assert metrics.stage(tally) == []
    tally.traces_closed(["root"])
    assert tally


# What survives a restart


def test_a_restart_shows_what_was_durable_and_counts_on(metrics, clock):
    store = {}
    outcome = Outcome(evaluations=(verdict(), verdict(False, "grounding", 0.3)), durations=(("refusal", 0.01),))
    committed(metrics, store, record(metrics, outcome, cost=0.25, duration_seconds=2.0, input_tokens=9))
    again = restarted(store, clock)
    assert durable(again) == durable(metrics)
    for both in (metrics, again):
        both.apply(record(both, outcome, cost=0.25, duration_seconds=2.0))
    assert durable(again) == durable(metrics)


def test_exemplars_do_not_survive_a_restart(metrics, clock):
    store = {}
    committed(metrics, store, record(metrics, Outcome(evaluations=(verdict(False),))))
    assert "trace_id" not in str(store)
    assert restarted(store, clock).ledger.totals().exemplars == {}


NAMES = st.sampled_from(["a", "b"])
# Quarters add up without rounding, whatever the order.
QUARTERS = st.integers(0, 40).map(lambda quarters: quarters / 4)
EVENTS = st.one_of(
    st.tuples(st.just("request"), NAMES, QUARTERS, st.integers(0, 99)),
    st.tuples(st.just("verdict"), NAMES, st.booleans(), st.sampled_from([0.0, 0.25, 0.75, 1.0])),
    st.tuples(st.just("failure"), NAMES, st.sampled_from(["timeout", "exception"])),
    st.tuples(st.just("closed"), st.sampled_from(["root", "idle"])),
)
BATCHES = st.lists(st.lists(EVENTS, max_size=8), max_size=6)


def tally_of(metrics, events):
    tally = metrics.tally()
    for kind, *what in events:
        if kind == "request":
            trace = a_trace(duration_seconds=what[1], input_tokens=what[2])
            tally.trace_recorded(Slice(what[0], "/", "m", "p"), trace, Outcome(), what[1])
        elif kind == "verdict":
            tally.evaluated(Slice(what[0], "/", "m", "p"), "ab" * 16, verdict(what[1], score=what[2]))
        elif kind == "failure":
            tally.inc(f.EVALUATION_FAILURES, tuple(what))
        else:
            tally.traces_closed([what[0]])
    return tally


def new_metrics():
    return Metrics(version="1", evaluators=("refusal", "grounding"), pass_marks=(0.75,), now=Clock())


@settings(max_examples=60)
@given(BATCHES)
def test_the_store_always_equals_what_is_shown(batches):
    metrics, store = new_metrics(), {}
    for events in batches:
        committed(metrics, store, tally_of(metrics, events))
        again = restarted(store, Clock())
        assert durable(again) == durable(metrics)


@settings(max_examples=60)
@given(BATCHES)
def test_events_in_many_batches_or_in_one_are_the_same(batches):
    many, one = new_metrics(), new_metrics()
    for events in batches:
        many.apply(tally_of(many, events))
    one.apply(tally_of(one, [event for events in batches for event in events]))
    assert durable(many) == durable(one)
    assert many.ledger.totals().exemplars == one.ledger.totals().exemplars


@settings(max_examples=40)
@given(BATCHES)
def test_no_durable_counter_ever_goes_back(batches):
    metrics, store, shown = new_metrics(), {}, {}
    for events in batches:
        committed(metrics, store, tally_of(metrics, events))
        metrics = restarted(store, Clock())
        numbers, _ = durable(metrics)
        assert all(numbers[series] >= before for series, before in shown.items())
        shown = {series: number for series, number in numbers.items() if series.family.type == "counter"}


@pytest.mark.parametrize(
    ("row", "note"),
    [
        (("llmq_gone_total", "{}", '{"value":1.0,"updated_at":1.0}'), "unknown family, left"),
        (("llmq_exporter_store_errors_total", '{"reason":"locked"}', '{"value":1}'), "unknown family, left"),
        (("llmq_exporter_late_total", '{"signal":"logs"}', '{"value":1.0,"updated_at":1.0}'), "other labels, left"),
        (
            ("llmq_exporter_late_total", '{"signal":"logs","was":"used"}', '{"value":1.0,"updated_at":1.0}'),
            "other labels, left",
        ),
        (("llmq_exporter_anomalies_total", '{"reason":"x"}', '{"value":null,"updated_at":1.0}'), "unreadable, left"),
        (("llmq_exporter_anomalies_total", "not JSON", '{"value":1.0,"updated_at":1.0}'), "unreadable, left"),
        (
            (
                "llmq_evaluation_duration_seconds",
                '{"evaluator":"refusal"}',
                '{"bounds":[1.0],"counts":[1],"sum":1.0,"updated_at":1.0}',
            ),
            "unreadable, left",
        ),
    ],
)
def test_a_stored_row_of_another_version_is_left_and_logged(metrics, caplog, row, note):
    before = durable(metrics)
    with caplog.at_level(logging.WARNING):
        metrics.restore([row, row])
    assert durable(metrics) == before
    assert caplog.messages == [f"stored totals: family={row[0]} rows=2 note={note}"]


def test_labels_stored_in_another_order_are_understood(metrics):
    labels = '{"outcome":"used","signal":"logs"}'
    metrics.restore([("llmq_exporter_late_total", labels, '{"value":4.0,"updated_at":1.0}')])
    assert value(metrics, "llmq_exporter_late_total", signal="logs", outcome="used") == 4


# Bounds that change


def test_a_new_pass_mark_keeps_counts_and_sums_and_is_never_too_high(metrics, clock, caplog):
    store = {}
    outcome = Outcome(evaluations=(verdict(score=0.72), verdict(score=0.78), verdict(score=0.2)))
    committed(metrics, store, record(metrics, outcome))
    with caplog.at_level(logging.WARNING):
        again = restarted(store, clock, pass_marks=(0.77,))
    assert caplog.messages == ["stored totals: family=llmq_evaluation_score rows=1 note=fitted to other bounds"]
    labels = {"evaluator": "refusal", "evaluator_version": "1", "sample": "all", **WHERE._asdict()}
    del labels["prompt_version"]

    def at_most(bound):
        return value(again, "llmq_evaluation_score_bucket", le=bound, **labels)

    assert [at_most(bound) for bound in ("0.2", "0.7", "0.8", "1.0", "+Inf")] == [1, 1, 3, 3, 3]
    assert at_most("0.77") == 2  # 0.72 was in the bucket up to 0.75
    assert at_most("0.75") is None
    assert value(again, "llmq_evaluation_score_sum", **labels) == pytest.approx(1.7)


@pytest.mark.parametrize(("staged", "counts"), [(False, (2, 1)), (True, (1, 2))])
def test_a_reload_with_another_pass_mark_takes_tallies_that_are_under_way(metrics, staged, counts):
    metrics.apply(record(metrics, Outcome(evaluations=(verdict(score=0.95),))))
    under_way = record(metrics, Outcome(evaluations=(verdict(score=0.92),)))
    if staged:
        metrics.stage(under_way)
    metrics.configure(("refusal",), (0.93,))
    metrics.apply(under_way)
    metrics.apply(record(metrics, Outcome(evaluations=(verdict(score=0.91),))))
    (histogram,) = (
        held for series, held in metrics.ledger.totals().histograms.items() if series.family.name == f.SCORE.name
    )
    assert histogram.bounds == (*f.SCORE.bounds[:9], 0.93, 1.0)
    assert sum(histogram.counts) == 3
    assert (histogram.counts[9], histogram.counts[10]) == counts


BOUNDS = st.lists(st.integers(1, 9).map(lambda tenth: tenth / 10), min_size=1, unique=True).map(sorted).map(tuple)


@settings(max_examples=200)
@given(BOUNDS, BOUNDS, st.lists(st.integers(0, 100).map(lambda part: part / 100)))
def test_fitting_is_exact_at_shared_bounds_and_never_too_high_at_new_ones(old, new, values):
    before, truth = Histogram.of(old, values), Histogram.of(new, values)
    after = before.fitted(new)
    assert (sum(after.counts), after.sum) == (len(values), before.sum)
    for at, bound in enumerate(new):
        fitted, true = sum(after.counts[: at + 1]), sum(truth.counts[: at + 1])
        assert fitted == true if bound in old else fitted <= true


def test_a_reload_between_stage_and_apply_fits_what_was_staged(metrics):
    staged = record(metrics, Outcome(evaluations=(verdict(score=0.92),)))
    metrics.stage(staged)
    metrics.configure(("refusal",), (0.93,))
    metrics.apply(staged)
    (histogram,) = (
        held for series, held in metrics.ledger.totals().histograms.items() if series.family.name == f.SCORE.name
    )
    assert histogram.bounds == (*f.SCORE.bounds[:9], 0.93, 1.0)


def test_what_is_applied_between_stage_and_apply_of_another_batch_is_not_lost(metrics):
    staged, other = record(metrics, duration_seconds=1.0), record(metrics, duration_seconds=2.0)
    metrics.stage(staged)
    metrics.apply(other)
    metrics.apply(staged)
    assert value(metrics, "llmq_requests_total", **WHERE._asdict()) == 2
    assert value(metrics, "llmq_request_duration_seconds_sum", **WHERE._asdict()) == 3.0


# What expires


def test_an_idle_slice_expires_whole_and_the_others_stay(metrics, clock):
    store = {}
    everything = Outcome(evaluations=(verdict(), verdict(False)))
    committed(metrics, store, record(metrics, everything, cost=1.0, duration_seconds=1.0, input_tokens=1))
    born, clock.at = clock.at, clock.at + 3 * DAY
    other = WHERE._replace(prompt_version="v8", model_version="gpt-6")
    committed(metrics, store, record(metrics, everything, where=other))
    keys = metrics.expired(born + DAY)
    assert {name for name, _ in keys} == {
        "llmq_requests_total",
        "llmq_request_duration_seconds",
        "llmq_tokens_total",
        "llmq_cost_dollars_total",
        "llmq_evaluations_total",
        "llmq_evaluation_score",
        "llmq_version_first_seen_timestamp_seconds",
    }
    assert all("gpt-6" not in labels for _, labels in keys)
    metrics.drop(keys)
    for key in keys:
        del store[key]
    assert value(metrics, "llmq_requests_total", **WHERE._asdict()) is None
    assert value(metrics, "llmq_requests_total", **other._asdict()) == 1
    assert durable(restarted(store, clock)) == durable(metrics)
    assert metrics.expired(born + DAY) == []


def test_one_verdict_keeps_its_idle_sibling_alive(metrics, clock):
    metrics.apply(record(metrics, Outcome(evaluations=(verdict(False),))))
    clock.at += 3 * DAY
    metrics.apply(record(metrics, Outcome(evaluations=(verdict(),))))
    assert metrics.expired(clock.at - DAY) == []


def test_an_old_evaluator_version_expires_in_a_busy_slice(metrics, clock):
    metrics.apply(record(metrics, Outcome(evaluations=(verdict(version="1"),))))
    clock.at += 3 * DAY
    metrics.apply(record(metrics, Outcome(evaluations=(verdict(version="2"),))))
    keys = metrics.expired(clock.at - DAY)
    assert {(name, msgspec.json.decode(labels)["evaluator_version"]) for name, labels in keys} == {
        ("llmq_evaluations_total", "1"),
        ("llmq_evaluation_score", "1"),
    }


def test_a_tally_under_way_keeps_its_series(metrics, clock):
    metrics.apply(record(metrics))
    clock.at += 3 * DAY
    under_way = record(metrics)
    assert metrics.expired(clock.at - DAY, keep=under_way) == []
    assert len(metrics.expired(clock.at - DAY)) == 2


def test_what_has_expired_stays_expired_until_it_is_dropped(metrics, clock):
    metrics.apply(record(metrics))
    keys = metrics.expired(clock.at + DAY)
    assert keys == metrics.expired(clock.at + 2 * DAY) != []
    metrics.drop(keys)
    metrics.drop(keys)
    assert metrics.expired(clock.at + 2 * DAY) == []


def test_idleness_is_counted_over_a_restart(metrics, clock):
    store = {}
    committed(metrics, store, record(metrics))
    clock.at += 3 * DAY
    again = restarted(store, clock)
    assert sorted(again.expired(clock.at - DAY)) == sorted(
        key for key in store if key[0] in {"llmq_requests_total", "llmq_version_first_seen_timestamp_seconds"}
    )


def test_the_exporters_own_numbers_never_expire(metrics, clock):
    tally = metrics.tally()
    tally.received("traces", 1, 0, {"span_id": 1}, {})
    tally.inc(f.EVALUATION_FAILURES, ("refusal", "timeout"))
    metrics.apply(tally)
    assert metrics.expired(clock.at + 999 * DAY) == []


def test_a_slice_that_returns_counts_from_zero(metrics, clock):
    metrics.apply(record(metrics))
    metrics.drop(metrics.expired(clock.at + DAY))
    metrics.apply(record(metrics))
    assert value(metrics, "llmq_requests_total", **WHERE._asdict()) == 1


def test_slices_in_use_are_told_with_the_time_of_their_last_event(metrics, clock):
    metrics.apply(record(metrics))
    first = clock.at
    clock.at += 60
    metrics.apply(record(metrics, where=WHERE._replace(app="help")))
    assert metrics.ledger.last_updated(Slice._fields) == {WHERE: first, WHERE._replace(app="help"): first + 60}


# The catalogue


def test_every_metric_is_declared_once_and_in_the_catalogue():
    declared = [each for module in (f, own) for each in vars(module).values() if isinstance(each, Family)]
    assert list(CATALOGUE) == declared
    assert len({family.name for family in declared}) == len(declared)


def test_every_metric_says_what_it_is():
    for family in CATALOGUE:
        assert family.name.startswith("llmq_")
        assert family.help.endswith(".")
        assert not set(family.help) & set('\\\n"')
        assert family.name.endswith("_total") == (family.type == "counter")
        assert bool(family.bounds) == (family.type == "histogram")
        assert set(family.expires_with) | set(family.siblings) <= set(family.labels)


def test_only_what_outsiders_name_expires_and_all_of_it_does():
    for family in (one for one in CATALOGUE if one.durable):
        named_by_outsiders = "app" in family.labels or family is own.LAST_SCORED
        assert bool(family.expires_with) == named_by_outsiders


def test_two_series_of_one_name_are_one_key():
    one, other = Series(own.REJECTED, ("traces", 'a"b')), series_of(own.REJECTED, ("traces", 'a"b'))
    assert one == other
    assert one is not other
    assert {one: 1}[other] == 1


def test_a_ledger_takes_other_families_than_ours():
    family = Family(name="things_total", type="counter", help="Things.", labels=("kind",))
    ledger, numbers = Ledger([family]), count(1)
    deltas = Deltas(5.0)
    deltas.inc(family, ("odd",), float(next(numbers)))
    deltas.inc(family, ("odd",), float(next(numbers)))
    assert ledger.stage(deltas) == [("things_total", '{"kind":"odd"}', '{"value":3.0,"updated_at":5.0}')]
