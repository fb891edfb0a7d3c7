"""Which traces deserve a person, and what follows from what people say: the pure parts of the review queue."""

import msgspec
import pytest

from exporter.config.settings import DEFAULT_ASK, DEFAULT_REASONS, Reason, ReviewSettings
from exporter.decode import DecodeError
from exporter.model.score import Evaluation, Outcome
from exporter.model.trace import Trace
from exporter.recording.trace_document import document, quotes_in
from exporter.records.review import Answer, Claim, Item, Label, Skip, wanted
from exporter.review import requests
from exporter.review.evidence import gather
from exporter.review.item import claimed, labelled, skipped
from exporter.review.quota import NoPlaceError, place
from exporter.review.reviewed import reviewed
from exporter.review.routing import KnownTrace, asked_about, matching
from exporter.review.similar import Sketches, similarity, sketch
from exporter.review.view import shown

PASS, FAIL = ("pass", 0.9, 0.5), ("fail", 0.1, 0.5)
ID = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("reason", "known", "holds"),
    [
        ({"failed": ("a",)}, {"verdicts": {"a": FAIL}}, True),
        ({"failed": ("a", "b")}, {"verdicts": {"a": PASS, "b": FAIL}}, True),
        ({"failed": ("a",)}, {"verdicts": {"a": PASS}}, False),
        ({"failed": ("a",)}, {"verdicts": {"b": FAIL}}, False),
        ({"passed": ("a",), "feedback": ("thumbs_down",)}, {"verdicts": {"a": PASS}}, False),
        ({"passed": ("a",), "feedback": ("thumbs_down",)}, {"verdicts": {"a": PASS}, "signals": {"thumbs_down"}}, True),
        (
            {"passed": ("a",), "feedback": ("thumbs_down",)},
            {"verdicts": {"a": FAIL}, "signals": {"thumbs_down"}},
            False,
        ),
        ({"disagree": ("a", "b")}, {"verdicts": {"a": PASS, "b": FAIL}}, True),
        ({"disagree": ("a", "b")}, {"verdicts": {"a": FAIL, "b": FAIL}}, False),
        ({"disagree": ("a", "b")}, {"verdicts": {"a": PASS}}, False),
        ({"near": ("a",), "within": 0.1}, {"verdicts": {"a": ("pass", 0.6, 0.5)}}, True),
        ({"near": ("a",), "within": 0.1}, {"verdicts": {"a": ("fail", 0.4, 0.5)}}, True),
        ({"near": ("a",), "within": 0.1}, {"verdicts": {"a": ("pass", 0.61, 0.5)}}, False),
        ({"flipped": ("a",)}, {"flipped": ("a",)}, True),
        ({"flipped": ("a",)}, {"verdicts": {"a": FAIL}}, False),
        ({"failed": ("a",), "apps": ("shop-*",)}, {"verdicts": {"a": FAIL}}, True),
        ({"failed": ("a",), "routes": ("/other",)}, {"verdicts": {"a": FAIL}}, False),
        ({"failed": ("a",), "share": 0.0}, {"verdicts": {"a": FAIL}}, False),
    ],
)
def test_a_reason_holds_where_everything_that_it_gives_holds(reason, known, holds):
    found = matching([Reason(name="r", **reason)], KnownTrace(trace_id=ID, app="shop-eu", route="/ask", **known))
    assert bool(found) is holds


def test_a_share_is_drawn_by_trace_id_and_has_the_right_size():
    reason = Reason(name="control", share=0.1)
    drawn = [n for n in range(5000) if matching([reason], KnownTrace(trace_id=f"{n:032x}", app="a", route="r"))]
    again = [n for n in range(5000) if matching([reason], KnownTrace(trace_id=f"{n:032x}", app="b", route="q"))]
    assert drawn == again
    assert 400 < len(drawn) < 600


def test_people_are_asked_what_fits_the_trace():
    def about(reason, **changes):
        return asked_about(reason, DEFAULT_ASK, **{"has_context": True} | changes)

    reason = DEFAULT_REASONS[0]
    assert about(reason) == ("helpfulness", "faithfulness")
    assert about(reason, has_context=False) == ("helpfulness",)
    assert about(Reason(name="r", ask=("faithfulness",))) == ("faithfulness",)


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("How do I return my shoes?", "how do I return my shoes", True),
        ("How do I return my red shoes?", "How do I return my shoes?", True),
        ("How do I return my shoes?", "When does the shop open on Sunday?", False),
        ("???", "???", True),
        ("???", "!!!", False),
        (" ".join(f"w{n}" for n in range(500)), " ".join(f"w{n}" for n in range(510)), True),
        (" ".join(f"w{n}" for n in range(500)), " ".join(f"w{n}" for n in range(400, 900)), False),
    ],
)
def test_near_duplicates_share_their_words(one, other, near):
    sketches = Sketches()
    sketches.add("one", sketch("shop", one))
    assert sketches.has_near(sketch("shop", other), 0.8) is near
    assert not sketches.has_near(sketch("bank", other), 0.8)
    sketches.discard("one")
    assert not sketches.has_near(sketch("shop", other), 0.8)


