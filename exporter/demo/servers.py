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

from ..rules.files import DEFAULT_SETTINGS
from ..rules.rulefile import Links
from . import rules
from .desk import ALERTS
from .stack import DemoError, Stack, first

_CONFIG: Final = Path(__file__).with_name("llmq.yaml")
_PROGRAMS: Final = {
    "prometheus": ("prometheus",),
    "prometheus-alertmanager": ("prometheus-alertmanager", "alertmanager"),
}
_WEBHOOK: Final = "http://127.0.0.1:9095"
_GROUP_WAIT: Final = "10m"
_START: Final = 30.0
_POLL: Final = 0.05


class Addresses(Struct, frozen=True):
    """Where the servers listen, as http://HOST:PORT."""

    exporter: str
    prometheus: str
    alertmanager: str


def programs() -> tuple[str, str]:
    """The paths of Prometheus and Alertmanager; DemoError where one is missing, or where there is no checkout."""
    if not (ALERTS / "alertmanager.yml").is_file():
        raise DemoError("a checkout of the project is needed, where alerts/ is beside exporter/: run it there")
    found = [next(filter(None, map(shutil.which, names)), None) for names in _PROGRAMS.values()]
    prometheus, alertmanager = found
    if prometheus is None or alertmanager is None:
        raise DemoError(f"Prometheus and Alertmanager are needed: apt-get install {' '.join(_PROGRAMS)}")
    return prometheus, alertmanager


async def start(stack: Stack, desk: str, speed: float) -> Addresses:
    """Start all three, configured for each other, and wait until they are ready; notifications go to the desk."""
    prometheus, alertmanager = programs()
    exporter_at, prometheus_at, alertmanager_at = _free_addresses(3)
    _write(stack.folder / "prometheus.yml", _prometheus(exporter_at, alertmanager_at))
    _write(stack.folder / "alertmanager.yml", _alertmanager(desk, speed))
    (stack.folder / "rules").mkdir()
    for name, text in rules.files(speed, Links(runbooks=f"{desk}/runbooks", grafana=desk)).items():
        (stack.folder / "rules" / name).write_text(text, encoding="utf-8")
    await stack.start(
        "llmq", sys.executable, "-m", "exporter", "serve", f"--config={_CONFIG}", f"--listen={exporter_at}"
    )
    await stack.start(
        "alertmanager",
        alertmanager,
        "--config.file=alertmanager.yml",
        "--storage.path=alertmanager",
        f"--web.listen-address={alertmanager_at}",
        "--cluster.listen-address=",
    )
    await stack.start(
        "prometheus",
        prometheus,
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=prometheus",
        f"--web.listen-address={prometheus_at}",
        "--enable-feature=exemplar-storage",
    )
    made = Addresses(*(f"http://{each}" for each in (exporter_at, prometheus_at, alertmanager_at)))
    await first(_ready(made), stack.ended())
    return made


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
    found = [f"127.0.0.1:{each.getsockname()[1]}" for each in held]
    for each in held:
        each.close()
    return found


def _prometheus(exporter: str, alertmanager: str) -> dict[str, Any]:
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "5s"},
        "storage": {"exemplars": {"max_exemplars": 10_000}},
        "rule_files": ["rules/*.rules.yaml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": [{"job_name": DEFAULT_SETTINGS.job, "static_configs": [{"targets": [exporter]}]}],
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
