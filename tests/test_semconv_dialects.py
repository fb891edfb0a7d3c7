"""Dialects of which no request was captured, by small spans in the form that CONVENTIONS documents."""

import json
from itertools import count

import pytest

from exporter.model.trace import Event, LogRecord, Span
from exporter.semconv import Sources, normalise

TRACE = bytes(range(16))
_ids = count(1)


def span(attributes, *, parent=None, start=1, end=2, events=(), status=(0, ""), resource=None, name="span"):
    return Span(
        TRACE,
        next(_ids).to_bytes(8, "big"),
        parent.span_id if parent else b"",
        name,
        start * 10**9,
        end * 10**9,
        attributes,
        events,
        *status,
        resource if resource is not None else {"service.name": "shop"},
        "scope",
        0,
    )


def log(on, name, *, attributes=None, body=None, time=1):
    return LogRecord(TRACE, on.span_id, b"12345678", name, time, attributes or {}, body, {}, "scope", 0)


def read(*spans, logs=()):
    return normalise(TRACE, spans, logs, Sources())


def js(value):
    return json.dumps(value)


def otel(**fields):
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
    return attributes | {f"gen_ai.{name}": value for name, value in fields.items()}


def text(role, content, **more):
    return {"role": role, "parts": [{"type": "text", "content": content}], **more}


DOCUMENTS = [
    {"page_content": "Refunds within 30 days.", "type": "Document", "metadata": {"source": "a.md"}, "id": "a"},
    {"page_content": "No shipping refunds.", "type": "Document", "metadata": {}, "id": "b"},
]
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}


def test_mlflow_values_are_json_inside_json():
    chain = span({"mlflow.spanType": '"CHAIN"', "mlflow.spanInputs": js({"question": "Refunds?"})}, end=9)
    retriever = span(
        {
            "mlflow.spanType": '"RETRIEVER"',
            "mlflow.spanInputs": js({"query": "Refunds?"}),
            "mlflow.spanOutputs": js(DOCUMENTS),
        },
        parent=chain,
    )
    call = span(
        {
            "mlflow.spanType": '"CHAT_MODEL"',
            "mlflow.spanInputs": js({"messages": [{"role": "user", "content": "context and Refunds?"}]}),
            "mlflow.spanOutputs": js(
                {"id": "r1", "choices": [{"finish_reason": "stop", "message": {"content": "30 days."}}]}
            ),
            "mlflow.llm.model": '"gpt-4o"',
            "mlflow.chat.tokenUsage": js({"input_tokens": 5, "output_tokens": 3, "total_tokens": 8}),
        },
        parent=chain,
        end=8,
    )
    trace = read(chain, retriever, call)
    assert (trace.dialect, trace.question, trace.answer, trace.finish_reason) == (
        "mlflow",
        "Refunds?",
        "30 days.",
        "stop",
    )
    assert [(item.id, item.text) for item in trace.context] == [
        ("a", "Refunds within 30 days."),
        ("b", "No shipping refunds."),
    ]
    assert (trace.model_version, trace.response_id, trace.input_tokens, trace.output_tokens) == ("gpt-4o", "r1", 5, 3)


def test_mlflow_rag_without_its_root_still_has_question_documents_and_answer():
    retriever = span(
        {
            "mlflow.spanType": '"RETRIEVER"',
            "mlflow.spanInputs": '"Refunds?"',
            "mlflow.spanOutputs": js([{"page_content": "30 days"}]),
        }
    )
    call = span(
        {
            "mlflow.spanType": '"LLM"',
            "mlflow.spanInputs": js({"prompt": "Context. Refunds?"}),
            "mlflow.spanOutputs": '"30 days"',
        },
        end=3,
    )
    trace = read(retriever, call)
    assert (trace.question, trace.answer, trace.context[0].text) == ("Refunds?", "30 days", "30 days")


