import json

import pytest

from exporter.decode import JSON, DecodeError, DecodeLimits, TooLarge, decode, reply
from exporter.model.trace import Document, ToolCall, ToolDefinition
from exporter.semconv import Sources, normalise

NOW = 1_795_425_600.0
FULL = {
    "question": "How long do refunds take?",
    "answer": "Five days.",
    "context": ["Refunds take five days.", {"id": "doc-7", "text": "Ask support.", "score": 0.5}],
    "system_prompt": "You are a shop assistant.",
    "model": "gpt-4o-mini",
    "provider": "openai",
    "prompt_name": "refunds",
    "prompt_version": "12",
    "app": "shop",
    "route": "/chat",
    "conversation_id": "c-1",
    "user": "u-1",
    "environment": "prod",
    "tool_calls": [{"name": "lookup", "arguments": {"id": 1}}],
    "tool_definitions": [{"name": "lookup", "description": "find", "parameters": {"type": "object"}}],
    "response_schema": {"type": "object"},
    "finish_reason": "stop",
    "tokens": {"input": 42, "output": 17},
    "duration_seconds": 1.5,
    "started_at": 1_795_425_000,
}


def decoded(document, *, now=NOW, limits=None):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return decode("interactions", JSON, body, limits or DecodeLimits(), now)


def span_of(document, **options):
    (span,) = decoded(document, **options).spans
    return span


def trace_of(document):
    span = span_of(document)
    return normalise(span.trace_id, [span], [], Sources())


def test_every_field_of_an_interaction_reaches_the_trace():
    trace = trace_of(FULL)
    assert (trace.question, trace.answer, trace.system_prompt) == (
        FULL["question"],
        FULL["answer"],
        FULL["system_prompt"],
    )
    assert trace.context == (
        Document(text="Refunds take five days."),
        Document(id="doc-7", text="Ask support.", score=0.5),
    )
    assert (trace.model_version, trace.request_model, trace.provider) == ("gpt-4o-mini", "gpt-4o-mini", "openai")
    assert (trace.prompt_name, trace.prompt_version, trace.app, trace.route) == ("refunds", "12", "shop", "/chat")
    assert (trace.conversation_id, trace.user, trace.environment) == ("c-1", "u-1", "prod")
    assert [(call.name, call.arguments) for call in trace.tool_calls] == [("lookup", {"id": 1})]
    assert trace.tool_definitions == (ToolDefinition(name="lookup", parameters={"type": "object"}),)
    assert (trace.response_schema, trace.json_requested) == ({"type": "object"}, True)
    assert (trace.finish_reason, trace.input_tokens, trace.output_tokens) == ("stop", 42, 17)
    assert (trace.started_at, trace.duration_seconds) == (1_795_425_000, 1.5)
    assert (trace.content_state, trace.refusal, trace.error) == ("answered", None, None)


@pytest.mark.parametrize(
    ("document", "state"),
    [
        ({"question": "q", "answer": "a"}, "answered"),
        ({"question": "q", "answer": ""}, "empty"),
        ({"question": "q", "refusal": "I cannot."}, "refused"),
        ({"question": "q", "answer": "", "refusal": "I cannot."}, "refused"),
        ({"question": "q", "error": "rate limit"}, "error"),
    ],
)
def test_the_states_of_content_are_told_apart(document, state):
    assert trace_of(document).content_state == state


def test_the_refusal_and_the_error_reach_the_trace():
    assert trace_of({"question": "q", "refusal": "I cannot."}).refusal == "I cannot."
    assert trace_of({"question": "q", "error": "rate limit"}).error == "rate limit"


def test_tool_arguments_may_come_as_json_text():
    trace = trace_of({"question": "q", "tool_calls": [{"name": "f", "arguments": '{"a": 1}'}]})
    assert trace.tool_calls == (ToolCall(name="f", arguments={"a": 1}, id="0"),)


def test_a_prompt_version_may_be_a_number():
    assert trace_of({"question": "q", "prompt_version": 3}).prompt_version == "3"


def test_a_start_may_be_written_as_rfc_3339():
    assert span_of({"question": "q", "started_at": "2026-11-23T10:00:00+01:00"}).start == 1_795_424_400 * 10**9


def test_without_a_start_the_interaction_ended_when_it_was_received():
    span = span_of({"question": "q", "duration_seconds": 2})
    assert (span.start, span.end) == (int(NOW - 2) * 10**9, int(NOW) * 10**9)


def test_a_list_is_as_good_as_one_object():
    batch = decoded([{"question": "a"}, {"question": "b"}])
    assert len({span.trace_id for span in batch.spans}) == 2
    assert decoded([]).spans == []


def ids(document, **options):
    span = span_of(document, **options)
    return span.trace_id, span.span_id


def test_the_same_id_is_the_same_interaction():
    first = ids({"question": "q", "id": "42", "app": "shop"})
    assert ids({"question": "other text", "id": "42", "app": "shop"}, now=NOW + 60) == first
    assert ids({"question": "q", "id": "43", "app": "shop"})[0] != first[0]
    assert ids({"question": "q", "id": "42", "app": "bank"})[0] != first[0]


def test_an_id_may_be_any_text():
    assert ids({"question": "q", "id": "\0 \u00e4 " * 1000}) == ids({"question": "q", "id": "\0 \u00e4 " * 1000})


