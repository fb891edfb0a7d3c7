"""Feedback on its own: what a body says, how far an edit goes, what a second signal of a user means, who may send."""

import json
from difflib import SequenceMatcher

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.decode.batch import DecodeError, TooLarge
from exporter.feedback.annotate import MOST_SIGNALS, Annotated, Said, annotate
from exporter.feedback.distance import edit_ratio
from exporter.feedback.rate_limit import RateLimit
from exporter.feedback.recent import MOST_A_TURN, Recent
from exporter.feedback.signals import MOST_ITEMS, read
from exporter.model.trace import Document, ToolCall, Trace
from exporter.records.feedback import Feedback

TRACE = "ab" * 16


def only(body):
    found = read(json.dumps(body).encode())
    assert found.errors == []
    [item] = found.items
    return item


def error(body):
    found = read(body if isinstance(body, bytes) else json.dumps(body).encode())
    assert found.items == []
    [(index, message)] = found.errors
    assert index == 0
    return message


# What a body says


def test_the_most_exact_of_the_ids_names_the_answer():
    sent = {"signal": "copy", "conversation_id": "c", "response_id": "r", "trace_id": TRACE.upper()}
    assert (only(sent).by, only(sent).reference) == ("trace", TRACE)
    del sent["trace_id"]
    assert (only(sent).by, only(sent).reference) == ("response", "r")
    del sent["response_id"]
    assert (only(sent).by, only(sent).reference) == ("conversation", "c")


def test_a_user_is_a_digest_at_once():
    said = only({"signal": "copy", "trace_id": TRACE, "user": "ada@example.com", "id": "1"})
    assert "ada" not in repr(said)
    assert said.user == only({"signal": "edit", "response_id": "r", "user": "ada@example.com"}).user
    assert said.user != only({"signal": "copy", "trace_id": TRACE, "user": "bob@example.com"}).user


def test_an_id_is_one_of_its_answer_so_that_counting_clients_do_not_collide():
    first = only({"signal": "copy", "conversation_id": "c", "id": "1"})
    assert first.id == only({"signal": "copy", "conversation_id": "c", "id": "1"}).id
    assert first.id != only({"signal": "copy", "conversation_id": "d", "id": "1"}).id
    assert only({"signal": "copy", "conversation_id": "c"}).id == b""


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"signal": "copy"}, "$: names no answer; give trace_id, interaction_id, response_id or conversation_id"),
        ({"trace_id": TRACE}, '$: "signal" is missing'),
        ({"signal": "thumbs_dwn", "trace_id": TRACE}, '$.signal: no such value; did you mean "thumbs_down"?'),
        (
            {"signal": "love", "trace_id": TRACE},
            "$.signal: no such value; known: abandon, copy, edit, regenerate, thumbs_down, thumbs_up",
        ),
        ({"signal": "copy", "trace_id": "17"}, "$.trace_id: expected 32 hexadecimal digits, not all zero, or a UUID"),
        (
            {"signal": "copy", "trace_id": "0" * 32},
            "$.trace_id: expected 32 hexadecimal digits, not all zero, or a UUID",
        ),
        ({"signal": "copy", "response_id": ""}, "$.response_id: expected text of 1 to 512 characters"),
        ({"signal": "copy", "response_id": "r" * 513}, "$.response_id: expected text of 1 to 512 characters"),
        (
            {"signal": "copy", "response_id": "r", "user": 7},
            "$.user: expected text of 1 to 512 characters, found a whole number",
        ),
        (
            {"signal": "copy", "response_id": "r", "coment": "x"},
            '$: unknown field "coment"; did you mean "comment"?',
        ),
        (
            {"signal": "copy", "response_id": "r", "edited_text": "x"},
            '$.edited_text: goes with the signal "edit" alone; leave it out',
        ),
        ([["copy"]], "$[0]: expected an object, found a list"),
        (b'{"signal": "copy", "response_id": "\xff"}', "$: not UTF-8; encode the text as UTF-8"),
    ],
)
def test_what_is_wrong_with_a_signal_is_told_with_place_and_cure(sent, message):
    assert error(sent) == message


def test_one_bad_entry_leaves_the_others():
    good = {"signal": "copy", "response_id": "r"}
    found = read(json.dumps([good, {**good, "signal": "like"}, good]).encode())
    assert len(found.items) == 2
    assert [index for index, _ in found.errors] == [1]
    assert found.errors[0][1].startswith("$[1].signal: ")


@pytest.mark.parametrize("body", [b"", b"3", b'"text"', b"[" * 100_000, b"\xff\xfe", b"[{},"])
def test_what_is_no_list_and_no_object_is_refused(body):
    with pytest.raises(DecodeError, match="send one object or a list of objects"):
        read(body)


