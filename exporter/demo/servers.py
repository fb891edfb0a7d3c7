"""Exporter, Prometheus and Alertmanager, configured for each other on free ports. Knows no story."""

import asyncio
import shutil
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml
from msgspec import Struct

from ..judge.anchors import Anchor, encoded
from ..rules.files import DEFAULT_SETTINGS
from ..rules.rulefile import Links
from . import rules
from .alert_receiver import ALERTS
from .stack import DemoError, Stack, first

CONFIG: Final = Path(__file__).with_name("llmq.yaml")
"""The exporter's config, without the address of the judge."""
_WEBHOOK: Final = "http://127.0.0.1:9095"
_GROUP_WAIT: Final = "10m"
_START: Final = 30.0
_POLL: Final = 0.05


class Addresses(Struct, frozen=True):
    """Where the servers listen, as http://HOST:PORT."""

    exporter: str
    prometheus: str
    alertmanager: str


class Programs(Struct, frozen=True):
    """Paths of what is not ours."""

    prometheus: str
    alertmanager: str


def programs() -> Programs:
    """The programs of this machine; DemoError where one is missing, or where there is no checkout to configure them."""
    if not (ALERTS / "alertmanager.yml").is_file():
        raise DemoError("a checkout of the project is needed, where alerts/ is beside exporter/: run it there")
    prometheus = shutil.which("prometheus")
    alertmanager = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if prometheus is None or alertmanager is None:
        raise DemoError("Prometheus and Alertmanager are needed: apt-get install prometheus prometheus-alertmanager")
    return Programs(prometheus, alertmanager)


class Others(Struct, frozen=True):
    """What the servers are to reach: addresses of the desk and of the judge, and the judge's anchors."""

    desk: str
    judge: str
    anchors: tuple[Anchor, ...]


async def start(stack: Stack, found: Programs, others: Others, speed: float) -> Addresses:
    """Start all three, configured for each other, and wait until they are ready; notifications go to the desk."""
    at = Addresses(*_free_addresses(3))
    _configure(stack.folder, at, others.desk, speed)
    _configure_llmq(stack.folder, others)
    for name, command in _commands(found, at).items():
        await stack.start(name, *command)
    await first(_ready(at), stack.ended())
    return at


def _commands(found: Programs, at: Addresses) -> dict[str, list[str]]:
    llmq = [sys.executable, "-m", "exporter", "serve", "--config=llmq.yaml", f"--listen={_target(at.exporter)}"]
    alertmanager = [
        found.alertmanager,
        "--config.file=alertmanager.yml",
        "--storage.path=alertmanager",
        f"--web.listen-address={_target(at.alertmanager)}",
        "--cluster.listen-address=",
    ]
    prometheus = [
        found.prometheus,
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=prometheus",
        f"--web.listen-address={_target(at.prometheus)}",
        "--enable-feature=exemplar-storage",
    ]
    return {"llmq": llmq, "alertmanager": alertmanager, "prometheus": prometheus}


def _configure(folder: Path, at: Addresses, desk: str, speed: float) -> None:
    _write(folder / "prometheus.yml", _prometheus(at))
    _write(folder / "alertmanager.yml", _alertmanager(desk, speed))
    (folder / "rules").mkdir()
    links = Links(runbooks=f"{desk}/runbooks", grafana=desk, answers=f"{at.exporter}/answers")
    for name, text in rules.files(speed, links).items():
        (folder / "rules" / name).write_text(text, encoding="utf-8")


def _configure_llmq(folder: Path, others: Others) -> None:
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    config["judge"]["endpoint"] = others.judge
    _write(folder / "llmq.yaml", config)
    (folder / config["judge"]["anchors"]["file"]).write_bytes(b"".join(encoded(others.anchors)))


async def _ready(addresses: Addresses) -> None:
    try:
        async with asyncio.timeout(_START), aiohttp.ClientSession() as session:
            for address in (addresses.exporter, addresses.prometheus, addresses.alertmanager):
                while not await _answers(session, f"{address}/-/ready"):  # noqa: ASYNC110 - no event crosses processes
                    await asyncio.sleep(_POLL)
    except TimeoutError as error:
        raise DemoError(f"the demo's servers were not ready within {_START:g} seconds") from error


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.ok
    except aiohttp.ClientConnectionError:
        return False


def _free_addresses(count: int) -> list[str]:
    """Addresses that nobody listens on now; all are held until all are found, so that they differ."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [f"http://127.0.0.1:{each.getsockname()[1]}" for each in held]
    for each in held:
        each.close()
    return found


def _target(address: str) -> str:
    return address.removeprefix("http://")


def _prometheus(at: Addresses) -> dict[str, Any]:
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "5s"},
        "storage": {"exemplars": {"max_exemplars": 10_000}},
        "rule_files": ["rules/*.rules.yaml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [_target(at.alertmanager)]}]}]},
        "scrape_configs": [{"job_name": DEFAULT_SETTINGS.job, "static_configs": [{"targets": [_target(at.exporter)]}]}],
    }


def _alertmanager(desk: str, speed: float) -> Any:
    """The shipped config, telling the desk, and waiting a shorter time for alerts that belong together."""
    shipped = yaml.safe_load((ALERTS / "alertmanager.yml").read_text(encoding="utf-8"))
    return _changed(shipped, f"{desk}/notify", rules.faster(_GROUP_WAIT, speed))


def _changed(node: Any, webhook: str, wait: str) -> Any:
    if isinstance(node, Mapping):
        changed = {key: _changed(value, webhook, wait) for key, value in node.items()}
        return changed | {"group_wait": wait} if "group_wait" in node else changed
    if isinstance(node, list):
        return [_changed(each, webhook, wait) for each in node]
    if isinstance(node, str):
        return node.replace(_WEBHOOK, webhook).replace("templates/", f"{ALERTS}/templates/")
    return node


def _write(path: Path, document: Any) -> None:
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
