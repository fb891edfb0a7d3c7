"""Writes a small store that has something of every kind in it, as the version of llmq that runs this script writes it.

    python tests/stores/write.py tests/stores/STORE.JOURNAL.LEDGER

Run once when the version of one of the files changes, with that version; a written store is never written again. It is
as ``kill -9`` leaves it: traces stand in the journal and were never looked at. ``expected.json``
beside it says what this version reads in it; ``tests/test_upgrade.py`` reads it with the newest. (In the journals of
the stores up to 7.1.1 there are feedback, labels, results and deletions, too, which were written into it then.)
"""

import asyncio
import json
import shutil
import sqlite3
import sys
import tempfile
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import yaml
from aiohttp.test_utils import TestClient, TestServer

sys.path.insert(0, str(Path(__file__).parents[1]))
from conftest import CONTEXT, Clock, Running

from exporter.app.application import Exporter, make_app
from exporter.config import load
from exporter.demo.judge_stub import Behaviour, Stub
from exporter.offline.likeness import signature, written
from exporter.records.traces import Place

FILES = ("llmq.db", "llmq.db.journal", "ledger.db")
WRITTEN_AT, ANCHORS, ADA = 1_790_000_000.0, 12, "ada@example.com"
HELD, NOT_HELD = "Which documents do you need for the loan?", "How do I reset the password of my account?"
QUESTIONS = [
    "How long do refunds take?",
    "Where is the nearest shop in Lyon?",
    "Do you ship furniture to Norway?",
    "Which lamps fit a wet bathroom?",
    "Who pays customs duties on returns?",
    "Is there a discount for students in Spain?",
]
REFUSAL = "I'm sorry, but I can't help with that."
_EVERY_TRACE = {"enabled": True, "share": 0.9999, "annotators": 2, "per_day": 100}


def config(folder, endpoint):
    """The config that stores are written and read with; writes it and its anchors into a folder."""
    sections = {
        "store": {"content": "all", "retention": {"content": "5d"}},
        "review": {"enabled": True, "wait": "1s", "reasons": {"control": _EVERY_TRACE}},
        "judge": {
            "enabled": True,
            "endpoint": endpoint,
            "model": "judge-1",
            "sampling": [{"rate": 1.0}],
            "repeat": 0,
            "rubrics": {"faithfulness": {"enabled": False}},
            "budget": {"ledger": f"sqlite:///{folder / 'ledger.db'}", "hour": {"tokens": 10_000_000}},
            "anchors": {"file": str(folder / "anchors.jsonl"), "per_hour": 60},
            "gate": {"min_cases": ANCHORS, "kappa": 0.1},
        },
    }
    (folder / "anchors.jsonl").write_text("\n".join(json.dumps(_anchor(number)) for number in range(ANCHORS)))
    (folder / "llmq.yaml").write_text(yaml.safe_dump(sections))
    return load(folder / "llmq.yaml", store=f"sqlite:///{folder / 'llmq.db'}", listen="127.0.0.1:0")


def _anchor(number):
    truth = ("bad", "good")[number % 2]
    answer = f"Within 30 days ({number}). truth:{truth}"
    human = {"bad": "fail", "good": "pass"}[truth]
    return {
        "id": str(number),
        "evaluator": "helpfulness",
        "question": "Refunds?",
        "answer": answer,
        "human": human,
    }


@asynccontextmanager
async def running(folder, stub):
    """A whole exporter on the files in a folder, at the time when they were written."""
    clock = Clock(WRITTEN_AT)
    exporter = Exporter(config(folder, stub.url), clock)
    async with TestServer(make_app(exporter)) as server, TestClient(server) as client:
        yield Running(exporter, client, clock, {})


async def judged(exporter):
    """Have all that waits for the judge judged."""
    exporter.exporter.calibrating.drip()
    while len(exporter.exporter.judging.queue):  # noqa: ASYNC110 - the product has no such event
        await asyncio.sleep(0.01)
    exporter.exporter.calibrating.show()
    await exporter.exporter.pipeline.flush()


async def send(exporter, path, *sent):
    """Post; returns what is answered."""
    status, body = await exporter.post(path, json=list(sent) if len(sent) != 1 else sent[0])
    assert status == 200, body
    return json.loads(body)


def interaction(number, answer, question=HELD, **more):
    """One interaction of ada's, a new trace for each number."""
    about = {"app": "shop", "route": "/ask", "model": "m-1", "prompt_version": "7", "user": ADA, "context": CONTEXT}
    about |= {"conversation_id": f"c-{number}", "id": f"r-{number}"}
    return about | {"trace_id": f"{number:032x}", "question": question, "answer": answer} | more


def result(number):
    """The result of an offline run, with the questions that it holds."""
    version = {"suite": "support", "app": "shop", "model_version": "m-1", "prompt_version": "7"}
    run = {"run_id": f"run-{number}", "evaluator": "refusal", "evaluator_version": "1", "cases": 200, "passed": 190}
    return version | run | {"timestamp": WRITTEN_AT - 60 + number, "signatures": [written(signature(HELD))]}


async def claimed(exporter, reviewer):
    """The trace id that a reviewer is given."""
    return (await send(exporter, "/api/review/claim", {"reviewer": reviewer}))["item"]["trace_id"]


def verdict(reviewer, trace_id):
    """The label of a reviewer."""
    labels = {"helpfulness": {"verdict": "pass", "note": "as it should be"}}
    return {"reviewer": reviewer, "trace_id": trace_id, "labels": labels, "corrected": "Thirty days."}


