"""Result files that real tools wrote are read (see tests/offline/README.md), and others are refused with the reason."""

import json
from pathlib import Path

import pytest

from exporter.offline import readers
from exporter.offline.push import steady
from exporter.offline.readers.run import NotReadableError

FILES = Path(__file__).parent / "offline"
FRANCE, PERU, CITY = "What is the capital of France?", "What is the capital of Peru?", "Which city is Peru's capital?"


def read(name, **more):
    return readers.read((FILES / name).read_bytes(), **({"pass_mark": 0.5} | more))


def counts(run):
    return {(one.evaluator, one.evaluator_version): (one.passed, one.cases, one.mean_score) for one in run.counted}


def test_promptfoo_every_assertion_is_an_evaluator_and_a_broken_case_has_no_verdict():
    run = read("promptfoo-0.121.20.json")
    version = "promptfoo 0.121.20"
    assert counts(run) == {
        ("promptfoo", version): (1, 2, 0.75),
        ("icontains", version): (1, 2, 0.5),
        ("brevity", version): (2, 2, 1.0),
    }
    assert {one.model for one in run.counted} == {"stub-model-1"}
    assert run.questions == (FRANCE, PERU, "What is the capital of Atlantis?")
    assert (run.suite, run.run_id) == ("support suite", "eval-Acf-2026-11-23T13:46:57")
    assert run.ended_at == pytest.approx(1795441617.484)


def test_promptfoo_keeps_providers_and_prompts_apart():
    document = json.loads((FILES / "promptfoo-0.121.20.json").read_bytes())
    cases = document["results"]["results"]
    other = json.loads(json.dumps(cases[0]))
    other["provider"]["id"], other["promptIdx"], other["promptId"] = "other-model", 1, "0123456789abcdef"
    cases.append(other)
    run = readers.read(json.dumps(document).encode(), pass_mark=0.5)
    whole = [one for one in run.counted if one.evaluator == "promptfoo"]
    assert [(one.model, one.cases) for one in whole] == [("stub-model-1", 2), ("other-model", 1)]
    assert whole[1].prompt == "0123456789ab"


def test_inspect_every_scorer_is_an_evaluator_and_epochs_of_a_sample_are_one_case():
    run = read("inspect-0.3.285.json")
    version = "inspect_ai 0.3.285"
    assert counts(run) == {
        ("includes", version): (2, 3, pytest.approx(2 / 3)),
        ("exact", version): (1, 3, pytest.approx(1 / 3)),
    }
    assert {one.model for one in run.counted} == {"mockllm/model"}
    assert run.questions == (FRANCE, PERU, CITY)
    assert run.suite == "support"
    assert run.ended_at == 1795441751.0


def test_inspect_logs_that_are_packed_or_broke_off_say_what_to_do():
    with pytest.raises(NotReadableError, match="inspect log convert --to json"):
        read("inspect-0.3.285.eval")
    document = json.loads((FILES / "inspect-0.3.285.json").read_bytes())
    with pytest.raises(NotReadableError, match=r"\$\.status: the run ended with cancelled"):
        readers.read(json.dumps(document | {"status": "cancelled"}).encode(), pass_mark=0.5)
    with pytest.raises(NotReadableError, match=r"\$\.samples"):
        readers.read(json.dumps(document | {"samples": None}).encode(), pass_mark=0.5)


def test_deepeval_every_metric_is_an_evaluator_with_its_threshold_as_version():
    run = read("deepeval-4.3.1.json")
    assert counts(run) == {
        ("Exact Match", "deepeval >=1"): (1, 2, 0.5),
        ("Pattern Match", "deepeval >=1"): (1, 2, 0.5),
    }
    assert run.questions == (FRANCE, PERU)


