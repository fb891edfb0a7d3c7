"""OTLP over gRPC: the same requests as over HTTP, with the same limits, refusals and durability."""

import asyncio
import gzip
import os
import random
import re
import socket
import subprocess
import sys
import threading
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import grpc
import httpx
import pytest
import yaml
from grpc import aio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from exporter.config import ConfigError, load
from exporter.config.units import Address
from exporter.decode.wire import STRICT
from exporter.grpc import listener
from exporter.grpc.export import READ_AT_ONCE, encoding
from exporter.grpc.status import DETAILS, of
from exporter.http.requests import Refusal
from exporter.ingest.port import Busy
from exporter.store.errors import StoreError

CAPTURES = Path(__file__).parent / "captures" / "requests"
TRACES = (CAPTURES / "langfuse3.rag.traces.pb").read_bytes()
LOGS = (CAPTURES / "otel-v2.1-logevents.simple.logs.pb").read_bytes()
EXPORT = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
RECEIVED = {"traces": "llmq_exporter_spans_received_total", "logs": "llmq_exporter_log_records_received_total"}
ANYWHERE = {"server": {"grpc": "127.0.0.1:0"}}
CAPPED = {"limits": {"body_bytes": "64KiB"}} | ANYWHERE
TOKENS = {
    "server": ANYWHERE["server"]
    | {"tokens": [{"name": name, "roles": [name], "env": f"LLMQ_{name}"} for name in ("ingest", "read")]}
}


class Calls:
    """A whole exporter, and a client of its gRPC port."""

    def __init__(self, running, channel):
        self.running, self.exporter, self._channel = running, running.exporter, channel

    async def send(self, body, signal="traces", *, metadata=(), compression=None):
        """(code, reply or text, trailing metadata) of a call."""
        call = self._channel.unary_unary(EXPORT.get(signal, signal))
        try:
            reply = await call(body, metadata=metadata, compression=compression, timeout=60)
        except aio.AioRpcError as error:
            return error.code().name, error.details(), dict(error.trailing_metadata() or ())
        return "OK", reply, {}

    def stream(self, signal="traces"):
        """A call whose messages the test sends itself."""
        return self._channel.stream_unary(EXPORT[signal])()

    async def refused(self, reason):
        await self.exporter.pipeline.flush()
        return await self.running.total("llmq_exporter_rejected_total", reason=reason)


@pytest.fixture
def calls(run_exporter):
    """Starts an exporter that listens to gRPC; both end with the block."""

    @asynccontextmanager
    async def start(config=ANYWHERE):
        running = await run_exporter(config)
        await running.exporter.grpc.start(running.exporter.config)
        try:
            async with aio.insecure_channel(running.exporter.grpc.state) as channel:
                yield Calls(running, channel)
        finally:
            await running.exporter.grpc.stop(5)

    return start


@pytest.fixture
def secrets(monkeypatch):
    for name in ("ingest", "read"):
        monkeypatch.setenv(f"LLMQ_{name}", f"the-secret-to-{name}")


def retry_seconds(trailing):
    """What the RetryInfo of a status says."""
    status = STRICT.message("RpcStatus").FromString(trailing[DETAILS])
    [detail] = status.details
    assert detail.type_url == "type.googleapis.com/google.rpc.RetryInfo"
    return STRICT.message("RetryInfo").FromString(detail.value).retry_delay.seconds


# --- what is taken


@pytest.mark.parametrize(("signal", "body"), [("traces", TRACES), ("logs", LOGS)])
@pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_what_comes_over_grpc_counts_as_it_does_over_http(calls, signal, body, compression):
    async with calls() as it:
        assert await it.send(body, signal, compression=compression) == ("OK", b"", {})
        await it.exporter.pipeline.flush()
        received = await it.running.total(RECEIVED[signal])
        headers = {"Content-Type": "application/x-protobuf"}
        assert (await it.running.post(f"/v1/{signal}", data=body, headers=headers))[0] == 200
        await it.exporter.pipeline.flush()
        samples = await it.running.samples()
        assert received > 0
        assert samples.total(RECEIVED[signal]) == 2 * received
        for protocol in ("grpc", "http"):
            where = {"signal": signal, "code": "200", "protocol": protocol}
            assert samples.total("llmq_exporter_requests_total", **where) == 1