def test_langsmith_retriever_is_no_embedding_though_its_operation_says_so():
    root = span(
        {
            "langsmith.span.kind": "chain",
            "gen_ai.prompt": js({"input": "Refunds?"}),
            "gen_ai.completion": js({"output": "30 days."}),
            "langsmith.metadata.session_id": "s1",
            "langsmith.metadata.user_id": "u1",
            "langsmith.metadata.prompt_version": "v9",
            "langsmith.trace.session_name": "my-project",
        },
        end=9,
    )
    retriever = span(
        {
            "langsmith.span.kind": "retriever",
            "gen_ai.operation.name": "embeddings",
            "gen_ai.prompt": js({"query": "Refunds?"}),
            "gen_ai.completion": js({"output": DOCUMENTS}),
        },
        parent=root,
    )
    call = span(
        {
            "langsmith.span.kind": "llm",
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.prompt": js({"messages": [{"role": "user", "content": "Context: … Refunds?"}], "tools": [TOOL]}),
            "gen_ai.completion": js(
                {
                    "id": "r2",
                    "model": "gpt-4o-2024-08-06",
                    "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "30 days."}}],
                }
            ),
            "gen_ai.usage.input_tokens": 5,
        },
        parent=root,
        end=8,
    )
    trace = read(root, retriever, call)
    assert (trace.question, trace.answer, len(trace.context)) == ("Refunds?", "30 days.", 2)
    assert (trace.conversation_id, trace.user, trace.prompt_version) == ("s1", "u1", "v9")
    assert (trace.model_version, trace.provider, trace.response_id) == ("gpt-4o-2024-08-06", "openai", "r2")
    assert (trace.tool_definitions[0].name, trace.finish_reason, trace.input_tokens) == ("weather", "stop", 5)


def test_litellm_sends_empty_strings_json_finish_reasons_and_a_raw_copy_in_pythons_repr():
    call = span(
        otel(
            **{
                "system": "",
                "input.messages": js([text("user", "Hello?")]),
                "output.messages": js([{"role": "assistant", "parts": [{"type": "text", "content": "Hi."}]}]),
                "response.finish_reasons": '["stop"]',
            }
        )
        | {"llm.is_streaming": "False", "llm.user": "u2", "metadata.user_api_key_hash": ""},
        name="litellm_request",
        end=5,
    )
    raw = span(
        {"llm.openai.messages": "[{'role': 'user'}]", "gen_ai.request.model": "gpt-4o"},
        name="raw_gen_ai_request",
        parent=call,
        end=6,
    )
    trace = read(call, raw)
    assert (trace.answer, trace.finish_reason, trace.provider, trace.user) == ("Hi.", "stop", None, "u2")


def test_logfire_stream_tells_its_output_in_another_trace_so_the_call_is_not_captured():
    call = read(span(otel(**{"input.messages": js([text("user", "Hello?")])}) | {"logfire.span_type": "span"}))
    assert (call.content_state, call.question, call.answer) == ("not_captured", "Hello?", None)
    told = read(
        span(
            otel(
                **{
                    "input.messages": js([text("user", "Hello?")]),
                    "output.messages": js([text("assistant", "Hi. ")]),
                    "response.finish_reasons": '["stop"]',
                }
            )
            | {"logfire.span_type": "log", "duration": 0.2}
        )
    )
    assert (told.content_state, told.answer, told.finish_reason) == ("answered", "Hi. ", "stop")


def test_logfire_pending_spans_are_no_requests():
    assert read(span(otel(**{"input.messages": "[]"}) | {"logfire.span_type": "pending_span"})) is None


def test_agent_framework_messages_are_read_once_though_spans_and_logs_carry_them():
    agent = span(
        {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": "microsoft.agent_framework",
            "gen_ai.agent.name": "helper",
            "gen_ai.input.messages": js([text("user", "Hello?")]),
            "gen_ai.output.messages": js([text("assistant", "Hi.")]),
            "gen_ai.usage.input_tokens": 7,
        },
        end=9,
    )
    call = span(
        otel(
            **{
                "provider.name": "openai",
                "input.messages": js([text("user", "Hello?")]),
                "output.messages": js([text("assistant", "Hi.")]),
                "response.finish_reasons": '["stop"]',
                "usage.input_tokens": 7,
            }
        ),
        parent=agent,
    )
    logs = [
        log(call, "gen_ai.user.message", body={"content": "Hello?"}),
        log(call, "gen_ai.choice", body={"index": 0, "finish_reason": "stop", "message": {"content": "Hi."}}),
    ]
    trace = read(agent, call, logs=logs)
    assert (trace.question, trace.answer, trace.input_tokens) == ("Hello?", "Hi.", 7)
    assert (trace.provider, trace.prompt_name, trace.finish_reason) == ("openai", "helper", "stop")