def test_deepeval_a_metric_that_broke_off_has_no_verdict():
    document = json.loads((FILES / "deepeval-4.3.1.json").read_bytes())
    metric = document["testCases"][1]["metricsData"][0]
    metric |= {"error": "the model timed out", "score": None}
    run = readers.read(json.dumps({"testRunData": document}).encode(), pass_mark=0.5)
    assert counts(run)["Exact Match", "deepeval >=1"] == (1, 1, 1.0)


@pytest.mark.parametrize("name", ["ragas-0.4.3.jsonl", "ragas-0.4.3.csv"])
def test_ragas_every_column_of_numbers_is_an_evaluator(name):
    run = read(name)
    assert counts(run) == {("exact_match", "ragas >=0.5"): (1, 2, 0.5), ("string_present", "ragas >=0.5"): (1, 2, 0.5)}
    assert run.questions == (FRANCE, PERU)


def test_ragas_an_empty_cell_is_no_verdict_and_the_pass_mark_decides():
    rows = b'user_input,faithfulness\n"two\nlines",0.7\nb,\nc,0.9\n'
    run = readers.read(rows, pass_mark=0.8)
    assert counts(run) == {("faithfulness", "ragas >=0.8"): (1, 2, pytest.approx(0.8))}
    assert run.questions == ("two\nlines", "b", "c")


def test_ragas_a_sign_that_ends_a_line_elsewhere_ends_no_row():
    rows = "user_input,response,faithfulness\na\u2028b\x0cc,yes,0.9\r\nd,no,0.1\r\n"
    run = readers.read(rows.encode(), pass_mark=0.5)
    assert counts(run) == {("faithfulness", "ragas >=0.5"): (1, 2, pytest.approx(0.5))}
    assert run.questions == ("a\u2028b\x0cc", "d")


@pytest.mark.parametrize("index", ["", "index", "Unnamed: 0", "row"])
def test_ragas_the_index_of_a_table_is_no_metric(index):
    rows = f"{index},user_input,response,faithfulness,answer_relevancy\n0,When?,1967,1.0,\n1,Who?,c,,0.9\n2,How?,d,,\n"
    run = readers.read(rows.encode(), pass_mark=0.5)
    assert counts(run) == {
        ("faithfulness", "ragas >=0.5"): (1, 1, 1.0),
        ("answer_relevancy", "ragas >=0.5"): (1, 1, 0.9),
    }


@pytest.mark.parametrize("name", ["expected_answer", "solution"])
def test_ragas_a_column_with_some_numbers_is_no_metric(name):
    rows = f"question,{name},\nWhich port?,It uses port 8080.,\nHow many layers?,768,\nWho wrote it?,The team.,12\n"
    with pytest.raises(NotReadableError, match="not a result file of ragas: no column holds nothing but scores"):
        readers.read(rows.encode(), pass_mark=0.5)


ROWS = [
    {"user_input": FRANCE, "response": "Paris", "faithfulness": 1.0, "brevity": 0.25},
    {"user_input": PERU, "response": "Who knows.", "faithfulness": None, "brevity": 0.75},
]


@pytest.mark.parametrize(
    "table",
    [
        {name: {str(at): row[name] for at, row in enumerate(ROWS)} for name in ROWS[0]},
        {str(at): row for at, row in enumerate(ROWS)},
        {"columns": list(ROWS[0]), "index": [0, 1], "data": [list(row.values()) for row in ROWS]},
        {"schema": {"fields": []}, "data": [{"index": at} | row for at, row in enumerate(ROWS)]},
        ROWS,
    ],
    ids=["columns", "index", "split", "table", "records"],
)
def test_ragas_every_form_in_which_pandas_writes_json_is_read(table):
    run = readers.read(json.dumps(table).encode(), pass_mark=0.5)
    assert counts(run) == {("faithfulness", "ragas >=0.5"): (1, 1, 1.0), ("brevity", "ragas >=0.5"): (1, 2, 0.5)}
    assert run.questions == (FRANCE, PERU)


