"""What people reviewed comes out in the forms that tools read; offline/check_exports.py loads it in the tools."""

import asyncio
import json
import re

import msgspec
import pytest
import yaml

from exporter.cli.main import main
from exporter.records.review import Answer, Evidence, Label, RetrievedDocument
from exporter.review import export
from exporter.review.export import NotReviewedError
from exporter.review.reviewed import Reviewed

REFUSAL = "I'm sorry, but I can't help with that."
HOSTILE = "What does {{ env.HOME }} {% raw %}say{% endraw %}? <script>alert(1)</script>\nüßñ \u202e 日本"


def case(number=1, **more):
    """A reviewed case as the review queue makes it."""
    question = more.pop("question", f"How do I reach desk number {number}?")
    made = {
        "trace_id": f"{number:032x}",
        "app": "shop",
        "route": "/ask",
        "model_version": "m-1",
        "prompt_version": "7",
        "reason": "failed",
        "why": ("failed",),
        "created_at": 1000.0 + number,
        "reviewed_at": 2000.0 + number,
        "verdicts": {"helpfulness": "fail"},
        "disputed": (),
        "labels": (
            Label(reviewer="ada", at=1500.0, answers=(Answer(evaluator="helpfulness", verdict="fail"),)),
            Label(reviewer="bob", at=1600.0),
        ),
        "corrected": "Call us, and ask for it.",
        "evidence": Evidence(
            question=question, answer=REFUSAL, context=(RetrievedDocument(id="d1", text="Desks: call us."),)
        ),
    }
    return Reviewed(**(made | more))


def lines(*found):
    return b"".join(msgspec.json.encode(one) + b"\n" for one in found)


def made(form, *found):
    return b"".join(export.FORMATS[form](export.cases(lines(*found))))


def rows(form, *found):
    return [json.loads(line) for line in made(form, *found).splitlines()]


def test_a_row_says_what_was_asked_what_is_right_and_where_it_is_from():
    (row,) = rows("jsonl", case())
    assert (row["input"], row["output"]) == ("How do I reach desk number 1?", REFUSAL)
    assert row["expected"] == "Call us, and ask for it."
    assert row["context"] == [{"id": "d1", "text": "Desks: call us."}]
    assert row["metadata"] == {
        "source": "llmq review",
        "trace_id": f"{1:032x}",
        "app": "shop",
        "route": "/ask",
        "model_version": "m-1",
        "prompt_version": "7",
        "reason": "failed",
        "why": ["failed"],
        "verdicts": {"helpfulness": "fail"},
        "reviewers": ["ada", "bob"],
        "reviewed_at": 2001.0,
    }


def test_the_right_answer_is_the_corrected_one_or_one_that_people_passed_and_else_none():
    assert rows("inspect", case())[0]["target"] == "Call us, and ask for it."
    assert rows("inspect", case(corrected=None))[0]["target"] == ""
    assert rows("inspect", case(corrected=None, verdicts={"helpfulness": "pass"}))[0]["target"] == REFUSAL
    assert rows("inspect", case(corrected=None, verdicts={"a": "pass", "b": "fail"}))[0]["target"] == ""
    assert rows("inspect", case(corrected=None, verdicts={}))[0]["target"] == ""


def test_the_same_question_is_there_once_and_the_latest_review_counts():
    again = case(2, question="how do I reach DESK number 1", corrected="Write to us.")
    found = rows("inspect", again, case(1))
    assert [(one["id"], one["target"]) for one in found] == [(f"{2:032x}", "Write to us.")]
    assert len(rows("inspect", case(1), case(1, app="other"))) == 2
    assert len(rows("inspect", case(1, question=""), case(2, question=""))) == 2


def test_cases_come_in_the_order_in_which_they_were_reviewed():
    assert [one["id"] for one in rows("jsonl", case(3), case(1), case(2))] == [f"{n:032x}" for n in (1, 2, 3)]


def test_rows_are_what_llmq_eval_reads(tmp_path, capsysbinary):
    (tmp_path / "suite.jsonl").write_bytes(made("jsonl", case(1), case(2, question=HOSTILE)))
    assert main(["eval", "--evaluators", "refusal", str(tmp_path / "suite.jsonl")]) == 0
    verdicts = [json.loads(line)["verdict"] for line in capsysbinary.readouterr().out.splitlines()]
    assert verdicts == ["fail", "fail"]


