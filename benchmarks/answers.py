"""How long searches of answers take in a store of a million traces.

    python benchmarks/answers.py [--traces 1000000] [--store FILE]

The store is written with the statements of llmq's own commits, and kept where --store names it. Prints for each search
the median of five, in milliseconds, and what it found.
"""

import argparse
import asyncio
import json
import os
import random
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

from exporter.recording.trace_document import failed_by, marks, signalled
from exporter.records.traces import Recorded
from exporter.store.changes import Changes
from exporter.store.search import Search
from exporter.store.searching import Searching
from exporter.store.sqlite.answers import AnswersIndex
from exporter.store.sqlite.store import SqliteStore

EVALUATORS = (
    "grounding",
    "refusal",
    "citation",
    "empty",
    "language",
    "leak",
    "tool_errors",
    "repetition",
    "json_schema",
)
BEGINNING = 1_790_000_000.0


def document(chance, number, app, route, model, prompt):
    failed = {name for name in EVALUATORS if chance.random() < 0.01}
    text = " ".join(chance.choices(WORDS, k=250))
    found = {
        "trace_id": f"{number:032x}", "app": app, "route": route, "model_version": model, "prompt_version": prompt,
        "question": text[:200] if failed else None, "answer": text if failed else None, "refusal": None,
        "context": [{"id": str(n), "text": text if failed else None, "score": 0.5} for n in range(3)],
        "evaluations": [
            {"evaluator": name, "evaluator_version": "1", "verdict": "fail" if name in failed else "pass", "score": 0.5,
             "sample": "all", "explanation": "3 of 5 sentences have support"} for name in EVALUATORS
        ],
        "feedback": [{"signal": "thumbs_down", "source": "explicit", "at": 0}] if chance.random() < 0.005 else [],
    }  # fmt: skip
    return json.dumps(found).encode()


WORDS = [f"word{n}" for n in range(3000)]


def write(store, count):
    chance = random.Random(7)
    slices = [(f"app{n % 20}", f"/route{n % 50}", f"model{n % 7}", f"v{n % 9}") for n in range(400)]
    weights = [1 / (1 + n) for n in range(400)]
    for first in range(0, count, 500):
        traces = []
        for number, where in enumerate(chance.choices(slices, weights, k=min(500, count - first)), first):
            stored = document(chance, number, *where)
            trace_id = number.to_bytes(16, "big")
            row = Recorded(trace_id, BEGINNING + first, *where, os.urandom(8), stored, marks=marks(stored))
            traces.append(row)
        store.commit(Changes(traces=traces))
        store.checkpoint()


async def measure(path):
    rare = {"app": ("app19",), "route": ("/route49",)}
    searches = {
        "the newest": Search(),
        "of one app": Search(where={"app": ("app3",)}),
        "failed by one evaluator": Search(marks=((failed_by("grounding"),),)),
        "failed, of a rare route": Search(where=rare, marks=((failed_by(),),)),
        "thumbs down, of a rare route": Search(where=rare, marks=((signalled("thumbs_down"),),)),
        "nothing has it": Search(where={"app": ("nobody",)}),
        "an hour long ago": Search(since=BEGINNING + 1000, until=BEGINNING + 4600, marks=((failed_by("leak"),),)),
        "a word that is often said": Search(marks=((failed_by(),),), pattern="%word77%"),
        "a word that nobody said": Search(pattern="%nobody said this%", where={"model_version": ("model0",)}),
    }  # fmt: skip
    answers = Searching(AnswersIndex(path))
    for name, wanted in searches.items():
        times = []
        for _ in range(5):
            started = time.perf_counter()
            page = await answers.find(wanted, lambda row: row.trace_id)
            times.append(time.perf_counter() - started)
        pages, page = 0, await answers.find(wanted, lambda row: row.trace_id)
        started = time.perf_counter()
        while page.next and not page.found:
            pages, page = pages + 1, await answers.find(wanted, lambda row: row.trace_id, page.next)
        rest = f", with {pages} more: {1000 * (time.perf_counter() - started):.0f} ms" if pages else ""
        print(f"{name:32} {1000 * statistics.median(times):7.1f} ms  found {len(page.found)}{rest}", flush=True)
    answers.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--traces", type=int, default=1_000_000)
    parser.add_argument("--store", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.store or Path(folder) / "llmq.db"
        if not path.exists():
            store = SqliteStore.open(f"sqlite:///{path}")
            write(store, arguments.traces)
            store.close()
        connection = sqlite3.connect(path)
        size = connection.execute("SELECT sum(pgsize) FROM dbstat WHERE name = 'traces_found'").fetchone()[0]
        print(f"{arguments.traces} traces, {path.stat().st_size / 1e9:.2f} GB, of which the index {size / 1e6:.0f} MB")
        connection.close()
        asyncio.run(measure(path.resolve()))


if __name__ == "__main__":
    main()
