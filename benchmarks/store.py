"""What durability costs: commits beside an idle and a busy interpreter, look-ups and pruning, on stores of two sizes.

python benchmarks/store.py [ROWS]      (default 200000; PERFORMANCE figures use 1000000)
"""

import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from exporter.records.requests import Entry
from exporter.records.traces import Recorded
from exporter.store.changes import Changes
from exporter.store.sqlite.store import SqliteStore

BODY = os.urandom(157_000)  # a batch of 64 spans, compressed
DOCUMENT = b'{"trace_id":"' + b"0" * 600 + b'"}'


def transaction(rows, number):
    traces = [
        Recorded(os.urandom(16), time.time(), "chat", "/ask", "gpt-5", "v3", os.urandom(8), DOCUMENT)
        for _ in range(rows)
    ]
    totals = [("llmq_evaluations_total", f'["chat","/ask/{label}","gpt-5","v3"]', str(number)) for label in range(300)]
    return Changes(traces=traces, totals=totals)


def commit(store, rows, entries, number=0):
    first = store.journal.last_seq + 1
    numbered = [(first + n, Entry("traces", "application/x-protobuf", "gzip", BODY, 0.0)) for n in range(entries)]
    work = transaction(rows, number)
    work.done = [seq - entries for seq, _ in numbered if seq > entries]
    wall, cpu = time.perf_counter(), time.thread_time()
    store.journal.commit(numbered, work.done)
    store.commit(work)
    spent = (time.perf_counter() - wall, time.thread_time() - cpu)
    store.journal.checkpoint()
    store.checkpoint()
    return spent


@contextmanager
def busy_interpreter(busy):
    stop = False

    def burn():
        number = 0
        while not stop:
            number += 1

    thread = threading.Thread(target=burn)
    if busy:
        thread.start()
    yield
    stop = True
    if busy:
        thread.join()


def show_commits(store, title):
    print(f"\n{title}: ms per commit, median (slowest); CPU us per trace")
    for rows, entries in ((0, 1), (64, 1), (640, 10), (1900, 30)):
        for busy in (False, True):
            with busy_interpreter(busy):
                spent = [commit(store, rows, entries, number) for number in range(12)]
            wall = [seconds * 1e3 for seconds, _ in spent]
            cpu = statistics.median(seconds for _, seconds in spent) / max(rows, 1) * 1e6
            print(
                f"  {rows:5} traces, 300 totals, {entries:2} entries, {'busy' if busy else 'idle':4} interpreter:"
                f" {statistics.median(wall):7.1f} ({max(wall):6.1f}){cpu:9.1f}"
            )


def show_lookups(store):
    spent = []
    for _ in range(200):
        ids = [os.urandom(16) for _ in range(64)]
        started = time.perf_counter()
        store.rows.known(ids)
        spent.append((time.perf_counter() - started) / 64 * 1e6)
    print(f"  unknown ids, 64 at a time: {statistics.median(spent):.2f} us each, slowest call {max(spent) * 64:.0f} us")


def show_pruning(store):
    started = time.perf_counter()
    pruned = sum(store.prune(None, 0) for _ in range(10))
    print(f"  pruning: {(time.perf_counter() - started) / pruned * 1e6:.1f} us per trace")


def show_opening(store, url):
    store.close()
    started = time.perf_counter()
    opened = SqliteStore.open(url)
    print(f"  opening: {time.perf_counter() - started:.2f} s")
    return opened


def main(rows):
    folder = Path(tempfile.mkdtemp(prefix="llmq-bench-"))
    try:
        url = f"sqlite:///{folder / 'llmq.db'}"
        store = SqliteStore.open(url)
        show_commits(store, "new store")
        for number in range(rows // 1900):
            commit(store, 1900, 1, number)
        show_commits(store, f"{rows} traces recorded, {store.size_bytes() >> 20} MB")
        show_lookups(store)
        store = show_opening(store, url)
        show_pruning(store)
        store.close()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 200_000)