def test_an_answer_is_right_only_where_people_agree_that_nothing_is_wrong_with_it():
    passed = {"verdicts": {"helpfulness": "pass"}, "corrected": None}
    said = [passed, passed | {"disputed": ("faithfulness",)}, passed | {"verdicts": {}}]
    found = rows("jsonl", *(case(number, **one) for number, one in enumerate(said)))
    assert [row["expected"] for row in found] == [REFUSAL, None, None]


def test_of_a_question_that_was_reviewed_twice_the_newest_case_is_written_and_apps_are_apart():
    asked = {"question": "Where is my parcel?"}
    old, new, other = case(1, **asked), case(2, **asked), case(3, app="bank", **asked)
    for order in ((old, new, other), (other, new, old)):
        assert [row["id"] for row in rows("jsonl", *order)] == [new.trace_id, other.trace_id]


def test_what_a_user_wrote_is_no_template_in_promptfoo():
    (test,) = yaml.safe_load(made("promptfoo", case(question=HOSTILE)))
    question = test["vars"]["question"]
    rendered = question.replace('{{ "{" }}', "\0")
    assert not re.search(r"\{[{%#]", rendered)
    assert rendered.replace("\0", "{") == HOSTILE
    assert "<script>alert(1)</script>\nüßñ \u202e 日本" in question
    assert yaml.safe_load(made("promptfoo")) == []


def test_an_item_for_openai_holds_only_what_its_schema_names():
    (row,) = rows("openai", case())
    assert set(row) == {"item"}
    assert row["item"]["ideal"] == "Call us, and ask for it."
    assert set(row["item"]) == {"input", "answer", "ideal", "context", "metadata"}


@pytest.mark.parametrize(
    ("body", "says"), [(b"{}\n", "line 1 is not a reviewed case"), (b'{"tr', "line 1 is not JSON")]
)
def test_an_answer_that_is_no_list_of_cases_is_refused(body, says):
    with pytest.raises(NotReviewedError, match=says):
        export.cases(body)


async def test_what_people_decided_in_the_queue_comes_out_of_the_command(run_exporter, tmp_path, capsys):
    exporter = await run_exporter({"review": {"enabled": True, "reasons": {"control": {"share": 0.0}}}})
    trace = {"trace_id": f"{9:032x}", "app": "shop", "model": "m-1", "prompt_version": "7", "route": "/ask"}
    trace |= {"question": HOSTILE, "answer": REFUSAL, "context": [{"id": "d", "text": "Open at nine."}]}
    assert (await exporter.post("/v1/interactions", json=trace))[0] == 200
    await exporter.pass_time(3)
    await exporter.pass_time(600)
    exporter.exporter.review.desk.tick()
    _, body = await exporter.post("/api/review/claim", json={"reviewer": "ada"})
    assert json.loads(body)["item"]["trace_id"] == f"{9:032x}", body
    label = {"reviewer": "ada", "trace_id": f"{9:032x}", "labels": {"helpfulness": {"verdict": "fail"}}}
    status, body = await exporter.post("/api/review/label", json=label | {"corrected": "We open at nine."})
    assert status == 200, body
    await exporter.pass_time(1)
    url = str(exporter.client.make_url("/")).rstrip("/")
    for form, name in (("jsonl", "r.jsonl"), ("inspect", "i.jsonl"), ("promptfoo", "p.yaml"), ("openai", "o.jsonl")):
        command = ["review", "export", "--from", url, "--format", form, "--output", str(tmp_path / name)]
        assert await asyncio.to_thread(main, command) == 0
    assert json.loads((tmp_path / "i.jsonl").read_bytes())["target"] == "We open at nine."
    assert json.loads((tmp_path / "r.jsonl").read_bytes())["metadata"]["reviewers"] == ["ada"]
    assert "1 cases" in capsys.readouterr().err
    command = ["review", "export", "--from", url, "--app", "other", "--output", str(tmp_path / "none")]
    assert await asyncio.to_thread(main, command) == 0
    assert (tmp_path / "none").read_bytes() == b""
