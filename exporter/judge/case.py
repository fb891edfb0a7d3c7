"""The types of a judge call: cases, judgements, failures. Knows no endpoint, no store and no metric."""

from typing import Final, Literal, Self

from msgspec import Struct

from ..model.score import JudgeFailure, Verdict
from ..model.stops import CURES, StopReason
from ..model.trace import Trace

Blame = Literal["case", "judge", "endpoint"]
"""What a failed call tells something of: this case; the judge as it is configured; the endpoint, which may recover."""

_ENDPOINT: Final = frozenset({"timeout", "unreachable", "http_error", "rate_limited"})
_NOT_THE_CASE: Final = frozenset({"credentials", "not_found"})
"""Reasons that no case can bring about: its job waits for the cure and has lost nothing."""


class Case(Struct, frozen=True, kw_only=True):
    """The input of a judge call, from a trace or an anchor: a question, an answer, and the documents behind it."""

    question: str
    answer: str
    context: tuple[str, ...] = ()
    model: str = ""
    """Who answered, for the judge's liking of its own family; never shown to the judge."""

    @classmethod
    def of(cls, trace: Trace) -> Self | None:
        """The case that a trace makes; None where question or answer were not sent."""
        answer = trace.answer or trace.refusal
        if not trace.question or not answer:
            return None
        context = tuple(document.text for document in trace.context)
        return cls(question=trace.question, answer=answer, context=context, model=trace.model_version)


class Usage(Struct, frozen=True):
    """Tokens that one call was billed for."""

    input: int = 0
    output: int = 0


class Judgement(Struct, frozen=True, kw_only=True):
    """A judge's verdict on one case: ``score`` in 0..1, higher is better; ``model`` and ``fingerprint`` as replied."""

    verdict: Verdict
    score: float
    explanation: str = ""
    model: str = ""
    fingerprint: str = ""
    usage: Usage = Usage()
    seconds: float = 0.0


class JudgeError(Exception):
    """A call gave no verdict. ``usage`` is what it was billed all the same; ``retry`` says whether to try again.

    ``after`` is how many seconds the endpoint asked to wait. ``stop`` is why the judge can give no verdict at all, if
    every call ends like this one; ``replied`` the name under which the model replied. ``suspect``: the endpoint failed,
    and the case itself may be why. The message never holds text of a case.
    """

    def __init__(
        self,
        reason: JudgeFailure,
        message: str,
        *,
        retry: bool = True,
        after: float | None = None,
        usage: Usage = Usage(),  # noqa: B008 (frozen)
        stop: StopReason | None = None,
        replied: str = "",
        suspect: bool = False,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry = retry
        self.after = after
        self.usage = usage
        self.stop = stop
        self.replied = replied
        self.suspect = suspect

    @property
    def mismatch(self) -> str:
        """What is not as pinned, "model" or "fingerprint"; "" where both are."""
        return self.stop or "" if self.reason == "pin_mismatch" else ""

    @property
    def cure(self) -> str:
        """What the operator can do, as the end of a sentence; "" where there is nothing but to wait."""
        return CURES[self.stop] if self.stop else ""

    @property
    def blame(self) -> Blame:
        """Whom this failure tells something of."""
        if self.stop is None and self.reason in _ENDPOINT and self.retry:
            return "endpoint"
        return "judge" if self.stop in _NOT_THE_CASE else "case"
