"""What ``promptfoo eval --output FILE.json`` writes, or .jsonl → Run. An evaluator is an assertion's metric or type."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from msgspec import Struct, field

from .run import QUESTION_FIELDS, RunTally, SuiteRun, converted

WHOLE: Final = "promptfoo"
"""The evaluator that stands for all assertions of a case together."""
_ERROR: Final = 2


class _Assertion(Struct):
    type: str = ""
    metric: str = ""


class _Component(Struct, rename={"passed": "pass"}):
    passed: bool
    score: float | None = None
    assertion: _Assertion | None = None


class _Grading(Struct, rename={"components": "componentResults"}):
    components: list[_Component] | None = None


class _Provider(Struct):
    id: str = ""
    label: str = ""


class _Prompt(Struct):
    raw: str = ""


class _Case(Struct, rename="camel"):
    success: bool
    provider: _Provider
    score: float | None = None
    prompt: _Prompt = field(default_factory=_Prompt)
    prompt_id: str = ""
    prompt_idx: int = 0
    failure_reason: int = 0
    grading_result: _Grading | None = None
    vars: dict[str, Any] = field(default_factory=dict)


class _Results(Struct):
    results: list[_Case]


class _Metadata(Struct, rename="camel"):
    promptfoo_version: str = ""
    evaluation_created_at: datetime | None = None


class _Config(Struct):
    description: str | None = None


class _File(Struct, rename="camel"):
    eval_id: str
    results: _Results
    metadata: _Metadata = field(default_factory=_Metadata)
    config: _Config = field(default_factory=_Config)


def is_ours(document: Any) -> bool:
    """Whether it looks like a file of this tool."""
    if isinstance(document, list):
        return bool(document) and all(
            isinstance(one, dict) and {"promptIdx", "success"} <= one.keys() for one in document
        )
    return isinstance(document, dict) and "evalId" in document and "results" in document


def read(document: Any) -> SuiteRun:
    """Read the file; a case that broke off with an error has no verdict. Raises NotReadableError."""
    if isinstance(document, list):
        document = {"evalId": "", "results": {"results": document}}
    file = converted(document, _File, "promptfoo")
    version = f"promptfoo {file.metadata.promptfoo_version}".strip()
    cases = file.results.results
    many_prompts = len({case.prompt_idx for case in cases}) > 1
    tally = RunTally()
    for case in cases:
        if case.failure_reason == _ERROR:
            continue
        model, prompt = case.provider.label or case.provider.id, case.prompt_id[:12] if many_prompts else ""
        for evaluator, passed, score in _verdicts(case):
            tally.add(evaluator, version, passed=passed, score=score, model=model, prompt=prompt)
    at = file.metadata.evaluation_created_at
    return SuiteRun(
        tool="promptfoo",
        counted=tally.counted(),
        questions=tuple(dict.fromkeys(_question(case) for case in cases)),
        run_id=file.eval_id,
        suite=file.config.description or "",
        ended_at=at.timestamp() if at else None,
    )


def _verdicts(case: _Case) -> Iterator[tuple[str, bool, float | None]]:
    """The case as a whole, and each evaluator once: it passes a case if all its assertions do."""
    yield WHOLE, case.success, case.score
    by_name: dict[str, list[_Component]] = {}
    for one in (case.grading_result.components or ()) if case.grading_result else ():
        if one.assertion is not None and (name := one.assertion.metric or one.assertion.type):
            by_name.setdefault(name, []).append(one)
    for name, ones in by_name.items():
        scores = [one.score for one in ones if one.score is not None]
        mean = sum(scores) / len(scores) if len(scores) == len(ones) else None
        yield name, all(one.passed for one in ones), mean


def _question(case: _Case) -> str:
    """The variable that is named like a question, or the only text among them, or else the whole prompt."""
    texts = {name: value for name, value in case.vars.items() if isinstance(value, str)}
    for name in QUESTION_FIELDS:
        if name in texts:
            return texts[name]
    return next(iter(texts.values())) if len(texts) == 1 else case.prompt.raw
