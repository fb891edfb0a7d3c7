"""Starts and stops the gRPC server, if configured; imports grpcio at the start, and reports why gRPC is off."""

import logging
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..config.settings import HAS_GRPC, NO_GRPC, Config
from ..config.units import Address
from ..http.connections import RESERVED_DESCRIPTORS, descriptors
from ..http.requests import Reception
from ..ingest.port import Intake
from ..runtime.os_errors import why

if TYPE_CHECKING:
    from .export import Exports
    from .server import GrpcServer

_FEWEST: Final = 16
"""Connections that are admitted however few files the process may open."""

_log = logging.getLogger(__name__)


class Listener:
    """Listens for calls between ``start`` and ``stop``; ``state`` says where, or why not."""

    def __init__(self, intake: Intake, reception: Reception, on_answered: Callable[[str, int], None]) -> None:
        self.state = "off"
        self._intake, self._reception, self._on_answered = intake, reception, on_answered
        self._exports: Exports | None = None
        self._server: GrpcServer | None = None

    def __len__(self) -> int:
        """Calls whose message has been received and that are not answered yet."""
        return len(self._exports) if self._exports is not None else 0

    async def start(self, config: Config) -> None:
        """Listen where the config says; raises OSError where an address that it names cannot be listened on."""
        address = config.server.grpc_address
        if address is None:
            self.state = f"off: {_why_off(config)}"
        elif not HAS_GRPC:
            self.state = f"off: {NO_GRPC}"
        else:
            await self._listen(config, address)

    async def _listen(self, config: Config, address: Address) -> None:
        try:
            _try_to_bind(address)
        except OSError as error:
            if config.server.grpc != "auto":
                raise
            self.state = f"off: cannot listen on {address}: {why(error)}"
            return
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # it would log what was sent
        from .export import Exports  # noqa: PLC0415 - who does not listen needs no grpcio, nor its memory
        from .server import GrpcServer  # noqa: PLC0415

        self._exports = Exports(self._intake, self._reception, self._on_answered)
        self._server = GrpcServer(self._exports, config, address, _connections(config.server.limits.connections))
        await self._server.start()
        self.state = str(self._server.address)

    async def stop(self, seconds: float) -> None:
        """Take no new calls, and wait so long at most for those under way."""
        if self._server is not None:
            await self._server.stop(seconds)


def _why_off(config: Config) -> str:
    if config.server.grpc == "none":
        return "server.grpc is none"
    return "server.grpc is auto and server.listen has another port than 4318"


def _try_to_bind(address: Address) -> None:
    """Raise what keeps the address from being listened on; grpcio does not say."""
    family, kind, protocol, _, at = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(at)


def _connections(wanted: int) -> int:
    """As many connections as HTTP may have, or as are left of the files that this process may open."""
    of_http = wanted + RESERVED_DESCRIPTORS
    return max(_FEWEST, min(wanted, descriptors(of_http + wanted) - of_http))
