"""Results of evaluators: a score and a verdict, not applicable with a reason, or a failure."""

from typing import Literal

from msgspec import Struct

Verdict = Literal["pass", "fail"]
Sample = Literal["all", "random", "floor", "targeted", "shadow"]
"""Which traces were scored: every one, some drawn by chance, more of a thin slice, hard cases; SLIs read the first two.

Shadow: drawn by chance, and scored by a judge version that does not count yet.
"""
SkipReason = Literal["not_applicable", "not_captured", "language", "schema"]
"""Why an evaluator skips a trace: nothing to look at; text that did not arrive, or was cut on its way; a language
that the evaluator does not know; a schema that cannot be used."""
UnscoredReason = Literal[SkipReason, "sampled_out", "over_budget", "gated", "withheld", "forgotten", "late"]
JudgeFailure = Literal[
    "timeout", "unreachable", "http_error", "rate_limited", "unparseable", "pin_mismatch", "refused", "expired"
]
"""Why a judge gave no verdict."""
FailureReason = Literal["exception", "invalid_result", "budget", "crashed", JudgeFailure]

Stage = Literal["read", "decode", "assemble", "late", "normalise", "evaluate", "record", "commit"]
"""What is done with a request (read: before it is acknowledged), then with a trace, in this order."""


class Score(Struct, frozen=True):
    """A score: ``value`` in 0..1, higher is better; ``passed`` where the pass mark does not decide.

    ``explanation`` says why in words of ours alone; ``quotes`` are pieces of the trace's own text (such as the
    unsupported sentences) and are stored only where content is.
    """

    value: float
    passed: bool | None = None
    explanation: str = ""
    quotes: tuple[str, ...] = ()


class Skipped(Struct, frozen=True):
    """An evaluator's answer where it can give no score, and why; None says the same with ``not_applicable``."""

    reason: SkipReason


class Evaluation(Struct, frozen=True, kw_only=True, gc=False):
    """A Score with its evaluator, version and verdict."""

    evaluator: str
    evaluator_version: str
    verdict: Verdict
    score: float
    sample: Sample = "all"
    explanation: str = ""
    quotes: tuple[str, ...] = ()


class Unscored(Struct, frozen=True, kw_only=True, gc=False):
    """An evaluator that gave no verdict on a trace, and why that is right."""

    evaluator: str
    reason: UnscoredReason


class Failure(Struct, frozen=True, kw_only=True, gc=False):
    """An evaluator that should have given a verdict and could not; ``detail`` never holds text of the trace."""

    evaluator: str
    evaluator_version: str
    reason: FailureReason
    detail: str = ""


class Outcome(Struct, frozen=True, kw_only=True):
    """All evaluator results for one Trace; ``durations`` are seconds by evaluator, of those that ran."""

    evaluations: tuple[Evaluation, ...] = ()
    unscored: tuple[Unscored, ...] = ()
    failures: tuple[Failure, ...] = ()
    durations: tuple[tuple[str, float], ...] = ()
