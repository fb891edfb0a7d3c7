"""A week of three assistants and their people, on a moving clock: every number is one that the script knows."""

import asyncio
import importlib.util
import json
import random
from collections import Counter, defaultdict
from itertools import count, product
from pathlib import Path

import pytest

from exporter.cli.main import main
from exporter.demo.judge_stub import Stub
from exporter.offline.likeness import signature, written

_spec = importlib.util.spec_from_file_location("week_truth", Path(__file__).parent / "week" / "truth.py")
truth = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(truth)

MONDAY = 20_724 * 86_400.0
WEDNESDAY = 2
"""From then on the shop answers by prompt version 8, which hurts."""
RESTART = (3, 1)
"""The day and the slot in whose middle the exporter is started again."""
SLOTS = 4
CONTEXT = ["Parcels are delivered on weekdays. " + truth.FACT]
SLICES = {"shop": ("/ask", "m-1"), "bank": ("/answer", "m-2"), "docs": ("/search", "m-1")}
ASKED = {"shop": 9, "bank": 4, "docs": 2}
IDLE, CLAIM = 1800, 900
"""Seconds until a conversation has ended, and until a claim runs out."""


class Week:
    """The people of the script, who act through HTTP and tell the truth of it."""

    def __init__(self, exporter, clock):
        self.exporter, self.clock = exporter, clock
        self.truth = truth.Truth(clock)
        self.chance = random.Random(7)
        self.numbers, self.keys = count(1), count(1)
        self.later = defaultdict(list)
        self.left = {}
        self.label_seconds = 0

    async def post(self, path, body, expected=200):
        status, said = await self.exporter.post(path, json=body)
        assert status == expected, said
        return json.loads(said)

    def happens(self, share):
        return self.chance.random() < share

    # Conversations.

    def question(self):
        if self.happens(0.15):
            return self.chance.choice(truth.SUITE)
        letters = [(self.chance.choice("bdfgklmnprstvz"), self.chance.choice("aeiou")) for _ in range(16)]
        one, two, three, four = ("".join(map("".join, letters[at : at + 4])) for at in range(0, 16, 4))
        return f"Where is the {one} {two} of {three} {four}?"

    def turn(self, app, day, conversation, question, signal=""):
        (route, model), hurts = SLICES[app], app == "shop" and day >= WEDNESDAY
        model = "m-3" if app == "bank" and day >= 4 else model
        shares = {"good": 12, "wrong": 8, "refusal": 7, "empty": 1} if hurts else {"good": 30, "wrong": 2, "refusal": 1}
        return truth.Turn(
            trace_id=f"{next(self.numbers):032x}",
            app=app,
            where=(app, route, model, "8" if hurts else "7"),
            question=question,
            kind=self.chance.choices(list(shares), list(shares.values()))[0],
            conversation=conversation,
            user=f"user of {conversation}",
            has_context=self.happens(0.8),
            signal=signal,
        )

    def next_turn(self, before, day):
        """Most leave; some ask the same again, some in other words, some something else."""
        drawn = self.chance.random()
        question, signal = self.question(), ""
        if drawn < 0.06 or question == before.question:
            question, signal = before.question, "regenerate"
        elif drawn < 0.12 and before.question not in truth.SUITE and before.signal != "rephrase":
            question = "Please, where can I find the " + before.question.removeprefix("Where is the ")
            signal = "rephrase"
        return self.turn(before.app, day, before.conversation, question, signal) if drawn < 0.2 else None

    async def answer(self, turns):
        """Send the traces of some turns, which are recorded a little later."""
        sent = [
            {
                "trace_id": one.trace_id,
                "app": one.app,
                "route": one.where[1],
                "model": one.where[2],
                "prompt_version": one.where[3],
                "conversation_id": one.conversation,
                "user": one.user,
                "question": one.question,
                "answer": one.answer,
                "context": CONTEXT if one.has_context else [],
                "started_at": self.clock.at - 1,
                "duration_seconds": 0.5,
            }
            for one in turns
        ]
        await self.post("/v1/interactions", sent)
        await self.exporter.pass_time(3)
        for one in turns:
            self.truth.recorded(one)
        await self.exporter.pass_time(20)

    async def converse(self, day, slot):
        """Conversations of up to three turns, some with feedback that overtakes their traces by an hour."""
        names = [(app, f"{app} {day} {slot} {number}") for app, asked in ASKED.items() for number in range(asked)]
        turns = [self.turn(app, day, name, self.question()) for app, name in names]
        early = [one for one in turns if one.question not in truth.SUITE and self.happens(0.05)]
        await self.say(*((one, self.feedback(one, self.opinion(one) or "copy")) for one in early))
        await self.say((None, {"trace_id": f"9{day}{slot}9" * 8, "signal": "thumbs_down"}))
        await self.exporter.pass_time(3600)
        every = []
        for _ in range(3):
            await self.answer(turns)
            every += turns
            turns = [after for one in turns if (after := self.next_turn(one, day)) is not None]
        return every

    # Feedback.

    def opinion(self, turn):
        """Which rating a user gives, if any."""
        drawn, is_good = self.chance.random(), turn.kind == "good"
        if drawn < (0.2 if is_good else 0.04):
            return "thumbs_up"
        return "thumbs_down" if drawn < (0.23 if is_good else 0.4) else None

    def feedback(self, turn, signal, **more):
        return {"trace_id": turn.trace_id, "signal": signal, "user": turn.user, "id": f"click {next(self.keys)}"} | more

    async def say(self, *said):
        """Send feedback in one request, and know what becomes of it."""
        if said:
            await self.post("/v1/feedback", [one for _, one in said])
            for turn, one in said:
                self.truth.sent(one, None if "trace_id" in one else turn)

    async def react(self, turns, at):
        """Users click at once or days later, click twice, change their minds, copy, and edit."""
        now = [*self.later.pop(at, ())]
        for turn in turns:
            if (rating := self.opinion(turn)) is not None:
                said = self.feedback(turn, rating)
                where = now if self.happens(0.5) else self.later[at + self.chance.randint(1, 3 * SLOTS)]
                where.append((turn, said))
                if self.happens(0.2):
                    where.append((turn, said))
                if self.happens(0.2):
                    where.append((turn, {name: said[name] for name in ("trace_id", "signal", "user")}))
                if self.happens(0.25):
                    (other,) = truth.RATINGS - {rating}
                    self.later[at + self.chance.randint(1, 5 * SLOTS)].append((turn, self.feedback(turn, other)))
            if turn.kind == "good" and self.happens(0.08):
                now.append((turn, self.feedback(turn, "copy")))
            if turn.kind == "good" and self.happens(0.06):
                now.append((turn, self.feedback(turn, "edit", edited_text=turn.answer + " Indeed")))
        await self.say(*now)
        await self.react_to_conversations([one for one in turns if self.is_last(one) and self.happens(0.1)])

    def is_last(self, turn):
        return self.truth.last[turn.conversation] is turn

    async def react_to_conversations(self, turns):
        """Feedback that names a conversation is about its last answer, once no later one can be on its way."""
        ratings = {one.conversation: "thumbs_up" if one.kind == "good" else "thumbs_down" for one in turns}
        said = [{"conversation_id": name, "signal": rating} for name, rating in ratings.items()]
        await self.post("/v1/feedback", said)
        await self.exporter.pass_time(20)
        for turn, one in zip(turns, said, strict=True):
            self.truth.sent(one, turn)

    # Review.

    async def ask(self, step, reviewer, item, expected=200, **more):
        body = {"reviewer": reviewer, "trace_id": item.turn.trace_id} | more
        return await self.post(f"/api/review/{step}", body, expected)

    def verdicts(self, reviewer, item):
        """What a reviewer thinks: bob takes every third answer for as helpful as it is not."""
        kind, odd = item.turn.kind, reviewer == "bob" and int(item.turn.trace_id, 16) % 3 == 0
        said = {"helpfulness": "pass" if (kind == "good") is not odd else "fail"}
        return said | ({"faithfulness": "fail" if kind == "wrong" else "pass"} if "faithfulness" in item.ask else {})

    async def label(self, reviewer, item, expected=200):
        verdicts = self.verdicts(reviewer, item)
        is_corrected = reviewer == "ada" and verdicts["helpfulness"] == "fail"
        corrected = f"What is right for {item.turn.question}" if is_corrected else None
        labels = {one: {"verdict": verdict} for one, verdict in verdicts.items()}
        await self.ask("label", reviewer, item, expected, labels=labels, corrected=corrected)
        if expected == 200:
            self.truth.labelled(item, reviewer, verdicts, corrected)

    async def review(self):
        """Reviewers take what comes next; now and then one skips it, gives it back, or leaves and says so late."""
        await self.tick()
        for reviewer, item in self.left.items():
            await self.label(reviewer, item, 200 if item.is_free(reviewer, self.clock.at) else 409)
        self.left = {}
        for reviewer in ("ada", "bob", "cyd", "ada", "bob", "ada", "bob", "ada", "bob"):
            if reviewer not in self.left:
                await self.look_at_next(reviewer)

    async def look_at_next(self, reviewer):
        found = (await self.post("/api/review/claim", {"reviewer": reviewer}))["item"]
        item = self.truth.next_for(reviewer)
        assert (found and found["trace_id"]) == (item and item.turn.trace_id)
        if item is None:
            return
        assert [one["evaluator"] for one in found["ask"]] == item.ask
        self.truth.add("claims", "claimed")
        item.claims[reviewer] = self.clock.at + CLAIM
        self.clock.move(30)
        drawn = self.chance.random()
        if drawn < 0.06:
            self.left[reviewer] = item
        elif drawn < 0.1:
            await self.ask("release", reviewer, item)
            self.truth.add("claims", "released")
            del item.claims[reviewer]
        elif drawn < 0.16 and reviewer == "ada":
            await self.ask("skip", reviewer, item)
            self.truth.add("claims", "skipped")
            del item.claims[reviewer]
            item.skipped.add(reviewer)
        else:
            self.label_seconds += 30
            await self.label(reviewer, item)
            if self.happens(0.1):
                await self.ask("label", reviewer, item, labels={"helpfulness": {"verdict": "pass"}})

    async def tick(self):
        self.exporter.exporter.review.desk.tick()
        await self.exporter.exporter.pipeline.flush()
        self.truth.expire_claims()
        self.truth.expire_feedback()

    # The clockwork.

    async def judged(self):
        """Wait until the judge has nothing left to do."""
        judging, flush = self.exporter.exporter.judging, self.exporter.exporter.pipeline.flush
        await flush()
        async with asyncio.timeout(120):
            while len(judging.queue):
                judging.worker.wake()
                await asyncio.sleep(0.005)
        await flush()

    async def pass_slot(self, day, slot, restart):
        self.clock.at = MONDAY + (day + slot / SLOTS) * 86_400
        await self.exporter.pass_time(0)
        self.truth.expire_feedback()
        turns = await self.converse(day, slot)
        if (day, slot) == RESTART:
            self.exporter = await restart()
        await self.react(turns, day * SLOTS + slot)
        await self.judged()
        await self.exporter.pass_time(IDLE)
        self.truth.conversations_end()
        await self.judged()
        await self.review()


