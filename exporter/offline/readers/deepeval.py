"""A test run that DeepEval saved → Run. Every metric is an evaluator; its threshold and model are its version."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct, field

from .run import RunTally, SuiteRun, converted


class _Metric(Struct, rename="camel"):
    name: str
    success: bool
    threshold: float | None = None
    score: float | None = None
    error: str | None = None
    evaluation_model: str | None = None


class _Case(Struct, rename="camel"):
    input: str = ""
    metrics_data: list[_Metric] | None = None


class _File(Struct, rename="camel"):
    test_cases: list[_Case] = field(default_factory=list)
    conversational_test_cases: list[_Case] = field(default_factory=list)
    dataset_alias: str | None = None
    identifier: str | None = None


class _ResultMetric(Struct):
    """A metric in what ``evaluate`` returned, dumped by pydantic."""

    name: str
    success: bool
    threshold: float | None = None
    score: float | None = None
    error: str | None = None
    evaluation_model: str | None = None


class _Result(Struct):
    input: str | None = None
    metrics_data: list[_ResultMetric] | None = None


class _Returned(Struct):
    test_results: list[_Result]


def is_ours(document: Any) -> bool:
    """Whether it looks like a file of this tool."""
    return isinstance(document, dict) and not document.keys().isdisjoint(("testRunData", "testCases", "test_results"))


def read(document: Any) -> SuiteRun:
    """Read the file; a metric that broke off with an error gave no verdict. Raises NotReadableError."""
    cases: Sequence[_Case | _Result]
    suite = ""
    if "test_results" in document:
        cases = converted(document, _Returned, "deepeval").test_results
    else:
        file = converted(document.get("testRunData", document), _File, "deepeval")
        cases = [*file.test_cases, *file.conversational_test_cases]
        suite = file.dataset_alias or file.identifier or ""
    tally = RunTally()
    for case in cases:
        for metric in case.metrics_data or ():
            if metric.error is None and metric.score is not None:
                tally.add(metric.name, _version(metric), passed=metric.success, score=metric.score)
    questions = dict.fromkeys(case.input for case in cases if case.input)
    return SuiteRun(tool="deepeval", counted=tally.counted(), questions=tuple(questions), suite=suite)


def _version(metric: _Metric | _ResultMetric) -> str:
    """What changes when the metric does, as far as the file tells: it does not name the version of DeepEval."""
    parts = ["deepeval", metric.evaluation_model or "", "" if metric.threshold is None else f">={metric.threshold:g}"]
    return " ".join(filter(None, parts))
