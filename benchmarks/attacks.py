"""Attacks on a running exporter, each for some seconds: what broken, greedy and hostile clients do, all bounded.

Run: python benchmarks/attacks.py PORT NAME SECONDS. Prints how often each answer came, as JSON. ``soak.py`` runs them
in turn beside honest load, each in a process of its own; ATTACKS is the list.
"""

import gzip
import http.client
import itertools
import json
import os
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

HOST = "127.0.0.1"
FROM = "127.0.0.2", 0
"""Another address of this machine than honest clients have, so that limits by address are the attacker's own."""
TIMEOUT_SECONDS = 10.0
BEGUN = b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\n"
JSON = {"Content-Type": "application/json"}
MB = 1 << 20


class Target:
    """The exporter on a port of this machine; counts what it answers until the time is over."""

    def __init__(self, port: int, seconds: float) -> None:
        self.port = port
        self.answers: Counter[str] = Counter()
        self._until = time.monotonic() + seconds

    def rounds(self, pause: float = 0.05) -> Iterator[int]:
        """Count up until the time is over, with a pause between, so that an attack is load and no mere flood."""
        for number in itertools.count():
            if time.monotonic() >= self._until:
                return
            yield number
            time.sleep(pause)

    def send(self, path: str, body: bytes, headers: dict[str, str] | None = None, method: str = "POST") -> None:
        """Send one request, and count its answer or how it failed."""
        connection = http.client.HTTPConnection(HOST, self.port, TIMEOUT_SECONDS, source_address=FROM)
        try:
            connection.request(method, path, body, JSON | (headers or {}))
            response = connection.getresponse()
            response.read()
            self.answers[str(response.status)] += 1
        except (OSError, http.client.HTTPException) as error:
            self.answers[type(error).__name__] += 1
        finally:
            connection.close()

    def post(self, path: str, content: object, *, packed: bool = False) -> None:
        body = json.dumps(content).encode()
        if packed:
            self.send(path, gzip.compress(body, 6), {"Content-Encoding": "gzip"})
        else:
            self.send(path, body)

    def connect(self) -> socket.socket | None:
        """A bare connection; None where there is none to be had."""
        try:
            return socket.create_connection((HOST, self.port), TIMEOUT_SECONDS, FROM)
        except OSError as error:
            self.answers[type(error).__name__] += 1
            return None


# Traces as OTLP writes them


def attribute(key: str, value: object) -> dict:
    return {"key": key, "value": {"stringValue": value if isinstance(value, str) else json.dumps(value)}}


def message(role: str, text: str) -> list[dict]:
    return [{"role": role, "parts": [{"type": "text", "content": text}]}]


def call(answer: str = "It is 42.", trace_id: str = "", parent: str = "", **more: object) -> dict:
    """A span of one LLM call; ``more`` are attributes, with _ for each dot."""
    now = time.time_ns()
    given = {
        "gen_ai.operation.name": "chat",
        "gen_ai.response.model": "m-1",
        "gen_ai.input.messages": message("user", "What is it?"),
        "gen_ai.output.messages": message("assistant", answer),
    } | more
    return {
        "traceId": trace_id or os.urandom(16).hex(),
        "spanId": os.urandom(8).hex(),
        "parentSpanId": parent,
        "name": "chat",
        "startTimeUnixNano": str(now - 1_000_000_000),
        "endTimeUnixNano": str(now),
        "attributes": [attribute(key, value) for key, value in given.items()],
    }


def resource(app: str, spans: list[dict]) -> dict:
    return {"resource": {"attributes": [attribute("service.name", app)]}, "scopeSpans": [{"spans": spans}]}


def traces(*spans: dict, app: str = "attacker") -> dict:
    return {"resourceSpans": [resource(app, list(spans))]}


# What one answer can cost


