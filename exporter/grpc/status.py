"""Refusals as statuses of gRPC: which code, and when to send again. Knows no grpcio.

Clients send again after UNAVAILABLE, and after RESOURCE_EXHAUSTED only where it comes with a RetryInfo.
"""

import math
from http import HTTPStatus
from typing import Final

from msgspec import Struct

from ..decode import retry_status
from ..http.requests import Refusal, rpc_code

DETAILS: Final = "grpc-status-details-bin"
"""The trailing metadata that holds a google.rpc.Status."""
_RESOURCE_EXHAUSTED: Final = 8
_FAULTS: Final = frozenset({"store", "internal"})
"""Reasons of a 503 that are a failure of llmq's and not too much at once."""


class RpcStatus(Struct, frozen=True):
    """The status of a call: a code, a message for people, and trailing metadata."""

    code: int
    message: str
    trailing: tuple[tuple[str, bytes], ...] = ()


def of(refusal: Refusal) -> RpcStatus:
    """The status that says what the refusal says."""
    code = rpc_code(refusal.code)
    if refusal.code == HTTPStatus.SERVICE_UNAVAILABLE and refusal.reason not in _FAULTS:
        code = _RESOURCE_EXHAUSTED
    if refusal.retry_after is None:
        return RpcStatus(code, refusal.message)
    seconds = max(1, math.ceil(refusal.retry_after))
    return RpcStatus(code, refusal.message, ((DETAILS, retry_status(code, refusal.message, seconds)),))