def configured(stub, tmp_path):
    off = {name: {"enabled": False} for name in ("control", "disagreement", "flipped", "unsure")}
    failed = {"failed": ["grounding", "refusal"], "annotators": 2, "per_day": 1000}
    complaint = {"feedback": ["thumbs_down"], "annotators": 1, "per_day": 1000}
    return {
        "store": {"content": "all", "retention": {"age": "30d"}},
        "labels": {"expire_after": "30d"},
        "review": {"enabled": True, "reasons": off | {"failed": failed, "complaint": complaint}},
        "judge": {
            "enabled": True,
            "endpoint": stub.url,
            "model": "judge-1",
            "repeat": 0,
            "sampling": [{"apps": ["shop"], "rate": 1.0}, {"apps": ["bank"], "rate": 0.0}],
            "targeted": {"rate": 1.0, "failed": ["grounding", "refusal"], "near": 0.0, "feedback": True},
            "budget": {"ledger": f"sqlite:///{tmp_path / 'ledger.db'}"},
        },
    }


SLICE = ("app", "route", "model_version", "prompt_version")
METRICS = {
    "requests": ("llmq_requests_total", *SLICE),
    "evaluations": ("llmq_evaluations_total", "evaluator", "verdict", "sample", *SLICE),
    "unscored": ("llmq_unscored_total", "evaluator", "reason", "app"),
    "feedback": ("llmq_feedback_total", "signal", "source", *SLICE),
    "retracted": ("llmq_feedback_retracted_total", "signal", "source", *SLICE),
    "received": ("llmq_feedback_received_total", "outcome"),
    "ended": ("llmq_feedback_conversations_ended_total", "reason"),
    "routed": ("llmq_review_routed_total", "reason", "outcome"),
    "claims": ("llmq_review_claims_total", "event"),
    "labels": ("llmq_review_labels_total", "evaluator", "label", "reason"),
    "disagreements": ("llmq_review_disagreements_total", "evaluator"),
    "done": ("llmq_review_done_total", "reason", "ending"),
    "items": ("llmq_review_items", "state", "reason"),
    "pairs": ("llmq_judge_human_pairs_total", "evaluator", "judge", "human", "source"),
    "failures": ("llmq_offline_failures_total", "coverage", "app", "route"),
    "results": ("llmq_offline_results_total", "outcome"),
    "questions": ("llmq_offline_questions", "suite", "app"),
    "cases": ("llmq_offline_cases", "suite", "evaluator", "app", "model_version", "prompt_version"),
    "passed": ("llmq_offline_passed_cases", "suite", "evaluator", "app", "model_version", "prompt_version"),
}
CERTAIN = {"refusal", "empty", "grounding", "helpfulness", "faithfulness"}
"""The evaluators whose verdicts follow from the texts; of the others the script knows that they fail nothing."""
RUBRICS = {"helpfulness", "faithfulness"}


