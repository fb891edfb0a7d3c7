"""OpenTelemetry: its SDK, its OTLP exporters and its OpenAI instrumentation; content goes out in log events.

OTEL_EXPORTER_OTLP_PROTOCOL says whether the exporters are those of HTTP or of gRPC.
"""

import json
import os
from importlib import import_module

import shop
from openai import OpenAI
from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

exporters = f"opentelemetry.exporter.otlp.proto.{os.environ['OTEL_EXPORTER_OTLP_PROTOCOL'].partition('/')[0]}"
spans, records = import_module(f"{exporters}.trace_exporter"), import_module(f"{exporters}._log_exporter")
traces, logs = TracerProvider(), LoggerProvider()
traces.add_span_processor(BatchSpanProcessor(spans.OTLPSpanExporter()))
logs.add_log_record_processor(BatchLogRecordProcessor(records.OTLPLogExporter()))
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
