import asyncio
import base64
import gzip
import json
import logging
import zlib
from pathlib import Path

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from exporter.config.settings import Secret, Token
from exporter.decode import DecodeLimits
from exporter.decode.wire import STRICT
from exporter.http.auth import Access
from exporter.http.otlp import INTAKE, add_routes
from exporter.http.requests import RECEPTION, SERVER_OPTIONS, Reception
from exporter.ingest.port import Busy
from exporter.store.errors import StoreError

CAPTURES = Path(__file__).parent / "captures" / "requests"
TRACES = (CAPTURES / "langfuse3.rag.traces.pb").read_bytes()
TRACES_JSON = (CAPTURES / "langfuse3.rag.traces.json").read_bytes()
LOGS = (CAPTURES / "otel-v2.1-logevents.simple.logs.pb").read_bytes()
PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
NOW = 1_795_425_600.0


class MemoryIntake:
    """Keeps what it accepts; has no room where ``busy`` is set, and refuses with ``failure`` where one is set."""

    def __init__(self):
        self.accepted = []
        self.busy = None
        self.failure = None
        self.release = None
        self.entered = asyncio.Event()

    async def room(self):
        if self.busy is not None:
            raise self.busy

    async def accept(self, entry, batch):
        self.entered.set()
        if self.release is not None:
            await self.release.wait()
        if self.failure is not None:
            raise self.failure
        self.accepted.append((entry, batch))


class Exporter:
    """A running receiver, its intake and what it counted."""

    def __init__(self, **reception):
        self.intake = MemoryIntake()
        self.rejected = []
        self.answered = []
        self.reception = Reception(
            on_rejected=lambda *rejection: self.rejected.append(rejection),
            on_answered=lambda *answer: self.answered.append(answer),
            now=lambda: NOW,
            **reception,
        )

    def app(self):
        app = web.Application(handler_args=SERVER_OPTIONS)
        app[INTAKE] = self.intake
        app[RECEPTION] = self.reception
        add_routes(app)
        return app


@pytest.fixture
def serve(aiohttp_client):
    async def start(**reception):
        exporter = Exporter(**reception)
        return exporter, await aiohttp_client(exporter.app())

    return start


async def status_of(response):
    """The google.rpc.Status of an answer, read as its own Content-Type says."""
    body = await response.read()
    if response.content_type == "application/x-protobuf":
        message = STRICT.message("RpcStatus").FromString(body)
        return message.code, message.message
    assert response.content_type == "application/json"
    document = json.loads(body)
    return document["code"], document["message"]


async def test_protobuf_traces_are_accepted_with_an_empty_reply(serve):
    exporter, client = await serve()
    response = await client.post("/v1/traces", data=TRACES, headers=PROTOBUF)
    assert (response.status, response.content_type, await response.read()) == (200, "application/x-protobuf", b"")
    ((entry, batch),) = exporter.intake.accepted
    assert (entry.signal, entry.media_type, entry.encoding) == ("traces", "application/x-protobuf", "")
    assert (entry.body, entry.received_at) == (TRACES, NOW)
    assert batch.spans
    assert exporter.answered == [("traces", 200)]


async def test_json_traces_are_accepted_with_an_empty_object(serve):
    exporter, client = await serve()
    response = await client.post("/v1/traces", data=TRACES_JSON, headers=JSON)
    assert (response.status, response.content_type, await response.read()) == (200, "application/json", b"{}")
    assert exporter.intake.accepted[0][0].media_type == "application/json"


async def test_logs_are_accepted(serve):
    exporter, client = await serve()
    assert (await client.post("/v1/logs", data=LOGS, headers=PROTOBUF)).status == 200
    ((entry, batch),) = exporter.intake.accepted
    assert entry.signal == "logs"
    assert batch.logs


async def test_the_path_of_langfuse_sdks_takes_traces(serve):
    exporter, client = await serve()
    assert (await client.post("/api/public/otel/v1/traces", data=TRACES, headers=PROTOBUF)).status == 200
    assert exporter.intake.accepted[0][0].signal == "traces"


async def test_an_interaction_is_answered_with_its_trace_id(serve):
    exporter, client = await serve()
    response = await client.post("/v1/interactions", json={"question": "q", "answer": "a"})
    reply = await response.json()
    ((_, batch),) = exporter.intake.accepted
    assert (response.status, reply) == (200, {"accepted": 1, "trace_ids": [batch.spans[0].trace_id.hex()]})


async def test_an_interaction_that_is_wrong_is_told_how(serve):
    _, client = await serve()
    response = await client.post("/v1/interactions", json={"questoin": "q"})
    assert response.status == 400
    assert await status_of(response) == (3, '$: unknown field "questoin"; did you mean "question"?')