def test_a_given_trace_id_is_used_and_a_retry_has_the_same_span_id():
    document = {"question": "q", "trace_id": "0AF7651916cd43dd8448eb211c80319c"}
    trace_id, span_id = ids(document)
    assert trace_id.hex() == document["trace_id"].lower()
    assert ids(document, now=NOW + 60) == (trace_id, span_id)
    assert ids(document | {"answer": "a"}) != (trace_id, span_id)


def test_without_ids_the_journal_gives_the_same_ids_again_and_a_new_request_others():
    assert ids({"question": "q"}) == ids({"question": "q"})
    assert ids({"question": "q"})[0] != ids({"question": "q"}, now=NOW + 0.001)[0]


def test_equal_interactions_of_one_request_are_told_apart():
    batch = decoded([{"question": "q"}] * 3)
    assert len({(span.trace_id, span.span_id) for span in batch.spans}) == 3


def test_the_reply_names_the_traces():
    batch = decoded([{"question": "q", "trace_id": "0af7651916cd43dd8448eb211c80319c"}])
    assert json.loads(reply("interactions", JSON, batch)) == {
        "accepted": 1,
        "trace_ids": ["0af7651916cd43dd8448eb211c80319c"],
    }


MOMENT = (
    "$.started_at: expected a number from 0 to 10,000,000,000 or a time such as 2026-01-31T12:00:00Z with a time zone"
)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"qestion": "q"}, '$: unknown field "qestion"; did you mean "question"?'),
        ([{"question": "q"}, {"question": 3}], "$[1].question: expected text, found a whole number"),
        ({"context": [{"txt": "t"}]}, '$.context[0]: unknown field "txt"; did you mean "text"?'),
        ({"context": [{"id": "1"}]}, '$.context[0]: "text" is missing'),
        ({"context": "text"}, "$.context: expected a list, found text"),
        ({"question": "q", "trace_id": "xyz"}, "$.trace_id: expected 32 hexadecimal digits, not all zero, or a UUID"),
        (
            {"question": "q", "trace_id": "0" * 32},
            "$.trace_id: expected 32 hexadecimal digits, not all zero, or a UUID",
        ),
        ({"question": "q", "id": ""}, "$.id: expected text that is not empty"),
        (
            {"question": "q", "tokens": {"input": -1}},
            "$.tokens.input: expected a whole number from 0 to 1,000,000,000,000",
        ),
        ({"question": "q", "tokens": {"total": 1}}, '$.tokens: unknown field "total"; known: input, output'),
        ({"question": "q", "duration_seconds": -1}, "$.duration_seconds: expected a number from 0 to 1,000,000,000"),
        (
            {"question": "q", "started_at": "2026-11-23T10:00:00"},
            MOMENT,
        ),
        (
            {"question": "q", "started_at": "yesterday"},
            MOMENT,
        ),
        ({"question": "q", "tool_calls": [{"arguments": {}}]}, '$.tool_calls[0]: "name" is missing'),
        ({}, "$: says nothing; give at least a question, an answer, a refusal or an error"),
        (
            {"question": "q", "answer": "a", "refusal": "r"},
            "$: has an answer and a refusal; give the one that the user saw",
        ),
        ([1], "$[0]: expected an object, found a whole number"),
        (None, "$: expected an object, found null"),
        (b"", "$: not valid JSON (line 1, column 1)"),
        (b"[{]", "the body is not valid JSON; send one object or a list of objects"),
    ],
)
def test_a_mistake_is_refused_with_its_place_and_the_cure(document, message):
    with pytest.raises(DecodeError) as refusal:
        decoded(document)
    assert str(refusal.value) == message


def test_an_unknown_key_like_no_other_is_answered_with_all_that_are_known():
    with pytest.raises(DecodeError, match=r'unknown field "zzz"; known: answer, app, .*, user$'):
        decoded({"zzz": 1})


def test_one_mistake_refuses_the_whole_list():
    with pytest.raises(DecodeError, match=r"^\$\[2\]"):
        decoded([{"question": "q"}, {"question": "q"}, {}])


def test_too_many_interactions_are_refused():
    with pytest.raises(TooLarge, match="3 interactions in one request; send at most 2"):
        decoded([{"question": "q"}] * 3, limits=DecodeLimits(interactions=2))


def test_millions_of_small_values_are_refused():
    with pytest.raises(TooLarge, match="too many values"):
        decoded(b'{"question":"q","context":[' + b'"",' * 2_000_000 + b'""]}')


@pytest.mark.parametrize("depth", [80, 100_000])
def test_arguments_nested_too_deeply_are_refused(depth):
    body = b'{"question":"q","tool_calls":[{"name":"f","arguments":' + b"[" * depth + b"]" * depth + b"}]}"
    with pytest.raises(DecodeError, match="nested too deeply; at most 64 levels"):
        decoded(body)


@pytest.mark.parametrize("opening", [b"[", b'{"x":', b'{"response_schema":{"a":', b'[{"tool_calls":['])
def test_json_nested_100000_deep_is_refused(opening):
    with pytest.raises(DecodeError):
        decoded(opening * 100_000)


@pytest.mark.parametrize("text", [b"caf\xff", rb"caf\ud83d"])
def test_invalid_unicode_is_replaced_and_noted(text):
    batch = decoded(b'[{"question":"' + text + b'"}]')
    assert batch.anomalies == {"invalid_utf8": 1}
    assert batch.spans[0].attributes["gen_ai.input.messages"][0]["parts"][0]["content"] == "caf\ufffd"


def test_a_refusal_does_not_quote_the_text():
    with pytest.raises(DecodeError) as refusal:
        decoded({"question": ["my secret"], "answer": "my secret"})
    assert "secret" not in str(refusal.value)
