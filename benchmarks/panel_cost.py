"""Measures what the evaluators cost per trace, in us; --payload names the folder of payload.py, the standard traces."""

import argparse
import importlib
import json
import sys
import time
from pathlib import Path

from exporter.evaluators import BUILT_IN, built_in
from exporter.evaluators.panel import Panel
from exporter.evaluators.refusal import declined
from exporter.evaluators.words import read
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


def costs(calls, given, rounds=15):
    """Each trace's cheapest of several runs, averaged, in us; the calls take turns: all see one machine."""
    best = {name: [float("inf")] * len(given) for name in calls}
    for _ in range(rounds):
        for number, one in enumerate(given):
            for name, (call, prepare) in calls.items():
                prepare(one)
                before = time.perf_counter_ns()
                call(one)
                best[name][number] = min(best[name][number], time.perf_counter_ns() - before)
    return {name: sum(times) / len(times) / 1000 for name, times in best.items()}


def forget(_):
    read.cache_clear()
    declined.cache_clear()


def naive(trace):
    """The yardstick of the machine: word sets of answer and documents, nothing else."""
    answer = set(trace.answer.encode().lower().split())
    return len(answer & set(" ".join(one.text for one in trace.context).encode().lower().split()))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payload", type=Path, default=Path(__file__).parents[2] / "shared" / "tools" / "perf")
    given = list(traces(parser.parse_args().payload, 200))
    panel = Panel({}, built_in())
    with panel.armed():
        calls = {"nothing": (id, forget), "word sets alone (yardstick)": (naive, forget)}
        calls |= {f"{function.__name__}, alone": (function, forget) for function in BUILT_IN}
        calls["panel"] = (panel.evaluate, forget)
        found = costs(calls, given)
    found |= costs({"panel, armed for each trace": (panel.evaluate, forget)}, given)
    yardstick = found["word sets alone (yardstick)"] - found["nothing"]
    for name, spent in found.items():
        print(f"{name:40}{spent - found['nothing']:8.1f}{(spent - found['nothing']) / yardstick:8.2f} x yardstick")


if __name__ == "__main__":
    main()
