"""How fast a model answered, how often it was asked again, and why it failed."""

import json
from itertools import count

import pytest

from exporter.model.trace import Event, Span
from exporter.semconv import Sources, normalise
from exporter.semconv.errors import error_kind

TRACE = bytes(range(16))
SECOND = 10**9
_ids = count(1)


def call(start=0, end=4, *, parent=b"", failed=False, question="Hello?", events=(), **attributes):
    told = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m-1",
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": question}]}]),
    }
    if not failed:
        answer = {"role": "assistant", "parts": [{"type": "text", "content": "Hi."}]}
        told |= {"gen_ai.output.messages": json.dumps([answer]), "gen_ai.usage.output_tokens": 30}
    base = 1_795_421_000 * SECOND
    start, end = base + int(start * SECOND), base + int(end * SECOND)
    events = tuple(Event(name, base + int(at * SECOND), {}) for name, at in events)
    identity = next(_ids).to_bytes(8, "big")
    return Span(TRACE, identity, parent, "chat", start, end, told | attributes, events, 2 * failed, "", {}, "s", 0)


def read(*spans):
    return normalise(TRACE, spans, (), Sources())


@pytest.mark.parametrize(
    "told",
    [
        {"gen_ai.response.time_to_first_chunk": 0.5},
        {"gen_ai.server.time_to_first_token": 500},
        {"langfuse.observation.completion_start_time": '"2026-11-23T08:03:20.500Z"'},
        {"events": [("First Token Stream Event", 0.5), ("First Token Stream Event", 2)]},
        {"events": [("llm.content.completion.chunk", 0.5)]},
    ],
)
def test_the_time_to_the_first_token_is_read_wherever_it_is_told(told):
    trace = read(call(**told))
    assert trace.first_token_seconds == pytest.approx(0.5)
    assert (trace.generation_seconds, trace.generation_tokens) == (4, 30)


@pytest.mark.parametrize("told", [{}, {"gen_ai.response.time_to_first_chunk": "soon"}, {"events": [("chunk", 1)]}])
def test_a_first_token_that_is_not_told_is_not_made_up(told):
    assert read(call(**told)).first_token_seconds is None


def test_a_call_that_repeats_a_failed_one_is_a_retry_or_with_another_model_a_fallback():
    root = call(0, 9, **{"gen_ai.operation.name": "invoke_agent"})
    parent = root.span_id
    trace = read(
        root,
        call(0, 1, parent=parent, failed=True),
        call(1, 2, parent=parent, failed=True),
        call(2, 3, parent=parent, **{"gen_ai.request.model": "m-2"}),
    )
    assert (trace.retries, trace.fallbacks, trace.content_state) == (1, 1, "answered")


def test_the_next_step_of_an_agent_is_no_retry():
    root = call(0, 9, **{"gen_ai.operation.name": "invoke_agent"})
    trace = read(root, call(0, 1, parent=root.span_id), call(1, 2, parent=root.span_id, question="And?"))
    assert (trace.retries, trace.fallbacks) == (0, 0)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("openai.RateLimitError", "rate_limit"),
        ("AI_APICallError Rate limit reached", "rate_limit"),
        ("botocore.errorfactory.ThrottlingException", "rate_limit"),
        ("Error code: 429 - slow down", "rate_limit"),
        ("ResourceExhausted", "rate_limit"),
        ("httpx.ReadTimeout", "timeout"),
        ("DEADLINE_EXCEEDED", "timeout"),
        ("anthropic.InternalServerError", "overloaded"),
        ("503", "overloaded"),
        ("APIConnectionError", "overloaded"),
        ("openai.AuthenticationError", "auth"),
        ("BadRequestError context_length_exceeded", "context_length"),
        ("openai.BadRequestError", "invalid"),
        ("ContentPolicyViolationError", "content_filter"),
        ("asyncio.CancelledError", "cancelled"),
        ("ZeroDivisionError", "other"),
    ],
)
def test_errors_have_few_kinds(error, kind):
    assert error_kind(error) == kind


def test_the_message_tells_the_kind_where_the_type_is_anybodys():
    span = call(failed=True, **{"error.type": "unknown"})
    message = Event("exception", span.end, {"exception.type": "Error", "exception.message": "Rate limit reached"})
    failed = Span(*[getattr(span, name) for name in Span.__struct_fields__[:7]], (message,), 2, "", {}, "s", 0)
    assert (read(failed).error, read(failed).error_kind) == ("unknown", "rate_limit")
