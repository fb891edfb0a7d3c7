"""Captured OTLP bodies in files → Traces, joined and normalised as by the server. Knows neither HTTP nor store."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from msgspec.structs import asdict

from ..config.settings import Config
from ..decode import JSON, PROTOBUF, Signal, decode, decompress
from ..decode.batch import Batch, DecodeError, DecodeLimits, TooLarge
from ..ingest.assembly import Assembler, AssemblyLimits, OpenTrace
from ..ingest.split import requests
from ..model.trace import Trace
from ..runtime.os_errors import why
from ..semconv import normalise

_MEDIA_TYPES: Final = {".json": JSON, ".pb": PROTOBUF}
_SIGNALS: Final[tuple[Signal, ...]] = ("logs", "interactions")


class CaptureError(ValueError):
    """A file that cannot be replayed: which one and why, without any of its content."""


class Replay:
    """Takes capture files in any order; then gives the traces of all of them, each once.

    ``empty`` counts traces without an LLM request, ``rejected`` spans and log records refused, by reason.
    """

    def __init__(self, config: Config, now: Callable[[], float] = time.time) -> None:
        self.empty = 0
        self.rejected: dict[str, int] = {}
        self._config = config
        self._now = now
        self._files = 0
        self._assembler = Assembler(AssemblyLimits(**asdict(config.assembly)), lambda _: {})

    def add(self, path: Path) -> None:
        """Take the spans or log records of one file; CaptureError where there are none to take."""
        batch = read(path, self._config.limits.decode(), self._now())
        for reason, count in batch.rejected.items():
            self.rejected[reason] = self.rejected.get(reason, 0) + count
        self._files += 1
        self._assembler.add(self._files, batch.spans, batch.logs, self._now())

    def traces(self) -> Iterator[Trace]:
        """Every trace that has come together, in the order in which they began to."""
        for parts in self._assembler.drain():
            for _, trace in requests(parts, self._read):
                if trace is None:
                    self.empty += 1
                else:
                    yield trace

    def _read(self, parts: OpenTrace) -> Trace | None:
        spans, logs = tuple(parts.spans.values()), tuple(parts.logs.values())
        return normalise(parts.request_id, spans, logs, self._config.attributes, self._config.helpers)


def read(path: Path, limits: DecodeLimits, now: float) -> Batch:
    """What one capture file holds; by its name: ``.pb`` or ``.json``, with ``.logs`` before, ``.gz`` after it."""
    encoding = "gzip" if path.suffix == ".gz" else ""
    suffixes = Path(path.stem).suffixes if encoding else path.suffixes
    media_type = _MEDIA_TYPES.get(suffixes[-1] if suffixes else "")
    if media_type is None:
        raise CaptureError(f"{path}: is not a capture: its name must end in .pb or .json (and .gz if compressed)")
    signal: Signal = next((one for one in _SIGNALS if f".{one}" in suffixes), "traces")
    try:
        body = decompress(encoding, path.read_bytes(), limits.decompressed_bytes)
        return decode(signal, media_type, body, limits, now)
    except OSError as error:
        raise CaptureError(f"{path}: cannot be read: {why(error)}") from None
    except (DecodeError, TooLarge) as error:
        raise CaptureError(f"{path}: {error}") from None