@pytest.mark.parametrize(
    ("encoding", "body"), [("gzip", gzip.compress(TRACES)), ("deflate", zlib.compress(TRACES)), ("identity", TRACES)]
)
async def test_compressed_bodies_are_decoded_and_journalled_as_they_came(serve, encoding, body):
    exporter, client = await serve()
    response = await client.post("/v1/traces", data=body, headers=PROTOBUF | {"Content-Encoding": encoding})
    assert response.status == 200
    ((entry, batch),) = exporter.intake.accepted
    assert (entry.encoding, entry.body) == (encoding, body)
    assert batch.spans


async def test_a_chunked_body_without_a_length_is_accepted(serve):
    exporter, client = await serve()

    async def chunks():
        for start in range(0, len(TRACES_JSON), 1000):
            yield TRACES_JSON[start : start + 1000]

    response = await client.post("/v1/traces", data=chunks(), headers=JSON)
    assert response.status == 200
    assert exporter.intake.accepted[0][0].body == TRACES_JSON


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8;x=y", " application/json "],
)
async def test_the_media_type_may_have_parameters_and_any_case(serve, content_type):
    _, client = await serve()
    response = await client.post("/v1/traces", data=TRACES_JSON, headers={"Content-Type": content_type})
    assert (response.status, response.content_type) == (200, "application/json")


@pytest.mark.parametrize("content_type", ["text/plain", "application/grpc", "application/x-www-form-urlencoded", "x"])
async def test_another_media_type_is_415_with_the_cure(serve, content_type):
    exporter, client = await serve()
    response = await client.post("/v1/traces", data=TRACES, headers={"Content-Type": content_type})
    assert response.status == 415
    assert await status_of(response) == (3, "send Content-Type: application/x-protobuf or application/json")
    assert exporter.rejected == [("traces", "media_type", 1)]
    assert exporter.intake.accepted == []


async def test_interactions_are_json_only(serve):
    _, client = await serve()
    response = await client.post("/v1/interactions", data=b"x", headers=PROTOBUF)
    assert response.status == 415
    assert response.content_type == "application/x-protobuf"


async def test_another_method_is_405_with_the_one_allowed(serve):
    _, client = await serve()
    response = await client.get("/v1/traces")
    assert (response.status, response.headers["Allow"]) == (405, "POST")
    assert (await status_of(response))[0] == 12


@pytest.mark.parametrize(
    ("headers", "content_type"), [(PROTOBUF, "application/x-protobuf"), (JSON, "application/json")]
)
async def test_an_unknown_path_is_404_in_the_clients_own_form(serve, headers, content_type):
    _, client = await serve()
    response = await client.post("/v1/metrics", data=b"", headers=headers)
    assert (response.status, response.content_type) == (404, content_type)
    code, message = await status_of(response)
    assert code == 5
    assert "/v1/traces" in message


async def test_other_pages_keep_their_own_errors(serve):
    _, client = await serve()
    response = await client.get("/nothing")
    assert (response.status, response.content_type) == (404, "text/plain")


@pytest.mark.parametrize("headers", [PROTOBUF, JSON])
async def test_an_undecodable_body_is_400_and_counted(serve, headers):
    exporter, client = await serve()
    response = await client.post("/v1/traces", data=b"\xff\xff\xff", headers=headers)
    assert (response.status, response.content_type) == (400, headers["Content-Type"])
    assert (await status_of(response))[0] == 3
    assert exporter.rejected == [("traces", "undecodable", 1)]
    assert exporter.answered == [("traces", 400)]


async def test_a_broken_gzip_body_is_400(serve):
    _, client = await serve()
    response = await client.post("/v1/traces", data=TRACES, headers=PROTOBUF | {"Content-Encoding": "gzip"})
    assert response.status == 400
    assert "gzip" in (await status_of(response))[1]


async def test_an_unknown_encoding_is_400(serve):
    exporter, client = await serve()
    response = await client.post("/v1/traces", data=TRACES, headers=PROTOBUF | {"Content-Encoding": "br"})
    assert response.status == 400
    assert exporter.rejected == [("traces", "encoding", 1)]


async def test_an_empty_body_is_a_success_that_reaches_nobody(serve):
    exporter, client = await serve()
    response = await client.post("/v1/traces", data=b"", headers=PROTOBUF)
    assert (response.status, await response.read(), exporter.intake.accepted) == (200, b"", [])


async def test_a_body_over_the_limit_is_413(serve):
    exporter, client = await serve(body_bytes=len(TRACES) - 1)
    response = await client.post("/v1/traces", data=TRACES, headers=PROTOBUF)
    assert response.status == 413
    assert (await status_of(response))[0] == 8
    assert exporter.rejected == [("traces", "too_large", 1)]