async def test_a_trace_is_scored(calls):
    async with calls() as it:
        await it.send(TRACES)
        await it.running.pass_time(60)
        assert await it.running.total("llmq_requests_total") == 1


async def test_what_is_refused_of_a_request_is_told_as_partial_success(calls):
    request = ExportTraceServiceRequest.FromString(TRACES)
    request.resource_spans[0].scope_spans[0].spans.add(trace_id=b"short", span_id=bytes(8), name="x")
    async with calls() as it:
        code, reply, _ = await it.send(request.SerializeToString())
        partial = STRICT.message("Response").FromString(reply).partial_success
        assert (code, partial.rejected) == ("OK", 1)
        assert partial.error_message


@pytest.mark.parametrize(
    ("message", "expected"), [(gzip.compress(TRACES), "gzip"), (b"\x78\x9c", "deflate"), (TRACES, ""), (b"", "")]
)
def test_the_compression_of_a_message_shows_in_its_first_bytes(message, expected):
    assert encoding(message) == expected


# --- what is refused


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"planted-4711", "the body is not a valid OTLP protobuf message, or is nested too deeply"),
        (gzip.compress(TRACES)[:-9], "the compressed body is truncated"),
    ],
)
async def test_what_is_broken_is_refused_without_a_word_of_it(calls, body, said):
    async with calls() as it:
        assert await it.send(body) == ("INVALID_ARGUMENT", said, {})
        assert await it.refused("undecodable") == 1
        assert (await it.send(TRACES))[0] == "OK"


async def test_another_method_is_told_what_is_taken_here(calls):
    async with calls() as it:
        for method in ("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", "/planted/4711"):
            code, said, _ = await it.send(b"", method)
            assert (code, "OTLP traces and logs" in said, "4711" in said) == ("UNIMPLEMENTED", True, False)


async def test_a_message_above_the_limit_is_refused_and_never_sent_again(calls):
    async with calls(CAPPED) as it:
        code, _, trailing = await it.send(os.urandom(65 << 10))
        assert (code, trailing) == ("RESOURCE_EXHAUSTED", {})
        assert (await it.send(TRACES))[0] == "OK"


async def test_a_bomb_is_refused_before_its_memory_is_spent(calls):
    config = {"limits": {"body_bytes": "1MiB", "decompressed_bytes": "2MiB"}} | ANYWHERE
    async with calls(config) as it:
        code, said, trailing = await it.send(bytes(64 << 20), compression=grpc.Compression.Gzip)
        assert (code, trailing) == ("RESOURCE_EXHAUSTED", {})
        assert said == "the body is larger than 2097152 bytes after decompression"
        assert await it.refused("too_large") == 1


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("Bearer the-secret-to-ingest", "OK"),
        ("Bearer the-secret-to-read", "PERMISSION_DENIED"),
        ("Bearer another", "UNAUTHENTICATED"),
        (None, "UNAUTHENTICATED"),
    ],
)
async def test_a_token_must_have_the_role_ingest(calls, secrets, authorization, code):
    metadata = [("authorization", authorization)] if authorization else []
    async with calls(TOKENS) as it:
        assert (await it.send(TRACES, metadata=metadata))[0] == code


async def test_who_has_no_token_is_refused_before_the_message_is_read(calls, secrets):
    async with calls(TOKENS) as it:
        call = it.stream()
        with pytest.raises(aio.AioRpcError) as error:
            await call
        assert error.value.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("raised", "code", "seconds"),
    [
        (Busy(2.5, "too much waits", counted_as="busy"), "RESOURCE_EXHAUSTED", 3),
        (Busy(1, "the journal is full", counted_as="journal_full"), "RESOURCE_EXHAUSTED", 1),
        (StoreError("disk_full", "the disk is full"), "UNAVAILABLE", 5),
        (RuntimeError("planted-4711"), "UNAVAILABLE", 5),
    ],
)
async def test_what_cannot_be_taken_now_says_when_to_send_again(calls, monkeypatch, caplog, raised, code, seconds):
    async with calls() as it:

        async def room():
            raise raised

        monkeypatch.setattr(it.exporter.pipeline, "room", room)
        got, said, trailing = await it.send(TRACES)
        assert (got, retry_seconds(trailing)) == (code, seconds)
        assert "4711" not in said + caplog.text
        where = {"signal": "traces", "code": "503", "protocol": "grpc"}
        assert await it.running.total("llmq_exporter_requests_total", **where) == 1


