"""The process in which evaluators of plugins run; ``foreign`` is its parent's side."""

import os
import pickle
import resource
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from ..model.score import Evaluation, Unscored
from . import installed
from .bound import Said
from .foreign import HEADER
from .panel import bounds

_LONGEST: Final = 100_000


def work(jobs: BinaryIO, results: BinaryIO) -> None:
    """Load the evaluators that the first message names; then run the requested ones on each trace."""
    specs, memory = _read(jobs)
    _be_the_first_to_go(memory)
    found = bounds(specs, installed())
    _write(results, b"R", b"")
    while (job := _read(jobs)) is not None:
        trace, wanted = job
        for name, rule in wanted:
            bound = found[name][rule]
            signal.setitimer(signal.ITIMER_PROF, bound.timeout)  # whose signal ends a process that nobody waits for
            _say(results, bound.said(trace))
            signal.setitimer(signal.ITIMER_PROF, 0)


def _say(results: BinaryIO, said: Said) -> None:
    if isinstance(said, Evaluation):
        _write(results, b"E", msgspec.msgpack.encode(_short(said)))
    else:
        _write(results, b"U" if isinstance(said, Unscored) else b"F", msgspec.msgpack.encode(said))


def _short(said: Evaluation) -> Evaluation:
    quotes = tuple([str(quote)[:_LONGEST] for quote in said.quotes[:3]])
    return msgspec.structs.replace(said, explanation=said.explanation[:_LONGEST], quotes=quotes)


def _read(jobs: BinaryIO) -> Any:
    header = jobs.read(HEADER)
    if len(header) < HEADER:
        return None
    return pickle.loads(jobs.read(int.from_bytes(header[:-1])))  # noqa: S301 - from the process that started this one


def _write(results: BinaryIO, kind: bytes, content: bytes) -> None:
    results.write(len(content).to_bytes(HEADER - 1) + kind + content)
    results.flush()


def _be_the_first_to_go(memory: int) -> None:
    """Have the system end this process, and not the exporter, where memory runs out."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")


def main() -> None:
    """Run as a child process until standard input is closed."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.SIG_IGN)
    jobs, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # what a plugin reads is no job, and what it prints no result
    os.dup2(2, 1)
    work(jobs, results)
