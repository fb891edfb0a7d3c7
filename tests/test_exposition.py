import math
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.metrics import families as f
from exporter.metrics import own
from exporter.metrics.catalogue import CATALOGUE
from exporter.metrics.exposition import OPENMETRICS, TEXT, Exposition, Snapshot, negotiate
from exporter.metrics.gauges import Watched
from exporter.metrics.labels import Slice
from exporter.metrics.ledger import Deltas, Ledger
from exporter.metrics.registry import Metrics
from exporter.metrics.series import Exemplar, Family
from exporter.model.score import Evaluation, Failure, Outcome, Unscored
from exporter.model.trace import Trace

WANTS_OPENMETRICS = "application/openmetrics-text;version=1.0.0"
FROM_PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
FROM_PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)
TRACE_ID = "0123456789abcdef0123456789abcdef"


def full_metrics():
    """Metrics with at least one series of every family."""
    metrics = Metrics(version="1.2.3", evaluators=("refusal",), pass_marks=(0.75,), now=lambda: 1_700_000_000.5)
    tally = metrics.tally()
    evaluation = {"evaluator": "refusal", "evaluator_version": "1"}
    outcome = Outcome(
        evaluations=(
            Evaluation(verdict="pass", score=1.0, **evaluation),
            Evaluation(verdict="fail", score=0.2, **evaluation),
        ),
        unscored=(Unscored(evaluator="citation", reason="not_captured"),),
        failures=(Failure(reason="timeout", **evaluation),),
        durations=(("refusal", 0.001),),
    )
    streamed = {"first_token_seconds": 0.3, "generation_seconds": 1.4, "generation_tokens": 5}
    trace = Trace(trace_id=TRACE_ID, duration_seconds=1.5, input_tokens=10, output_tokens=5, **streamed)
    for number in range(3):
        tally.trace_recorded(Slice("shop", f"/chat{number}", "gpt-5", "v7"), trace, outcome, 0.01)
    tally.received("traces", 3, 0, {"span_id": 1}, {"clock_skew": 1})
    for family in (one for one in CATALOGUE if not one.name.startswith("llmq_exporter_") and one.labels):
        labels = tuple(family.siblings.get(name, ("x",))[0] for name in family.labels)
        if family.type == "gauge" and not family.durable:
            metrics.measured(family, labels, 7.0)
        elif family.type == "counter":
            tally.inc(family, labels, 0.0)
    tally.observe(f.FEEDBACK_EDIT_RATIO, ("shop", "/chat"), 0.5)
    metrics.apply(tally)
    metrics.answered("traces", 200)
    metrics.config_loaded(succeeded=True)
    for gauge in (own.QUEUE_LENGTH, own.QUEUE_CAPACITY, own.SLICES):
        metrics.watch(gauge.name, [Watched(gauge, lambda: 7.0, ("journal",))])
    return metrics


@pytest.fixture(scope="module")
def metrics():
    return full_metrics()


@pytest.fixture(scope="module")
def text(metrics):
    body, content_type = metrics.expose()
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    return body.decode()


@pytest.fixture(scope="module")
def openmetrics(metrics):
    body, content_type = metrics.expose(WANTS_OPENMETRICS)
    assert content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    return body.decode()


def parsed(parse, document):
    """The samples of a document, without exemplars, by name and labels."""
    families = list(parse(document))
    assert len({family.name for family in families}) == len(families), "a family is written in two places"
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def of_a_ledger(family, deltas, accept=""):
    ledger = Ledger([family])
    ledger.apply(deltas)
    parts = Exposition(CollectorRegistry(), [family]).render(Snapshot(ledger.totals(), {}), negotiate(accept))
    return b"".join(parts).decode()


def test_both_formats_hold_the_same_samples_for_the_official_parsers(text, openmetrics):
    def without_process(samples):
        return {key: number for key, number in samples.items() if not key[0].startswith("process_")}

    as_text = without_process(parsed(parse_text, text))
    assert len(as_text) > 150
    assert as_text == without_process(parsed(parse_openmetrics, openmetrics))


