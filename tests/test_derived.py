"""Signals derived from the turns of a conversation: what they see, what they leave alone, what a restart keeps."""

import json
import random
from zlib import crc32

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.features.feature import Feature
from exporter.feedback.derive import follows, gives_up, is_later, turn
from exporter.feedback.wording import LONGEST, question
from exporter.metrics.labels import Slice
from exporter.model.score import Evaluation, Outcome
from exporter.model.trace import Trace
from exporter.records.feedback import Turn
from exporter.store.kinds import CONVERSATION

QUESTION = "How do I reset the password of my account?"
NEAR = "What is the way to reset my account password, please?"
OTHER = "Which documents do you need from me for the loan?"
REFUSAL = "I'm sorry, but I can't help with that."
WHERE = Slice("shop", "/ask", "m-1", "7")
LIKENESS = {"alike": 0.6, "words": 2}


def asked(text, *, at=0.0, seconds=1.0):
    return Turn(b"t", WHERE, at, at + seconds, question(text))


# Two turns


@pytest.mark.parametrize(
    ("before", "now", "signal"),
    [
        (QUESTION, QUESTION, "regenerate"),
        (QUESTION, "  how do I reset the password of my ACCOUNT??\n", "regenerate"),
        ("Hi!", "hi", None),
        ("next", "Next.", None),
        ("Compute 5+3", "Compute 5-3", None),
        (QUESTION, NEAR, "rephrase"),
        (QUESTION, "How do I reset my account passwords", "rephrase"),
        (QUESTION, OTHER, None),
        (QUESTION, "How do I reset the router of my neighbour?", None),
        ("What about it?", "What is it about?", None),
        ("the weather", "the weather today", None),
        ("貴社の返金規定を教えてください", "貴社の返金規定を知りたいです", "rephrase"),
        ("貴社の返金規定を教えてください", "配送はいつ届きますか", None),
    ],
)
def test_what_a_question_says_of_the_answer_before_it(before, now, signal):
    assert follows(asked(before), asked(now, at=5), **LIKENESS) == signal


def test_requests_at_one_time_are_no_reaction_to_each_other():
    assert follows(asked(QUESTION, at=0, seconds=10), asked(QUESTION, at=5), **LIKENESS) is None


def test_without_times_the_order_of_arrival_counts():
    untimed = Turn(b"t", WHERE, None, None, question(QUESTION))
    assert is_later(untimed, asked(QUESTION))
    assert follows(untimed, asked(QUESTION), **LIKENESS) == "regenerate"
    assert not is_later(asked(QUESTION, at=5), asked(QUESTION, at=4))


def test_a_question_that_was_not_captured_says_nothing():
    unseen = Turn(b"t", WHERE, 0.0, 1.0, None)
    assert follows(unseen, asked(QUESTION, at=5), **LIKENESS) is None
    assert follows(asked(QUESTION), unseen, **LIKENESS) is None


@given(st.text(), st.text())
def test_no_text_is_in_other_words_what_it_is_in_its_own(one, other):
    assert follows(asked(one), asked(one, at=5), **LIKENESS) in (None, "regenerate")
    assert follows(asked(one), asked(other, at=5), **LIKENESS) in (None, "regenerate", "rephrase")


@given(st.lists(st.sampled_from(QUESTION.split()), min_size=8, max_size=40), st.randoms(use_true_random=False))
def test_the_order_of_words_alone_makes_no_signal(words, chance):
    shuffled = chance.sample(words, len(words))
    found = follows(asked(" ".join(words)), asked(" ".join(shuffled), at=5), **LIKENESS)
    assert found in (None, "regenerate") if words == shuffled else found is None


def test_long_texts_that_differ_behind_what_is_looked_at_are_not_the_same():
    document = "Summarise this: " + "the parcel was late again. " * 400
    assert len(document) > LONGEST
    assert follows(asked(document + "one"), asked(document + "two", at=5), **LIKENESS) is None
    assert follows(asked(document + "one"), asked(document + "one", at=5), **LIKENESS) == "regenerate"


def test_what_repeats_a_failed_call_within_a_second_is_a_program():
    failed = Turn(b"t", WHERE, 0.0, 1.0, question(QUESTION), "error")
    assert follows(failed, asked(QUESTION, at=1.5), **LIKENESS) is None
    assert follows(failed, asked(QUESTION, at=4), **LIKENESS) == "regenerate"