def schema_bombs(target: Target) -> None:
    """Answer schemas that branch without end, and answers whose error lies deep in a recursive one."""
    for number in target.rounds():
        kind = ("allOf", "anyOf", "oneOf")[number % 3]
        levels = {f"d{n}": {kind: [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
        endless = {"$defs": levels | {"d40": {"type": "string"}}, "$ref": "#/$defs/d0"}
        for schema, answer in ((endless, "{}"), (_tree_schema(), json.dumps(_tree(9)))):
            span = call(answer, **{"gen_ai.request.structured_output_schema": schema})
            target.post("/v1/traces", traces(span))


def _tree_schema() -> dict:
    kinds = ("row", "column", "card", "list")
    node = {"anyOf": [{"$ref": f"#/$defs/{kind}"} for kind in (*kinds, "text")]}
    text = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
    children = {"type": "array", "items": {"$ref": "#/$defs/node"}}
    parents = {
        kind: {
            "type": "object",
            "required": ["type", "children"],
            "properties": {"type": {"const": kind}, "children": children},
            "additionalProperties": False,
        }
        for kind in kinds
    }
    return {"$defs": {"node": node, "text": text | {"additionalProperties": False}, **parents}, "$ref": "#/$defs/node"}


def _tree(depth: int) -> dict:
    if not depth:
        return {"text": 5}
    kind = ("row", "column", "card", "list")[depth % 4]
    return {"type": kind, "children": [_tree(depth - 1), {"text": "ok"}]}


def redaction_bombs(target: Target) -> None:
    """A few kB of gzip that hold tens of thousands of things to be redacted."""
    pieces = (
        "4111 1111 1111 1111 ",
        "DE89370400440532013000 ",
        "sk-a1b2c3d4e5f6g7h8i9 ",
        "+49 170 1234567, ",
        "a@b.example ",
    )
    for number in target.rounds(0.5):
        documents = [pieces[number % len(pieces)] * 2_000] * 40
        content = {"app": "attacker", "question": "q", "answer": "The Sun has 88 doors.", "context": documents}
        target.post("/v1/interactions", content, packed=True)


# What one request can weigh


def big_bodies(target: Target) -> None:
    """Bodies at the limit and beyond, bombs of gzip, nesting without end."""
    bodies = (
        (json.dumps({"app": "attacker", "answer": "x" * (15 * MB)}).encode(), {}),
        (b"[" * (2 * MB), {}),
        (b"x" * (17 * MB), {}),
        (gzip.compress(b" " * (100 * MB), 1), {"Content-Encoding": "gzip"}),
        (gzip.compress(gzip.compress(b" " * (60 * MB), 1), 1), {"Content-Encoding": "gzip"}),
    )
    for number in target.rounds(0.5):
        body, headers = bodies[number % len(bodies)]
        target.send(("/v1/traces", "/v1/interactions")[number % 2], body, headers)


def log_batches(target: Target) -> None:
    """Batches of logs as a collector sends them: megabytes, of which one record belongs to a trace."""
    trace_id = os.urandom(16).hex()
    of_nobody = [{"timeUnixNano": "1", "body": {"stringValue": os.urandom(2_000).hex()}} for _ in range(1_500)]
    for number in target.rounds(0.5):
        kept = {
            "traceId": trace_id,
            "spanId": os.urandom(8).hex(),
            "timeUnixNano": str(time.time_ns()),
            "eventName": "x",
            "attributes": [attribute("number", number)],
        }
        target.post("/v1/logs", {"resourceLogs": [{"scopeLogs": [{"logRecords": [*of_nobody, kept]}]}]})


def one_trace(target: Target) -> None:
    """One trace id for ever, as a broken generator or a session without end has it."""
    with_calls, without = os.urandom(16).hex(), os.urandom(16).hex()
    for _ in target.rounds(0.2):
        target.post("/v1/traces", traces(*(call(trace_id=with_calls, parent="1" * 16) for _ in range(50))))
        plain = [call(trace_id=without, parent="1" * 16) | {"attributes": []} for _ in range(200)]
        target.post("/v1/traces", traces(*plain))


# What names can multiply to


def label_explosion(target: Target) -> None:
    """Every combination of app, route, model and prompt version."""
    for number in target.rounds(0.1):
        combinations = [
            resource(
                f"app-{n % 25}",
                [
                    call(
                        **{
                            "http.route": f"/{'abcdefghij'[n % 7]}{'klmnopqrst'[n // 7 % 10]}",
                            "gen_ai.response.model": f"m-{n % 19}",
                            "gen_ai.prompt.version": f"v{n % 1009}",
                        }
                    )
                ],
            )
            for n in range(number * 200, number * 200 + 200)
        ]
        target.post("/v1/traces", {"resourceSpans": combinations})


def name_explosion(target: Target) -> None:
    """Evaluations of ever new evaluators, results of ever new suites, signals for traces that never come."""
    for number in target.rounds(0.2):
        evaluation = {"gen_ai.evaluation.score.label": "pass"}
        events = [
            {
                "name": "gen_ai.evaluation.result",
                "timeUnixNano": str(time.time_ns()),
                "attributes": [attribute(key, value) for key, value in (evaluation | names).items()],
            }
            for names in (
                {"gen_ai.evaluation.name": f"e{number}-{n}", "llmq.evaluator.version": f"v{number}"} for n in range(100)
            )
        ]
        target.post("/v1/traces", traces(call() | {"events": events}))
        version = {"app": "attacker", "evaluator": "e", "evaluator_version": "1", "cases": 10, "passed": 9}
        target.post("/v1/offline-results", [version | {"suite": f"s{number}-{n}", "run_id": "1"} for n in range(100)])
        signals = [
            {"trace_id": os.urandom(16).hex(), "signal": "thumbs_down", "comment": "x" * 500} for _ in range(100)
        ]
        target.post("/v1/feedback", signals)


# What a connection can do


def silent_connections(target: Target) -> None:
    """Connections by the hundreds that say nothing, half a header, or half a body."""
    beginnings = (
        b"",
        BEGUN,
        BEGUN + b"Content-Type: application/json\r\nContent-Length: 9999\r\n\r\n{",
    )
    with ExitStack() as open_ones:
        for number in target.rounds(0.005):
            if number >= 2_000:
                continue
            connection = target.connect()
            if connection is not None:
                open_ones.enter_context(connection)
                with suppress(OSError):
                    connection.sendall(beginnings[number % len(beginnings)])
                target.answers["opened"] += 1


def slow_bodies(target: Target) -> None:
    """Bodies that arrive a byte at a time."""
    head = BEGUN + b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
    with ExitStack() as open_ones:
        slow = [open_ones.enter_context(one) for one in (target.connect() for _ in range(100)) if one is not None]
        for one in slow:
            with suppress(OSError):
                one.sendall(head)
        for _ in target.rounds(0.5):
            for one in slow:
                try:
                    one.sendall(b" ")
                    target.answers["byte"] += 1
                except OSError:
                    target.answers["cut off"] += 1


def broken_http(target: Target) -> None:
    """What is no HTTP, or not quite."""
    texts = (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(200),
        b"GET /metrics HTTP/9.9\r\n\r\n",
        b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nAuthorization: Bearer secret-of-the-soak\r\nBad Header\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(5_000)) + b"\r\n",
    )
    for number in target.rounds(0.01):
        connection = target.connect()
        if connection is None:
            continue
        with connection, suppress(OSError):
            connection.sendall(texts[number % len(texts)])
            connection.settimeout(1)
            answer = connection.recv(4096)
            target.answers[answer[9:12].decode("latin-1") or "closed"] += 1


def foreign_hosts(target: Target) -> None:
    """Requests for another host, and from the page of another origin."""
    for _ in target.rounds(0.02):
        target.send("/v1/traces", json.dumps(traces(call())).encode(), {"Host": "evil.example"})
        target.send("/-/reload", b"", {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"})


def scrapes(target: Target) -> None:
    """Scrapes in parallel, of clients of which half never read the answer."""
    request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: %s\r\n\r\n"
    with ExitStack() as open_ones:
        for number in target.rounds(0.1):
            connection = target.connect()
            if connection is None:
                continue
            with suppress(OSError):
                connection.sendall(request % (b"identity" if number % 2 else b"gzip"))
                if number % 2:
                    open_ones.enter_context(connection)
                    target.answers["not read"] += 1
                    continue
                connection.settimeout(TIMEOUT_SECONDS)
                target.answers[connection.recv(4096)[9:12].decode("latin-1") or "closed"] += 1
            connection.close()


ATTACKS: tuple[Callable[[Target], None], ...] = (
    schema_bombs,
    redaction_bombs,
    silent_connections,
    broken_http,
    label_explosion,
    one_trace,
    log_batches,
    big_bodies,
    scrapes,
    slow_bodies,
    foreign_hosts,
    name_explosion,
)


def main() -> None:
    port, name, seconds = sys.argv[1:]
    target = Target(int(port), float(seconds))
    next(attack for attack in ATTACKS if attack.__name__ == name)(target)
    print(json.dumps(target.answers))


if __name__ == "__main__":
    main()
