"""The command ``llmq forget``: asks a running llmq to delete a trace, or all of a user."""

import argparse
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from ..offline.client import DEFAULT_URL, TOKEN, ExchangeError, LlmqClient
from .console import OK, PROBLEM, complain, say

SUMMARY: Final = "delete all that is kept of a trace or of a user"
EPILOG: Final = f"""Done when the command ends. Counters stay. What arrives within a day of traces that had begun is
deleted, too. Wants the role admin: a server with tokens needs one in the environment variable {TOKEN}."""


class _Answer(Struct):
    traces: int


def add_forget(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``llmq forget``."""
    parser.epilog = EPILOG
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--trace", metavar="ID", help="the trace of this id, 32 hexadecimal digits")
    whom.add_argument("--user", metavar="ID", help="all traces of this user, named as in the traces")
    parser.add_argument("--from", dest="source", metavar="URL", default=DEFAULT_URL, help="which llmq (%(default)s)")


def forget(options: argparse.Namespace) -> int:
    """Run the command; returns its exit code."""
    kind, name = ("traces", options.trace) if options.trace is not None else ("users", options.user)
    try:
        answer = LlmqClient(options.source).delete(f"/api/{kind}/{quote(name, safe='')}")
        traces = msgspec.json.decode(answer, type=_Answer).traces
    except ExchangeError as error:
        return complain(f"llmq forget: {error}", PROBLEM)
    except msgspec.DecodeError:
        return complain(f"llmq forget: {options.source}: not the answer of an llmq", PROBLEM)
    say(f"deleted: {traces} recorded {'trace' if traces == 1 else 'traces'}")
    return OK