def test_a_statement_said_twice_answers_the_assistants_question():
    said = "I walk slowly towards the old castle"
    before = Turn(b"t", WHERE, 0.0, 1.0, question(said))
    assert follows(before, asked(said, at=5), **LIKENESS) == "regenerate"
    assert follows(msgspec.structs.replace(before, asks_back=True), asked(said, at=5), **LIKENESS) is None


@pytest.mark.parametrize(
    ("text", "is_end"),
    [
        ("never mind", True),
        ("Forget it, I'll call you.", True),
        ("I want to talk to a human", True),
        ("vergiss es", True),
        ("laisse tomber", True),
        ("olvídalo", True),
        ("算了", True),
        ("もういいです", True),
        ("never mind, found it", False),
        ("forget it, thanks", False),
        ("Forget it. How do I pay by card?", False),
        ("How can I forget the past?", False),
        ("", False),
    ],
)
def test_a_user_who_gives_up_says_so_and_nothing_else(text, is_end):
    assert gives_up(question(text)) is is_end


@given(st.text(max_size=200))
def test_a_turn_is_kept_without_its_text_and_read_again(text):
    kept = msgspec.json.encode(asked(text))
    assert msgspec.json.decode(kept, type=Turn) == asked(text)


def test_no_word_of_a_question_is_kept():
    kept = msgspec.json.encode(asked("Where is my planted parcel?"))
    assert b"plant" not in kept
    assert b"parcel" not in kept


@pytest.mark.parametrize(
    ("trouble", "trace", "failed"),
    [
        (None, {"content_state": "answered", "answer": "Yes."}, ()),
        ("empty", {"content_state": "empty", "answer": ""}, ()),
        ("refusal", {"content_state": "refused", "refusal": "No."}, ()),
        ("refusal", {"content_state": "answered", "answer": REFUSAL}, ("refusal",)),
        (None, {"content_state": "answered", "answer": "Yes."}, ("grounding",)),
        ("error", {"content_state": "error", "error": "RateLimitError"}, ()),
        ("error", {"content_state": "answered", "answer": "Yes", "error": "APIConnectionError"}, ()),
        ("cancelled", {"content_state": "answered", "answer": "Ye", "error": "asyncio.CancelledError"}, ()),
        ("cancelled", {"content_state": "empty", "error": "AbortError: the user aborted a request"}, ()),
        ("cancelled", {"content_state": "error", "error": "ClientDisconnect"}, ()),
        (None, {"content_state": "not_captured"}, ()),
        ("refusal", {"content_state": "answered", "answer": "I don't know."}, ()),
        ("refusal", {"content_state": "answered", "answer": "Das weiß ich leider nicht."}, ()),
        (None, {"content_state": "answered", "answer": "I don't know yours, but you can ask at the desk."}, ()),
        (None, {"content_state": "error", "error": "RateLimitError", "question": "thanks, that works"}, ()),
    ],
)
def test_what_was_wrong_with_a_turn(trouble, trace, failed):
    said = [Evaluation(evaluator=one, evaluator_version="1", verdict="fail", score=0) for one in failed]
    found = turn(Trace(trace_id="ab" * 16, **trace), WHERE, Outcome(evaluations=tuple(said)), b"t")
    assert found.trouble == trouble


# Whole conversations


class Conversation:
    """A user of the real exporter, who asks one question after the other in one conversation."""

    def __init__(self, exporter, name="c", **fields):
        self.exporter, self.name, self.fields, self.count = exporter, name, fields, 0

    async def ask(self, text, answer="Open the settings and choose a new one.", *, wait=30, **more):
        self.count += 1
        trace_id = f"{crc32(repr((self.name, self.fields)).encode()):024x}{self.count:08x}"
        sent = {"trace_id": trace_id, "app": "shop", "route": "/ask", "model": "m-1", "conversation_id": self.name}
        sent |= {"question": text, "answer": answer, "started_at": self.exporter.clock.at, "duration_seconds": 1.0}
        status, told = await self.exporter.post("/v1/interactions", json=sent | self.fields | more)
        assert status == 200, told
        await self.exporter.pass_time(wait)
        return trace_id


async def derived(exporter):
    """The derived signals that were counted, by signal."""
    samples = await exporter.samples()
    return {
        dict(labels)["signal"]: value
        for (name, labels), value in samples.items()
        if name == "llmq_feedback_total" and ("source", "derived") in labels
    }


