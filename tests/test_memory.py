"""Limits in bytes mean bytes: what open traces are counted as is about what they take of the process's memory."""

import subprocess
import sys

import pytest

ENOUGH = 128 << 20
"""Bytes to be counted, beside which it does not matter what was free before."""
MEASURED = f"""
import gc, os, sys
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from exporter.ingest.assembly import Assembler, AssemblyLimits
from exporter.decode import DecodeLimits
from exporter.decode import from_protobuf

decode = getattr(from_protobuf, sys.argv[1])
traces, per_trace, attributes, length = map(int, sys.argv[2:])
assembler = Assembler(AssemblyLimits(max_bytes=1 << 40), lambda _: {{}})

def resident():
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def hold(number):
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for _ in range(traces):
        trace_id = os.urandom(16)
        for _ in range(per_trace):
            span = scope.spans.add(trace_id=trace_id, span_id=os.urandom(8), name="chat", start_time_unix_nano=number)
            for place in range(attributes):
                span.attributes.add(key=f"gen_ai.attribute.{{place}}").value.string_value = "x" * length
    body = request.SerializeToString()
    assembler.add(number, decode(body, DecodeLimits(), 0.0).spans, [], 0.0)

hold(0)
before, counted = resident(), assembler.bytes
number = 0
while assembler.bytes - counted < {ENOUGH}:
    number += 1
    hold(number)
print((resident() - before) / (assembler.bytes - counted))
"""


@pytest.mark.parametrize("decode", [pytest.param("decode_traces", marks=pytest.mark.compiled), "plain_traces"])
@pytest.mark.parametrize(
    ("traces", "per_trace", "attributes", "length"), [(64, 1, 18, 300), (64, 1, 8, 20), (16, 8, 30, 40)]
)
def test_open_traces_are_counted_as_what_they_take(decode, traces, per_trace, attributes, length):
    arguments = map(str, (decode, traces, per_trace, attributes, length))
    told = subprocess.run([sys.executable, "-c", MEASURED, *arguments], check=True, capture_output=True, text=True)
    assert float(told.stdout) == pytest.approx(1, abs=0.25)
