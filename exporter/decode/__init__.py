"""OTLP/HTTP bodies → Batch, and the bodies of the answers; knows protobuf and JSON, nothing of HTTP or LLMs.

compression    inflates within a limit: gzip, deflate
zstd           the same for zstd
weigh          what a protobuf body would cost to parse, before it is parsed
from_protobuf  OTLP protobuf → Batch
from_json      OTLP/JSON → Batch
interactions   plain JSON interactions → the spans that an instrumented application would have sent
mend           makes JSON readable whose text is not valid Unicode
batch          what one request holds, and the checks that every span passes
to_json        spans and log records → OTLP/JSON, for what is kept of a request
wire           the protobuf messages
worker         the process that decodes large bodies
"""

from typing import Any, Literal

import msgspec

from . import from_json as otlp_json
from . import from_protobuf as otlp_protobuf
from . import interactions
from .batch import Batch, DecodeError, DecodeLimits, TooLarge, UnsupportedEncoding
from .compression import decompress
from .wire import STRICT

__all__ = [
    "JSON",
    "PROTOBUF",
    "Batch",
    "DecodeError",
    "DecodeLimits",
    "Signal",
    "TooLarge",
    "UnsupportedEncoding",
    "decode",
    "decompress",
    "reply",
    "retry_status",
    "status",
]

Signal = Literal["traces", "logs", "interactions"]
PROTOBUF = "application/x-protobuf"
JSON = "application/json"

_DECODERS = {
    ("traces", PROTOBUF): otlp_protobuf.decode_traces,
    ("traces", JSON): otlp_json.decode_traces,
    ("logs", PROTOBUF): otlp_protobuf.decode_logs,
    ("logs", JSON): otlp_json.decode_logs,
    ("interactions", JSON): interactions.decode,
}
_REJECTED_FIELDS = {"traces": "rejectedSpans", "logs": "rejectedLogRecords"}
_NOT_AN_ERROR = frozenset({"no_trace"})
_Response = STRICT.message("Response")
_Status = STRICT.message("RpcStatus")
_RetryInfo = STRICT.message("RetryInfo")
_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


def decode(signal: Signal, media_type: str, body: bytes, limits: DecodeLimits, received_at: float) -> Batch:
    """Decode an inflated body received at ``received_at`` (Unix seconds); raises DecodeError or TooLarge."""
    if len(body) > limits.decompressed_bytes:
        raise TooLarge(f"the body is larger than {limits.decompressed_bytes} bytes")
    decoder = _DECODERS.get((signal, media_type))
    if decoder is None:
        raise DecodeError(f"{signal} are not understood as {media_type}")
    return decoder(body, limits, received_at)


def reply(signal: Signal, media_type: str, batch: Batch) -> bytes:
    """Return the Export…ServiceResponse: empty on full success, else what was rejected and why.

    Log records of no trace are not ours to score and no fault of the client's, so they are not named.
    """
    if signal == "interactions":
        return _interactions_reply(batch)
    refused = {reason: n for reason, n in batch.rejected.items() if reason not in _NOT_AN_ERROR}
    message = ", ".join(f"{n} refused: {reason}" for reason, n in sorted(refused.items()))
    if media_type == JSON:
        return _json_reply(signal, sum(refused.values()), message)
    response = _Response()
    if refused:
        response.partial_success.rejected = sum(refused.values())
        response.partial_success.error_message = message
    return bytes(response.SerializeToString())


def _json_reply(signal: Signal, refused: int, message: str) -> bytes:
    if not refused:
        return b"{}"
    partial = {_REJECTED_FIELDS[signal]: str(refused), "errorMessage": message}
    return msgspec.json.encode({"partialSuccess": partial})


def _interactions_reply(batch: Batch) -> bytes:
    trace_ids = [span.trace_id.hex() for span in batch.spans]
    return msgspec.json.encode({"accepted": len(trace_ids), "trace_ids": trace_ids})


def status(media_type: str, code: int, message: str) -> bytes:
    """Return a google.rpc.Status with a gRPC code, as protobuf where that is the media type, else as JSON."""
    if media_type == PROTOBUF:
        encoded: Any = _Status(code=code, message=message).SerializeToString()
        return bytes(encoded)
    return msgspec.json.encode({"code": code, "message": message})


def retry_status(code: int, message: str, seconds: int) -> bytes:
    """Return a google.rpc.Status whose RetryInfo says after how many seconds to send again."""
    found = _Status(code=code, message=message)
    info = _RetryInfo()
    info.retry_delay.seconds = seconds
    found.details.add(type_url=_RETRY_INFO, value=info.SerializeToString())
    return bytes(found.SerializeToString())