def test_a_refusal_for_good_has_no_retry_info():
    assert of(Refusal(413, "too_large", "too large")).trailing == ()


async def test_bodies_of_all_requests_together_are_bounded(calls):
    async with calls() as it:
        it.exporter.reception.held_bytes = it.exporter.reception.pending_bytes
        code, _, trailing = await it.send(TRACES)
        assert (code, retry_seconds(trailing)) == ("RESOURCE_EXHAUSTED", 1)
        it.exporter.reception.held_bytes = 0
        assert (await it.send(TRACES))[0] == "OK"
        assert it.exporter.reception.held_bytes == 0


async def test_a_message_that_does_not_come_is_told_so(calls):
    async with calls({"server": ANYWHERE["server"] | {"limits": {"body": "300ms"}}}) as it:
        with pytest.raises(aio.AioRpcError) as error:
            await it.stream()
        assert (error.value.code(), await it.refused("timeout")) == (grpc.StatusCode.DEADLINE_EXCEEDED, 1)


async def test_few_messages_are_read_at_one_time_and_the_others_wait(calls):
    async with calls() as it:
        slow = [it.stream() for _ in range(READ_AT_ONCE)]
        for call in slow:
            await call.wait_for_connection()
        await asyncio.sleep(0.2)
        waiting = asyncio.create_task(it.send(TRACES))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        slow[0].cancel()
        assert (await waiting)[0] == "OK"
        for call in slow:
            call.cancel()


async def test_what_was_received_is_taken_although_its_sender_left(calls, monkeypatch):
    async with calls() as it:
        inside, release, accept = asyncio.Event(), asyncio.Event(), it.exporter.pipeline.accept

        async def slow(entry, batch):
            inside.set()
            await release.wait()
            await accept(entry, batch)

        monkeypatch.setattr(it.exporter.pipeline, "accept", slow)
        leaving = asyncio.create_task(it.send(TRACES))
        await inside.wait()
        assert await it.running.total("llmq_exporter_open_grpc_calls") == 1
        leaving.cancel()
        await asyncio.sleep(0.2)
        release.set()
        await it.exporter.grpc.stop(5)
        await it.running.pass_time(60)
        assert await it.running.total("llmq_requests_total") == 1


# --- what is no gRPC


