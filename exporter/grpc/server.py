"""The gRPC server: its bounds, and which method is which signal. Knows nothing of what a message means.

grpcio leaves messages compressed, so that they are inflated within our limits; its own inflating has none.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import grpc
from grpc import aio

from ..config.settings import Config
from ..config.units import Address
from ..decode import Signal
from .export import Exports

METHODS: Final[dict[str, Signal]] = {
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export": "traces",
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export": "logs",
}
_STREAMS: Final = 100
"""Calls of one connection at one time."""
_METADATA_BYTES: Final = 16 << 10
_UNKNOWN: Final = "this port takes OTLP traces and logs: switch other signals off, or send them elsewhere"
_Behaviour = Callable[[Any, Any], Awaitable[bytes]]


class GrpcServer:
    """A server of grpcio at an address, whose port may be 0; raises OSError or RuntimeError where it cannot listen."""

    def __init__(self, exports: Exports, config: Config, address: Address, connections: int) -> None:
        self._exports = exports
        self._server = aio.server(handlers=(_Methods(exports),), options=_options(config, connections))
        self.address = Address(address.host, self._server.add_insecure_port(str(address)))

    async def start(self) -> None:
        """Begin to take calls."""
        await self._server.start()

    async def stop(self, seconds: float) -> None:
        """Take no new calls, and wait so long at most for those under way."""
        await self._server.stop(seconds)
        await self._exports.finish()


class _Methods(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpcio has no types
    """Finds the behaviour of a method.

    Each is one of a stream of requests, of which the first is read: only so can a call be refused before its message
    is received. On the wire it is the same.
    """

    def __init__(self, exports: Exports) -> None:
        self._known = {name: _handler(partial(_export, exports, signal)) for name, signal in METHODS.items()}
        self._unknown = _handler(_refuse)

    def service(self, details: Any) -> Any:
        """The handler of a call."""
        return self._known.get(details.method, self._unknown)


def _handler(behaviour: _Behaviour) -> Any:
    return grpc.stream_unary_rpc_method_handler(behaviour)


async def _export(exports: Exports, signal: Signal, _messages: Any, context: Any) -> bytes:
    return await exports.answer(signal, context)


async def _refuse(_messages: Any, context: Any) -> bytes:
    await context.abort(grpc.StatusCode.UNIMPLEMENTED, _UNKNOWN)
    return b""


def _options(config: Config, connections: int) -> list[tuple[str, int]]:
    limits = config.server.limits
    return [
        ("grpc.per_message_decompression", 0),
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", config.limits.body_bytes),
        ("grpc.max_metadata_size", _METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", _METADATA_BYTES),
        ("grpc.max_concurrent_streams", _STREAMS),
        ("grpc.max_allowed_incoming_connections", connections),
        ("grpc.server_handshake_timeout_ms", round(limits.header * 1000)),
        ("grpc.max_connection_idle_ms", round(limits.idle * 1000)),
        ("grpc.http2.bdp_probe", 0),  # else a connection may send ahead by megabytes
    ]