def is_known(metric, labels):
    """Whether the script can know a series."""
    if metric == "evaluations":
        return labels["evaluator"] in CERTAIN or labels["verdict"] == "fail"
    return metric != "unscored" or labels["evaluator"] in RUBRICS


async def told(exporter):
    """What /metrics says, in the script's words and without zeros."""
    families = {family: (metric, labels) for metric, (family, *labels) in METRICS.items()}
    found = Counter()
    for (name, pairs), value in (await exporter.samples()).items():
        if value and name in families:
            (metric, wanted), labels = families[name], dict(pairs)
            if is_known(metric, labels):
                found[(metric, *(labels[one] for one in wanted))] += value
    return found


async def push_suites(week, day):
    """A green suite for a prompt version of the shop and one of the bank, each sent twice, and an older run late."""
    for app, prompt in (("shop", "8" if day else "7"), ("bank", "7")):
        run = {"suite": "support", "run_id": f"day {day}", "evaluator": "refusal", "evaluator_version": "1", "app": app}
        run |= {"model_version": SLICES[app][1], "prompt_version": prompt, "cases": 120, "passed": 117 + day}
        run |= {"timestamp": week.clock.at - 60, "signatures": [written(signature(one)) for one in truth.SUITE]}
        older = run | {"run_id": "old", "timestamp": 1.0, "passed": 1}
        for result, outcome in ((run, "newest"), (run, "duplicate"), (older, "older")):
            await week.post("/v1/offline-results", result)
            week.truth.add("results", outcome)
        version = ("support", "refusal", app, SLICES[app][1], prompt)
        week.truth.numbers["cases", *version] = 120
        week.truth.numbers["passed", *version] = 117 + day
    week.truth.numbers["questions", "support", "shop"] = week.truth.numbers["questions", "support", "bank"] = len(
        truth.SUITE
    )


