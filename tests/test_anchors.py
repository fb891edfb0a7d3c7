"""The anchor set: read strictly, built from reviews and from other people's rows, and dripped steadily."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.judge.anchors import Anchor, AnchorsError, Cursor, Review, due, encoded, read, reviewed
from exporter.judge.case import Case
from exporter.judge.imported import Mapping, imported

ROW = {"id": "1", "evaluator": "helpfulness", "question": "Why?", "answer": "Because.", "human": "pass"}


def lines(*rows):
    return [row if isinstance(row, bytes) else json.dumps(row).encode() + b"\n" for row in rows]


def anchors(count):
    return [Anchor(id=str(n), evaluator="e", question="q", answer=f"a{n}", human="pass") for n in range(count)]


def test_an_anchor_is_read_with_all_that_it_says():
    row = ROW | {"context": ["One.", "Two."], "model": "m-1", "provenance": "two annotators", "score": 0.75}
    [anchor] = read(lines(row, b"\n"), "anchors.jsonl")
    assert anchor.case() == Case(question="Why?", answer="Because.", context=("One.", "Two."), model="m-1")
    assert (anchor.human, anchor.score, anchor.provenance) == ("pass", 0.75, "two annotators")


def test_the_judge_is_shown_nothing_of_the_label():
    [passed] = read(lines(ROW), "a")
    [failed] = read(lines(ROW | {"human": "fail"}), "a")
    assert passed.case() == failed.case()


def test_a_bare_score_passes_from_the_pass_mark_on():
    [anchor] = read(lines({**{k: v for k, v in ROW.items() if k != "human"}, "score": 0.5}), "a")
    assert [anchor.verdict(mark) for mark in (0.25, 0.5, 0.75)] == ["pass", "pass", "fail"]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (b"{", "is not a JSON object"),
        (b"[1]", "expected an object, found a list"),
        (b"\xff", "is not a JSON object"),
        (ROW | {"human": "good"}, "human: no such value; known: fail, pass"),
        (ROW | {"score": 1.5}, "score: expected a number from 0 to 1"),
        (ROW | {"answer": ""}, "answer: expected text that is not empty"),
        (ROW | {"verdict": "pass"}, 'unknown field "verdict"'),
        ({k: v for k, v in ROW.items() if k != "human"}, "needs what people said"),
        ({k: v for k, v in ROW.items() if k != "question"}, '"question" is missing'),
        (ROW, "the same id as on an earlier line"),
    ],
)
def test_every_bad_line_is_named_with_its_number_and_without_its_text(row, problem):
    with pytest.raises(AnchorsError) as error:
        read(lines(ROW, b"\n", row), "anchors.jsonl")
    assert problem in str(error.value)
    assert str(error.value).startswith("anchors.jsonl, line 3: ")
    assert "Because." not in str(error.value)


def test_all_errors_come_at_once_up_to_twenty():
    with pytest.raises(AnchorsError) as error:
        read(lines(*[b"{}"] * 23), "a")
    assert len(error.value.problems) == 23
    assert str(error.value).splitlines()[-1] == "a: and 3 more"


@given(st.text(min_size=1), st.text(min_size=1), st.lists(st.text()), st.sampled_from(["pass", "fail"]))
def test_what_is_written_is_read_again(question, answer, context, human):
    one = Anchor(id="1", evaluator="e", question=question, answer=answer, context=tuple(context), human=human)
    assert read(encoded([one]), "a") == (one,)


def test_an_anchor_that_was_edited_has_another_key():
    keys = {read(lines(ROW | change), "a")[0].key for change in ({}, {"human": "fail"}, {"answer": "No."}, {"id": "2"})}
    assert len(keys) == 4
    assert read(lines(ROW), "a")[0].key == read(lines(ROW), "b")[0].key


def test_reviews_become_anchors_by_majority_and_a_split_makes_none():
    case = Case(question="Q", answer="A", model="m-1")

    def said(trace_id, *verdicts):
        return [Review(trace_id=trace_id, evaluator="e", case=case, human=verdict) for verdict in verdicts]

    found = list(reviewed(said("aa", "fail", "pass", "fail") + said("bb", "pass", "fail") + said("cc", "pass")))
    assert [(one.id, one.human, one.provenance) for one in found] == [
        ("review-aa", "fail", "review, 3 labels"),
        ("review-cc", "pass", "review, 1 label"),
    ]
    assert found[0].case() == case


def mapping(**changes):
    given = {"evaluator": "e", "fields": {"question": "input", "answer": "output.0", "human": "label"}}
    return Mapping(**{**given, "passes": ("1",), "fails": ("2", "bad"), "provenance": "public", **changes})


def test_rows_of_others_become_anchors_by_a_mapping():
    rows = [
        {"input": "Q1", "output": ["A1", "B1"], "label": 1},
        {"input": "Q2", "output": ["A2", "B2"], "label": "bad"},
        {"input": "Q3", "output": ["A3", "B3"], "label": 0},
    ]
    found = list(imported(lines(*rows), mapping(), "rows.jsonl"))
    assert [(one.id, one.question, one.answer, one.human) for one in found] == [
        ("1", "Q1", "A1", "pass"),
        ("2", "Q2", "A2", "fail"),
    ]
    assert read(encoded(found), "a") == tuple(found)


def test_where_one_side_is_named_every_other_label_is_the_other_side():
    row = {"input": "Q", "output": ["A"], "label": "fine"}
    [passed] = imported(lines(row), mapping(passes=()), "a")
    [failed] = imported(lines(row), mapping(fails=()), "a")
    assert (passed.human, failed.human) == ("pass", "fail")


def test_context_may_be_a_list_a_text_or_an_object():
    def context(value):
        fields = mapping().fields | {"context": "source"}
        row = {"input": "Q", "output": ["A"], "label": 1, "source": value}
        return next(imported(lines(row), mapping(fields=fields), "a")).context

    assert context(["a", "b"]) == ("a", "b")
    assert context("a") == ("a",)
    assert context({"k": 1}) == ('{"k":1}',)
    assert context(None) == ()


def test_rows_that_lack_what_is_mapped_are_named_by_line():
    rows = [b"nonsense", {"input": "Q", "label": 1}, {"input": "Q", "output": ["A"]}]
    with pytest.raises(AnchorsError) as error:
        list(imported(lines(*rows), mapping(), "rows.jsonl"))
    assert error.value.problems == (
        (1, "is not a JSON object"),
        (2, "has no output.0"),
        (3, "has no label"),
    )


def test_a_mapping_that_cannot_work_says_so():
    assert mapping().problems() == []
    wrong = mapping(fields={"question": "q", "text": "t"}, passes=("1",), fails=("1",)).problems()
    assert wrong == [
        "names no answer: add answer=FIELD",
        "names no human: add human=FIELD",
        "text is not one of id, question, answer, context, human, model",
        "the label 1 passes and fails: name it once",
    ]
    assert len(mapping(passes=(), fails=()).problems()) == 1


def dripped(found, hours, per_hour, cursor=None, start=0.0, every=10.0):
    """Which anchors a drip gives when it is asked every ten seconds, and its cursor."""
    given, cursor = [], cursor or Cursor()
    ids = {anchor.key: anchor.id for anchor in found}
    for tick in range(int(hours * 3600 / every)):
        key, cursor = due(ids, cursor, start + tick * every, per_hour)
        given += [ids[key]] if key else []
    return given, cursor


def test_the_drip_is_steady_and_gives_every_anchor_once_a_lap():
    given, _ = dripped(anchors(10), hours=3, per_hour=20)
    assert len(given) == 60
    assert all(set(Counter(given[lap : lap + 10]).values()) == {1} for lap in range(0, 60, 10))


def test_a_restart_goes_on_where_the_drip_was():
    whole, _ = dripped(anchors(10), hours=2, per_hour=12)
    first, cursor = dripped(anchors(10), hours=1, per_hour=12)
    second, _ = dripped(list(reversed(anchors(10))), hours=1, per_hour=12, cursor=cursor, start=3600)
    assert first + second == whole


def test_after_a_long_stop_the_drip_does_not_become_a_burst():
    _, cursor = dripped(anchors(10), hours=1, per_hour=12)
    given, _ = dripped(anchors(10), hours=1, per_hour=12, cursor=cursor, start=50 * 3600)
    assert len(given) == 12


def test_anchors_may_come_and_go_while_it_drips():
    given, cursor = dripped(anchors(10), hours=0.5, per_hour=12)
    left = [anchor for anchor in anchors(20) if anchor.id != given[-1]]
    later, _ = dripped(left, hours=1.5, per_hour=12, cursor=cursor, start=1800)
    assert set(later) <= {anchor.id for anchor in left}
    assert max(Counter(later).values()) == 1


def test_nothing_is_due_without_anchors_or_without_a_rate():
    assert due([], Cursor(), 100.0, 10) == (None, Cursor())
    assert due(["key"], Cursor(), 100.0, 0) == (None, Cursor())
