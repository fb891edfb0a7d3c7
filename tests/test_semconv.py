"""One Trace from many spans: what counts once, what wins, and what is never confused."""

import json
from itertools import count

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from exporter.model.trace import CLIENT, Event, LogRecord, Span
from exporter.semconv import Sources, normalise
from exporter.semconv.finish import finish_reason

TRACE = bytes(range(16))
_ids = count(1)


def span(attributes, *, parent=None, start=1, end=2, events=(), status=(0, ""), resource=None, span_id=None):
    return Span(
        TRACE,
        span_id or next(_ids).to_bytes(8, "big"),
        getattr(parent, "span_id", parent) or b"",
        "span",
        start * 10**9,
        end * 10**9,
        attributes,
        events,
        *status,
        {"service.name": "shop"} if resource is None else resource,
        "scope",
        0,
    )


def read(*spans, logs=(), sources=None):
    return normalise(TRACE, spans, logs, sources or Sources())


def js(value):
    return json.dumps(value)


def said(role, content, **more):
    return {"role": role, "parts": [{"type": "text", "content": content}], **more}


def chat(question="Hello?", answer="Hi.", **fields):
    attributes = {"gen_ai.operation.name": "chat"}
    if question is not None:
        attributes["gen_ai.input.messages"] = js([said("user", question)])
    if answer is not None:
        attributes["gen_ai.output.messages"] = js([said("assistant", answer, finish_reason="stop")])
    return attributes | {f"gen_ai.{name}": value for name, value in fields.items()}


def chain(**fields):
    return {"openinference.span.kind": "CHAIN", **fields}


def test_a_call_told_by_two_packages_counts_once():
    outer = span(
        {
            "openinference.span.kind": "LLM",
            "llm.output_messages.0.message.content": "Hi.",
            "llm.token_count.prompt": 40,
        },
        end=9,
    )
    inner = span(chat(**{"usage.input_tokens": 41, "usage.output_tokens": 17, "response.id": "r"}), parent=outer)
    trace = read(outer, inner)
    assert (trace.dialect, trace.input_tokens, trace.output_tokens) == ("openinference", 40, 17)
    assert (trace.question, trace.answer) == ("Hello?", "Hi.")


def test_calls_with_the_same_response_id_count_once_though_they_are_siblings():
    root = span(chain(), end=9)
    usage = {"usage.input_tokens": 10, "response.id": "r1"}
    trace = read(root, span(chat(**usage), parent=root), span(chat(**usage), parent=root, end=3))
    assert trace.input_tokens == 10


