"""Decodes request bodies in a process of its own, whose other end is ``exporter.ingest.decoding``.

Reads jobs from standard input and writes what they came to, in small pieces, to standard output. A process can be
bounded in processor time and memory, which a thread cannot: where a job takes too much, it ends.
"""

import gc
import pickle
import resource
import signal
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

from msgspec import Struct
from msgspec.structs import replace

from ..model.trace import Event, LogRecord, Span
from ..runtime.log import described
from . import Batch, DecodeError, DecodeLimits, Signal, TooLarge, UnsupportedEncoding, decode, decompress
from .to_json import instead

HEADER: Final = 8
"""Bytes in front of every job and piece: its length."""
_MEMORY: Final = 3 << 30
_PIECE_VALUES, _PIECE_BYTES = 2_000, 512 << 10
_MOST_VALUES: Final = 200_000
"""Of one span or log record: they are read in one piece."""
_EXPECTED: Final = (DecodeError, TooLarge, UnsupportedEncoding)


class DecodeJob(Struct, frozen=True):
    """A body as it came, how to read it, and how much processor time (seconds) that may take."""

    signal: Signal
    media_type: str
    encoding: str
    body: bytes
    limits: DecodeLimits
    received_at: float
    seconds: float


class Failed(Struct, frozen=True):
    """Why a job failed: ``kind`` is the name of an error class of ``exporter.decode``, "" for an unexpected one."""

    kind: str
    message: str


class Rest(Struct, frozen=True):
    """The last piece: refused items, repaired items, and the part of the body to store."""

    rejected: dict[str, int]
    anomalies: dict[str, int]
    kept: bytes


Piece = list[Span | LogRecord] | Rest | Failed


def pieces(job: DecodeJob) -> Iterator[Piece]:
    """What a job comes to: spans and log records, few at a time, then the rest; or why it failed."""
    try:
        body = decompress(job.encoding, job.body, job.limits.decompressed_bytes)
        batch = decode(job.signal, job.media_type, body, job.limits, job.received_at)
        yield from _cut(batch)
        yield Rest(batch.rejected, batch.anomalies, instead(batch, len(job.body)))
    except _EXPECTED as error:
        yield Failed(type(error).__name__, str(error))
    except MemoryError:
        yield Failed(TooLarge.__name__, "the body takes too much memory: send less in one request")
    except Exception as error:  # noqa: BLE001 - whatever it was, the other side must hear of it
        yield Failed("", described(error))


def _cut(batch: Batch) -> Iterator[list[Span | LogRecord]]:
    piece: list[Span | LogRecord] = []
    values = size = 0
    parts: list[Span | LogRecord] = [*batch.spans, *batch.logs]
    for part in parts:
        piece.append(_plain(part))
        values += _values(part)
        size += part.size
        if values >= _PIECE_VALUES or size >= _PIECE_BYTES:
            yield piece
            piece, values, size = [], 0, 0
    if piece:
        yield piece


def _plain(part: Span | LogRecord) -> Span | LogRecord:
    """The part without views into protobuf's memory."""
    if isinstance(part, Span) and not isinstance(part.attributes, dict):
        events = [Event(one.name, one.time, dict(one.attributes.items())) for one in part.events]
        return replace(part, attributes=dict(part.attributes.items()), events=events or ())
    return part


def _values(part: Span | LogRecord) -> int:
    """How many values a part has, nested ones included, and a long number as several; raises TooLarge for very many."""
    nested: list[Any] = [part.attributes]
    if isinstance(part, Span):
        nested += [event.attributes for event in part.events]
    else:
        nested.append(part.body)
    values = 0
    while nested:
        value = nested.pop()
        inside: Collection[Any] = value.values() if isinstance(value, Mapping) else value
        if isinstance(value, Mapping | list):
            values += len(value) + sum(one.bit_length() // 64 for one in inside if isinstance(one, int))
            nested += [one for one in inside if isinstance(one, Mapping | list)]
        if values > _MOST_VALUES:
            raise TooLarge(
                f"one span, log record or interaction holds more than {_MOST_VALUES} values: send less of it"
            )
    return values


def work(jobs: BinaryIO, results: BinaryIO) -> None:
    """Do jobs until there are no more."""
    while header := jobs.read(HEADER):
        job: DecodeJob = pickle.loads(jobs.read(int.from_bytes(header)))  # noqa: S301 - from the process that started this one
        signal.setitimer(signal.ITIMER_PROF, job.seconds)  # whose signal ends this process, whatever it does
        results.writelines(len(content).to_bytes(HEADER) + content for content in _packed(job))
        results.flush()
        signal.setitimer(signal.ITIMER_PROF, 0)


def _packed(job: DecodeJob) -> Iterator[bytes]:
    """The pieces as bytes; text that is mended grows, but not without bound."""
    for piece in pieces(job):
        content = pickle.dumps(piece, pickle.HIGHEST_PROTOCOL)
        if len(content) > job.limits.decompressed_bytes + _PIECE_BYTES:
            yield pickle.dumps(Failed(TooLarge.__name__, "a text in the body is too large: send less of it"))
            return
        yield content


def _be_the_first_to_go() -> None:
    """Have the system end this process, and not the exporter, where memory runs out."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")


def main() -> None:
    """Work as the process of another one, which says by closing standard input that it is done."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.SIG_IGN)
    _be_the_first_to_go()
    gc.disable()  # nothing here holds cycles, and to look for them among a million values takes longer than all else
    work(sys.stdin.buffer, sys.stdout.buffer)
