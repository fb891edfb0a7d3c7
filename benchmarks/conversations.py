"""Measures what following conversations adds to each trace, in us, beside a yardstick: the JSON of its document."""

import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from exporter.config import load
from exporter.feedback.join import FeedbackJoin
from exporter.ingest.assembly import OpenTrace
from exporter.metrics.labels import Slice
from exporter.metrics.registry import Metrics
from exporter.model.score import Outcome
from exporter.model.trace import Trace
from exporter.pipeline.pipeline import Scored
from exporter.recording.trace_document import document
from exporter.recording.unit_of_work import Recorder
from exporter.store.sqlite.store import SqliteStore
from exporter.store.writer import ThreadedWriter

TRACES = 1000
CONVERSATIONS = 250
ROUNDS = 25
VOCABULARY = [f"{n:04}word" for n in range(3000)]
WHERE = Slice("shop", "/ask", "m-1", "7")


def scored(chance, number, conversation):
    """A trace whose question has twenty words of a vocabulary of 3 000."""
    words = chance.choices(VOCABULARY, k=20)
    trace = Trace(
        trace_id=f"{number:032x}",
        conversation_id=conversation,
        content_state="answered",
        question=" ".join(words),
        answer="Open the settings, choose security, and then a new password. " * 10,
        started_at=1.79e9 + number,
        duration_seconds=0.5,
    )
    trace_id = number.to_bytes(16, "big")
    return Scored(trace_id, OpenTrace(trace_id, 0.0), trace, Outcome(), WHERE)


def cheapest(call, turns_of):
    """The cheapest of several rounds, per trace."""
    best = float("inf")
    for number in range(ROUNDS):
        turns = turns_of(number)
        before = time.perf_counter_ns()
        for one in turns:
            call(one)
        best = min(best, time.perf_counter_ns() - before)
    return best / TRACES / 1000


def main():
    chance = random.Random(1)

    def turns(number, name=lambda n: f"conversation-{n % CONVERSATIONS}"):
        return [scored(chance, number * TRACES + n, name(n)) for n in range(TRACES)]

    with TemporaryDirectory() as folder:
        store = SqliteStore.open(f"sqlite:///{Path(folder) / 'llmq.db'}")
        desk = FeedbackJoin(
            load(), Recorder(store, Metrics(version="1"), ThreadedWriter(store, lambda *_: None)), lambda _: None
        )
        alone = cheapest(desk.follow, lambda number: turns(number, lambda _: None))
        followed = cheapest(desk.follow, turns)
        store.close()
    told = cheapest(lambda one: msgspec.json.encode(document(one.trace, one.outcome, content=False)), turns)
    print(f"its document as JSON (yardstick)    {told:6.1f} us")
    print(f"without a conversation              {alone:6.1f} us")
    print(f"one more turn of a conversation     {followed:6.1f} us, {(followed - alone) / told:.1f} x yardstick")


if __name__ == "__main__":
    main()
