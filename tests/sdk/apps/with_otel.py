"""OpenTelemetry: its SDK, its OTLP/HTTP exporters and its OpenAI instrumentation; content goes out in log events."""

import json

import shop
from openai import OpenAI
from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

traces, logs = TracerProvider(), LoggerProvider()
traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
trace.set_tracer_provider(traces)
set_logger_provider(logs)
OpenAIInstrumentor().instrument(tracer_provider=traces, logger_provider=logs)
tracer, client = traces.get_tracer("shop"), OpenAI()

for question in shop.QUESTIONS:
    shop.ask(client, question)
with tracer.start_as_current_span("POST /weather", attributes={"http.route": "/weather"}):
    shop.ask_with_tool(client)
for question in shop.RETURNS:
    with tracer.start_as_current_span("POST /returns", attributes={"http.route": "/returns"}) as root:
        root.set_attribute("gen_ai.prompt.version", "7")
        with tracer.start_as_current_span("retrieval returns") as span:
            documents = [{"id": str(n), "content": text} for n, text in enumerate(shop.DOCUMENTS)]
            span.set_attribute("gen_ai.operation.name", "retrieval")
            span.set_attribute("gen_ai.retrieval.query.text", question)
            span.set_attribute("gen_ai.retrieval.documents", json.dumps(documents))
        shop.ask_with_documents(client, question)

logs.shutdown()
traces.shutdown()