def test_vercel_7_speaks_otel_with_its_settings_on_agent_and_step():
    agent = span(
        {
            "gen_ai.operation.name": "invoke_agent",
            "ai.settings.context.sessionId": "s7",
            "ai.settings.context.promptVersion": "v3",
            "gen_ai.usage.output_tokens": 6,
        },
        end=9,
    )
    step = span({"gen_ai.operation.name": "agent_step"}, parent=agent, end=8)
    call = span(
        otel(
            **{
                "provider.name": "openai",
                "response.finish_reasons": ["tool-calls"],
                "input.messages": js([text("user", "Weather?")]),
                "output.messages": js(
                    [
                        {
                            "role": "assistant",
                            "parts": [{"type": "tool_call", "name": "weather", "arguments": {"city": "Paris"}}],
                        }
                    ]
                ),
                "tool.definitions": js([{"type": "function", "name": "weather", "inputSchema": {"type": "object"}}]),
                "usage.output_tokens": 6,
            }
        ),
        parent=step,
        end=7,
    )
    trace = read(agent, step, call)
    assert (trace.conversation_id, trace.prompt_version, trace.finish_reason) == ("s7", "v3", "tool_call")
    assert (trace.tool_calls[0].arguments, trace.tool_definitions[0].parameters) == (
        {"city": "Paris"},
        {"type": "object"},
    )
    assert (trace.content_state, trace.output_tokens) == ("answered", 6)


def test_openlit_says_text_though_json_was_asked_and_sends_its_content_in_the_details_event():
    call = span(
        otel(**{"output.type": "text", "request.user": ""}) | {"gen_ai.openai.request.response_format": "json_schema"}
    )
    details = log(
        call,
        "gen_ai.client.inference.operation.details",
        attributes={
            "gen_ai.input.messages": [text("user", "A ticket?")],
            "gen_ai.output.messages": [text("assistant", '{"title": "x"}')],
        },
    )
    trace = read(call, logs=[details])
    assert (trace.question, trace.answer, trace.json_requested, trace.user) == (
        "A ticket?",
        '{"title": "x"}',
        True,
        None,
    )


def test_openlit_refusal_with_no_parts_is_empty():
    trace = read(
        span(
            otel(
                **{
                    "input.messages": js([text("user", "Hello?")]),
                    "output.messages": js([{"role": "assistant", "parts": [], "finish_reason": "stop"}]),
                }
            )
        )
    )
    assert (trace.content_state, trace.answer, trace.refusal) == ("empty", "", None)


def test_strands_latest_sends_three_details_events_on_the_span():
    name = "gen_ai.client.inference.operation.details"
    events = [
        Event(name, 1, {"gen_ai.system_instructions": js([{"type": "text", "content": "Be brief."}])}),
        Event(name, 2, {"gen_ai.input.messages": js([text("user", "Hello?")])}),
        Event(name, 3, {"gen_ai.output.messages": js([text("assistant", "Hi.", finish_reason="end_turn")])}),
    ]
    trace = read(span(otel(system="strands-agents"), events=events))
    assert (trace.system_prompt, trace.question, trace.answer) == ("Be brief.", "Hello?", "Hi.")
    assert (trace.finish_reason, trace.provider) == ("stop", None)


def test_langchain_traceloop_retrieves_under_an_operation_of_its_own():
    chain = span(
        {
            "gen_ai.operation.name": "invoke_agent",
            "traceloop.span.kind": "workflow",
            "traceloop.entity.input": js({"inputs": {"question": "Refunds?"}, "tags": [], "kwargs": {}}),
            "traceloop.entity.output": js({"outputs": "30 days.", "kwargs": {"tags": []}}),
            "traceloop.association.properties.session_id": "s3",
        },
        end=9,
    )
    retriever = span(
        {
            "gen_ai.operation.name": "vector_db_retrieve",
            "traceloop.entity.output": js({"documents": DOCUMENTS, "count": 2}),
        },
        parent=chain,
    )
    task = span({"gen_ai.operation.name": "execute_task", "gen_ai.task.output": "{}"}, parent=chain)
    call = span(
        otel(
            **{
                "input.messages": js([text("system", "Context."), text("user", "Context. Refunds?")]),
                "output.messages": js([text("assistant", "30 days.")]),
            }
        ),
        parent=task,
        end=8,
    )
    trace = read(chain, retriever, task, call)
    assert (trace.question, trace.answer, trace.conversation_id) == ("Refunds?", "30 days.", "s3")
    assert [item.id for item in trace.context] == ["a", "b"]