def test_agents_repeat_the_usage_of_their_calls_and_are_not_added():
    agent = span({"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 30}, end=9)
    first = span(chat(answer="One.", **{"usage.input_tokens": 10}), parent=agent)
    second = span(chat(answer="Two.", **{"usage.input_tokens": 20}), parent=agent, start=3, end=4)
    trace = read(agent, second, first)
    assert (trace.input_tokens, trace.answer) == (30, "Two.")


def test_an_agent_without_calls_is_scored_with_its_own_usage():
    trace = read(span(chat(**{"operation.name": "invoke_agent", "usage.output_tokens": 3})))
    assert (trace.answer, trace.output_tokens) == ("Hi.", 3)


def test_the_root_shows_what_the_user_saw():
    root = span(chain(**{"input.value": "Refunds?", "output.value": "30 days. Anything else?"}), end=9)
    trace = read(root, span(chat("Context and Refunds?", "30 days."), parent=root))
    assert (trace.question, trace.answer) == ("Refunds?", "30 days. Anything else?")


def test_requested_json_is_judged_as_the_model_wrote_it():
    root = span(chain(**{"input.value": "A ticket?", "output.value": js({"answer": "parsed"})}), end=9)
    trace = read(root, span(chat("A ticket?", '{"answer": "parsed" ', **{"output.type": "json"}), parent=root))
    assert (trace.answer, trace.json_requested) == ('{"answer": "parsed" ', True)


def test_a_root_without_recognisable_output_leaves_the_models_answer():
    root = span(chain(**{"input.value": js({"x": 1}), "output.value": js({"status": 200})}), end=9)
    trace = read(root, span(chat(), parent=root))
    assert (trace.question, trace.answer) == ("Hello?", "Hi.")


def test_helpers_that_a_team_names_are_no_answers():
    root = span({"http.route": "/ask"}, end=9)
    answer = span(chat("Refunds?", "30 days."), parent=root)
    checked = span(
        chat("Is this polite? 30 days.", "Yes.", **{"agent.name": "tone-check"}), parent=root, start=3, end=4
    )
    assert normalise(TRACE, (root, answer, checked), (), Sources(), ["tone-*"]).answer == "30 days."


@pytest.mark.parametrize(
    ("system", "prompt"),
    [
        ("You write titles for chats.", "Refunds? 30 days."),
        (None, "### Task:\nSuggest 3 follow-up questions for this chat: user: Refunds?"),
        ("Classify the message as safe or unsafe.", "Refunds?"),
    ],
)
def test_titles_suggestions_and_checks_after_the_answer_are_no_answers(system, prompt):
    root = span({"http.route": "/ask"}, end=9)
    asked = chat(prompt, "Something else.")
    if system:
        asked["gen_ai.system_instructions"] = js([{"type": "text", "content": system}])
    trace = read(root, span(chat("Refunds?", "30 days."), parent=root), span(asked, parent=root, start=3, end=4))
    assert (trace.question, trace.answer) == ("Refunds?", "30 days.")


def test_a_draft_that_a_later_call_improves_is_not_the_answer():
    root = span({"http.route": "/ask"}, end=9)
    draft = span(chat("Refunds?", "30 days."), parent=root)
    final = span(chat("Refunds? Improve this: 30 days.", "Within 30 days."), parent=root, start=3, end=4)
    assert read(root, draft, final).answer == "Within 30 days."


def test_the_route_is_that_of_the_server_span_around_the_call():
    server = span({"http.route": "/chat"}, end=9)
    client = span({"http.route": "/v1/messages", **chat()}, parent=server)
    assert read(server, replace(client, kind=CLIENT)).route == "/chat"
    assert read(replace(client, kind=CLIENT)).route == "unknown"
    assert read(client).route == "/v1/messages"


def test_a_client_span_alone_tells_everything_but_that_route():
    attributes = {"http.route": "/v1/messages", "gen_ai.agent.name": "helper", "session.id": "s1", **chat()}
    trace = read(replace(span(attributes), kind=CLIENT))
    assert (trace.route, trace.conversation_id, trace.prompt_name) == ("helper", "s1", "helper")
    assert read(span(attributes)).route == "/v1/messages"


@pytest.mark.parametrize("nothing", [" ", '""', True, None])
def test_a_value_that_says_nothing_hides_no_later_one(nothing):
    told = {"session.id": "s1", "gen_ai.usage.prompt_tokens": 7, "gen_ai.system": "openai", **chat()}
    silent = {"langfuse.session.id": nothing, "gen_ai.usage.input_tokens": nothing, "gen_ai.provider.name": nothing}
    alone = span(silent | told)
    for trace in (read(alone), read(replace(alone, kind=CLIENT)), read(span({}), alone)):
        assert (trace.conversation_id, trace.input_tokens, trace.provider) == ("s1", 7, "openai")


def test_a_classifier_beside_the_answer_does_not_change_what_was_asked():
    root = span({"http.route": "/ask"}, end=9)
    retriever = span(
        {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.query.text": "Refunds?",
            "gen_ai.retrieval.documents": js([{"id": "a", "text": "30 days"}]),
        },
        parent=root,
    )
    trace = read(root, retriever, span(chat("Context: 30 days. Question: Refunds?", "30 days."), parent=root, end=3))
    assert (trace.question, trace.route, trace.context[0].id) == ("Refunds?", "/ask", "a")


def test_a_document_retrieved_twice_is_one_document():
    documents = {"gen_ai.retrieval.documents": js([{"id": "a", "content": "30 days"}])}
    retrieval = {"gen_ai.operation.name": "retrieval", **documents}
    trace = read(span(retrieval), span(retrieval), span(chat(), end=5))
    assert [item.text for item in trace.context] == ["30 days"]


def test_documents_on_the_model_call_itself_count_where_no_retriever_has_any():
    trace = read(span(chat(**{"retrieval.documents": js([{"id": 7, "score": 0.5, "content": "x", "kind": "faq"}])})))
    assert [(item.id, item.score, item.text) for item in trace.context] == [("7", 0.5, "x")]


def test_a_retry_asks_in_the_agents_words_so_the_first_question_stands():
    transcript = [said("user", "A ticket?"), said("assistant", "no"), said("user", "Fix the errors.")]
    agent = span({"gen_ai.operation.name": "invoke_agent", "pydantic_ai.all_messages": js(transcript)}, end=9)
    first = span(chat("A ticket?", "no"), parent=agent)
    second = span(chat("Fix the errors.", "{}"), parent=agent, start=3, end=4)
    trace = read(agent, first, second)
    assert (trace.question, trace.answer) == ("A ticket?", "{}")


def test_the_first_of_several_choices_is_the_answer():
    choices = [said("assistant", "One.", finish_reason="length"), said("assistant", "Two.", finish_reason="stop")]
    trace = read(span(chat(answer=None) | {"gen_ai.output.messages": js(choices)}))
    assert (trace.answer, trace.finish_reason) == ("One.", "length")


def test_tool_calls_of_all_calls_are_kept_once_and_results_in_order():
    call = {"type": "tool_call", "id": "c1", "name": "weather", "arguments": '{"city": "Rome"}'}
    root = span(chain(), end=9)
    first = span(
        chat(answer=None) | {"gen_ai.output.messages": js([{"role": "assistant", "parts": [call]}])}, parent=root
    )
    history = [
        said("user", "Weather?"),
        {"role": "assistant", "parts": [call]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": {"result": "rainy"}}]},
    ]
    second = span(chat(answer="Rainy.") | {"gen_ai.input.messages": js(history)}, parent=root, start=3, end=4)
    trace = read(root, first, second)
    assert [(item.name, item.arguments) for item in trace.tool_calls] == [("weather", {"city": "Rome"})]
    assert (trace.answer, trace.tool_results) == ("Rainy.", ("rainy",))


def test_tool_calls_in_the_history_are_not_called_again():
    history = [
        said("user", "Weather?"),
        {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "weather", "arguments": "{}"}}]},
        {"role": "tool", "content": "rainy"},
        said("assistant", "Rainy."),
        said("user", "Thanks!"),
    ]
    trace = read(span(chat(answer="Welcome.") | {"gen_ai.input.messages": js(history)}))
    assert (trace.tool_calls, trace.tool_results, trace.question) == ((), (), "Thanks!")


