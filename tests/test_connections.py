"""Silent, slow and too many connections: honest ones are served, and the process ends when it is told to."""

import asyncio
import resource
import signal
import socket
import time
from contextlib import ExitStack, asynccontextmanager, suppress

import pytest
from aiohttp import ClientSession, web

from exporter.config.settings import ConnectionLimits
from exporter.http.connections import Connections, Runner

HEAD = b"POST /v1/interactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BODY = b'{"id": "1", "app": "shop", "question": "Refunds?", "answer": "Within 30 days."}'
CLOSED = "llmq_exporter_connections_closed_total"


@pytest.fixture
def sockets():
    """Opens connections to an exporter, which end with the test."""
    with ExitStack() as opened:

        def connect(exporter, sent=b"", *, buffer=None):
            connection = opened.enter_context(socket.socket())
            if buffer:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            connection.settimeout(120)
            host, port = exporter.url.removeprefix("http://").split(":")
            connection.connect((host, int(port)))
            connection.sendall(sent)
            return connection

        yield connect


def limits(**some):
    return {"server": {"limits": {"connections": 16} | some}}


def read(connection):
    """All that the exporter sends until it closes."""
    received = b""
    try:
        while some := connection.recv(65536):
            received += some
    except ConnectionResetError:
        pass
    return received


def test_a_new_connection_takes_the_place_of_the_longest_silent_one(killable, sockets):
    exporter = killable(limits())
    silent = [sockets(exporter, sent) for sent in (b"", HEAD, HEAD + b"Content-Length: 9\r\n\r\n{") for _ in range(20)]
    for _ in range(20):
        fresh = sockets(exporter, b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert read(fresh).startswith(b"HTTP/1.1 200 ")
    assert read(silent[0]) == b""
    assert exporter.total(CLOSED, reason="room") >= len(silent) - 16
    assert exporter.total(CLOSED, reason="refused") == 0
    assert exporter.total("llmq_exporter_open_connections") <= 16
    assert exporter.log.stat().st_size < 2000


@pytest.mark.parametrize("sent", [b"", HEAD], ids=["silent", "half a header"])
def test_a_header_that_does_not_come_is_not_waited_for(killable, sockets, sent):
    exporter = killable(limits(header="500ms"))
    assert read(sockets(exporter, sent)) == b""
    assert exporter.total(CLOSED, reason="header") == 1


def test_a_header_that_trickles_is_not_waited_for_either(killable, sockets):
    exporter = killable(limits(header="500ms"))
    slow = sockets(exporter, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
    with suppress(ConnectionError):  # from whichever of the two notices
        for _ in range(300):
            slow.sendall(b"x")
            time.sleep(0.05)
    assert exporter.total(CLOSED, reason="header") == 1


def test_an_idle_connection_is_closed_after_its_time(killable, sockets):
    exporter = killable(limits(idle="500ms"))
    idle = sockets(exporter, b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert read(idle).startswith(b"HTTP/1.1 200 ")
    exporter.wait_until(lambda: exporter.total(CLOSED, reason="idle") >= 1)


def test_a_body_that_does_not_come_is_told_so(killable, sockets):
    exporter = killable(limits(body="500ms"))
    slow = sockets(exporter, HEAD + b"Content-Length: 9\r\nConnection: close\r\n\r\n{")
    assert read(slow).startswith(b"HTTP/1.1 408 ")


def test_an_answer_that_is_not_taken_is_given_up(killable, sockets):
    exporter = killable(limits(answer="500ms"))
    deaf = sockets(exporter, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2000, buffer=4096)
    exporter.wait_until(lambda: exporter.total(CLOSED, reason="answer") == 1)
    read(deaf)


def test_few_file_descriptors_mean_fewer_connections_and_no_outage(killable, sockets):
    exporter = killable({}, before=("sh", "-c", 'ulimit -n 300; exec "$@"', "x"))
    assert "connections=44" in exporter.log.read_text()
    for _ in range(200):
        sockets(exporter)
    asking = sockets(exporter, b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert read(asking).startswith(b"HTTP/1.1 200 ")  # the connection of exporter.http made way
    exporter.wait_until(lambda: exporter.total(CLOSED, reason="room") >= 150)


def test_where_files_run_out_connections_make_way_and_the_log_stays_short(killable, sockets):
    exporter = killable({})
    exporter.http.close()  # its connection is open already
    pid = exporter.process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (60, hard))
    for _ in range(100):
        sockets(exporter)
    asking = sockets(exporter, b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert read(asking).startswith(b"HTTP/1.1 200 ")
    assert "error=EMFILE" in exporter.log.read_text()
    assert exporter.log.stat().st_size < 10_000


@asynccontextmanager
async def serving(handler, **some):
    """A server of our own kind with one handler: its address, and why connections were closed."""
    closed = []
    connections = Connections(ConnectionLimits(**some), closed.append)
    app = web.Application()
    app.router.add_get("/", handler)
    runner = Runner(app, connections)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield "http://{}:{}/".format(*runner.addresses[0]), closed, connections
    finally:
        await runner.cleanup()


async def test_connections_at_work_are_not_cut_and_one_more_is_told_to_come_again():
    release, all_in = asyncio.Event(), asyncio.Barrier(4)

    async def working(_):
        await all_in.wait()
        await release.wait()
        return web.Response(text="done")

    async with serving(working, connections=3) as (url, closed, _), ClientSession() as client:
        at_work = [asyncio.create_task(client.get(url)) for _ in range(3)]
        await all_in.wait()
        async with client.get(url) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        release.set()
        assert [(await one).status for one in at_work] == [200, 200, 200]
        assert closed == ["refused"]


async def test_what_a_handler_did_not_foresee_is_answered_without_a_word_of_it(caplog):
    async def broken(_):
        raise ValueError("planted-4711")

    async with serving(broken) as (url, _, _), ClientSession() as client, client.get(url) as answer:
        said = await answer.text()
        assert (answer.status, said) == (500, "the request could not be processed: see the log of llmq\n")
    assert "planted-4711" not in caplog.text
    assert "error=ValueError at=test_connections.py:" in caplog.text


# The end


def ended(exporter, within):
    """The exit code of an exporter that is told to end."""
    exporter.process.send_signal(signal.SIGTERM)
    return exporter.process.wait(within)


def test_clients_do_not_hold_up_the_end(killable, sockets):
    exporter = killable({"server": {"shutdown": "4s"}})
    for sent in (
        b"",
        HEAD,
        HEAD + b"Content-Length: 99\r\n\r\n{",
        b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ):
        sockets(exporter, sent)
    sockets(exporter, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2000, buffer=4096)
    exporter.wait_until(lambda: exporter.total("llmq_exporter_open_connections") >= 5)
    assert ended(exporter, within=4 + 5) == 0


def test_a_request_under_way_is_answered_before_the_end(killable, sockets):
    exporter = killable({"server": {"shutdown": "20s"}})
    slow = sockets(exporter, HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY[:10])
    exporter.wait_until(lambda: exporter.total("llmq_exporter_open_connections") >= 2)
    exporter.process.send_signal(signal.SIGTERM)
    with suppress(ConnectionError):
        while sockets(exporter):
            pass
    slow.sendall(BODY[10:])
    assert read(slow).startswith(b"HTTP/1.1 200 ")
    assert exporter.process.wait(120) == 0
    exporter.start()
    exporter.wait_until(lambda: exporter.total("llmq_requests_total") == 1)
