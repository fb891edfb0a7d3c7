"""The load: sends standard batches to a port of this machine, as told on standard input, and answers with what it saw.

Each line in is one task in JSON: port, first (number of the first body), count, where need be distinct (so many bodies
are sent over and over), and rate for an open loop: bodies a second, whether or not answers keep up, latency counting
from the moment at which a body should have gone. Without it each connection sends its next body when the answer is
there. A task is answered by an empty line when its bodies are made; the next line in starts it; its Report ends it.
A body refused with 503 is sent again, as an OTLP client does.
"""

import argparse
import asyncio
import dataclasses
import functools
import json
import sys
import threading
import time
from collections import Counter, deque
from itertools import islice
from queue import Queue

from payload import Requests

CONNECTIONS = 8
READY = 512
HEAD = (
    b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
    b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
)
BUSY = 503
BUSY_SECONDS = 0.2


@dataclasses.dataclass
class Report:
    """What one task came to. ``statuses`` counts answers by HTTP status; times are seconds, latencies of each body."""

    seconds: float = 0.0
    bodies: int = 0
    statuses: Counter = dataclasses.field(default_factory=Counter)
    latencies: list = dataclasses.field(default_factory=list)


class Bodies:
    """Bodies by number: the first ones are kept, all later ones made in a thread shortly before they are sent."""

    def __init__(self, shape: str) -> None:
        self._make = Requests(shape).body
        self._kept = functools.lru_cache(maxsize=READY)(self._make)

    def ready(self, first: int, count: int, distinct: int):
        """An iterator over ``count`` bodies, ``distinct`` ones over and over; the first are made when this returns."""
        numbers = (first + number % distinct for number in range(count))
        make = self._kept if distinct <= READY else self._make
        made: Queue = Queue()
        for number in islice(numbers, READY):
            made.put(make(number))
        room = threading.Semaphore(0)

        def make_the_rest() -> None:
            for number in numbers:
                room.acquire()
                made.put(make(number))

        def take():
            for _ in range(count):
                room.release()
                yield made.get()

        threading.Thread(target=make_the_rest, daemon=True).start()
        return take()


async def post(port: int, body: bytes, idle: deque) -> int:
    """Send one body over a connection that is idle and return the answer's status."""
    reader, writer = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD % len(body))
    writer.write(body)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
    await reader.readexactly(length)
    idle.append((reader, writer))
    return int(head.split(maxsplit=2)[1])


async def sent(port: int, body: bytes, idle: deque, report: Report, due: float) -> None:
    """Send one body until it is taken."""
    status = BUSY
    while status == BUSY:
        status = await post(port, body, idle)
        report.statuses[status] += 1
        if status == BUSY:
            await asyncio.sleep(BUSY_SECONDS)
    report.bodies += 1
    report.latencies.append(time.perf_counter() - due)


async def closed_loop(port: int, bodies, idle: deque, report: Report) -> None:
    async def connection() -> None:
        for body in bodies:
            await sent(port, body, idle, report, time.perf_counter())

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))


async def open_loop(port: int, bodies, idle: deque, report: Report, rate: float) -> None:
    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number, body in enumerate(bodies):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.create_task(sent(port, body, idle, report, due))


async def run(port: int, bodies, rate: float | None) -> Report:
    report, idle = Report(), deque()
    began = time.perf_counter()
    if rate is None:
        await closed_loop(port, bodies, idle, report)
    else:
        await open_loop(port, bodies, idle, report, rate)
    report.seconds = time.perf_counter() - began
    for _, writer in idle:
        writer.close()
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", default="G64")
    options = parser.parse_args()
    bodies = Bodies(options.shape)
    for line in sys.stdin:
        task = json.loads(line)
        ready = bodies.ready(task["first"], task["count"], task.get("distinct", task["count"]))
        print(flush=True)
        sys.stdin.readline()
        report = asyncio.run(run(task["port"], ready, task.get("rate")))
        print(json.dumps(vars(report)), flush=True)


if __name__ == "__main__":
    main()