def test_too_many_signals_are_refused():
    with pytest.raises(TooLarge, match="send at most 1000"):
        read(json.dumps([{}] * (MOST_ITEMS + 1)).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["signal", "trace_id", "response_id", "conversation_id", "user", "id", "comment", "edited_text", "other"]
VALUES = JSON | st.sampled_from(["thumbs_up", "edit", TRACE, "r"])


@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), VALUES) | JSON, max_size=4))
def test_whatever_is_sent_each_entry_is_understood_or_explained(body):
    found = read(json.dumps(body).encode())
    assert len(found.items) + len(found.errors) == len(body)
    for item in found.items:
        assert msgspec.json.decode(msgspec.json.encode(item), type=Feedback) == item


@given(st.binary(max_size=60))
def test_bytes_of_any_kind_are_refused_and_no_crash(body):
    try:
        found = read(body)
    except DecodeError:
        return
    assert found.items == []


# How far an edit goes


@pytest.mark.parametrize(
    ("answer", "edited", "ratio"),
    [
        ("Refunds take ten days.", "Refunds take ten days.", 0.0),
        ("Refunds  take\nten days.", "Refunds take ten days.", 0.0),
        ("Refunds take ten days.", "", 1.0),
        ("", "", 0.0),
        ("one two three four", "one two three five", 0.25),
        ("one two", "three four", 1.0),
        ("one two three", "three two one", 1 - 2 / 6),
        ("a == b", "a != b", 0.25),
        ("東京は首都です", "京都は首都です", 1 - 12 / 14),
    ],
)
def test_the_edit_ratio_is_the_share_of_pieces_that_are_not_kept_in_order(answer, edited, ratio):
    assert edit_ratio(answer, edited) == pytest.approx(ratio)


WORDS = st.lists(st.sampled_from("abcdef"), max_size=30).map(" ".join)


@given(WORDS, WORDS)
def test_the_edit_ratio_keeps_the_longest_common_subsequence(one, other):
    ratio = edit_ratio(one, other)
    assert 0.0 <= ratio <= 1.0
    assert ratio == pytest.approx(edit_ratio(other, one))
    assert (ratio == 0.0) == (one == other)
    left, right = one.split(), other.split()
    assert ratio == pytest.approx(1 - 2 * longest(left, right) / (len(left) + len(right) or 1) if left or right else 0)
    assert ratio <= 1 - SequenceMatcher(None, left, right, autojunk=False).ratio() + 1e-9


def longest(left, right):
    """The longest common subsequence, by the table of the textbooks."""
    row = [0] * (len(right) + 1)
    for one in left:
        before, row = row, [0]
        for at, other in enumerate(right):
            row.append(before[at] + 1 if one == other else max(before[at + 1], row[at]))
    return row[-1]


def test_a_huge_edit_is_compared_in_its_first_part():
    assert edit_ratio("word " * 1_000_000, "word " * 900_000) == 0.0


# What a second signal of a user means


def said(signal, **more):
    return Said(signal=signal, source="explicit", at=1.0, **more)


def outcomes(*signals):
    document = {"feedback": []}
    done = [annotate(document, one) for one in signals]
    return [(one.outcome, one.retracted) for one in done], document["feedback"]


def test_a_changed_mind_is_a_correction_and_the_last_rating_stands():
    done, feedback = outcomes(said("thumbs_up"), said("thumbs_down"), said("thumbs_down"), said("thumbs_up"))
    assert done == [("joined", ""), ("corrected", "thumbs_up"), ("repeated", ""), ("corrected", "thumbs_down")]
    assert [(one["signal"], one["was"], one["changes"]) for one in feedback] == [("thumbs_up", "thumbs_down", 2)]


def test_users_do_not_correct_each_other():
    done, feedback = outcomes(said("thumbs_up", user="a"), said("thumbs_down", user="b"), said("thumbs_down"))
    assert done == [("joined", "")] * 3
    assert len(feedback) == 3


def test_other_signals_stand_beside_a_rating():
    done, _ = outcomes(said("thumbs_up"), said("copy"), said("edit"), said("copy"))
    assert done == [("joined", "")] * 3 + [("repeated", "")]


def test_a_derived_signal_is_not_a_users_own():
    derived = Said(signal="regenerate", source="derived", at=1.0)
    done, feedback = outcomes(said("regenerate"), derived)
    assert done == [("joined", "")] * 2
    assert [one["source"] for one in feedback] == ["explicit", "derived"]


def test_a_comment_after_the_click_joins_it():
    done, feedback = outcomes(said("thumbs_down"), said("thumbs_down", comment="It is wrong."))
    assert done[1] == ("repeated", "")
    assert feedback == [{"signal": "thumbs_down", "source": "explicit", "at": 1.0, "comment": "It is wrong."}]


