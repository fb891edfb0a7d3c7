"""Traceloop: its OpenAI instrumentation, under workflow and task spans with the attributes its decorators write."""

import json

import shop
from openai import OpenAI
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

traces = TracerProvider()
traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
OpenAIInstrumentor().instrument(tracer_provider=traces)
tracer, client = traces.get_tracer("shop"), OpenAI()


def workflow(name):
    attributes = {"traceloop.span.kind": "workflow", "traceloop.workflow.name": name, "traceloop.entity.name": name}
    return tracer.start_as_current_span(f"{name}.workflow", attributes=attributes)


for question in shop.QUESTIONS:
    shop.ask(client, question)
with workflow("weather"):
    shop.ask_with_tool(client)
for question in shop.RETURNS:
    with workflow("returns") as root:
        root.set_attribute("traceloop.prompt.version", 7)
        task = {
            "traceloop.span.kind": "task",
            "traceloop.entity.name": "retrieve",
            "traceloop.workflow.name": "returns",
        }
        with tracer.start_as_current_span("retrieve.task", attributes=task) as span:
            span.set_attribute("traceloop.entity.input", json.dumps({"args": [question], "kwargs": {}}))
            span.set_attribute("traceloop.entity.output", json.dumps(shop.DOCUMENTS))
        shop.ask_with_documents(client, question)

traces.shutdown()