def test_every_declared_metric_is_written_with_its_type_and_help(text, openmetrics):
    for document in (text, openmetrics):
        for family in CATALOGUE:
            name = family.name.removesuffix("_total") if document is openmetrics else family.name
            assert document.count(f"# HELP {name} {family.help}\n") == 1
            assert document.count(f"# TYPE {name} {family.type}\n") == 1


def test_every_declared_metric_has_a_sample_in_the_full_registry(text):
    shown = {family.name for family in parse_text(text) if family.samples}
    assert {family.name.removesuffix("_total") for family in CATALOGUE} <= shown


def test_promtool_finds_nothing_to_say(text):
    promtool = shutil.which("promtool")
    assert promtool, "promtool is missing: apt-get install --no-install-recommends prometheus"
    checked = subprocess.run([promtool, "check", "metrics"], input=text.encode(), capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_only_openmetrics_ends_with_eof_and_does_once(text, openmetrics):
    assert "# EOF" not in text
    assert openmetrics.count("# EOF") == 1
    assert openmetrics.endswith("\n# EOF\n")


def test_there_are_no_created_series(text, openmetrics):
    assert "_created" not in text + openmetrics


def test_bucket_bounds_are_written_as_floats(text, openmetrics):
    for document in (text, openmetrics):
        bounds = {
            sample.labels["le"] for family in parse_text(document) for sample in family.samples if "le" in sample.labels
        }
        assert {"1.0", "0.75", "120.0", "+Inf"} <= bounds
        assert all(bound == "+Inf" or bound == repr(float(bound)) for bound in bounds)


def test_text_has_no_exemplars(text):
    assert TRACE_ID not in text


def test_bad_verdicts_alone_carry_an_exemplar(openmetrics):
    with_exemplar = [
        (sample.name, sample.labels.get("verdict") or sample.labels["le"], sample.exemplar)
        for family in parse_openmetrics(openmetrics)
        for sample in family.samples
        if sample.exemplar
    ]
    assert {(name, which) for name, which, _ in with_exemplar} == {
        ("llmq_evaluations_total", "fail"),
        ("llmq_evaluation_score_bucket", "0.2"),
    }
    for _, _, exemplar in with_exemplar:
        assert (exemplar.labels, exemplar.value, float(exemplar.timestamp)) == (
            {"trace_id": TRACE_ID},
            0.2,
            1_700_000_000.5,
        )


HISTOGRAM = Family(name="t_seconds", type="histogram", help="T.", labels=("kind",), bounds=(0.5, 1.0))
COUNTER = Family(name="t_total", type="counter", help="T.", labels=("kind",))


def test_a_series_keeps_only_its_newest_exemplar():
    deltas = Deltas(0.0)
    for number in range(3):
        deltas.inc(COUNTER, ("k",), exemplar=Exemplar(f"{number:032x}", 1.0, float(number)))
    (family,) = parse_openmetrics(of_a_ledger(COUNTER, deltas, WANTS_OPENMETRICS))
    assert family.samples[0].exemplar.labels == {"trace_id": f"{2:032x}"}


def test_each_bucket_has_an_exemplar_of_its_own():
    deltas = Deltas(0.0)
    for observed, trace_id in ((0.4, "a1"), (0.6, "b2"), (9.0, "c3"), (9.5, "d4")):
        deltas.observe(HISTOGRAM, ("k",), observed, Exemplar(trace_id, observed, 5.0))
    (family,) = parse_openmetrics(of_a_ledger(HISTOGRAM, deltas, WANTS_OPENMETRICS))
    found = {sample.labels["le"]: sample.exemplar for sample in family.samples if sample.name == "t_seconds_bucket"}
    assert {le: exemplar.labels["trace_id"] for le, exemplar in found.items()} == {
        "0.5": "a1",
        "1.0": "b2",
        "+Inf": "d4",
    }


@pytest.mark.parametrize("trace_id", ["", "a" * 65, "zz", 'a"} 1\nllmq_fake_total 1', "ab\n"])
def test_an_id_that_is_no_trace_id_is_left_out(trace_id):
    deltas = Deltas(0.0)
    deltas.inc(COUNTER, ("k",), exemplar=Exemplar(trace_id, 1.0, 0.0))
    deltas_of_histogram = Deltas(0.0)
    deltas_of_histogram.observe(HISTOGRAM, ("k",), 0.1, Exemplar(trace_id, 0.1, 0.0))
    for family, added in ((COUNTER, deltas), (HISTOGRAM, deltas_of_histogram)):
        document = of_a_ledger(family, added, WANTS_OPENMETRICS)
        (shown,) = parse_openmetrics(document)
        assert document.count("# {") == 0
        assert all(sample.exemplar is None for sample in shown.samples)


ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20) | st.text(
    st.sampled_from('\\n"\n{}=,%#d '), max_size=12
)


