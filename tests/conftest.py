"""What many tests share: a clock that tests move, and a whole exporter that runs on it."""

from io import BytesIO
from json import dumps
from pathlib import Path

import pytest
import yaml
from aiohttp.test_utils import TestServer
from prometheus_client.parser import text_string_to_metric_families

from exporter.app import Exporter, make_app
from exporter.config import load

CAPTURES = Path(__file__).parent / "captures" / "requests"


class Clock:
    """Unix seconds, moved by the test."""

    def __init__(self, at=1_790_000_000.0):
        self.at = at

    def __call__(self):
        return self.at

    def move(self, seconds):
        self.at += seconds


class Running:
    """A whole exporter behind a real HTTP server, whose time passes only when the test says so."""

    def __init__(self, exporter, client, clock):
        self.exporter, self.client, self.clock = exporter, client, clock

    async def post(self, path, *, json=None, data=b"", headers=None):
        if json is not None:
            data, headers = dumps(json).encode(), {"Content-Type": "application/json"}
        async with self.client.post(path, data=BytesIO(data), headers=headers) as response:
            return response.status, await response.read()

    async def pass_time(self, seconds):
        """Move the clock, and let everything that is due be scored and recorded."""
        self.clock.move(seconds)
        while self.exporter.pipeline.score():
            pass
        self.exporter.feedback.tick()
        await self.exporter.pipeline.flush()

    async def metrics(self, accept=""):
        async with self.client.get("/metrics", headers={"Accept": accept}) as response:
            return await response.text()

    async def samples(self):
        """Every sample of /metrics: (name, labels as a frozenset) → value."""
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(await self.metrics())
            for sample in family.samples
        }

    async def total(self, name, **labels):
        """The sum over all series of a metric that have these labels."""
        wanted = set(labels.items())
        return sum(value for (found, has), value in (await self.samples()).items() if found == name and wanted <= has)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def captured():
    """The bytes of a captured request, by its name."""
    return lambda name: (CAPTURES / name).read_bytes()


@pytest.fixture
def run_exporter(tmp_path, aiohttp_client, clock):
    """Start an exporter on a store in the test's folder; a second one takes over what the first one left."""

    async def start(config=None, *, store="llmq.db"):
        path = None
        if config:
            path = tmp_path / "llmq.yaml"
            path.write_text(yaml.safe_dump(config))
        exporter = Exporter(load(path, store=f"sqlite:///{tmp_path / store}", listen="127.0.0.1:0"), clock)
        server = TestServer(make_app(exporter))
        await server.start_server()
        client = await aiohttp_client(server)
        return Running(exporter, client, clock)

    return start