def reviewed_cases(known):
    """The rows of an export, without what only the exporter knows (names of its own)."""
    done = [one for one in known.items.values() if one.done is not None]
    return [
        {
            "id": item.turn.trace_id,
            "input": item.turn.question,
            "output": item.turn.answer,
            "expected": item.corrected or (None if "fail" in item.verdicts().values() else item.turn.answer),
            "reason": item.reason,
            "prompt_version": item.turn.where[3],
            "verdicts": item.verdicts(),
            "reviewers": sorted(item.labels),
            "reviewed_at": item.done,
        }
        for item in sorted(done, key=lambda one: (one.done, one.turn.trace_id))
    ]


async def exported(exporter, file):
    """What ``llmq review export`` writes."""
    url = str(exporter.client.make_url("/")).rstrip("/")
    assert await asyncio.to_thread(main, ["review", "export", "--from", url, "--output", str(file)]) == 0
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    of_trace = ("id", "input", "output", "expected")
    of_people = ("reason", "prompt_version", "verdicts", "reviewers", "reviewed_at")
    return [{one: row[one] for one in of_trace} | {one: row["metadata"][one] for one in of_people} for row in rows]


async def passed_week(run_exporter, config, clock):
    """The week, from Monday on; in its middle the exporter is started again."""
    clock.at = MONDAY
    week = Week(await run_exporter(config), clock)

    async def restart():
        await week.exporter.client.close()
        return await run_exporter(config)

    for day, slot in product(range(7), range(SLOTS)):
        if (day, slot) in ((0, 0), (WEDNESDAY, 0)):
            await push_suites(week, day)
        await week.pass_slot(day, slot, restart)
    await week.exporter.pass_time(60)
    await week.tick()
    return week