def test_only_the_first_edit_is_measured_and_the_last_is_shown():
    document = {"feedback": []}
    first = annotate(document, said("edit"))
    second = annotate(document, said("edit", edited_text="b", edit_ratio=0.5))
    third = annotate(document, said("edit", edited_text="c", edit_ratio=0.75))
    assert (first.edit_ratio, second.edit_ratio, third.edit_ratio) == (None, 0.5, None)
    assert document["feedback"][0]["edited_text"] == "c"
    assert document["feedback"][0]["edit_ratio"] == 0.75


def test_a_script_cannot_grow_a_document_or_flip_a_rating_for_ever():
    document = {"feedback": []}
    for number in range(MOST_SIGNALS):
        assert annotate(document, said("copy", user=str(number))).outcome == "joined"
    assert annotate(document, said("copy", user="one more")) == Annotated("surplus")
    assert len(document["feedback"]) == MOST_SIGNALS
    done, _ = outcomes(*[said(("thumbs_up", "thumbs_down")[n % 2]) for n in range(100)])
    assert done.count(("surplus", "")) > 0
    assert sum(outcome == "corrected" for outcome, _ in done) == 20


# Who may send how much, and what is remembered


def test_an_address_sends_its_burst_and_then_at_its_rate(clock):
    pace = RateLimit(per_second=2, burst=10, clock=clock)
    assert pace.wait("a") == 0
    pace.spend("a", 12)
    assert pace.wait("a") == pytest.approx(1.5)
    assert pace.wait("b") == 0
    clock.move(1.5)
    assert pace.wait("a") == 0
    clock.move(3600)
    pace.spend("a", 10)
    assert pace.wait("a") > 0


def test_only_so_much_text_is_remembered_the_latest():
    def trace(size):
        return Trace(trace_id=TRACE, answer="x" * size, context=(Document(text="y" * size),))

    recent = Recent(most_bytes=50_000)
    for number in range(10):
        recent.add(bytes([number]), trace(5_000))
    assert [number for number in range(10) if recent.get(bytes([number]))] == [6, 7, 8, 9]
    recent.add(bytes([9]), trace(1))
    assert recent.bytes < 50_000
    recent.add(b"huge", trace(100_000))
    assert recent.bytes == 0


def test_a_trace_is_remembered_as_it_was():
    call = ToolCall(name="find", arguments={"limit": 3, "near": [1.5, None, "Käse 東京"]})
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    trace = Trace(
        trace_id=TRACE, question="", context=(Document(id="a", text="b"),), tool_calls=(call,), response_schema=schema
    )
    recent = Recent()
    recent.add(b"1", trace)
    assert (recent.get(b"1"), b"1" in recent, b"2" in recent) == (trace, True, False)
    recent.compress()
    assert (recent.get(b"1"), b"1" in recent) == (trace, True)
    recent.remove(b"1")
    assert (recent.get(b"1"), recent.bytes) == (None, 0)


def test_of_many_traces_a_second_some_are_remembered_for_longer_and_those_that_feedback_waits_for():
    recent = Recent()
    ids = [number.to_bytes(2, "big") for number in range(MOST_A_TURN + 2)]
    for each in ids[:-1]:
        recent.add(each, Trace(trace_id=TRACE))
    recent.add(ids[-1], Trace(trace_id=TRACE), wanted=True)
    assert [each for each in ids if each not in recent] == [ids[-2]]
    recent.compress()
    recent.add(ids[-2], Trace(trace_id=TRACE))
    assert all(each in recent for each in ids)


def test_what_stays_is_compressed_and_more_of_it_remembered():
    recent = Recent(most_bytes=100_000)
    for number in range(100):
        recent.add(bytes([number]), Trace(trace_id=TRACE, answer=f"{number} " + "The answer goes on and on. " * 200))
        recent.compress()
    assert all(bytes([number]) in recent for number in range(100))
    assert 0 < recent.bytes < 100_000
    for number in range(100, 200):
        recent.add(bytes([number]), Trace(trace_id=TRACE, answer=f"{number} " + "The answer goes on and on. " * 200))
    left = [number for number in range(200) if bytes([number]) in recent]
    assert left == list(range(left[0], 200))
    assert left[0] > 100


@pytest.mark.parametrize("odd", [{"answer": "\ud800"}, {"tool_calls": (ToolCall(name="big", arguments=1 << 64),)}])
def test_what_cannot_be_encoded_is_not_remembered(odd):
    recent = Recent()
    recent.add(b"1", Trace(trace_id=TRACE, answer="whole"))
    recent.add(b"1", Trace(trace_id=TRACE, **odd))
    assert (recent.get(b"1"), recent.bytes) == (None, 0)
