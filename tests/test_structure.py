"""`json_schema`: strict JSON, the requested schema first, the configured one else, and nothing fetched."""

import json

import pytest

from exporter.evaluators import built_in
from exporter.evaluators.options import OptionError
from exporter.evaluators.schema import BudgetError
from exporter.evaluators.structure import Schemas, json_schema
from exporter.model.score import Skipped
from exporter.model.trace import ToolCall, Trace

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "year": {"type": "integer"}},
    "required": ["city"],
    "additionalProperties": False,
}


def said(answer, *, options=None, **fields):
    bound = built_in().bound("json_schema", options or {})
    return json_schema(Trace(trace_id="t", content_state="answered", answer=answer, **fields), **bound)


def test_where_no_json_was_asked_for_it_does_not_apply():
    assert said('{"city": 5}') is None


def test_requested_json_without_a_schema_must_parse():
    assert said("[1]", json_requested=True) is True
    assert said("[1", json_requested=True).value == 0.0


@pytest.mark.parametrize("answer", ['{"city": "Bern"}', ' {"city": "Bern", "year": 1848}\n'])
def test_a_valid_answer_passes(answer):
    assert said(answer, response_schema=SCHEMA) is True


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ('{"year": 1848}', "breaks the schema at required"),
        ('{"city": "Bern", "year": "x"}', "breaks the schema at properties/year/type"),
        ('{"city": "Bern", "mayor": "y"}', "breaks the schema at additionalProperties"),
        ('{"city": "Bern"', "is not JSON"),
        ('{"city": NaN}', "is not JSON"),
        ("{'city': 'Bern'}", "is not JSON"),
        ('```json\n{"city": "Bern"}\n```', "is not JSON"),
        ("", "is not JSON"),
        ("\ud800", "is not JSON"),
        ("[" * 100_000, "is JSON nested too deep"),
    ],
)
def test_an_invalid_answer_fails_and_is_not_quoted(answer, why):
    score = said(answer, response_schema=SCHEMA)
    assert (score.value, score.explanation) == (0.0, f"the answer {why}")


def test_the_schema_that_was_sent_goes_before_the_configured_one():
    options = {"schema": {"type": "array"}}
    assert said('{"city": "Bern"}', response_schema=SCHEMA, options=options) is True
    assert said('{"city": "Bern"}', options=options).value == 0.0


def test_a_schema_may_be_in_a_file(tmp_path):
    file = tmp_path / "city.json"
    file.write_text(json.dumps(SCHEMA))
    assert said('{"city": "Bern"}', options={"schema_file": str(file)}) is True
    with pytest.raises(OptionError, match="cannot read"):
        said("{}", options={"schema_file": str(tmp_path / "gone.json")})


@pytest.mark.parametrize("fence", ["```json\n[1]\n```", "```\n[1]\n```", "[1]"])
def test_a_fence_is_allowed_by_option_alone(fence):
    assert said(fence, json_requested=True, options={"allow_fence": True}) is True


def test_an_answer_cut_by_an_export_limit_cannot_be_judged():
    cut = '{"text": "' + "x" * 1014
    assert len(cut) == 1024
    assert said(cut, json_requested=True) == Skipped("not_captured")
    assert said(cut + "x", json_requested=True).value == 0.0
    assert said(cut, json_requested=True, finish_reason="length").value == 0.0
    assert said("x" * 1024, json_requested=True).value == 0.0


@pytest.mark.parametrize(
    "schema", [{"type": "nope"}, {"$ref": "http://127.0.0.1:9/schema"}, {"$ref": "file:///etc/hostname"}]
)
def test_a_bad_schema_is_a_config_error_and_nothing_is_fetched(schema):
    with pytest.raises(OptionError, match="invalid JSON schema"):
        said("{}", options={"schema": schema})


def test_a_schema_in_a_trace_that_cannot_be_used_is_kept_by_no_answer():
    assert said("{}", response_schema={"$ref": "http://127.0.0.1:9/schema"}) == Skipped("schema")
    assert said("{", response_schema={"type": "nope"}).value == 0.0
    assert said("{}", response_schema={"type": "nope"}, options={"schema": {"type": "object"}}) is True


@pytest.mark.parametrize("fields", [{"refusal": "No."}, {"tool_calls": (ToolCall(name="f"),)}])
def test_a_refusal_or_a_tool_call_is_no_structured_answer(fields):
    assert said("", response_schema=SCHEMA, **fields) is None


def test_schemas_are_remembered_within_a_bound():
    schemas = Schemas(2)
    first = schemas.get({"const": 1})
    assert schemas.get({"const": 1}) is first
    schemas.get({"const": 2})
    schemas.get({"const": 1})
    schemas.get({"const": 3})
    assert schemas.get({"const": 1}) is first
    assert len(schemas._known) == 2
    with pytest.raises(BudgetError):
        schemas.get({"const": "x" * 300_000})