async def test_a_chunked_body_over_the_limit_is_413(serve):
    _, client = await serve(body_bytes=10_000)

    async def chunks():
        for _ in range(20):
            yield b"x" * 1000

    assert (await client.post("/v1/traces", data=chunks(), headers=PROTOBUF)).status == 413


async def test_a_gzip_bomb_is_413(serve):
    exporter, client = await serve(limits=DecodeLimits(decompressed_bytes=1 << 20))
    bomb = gzip.compress(bytes(32 << 20))
    response = await client.post("/v1/traces", data=bomb, headers=PROTOBUF | {"Content-Encoding": "gzip"})
    assert response.status == 413
    assert exporter.rejected == [("traces", "too_large", 1)]


async def test_a_partly_bad_request_is_a_partial_success(serve):
    exporter, client = await serve()
    spans = [{"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331"}, {"traceId": "00"}]
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()
    response = await client.post("/v1/traces", data=body, headers=JSON)
    assert await response.json() == {"partialSuccess": {"rejectedSpans": "1", "errorMessage": "1 refused: trace_id"}}
    ((_, batch),) = exporter.intake.accepted
    assert batch.rejected == {"trace_id": 1}
    assert exporter.rejected == []


async def test_a_request_of_which_nothing_is_left_is_counted_here_and_not_journalled(serve):
    exporter, client = await serve()
    one_span_with_a_short_trace_id = b"\x0a\x09\x12\x07\x12\x05\x0a\x03abc"
    response = await client.post("/v1/traces", data=one_span_with_a_short_trace_id, headers=PROTOBUF)
    partial = ExportTraceServiceResponse.FromString(await response.read()).partial_success
    assert (response.status, partial.rejected_spans) == (200, 1)
    assert (exporter.rejected, exporter.intake.accepted) == ([("traces", "trace_id", 1)], [])


async def test_back_pressure_is_503_with_retry_after(serve):
    exporter, client = await serve()
    exporter.intake.busy = Busy(2.3, "scoring is behind")
    response = await client.post("/v1/traces", data=TRACES, headers=PROTOBUF)
    assert (response.status, response.headers["Retry-After"]) == (503, "3")
    assert await status_of(response) == (14, "scoring is behind")
    assert exporter.rejected == [("traces", "busy", 1)]


async def test_who_waits_for_room_has_not_been_decoded(serve):
    exporter, client = await serve()
    exporter.intake.busy = Busy(1, "scoring is behind")
    assert (await client.post("/v1/traces", data=b"\xff", headers=PROTOBUF)).status == 503
    exporter.intake.busy = None
    assert (await client.post("/v1/traces", data=b"\xff", headers=PROTOBUF)).status == 400


async def test_a_failing_store_is_503_with_retry_after(serve):
    exporter, client = await serve()
    exporter.intake.failure = StoreError("disk_full", "no space left")
    response = await client.post("/v1/traces", data=TRACES, headers=PROTOBUF)
    assert response.status == 503
    assert int(response.headers["Retry-After"]) >= 1
    assert (await status_of(response))[1].startswith("the store could not make the data durable (disk_full): try again")
    assert exporter.rejected == [("traces", "store", 1)]


async def test_an_intake_that_breaks_is_503_and_logged_without_the_body(serve, caplog):
    exporter, client = await serve()
    exporter.intake.failure = KeyError("the secret of the body")
    response = await client.post("/v1/traces", data=TRACES, headers=PROTOBUF)
    assert (response.status, response.headers["Retry-After"]) == (503, "5")
    assert exporter.rejected == [("traces", "internal", 1)]
    assert "KeyError" in caplog.text
    assert "secret" not in caplog.text


async def test_bodies_held_by_all_requests_together_are_bounded(serve):
    exporter, client = await serve(pending_bytes=len(TRACES) + 10)
    exporter.intake.release = asyncio.Event()
    first = asyncio.create_task(client.post("/v1/traces", data=TRACES, headers=PROTOBUF))
    await exporter.intake.entered.wait()
    second = await client.post("/v1/traces", data=TRACES, headers=PROTOBUF)
    assert (second.status, second.headers["Retry-After"]) == (503, "1")
    exporter.intake.release.set()
    assert (await first).status == 200
    assert exporter.reception.held_bytes == 0
    assert (await client.post("/v1/traces", data=TRACES, headers=PROTOBUF)).status == 200


