"""Spans as OpenTelemetry's OpenAI instrumentation makes them, with text. Knows the conventions, not what is asked."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Tracer
from opentelemetry.util.types import AttributeValue

_DELAY = 500.0
_GIVE_UP = 5.0


def provider(app: str, endpoint: str) -> TracerProvider:
    """The tracer provider of an application that sends to ``endpoint`` (an OTLP/HTTP address without a path)."""
    session = requests.Session()
    session.trust_env = False  # a proxy of the environment does not lead to an address of this machine
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=_GIVE_UP, session=session)
    made = TracerProvider(resource=Resource.create({"service.name": app}), shutdown_on_exit=False)
    made.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=_DELAY))
    return made


def tracer(made: TracerProvider) -> Tracer:
    """The tracer of the demo's applications."""
    return made.get_tracer("llmq.demo")


def served(route: str) -> dict[str, AttributeValue]:
    """Attributes of the root: a request that the application serves."""
    return {"http.request.method": "POST", "http.route": route}


def retrieved(query: str, documents: Sequence[str]) -> dict[str, AttributeValue]:
    """Attributes of a retrieval."""
    found = [{"id": str(number), "content": text} for number, text in enumerate(documents, 1)]
    return {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.retrieval.query.text": query,
        "gen_ai.retrieval.documents": json.dumps(found),
    }


def asked(
    request: Mapping[str, Any], address: str, prompt_version: str, conversation: str
) -> dict[str, AttributeValue]:
    """Attributes of a chat completion, as far as they are known before the model answers."""
    server = urlsplit(address)
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.conversation.id": conversation,
        "gen_ai.request.model": request["model"],
        "gen_ai.output.type": "json" if "response_format" in request else "text",
        "gen_ai.prompt.version": prompt_version,
        "server.address": server.hostname or "",
        "server.port": server.port or 80,
        "gen_ai.input.messages": json.dumps([_message(one) for one in request["messages"]]),
    }


def answered(completion: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """Attributes of a chat completion that the answer adds."""
    choices, usage = completion["choices"], completion["usage"]
    reasons = [choice["finish_reason"] for choice in choices]
    said = [_message(choice["message"]) | {"finish_reason": choice["finish_reason"]} for choice in choices]
    return {
        "gen_ai.response.id": completion["id"],
        "gen_ai.response.model": completion["model"],
        "gen_ai.response.finish_reasons": reasons,
        "gen_ai.usage.input_tokens": usage["prompt_tokens"],
        "gen_ai.usage.output_tokens": usage["completion_tokens"],
        "gen_ai.output.messages": json.dumps(said),
    }


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    return {"role": message["role"], "parts": [{"type": "text", "content": message["content"]}]}