def test_the_sketch_of_long_questions_estimates_their_similarity():
    words = [f"word{n}" for n in range(600)]
    one, other = sketch("a", " ".join(words[:400])), sketch("a", " ".join(words[200:]))
    assert similarity(one, other) == pytest.approx(1 / 3, abs=0.2)
    assert similarity(one, one) == 1


def item(number=0, version="1", **changes):
    fields = {
        "trace_id": f"{number:032x}",
        "reason": "r",
        "why": ("r",),
        "where": ("shop", "/", "m", version),
        "ask": ("helpfulness",),
        "annotators": 1,
        "created_at": float(number),
        "ready_at": 0.0,
    }
    return Item(**fields | changes)


def test_a_full_day_gives_way_to_a_slice_with_less():
    day = [item(n) for n in range(4)]
    assert place(day, 5, day[0].where) is None
    with pytest.raises(NoPlaceError):
        place(day, 4, day[0].where)
    assert place(day, 4, ("shop", "/", "m", "2")) == day[3]


def test_what_somebody_touched_is_not_displaced():
    touched = claimed(item(3), Claim(reviewer="ada", at=0, until=9))
    day = [item(0), item(1), item(2), touched]
    assert place(day, 4, ("shop", "/", "m", "2")) == day[2]


def test_slices_end_with_equal_shares_whatever_the_order():
    for order in ("a" * 50 + "b" * 50 + "c" * 50, "abc" * 50, "c" * 3 + "a" * 100 + "b" * 4):
        day = []
        for number, version in enumerate(order):
            try:
                gone = place(day, 9, ("shop", "/", "m", version))
            except NoPlaceError:
                continue
            day = [one for one in day if one is not gone] + [item(number, version)]
        assert sorted(one.where[3] for one in day) == list("aaabbbccc")


def label(reviewer, verdict, at=1.0):
    return Label(reviewer=reviewer, at=at, answers=(Answer(evaluator="helpfulness", verdict=verdict),))


@pytest.mark.parametrize(
    ("annotators", "said", "ended", "verdict"),
    [
        (1, ["pass"], "decided", "pass"),
        (2, ["pass"], None, "pass"),
        (2, ["fail", "fail"], "decided", "fail"),
        (2, ["pass", "fail"], None, None),
        (2, ["pass", "fail", "fail"], "majority", "fail"),
        (3, ["pass", "fail", "pass"], "majority", "pass"),
        (4, ["pass", "fail", "pass", "fail"], None, None),
        (4, ["pass", "fail", "pass", "fail", "pass"], "majority", "pass"),
    ],
)
def test_labels_decide(annotators, said, ended, verdict):
    one = item(annotators=annotators)
    for number, each in enumerate(said):
        one = labelled(one, label(f"p{number}", each))
    assert one.ended == ended
    assert one.verdicts().get("helpfulness") == verdict
    assert bool(one.disputed) == (len(set(said)) > 1)
    assert (one.places(2.0) > 0) == (ended is None)


def test_who_cannot_settle_it_ends_it_undecided():
    one = item(annotators=2)
    for number, verdict in enumerate(["pass", "fail"]):
        one = labelled(one, label(f"p{number}", verdict))
    for number in range(2):
        assert one.ended is None
        one = labelled(one, Label(reviewer=f"q{number}", at=1.0, corrected="Better."))
    assert (one.ended, one.verdicts(), wanted(one)) == ("undecided", {}, 4)


def test_of_several_corrected_answers_the_last_one_counts():
    one = item(annotators=3)
    for reviewer, corrected in (("ada", "First."), ("bob", "Second."), ("cyd", None)):
        one = labelled(one, Label(reviewer=reviewer, at=1.0, corrected=corrected))
    assert reviewed(one, evidence()).corrected == "Second."


def test_a_claim_takes_a_place_until_it_runs_out():
    one = claimed(item(annotators=2), Claim(reviewer="ada", at=0, until=10))
    assert [one.is_for("ada", 5), one.is_for("bob", 5), one.state(5)] == [True, True, "waiting"]
    one = claimed(one, Claim(reviewer="bob", at=0, until=20))
    assert [one.is_for("cyd", 5), one.state(5)] == [False, "claimed"]
    assert [one.is_for("cyd", 10), one.state(10)] == [True, "waiting"]


def test_an_item_waits_for_late_scores_and_is_never_given_to_who_skipped_it():
    one = item(ready_at=10.0)
    assert [one.state(9), one.is_for("ada", 9), one.state(10), one.is_for("ada", 10)] == [
        "held",
        False,
        "waiting",
        True,
    ]
    one = skipped(one, Skip(reviewer="ada", at=11))
    assert [one.is_for("ada", 12), one.is_for("bob", 12)] == [False, True]
    one = skipped(skipped(one, Skip(reviewer="bob", at=12)), Skip(reviewer="cyd", at=13))
    assert one.ended == "skipped"