async def work(exporter, stub):
    """Something of every kind, recorded."""
    await judged(exporter)  # the anchors: the judge is admitted
    await send(exporter, "/v1/offline-results", result(0))
    await exporter.pass_time(0)
    answers = ("Refunds are accepted within 30 days. truth:good", "Never, says the moon. truth:bad")
    told = [interaction(number, answers[number % 2], QUESTIONS[number - 1]) for number in range(1, 7)]
    told += [interaction(7, REFUSAL), interaction(8, REFUSAL, NOT_HELD), interaction(9, REFUSAL, NOT_HELD)]
    await send(exporter, "/v1/interactions", *told)
    await exporter.pass_time(3)
    await judged(exporter)
    click = {"trace_id": f"{1:032x}", "signal": "thumbs_down", "id": "click-1", "user": ADA, "comment": "wrong"}
    await send(exporter, "/v1/feedback", click, {"response_id": "r-not-here", "signal": "copy", "id": "click-2"})
    await exporter.pass_time(1)
    for reviewers in (("eve", "bob"), ("eve",)):
        for reviewer in reviewers:
            await send(exporter, "/api/review/label", verdict(reviewer, await claimed(exporter, reviewer)))
            await exporter.pass_time(1)
    await claimed(exporter, "cyd")
    async with exporter.client.delete(f"/api/traces/{6:032x}") as answered:
        assert answered.status == 200
    stub.behaviour = Behaviour(error_rate=1.0, errors=(500,))
    await send(exporter, "/v1/interactions", *[interaction(n, "In May. truth:good") for n in (21, 22)])
    await exporter.pass_time(3)  # jobs that wait for a judge which is down
    recorder = exporter.exporter.pipeline.recorder
    recorder.judge_samplers.put(recorder.replica, exporter.exporter.judging._sampler.state())
    recorder.content_retention.put(recorder.replica, Place())
    await exporter.pass_time(0)


async def leave_open(exporter, folder):
    """Requests that are durable and not recorded, and the files as they are then."""
    before = exporter.exporter.store.journal.last_seq
    async with exporter.exporter.pipeline.recorder._one_flush:
        await send(exporter, "/v1/interactions", *[interaction(n, "Within 30 days. truth:good") for n in (31, 32, 33)])
        body = (Path(__file__).parents[1] / "captures/requests/openinference-openai.rag.traces.pb").read_bytes()
        status, _ = await exporter.post("/v1/traces", data=body, headers={"Content-Type": "application/x-protobuf"})
        assert status == 200
        assert exporter.exporter.store.journal.last_seq == before + 2
        for name in FILES:
            _copied(Path(exporter.exporter.store.path).with_name(name), folder / name)


def _copied(source, target):
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as before, closing(sqlite3.connect(target)) as after:
        before.backup(after)
        after.execute("PRAGMA journal_mode = DELETE")
        after.execute("PRAGMA journal_mode = WAL")


async def read(folder, stub):
    """What an exporter makes of the files in a folder: at its start, and once all that was open is done."""
    stub.behaviour = Behaviour()
    async with running(folder, stub) as exporter:
        found = {"start": await _look(exporter)}
        await exporter.pass_time(30)
        await judged(exporter)
        await exporter.pass_time(0)
        return found | {"end": await _look(exporter)}


async def _look(exporter):
    numbers = [*range(1, 10), 21, 22, 31, 32, 33]
    samples = (await exporter.samples()).items()
    exact = [
        (f"{name} {dict(sorted(labels))}", value) for (name, labels), value in samples if value and _is_exact(name)
    ]
    running = exporter.exporter
    return {
        "counters": dict(exact),
        "traces": {f"{n:032x}": await exporter.read(f"{n:032x}") for n in numbers},
        "reviewed": await _text(exporter, "/api/review/reviewed"),
        "uncovered": json.loads(await _text(exporter, "/api/offline/uncovered")),
        "queues": {"judge": len(running.judging.queue), "feedback": len(running.feedback.desk.waiting)},
        "conversations": len(running.feedback.desk.conversations),
        "review": {state: await exporter.total("llmq_review_items", state=state) for state in _STATES},
        "suite": await exporter.total("llmq_offline_passed_cases"),
        "gate": await exporter.total("llmq_judge_gate_open"),
        "anchors": await exporter.total("llmq_judge_kappa", source="anchor", estimate="value"),
        "spent": [await exporter.total("llmq_judge_budget_spent_ratio"), _spent(running.config.judge.ledger)],
    }


_STATES = ("held", "waiting", "claimed", "disputed", "done")


def _spent(url):
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as ledger:
        return ledger.execute("SELECT sum(tokens) FROM spent").fetchone()[0]


def _is_exact(name):
    """Counters are the same at each run; the sums of what was timed are not, nor is what starts again."""
    restarts = ("llmq_exporter_requests_total", "llmq_exporter_store_errors_total", "llmq_exporter_commit", "process_")
    return name.endswith(("_total", "_count")) and not name.startswith(restarts)


async def _text(exporter, path):
    async with exporter.client.get(path) as answered:
        assert answered.status == 200
        return await answered.text()


async def main(folder):
    """Write a store, and what is to be read in it."""
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as work_folder:
        path = Path(work_folder)
        async with Stub().running() as stub:
            with suppress(TimeoutError):
                async with running(path, stub) as exporter:
                    await work(exporter, stub)
                    await leave_open(exporter, folder)
        async with Stub().running() as stub:
            again = path / "again"
            again.mkdir()
            for name in FILES:
                shutil.copy(folder / name, again / name)
            expected = await read(again, stub)
    (folder / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
