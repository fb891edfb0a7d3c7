import msgspec
import pytest

from exporter.model.score import Evaluation, Failure, Outcome, Unscored
from exporter.model.trace import Document, ToolCall, ToolDefinition, Trace
from exporter.recording.trace_document import document, with_late_fields
from exporter.redaction import Redactor

KEYS = (
    *("trace_id", "app", "route", "model_version", "prompt_version", "provider", "conversation_id", "user"),
    *("content_state", "question", "answer", "refusal", "context", "tool_calls", "finish_reason"),
    *("tokens", "duration_seconds", "dialect", "error", "evaluations", "unscored", "failures", "feedback"),
)

TRACE = Trace(
    trace_id="ab" * 16,
    app="shop",
    route="/chat",
    model_version="m-1",
    prompt_version="v3",
    provider="openai",
    conversation_id="c-1",
    user="u-1",
    content_state="answered",
    question="planted question",
    system_prompt="planted system prompt",
    answer="planted answer",
    refusal="planted refusal",
    context=(Document(id="d-1", text="planted text", score=0.9),),
    tool_calls=(ToolCall(name="search", arguments={"q": "planted argument"}, id="call-1"),),
    tool_definitions=(ToolDefinition(name="planted definition"),),
    tool_results=("planted result",),
    response_schema={"title": "planted schema"},
    finish_reason="stop",
    input_tokens=42,
    output_tokens=17,
    duration_seconds=1.2,
    dialect="openinference",
    error="ValidationError: input_value='planted error'",
)
OUTCOME = Outcome(
    evaluations=(
        Evaluation(
            evaluator="grounding",
            evaluator_version="1",
            verdict="fail",
            score=0.5,
            explanation="1 of 2 sentences",
            quotes=("planted quote", "planted too"),
        ),
    ),
    unscored=(Unscored(evaluator="citation", reason="not_applicable"),),
    failures=(Failure(evaluator="format", evaluator_version="1", reason="timeout", detail="interrupted"),),
)


def test_the_document_has_the_documented_keys_in_order():
    assert list(document(TRACE, OUTCOME, content=True)) == list(KEYS)
    assert list(document(Trace(trace_id="1"), Outcome(), content=False)) == list(KEYS)


def test_with_content_it_says_everything():
    made = msgspec.json.decode(msgspec.json.encode(document(TRACE, OUTCOME, content=True)))
    assert (made["question"], made["answer"], made["refusal"]) == (
        "planted question",
        "planted answer",
        "planted refusal",
    )
    assert made["context"] == [{"id": "d-1", "text": "planted text", "score": 0.9}]
    assert made["tool_calls"] == [{"name": "search", "arguments": {"q": "planted argument"}}]
    assert made["tokens"] == {"input": 42, "output": 17}
    assert made["evaluations"] == [
        {
            "evaluator": "grounding",
            "evaluator_version": "1",
            "verdict": "fail",
            "score": 0.5,
            "sample": "all",
            "explanation": '1 of 2 sentences: "planted quote"; "planted too"',
        }
    ]
    assert made["unscored"] == [{"evaluator": "citation", "reason": "not_applicable"}]
    assert made["failures"] == [
        {"evaluator": "format", "evaluator_version": "1", "reason": "timeout", "detail": "interrupted"}
    ]
    assert made["feedback"] == []


def test_without_content_it_holds_no_text_of_the_trace():
    made = msgspec.json.decode(msgspec.json.encode(document(TRACE, OUTCOME, content=False)))
    assert b"planted" not in msgspec.json.encode(made)
    assert made["context"] == [{"id": "d-1", "text": None, "score": 0.9}]
    assert made["tool_calls"] == [{"name": "search", "arguments": None}]
    assert made["evaluations"][0]["explanation"] == "1 of 2 sentences"
    assert (made["user"], made["conversation_id"], made["content_state"]) == ("u-1", "c-1", "answered")


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (None, None),
        ("openai.RateLimitError: Error code: 429 - planted", "openai.RateLimitError"),
        ("timeout", "timeout"),
        ("the question planted was bad", "error"),
        ("planted: but with spaces first", "planted"),
    ],
)
def test_without_content_an_error_is_its_kind_alone(error, kept):
    assert document(Trace(trace_id="1", error=error), Outcome(), content=False)["error"] == kept


def test_a_users_pattern_that_matches_every_word_redacts_the_text_and_nothing_else():
    redactor = Redactor(own={"word": r"\w+"})
    plain, shown = document(TRACE, OUTCOME, content=True), document(TRACE, OUTCOME, content=True, redact=redactor.value)
    assert shown["question"] == shown["answer"] == shown["refusal"] == "[word] [word]"
    assert shown["context"] == [{"id": "d-1", "text": "[word] [word]", "score": 0.9}]
    assert shown["tool_calls"] == [{"name": "search", "arguments": {"[word]": "[word] [word]"}}]
    assert "planted" not in str(shown["evaluations"]) + shown["error"]
    texts = {"question", "answer", "refusal", "context", "tool_calls", "error", "evaluations"}
    assert {key: shown[key] for key in shown.keys() - texts} == {key: plain[key] for key in plain.keys() - texts}


def test_what_is_not_known_is_null():
    made = document(Trace(trace_id="1"), Outcome(), content=True)
    assert made["tokens"] == {"input": None, "output": None}
    nulls = {"provider", "conversation_id", "user", "question", "answer", "refusal", "finish_reason", "error"}
    assert {key for key, value in made.items() if value is None} == nulls | {"duration_seconds"}


def test_late_parts_tell_who_asked_where_that_was_not_known():
    stored = msgspec.json.encode(document(Trace(trace_id="1", user="first"), OUTCOME, content=True))
    changed = msgspec.json.decode(with_late_fields(stored, Trace(trace_id="1", user="late", conversation_id="c-9")))
    assert (changed["user"], changed["conversation_id"]) == ("first", "c-9")
    assert list(changed) == list(KEYS)


def test_late_parts_that_tell_nothing_new_change_nothing():
    stored = msgspec.json.encode(document(TRACE, OUTCOME, content=True))
    assert with_late_fields(stored, Trace(trace_id="1", user="late", answer="another")) is None
