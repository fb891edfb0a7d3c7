"""Measures what the evaluators cost per trace, in us: --payload names the folder of payload.py, whose traces are scored."""

import argparse
import importlib
import json
import sys
import time
from pathlib import Path

from exporter.evaluators import BUILT_IN, built_in
from exporter.evaluators.grounding import SOURCES
from exporter.evaluators.refusal import declined
from exporter.evaluators.words import read
from exporter.panel import Panel
from exporter.trace import Document, Trace


def traces(folder, count):
    sys.path.insert(0, str(folder))
    payload = importlib.import_module("payload")
    text = payload.Text(1)
    for number in range(count):
        sent = payload.chat_attrs(text)
        yield Trace(
            trace_id=str(number),
            content_state="answered",
            question=json.loads(sent["gen_ai.input.messages"])[0]["parts"][0]["content"],
            answer=json.loads(sent["gen_ai.output.messages"])[0]["parts"][0]["content"],
            context=tuple(
                Document(id=one["id"], text=one["content"]) for one in json.loads(sent["gen_ai.retrieval.documents"])
            ),
            finish_reason="stop",
        )


def cost(call, given, fresh=True):
    """Each trace's cheapest of several runs, averaged: the machine's other work is not ours."""
    best = [float("inf")] * len(given)
    for _ in range(15):
        for number, one in enumerate(given):
            if fresh:
                forget()
            before = time.perf_counter_ns()
            call(one)
            best[number] = min(best[number], time.perf_counter_ns() - before)
    return sum(best) / len(given) / 1000


def forget():
    read.cache_clear()
    declined.cache_clear()
    SOURCES.__init__()


def naive(trace):
    """The yardstick of the machine: word sets of answer and documents, nothing else."""
    answer = set(trace.answer.encode().lower().split())
    return len(answer & set(" ".join(one.text for one in trace.context).encode().lower().split()))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payload", type=Path, default=Path(__file__).parents[2] / "shared" / "tools" / "perf")
    given = list(traces(parser.parse_args().payload, 200))
    empty = cost(id, given)
    print(f"{'word sets alone (yardstick)':40}{cost(naive, given) - empty:8.1f}")
    for function in BUILT_IN:
        print(f"{function.__name__ + ', alone':40}{cost(function, given) - empty:8.1f}")
    panel = Panel({}, built_in())
    with panel.armed():
        print(f"{'panel, documents new':40}{cost(panel.evaluate, given) - empty:8.1f}")
        for _ in range(2):
            list(map(panel.evaluate, given))
        print(f"{'panel, documents remembered':40}{cost(panel.evaluate, given[:100], fresh=False) - empty:8.1f}")
    print(f"{'panel, armed for each trace':40}{cost(panel.evaluate, given) - empty:8.1f}")


if __name__ == "__main__":
    main()
