"""A Run and what the caller knows of it → the results that are pushed. Knows no file format and no HTTP."""

import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from . import likeness
from .readers.run import NotReadableError, RunCounts, SuiteRun
from .result import MOST_SIGNATURES, OfflineResult

_PASSING: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"\d{4}[-_.]\d{2}[-_.]\d{2}(?:[T_\- .]+\d{2}[-_.:h]?\d{2}(?:[-_.:m]?\d{2}(?:[.,]\d+)?)?)?(?:Z|[+-]\d{2}[-:]?\d{2})?"
    r"|\d{8}(?:[T_\- .]*\d{4,6})?Z?|\d{10,}"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{12,}"
    r")(?![0-9A-Za-z])",
    re.IGNORECASE,
)
"""Dates, times, seconds since 1970, UUIDs and digests."""


class Of(Struct, frozen=True, kw_only=True):
    """What a run is a run of; "" takes what the file says. ``questions``: whether their signatures go along."""

    app: str
    suite: str = ""
    model_version: str = ""
    prompt_version: str = ""
    run_id: str = ""
    questions: bool = True


def results(run: SuiteRun, of: Of, *, name: str, content: bytes, changed_at: float) -> list[OfflineResult]:
    """The results of a run; raises NotReadableError where it has several versions and the caller names but one.

    What the file does not tell is taken from its name, its content and when it was changed (Unix seconds), so that
    the same file pushed twice counts once.
    """
    run_id = of.run_id or run.run_id or blake2b(content, digest_size=16).hexdigest()
    found = [
        OfflineResult(
            suite=of.suite or run.suite or steady(name) or run.tool,
            run_id=run_id,
            evaluator=one.evaluator,
            evaluator_version=one.evaluator_version,
            app=of.app,
            model_version=of.model_version or one.model or "unknown",
            prompt_version=of.prompt_version or one.prompt or "unknown",
            cases=one.cases,
            passed=one.passed,
            mean_score=one.mean_score,
            timestamp=run.ended_at or changed_at,
        )
        for one in run.counted
    ]
    _refuse_merged(found, run.counted)
    return with_questions(found, run.questions) if of.questions else found


def steady(name: str) -> str:
    """A file's name without the times and random ids in it, so that all runs of a suite have one name."""
    return _PASSING.sub("", name).strip(" ._-")


def with_questions(found: list[OfflineResult], questions: Iterable[str]) -> list[OfflineResult]:
    """The results, with the signatures of the first MOST_SIGNATURES questions at the first of them."""
    signatures = dict.fromkeys(filter(None, map(likeness.signature, questions)))
    written = tuple(likeness.written(one) for one in list(signatures)[:MOST_SIGNATURES])
    return [replace(found[0], signatures=written), *found[1:]]


def _refuse_merged(found: list[OfflineResult], counted: tuple[RunCounts, ...]) -> None:
    keys = {(one.evaluator, one.evaluator_version, one.model_version, one.prompt_version) for one in found}
    if len(keys) < len(found):
        models, prompts = {one.model for one in counted}, {one.prompt for one in counted}
        raise NotReadableError(
            f"holds {len(models)} models and {len(prompts)} prompts: leave out --model-version or --prompt-version"
        )
