"""The command ``llmq judge``: probes the configured judge, and prints the result."""

import argparse
import asyncio
from pathlib import Path

import msgspec

from ..config import load
from ..offline.calibrate import NotSetUpError
from ..offline.probe import probe_lines, probed
from .console import OK, PROBLEM, complain

SUMMARY = "ask the judge about one case, and see all of it"


def add_judge(parser: argparse.ArgumentParser) -> None:
    """Add what ``llmq judge`` can do."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    probe = actions.add_parser("probe", help="one case: request, reply, model, fingerprint, tokens, cost")
    probe.add_argument("--config", metavar="FILE", type=Path, required=True, help="the config")
    probe.add_argument("--evaluator", metavar="NAME", help="by which rubric (default: the first)")
    probe.add_argument("--json", action="store_true", help="one JSON document")


def run(options: argparse.Namespace) -> int:
    """Run ``llmq judge probe``: 0 where the judge gave a verdict, else 1."""
    try:
        found = asyncio.run(probed(load(options.config).judge, options.evaluator))
    except NotSetUpError as error:
        return complain(f"llmq judge {options.action}: {error}", PROBLEM)
    print(*([msgspec.json.encode(found).decode()] if options.json else probe_lines(found)), sep="\n")
    return OK if found.judgement else PROBLEM
