"""The options of ``llmq demo`` and of its parts. Knows what may be chosen; imports nothing that takes time."""

import argparse
import math
from collections.abc import Callable
from typing import TypeVar

from ..config.units import UnitError, address, duration
from ..offline.client import DEFAULT_URL, TOKEN

_T = TypeVar("_T")

_ABOUT = """Starts the exporter, Prometheus and Alertmanager on free ports of this machine, and applications that ask a
model and send OpenTelemetry spans. After a while one of them rolls out a prompt that breaks grounding; a page follows
within minutes and names it. Nothing stays behind. Needs the packages prometheus and prometheus-alertmanager."""


def add_to(demo: argparse.ArgumentParser) -> None:
    """Add the options; ``part`` says which part is wanted, None for all together."""
    demo.description = _ABOUT
    demo.set_defaults(part=None)
    _takes_traffic(demo)
    demo.add_argument("--duration", metavar="TIME", type=_read(duration), help="end after this time (default: never)")
    demo.add_argument(
        "--speed",
        metavar="N",
        type=_read(_speed),
        default=60.0,
        help="how many times shorter the page's windows are than the shipped hour (default: 60, a minute)",
    )
    demo.add_argument("--keep", action="store_true", help="keep the folder with logs, config, rules and data")
    parts = demo.add_subparsers(metavar="PART", title="parts, to run alone")
    _add_stub(parts.add_parser("stub", help="the model: an OpenAI-compatible endpoint with scripted answers"))
    _add_bad(parts.add_parser("bad", help="bad answers for a running llmq, to see whether its alerts arrive"))
    _add_traffic(parts.add_parser("traffic", help="the applications: they ask the model and send spans"))


def _add_stub(stub: argparse.ArgumentParser) -> None:
    stub.set_defaults(part="stub")
    stub.add_argument(
        "--listen", metavar="HOST:PORT", type=_read(address), default="127.0.0.1:8090", help="default: %(default)s"
    )


def _add_bad(bad: argparse.ArgumentParser) -> None:
    bad.description = (
        "Sends answers that no document supports to a running llmq, enough for a page. The token of the role ingest "
        f"is taken from {TOKEN}."
    )
    bad.set_defaults(part="bad")
    bad.add_argument("--to", metavar="URL", default=DEFAULT_URL, help="the llmq (default: %(default)s)")
    bad.add_argument(
        "--count",
        metavar="N",
        type=_read(_count),
        default=12,
        help="how many (default: %(default)d; an alert rests on ten bad answers at least)",
    )


def _add_traffic(traffic: argparse.ArgumentParser) -> None:
    traffic.set_defaults(part="traffic")
    _takes_traffic(traffic)
    traffic.add_argument(
        "--to", metavar="URL", default="http://127.0.0.1:4318", help="where spans go, OTLP/HTTP (default: %(default)s)"
    )
    traffic.add_argument(
        "--feedback", metavar="URL", help="where users' ratings go, the exporter itself (default: as --to)"
    )
    traffic.add_argument(
        "--model", metavar="URL", default="http://127.0.0.1:8090/v1", help="the model's endpoint (default: %(default)s)"
    )


def _takes_traffic(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rate", metavar="N", type=_read(_rate), default=8.0, help="questions a second (default: %(default)g)"
    )
    parser.add_argument(
        "--rollout-after",
        metavar="TIME",
        type=_read(duration),
        default="2m",
        help="when the bad prompt is rolled out (default: %(default)s)",
    )


def _rate(text: str) -> float:
    return _between(text, 0.1, 100)


def _count(text: str) -> int:
    return int(_between(text, 1, 1000))


def _speed(text: str) -> float:
    return _between(text, 1, 300)


def _between(text: str, least: float, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        raise UnitError(f'"{text}" is not a number from {least:g} to {most:g}')
    return number


def _read(reader: Callable[[str], _T]) -> Callable[[str], _T]:
    """A reader of an option whose complaint reaches the person who typed it."""

    def read(text: str) -> _T:
        try:
            return reader(text)
        except UnitError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read
