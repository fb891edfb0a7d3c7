"""SIGKILL under a judge that fails: every sampled trace ends judged once or failed, and no money is forgotten."""

import asyncio
import random
import signal
import socket
import sqlite3
import sys

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from exporter.demo.judge_stub import Behaviour, Stub

KILLS = 8
FAILS = 0.3


class Process:
    """A real ``llmq serve`` with a judge, killed and started again on the same store."""

    def __init__(self, folder, judge):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.ledger = folder / "ledger.db"
        self.log = folder / "exporter.log"
        config = folder / "llmq.yaml"
        section = {"enabled": True, "endpoint": judge, "model": "judge-1", "sampling": [{"rate": 1.0}], "repeat": 0}
        section |= {"attempts": 5, "timeout": "5s", "budget": {"ledger": f"sqlite:///{self.ledger}"}}
        section["rubrics"] = {"faithfulness": {"enabled": False}}
        config.write_text(yaml.safe_dump({"assembly": {"grace": "100ms", "idle": "200ms"}, "judge": section}))
        llmq = [sys.executable, "-m", "exporter", "serve", "--config", str(config)]
        self.command = [*llmq, "--listen", f"127.0.0.1:{self.port}", "--store", f"sqlite:///{folder / 'llmq.db'}"]
        self.process = None

    async def start(self):
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(*self.command, stdout=log, stderr=log)
        async with asyncio.timeout(60), httpx.AsyncClient() as http:
            while True:
                assert self.process.returncode is None, self.log.read_text()[-2000:]
                try:
                    if (await http.get(f"{self.url}/-/healthy")).status_code == 200:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.05)

    async def end(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        return await self.process.wait()

    async def totals(self, name, **labels):
        async with httpx.AsyncClient(timeout=30) as http:
            text = (await http.get(f"{self.url}/metrics")).text
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def spent(self):
        with sqlite3.connect(self.ledger) as ledger:
            return ledger.execute("SELECT sum(tokens) FROM spent").fetchone()[0]


@pytest.fixture
async def stub():
    failing = Behaviour(error_rate=FAILS, errors=(500, 503, "drop"), latency=0.02, bills_errors=True)
    async with Stub(failing).running() as running:
        yield running


async def send(process, sent, stop):
    """Send interactions, each until it is acknowledged, until told to stop."""
    async with httpx.AsyncClient(timeout=30) as http:
        while not stop.is_set():
            name = f"answer {len(sent)}"
            body = {"id": name, "app": "shop", "question": "Refunds?", "answer": f"{name} truth:good"}
            sent.append(name)
            while True:
                try:
                    answer = await http.post(f"{process.url}/v1/interactions", json=body)
                except httpx.TransportError:
                    await asyncio.sleep(0.02)
                    continue
                if answer.status_code == 200:
                    break
                assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.02)


async def test_killed_at_random_every_sampled_trace_ends_once_and_no_money_is_forgotten(tmp_path, stub):
    chance = random.Random(4)
    process, sent, stop = Process(tmp_path, stub.url), [], asyncio.Event()
    await process.start()
    sending = asyncio.create_task(send(process, sent, stop))
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.1, 1.0))
        await process.end()
        await process.start()
    stop.set()
    await sending

    async def ended():
        verdicts = await process.totals("llmq_evaluations_total", evaluator="helpfulness", sample="random")
        return verdicts, await process.totals("llmq_evaluation_failures_total", evaluator="helpfulness")

    async with asyncio.timeout(120):
        while sum(await ended()) < len(sent):  # noqa: ASYNC110 - another process has no events
            await asyncio.sleep(0.2)
    verdicts, failures = await ended()
    assert verdicts + failures == len(sent) == await process.totals("llmq_requests_total")
    assert verdicts > 0.9 * len(sent)
    assert await process.totals("llmq_exporter_queue_length", queue="judge") == 0
    assert await process.end(signal.SIGTERM) == 0
    bill = stub.billed()
    assert process.spent() >= bill.input + bill.output
