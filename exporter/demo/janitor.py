"""Cleans up after a demo that was killed. Knows process groups and one folder; imports nothing that could fail.

Reads from standard input what the demo started, a process group in a line, until the demo has ended, however it ended.
"""

import os
import shutil
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress


def wait(lines: Iterable[str], folder: str) -> None:
    """End every process group named before the input ended, then remove the folder; without a name, keep it."""
    groups = [int(line) for line in lines]
    for group in groups:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    wait(sys.stdin, sys.argv[1])
