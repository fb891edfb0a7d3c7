"""Rows of a Ragas result (``to_pandas()`` as JSON or CSV) → Run. Every column of numbers is an evaluator."""

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
        "persona_name",
        "query_style",
        "query_length",
        "synthesizer_name",
    }
)
"""The fields of a sample; what else holds numbers is a metric."""


def is_ours(document: Any) -> bool:
    """Whether it looks like rows of this tool."""
    first = document[0] if isinstance(document, list) and document else None
    return isinstance(first, dict) and ("user_input" in first or "question" in first)


def read(rows: Any, pass_mark: float) -> Run:
    """Read the rows; a metric passes a case from ``pass_mark`` on, and gave no verdict where its cell is empty."""
    tally = Tally()
    questions: dict[str, None] = {}
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise NotReadableError(f"row {number}: not an object; write the rows with to_pandas().to_json")
        question = next((row[name] for name in QUESTION_FIELDS if isinstance(row.get(name), str)), None)
        if question:
            questions[question] = None
        for name, value in row.items():
            score = None if name in _SAMPLE else _number(value)
            if score is not None:
                tally.add(name, f"ragas >={pass_mark:g}", passed=score >= pass_mark, score=score)
    return Run(tool="ragas", counted=tally.counted(), questions=tuple(questions))


def _number(value: Any) -> float | None:
    """The number of a JSON or CSV cell."""
    try:
        number = float(value) if isinstance(value, str | int | float) else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None