@pytest.mark.parametrize(
    "columns",
    [
        {"query_length": 17},
        {"year": 1967, "tokens": 230},
        {"temperature": 0.7},
        {"label": 1},
        {"label": 0, "grade": "good"},
        {"difficulty": 0.3, "source": "wiki"},
    ],
)
def test_ragas_numbers_that_are_no_scores_are_no_metrics(columns):
    rows = [{"user_input": FRANCE, "response": "Paris"} | columns, {"user_input": PERU, "response": "?"} | columns]
    with pytest.raises(NotReadableError, match="no column holds nothing but scores from 0 to 1"):
        readers.read(json.dumps(rows).encode(), pass_mark=0.5)
    scored = [row | {"faithfulness": 0.9} for row in rows]
    assert set(counts(readers.read(json.dumps(scored).encode(), pass_mark=0.5))) == {("faithfulness", "ragas >=0.5")}


def test_ragas_a_data_set_without_answers_is_no_result():
    rows = b"question,ground_truth,easy\na,b,1\nc,d,0\n"
    with pytest.raises(NotReadableError, match="not a result file"):
        readers.read(rows, pass_mark=0.5)


def test_ragas_words_and_booleans_are_verdicts():
    rows = b"user_input,response,tone,is_safe\na,b,pass,True\nc,d,fail,False\ne,f,,True\n"
    assert counts(readers.read(rows, pass_mark=0.5)) == {
        ("tone", "ragas >=0.5"): (1, 2, 0.5),
        ("is_safe", "ragas >=0.5"): (2, 3, pytest.approx(2 / 3)),
    }


def test_a_score_on_a_scale_of_its_own_counts_where_it_is_named():
    rows = b"user_input,response,answer_score\na,b,4\nc,d,2\n"
    run = readers.read(rows, pass_mark=0.5, named={"answer_score": 3})
    assert counts(run) == {("answer_score", "ragas >=3"): (1, 2, None)}
    document = json.loads((FILES / "inspect-0.3.285.json").read_bytes())
    for sample in document["samples"]:
        sample["scores"] = {"grade": {"value": 7}}
    log = json.dumps(document).encode()
    with pytest.raises(NotReadableError, match="--scores NAME:MARK of grade"):
        readers.read(log, pass_mark=0.5)
    assert counts(readers.read(log, pass_mark=0.5, named={"grade": 8}))["grade", "inspect_ai 0.3.285"] == (0, 3, None)


def test_deepeval_what_evaluate_returned_is_read_and_its_data_set_names_the_suite():
    metric = {"name": "Faithfulness", "threshold": 0.5, "success": True, "score": 0.8, "evaluation_model": "gpt"}
    returned = {"test_results": [{"name": "a", "success": True, "input": FRANCE, "metrics_data": [metric]}]}
    run = readers.read(json.dumps(returned).encode(), pass_mark=0.5)
    assert counts(run) == {("Faithfulness", "deepeval gpt >=0.5"): (1, 1, 0.8)}
    document = json.loads((FILES / "deepeval-4.3.1.json").read_bytes())
    document["conversationalTestCases"] = [{"name": "c", "metricsData": document["testCases"][0]["metricsData"]}]
    run = readers.read(json.dumps(document | {"datasetAlias": "golden"}).encode(), pass_mark=0.5)
    assert (run.suite, counts(run)["Exact Match", "deepeval >=1"]) == ("golden", (2, 3, pytest.approx(2 / 3)))


def test_promptfoo_lines_are_read_as_its_file():
    cases = json.loads((FILES / "promptfoo-0.121.20.json").read_bytes())["results"]["results"]
    run = readers.read("\n".join(map(json.dumps, cases)).encode(), pass_mark=0.5)
    assert run.tool == "promptfoo"
    assert counts(run)["icontains", "promptfoo"] == (1, 2, 0.5)