@settings(max_examples=150)
@given(ANY_TEXT, st.floats(0, 2.0**52))
def test_any_label_text_comes_back_from_both_parsers(kind, amount):
    deltas = Deltas(0.0)
    deltas.inc(COUNTER, (kind,), amount)
    for parse, accept in ((parse_text, ""), (parse_openmetrics, WANTS_OPENMETRICS)):
        (family,) = parse(of_a_ledger(COUNTER, deltas, accept))
        (sample,) = family.samples
        assert (sample.labels, sample.value) == ({"kind": kind}, amount)


@settings(max_examples=100)
@given(st.lists(st.floats(0, 3), min_size=1), ANY_TEXT)
def test_buckets_are_cumulative_and_end_in_the_count(values, kind):
    deltas = Deltas(0.0)
    for observed in values:
        deltas.observe(HISTOGRAM, (kind,), observed)
    (family,) = parse_openmetrics(of_a_ledger(HISTOGRAM, deltas, WANTS_OPENMETRICS))
    shown = {(sample.name, sample.labels.get("le")): sample.value for sample in family.samples}
    for le in ("0.5", "1.0", "+Inf"):
        assert shown["t_seconds_bucket", le] == sum(observed <= float(le) for observed in values)
    assert shown["t_seconds_count", None] == len(values)
    assert math.isclose(shown["t_seconds_sum", None], math.fsum(values), rel_tol=1e-9)
    assert all(sample.labels["kind"] == kind for sample in family.samples)


def test_a_family_without_labels_is_written_without_braces():
    family = Family(name="t_seconds", type="histogram", help="T.", bounds=(0.5,))
    deltas = Deltas(0.0)
    deltas.observe(family, (), 0.1)
    assert of_a_ledger(family, deltas).splitlines()[2:] == [
        't_seconds_bucket{le="0.5"} 1',
        't_seconds_bucket{le="+Inf"} 1',
        "t_seconds_count 1",
        "t_seconds_sum 0.1",
    ]


def test_totals_that_were_taken_do_not_change_under_a_scrape():
    ledger, deltas = Ledger([COUNTER, HISTOGRAM]), Deltas(0.0)
    deltas.inc(COUNTER, ("k",))
    deltas.observe(HISTOGRAM, ("k",), 0.1)
    exposition = Exposition(CollectorRegistry(), [COUNTER, HISTOGRAM])
    ledger.apply(deltas)
    taken = ledger.totals()
    before = exposition.render(Snapshot(taken, {}), TEXT)
    ledger.apply(deltas)
    assert exposition.render(Snapshot(taken, {}), TEXT) == before
    assert exposition.render(Snapshot(ledger.totals(), {}), TEXT) != before