def test_skips_do_not_end_what_somebody_is_at():
    one = claimed(item(annotators=2), Claim(reviewer="ada", at=0, until=9))
    for reviewer in ("bob", "cyd", "dan"):
        one = skipped(one, Skip(reviewer=reviewer, at=1))
    assert (one.ended, one.claim_of("ada", 2).reviewer) == (None, "ada")
    assert skipped(one, Skip(reviewer="ada", at=3)).ended == "skipped"


@pytest.mark.parametrize("quotes", [(), ("One.",), ("One.", 'He said "two; three".', "Fo\nur.")])
def test_quotes_are_found_again_in_an_explanation(quotes):
    for explanation in ("", "3 of 4 words; 1 of them numbers"):
        said = Evaluation(
            evaluator="g", evaluator_version="1", verdict="fail", score=0.1, explanation=explanation, quotes=quotes
        )
        trace = Trace(trace_id=ID, question="Q?", answer="A.")
        stored = msgspec.json.decode(msgspec.json.encode(document(trace, Outcome(evaluations=(said,)), content=True)))
        assert quotes_in(stored["evaluations"][0]["explanation"]) == quotes


def evidence():
    trace = Trace(trace_id=ID, question="Mail me at a@b.c", answer="One. Two a@b.c.", content_state="answered")
    fails = {"verdict": "fail", "score": 0.1, "evaluator_version": "1"}
    outcome = Outcome(
        evaluations=(
            Evaluation(evaluator="grounding", quotes=("Two a@b.c.",), **fails),
            Evaluation(evaluator="helpfulness", sample="random", quotes=("Bad tone.", "One."), **fails),
        )
    )
    stored = msgspec.json.decode(msgspec.json.encode(document(trace, outcome, content=True)))
    return gather(stored, None, lambda text: text.replace("a@b.c", "[mail]"))


def test_every_text_of_an_item_passes_the_redaction():
    assert b"a@b.c" not in msgspec.json.encode(evidence())


def test_a_reviewer_sees_no_verdict_and_no_reason_before_they_have_labelled():
    one = claimed(
        item(annotators=2, why=("secret-reason",), reason="secret-reason"), Claim(reviewer="ada", at=0, until=9)
    )
    one = labelled(one, label("bob", "fail"))
    before = shown(one, evidence(), ReviewSettings(), "ada", 1.0)
    assert before["unsupported"] == ["Two [mail]."]
    assert before["revealed"] is None
    text = msgspec.json.encode(before)
    assert not [word for word in (b"secret-reason", b"fail", b"Bad tone", b"bob", b"0.1") if word in text]
    after = shown(labelled(one, label("ada", "fail")), evidence(), ReviewSettings(), "ada", 2.0)["revealed"]
    assert [one["reviewer"] for one in after["labels"]] == ["bob", "ada"]
    assert {one["evaluator"] for one in after["evaluations"]} == {"grounding", "helpfulness"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"trace_id": ID, "labels": {}}, '$: "reviewer" is missing'),
        ({"reviewer": "ada", "trace_id": ID}, "says nothing; give labels"),
        ({"reviewer": "ada", "trace_id": "x", "corrected": "y"}, "$.trace_id: expected 32"),
        ({"reviewer": "a\u202eda", "trace_id": ID, "corrected": "y"}, "$.reviewer: expected a name"),
        ({"reviewer": " ", "trace_id": ID, "corrected": "y"}, "$.reviewer: expected a name"),
        (
            {"reviewer": "ada", "trace_id": ID, "labels": {"": {"verdict": "pass"}}},
            "$.labels: a name in it: expected text of 1 to 64 characters",
        ),
        (
            {"reviewer": "ada", "trace_id": ID, "labels": {"x": {"verdict": "maybe"}}},
            "$.labels.x.verdict: no such value; known: fail, pass",
        ),
        (
            {"reviewer": "ada", "trace_id": ID, "labels": {"x": {"verdict": "pass"}}, "as": 1},
            'unknown field "as"; known: ',
        ),
    ],
)
def test_a_label_that_is_wrong_says_where_and_why(body, message):
    with pytest.raises(DecodeError) as error:
        requests.step("label", msgspec.json.encode(body), "")
    assert message in str(error.value)


def test_one_person_under_two_spellings_is_not_two_people():
    one = claimed(item(annotators=2), Claim(reviewer="Ann Lee", at=0, until=10))
    assert one.claim_of("ann  lee", 1)
    label = Label(reviewer="Ann Lee", at=1, answers=(Answer(evaluator="helpfulness", verdict="pass"),))
    one = labelled(one, label)
    assert one.claims == ()
    assert not one.is_for("ANN LEE", 2)
    assert one.is_for("Bob", 2)
    assert not skipped(one, Skip(reviewer="bob", at=2)).is_for("Bob", 3)
