"""Runs an exporter as a process: listens, handles reload and stop signals, and shuts down within a time limit."""

import asyncio
import gc
import logging
import os
import signal
import sys
import threading

from aiohttp import web

from .. import __version__, native
from ..config import Config
from ..config.configfile import ConfigError
from ..config.units import Address
from ..http import requests
from ..http.connections import Runner, handle_loop_errors
from ..runtime.log import Log
from ..runtime.os_errors import why
from .application import Exporter, make_app

_COLLECT_EVERY = 50_000, 20, 50
"""Of Python's garbage collector: objects that came and stayed before it looks at the young, and rounds of that."""

_SWITCH_SECONDS = 0.001
"""How long a thread may compute while another one waits for its turn."""

_log = logging.getLogger(__name__)


class ListenError(Exception):
    """The address cannot be listened on; says why."""


async def serve(config: Config, log: Log) -> None:
    """Run an exporter until SIGTERM or SIGINT; SIGHUP reloads its config. Raises StoreError or ListenError."""
    exporter = Exporter(config)
    handle_loop_errors(exporter.connections)
    runner = Runner(make_app(exporter), exporter.connections, **requests.SERVER_OPTIONS)
    summaries = asyncio.create_task(log.run())
    await runner.setup()
    try:
        await _listen(runner, config.server.listen)
        await _listen_to_grpc(exporter)
        _log.info(
            "listening: http://%s (%s); gRPC %s; llmq %s, %s",
            *(_bound(runner), _who(config), exporter.grpc.state, __version__, native.DESCRIPTION),
        )
        _be_a_server()
        await _until_told(exporter)
    finally:
        await _stop(runner, exporter)
        summaries.cancel()
        log.summarise()


async def _listen(runner: Runner, address: Address) -> None:
    try:
        await web.TCPSite(runner, address.host, address.port).start()
    except OSError as error:
        raise ListenError(f"cannot listen on {address}: {why(error)}; choose another address with --listen") from error


async def _listen_to_grpc(exporter: Exporter) -> None:
    try:
        await exporter.grpc.start(exporter.config)
    except OSError as error:
        address = exporter.config.server.grpc_address
        cure = "choose another address in server.grpc, or none"
        raise ListenError(f"cannot listen on {address} for gRPC: {why(error)}; {cure}") from error


async def _stop(runner: Runner, exporter: Exporter) -> None:
    """Answer what is under way, record what was scored, and end the process if that takes longer than it may."""
    seconds = exporter.config.server.shutdown
    deadline = threading.Timer(seconds, _end_now)
    deadline.daemon = True
    deadline.start()
    for site in runner.sites:
        await site.stop()
    await asyncio.gather(exporter.connections.drain(seconds / 2), exporter.grpc.stop(seconds / 2))
    await runner.cleanup()
    deadline.cancel()


def _end_now() -> None:
    """End the process as a kill would: what was acknowledged is durable, and taken up at the next start."""
    _log.error("not all was recorded within server.shutdown: what is left is in the journal for the next start")
    os._exit(1)


def _be_a_server() -> None:
    """Tune Python to answer quickly.

    Spans and traces hold no cycles: to look through all that wait, again and again, finds nothing and costs CPU. And
    the thread that writes the store comes back from the disk several times a request: it must not wait for its turn.
    """
    gc.freeze()
    gc.set_threshold(*_COLLECT_EVERY)
    sys.setswitchinterval(_SWITCH_SECONDS)


def _bound(runner: web.AppRunner) -> Address:
    host, port = runner.addresses[0][:2]
    return Address(host, port)


def _who(config: Config) -> str:
    if config.server.tokens:
        return "bearers of a token"
    if config.server.listen.is_loopback:
        return "this machine only: no tokens are configured"
    return "everybody: no tokens are configured, and server.allow_unauthenticated is set"


async def _until_told(exporter: Exporter) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    loop.add_signal_handler(signal.SIGHUP, _reload_or_log, exporter)
    await told.wait()


def _reload_or_log(exporter: Exporter) -> None:
    try:
        exporter.reload()
        _log.info("config reloaded")
    except ConfigError as error:
        _log.error("config not reloaded, the one in use stays:\n%s", error)