def talk(address, sent):
    """What the port answers to some bytes, until it closes or is silent."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        received = b""
        with suppress(OSError):
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while some := connection.recv(65536):
                received += some
        return received


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = bytes(3) + b"\x04" + bytes(5)


def frame(kind, flags, stream, content):
    return len(content).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + content


async def test_broken_frames_quote_nothing_and_hurt_nobody(calls):
    chance = random.Random(4317)
    page = b"POST /v1/traces HTTP/1.1\r\nHost: planted-4711\r\n\r\n"
    sent = [b"", page, b"\x16\x03\x01\x02\x00", PREFACE, PREFACE[:10]]
    for _ in range(60):
        frames = [
            frame(
                chance.randrange(12), chance.randrange(256), chance.randrange(6), chance.randbytes(chance.randrange(60))
            )
            for _ in range(chance.randrange(1, 6))
        ]
        sent.append(PREFACE + SETTINGS + b"".join(frames) + b"planted-4711" * chance.randrange(2))
    async with calls() as it:
        for one in sent:
            assert b"4711" not in await asyncio.to_thread(talk, it.exporter.grpc.state, one)
        assert (await it.send(TRACES))[0] == "OK"


async def test_random_messages_are_refused_or_taken_and_hurt_nobody(calls):
    chance = random.Random(13)
    async with calls() as it:
        for number in range(200):
            broken = bytearray(gzip.compress(TRACES) if number % 2 else TRACES)
            for _ in range(chance.randrange(1, 8)):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            code, _, _ = await it.send(bytes(broken[: chance.randrange(len(broken) + 1)]))
            assert code in {"OK", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"}
        assert (await it.send(TRACES))[0] == "OK"


async def test_connections_are_bounded(calls):
    async with calls({"server": ANYWHERE["server"] | {"limits": {"connections": 16}}}) as it:
        host, port = it.exporter.grpc.state.split(":")
        opened = [await asyncio.open_connection(host, int(port)) for _ in range(40)]
        try:
            await asyncio.sleep(0.5)
            greeted = 0
            for reader, _ in opened:
                with suppress(TimeoutError, OSError):
                    async with asyncio.timeout(0.5):
                        greeted += bool(await reader.read(1))
            assert greeted == 16
        finally:
            for _, writer in opened:
                writer.close()


# --- whether it is on


def server(**settings):
    return {"server": settings}


@pytest.fixture
def configured(tmp_path):
    def make(config):
        path = tmp_path / "llmq.yaml"
        path.write_text(yaml.safe_dump(config))
        return load(path)

    return make


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, Address("127.0.0.1", 4317)),
        ({"listen": "[::1]:4318"}, Address("::1", 4317)),
        ({"listen": "127.0.0.1:8080"}, None),
        ({"listen": "127.0.0.1:8080", "grpc": "127.0.0.1:9090"}, Address("127.0.0.1", 9090)),
        ({"grpc": "none"}, None),
    ],
)
def test_auto_is_the_usual_port_beside_the_usual_port(configured, settings, address):
    assert configured(server(**settings)).server.grpc_address == address


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"grpc": "4317"}, "$.server.grpc: "),
        ({"grpc": "0.0.0.0:4317"}, "0.0.0.0:4317 can be reached from other machines and there are no tokens"),
        ({"grpc": "127.0.0.1:4318"}, "is the address of server.listen: give gRPC a port of its own"),
    ],
)
def test_an_address_that_cannot_be_is_refused(configured, settings, said):
    with pytest.raises(ConfigError) as error:
        configured(server(**settings))
    assert said in str(error.value)


async def test_it_does_not_change_at_a_reload(run_exporter):
    running = await run_exporter(ANYWHERE)
    path = running.exporter.config.origin.path
    path.write_text(yaml.safe_dump(server(grpc="none")))
    with pytest.raises(ConfigError, match=r"server\.grpc"):
        running.exporter.reload()


async def state_of(run_exporter, config):
    running = await run_exporter(config)
    await running.exporter.grpc.start(running.exporter.config)
    async with running.client.get("/api/status") as front:
        page = (await front.json())["grpc"]
    await running.exporter.grpc.stop(1)
    return running.exporter.grpc.state, page


async def test_without_the_extra_it_is_off_and_says_how_to_get_it(run_exporter, monkeypatch):
    monkeypatch.setattr(listener, "HAS_GRPC", False)
    state, page = await state_of(run_exporter, ANYWHERE)
    assert state.startswith("off: the extra grpc is not installed (pip install ")
    assert "the extra grpc is not installed" in page


async def test_where_it_listens_is_on_the_status_page(run_exporter):
    state, page = await state_of(run_exporter, ANYWHERE)
    assert state.startswith("127.0.0.1:")
    assert state in page


def test_the_program_runs_without_grpcio(tmp_path):
    """The extra is one: nothing imports it that runs without."""
    blocked = (
        "import sys; sys.modules['grpc'] = None; from exporter.cli.main import main; sys.exit(main(['--version']))"
    )
    done = subprocess.run([sys.executable, "-c", blocked], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def taken_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


async def test_a_usual_port_that_is_taken_leaves_it_off(run_exporter, monkeypatch, taken_port):
    monkeypatch.setattr("exporter.config.settings.OTLP_GRPC", taken_port)
    monkeypatch.setattr("exporter.config.settings.OTLP_HTTP", 0)
    state, _ = await state_of(run_exporter, {})
    assert state == f"off: cannot listen on 127.0.0.1:{taken_port}: something listens there already"


def test_a_named_port_that_is_taken_ends_the_program(tmp_path, taken_port):
    config = tmp_path / "llmq.yaml"
    config.write_text(yaml.safe_dump(server(grpc=f"127.0.0.1:{taken_port}")))
    command = [sys.executable, "-m", "exporter", "serve", "--config", str(config), "--listen", "127.0.0.1:0"]
    done = subprocess.run(
        [*command, "--store", f"sqlite:///{tmp_path}/llmq.db"], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode != 0
    assert f"cannot listen on 127.0.0.1:{taken_port} for gRPC: something listens there already" in done.stderr


# --- crashes and the end


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def named(number):
    """The captured trace as another one: its ids are made of a number."""
    request = ExportTraceServiceRequest.FromString(TRACES)
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                span.trace_id = number.to_bytes(16)
    return request.SerializeToString()


class Sender(threading.Thread):
    """Sends traces until it is ended, each until it is acknowledged, as exporters do."""

    def __init__(self, address, first):
        super().__init__(daemon=True)
        self.acknowledged, self.cut, self.ended = 0, 0, threading.Event()
        self._address, self._first = address, first

    def run(self):
        with grpc.insecure_channel(self._address, [("grpc.max_reconnect_backoff_ms", 100)]) as channel:
            call = channel.unary_unary(EXPORT["traces"])
            while not self.ended.is_set():
                body = named(self._first + self.acknowledged)
                while not self._sent(call, body):
                    self.cut += 1
                self.acknowledged += 1

    def _sent(self, call, body):
        try:
            call(body, timeout=60, compression=grpc.Compression.Gzip, wait_for_ready=True)
        except grpc.RpcError as error:
            if error.code() not in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}:
                raise
            return False
        return True


def test_kills_lose_nothing_that_was_acknowledged_and_double_nothing(killable):
    address = f"127.0.0.1:{free_port()}"
    exporter = killable(server(grpc=address) | {"assembly": {"grace": "100ms", "idle": "1s"}})
    senders = [Sender(address, 1 + 10**6 * number) for number in range(3)]
    for sender in senders:
        sender.start()
    for kill in range(60):
        exporter.wait_until(lambda: exporter.total("llmq_exporter_requests_total", protocol="grpc") >= 20)
        exporter.kill()
        exporter.start()
        if kill >= 5 and sum(sender.cut for sender in senders) >= 3:
            break
    for sender in senders:
        sender.ended.set()
    for sender in senders:
        sender.join(300)
        assert not sender.is_alive()
    sent = sum(sender.acknowledged for sender in senders)
    exporter.wait_until(lambda: exporter.total("llmq_requests_total") >= sent)
    assert exporter.total("llmq_requests_total") == sent >= 100
    exporter.stop()


def most_memory(process):
    """The most KiB of memory that a process has had."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())[1])


