from typing import get_args

from exporter.config import load
from exporter.config.cardinality import series_cost
from exporter.evaluators import built_in
from exporter.evaluators.panel import Panel
from exporter.metrics import families as f
from exporter.metrics.labels import Limiter, Slice
from exporter.metrics.registry import Metrics
from exporter.metrics.slice_budget import SLICES
from exporter.model.score import Evaluation, FailureReason, Outcome
from exporter.model.trace import Trace
from exporter.recording import external_evaluations
from exporter.semconv.errors import ERROR_KINDS
from exporter.suites import coverage, results

FURTHER = {
    "first_token_seconds": 0.5,
    "generation_seconds": 2.5,
    "generation_tokens": 100,
    "retries": 1,
    "fallbacks": 1,
}
"""What a trace's calls can tell beside their answer."""
ENDS = ("", "_bucket", "_sum", "_count")


EVALUATORS = len(built_in().evaluators)


def costs(tmp_path, text=""):
    path = tmp_path / "llmq.yaml"
    path.write_text(text)
    return {cost.metric: cost for cost in series_cost(load(path))}


SMALL = "labels: {slices: 1000, budgets: {app: 2, route: 3, model_version: 1, prompt_version: 1}}\n"


def test_every_combination_of_values_also_unknown_and_other_is_the_worst_case(tmp_path):
    found = costs(tmp_path, SMALL)
    assert found["llmq_requests_total"].worst == 4 * 5 * 3 * 3
    assert found["llmq_evaluations_total"].worst == (EVALUATORS * 4 * 5 * 3 * 3 + external_evaluations.MOST_KINDS) * 2
    assert found["llmq_evaluation_failures_total"].worst == EVALUATORS * len(get_args(FailureReason))


def test_a_route_is_one_apps_in_the_likely_case(tmp_path):
    found = costs(tmp_path, SMALL)
    assert found["llmq_requests_total"].likely == 3


def test_the_budget_of_slices_bounds_the_product_of_the_labels(tmp_path):
    found = costs(tmp_path, "labels: {slices: 10, budgets: {app: 2}}")
    assert found["llmq_requests_total"].worst == 10 + 4
    assert found["llmq_request_duration_seconds"].worst == (10 + 4) * 14


def test_a_route_has_as_many_versions_as_are_likely(tmp_path):
    assert costs(tmp_path, "labels: {slices: 1000}")["llmq_requests_total"].likely == 50 * 2 * 2


def test_a_disabled_evaluator_costs_nothing(tmp_path):
    every, fewer = costs(tmp_path), costs(tmp_path, "evaluators: {grounding: {enabled: false}}")
    assert every["llmq_evaluations_total"].likely == EVALUATORS * (
        every["llmq_evaluations_total"].likely - fewer["llmq_evaluations_total"].likely
    )
    assert every["llmq_evaluations_total"].worst - fewer["llmq_evaluations_total"].worst == 2 * (SLICES + 22)


def test_an_allow_list_replaces_the_budget(tmp_path):
    found = costs(tmp_path, "labels: {allow: {app: [a], route: [b], model_version: [c], prompt_version: [d]}}")
    assert found["llmq_requests_total"].worst == 3**4
    assert found["llmq_requests_total"].likely == 1


def test_a_pass_mark_of_its_own_costs_a_bucket(tmp_path):
    before, after = costs(tmp_path), costs(tmp_path, "evaluators: {grounding: {pass_mark: 0.55}}")
    name = "llmq_evaluation_score"
    buckets = before[name].likely // (EVALUATORS * 100)
    assert after[name].likely == (buckets + 1) * EVALUATORS * 100