HAPPENED = {
    *("thumbs_up", "thumbs_down", "copy", "edit", "regenerate", "rephrase", "abandon"),
    *("joined", "corrected", "repeated", "duplicate", "expired", "sampled_out", "random", "targeted"),
    *("queued", "near_duplicate", "claimed", "labelled", "released", "skipped", "decided", "majority"),
    *("waiting", "claimed", "disputed", "done", "covered", "uncovered", "newest", "older", "m-3", "8"),
}
"""Labels without which the week would not be what it is meant to be."""


async def test_after_a_week_every_number_queue_and_export_is_what_the_script_knows(run_exporter, clock, tmp_path):
    async with Stub(truth=lambda text: truth.WRONG not in text).running() as stub:
        week = await passed_week(run_exporter, configured(stub, tmp_path), clock)
        exporter, script = week.exporter, week.truth
        script.judge_beside_people()
        script.count_items()
        found, known = await told(exporter), +script.numbers
        assert {one: (found[one], known[one]) for one in found.keys() | known.keys() if found[one] != known[one]} == {}
        assert 300 <= len(script.turns) <= 600
        assert {label for key in known for label in key} >= HAPPENED
        assert known["claims", "expired"] > 0

        early = sum(map(len, script.waiting.values()))
        assert await exporter.total("llmq_exporter_queue_length", queue="feedback") == early > 0
        edits = [await exporter.total(f"llmq_feedback_edit_ratio_{one}") for one in ("count", "sum")]
        assert edits == [len(script.edits), pytest.approx(sum(script.edits), abs=0.01)]
        took = [await exporter.total(f"llmq_review_label_seconds_{one}") for one in ("count", "sum")]
        assert took == [week.label_seconds / 30, week.label_seconds]
        bill = stub.billed()
        assert await exporter.total("llmq_judge_tokens_total") == bill.input + bill.output
        assert len(stub.requests) == sum(len(one.judged) for one in script.turns.values())
        uncovered = [number for key, number in known.items() if key[:2] == ("failures", "uncovered")]
        gaps = await exporter.exporter.suites.desk.uncovered(most=1000)
        assert sum(gap.failures for gap in gaps) == sum(uncovered) > 0
        assert await exported(exporter, tmp_path / "suite.jsonl") == reviewed_cases(script)