async def test_each_signal_is_credited_to_the_answer_before(run_exporter):
    exporter = await run_exporter()
    user = Conversation(exporter)
    first = await user.ask(QUESTION, prompt_version="1")
    second = await user.ask(QUESTION, prompt_version="2")
    await user.ask(NEAR, prompt_version="3")
    assert await exporter.total("llmq_feedback_total", signal="regenerate", source="derived", prompt_version="1") == 1
    assert await exporter.total("llmq_feedback_total", signal="rephrase", source="derived", prompt_version="2") == 1
    assert await derived(exporter) == {"regenerate": 1, "rephrase": 1}
    for trace_id, signal in ((first, "regenerate"), (second, "rephrase")):
        [said] = (await (await exporter.client.get(f"/api/traces/{trace_id}")).json())["feedback"]
        assert (said["signal"], said["source"]) == (signal, "derived")


async def test_other_conversations_routes_and_applications_are_apart(run_exporter):
    exporter = await run_exporter()
    for fields in ({"name": "c"}, {"name": "d"}, {"route": "/title"}, {"app": "desk"}):
        await Conversation(exporter, **fields).ask(QUESTION)
    for number in range(3):
        await Conversation(exporter, name=f"n{number}", conversation_id=None).ask(QUESTION)
    assert await derived(exporter) == {}
    assert await exporter.total("llmq_exporter_queue_length", queue="conversations") == 4


@pytest.mark.parametrize(
    ("last", "after"),
    [
        ({"answer": REFUSAL}, "refusal"),
        ({"answer": ""}, "empty"),
        ({"answer": None, "error": "RateLimitError"}, "error"),
        ({"answer": "Open the", "error": "CancelledError"}, "cancelled"),
        ({}, None),
    ],
)
async def test_a_conversation_that_ends_badly_was_abandoned(run_exporter, last, after):
    exporter = await run_exporter()
    user = Conversation(exporter)
    await user.ask(OTHER, REFUSAL)
    trace_id = await user.ask(QUESTION, **last)
    await exporter.pass_time(1700)
    assert await derived(exporter) == {}
    await exporter.pass_time(101)
    assert await derived(exporter) == ({"abandon": 1} if after else {})
    assert await exporter.total("llmq_feedback_conversations_ended_total", reason="idle") == 1
    assert await exporter.total("llmq_exporter_queue_length", queue="conversations") == 0
    document = await (await exporter.client.get(f"/api/traces/{trace_id}")).json()
    assert [one["after"] for one in document["feedback"]] == ([after] if after else [])


async def test_whoever_asked_again_left_after_the_same_answer_or_the_third_try(run_exporter):
    exporter = await run_exporter()
    answered, same, thrice = (Conversation(exporter, name) for name in ("answered", "same", "thrice"))
    for user in (answered, same, thrice):
        await user.ask(QUESTION)
        await user.ask(NEAR, **({} if user is same else {"answer": "Choose security there."}))
    await thrice.ask("How can I reset the password of the account?", "Look at the page on security.")
    await exporter.pass_time(1801)
    assert await derived(exporter) == {"rephrase": 4, "abandon": 2}


async def test_who_gives_up_in_words_gives_up_on_the_answer_before(run_exporter):
    exporter = await run_exporter()
    user = Conversation(exporter)
    trace_id = await user.ask(QUESTION)
    await user.ask("never mind, I'll call you", "Please do.")
    await exporter.pass_time(1801)
    assert await derived(exporter) == {"abandon": 1}
    [said] = (await (await exporter.client.get(f"/api/traces/{trace_id}")).json())["feedback"]
    assert (said["signal"], said["after"]) == ("abandon", "gave_up")


async def test_thanks_end_a_conversation_well(run_exporter):
    exporter = await run_exporter()
    user = Conversation(exporter)
    await user.ask(QUESTION, REFUSAL)
    await user.ask("ok, thanks anyway", None, error="RateLimitError")
    await exporter.pass_time(1801)
    assert await derived(exporter) == {}


def test_a_turn_that_an_earlier_version_stored_is_read_without_its_question():
    old = msgspec.msgpack.encode([b"t", list(WHERE), 0.0, 1.0, [7, b"ab"], "rephrase"])
    read = msgspec.msgpack.decode(CONVERSATION.newest(old, 1), type=Turn)
    assert read == Turn(b"t", tuple(WHERE), 0.0, 1.0, None, "rephrase")
    assert follows(read, asked(QUESTION, at=5), **LIKENESS) is None


async def test_traces_that_come_out_of_order_change_nothing(run_exporter):
    exporter = await run_exporter()
    user = Conversation(exporter)
    await user.ask(QUESTION)
    await user.ask(OTHER)
    await user.ask(QUESTION, started_at=exporter.clock.at - 45)
    assert await derived(exporter) == {}
    await user.ask(OTHER)
    assert await derived(exporter) == {"regenerate": 1}