def test_no_metric_about_quality_ever_has_more_series_than_the_worst_case(tmp_path):
    path = tmp_path / "llmq.yaml"
    path.write_text(SMALL)
    config = load(path)
    panel = Panel(config.evaluators, built_in())
    metrics = Metrics(version="1", evaluators=panel.names, pass_marks=panel.pass_marks)
    limiter = Limiter(config.labels.budgets)
    tally = metrics.tally()
    for number in range(300):
        trace = Trace(
            trace_id=f"{number:032x}",
            app=f"app-{number % 7}",
            route=f"/{'abcdefghijk'[number % 11]}",
            model_version=f"m{number % 3}",
            prompt_version="unknown" if number % 2 else f"v{number % 5}",
            content_state="answered" if number % 10 else "error",
            answer="I can't help with that." if number % 4 else "It is 42.",
            input_tokens=1,
            output_tokens=1,
            duration_seconds=1.0,
            **FURTHER,
            error_kind=ERROR_KINDS[number // 10 % len(ERROR_KINDS)],
        )
        where = limiter.slice(trace.app, trace.route, trace.model_version, trace.prompt_version)
        tally.trace_recorded(where, trace, panel.evaluate(trace), 0.1)
    metrics.apply(tally)
    lines = metrics.expose("")[0].decode().splitlines()
    counts = {
        cost.metric: sum(line.startswith(tuple(f"{cost.metric}{end}{{" for end in ENDS)) for line in lines)
        for cost in series_cost(config)
        if not cost.metric.startswith("llmq_exporter")
    }
    moved_later = ("llmq_judge_", "llmq_feedback_", "llmq_review_", "llmq_offline_", "llmq_evaluation_failures_total")
    assert [metric for metric, count in counts.items() if not count and not metric.startswith(moved_later)] == []
    assert [cost for cost in series_cost(config) if counts.get(cost.metric, 0) > cost.worst] == []


def test_offline_results_cost_at_most_what_the_desk_keeps(tmp_path):
    found = costs(tmp_path)
    for metric in ("llmq_offline_cases", "llmq_offline_passed_cases", "llmq_offline_timestamp_seconds"):
        assert found[metric].likely <= found[metric].worst == results.MOST
    assert found["llmq_offline_cases"].worst_bytes > 0
    assert found["llmq_offline_questions"].worst == coverage.MOST_SUITES


def test_a_scrape_of_the_default_budgets_stays_below_ten_megabytes():
    """Every evaluator scores every slice, every signal is given everywhere, all that outsiders may name is named."""
    config = load()
    panel = Panel(config.evaluators, built_in())
    limiter = Limiter(config.labels.budgets, slices=config.labels.slices)
    metrics = Metrics(version="1", evaluators=panel.names, pass_marks=panel.pass_marks, limiter=limiter)
    tally = metrics.tally()
    for where in _slices(config, limiter):
        _fill(tally, where, panel)
    for number in range(results.MOST):
        labels = (f"suite-{number}", "faithfulness", "3", "support-assistant", "model-2026-08-06", f"answer@v{number}")
        for family in f.OFFLINE_GAUGES:
            metrics.measured(family, labels, 1.0)
    metrics.apply(tally)
    size = len(metrics.expose()[0])
    estimated = sum(cost.worst_bytes for cost in series_cost(config))
    assert size < 10_000_000
    assert 0.8 * estimated < size < 1.2 * estimated


def _slices(config, limiter):
    """As many slices as the default budgets admit, and those that name an app alone."""
    apps = [f"support-assistant-{number}" for number in range(config.labels.budgets["app"])]
    told = [
        Slice(
            apps[number % len(apps)],
            f"/v1/chat/{'abcdefghij'[number // 20 % 10]}",
            "model-2026-08-06",
            f"answer@v{number}",
        )
        for number in range(10 * config.labels.slices)
    ]
    for one in told:
        limiter.slice(*one)
    return [*limiter.slices.shown, *(Slice(app, "__other__", "__other__", "__other__") for app in apps)]


def _fill(tally, where, panel):
    kinds = [(name, "1") for name in panel.names] + [("reported_relevance", "v1"), ("reported_tone", "v1")]
    evaluations = tuple(
        Evaluation(evaluator=name, evaluator_version=version, verdict="pass", score=0.5) for name, version in kinds
    )
    trace = Trace(trace_id="a" * 32, input_tokens=1, output_tokens=1, duration_seconds=1.0, **FURTHER)
    tally.trace_recorded(where, trace, Outcome(evaluations=evaluations), 0.1)
    for kind in ERROR_KINDS:
        tally.trace_recorded(where, Trace(trace_id="b" * 32, content_state="error", error_kind=kind), Outcome(), None)
    for signal in ("thumbs_up", "thumbs_down", "regenerate", "edit", "abandon", "copy"):
        tally.feedback(where, signal, "explicit", "a" * 32)
    for signal in ("regenerate", "rephrase", "abandon"):
        tally.feedback(where, signal, "derived", "a" * 32)
    tally.edited(where, 0.5, "a" * 32)
    tally.offline_failure(*where[:2], "a" * 32, covered=False)