async def raw(client, *, head, body=b""):
    """Send bytes as they are and return the status line and the rest of the answer."""
    reader, writer = await asyncio.open_connection(client.server.host, client.server.port)
    writer.write(head.encode() + b"\r\n\r\n" + body)
    await writer.drain()
    answer = await reader.readuntil(b"\r\n")
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_content_length_over_the_limit_is_413_before_the_body_comes(serve):
    _, client = await serve(body_bytes=1000)
    head = "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 99999999"
    assert b" 413 " in await raw(client, head=head)


async def test_a_body_that_does_not_come_is_408(serve):
    exporter, client = await serve(body_seconds=0.01)
    head = "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1000"
    assert b" 408 " in await raw(client, head=head, body=b"abc")
    assert exporter.rejected == [("traces", "timeout", 1)]
    assert exporter.reception.held_bytes == 0


async def test_malformed_chunks_are_400(serve):
    exporter, client = await serve()
    head = "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nTransfer-Encoding: chunked"
    assert b" 400 " in await raw(client, head=head, body=b"zzz\r\nabc\r\n")
    assert exporter.intake.accepted == []


class Trap:
    """A limit that breaks whoever compares with it."""

    def __lt__(self, other):
        raise KeyError("the secret of the body")


async def test_an_exception_that_nobody_foresaw_is_400_and_logged_without_the_body(serve, caplog):
    exporter, client = await serve(limits=DecodeLimits(attributes_per_span=Trap()))
    with caplog.at_level(logging.DEBUG):
        response = await client.post("/v1/traces", data=TRACES, headers=PROTOBUF)
    assert response.status == 400
    assert exporter.rejected == [("traces", "unprocessable", 1)]
    assert "KeyError" in caplog.text
    assert "secret" not in caplog.text


def token(name, *roles):
    return Token(name=name, roles=frozenset(roles), secret=Secret(f"{name}-secret"))


TOKENS = [token("app", "ingest"), token("grafana", "read"), token("boss", "admin")]


def bearer(name):
    return {"Authorization": f"Bearer {name}-secret"}


def basic(name):
    return {"Authorization": "Basic " + base64.b64encode(f"pk-lf-1:{name}-secret".encode()).decode()}


@pytest.mark.parametrize(
    "authorization", [bearer("app"), bearer("boss"), basic("app"), {"Authorization": "bearer app-secret"}]
)
async def test_a_token_with_the_role_may_send(serve, authorization):
    _, client = await serve(access=Access(TOKENS))
    response = await client.post("/v1/traces", data=TRACES, headers=PROTOBUF | authorization)
    assert response.status == 200


@pytest.mark.parametrize(
    "authorization",
    [
        {},
        bearer("other"),
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer app-secret2"},
        {"Authorization": "app-secret"},
        {"Authorization": "Basic app-secret"},
        {"Authorization": "Basic %%%"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe").decode()},
        {"Authorization": "Digest app-secret"},
    ],
)
async def test_without_a_known_token_the_answer_is_401_before_the_body_is_read(serve, authorization):
    exporter, client = await serve(access=Access(TOKENS))
    response = await client.post("/v1/traces", data=b"\xff", headers=PROTOBUF | authorization)
    assert response.status == 401
    assert [value.split()[0] for value in response.headers.getall("WWW-Authenticate")] == ["Bearer", "Basic"]
    assert (await status_of(response))[0] == 16
    assert exporter.rejected == [("traces", "unauthenticated", 1)]


async def test_a_token_without_the_role_is_403(serve):
    exporter, client = await serve(access=Access(TOKENS))
    response = await client.post("/v1/logs", data=LOGS, headers=PROTOBUF | bearer("grafana"))
    assert response.status == 403
    assert exporter.rejected == [("logs", "forbidden", 1)]


async def test_a_swapped_reception_counts_from_the_next_request_on(serve):
    exporter, client = await serve()
    assert (await client.post("/v1/traces", data=TRACES, headers=PROTOBUF)).status == 200
    exporter.reception.access = Access(TOKENS)
    assert (await client.post("/v1/traces", data=TRACES, headers=PROTOBUF)).status == 401


def test_with_no_tokens_everybody_may_do_everything():
    assert Access().answer(None, "admin") == "allowed"


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer  ", "Basic Og=="])
def test_no_secret_is_not_an_empty_secret(authorization):
    access = Access([Token(name="careless", roles=frozenset({"ingest"}), secret=Secret(""))])
    assert access.answer(authorization, "ingest") == "unknown"


def test_the_answer_says_known_or_unknown():
    access = Access(TOKENS)
    answers = [access.answer(f"Bearer {name}-secret", "read") for name in ("grafana", "app", "boss", "nobody")]
    assert answers == ["allowed", "forbidden", "allowed", "unknown"]
