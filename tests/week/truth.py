"""What the script of tests/test_week.py knows to be true, counted as it goes; never looks at the exporter."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

REFUSAL = "I'm sorry, but I can't help with that."
WRONG = "The warranty covers water damage and theft abroad."
FACT = "The parcel is kept at the nearest shop for seven days, and a signature is needed above 500 euros."
SUITE = [
    f"Where is the {words}?"
    for words in ("invoice folder", "parking garage", "loyalty voucher", "spare charger", "museum ticket")
]
NEGATIVE = {"thumbs_down", "regenerate", "rephrase", "abandon"}
RATINGS = {"thumbs_up", "thumbs_down"}
WAIT, EARLY = 120, 86_400
"""Seconds that an item waits for late scores, and early feedback for its trace."""


@dataclass
class Turn:
    """One question and its answer, and all that the script knows of it."""

    trace_id: str
    app: str
    where: tuple[str, str, str, str]
    question: str
    kind: str
    conversation: str
    user: str
    has_context: bool
    signal: str = ""
    """What the question says of the answer before it."""
    got_the_same: bool = False
    """Whether it was asked again, and the answer was the same."""
    said: dict[tuple[str, str], str] = field(default_factory=dict)
    judged: dict[str, str] = field(default_factory=dict)
    routed: set[str] = field(default_factory=set)

    @property
    def answer(self):
        return {"good": FACT, "wrong": WRONG, "refusal": REFUSAL, "empty": ""}[self.kind]

    @property
    def fails(self):
        return self.kind in ("refusal", "empty") or (self.kind == "wrong" and self.has_context)

    @property
    def is_hard(self):
        return self.kind == "refusal" or (self.kind == "wrong" and self.has_context)


@dataclass
class Item:
    """A case in the review queue as the script knows it."""

    turn: Turn
    reason: str
    created: float
    claims: dict[str, float] = field(default_factory=dict)
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)
    corrected: str | None = None
    disputed: bool = False
    done: float | None = None

    @property
    def wanted(self):
        return {"failed": 2, "complaint": 1}[self.reason] + self.disputed

    @property
    def ask(self):
        return ["helpfulness"] + ["faithfulness"] * (self.turn.has_context and self.turn.kind != "empty")

    @property
    def is_untouched(self):
        return not (self.claims or self.labels or self.skipped)

    def is_free(self, reviewer, now):
        taken = sum(until > now for who, until in self.claims.items() if who != reviewer)
        said = reviewer in self.labels or reviewer in self.skipped
        return self.done is None and not said and self.wanted - len(self.labels) - taken > 0

    def state(self, now):
        if self.done is not None:
            return "done"
        if now < self.created + WAIT:
            return "held"
        active = sum(until > now for until in self.claims.values())
        if active and self.wanted - len(self.labels) - active <= 0:
            return "claimed"
        return "disputed" if self.disputed else "waiting"

    def verdicts(self):
        said = {one: Counter(label[one] for label in self.labels.values()) for one in self.ask}
        return {one: "pass" if counts["pass"] > counts["fail"] else "fail" for one, counts in said.items()}


class Truth:
    """What must be counted, kept without a look at the exporter: (metric, labels) → number."""

    def __init__(self, clock):
        self.clock = clock
        self.numbers = Counter()
        self.turns = {}
        self.items = {}
        self.queued = set()
        self.ids = set()
        self.waiting = defaultdict(list)
        self.last = {}
        """The last turn of each conversation."""
        self.going_on = set()
        self.failures = set()
        self.edits = []

    def add(self, metric, *labels, by=1):
        self.numbers[(metric, *labels)] += by

    # Traces.

    def recorded(self, turn):
        before = self.last.get(turn.conversation)
        if turn.signal:
            self.signal(before, turn.signal, "derived")
            turn.got_the_same = bool(turn.answer) and turn.answer == before.answer
        self.last[turn.conversation] = turn
        self.going_on.add(turn.conversation)
        self.turns[turn.trace_id] = turn
        self.add("requests", *turn.where)
        if turn.kind != "empty":
            self.evaluated(turn, "refusal", turn.kind != "refusal", "all")
        self.evaluated(turn, "empty", turn.kind != "empty", "all")
        if turn.has_context and turn.kind in ("good", "wrong"):
            self.evaluated(turn, "grounding", turn.kind == "good", "all")
        for rubric in ("helpfulness", "faithfulness"):
            applies = turn.kind != "empty" and turn.app != "docs" and (rubric == "helpfulness" or turn.has_context)
            if not applies:
                self.add("unscored", rubric, "not_applicable", turn.app)
            elif turn.app == "shop" or turn.is_hard:
                self.judge(turn, rubric, "random" if turn.app == "shop" else "targeted")
            else:
                self.add("unscored", rubric, "sampled_out", turn.app)
        if turn.fails:
            self.failed(turn)
        for _, said in self.waiting.pop(turn.trace_id, ()):
            self.joined(turn, said)
        if turn.is_hard and turn.trace_id not in self.items:
            self.route(turn, "failed")

    def evaluated(self, turn, evaluator, passed, sample):
        self.add("evaluations", evaluator, "pass" if passed else "fail", sample, *turn.where)

    def judge(self, turn, rubric, sample):
        """The judge knows what is made up; it thinks that a refusal is helpful."""
        turn.judged[rubric] = "fail" if turn.kind == "wrong" else "pass"
        self.evaluated(turn, rubric, turn.kind != "wrong", sample)
        if turn.kind == "wrong":
            self.failed(turn)

    def failed(self, turn):
        if turn.app != "docs" and turn.trace_id not in self.failures:
            self.failures.add(turn.trace_id)
            self.add("failures", "covered" if turn.question in SUITE else "uncovered", *turn.where[:2])

    # What users say and do.

    def sent(self, said, turn=None):
        """Feedback on a turn, known already or still to come."""
        reference, key = said.get("trace_id") or said["conversation_id"], said.get("id")
        if key is not None and (reference, key) in self.ids:
            self.add("received", "duplicate")
            return
        self.ids.add((reference, key))
        turn = turn or self.turns.get(reference)
        if turn is None:
            self.waiting[reference].append((self.clock.at, said))
        else:
            self.joined(turn, said)

    def joined(self, turn, said):
        signal, user = said["signal"], said.get("user", "")
        subject = "rating" if signal in RATINGS else signal
        before = turn.said.get((user, subject))
        turn.said[user, subject] = signal
        if before == signal:
            self.add("received", "repeated")
            return
        if before:
            self.add("retracted", before, "explicit", *turn.where)
        if "edited_text" in said:
            pieces = len(re.findall(r"\w+|[^\w\s]", turn.answer))
            self.edits.append(1 / (2 * pieces + 1))
        self.add("received", "corrected" if before else "joined")
        self.signal(turn, signal, "explicit")

    def expire_feedback(self):
        for reference, waiting in self.waiting.items():
            over = [one for one in waiting if one[0] + EARLY <= self.clock.at]
            self.waiting[reference] = [one for one in waiting if one not in over]
            self.add("received", "expired", by=len(over))

    def signal(self, turn, signal, source):
        self.add("feedback", signal, source, *turn.where)
        if signal in NEGATIVE and turn.kind != "empty" and turn.app != "docs":
            for rubric in ("helpfulness", "faithfulness")[: 1 + turn.has_context]:
                if rubric not in turn.judged:
                    self.judge(turn, rubric, "targeted")
        if signal == "thumbs_down":
            self.failed(turn)
            if turn.trace_id not in self.items:
                self.route(turn, "complaint")

    def conversations_end(self):
        for name in sorted(self.going_on):
            turn = self.last[name]
            self.add("ended", "idle")
            if turn.kind in ("refusal", "empty") or turn.got_the_same:
                self.signal(turn, "abandon", "derived")
        self.going_on.clear()

    # Review.

    def route(self, turn, reason):
        if reason in turn.routed:
            return
        turn.routed.add(reason)
        if (turn.app, turn.question) in self.queued:
            self.add("routed", reason, "near_duplicate")
            return
        self.queued.add((turn.app, turn.question))
        self.items[turn.trace_id] = Item(turn, reason, self.clock.at)
        self.add("routed", reason, "queued")

    def expire_claims(self):
        for item in self.items.values():
            for reviewer in [who for who, until in item.claims.items() if until <= self.clock.at]:
                del item.claims[reviewer]
                self.add("claims", "expired")

    def next_for(self, reviewer):
        now = self.clock.at
        open_items = [one for one in self.items.values() if one.done is None]
        mine = [one for one in open_items if one.claims.get(reviewer, 0) > now]
        free = [one for one in open_items if now >= one.created + WAIT and one.is_free(reviewer, now)]
        free.sort(key=lambda one: (not one.disputed, one.is_untouched, one.created, one.turn.trace_id))
        return next(iter([*mine, *free]), None)

    def labelled(self, item, reviewer, labels, corrected):
        item.labels[reviewer] = labels
        item.corrected = corrected or item.corrected
        for evaluator, verdict in labels.items():
            self.add("labels", evaluator, verdict, item.reason)
        if item.claims.pop(reviewer, None):
            self.add("claims", "labelled")
        split = {one for one in item.ask if len({label[one] for label in item.labels.values()}) > 1}
        if split and not item.disputed:
            item.disputed = True
            for one in split:
                self.add("disagreements", one)
        if len(item.labels) >= item.wanted:
            item.done = self.clock.at
            self.add("done", item.reason, "majority" if item.disputed else "decided")

    def count_items(self):
        for item in self.items.values():
            self.add("items", item.state(self.clock.at), item.reason)

    def judge_beside_people(self):
        for item in self.items.values():
            if item.done is not None:
                for evaluator, human in item.verdicts().items():
                    if evaluator in item.turn.judged:
                        self.add("pairs", evaluator, item.turn.judged[evaluator], human, "review")
