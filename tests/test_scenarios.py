"""Each file in scenarios/ is a small story: a config, what is sent, and the metrics that come of it.

``send`` are interactions (app is "shop" unless said otherwise), ``captures`` are real OTLP requests; each line of
``metrics`` names a metric, some of its labels, and the sum over all series that have them.
"""

import re
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parent / "scenarios"
LINE = re.compile(r"(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
PROTOBUF = {"Content-Type": "application/x-protobuf"}


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.yaml")), ids=lambda file: file.stem)
async def test_scenario(file, run_exporter, captured):
    scenario = yaml.safe_load(file.read_text())
    exporter = await run_exporter(scenario.get("config"))
    for interaction in scenario.get("send", ()):
        assert await exporter.post("/v1/interactions", json={"app": "shop"} | interaction)
    for name in scenario.get("captures", ()):
        assert await exporter.post("/v1/traces", data=captured(name), headers=PROTOBUF) == (200, b"")
    await exporter.pass_time(20)
    sent = len(scenario.get("send", ())) + len(scenario.get("captures", ()))
    assert await exporter.total("llmq_requests_total") == sent
    for line in scenario["metrics"]:
        said = LINE.fullmatch(line)
        labels = dict(re.findall(r'(\w+)="([^"]*)"', said["labels"] or ""))
        assert await exporter.total(said["name"], **labels) == pytest.approx(float(said["value"])), line