@pytest.mark.parametrize(
    ("file", "suite"),
    [
        ("golden", "golden"),
        ("golden-2026-11-23", "golden"),
        ("golden_20261123_134909", "golden"),
        ("20261123_134909", ""),
        ("support-2026-11-23T13-46-57+00-00", "support"),
        ("results 2026-11-23 13:46:57.123", "results"),
        ("run-1732369749", "run"),
        ("eval-3f2b8c1e-7a54-4b1e-9d1c-0a1b2c3d4e5f", "eval"),
        ("golden-v2", "golden-v2"),
        ("questions-2026", "questions-2026"),
        ("top10-suite", "top10-suite"),
    ],
)
def test_a_suite_is_not_named_by_the_time_in_its_files_name(file, suite):
    assert steady(file) == suite


@pytest.mark.parametrize("value", ["NaN", "-Infinity"])
def test_ragas_no_number_of_python_is_no_verdict(value):
    rows = f'[{{"user_input": "a", "faithfulness": {value}}}, {{"user_input": "NaN", "faithfulness": 0.9}}]'
    run = readers.read(rows.encode(), pass_mark=0.5)
    assert counts(run) == {("faithfulness", "ragas >=0.5"): (1, 1, 0.9)}
    assert run.questions == ("a", "NaN")


def test_inspect_an_unscored_sample_has_no_verdict():
    whole = (FILES / "inspect-0.3.285.json").read_bytes()
    document = json.loads(whole)
    sample = document["samples"][0]
    scorer = next(iter(sample["scores"]))
    same = [one for one in document["samples"] if one["id"] == sample["id"]]
    for one in same:
        one["scores"][scorer]["value"] = float("nan")
    before = counts(readers.read(whole, pass_mark=0.5))
    after = counts(readers.read(json.dumps(document).encode(), pass_mark=0.5))
    assert {name: cases for (name, _), (_, cases, _) in after.items()} == {
        name: cases - (name == scorer) for (name, _), (_, cases, _) in before.items()
    }


def test_junit_of_promptfoo_counts_tests():
    run = read("promptfoo-0.121.20.junit.xml")
    assert counts(run) == {("tests", "junit"): (1, 2, None)}
    assert (run.suite, run.ended_at) == ("promptfoo", pytest.approx(1795441852.588))


def test_junit_of_pytest_leaves_out_what_was_skipped_or_broke_off():
    run = read("pytest-9.2.0.junit.xml")
    assert counts(run) == {("tests", "junit"): (1, 2, None)}
    assert (run.suite, run.ended_at) == ("pytest tests", pytest.approx(1795456981.011673))


@pytest.mark.parametrize(
    ("content", "tool", "says"),
    [
        (b"", None, "not a result file of any of promptfoo"),
        (b"{}", None, "not a result file of any of"),
        (b"\xff\xfe\x00", None, "neither JSON nor text in UTF-8"),
        (b"user_input,m\n" + b"x" * 200_000, None, "nor CSV from line 1 on: write it as JSON"),
        (b"[" * 100_000, None, "."),
        (b"{}", "ragas", "not a result file of ragas"),
        (
            b'{"evalId": "x", "results": {"results": [{"success": "yes"}]}}',
            None,
            r'promptfoo: results\.results\[0\]: "provider" is missing',
        ),
        (
            b'{"testCases": [{"input": 7}]}',
            None,
            r"deepeval: testCases\[0\]\.input: expected text, found a whole number",
        ),
        (b'{"testCases": []}', None, "no verdict in the deepeval results"),
        (b"<testsuites>", None, "not well-formed XML, line 1"),
        (b"<html/>", None, "<html>: not a JUnit report"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><testsuites/>', None, "declares a document type"),
        (b"<testsuites/>", None, "no verdict in the junit results"),
        (b'[{"user_input": "a", "m": 1}, 7]', None, "row 2: not an object"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_place(content, tool, says):
    with pytest.raises(NotReadableError, match=says):
        readers.read(content, pass_mark=0.5, tool=tool)
