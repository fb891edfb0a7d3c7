"""llmq calibrate and llmq anchors: a judge against people, recorded or asked, on the console and as metrics."""

import asyncio
import json
import os
import re
import sys

import pytest
from aiohttp import web

from exporter.judge.agreement import Confusion, agreement
from exporter.judge.drift import diagnose, score_drift
from exporter.judge.recorded import RecordedRow, measure
from exporter.judging.gauges import show_agreement, show_drift, show_gate
from exporter.metrics.registry import Metrics


def row(number, label, reply, lengths=(10, 20), **more):
    return {"id": number, "label": label, "judge": {"j": reply}, "output": ["a" * n for n in lengths], **more}


def measured(*rows):
    return measure([RecordedRow(**one) for one in rows], "j")


RECORDED = (
    [row(n, 1, "1", votes=[1, 1, 1]) for n in range(30)]
    + [row(n, 2, "2", votes=[2, 2, 2]) for n in range(30, 60)]
    + [row(n, 2, "1", votes=[2, 1, 2]) for n in range(60, 70)]
    + [row(n, 0, "Tie", votes=[0, 0, 0]) for n in range(70, 75)]
    + [row(n, 0, "no idea", votes=[0, 2, 0]) for n in range(75, 80)]
)
"""Sixty right, ten wrong, five ties agreed on, and five replies that say nothing where people saw a tie."""


def test_an_unreadable_reply_is_left_out_and_beside_it_counted_as_a_tie():
    found = measured(*RECORDED)
    assert (found.rows, found.replies, found.unread) == (80, 80, 5)
    assert found.as_read.agreement.value == pytest.approx(65 / 75)
    assert found.unread_as_tie.agreement.value == pytest.approx(70 / 80)
    chance = (40 * 30 + 30 * 40 + 5 * 5) / 75**2
    assert found.as_read.kappa.value == pytest.approx((65 / 75 - chance) / (1 - chance))
    assert found.as_read.table == ((30.0, 10.0, 0.0), (0.0, 30.0, 0.0), (0.0, 0.0, 5.0))


def test_length_preference_is_that_of_pairs_that_both_decided():
    found = measured(*RECORDED)
    assert found.length.judge.n == 70
    assert found.length.judge.value == pytest.approx(30 / 70)
    assert found.length.human.value == pytest.approx(40 / 70)
    assert found.length.relative.value == pytest.approx(-10 / 70)
    assert found.length.relative.high < 0


def test_answers_of_equal_length_say_nothing_of_length():
    found = measured(*[row(n, 1, "1", lengths=(5, 5)) for n in range(20)], row(21, 2, "1"))
    assert found.length.judge.n == 1
    assert found.longer_wins.n == 1


def test_people_are_compared_among_themselves():
    kappas = measured(*RECORDED).people
    assert len(kappas) == 3
    assert kappas[1].value == 1.0
    assert kappas[0].value == pytest.approx(kappas[2].value)
    assert kappas[0].value < 0.8


def test_a_row_counts_once_however_often_it_was_judged():
    found = measured(*[row(n, 1, ["1", "1"]) for n in range(60)], *[row(n, 1, ["1", "2"]) for n in range(60, 100)])
    assert found.as_read.agreement.n == 100
    assert found.as_read.agreement.value == pytest.approx(0.8)
    assert found.as_read.flips.value == pytest.approx(0.4)


def test_of_more_than_two_replies_the_last_two_count():
    assert measured(row(1, 1, ["2", "2", "1", "1"])).as_read.agreement.value == 1.0


def test_verdicts_have_sensitivity_and_specificity():
    rows = [{"id": n, "label": "pass", "judge": {"j": "pass" if n < 36 else "fail"}} for n in range(40)]
    rows += [{"id": n, "label": "fail", "judge": {"j": "fail" if n < 47 else "PASS"}} for n in range(40, 50)]
    found = measured(*rows)
    assert found.as_read.sensitivity.value == pytest.approx(0.9)
    assert found.as_read.specificity.value == pytest.approx(0.7)
    assert found.length is None


def written(path, rows):
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    return path


