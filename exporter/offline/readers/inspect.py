"""An Inspect log as JSON → Run. Every scorer is an evaluator; epochs of a sample are one case, their mean its score."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from msgspec import Struct, field

from .run import Marks, NotReadableError, RunTally, SuiteRun, converted

_MOST_NAMES: Final = 5
_LETTERS: Final = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
"""What Inspect's own scorers say: correct, partially correct, incorrect, no answer."""


class _Score(Struct):
    value: Any = None


class _Sample(Struct):
    id: int | str
    input: str | list[dict[str, Any]] = ""
    scores: dict[str, _Score] | None = None


class _Eval(Struct):
    task: str
    model: str
    eval_id: str = ""
    run_id: str = ""
    packages: dict[str, str] = field(default_factory=dict)


class _Stats(Struct):
    completed_at: str = ""


class _File(Struct):
    status: str
    eval: _Eval
    samples: list[_Sample] | None = None
    stats: _Stats = field(default_factory=_Stats)


def is_ours(document: Any) -> bool:
    """Whether it looks like a file of this tool."""
    return isinstance(document, dict) and isinstance(document.get("eval"), dict) and "task" in document["eval"]


def read(document: Any, marks: Marks) -> SuiteRun:
    """Read the log of a run that ended well; raises NotReadableError."""
    file = converted(document, _File, "inspect")
    if file.status != "success":
        raise NotReadableError(f"$.status: the run ended with {file.status}; push only runs that ended with success")
    if file.samples is None:
        raise NotReadableError("$.samples: the log has none; run Inspect with --log-samples")
    version = f"inspect_ai {file.eval.packages.get('inspect_ai', '')}".strip()
    scores: dict[tuple[str, int | str], list[float]] = {}
    for sample in file.samples:
        for scorer, score in (sample.scores or {}).items():
            for name, value in _numbers(scorer, score.value):
                scores.setdefault((name, sample.id), []).append(value)
    tally = RunTally()
    for (scorer, _), values in scores.items():
        mean = sum(values) / len(values)
        if (passed := marks.passes(scorer, mean)) is not None:
            tally.add(scorer, version, passed=passed, score=mean, model=file.eval.model)
    if scores and not tally.counted():
        names = ", ".join(sorted({name for name, _ in scores})[:_MOST_NAMES])
        raise NotReadableError(
            f"no score is from 0 to 1: say from where on they pass, as --scores NAME:MARK of {names}"
        )
    return SuiteRun(
        tool="inspect",
        counted=tally.counted(),
        questions=tuple(dict.fromkeys(filter(None, map(_question, file.samples)))),
        run_id=file.eval.eval_id or file.eval.run_id,
        suite=file.eval.task,
        ended_at=_seconds(file.stats.completed_at),
    )


def _numbers(scorer: str, value: Any) -> Iterator[tuple[str, float]]:
    """A score as a number; several in one under the names of each. What is no number says nothing."""
    if isinstance(value, str) and value in _LETTERS:
        yield scorer, _LETTERS[value]
    elif isinstance(value, bool | int | float) and value == value:  # noqa: PLR0124 - NaN is not itself
        yield scorer, float(value)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _numbers(f"{scorer}/{name}", inner)


def _question(sample: _Sample) -> str:
    """The text, or what the user says last in a conversation."""
    if isinstance(sample.input, str):
        return sample.input
    said = [turn.get("content") for turn in sample.input if turn.get("role") == "user"]
    return said[-1] if said and isinstance(said[-1], str) else ""


def _seconds(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
