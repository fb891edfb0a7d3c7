"""The command ``llmq store check``: prints the contents of a store, and whether it is sound."""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from ..offline.report import table
from ..store.errors import StoreError
from ..store.sqlite.check import HeldRows, Report, check
from .console import OK, PROBLEM, complain, say

SUMMARY: Final = "say what a store holds, and whether it is whole"
EPILOG: Final = """Reads a store with the journal beside it, a journal alone, or the ledger of a judge; writes nothing,
and may run while llmq does. Exit code 0: whole; 1: damaged, of a newer llmq, or no file of llmq, as it says."""


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add ``llmq store check``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    checking = actions.add_parser(
        "check", help=SUMMARY, description=f"{SUMMARY[0].upper()}{SUMMARY[1:]}.", epilog=EPILOG
    )
    checking.add_argument("--json", action="store_true", help="one JSON document a file")
    checking.add_argument("file", metavar="FILE", type=Path, help="such as llmq.db")


def run(options: argparse.Namespace) -> int:
    """Run the command; returns its exit code."""
    try:
        reports = check(options.file)
    except StoreError as error:
        return complain(f"llmq store check: {error}", PROBLEM)
    for report in reports:
        for line in [msgspec.json.encode(report).decode()] if options.json else _lines(report):
            say(line)
    faults = [f"{report.path}: {fault}" for report in reports for fault in report.faults]
    for fault in faults:
        complain(fault, PROBLEM)
    if not faults and not options.json:
        say("whole")
    return PROBLEM if faults else OK


def _lines(report: Report) -> Iterator[str]:
    older = f", is upgraded to {report.newest_schema} when llmq starts" if report.schema < report.newest_schema else ""
    yield f"{report.path}: {report.called}, schema {report.schema}{older}, {report.bytes:,} bytes"
    rows = [("kind", "rows", "versions", "bytes", "oldest", "newest"), *map(_row, report.held)]
    yield from table(rows, right=(1, 3))
    yield ""


def _row(held: HeldRows) -> tuple[str, ...]:
    versions = ",".join(map(str, held.versions)) or "-"
    return held.kind, f"{held.rows:,}", versions, f"{held.bytes:,}", _time(held.oldest), _time(held.newest)


def _time(at: float | None) -> str:
    return "-" if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