def test_recorded_verdicts_are_reported_for_people_and_for_programs(llmq, tmp_path):
    file = written(tmp_path / "rows.jsonl", RECORDED)
    code, out, err = llmq("calibrate", "--recorded", file, "--judge", "j")
    assert (code, err) == (0, "")
    assert "j: 80 cases, 80 replies, 5 of them unreadable" in out
    assert re.search(r"^agreement, unreadable as ties +0\.875 +0\.785 to 0\.931 +80$", out, re.MULTILINE)
    code, out, _ = llmq("calibrate", "--recorded", file, "--json")
    assert json.loads(out)["as_read"]["agreement"]["value"] == pytest.approx(65 / 75)


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ('{"id": 1, "label": 1}\n', (), 'line 1: "judge" is missing'),
        ('{"id": 1, "label": 1, "judge": {"a": 1}}\nnonsense\n', (), "line 2: is not a JSON object"),
        ('{"id": 1, "label": 1, "judge": {"a": 1}}\n', ("--judge", "b"), "judges recorded there: a"),
    ],
)
def test_what_cannot_be_measured_is_named(llmq, tmp_path, text, arguments, said):
    (tmp_path / "rows.jsonl").write_text(text)
    code, out, err = llmq("calibrate", "--recorded", tmp_path / "rows.jsonl", *arguments)
    assert (code, out) == (1, "")
    assert said in err


def anchor(number, human, judged, model="", length=40):
    """An anchor whose answer tells the stub what to score it."""
    answer = f"SCORE {judged} {'x' * length}"
    fields = {"id": str(number), "evaluator": "helpfulness", "question": f"Question {number}?", "answer": answer}
    return fields | {"human": human, "model": model, "provenance": "made for this test"}


ANCHORS = (
    [anchor(n, "pass", 5) for n in range(45)]
    + [anchor(n, "pass", 1) for n in range(45, 48)]
    + [anchor(n, "fail", 1) for n in range(48, 75)]
    + [anchor(n, "fail", 5) for n in range(75, 78)]
)


class Stub:
    """A judge on loopback whose every verdict is known; it fails each case once where it is told to."""

    def __init__(self, flaky=False):
        self.flaky, self.seen, self.port = flaky, set(), 0

    async def answer(self, request):
        user = (await request.json())["messages"][-1]["content"]
        question = user.split("Question ")[1].split("?")[0]
        if self.flaky and question not in self.seen:
            self.seen.add(question)
            return web.json_response({"error": {}}, status=500, headers={"Retry-After": "0"})
        score = user.split("SCORE ")[1].split()[0]
        text = json.dumps({"explanation": "As told.", "score": int(score)}) if score.isdigit() else "I would say fine."
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        return web.json_response({"model": "judge-1", "choices": [choice], "usage": usage})


@pytest.fixture
async def stub():
    found = Stub()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", found.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.port = runner.addresses[0][1]
    yield found
    await runner.cleanup()


async def calibrated(stub, tmp_path, anchors, *arguments, stderr=asyncio.subprocess.PIPE):
    """What the command prints when it asks the stub, in a process of its own."""
    written(tmp_path / "anchors.jsonl", anchors)
    config = tmp_path / "llmq.yaml"
    config.write_text(
        f"judge: {{endpoint: 'http://127.0.0.1:{stub.port}/v1', model: judge-1, anchors: {{file: anchors.jsonl}}}}\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "exporter", "calibrate", "--config", str(config), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
        env={"PATH": os.environ["PATH"]},
    )
    out, err = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode, out.decode(), (err or b"").decode()