def test_gauges_that_were_taken_do_not_change_under_a_scrape():
    metrics = Metrics(version="1")
    metrics.measured(f.OFFLINE_QUESTIONS, ("suite", "shop"), 7.0)
    taken = metrics.snapshot()
    metrics.measured(f.OFFLINE_QUESTIONS, ("suite", "shop"), None)
    assert b'llmq_offline_questions{suite="suite",app="shop"} 7.0' in b"".join(metrics.render(taken, TEXT))
    assert b"llmq_offline_questions{" not in metrics.expose()[0]


@pytest.mark.parametrize(
    ("value", "written"), [(math.inf, "+Inf"), (-math.inf, "-Inf"), (math.nan, "NaN"), (3, "3.0"), (True, "1.0")]
)
def test_a_gauge_of_any_number_is_read_by_both_parsers(value, written):
    metrics = Metrics(version="1")
    metrics.measured(f.JUDGE_LAG, (), value)
    for parse, accept in ((parse_text, ""), (parse_openmetrics, WANTS_OPENMETRICS)):
        document = metrics.expose(accept)[0].decode()
        assert f"\nllmq_judge_lag_seconds {written}\n" in document
        assert list(parse(document))


def test_all_series_of_a_gauge_that_begin_alike_go_together():
    metrics = Metrics(version="1")
    for suite, app in (("a", "shop"), ("a", "desk"), ("b", "shop")):
        metrics.measured(f.OFFLINE_QUESTIONS, (suite, app), 1.0)
    metrics.gone(f.OFFLINE_QUESTIONS, ("a",))
    lines = [line for line in metrics.expose()[0].splitlines() if line.startswith(b"llmq_offline_questions{")]
    assert lines == [b'llmq_offline_questions{suite="b",app="shop"} 1.0']


def test_a_document_comes_in_small_parts():
    ledger, deltas = Ledger([COUNTER, HISTOGRAM]), Deltas(0.0)
    for number in range(5_000):
        deltas.inc(COUNTER, (f"kind {number}",))
        deltas.observe(HISTOGRAM, (f"kind {number}",), 0.1)
    ledger.apply(deltas)
    parts = Exposition(CollectorRegistry(), [COUNTER, HISTOGRAM]).render(Snapshot(ledger.totals(), {}), TEXT)
    assert max(map(len, parts)) < 200_000
    assert len(list(parse_text(b"".join(parts).decode()))) == 2


def test_a_histogram_that_was_refitted_is_written_with_its_new_bounds(metrics):
    changed = full_metrics()
    changed.expose()
    changed.configure(("refusal",), (0.66,))
    body, _ = changed.expose()
    score = next(family for family in parse_text(body.decode()) if family.name == "llmq_evaluation_score")
    bounds = [sample.labels["le"] for sample in score.samples if "le" in sample.labels]
    assert "0.66" in bounds
    assert "0.75" not in bounds


def test_a_dropped_series_is_no_longer_written():
    dropping = full_metrics()
    dropping.expose()
    dropping.drop(dropping.expired(2e9))
    body, _ = dropping.expose()
    assert b'app="shop"' not in body


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/plain", TEXT),
        ("application/openmetrics-text", OPENMETRICS),
        ("Application/OpenMetrics-Text; Version=1.0.0; q=0.9", OPENMETRICS),
        ("application/openmetrics-text;version=2.0.0", TEXT),
        ("application/openmetrics-text;version=0.0.1,text/plain;q=0.5", TEXT),
        ("text/plain,application/openmetrics-text;q=0.5", TEXT),
        ("application/openmetrics-text;q=0", TEXT),
        ("application/openmetrics-text;q=high", TEXT),
        ("application/openmetrics-text;q=nan", TEXT),
        (",;=,;q", TEXT),
        (FROM_PROMETHEUS_2, OPENMETRICS),
        (FROM_PROMETHEUS_3, OPENMETRICS),
    ],
)
def test_the_format_is_the_one_that_the_scraper_wants_most(accept, content_type):
    assert negotiate(accept) == content_type
