"""What the process prints: one line an event, none that quotes what a client sent, and few of each kind.

Lines of ours hold counts, names and places in the code. Libraries quote what they choke on (aiohttp: header lines,
asyncio: arguments), so of their lines only who speaks, the kind of error and its place in the code are printed.
"""

import asyncio
import logging
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final, TextIO

from msgspec import Struct

OURS: Final = __name__.partition(".")[0]
BURST: Final = 10
"""Lines of one kind that are printed one after the other; then one more every ``EVERY`` seconds."""
EVERY: Final = 10.0
_FORMAT: Final = "%(asctime)s %(levelname)s %(message)s"

Kind = tuple[str, int]
"""The place in the code that a line comes from: file and number."""


class _Bucket(Struct):
    tokens: float
    at: float
    left_out: int = 0
    level: int = logging.INFO


class RateLimit:
    """Token buckets by kind of line. ``clock`` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[Kind, _Bucket] = {}

    def admits(self, kind: Kind, level: int) -> bool:
        """Whether a line of this kind may be printed; one that may not is counted."""
        now = self._clock()
        bucket = self._buckets.setdefault(kind, _Bucket(BURST, now))
        bucket.tokens = min(BURST, bucket.tokens + (now - bucket.at) / EVERY)
        bucket.at, bucket.level = now, level
        if bucket.tokens < 1:
            bucket.left_out += 1
            return False
        bucket.tokens -= 1
        return True

    def left_out(self) -> list[tuple[Kind, int, int]]:
        """(kind, level, how many lines were left out since this was last asked)."""
        found = [(kind, bucket.level, bucket.left_out) for kind, bucket in self._buckets.items() if bucket.left_out]
        for bucket in self._buckets.values():
            bucket.left_out = 0
        return found


class Log(logging.StreamHandler[TextIO]):
    """Prints records as this module's docstring says; ``summarise`` is to be called now and then."""

    def __init__(self, stream: TextIO, limit: RateLimit | None = None) -> None:
        super().__init__(stream)
        self._limit = limit or RateLimit()
        self.setFormatter(logging.Formatter(_FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record, if there were few enough of its kind."""
        if self._limit.admits((record.pathname, record.lineno), record.levelno):
            super().emit(unquoted(record))

    def summarise(self) -> None:
        """Print how many lines of which kind were left out since the last time."""
        for (path, line), level, count in self._limit.left_out():
            text = "left out: lines=%d like those from=%s:%d"
            record = logging.LogRecord(OURS, level, __file__, 0, text, (count, Path(path).name, line), None)
            super().emit(record)

    async def run(self) -> None:
        """Summarise until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            self.summarise()


def unquoted(record: logging.LogRecord) -> logging.LogRecord:
    """The record as it may be printed: no traceback, and nothing of a library's own words."""
    error = record.exc_info[1] if record.exc_info else None
    is_ours = record.name == OURS or record.name.startswith(f"{OURS}.")
    if is_ours and error is None:
        return record
    said = record.getMessage() if is_ours else f"{record.name}: from={record.filename}:{record.lineno}"
    text = f"{said} error={described(error)}" if error is not None else said
    return logging.LogRecord(record.name, record.levelno, record.pathname, record.lineno, text, None, None)


def described(error: BaseException) -> str:
    """The kind of an error, of a group its first, and where it was raised; never its message, which may quote text."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frames = traceback.extract_tb(error.__traceback__, limit=-1)
    place = f" at={Path(frames[0].filename).name}:{frames[0].lineno}({frames[0].name})" if frames else ""
    return f"{type(error).__name__}{place}"


def configure(stream: TextIO | None = None) -> Log:
    """Print everything from INFO on to a stream (standard error), and warnings of Python as well."""
    log = Log(stream or sys.stderr)
    logging.basicConfig(level=logging.INFO, handlers=[log], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # or every call of the judge is a line
    logging.captureWarnings(True)
    return log
