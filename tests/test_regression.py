"""A reviewed failure is a regression test: it fails today, and passes when the application is mended."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.cli.main import main
from exporter.judge.imported import Mapping, imported
from exporter.offline.application import NoAnswerError, again, command, endpoint
from exporter.offline.expected import Wanted, judged
from exporter.review import export

from .test_review_export import REFUSAL, case, made

RIGHT = "Refunds take 14 days. Write to the desk with your order number."
CLOSE = "Refunds take 30 days. Write to the desk with your order number."
BAD = "Refunds are not possible, write to the desk."


@pytest.mark.parametrize(
    ("answer", "wanted", "passes"),
    [
        (RIGHT, Wanted(RIGHT, BAD), True),
        ("Please write to our desk, with the order's number: refunds take about 14 days.", Wanted(RIGHT, BAD), True),
        (BAD, Wanted(RIGHT, BAD), False),
        (CLOSE, Wanted(RIGHT), False),
        (CLOSE, Wanted(RIGHT, CLOSE), False),
        (REFUSAL, Wanted(RIGHT, BAD), False),
        ("", Wanted(RIGHT), False),
        (BAD, Wanted(None, BAD), False),
        (BAD.upper(), Wanted(None, BAD), False),
        (RIGHT, Wanted(None, BAD), True),
        ("退款需要14天，请联系客服。", Wanted("退款需要14天，请联系客服。"), True),
        ("退款需要30天，请联系客服。", Wanted("退款需要14天，请联系客服。"), False),
    ],
)
def test_an_answer_agrees_with_the_right_one_and_is_no_longer_the_bad_one(answer, wanted, passes):
    found = judged(answer, wanted)
    assert (found.verdict == "pass") is passes, found.explanation


@given(st.text(), st.text(min_size=1), st.text(min_size=1))
def test_the_failed_answer_fails_and_a_score_is_a_share(answer, right, bad):
    assert 0.0 <= judged(answer, Wanted(right, bad)).score <= 1.0
    assert judged(bad, Wanted(None, bad)).verdict == "fail"


SUITE = [
    {"id": "1", "input": "How long do refunds take?", "output": BAD, "expected": RIGHT, "rejected": BAD},
    {"id": "2", "input": "Where is the desk?", "output": REFUSAL, "expected": None, "rejected": REFUSAL},
    {"id": "3", "input": "Is it open?", "output": "Yes, from nine.", "expected": "Yes, from nine."},
]
MENDED = {"How long do refunds take?": RIGHT, "Where is the desk?": "On floor 2.", "Is it open?": "Yes, from nine."}


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "suite.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in SUITE))
    return path


@pytest.fixture
def app():
    """An application that answers as OpenAI's chat completions, and remembers what it was asked."""
    asked, mended = [], {"is": False}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, body, self.headers.get("Authorization")))
            question = body["messages"][-1]["content"]
            old = {row["input"]: row["output"] for row in SUITE}
            text = (MENDED if mended["is"] else old)[question]
            reply = {"model": "m-2", "choices": [{"finish_reason": "stop", "message": {"content": text}}]}
            content = json.dumps(reply).encode()
            self.send_response(500 if body["model"] == "broken" else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1", asked, mended
    server.shutdown()
    server.server_close()


def verdicts(capsys):
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {row["id"]: row["verdict"] for row in rows if row["evaluator"] == "expected"}


def test_the_suite_fails_today_and_passes_when_the_application_is_mended(suite, app, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-the-app")
    url, asked, mended = app
    assert main(["eval", str(suite)]) == 0
    assert verdicts(capsys) == {"1": "fail", "2": "fail", "3": "pass"}
    assert main(["eval", "--endpoint", url, "--model", "m", str(suite)]) == 0
    assert verdicts(capsys) == {"1": "fail", "2": "fail", "3": "pass"}
    mended["is"] = True
    assert main(["eval", "--endpoint", url, "--model", "m", "--evaluators", "expected,refusal", str(suite)]) == 0
    assert verdicts(capsys) == {"1": "pass", "2": "pass", "3": "pass"}
    assert {path for path, _, _ in asked} == {"/v1/chat/completions"}
    assert {key for _, _, key in asked} == {"Bearer key-of-the-app"}
    assert all("expected" not in json.dumps(body) for _, body, _ in asked)


def test_an_application_that_does_not_answer_is_an_error_of_its_row(suite, app, capsys):
    url, _, _ = app
    assert main(["eval", "--endpoint", url, "--model", "broken", str(suite)]) == 1
    assert "line 1: no answer: the endpoint answered 500" in capsys.readouterr().err
    assert main(["eval", "--endpoint", "http://127.0.0.1:9", str(suite)]) == 1
    assert "no answer: the endpoint cannot be reached" in capsys.readouterr().err
    assert main(["eval", "--endpoint", "ftp://x", str(suite)]) == 2
    assert main(["eval", "--endpoint", url, "--command", "x", str(suite)]) == 2


def test_a_command_answers_each_row(tmp_path, suite, capsys):
    script = tmp_path / "app.py"
    script.write_text(
        "import json, sys\n"
        "row = json.load(sys.stdin)\n"
        "assert set(row) == {'id', 'input'}, row\n"
        f"answer = {MENDED!r}[row['input']]\n"
        "print(json.dumps({'output': answer, 'context': ['Floor 2.']}) if row['id'] == '2' else answer)\n"
    )
    assert main(["eval", "--command", f"{sys.executable} {script}", "--evaluators", "expected", str(suite)]) == 0
    assert verdicts(capsys) == {"1": "pass", "2": "pass", "3": "pass"}


def test_a_command_that_fails_or_takes_too_long_says_so():
    for line, timeout, says in (
        (f"{sys.executable} -c 'raise SystemExit(3)'", 60, "exit code 3"),
        (f"{sys.executable} -c 'import time; time.sleep(60)'", 0.2, "longer than 0.2 s"),
        ("/no/such/program", 1, "cannot be run"),
    ):
        with pytest.raises(NoAnswerError, match=says):
            command(line, timeout)({"input": "a"})
    with pytest.raises(NoAnswerError, match="is empty"):
        command("  ", 1)
    with pytest.raises(NoAnswerError, match="not a URL"):
        endpoint("x", "m", 1)


def test_rows_keep_their_order_and_what_is_no_row_is_handed_on():
    lines = [json.dumps({"id": n, "input": str(n), "output": "old", "refusal": "no"}).encode() for n in range(40)]
    found = list(again([*lines, b"{", b"[]"], lambda row: {"output": row["input"]}, 3))
    assert [json.loads(one) for one in found[:40]] == [{"id": n, "input": str(n), "output": str(n)} for n in range(40)]
    assert found[40:] == [b"{", b"[]"]


def test_a_reviewed_failure_is_exported_as_a_test_that_fails_on_its_own_answer(tmp_path, capsys):
    (tmp_path / "suite.jsonl").write_bytes(made("jsonl", case(1), case(2, corrected=None)))
    assert main(["eval", "--evaluators", "expected", str(tmp_path / "suite.jsonl")]) == 0
    assert set(verdicts(capsys).values()) == {"fail"}


def test_exported_texts_are_texts_in_anchors(tmp_path):
    fields = {"question": "input", "answer": "output", "human": "metadata.verdicts.helpfulness", "context": "context"}
    mapping = Mapping(evaluator="helpfulness", fields=fields, passes=("pass",), fails=("fail",))
    [anchor] = imported(made("jsonl", case()).splitlines(), mapping, "suite.jsonl")
    assert (anchor.context, anchor.human) == (("Desks: call us.",), "fail")


def test_promptfoo_asserts_what_must_hold_and_renders_no_template_in_it():
    import yaml

    mended, failed = yaml.safe_load(made("promptfoo", case(1), case(2, corrected=None)))
    assert [one["metric"] for one in mended["assert"]] == ["expected", "rejected"]
    assert [one["metric"] for one in failed["assert"]] == ["rejected"]
    assert (mended["vars"]["reference"], mended["vars"]["rejected"]) == ("Call us, and ask for it.", REFUSAL)
    for one in mended["assert"]:
        assert not {"{{", "{%", "{#"} & {one["value"][at : at + 2] for at in range(len(one["value"]))}
    (passed,) = yaml.safe_load(made("promptfoo", case(1, corrected=None, verdicts={"helpfulness": "pass"})))
    assert [one["metric"] for one in passed["assert"]] == ["expected"]
    assert set(export.FORMATS) == {"jsonl", "promptfoo", "inspect", "openai"}
