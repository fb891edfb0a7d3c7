"""A Ragas result (``to_pandas()`` as JSON or CSV) → Run. Each column of scores alone is an evaluator.

Ragas puts its metrics behind the fields of the sample. A table without answers is a data set, whatever numbers it has.
"""

import math
import re
from typing import Any, Final

from .run import QUESTION_FIELDS, Marks, NotReadableError, RunTally, SuiteRun
from .tables import Row, rows

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
        "output",
        "actual_output",
        "prediction",
        "completion",
        "label",
        "labels",
        "target",
        "gold",
        "fold",
        "split",
        "temperature",
        "top_p",
        "latency",
        "cost",
    }
)
"""The fields of a sample, and what is known of samples: never a metric."""
_ANSWERS: Final = frozenset({"response", "answer", "output", "actual_output", "prediction", "completion"})
_METRICS: Final = re.compile(
    "faithfulness|answer_(?:relevancy|correctness|similarity|accuracy)|response_(?:relevancy|groundedness)|"
    "context_(?:precision|recall|relevance|entity_recall|utilization)|semantic_similarity|factual_correctness|"
    "nv_.+|llm_context_.+|non_llm_.+|.*(?:exact_match|string_presence|string_present|rouge_score|bleu_score).*"
)
"""Names of metrics that come with Ragas; they may have a mode in brackets behind them."""
_WORDS: Final = {"pass": 1.0, "true": 1.0, "fail": 0.0, "false": 0.0}


def is_ours(document: Any) -> bool:
    """Whether it looks like a table of this tool."""
    found = rows(document)
    return bool(found) and not found[0].keys().isdisjoint(("user_input", "question"))  # type: ignore[index]


def read(document: Any, marks: Marks) -> SuiteRun:
    """Read the table; a metric gave no verdict where its cell is empty. Raises NotReadableError."""
    table = rows(document) or []
    for number, row in enumerate(table, 1):
        if not isinstance(row, dict):
            raise NotReadableError(f"row {number}: not an object; write the rows with to_pandas().to_json")
    if not (metrics := _metrics(table, marks)):
        raise NotReadableError(
            "not a result file of ragas: no column holds nothing but scores from 0 to 1; if one is a score on another "
            "scale, name it by --scores NAME:MARK"
        )
    tally = RunTally()
    for name in metrics:
        for score in (score for row in table if (score := _number(row.get(name))) is not None):
            if (passed := marks.passes(name, score)) is not None:
                tally.add(name, f"ragas {marks.written(name)}", passed=passed, score=score)
    questions = (next((row[name] for name in QUESTION_FIELDS if isinstance(row.get(name), str)), None) for row in table)
    return SuiteRun(tool="ragas", counted=tally.counted(), questions=tuple(dict.fromkeys(filter(None, questions))))


def _metrics(table: list[Row], marks: Marks) -> list[str]:
    """The columns that are named, those of metrics that are known, and the scores behind everything else."""
    names = list(dict.fromkeys(name for row in table for name in row))
    given = [name for name in names if name in marks.named and all(_is_number(row.get(name)) for row in table)]
    first = next(place for place, name in enumerate(names) if name in QUESTION_FIELDS)
    scores = [name for name in names[first:] if name.strip() and name not in _SAMPLE and _is_score(table, name)]
    known = {name for name in scores if _METRICS.fullmatch(name.partition("(")[0].strip().lower())}
    if not known and _ANSWERS.isdisjoint(names):
        return given
    last = 1 + max(place for place, name in enumerate(names) if name not in scores)
    return [name for name in names if name in given or name in known or (name in scores and name in names[last:])]


def _is_score(table: list[Row], name: str) -> bool:
    """Whether a column has numbers, and every cell that is not empty is from 0 to 1."""
    cells = [row.get(name) for row in table]
    if not all(map(_is_number, cells)):
        return False
    numbers = [number for number in map(_number, cells) if number is not None]
    return bool(numbers) and all(0.0 <= number <= 1.0 for number in numbers)


def _is_number(value: Any) -> bool:
    """Whether a cell is empty or a number; "pass" and the like are numbers, too."""
    try:
        return _is_empty(value) or (isinstance(value, str | int | float) and _value(value) is not None)
    except (ValueError, OverflowError):
        return False


def _is_empty(value: Any) -> bool:
    return value is None or value == ""


def _number(value: Any) -> float | None:
    """The number of a JSON or CSV cell; None where it has none."""
    number = math.nan if _is_empty(value) else _value(value)
    return number if math.isfinite(number) else None


def _value(value: str | float) -> float:
    word = _WORDS.get(value.strip().lower()) if isinstance(value, str) else None
    return float(value) if word is None else word
