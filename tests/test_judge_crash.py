"""SIGKILL under a judge that fails: every sampled trace ends judged once or failed, and no money is forgotten."""

import asyncio
import random
import sqlite3
import time
from contextlib import closing

from exporter.demo.judge_stub import Behaviour

KILLS = 8
FAILING = Behaviour(error_rate=0.3, errors=(500, 503, "drop"), latency=0.05, bills_errors=True)


class Asker:
    """Sends one interaction after the other."""

    def __init__(self):
        self.sent = 0

    def work(self, client):
        while not client.ended.is_set():
            answer = f"answer {self.sent} truth:good"
            self.sent += 1
            client.post("/v1/interactions", {"id": answer, "app": "shop", "question": "Refunds?", "answer": answer})
            client.pause(0.02)


def kill_under_calls(process, asker, stub, moments):
    """While interactions come: at each kill a call is under way, which is billed although nobody hears its end."""
    client = process.client(asker.work)
    for _ in range(KILLS):
        time.sleep(moments.uniform(0, 0.5))
        process.wait_until(lambda: len(stub.requests) > len(stub.bills))
        process.kill()
        process.start()
    client.finish()


def ends(samples):
    """How many traces were judged, and how many failed."""
    verdicts = samples.total("llmq_evaluations_total", evaluator="helpfulness", sample="random")
    return verdicts, samples.total("llmq_evaluation_failures_total", evaluator="helpfulness")


async def test_killed_at_random_every_sampled_trace_ends_once_and_no_money_is_forgotten(
    tmp_path, killable, stub, judge
):
    stub.behaviour, asker = FAILING, Asker()
    config = judge(attempts=3, timeout="5s") | {"assembly": {"grace": "100ms", "idle": "200ms"}}
    process = await asyncio.to_thread(killable, config)
    await asyncio.to_thread(kill_under_calls, process, asker, stub, random.Random(4))
    await asyncio.to_thread(process.wait_until, lambda: sum(ends(process.samples())) >= asker.sent)
    found = await asyncio.to_thread(process.samples)
    verdicts, failures = ends(found)
    assert verdicts + failures == asker.sent == found.total("llmq_requests_total")
    assert verdicts > 0.9 * asker.sent
    assert found.total("llmq_exporter_queue_length", queue="judge") == 0
    await asyncio.to_thread(process.stop)
    bill = stub.billed()
    assert len(stub.bills) >= found.total("llmq_judge_requests_total") + KILLS
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as ledger, ledger:
        assert ledger.execute("SELECT sum(tokens) FROM spent").fetchone()[0] >= bill.input + bill.output