async def test_what_waits_to_be_read_stays_with_its_sender(killable):
    address, offered = f"127.0.0.1:{free_port()}", os.urandom(8 << 20)
    exporter = killable(server(grpc=address))
    async with AsyncExitStack() as opened:
        alone = [("grpc.use_local_subchannel_pool", 1)]
        channels = [await opened.enter_async_context(aio.insecure_channel(address, alone)) for _ in range(5)]
        silent = [channels[0].stream_unary(EXPORT["traces"])() for _ in range(READ_AT_ONCE)]
        while await fate(channels[0], TRACES, 1) == "OK":
            pass  # not all turns are taken yet
        before = most_memory(exporter.process)
        fates = await asyncio.gather(*(fate(channel, offered, 60) for channel in channels for _ in range(8)))
        assert set(fates) == {"RESOURCE_EXHAUSTED"}
        assert most_memory(exporter.process) - before < 64 << 10
        for call in silent:
            call.cancel()


async def fate(channel, body, seconds):
    """The code of a call."""
    try:
        await channel.unary_unary(EXPORT["traces"])(body, timeout=seconds)
    except aio.AioRpcError as error:
        return error.code().name
    return "OK"


def test_the_end_waits_for_a_call_and_not_for_a_client_that_says_nothing(killable):
    address = f"127.0.0.1:{free_port()}"
    exporter = killable(server(grpc=address, shutdown="4s"))
    with grpc.insecure_channel(address) as channel:
        channel.unary_unary(EXPORT["traces"])(TRACES, timeout=60)
        stuck = channel.stream_unary(EXPORT["traces"]).future(iter(lambda: threading.Event().wait(30) and b"", b""))
        with socket.create_connection(("127.0.0.1", int(address.partition(":")[2]))):
            exporter.process.terminate()
            assert exporter.process.wait(4 + 5) == 0
        stuck.cancel()
    assert f"gRPC {address}" in exporter.log.read_text()


def test_http_and_grpc_end_together(killable):
    address = f"127.0.0.1:{free_port()}"
    exporter = killable(server(grpc=address))
    exporter.stop()
    with pytest.raises(httpx.TransportError):
        exporter.http.get("/-/healthy")
