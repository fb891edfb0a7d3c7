"""Output of commands: results on standard output, all else on standard error, progress only on a terminal."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal, TypeVar

OK, PROBLEM, USAGE = 0, 1, 2
"""Exit codes: all is well; a problem was found and printed; the command line was wrong."""
_PROGRESS_EVERY = 100
_T = TypeVar("_T")


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def complain(message: str, code: int) -> int:
    """Print a line on standard error; returns the exit code, for the caller to return."""
    print(message, file=sys.stderr)
    return code


@contextmanager
def opened(name: str, mode: Literal["rb", "wb"], standard: IO[bytes]) -> Iterator[IO[bytes]]:
    """A file, or for - the standard stream."""
    if name == "-":
        yield standard
        return
    with Path(name).open(mode) as file:
        yield file


def with_progress(things: Iterable[_T], noun: str) -> Iterator[_T]:
    """The things themselves, counted on standard error while they pass, if somebody watches."""
    watched = sys.stderr.isatty()
    for number, thing in enumerate(things, 1):
        if watched and number % _PROGRESS_EVERY == 0:
            print(f"\r{number:,} {noun}", end="", file=sys.stderr, flush=True)
        yield thing
    clear()


def counter(noun: str) -> Callable[[int], None]:
    """Shows how much is done on standard error, if somebody watches."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda done: print(f"\r\x1b[K{done:,} {noun}", end="", file=sys.stderr, flush=True)


def clear() -> None:
    """Take the counter away."""
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