def test_langfuse_5_keeps_metadata_as_json_and_the_prompt_version_as_a_number():
    trace = read(
        span(
            {
                "langfuse.observation.type": "generation",
                "langfuse.observation.input": js(
                    {"tools": [TOOL], "messages": [{"role": "user", "content": "Weather?"}]}
                ),
                "langfuse.observation.output": js({"role": "assistant", "content": None, "tool_calls": [CALL]}),
                "langfuse.observation.model.name": "gpt-4o",
                "langfuse.observation.prompt.name": "qa",
                "langfuse.observation.prompt.version": 12,
                "langfuse.trace.metadata.tenant": '"acme"',
                "langfuse.session.id": '"s5"',
                "langfuse.observation.usage_details": js({"input": 1, "output": 2, "total": 3}),
            }
        )
    )
    assert (trace.prompt_name, trace.prompt_version, trace.conversation_id) == ("qa", "12", "s5")
    assert (trace.tool_calls[0].name, trace.tool_calls[0].arguments) == ("weather", {"city": "Paris"})
    assert (trace.tool_definitions[0].name, trace.content_state, trace.output_tokens) == ("weather", "answered", 2)


def test_langfuse_legacy_trace_input_and_output_stand_on_the_root():
    trace = read(
        span(
            {
                "langfuse.observation.type": "span",
                "langfuse.trace.input": js({"question": "Hello?"}),
                "langfuse.trace.output": js({"answer": "Hi."}),
            }
        )
    )
    assert (trace.question, trace.answer, trace.content_state) == ("Hello?", "Hi.", "answered")


def test_pydantic_ai_2_without_content_is_not_captured():
    parts = [{"role": "user", "parts": [{"type": "text"}]}]
    trace = read(
        span(
            otel(
                **{
                    "input.messages": js(parts),
                    "output.messages": js(
                        [{"role": "assistant", "parts": [{"type": "text"}], "finish_reason": "stop"}]
                    ),
                    "usage.output_tokens": 17,
                }
            )
        )
    )
    assert (trace.content_state, trace.answer) == ("not_captured", None)


def test_pydantic_ai_2_schema_is_in_the_request_parameters():
    wanted = {"type": "object", "properties": {"title": {"type": "string"}}}
    agent = span(
        {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.aggregated_usage.input_tokens": 9,
            "final_result": '{"title": "x"}',
            "pydantic_ai.all_messages": js([text("user", "A ticket?"), text("assistant", '{"title": "x"}')]),
        },
        end=9,
    )
    call = span(
        otel(
            **{
                "input.messages": js([text("user", "A ticket?")]),
                "output.messages": js([text("assistant", '{"title": "x"}', finish_reason="stop")]),
                "usage.input_tokens": 9,
            }
        )
        | {"model_request_parameters": js({"output_mode": "native", "output_object": {"json_schema": wanted}})},
        parent=agent,
    )
    trace = read(agent, call)
    assert (trace.json_requested, trace.response_schema, trace.answer) == (True, wanted, '{"title": "x"}')
    assert (trace.question, trace.input_tokens) == ("A ticket?", 9)


def test_openinference_agents_nest_agent_chain_and_model():
    agent = span({"openinference.span.kind": "AGENT", "agent.name": "helper"}, end=9)
    turn = span({"openinference.span.kind": "CHAIN"}, parent=agent, end=8)
    call = span(
        {
            "openinference.span.kind": "LLM",
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": "Weather?",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": "Rainy.",
            "llm.model_name": "gpt-4o-2024-08-06",
        },
        parent=turn,
        end=7,
    )
    tool = span(
        {
            "openinference.span.kind": "TOOL",
            "tool.name": "weather",
            "input.value": '{"city": "Paris"}',
            "output.value": "rainy",
        },
        parent=turn,
    )
    trace = read(agent, turn, tool, call)
    assert (trace.question, trace.answer, trace.tool_results) == ("Weather?", "Rainy.", ("rainy",))
    assert (trace.tool_calls[0].name, trace.tool_calls[0].arguments) == ("weather", {"city": "Paris"})


