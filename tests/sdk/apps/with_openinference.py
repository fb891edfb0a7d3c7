"""OpenInference: its OpenAI instrumentation, and a retriever span written by its conventions."""

import shop
from openai import OpenAI
from openinference.instrumentation import using_attributes
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

traces = TracerProvider()
traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
OpenAIInstrumentor().instrument(tracer_provider=traces)
tracer, client = traces.get_tracer("shop"), OpenAI()

for question in shop.QUESTIONS:
    shop.ask(client, question)
with tracer.start_as_current_span("weather", attributes={"openinference.span.kind": "AGENT", "app.route": "/weather"}):
    shop.ask_with_tool(client)
for question in shop.RETURNS:
    chain = {"openinference.span.kind": "CHAIN", "input.value": question, "app.route": "/returns"}
    with tracer.start_as_current_span("returns", attributes=chain):
        retriever = {"openinference.span.kind": "RETRIEVER", "input.value": question}
        for n, text in enumerate(shop.DOCUMENTS):
            retriever[f"retrieval.documents.{n}.document.id"] = str(n)
            retriever[f"retrieval.documents.{n}.document.content"] = text
        tracer.start_span("retrieve", attributes=retriever).end()
        with using_attributes(session_id="s-1", prompt_template="{question}", prompt_template_version="7"):
            shop.ask_with_documents(client, question)

traces.shutdown()
