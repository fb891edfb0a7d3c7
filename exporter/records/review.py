"""Review items: their claims, skips and labels, and what reviewers are shown. Times are Unix seconds."""

from collections import Counter
from typing import Final, Literal
from unicodedata import normalize

from msgspec import Struct

from ..model.score import Verdict

State = Literal["held", "waiting", "claimed", "disputed", "done"]
STATES: Final[tuple[State, ...]] = ("held", "waiting", "claimed", "disputed", "done")
Ending = Literal["decided", "majority", "undecided", "skipped", "expired"]
MOST_MORE: Final = 2
"""So many labels beyond those that were asked for may be wanted to settle a disagreement."""


def is_same(one: str, other: str) -> bool:
    """Whether two names are one person's: "Ann Lee" and "ann  lee" are not two people."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return " ".join(normalize("NFKC", name).casefold().split())


class Claim(Struct, frozen=True, kw_only=True):
    """A reviewer's exclusive claim on an item, with its end."""

    reviewer: str
    at: float
    until: float


class Skip(Struct, frozen=True, kw_only=True):
    """A reviewer declined to label the item."""

    reviewer: str
    at: float
    note: str = ""


class Answer(Struct, frozen=True, kw_only=True):
    """A reviewer's verdict on the answer, for the question of one evaluator."""

    evaluator: str
    verdict: Verdict
    note: str = ""


class Label(Struct, frozen=True, kw_only=True):
    """All verdicts of one reviewer on an item. ``token``: name of the bearer token; ``seconds`` since the claim."""

    reviewer: str
    at: float
    answers: tuple[Answer, ...] = ()
    corrected: str | None = None
    token: str = ""
    seconds: float = 0.0

    def verdict(self, evaluator: str) -> Verdict | None:
        """The verdict by an evaluator's question, if it was answered."""
        return next((one.verdict for one in self.answers if one.evaluator == evaluator), None)


class Item(Struct, frozen=True, kw_only=True):
    """A trace in the review queue: the reasons, its slice, the questions, labels wanted, and labels given.

    ``reason`` is the queue that it stands in, ``why`` every reason that held. ``ready_at``: until then it waits for
    late scores. ``size`` is that of its text in bytes. ``user`` as the trace named them, for deletion on demand.
    """

    trace_id: str
    reason: str
    why: tuple[str, ...]
    where: tuple[str, str, str, str]
    ask: tuple[str, ...]
    annotators: int
    created_at: float
    ready_at: float
    sketch: tuple[int, ...] = ()
    size: int = 0
    user: str | None = None
    claims: tuple[Claim, ...] = ()
    skips: tuple[Skip, ...] = ()
    labels: tuple[Label, ...] = ()
    disputed: tuple[str, ...] = ()
    """The evaluators of which people differed."""
    ended: Ending | None = None
    done_at: float | None = None

    @property
    def is_untouched(self) -> bool:
        """Nobody has claimed, skipped or labelled it."""
        return not (self.claims or self.skips or self.labels or self.ended)

    def state(self, now: float) -> State:
        """Where it stands."""
        if self.ended:
            return "done"
        if now < self.ready_at:
            return "held"
        if self.active(now) and not self.places(now):
            return "claimed"
        return "disputed" if self.disputed else "waiting"

    def active(self, now: float) -> tuple[Claim, ...]:
        """The claims that have not run out."""
        return tuple(claim for claim in self.claims if claim.until > now)

    def claim_of(self, reviewer: str, now: float) -> Claim | None:
        """The claim that a reviewer has."""
        return next((claim for claim in self.active(now) if is_same(claim.reviewer, reviewer)), None)

    def label_of(self, reviewer: str) -> Label | None:
        """What a reviewer said."""
        return next((label for label in self.labels if is_same(label.reviewer, reviewer)), None)

    def has_skipped(self, reviewer: str) -> bool:
        """Whether a reviewer did not want to say."""
        return any(is_same(skip.reviewer, reviewer) for skip in self.skips)

    def places(self, now: float, besides: str = "") -> int:
        """How many more people may take it, not counting the claim of ``besides``."""
        taken = sum(not is_same(claim.reviewer, besides) for claim in self.active(now))
        return 0 if self.ended else wanted(self) - len(self.labels) - taken

    def is_for(self, reviewer: str, now: float) -> bool:
        """Whether the reviewer may claim it now: each has one say, and none after a skip."""
        said = self.label_of(reviewer) or self.has_skipped(reviewer)
        return now >= self.ready_at and not said and self.places(now, reviewer) > 0

    def verdicts(self) -> dict[str, Verdict]:
        """What people say, by evaluator, where more say so than say otherwise."""
        found: dict[str, Verdict] = {}
        for evaluator in self.ask:
            votes = counts(self, evaluator)
            if votes["pass"] != votes["fail"]:
                found[evaluator] = "pass" if votes["pass"] > votes["fail"] else "fail"
        return found


def wanted(item: Item) -> int:
    """How many labels it needs: those that were asked for, and one more while people are split, within bounds."""
    if len(item.labels) < item.annotators:
        return item.annotators
    more = any(counts(item, evaluator)["pass"] == counts(item, evaluator)["fail"] > 0 for evaluator in item.ask)
    return min(len(item.labels) + more, item.annotators + MOST_MORE)


class RetrievedDocument(Struct, frozen=True, kw_only=True):
    """One document that the application retrieved."""

    id: str | None
    text: str


class ScoredBy(Struct, frozen=True, kw_only=True):
    """An evaluator's result for the trace; ``quotes`` are the passages of the answer that it objects to."""

    evaluator: str
    evaluator_version: str
    verdict: str
    score: float
    sample: str
    explanation: str
    quotes: tuple[str, ...] = ()

    @property
    def is_of_judge(self) -> bool:
        """Whether a judge said it: evaluators that are code score every trace."""
        return self.sample != "all"


class Evidence(Struct, frozen=True, kw_only=True):
    """An item's text, and everything that was said of it."""

    question: str
    answer: str
    context: tuple[RetrievedDocument, ...] = ()
    tools: tuple[str, ...] = ()
    """The names of the tools that the model called."""
    finish_reason: str | None = None
    conversation_id: str | None = None
    evaluations: tuple[ScoredBy, ...] = ()
    signals: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Approximate bytes."""
        texts = (self.question, self.answer, *(one.text for one in self.context), *self.comments)
        return sum(len(text.encode("utf-8", "replace")) for text in texts)


def counts(item: Item, evaluator: str) -> Counter[str]:
    """How many said so, by verdict."""
    return Counter(verdict for label in item.labels if (verdict := label.verdict(evaluator)))