def test_openinference_messages_come_in_numeric_order_with_gaps():
    attributes = {"openinference.span.kind": "LLM", "llm.output_messages.0.message.content": "Yes."}
    for number, content in ((10, "last"), (2, "first"), (9, "middle")):
        attributes[f"llm.input_messages.{number}.message.role"] = "user"
        attributes[f"llm.input_messages.{number}.message.content"] = content
    assert read(span(attributes)).question == "last"


def test_openinference_completions_and_rerankers():
    retriever = span(
        {
            "openinference.span.kind": "RETRIEVER",
            "input.value": "Refunds?",
            "retrieval.documents.0.document.content": "noise",
            "retrieval.documents.1.document.content": "30 days",
        }
    )
    reranker = span(
        {
            "openinference.span.kind": "RERANKER",
            "reranker.query": "Refunds?",
            "reranker.output_documents.0.document.content": "30 days",
            "reranker.output_documents.0.document.score": 0.9,
        },
        start=2,
        end=3,
    )
    call = span(
        {
            "openinference.span.kind": "LLM",
            "llm.prompts.0.prompt.text": "Context. Refunds?",
            "llm.choices.0.completion.text": "30 days.",
        },
        start=3,
        end=4,
    )
    trace = read(retriever, reranker, call)
    assert [(item.text, item.score) for item in trace.context] == [("30 days", 0.9)]
    assert (trace.question, trace.answer) == ("Refunds?", "30 days.")


def test_anthropic_and_bedrock_content_is_read_as_messages_are():
    anthropic = [
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm"},
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "t", "name": "weather", "input": {"city": "Rome"}},
            ],
        }
    ]
    trace = read(span(otel(**{"input.messages": js([text("user", "?")]), "output.messages": js(anthropic)})))
    assert (trace.answer, trace.tool_calls[0].arguments, trace.tool_calls[0].id) == (
        "Let me look.",
        {"city": "Rome"},
        "t",
    )


@pytest.mark.parametrize(
    ("attributes", "dialect"),
    [
        ({"openinference.span.kind": "LLM", "gen_ai.operation.name": "chat"}, "openinference"),
        ({"langfuse.observation.type": "generation", "gen_ai.operation.name": "chat"}, "langfuse"),
        ({"mlflow.spanType": '"LLM"', "gen_ai.operation.name": "chat"}, "mlflow"),
        ({"langsmith.span.kind": "llm", "gen_ai.operation.name": "embeddings"}, "langsmith"),
        ({"ai.operationId": "ai.streamText.doStream", "gen_ai.system": "openai"}, "vercel"),
        ({"llm.request.type": "chat", "gen_ai.system": "openai"}, "traceloop"),
        ({"gen_ai.prompt.0.role": "user"}, "traceloop"),
        ({"gen_ai.operation.name": "text_completion"}, "otel"),
        ({"gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o"}, "otel"),
    ],
)
def test_the_dialect_is_told_by_its_mark_not_by_name_or_scope(attributes, dialect):
    assert read(span(attributes)).dialect == dialect


@pytest.mark.parametrize(
    "attributes",
    [
        {"http.request.method": "GET", "http.route": "/"},
        {"db.system.name": "postgresql"},
        {"gen_ai.operation.name": "embeddings", "gen_ai.input.messages": js([text("user", "x")])},
        {"openinference.span.kind": "EMBEDDING"},
        {"openinference.span.kind": "RETRIEVER", "input.value": "x"},
        {"llm.request.type": "embedding", "gen_ai.prompt.0.content": "x"},
        {"ai.operationId": "ai.embed.doEmbed"},
        {"gen_ai.operation.name": "fetch_response"},
        {"gen_ai.operation.name": "search_memory", "gen_ai.request.model": "x"},
        {"gen_ai.operation.name": "invoke_agent"},
        {"openinference.span.kind": "CHAIN", "input.value": "x"},
        {},
    ],
)
def test_traces_without_a_request_to_a_model_are_none(attributes):
    assert read(span(attributes)) is None