async def test_a_restart_keeps_the_turn_and_its_absence_is_not_idleness(run_exporter):
    exporter = await run_exporter()
    asks, leaves = Conversation(exporter, "asks"), Conversation(exporter, "leaves")
    await asks.ask(QUESTION)
    await leaves.ask(QUESTION, REFUSAL)
    await exporter.client.close()
    exporter.clock.move(7200)
    exporter = await run_exporter()
    asks.exporter = exporter
    await asks.ask(NEAR)
    assert await derived(exporter) == {"rephrase": 1}
    await exporter.pass_time(1771)
    assert await derived(exporter) == {"rephrase": 1, "abandon": 1}
    await exporter.client.close()
    exporter = await run_exporter()
    await exporter.pass_time(1801)
    assert await derived(exporter) == {"rephrase": 1, "abandon": 2}
    assert exporter.exporter.store.rows.records(CONVERSATION) == []


async def test_more_conversations_than_are_followed_drop_the_oldest(run_exporter):
    exporter = await run_exporter({"feedback": {"conversations": {"items": 3}}})
    for number in range(5):
        await Conversation(exporter, f"n{number}").ask(QUESTION, REFUSAL)
    assert await exporter.total("llmq_feedback_conversations_ended_total", reason="evicted") == 2
    assert len(exporter.exporter.store.rows.records(CONVERSATION)) == 3
    await exporter.pass_time(1801)
    assert await derived(exporter) == {"abandon": 3}


async def test_a_conversation_is_written_once_a_transaction(run_exporter):
    exporter = await run_exporter()
    sent = [
        {"app": "shop", "route": "/ask", "conversation_id": "c", "question": f"{n} {OTHER}", "started_at": 1.79e9 + n}
        for n in range(50)
    ]
    await exporter.post("/v1/interactions", json=sent)
    exporter.clock.move(3)
    while exporter.exporter.pipeline.score():
        pass
    gathered = exporter.exporter.pipeline.recorder.changes.records
    assert [kind for kind, _ in gathered] == [CONVERSATION]


async def test_a_day_of_users_is_counted_as_it_was(run_exporter):
    """Fifty conversations of chance, whose truth is kept beside them."""
    exporter = await run_exporter()
    chance = random.Random(3)
    truth = dict.fromkeys(("regenerate", "rephrase", "abandon"), 0)
    questions = (QUESTION, NEAR, OTHER, "Tell me about your opening hours on Sundays, please.")
    number_of = iter(range(1000))
    for number in range(50):
        user, before, was_bad, in_a_row = Conversation(exporter, f"user-{number}"), None, False, 0
        for _ in range(chance.randint(1, 4)):
            text, refused = chance.choice(questions), chance.random() < 0.3
            await user.ask(text, REFUSAL if refused else f"Within {next(number_of)} days.", wait=3)
            rephrased = {before, text} == {QUESTION, NEAR}
            truth["regenerate"] += before == text
            truth["rephrase"] += rephrased
            in_a_row = in_a_row + 1 if rephrased else in_a_row if before == text else 0
            before, was_bad = text, refused or (in_a_row > 1 and (rephrased or before == text))
        truth["abandon"] += was_bad
    await exporter.pass_time(1801)
    assert await derived(exporter) == truth
    assert await exporter.total("llmq_feedback_conversations_ended_total", reason="idle") == 50


# Who hears of it


async def test_features_hear_of_every_signal_that_counts_with_its_text(run_exporter):
    exporter = await run_exporter()
    heard = []

    class Listening(Feature):
        name = "listening"

        def signalled(self, signalled):
            heard.append(signalled)

    exporter.exporter.features.enter(Listening())
    user = Conversation(exporter)
    first = await user.ask(QUESTION)
    for signal in ("thumbs_up", "thumbs_down", "thumbs_down"):
        body = json.dumps({"trace_id": first, "signal": signal}).encode()
        await exporter.post("/v1/feedback", data=body, headers={"Content-Type": "application/json"})
    await user.ask(QUESTION)
    told = [(one.signal, one.source, one.retracted, one.trace.question) for one in heard]
    assert told == [
        ("thumbs_up", "explicit", "", QUESTION),
        ("thumbs_down", "explicit", "thumbs_up", QUESTION),
        ("regenerate", "derived", "", QUESTION),
    ]
    assert {one.trace_id.hex() for one in heard} == {first}
    assert {one.where.route for one in heard} == {"/ask"}