async def test_a_judge_with_known_errors_is_measured_as_it_is(stub, tmp_path):
    stub.flaky = True
    code, out, err = await calibrated(stub, tmp_path, ANCHORS, "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert found["decision"]["open"] is True
    assert found["decision"]["agreement"]["confusion"] == {
        "pass_pass": 45, "pass_fail": 3, "fail_pass": 3, "fail_fail": 27
    }  # fmt: skip
    assert found["measures"]["agreement"]["sensitivity"]["value"] == pytest.approx(45 / 48)
    assert found["failures"] == {}
    assert found["usage"]["output"] >= 78 * 10


async def test_a_judge_that_disagrees_is_refused_with_reasons_and_its_worst_cases(stub, tmp_path):
    contrary = [{**one, "human": "fail" if one["human"] == "pass" else "pass"} for one in ANCHORS]
    code, out, err = await calibrated(stub, tmp_path, contrary)
    assert code == 1
    assert "the gate is shut" in out
    assert "kappa is -0." in out
    assert "worst disagreements" in out
    assert err == "", "no progress in a pipe"


async def test_on_a_terminal_it_counts_the_anchors_that_are_done(stub, tmp_path):
    ours, theirs = os.openpty()
    code, _, _ = await calibrated(stub, tmp_path, ANCHORS, stderr=theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    os.close(theirs)
    assert code == 0
    assert "78 anchors" in shown


async def test_replies_that_say_nothing_are_failures_and_no_verdicts(stub, tmp_path):
    code, out, _ = await calibrated(stub, tmp_path, [*ANCHORS, *[anchor(n, "pass", "?") for n in range(78, 98)]])
    assert code == 1
    assert "no verdict on 20 of 98 anchors (20%, at most 10%)" in out
    assert "anchors without a verdict (unparseable): 20" in out


def test_without_a_judge_or_anchors_the_command_says_what_is_missing(llmq, tmp_path):
    code, _, err = llmq("calibrate")
    assert code == 1
    assert "needs judge.endpoint, judge.model" in err
    config = tmp_path / "llmq.yaml"
    config.write_text("judge: {endpoint: 'http://127.0.0.1:9/v1', model: m}\n")
    file = written(tmp_path / "anchors.jsonl", [ANCHORS[0] | {"evaluator": "tone"}])
    code, _, err = llmq("calibrate", "--config", config, "--anchors", file)
    assert code == 1
    assert "no rubric of the config is named tone; there are faithfulness, helpfulness" in err


def test_anchors_are_counted_and_made_of_rows(llmq, tmp_path):
    rows = written(tmp_path / "rows.jsonl", [{"q": "Q", "a": ["A", "B"], "label": label} for label in (1, 2, 0)])
    options = ("--fields", "question=q,answer=a.1,human=label", "--passes", "2", "--fails", "1", "--provenance", "us")
    code, out, err = llmq("anchors", rows, *options)
    assert (code, err) == (0, "")
    made = [json.loads(line) for line in out.splitlines()]
    assert [(one["answer"], one["human"], one["provenance"]) for one in made] == [
        ("B", "fail", "us"),
        ("B", "pass", "us"),
    ]
    (tmp_path / "anchors.jsonl").write_text(out)
    code, out, _ = llmq("anchors", tmp_path / "anchors.jsonl")
    assert out.splitlines()[-1].split() == ["helpfulness", "1", "1", "0"]


def test_a_mapping_that_cannot_work_is_a_wrong_command_line(llmq, tmp_path):
    rows = written(tmp_path / "rows.jsonl", [{"q": "Q"}])
    code, _, err = llmq("anchors", rows, "--fields", "question=q")
    assert code == 2
    assert "names no answer" in err
    code, _, err = llmq("anchors", rows)
    assert code == 1
    assert f'{rows}, line 1: unknown field "q"' in err


JUDGE = ("helpfulness", "judge-1+12345678")


def exposed(metrics, name, by="estimate", **labels):
    """The values of a gauge, by one of its labels."""
    body = metrics.expose()[0].decode()
    lines = [line for line in body.splitlines() if line.startswith(f"{name}{{")]
    mine = [line for line in lines if all(f'{key}="{value}"' in line for key, value in labels.items())]
    return {re.search(f'{by}="([^"]*)"', line)[1]: float(line.split()[-1]) for line in mine}


def test_agreement_is_exposed_with_its_interval_and_its_table():
    metrics = Metrics(version="1")
    found = agreement(Confusion(pass_pass=45, pass_fail=3, fail_pass=3, fail_fail=27))
    show_agreement(metrics, JUDGE, "anchor", found)
    kappa = exposed(metrics, "llmq_judge_kappa", evaluator="helpfulness", source="anchor")
    assert kappa == pytest.approx({"value": found.kappa.value, "low": found.kappa.low, "high": found.kappa.high})
    assert exposed(metrics, "llmq_judge_labelled_cases", by="human", judge="pass") == {"pass": 45, "fail": 3}
    assert exposed(metrics, "llmq_judge_specificity_ratio")["value"] == pytest.approx(0.9)


def test_what_can_no_longer_be_told_is_no_longer_exposed():
    metrics = Metrics(version="1")
    show_agreement(metrics, JUDGE, "anchor", agreement(Confusion(pass_pass=9, fail_fail=9)))
    show_agreement(metrics, JUDGE, "anchor", agreement(Confusion(pass_pass=9)))
    assert exposed(metrics, "llmq_judge_kappa") == {}
    assert exposed(metrics, "llmq_judge_specificity_ratio") == {}
    assert exposed(metrics, "llmq_judge_sensitivity_ratio")["value"] == 1.0


def test_gate_and_drift_are_exposed():
    metrics = Metrics(version="1")
    show_gate(metrics, JUDGE, is_open=False)
    show_drift(metrics, JUDGE, score_drift([0.1] * 50, [0.9] * 50), diagnose((80, 100), (50, 100), None))
    assert list(exposed(metrics, "llmq_judge_gate_open", by="evaluator").values()) == [0.0]
    drift = exposed(metrics, "llmq_judge_score_drift", by="bound")
    assert drift["value"] > drift["chance"]
    assert exposed(metrics, "llmq_judge_shift_ratio", part="live")["value"] == pytest.approx(-0.3)
    assert exposed(metrics, "llmq_judge_shift_ratio", part="judge") == {}
    assert exposed(metrics, "llmq_judge_measured_cases", by="measure") == {
        "score_drift": 50,
        "shift_live": 200,
        "shift_judge": 0,
        "shift_system": 0,
    }