@pytest.mark.parametrize(
    ("attributes", "status", "state"),
    [
        (chat(), 0, "answered"),
        (chat(answer=""), 0, "empty"),
        (chat(None, ""), 0, "empty"),
        (chat() | {"gen_ai.output.messages": "[]", "gen_ai.usage.output_tokens": 3}, 0, "not_captured"),
        (chat(answer=None, **{"usage.output_tokens": 3}), 0, "not_captured"),
        (chat(answer=None, **{"usage.output_tokens": 0}), 0, "empty"),
        (chat(answer=None), 0, "not_captured"),
        (chat(None, None, **{"usage.output_tokens": 3, "response.finish_reasons": ["stop"]}), 0, "not_captured"),
        (chat(answer=None, **{"response.finish_reasons": ["tool_calls"]}), 0, "not_captured"),
        (chat(answer=None), 2, "error"),
        (chat(None, None), 2, "error"),
        (chat(answer=None) | {"error.type": "RateLimitError"}, 0, "error"),
        (chat(answer="Part of an"), 2, "error"),
        (
            chat(answer=None)
            | {"gen_ai.output.messages": js([{"role": "assistant", "parts": [{"type": "refusal", "content": "No."}]}])},
            0,
            "refused",
        ),
        (
            {
                "openinference.span.kind": "LLM",
                "input.value": "__REDACTED__",
                "output.value": "__REDACTED__",
                "llm.output_messages.0.message.content": "__REDACTED__",
            },
            0,
            "not_captured",
        ),
        (
            {"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "x", "gen_ai.completion.0.role": "assistant"},
            0,
            "empty",
        ),
    ],
)
def test_states_of_content_are_never_confused(attributes, status, state):
    assert read(span(attributes, status=(status, ""))).content_state == state


def test_a_refusal_field_is_no_answer():
    parts = [{"type": "refusal", "content": "I cannot help."}]
    trace = read(span(chat() | {"gen_ai.output.messages": js([{"role": "assistant", "parts": parts}])}))
    assert (trace.refusal, trace.answer) == ("I cannot help.", None)


def test_an_agent_that_fails_after_a_tool_call_has_failed():
    agent = span({"gen_ai.operation.name": "invoke_agent"}, end=9, status=(2, "boom\nstack line"))
    call = {"role": "assistant", "parts": [{"type": "tool_call", "name": "weather", "arguments": {}}]}
    trace = read(agent, span(chat(answer=None) | {"gen_ai.output.messages": js([call])}, parent=agent))
    assert (trace.content_state, trace.error) == ("error", "boom")


def test_an_error_is_named_by_its_type_and_never_by_a_stack():
    event = Event("exception", 1, {"exception.type": "ValueError", "exception.stacktrace": "secret " * 50})
    trace = read(span(chat(answer=None), status=(2, "long"), events=[event]))
    assert trace.error == "ValueError"


def test_json_cut_short_by_the_sdk_is_the_text_that_is_left():
    whole = js([said("assistant", 'She said "yes" and then went on and on')])
    trace = read(span(chat(answer=None) | {"gen_ai.output.messages": whole[:85]}))
    assert trace.answer.startswith('She said "yes"')
    assert (trace.content_state, trace.question) == ("answered", "Hello?")


def test_an_answer_that_is_json_stays_text():
    for answer in ('{"title": "x"}', "[1, 2]", '"quoted"', "42", "null"):
        assert read(span(chat(answer=answer))).answer == answer
        langfuse = {"langfuse.observation.type": "generation", "langfuse.observation.input": "?"}
        assert (
            read(span(langfuse | {"langfuse.observation.output": js({"role": "assistant", "content": answer})})).answer
            == answer
        )


def test_json_nested_without_end_is_text_and_no_recursion():
    deep = "[" * 100_000
    trace = read(span(chat() | {"gen_ai.output.messages": deep}))
    assert trace.answer == deep
    arguments = '{"a":' * 500 + "1" + "}" * 500
    call = {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": arguments}}]}
    assert read(span(chat() | {"gen_ai.output.messages": js([call])})).tool_calls[0].arguments == "(nested too deeply)"


@pytest.mark.parametrize(
    "value",
    [
        {"type": []},
        {"type": "message"},
        {"type": "message", "content": [{"type": "message", "content": [{"type": "message"}]}]},
        {"role": {}, "parts": {"type": "text"}},
        [[["x"]]],
        [None, 7, True],
        '""',
        "[",
        7,
    ],
)
def test_messages_of_any_wrong_shape_are_read_as_far_as_they_go(value):
    for attribute in (value, js(value)):
        trace = read(span(chat() | {"gen_ai.output.messages": attribute, "gen_ai.input.messages": attribute}))
        assert trace.content_state in ("answered", "empty", "not_captured")


def test_fields_are_resolved_over_the_trace_and_the_resource():
    root = span({"http.route": "/ask", "session.id": "s1", "user.id": "u1"}, end=9)
    middle = span({"gen_ai.operation.name": "invoke_agent", "gen_ai.prompt.version": "v3"}, parent=root, end=8)
    resource = {"service.name": "shop", "service.version": "1.2", "deployment.environment.name": "prod"}
    trace = read(root, middle, span(chat(), parent=middle, resource=resource))
    assert (trace.app, trace.route, trace.environment) == ("shop", "/ask", "prod")
    assert (trace.conversation_id, trace.user, trace.prompt_version) == ("s1", "u1", "v3")


def test_what_no_attribute_gives_is_unknown():
    trace = read(span({"gen_ai.operation.name": "chat"}, resource={"service.name": "unknown_service:python"}))
    assert (trace.app, trace.route, trace.model_version, trace.prompt_version) == ("unknown",) * 4
    assert (trace.environment, trace.user, trace.prompt_name) == (None, None, None)


def test_the_release_stands_in_for_a_prompt_version():
    assert read(span(chat(), resource={"service.version": "2.4.1"})).prompt_version == "2.4.1"


def test_teams_name_their_own_attributes_also_inside_json():
    sources = Sources(route=("my.feature",), prompt_version=("my.meta#prompt.version",))
    trace = read(span(chat() | {"my.feature": "search", "my.meta": js({"prompt": {"version": 4}})}), sources=sources)
    assert (trace.route, trace.prompt_version) == ("search", "4")


def test_the_reply_names_the_model_and_the_request_where_it_does_not():
    assert read(span(chat(**{"request.model": "a", "response.model": "a-2"}))).model_version == "a-2"
    assert read(span(chat(**{"request.model": "a"}))).model_version == "a"


def test_times_cover_the_trace():
    root = span(chain(), start=100, end=109)
    trace = read(span(chat(), parent=root, start=101, end=103), root)
    assert (trace.started_at, trace.duration_seconds) == (100.0, 9.0)


def test_spans_that_are_their_own_ancestors_end_no_worse_than_others():
    first = span(chat(), parent=b"22222222", span_id=b"11111111")
    second = span(chain(**{"input.value": "a", "output.value": "b"}), parent=first, span_id=b"22222222")
    assert read(first, second).answer in ("Hi.", "b")
    assert read(span(chat(), parent=b"33333333", span_id=b"33333333"), second).answer == "Hi."


def test_thousands_of_nested_calls_are_one_call():
    spans = [span(chat(**{"usage.input_tokens": 1}), start=1, end=20_000)]
    for number in range(5_000):
        spans.append(span(chat(**{"usage.input_tokens": 1}), parent=spans[-1], start=1, end=19_999 - number))
    assert read(*spans).input_tokens == 1


@pytest.mark.parametrize(
    ("reason", "known"),
    [
        ("stop", "stop"),
        ("end_turn", "stop"),
        ("STOP", "stop"),
        ("FinishReason.STOP", "stop"),
        ('["stop"]', "stop"),
        (["length", "stop"], "length"),
        ("max_tokens", "length"),
        ("MAX_TOKENS", "length"),
        ("content-filter", "content_filter"),
        ("SAFETY", "content_filter"),
        ("tool-calls", "tool_call"),
        ("tool_use", "tool_call"),
        ("error", "error"),
        ("something new", None),
        ([], None),
        (None, None),
        (2, "length"),
        ("3", "content_filter"),
        (99, None),
        ("FINISH_REASON_MAX_TOKENS", "length"),
        ("ContentFilter", "content_filter"),
        ("ToolCalls", "tool_call"),
    ],
)
def test_finish_reasons_have_five_names(reason, known):
    assert finish_reason(reason) == known


_NAMES = st.sampled_from(
    sorted(
        {
            *(name.partition("#")[0] for field in msgspec.structs.fields(Sources) for name in field.default),
            *("gen_ai.operation.name", "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"),
            *("gen_ai.retrieval.documents", "gen_ai.tool.definitions", "gen_ai.response.finish_reasons", "events"),
            *("openinference.span.kind", "llm.input_messages.0.message.role", "llm.output_messages.0.message.content"),
            *("llm.output_messages.0.message", "llm.output_messages.x", "llm.tools.0.tool.json_schema", "input.value"),
            *(
                "output.value",
                "llm.invocation_parameters",
                "retrieval.documents.0.document.content",
                "llm.request.type",
            ),
            *("langfuse.observation.type", "langfuse.observation.input", "langfuse.observation.output"),
            *("mlflow.spanType", "mlflow.spanInputs", "mlflow.spanOutputs", "langsmith.span.kind", "gen_ai.prompt"),
            *("gen_ai.completion", "ai.operationId", "ai.prompt", "ai.prompt.messages", "ai.response.toolCalls"),
            *(
                "traceloop.span.kind",
                "traceloop.entity.input",
                "traceloop.entity.output",
                "gen_ai.completion.0.content",
            ),
            *("gen_ai.prompt.0.role", "gen_ai.tool.name", "gen_ai.usage.input_tokens", "model_request_parameters"),
        }
    )
)
_KINDS = st.sampled_from(
    (
        *("chat", "LLM", "CHAIN", "RETRIEVER", "TOOL", "generation", "span", "retriever", '"LLM"', "llm"),
        *("ai.generateText", "ai.generateText.doGenerate", "workflow", "task", "retrieval", "invoke_agent"),
        *("completion", "execute_tool"),
    )
)
_KEYS = st.sampled_from(("role", "content", "parts", "type", "text", "tool_calls", "message", "choices", "id", "lc"))
_DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8) | _KINDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS | st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
_VALUES = (
    _DATA | _KINDS | _DATA.map(json.dumps) | _DATA.map(json.dumps).map(lambda text: text[:-1]) | st.binary(max_size=4)
)
_ATTRIBUTES = st.dictionaries(_NAMES, _VALUES, max_size=8)
_EVENTS = st.sampled_from(
    (
        *("gen_ai.choice", "gen_ai.user.message", "gen_ai.client.inference.operation.details"),
        *("gen_ai.content.prompt", "exception"),
    )
)


@settings(max_examples=400)
@given(
    st.lists(st.tuples(_ATTRIBUTES, st.integers(0, 3), st.sampled_from((0, 1, 2))), max_size=4),
    st.lists(st.tuples(_EVENTS, _ATTRIBUTES, _DATA, st.integers(0, 3)), max_size=3),
)
def test_whatever_the_attributes_hold_there_is_a_trace_or_none(parts, records):
    ids = [bytes([number]) * 8 for number in range(4)]
    spans = [
        span(
            attributes,
            span_id=ids[i],
            parent=ids[parent] if parent != i else None,
            status=(status, "x"),
            events=[Event(name, 1, found) for name, found, _, _ in records],
        )
        for i, (attributes, parent, status) in enumerate(parts)
    ]
    logs = [LogRecord(TRACE, ids[on], b"k" * 8, name, 1, found, body, {}, "", 0) for name, found, body, on in records]
    trace = read(*spans, logs=logs)
    if trace is not None:
        msgspec.json.encode(trace, enc_hook=str)
        assert trace.finish_reason in (None, "stop", "length", "content_filter", "tool_call", "error")
        for name in ("question", "answer", "refusal", "system_prompt", "user", "error", "response_id", "provider"):
            assert isinstance(getattr(trace, name), str | None)
