"""Rows of a Ragas result (``to_pandas()`` as JSON or CSV) → Run. Each column of numbers alone is an evaluator."""

import math
from typing import Any, Final

from .run import QUESTION_FIELDS, NotReadableError, Run, Tally

_SAMPLE: Final = frozenset(
    {
        *QUESTION_FIELDS,
        "response",
        "reference",
        "retrieved_contexts",
        "reference_contexts",
        "retrieved_context_ids",
        "reference_context_ids",
        "rubrics",
        "rubric",
        "answer",
        "contexts",
        "ground_truth",
        "ground_truths",
        "expected",
        "expected_answer",
        "expected_output",
        "id",
        "persona_name",
        "query_style",
        "query_length",
        "synthesizer_name",
    }
)
"""The fields of a sample; what else holds nothing but numbers is a metric."""


def is_ours(document: Any) -> bool:
    """Whether it looks like rows of this tool."""
    first = document[0] if isinstance(document, list) and document else None
    return isinstance(first, dict) and ("user_input" in first or "question" in first)


def read(rows: Any, pass_mark: float) -> Run:
    """Read the rows; a metric passes a case from ``pass_mark`` on, and gave no verdict where its cell is empty."""
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise NotReadableError(f"row {number}: not an object; write the rows with to_pandas().to_json")
    if not (metrics := _metrics(rows)):
        raise NotReadableError("not a result file of ragas: no column holds nothing but scores")
    tally = Tally()
    for name in metrics:
        for score in (score for row in rows if (score := _number(row.get(name))) is not None):
            tally.add(name, f"ragas >={pass_mark:g}", passed=score >= pass_mark, score=score)
    questions = (next((row[name] for name in QUESTION_FIELDS if isinstance(row.get(name), str)), None) for row in rows)
    return Run(tool="ragas", counted=tally.counted(), questions=tuple(dict.fromkeys(filter(None, questions))))


def _metrics(rows: list[dict[str, Any]]) -> list[str]:
    """The columns that Ragas added: behind the sample's first one, before which an index may stand, numbers alone."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    first = next(place for place, name in enumerate(names) if name in QUESTION_FIELDS)
    return [
        name
        for name in names[first:]
        if name.strip() and name not in _SAMPLE and all(_is_empty_or_number(row.get(name)) for row in rows)
    ]


def _is_empty_or_number(value: Any) -> bool:
    try:
        return value is None or value == "" or (isinstance(value, str | int | float) and float(value) is not None)
    except (ValueError, OverflowError):
        return False


def _number(value: Any) -> float | None:
    """The number of a JSON or CSV cell."""
    number = math.nan if value is None or value == "" else float(value)
    return number if math.isfinite(number) else None
