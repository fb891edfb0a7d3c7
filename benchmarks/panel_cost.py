"""Measures what the evaluators and redaction cost per trace, in us, on the calls of payload.py."""

import json
import time

from payload import Prose, call_attributes

from exporter.config import load
from exporter.evaluators import BUILT_IN, built_in
from exporter.evaluators.languages import remembered as languages
from exporter.evaluators.panel import Panel
from exporter.evaluators.refusal import remembered as declines
from exporter.evaluators.words import remembered as readings
from exporter.model.trace import Document, Trace


def traces(count):
    prose = Prose(seed=1)
    for number in range(count):
        sent = call_attributes(prose)
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
    readings.cache_clear()
    declines.cache_clear()
    languages.cache_clear()


def naive(trace):
    """The yardstick of the machine: word sets of answer and documents, nothing else."""
    answer = set(trace.answer.encode().lower().split())
    return len(answer & set(" ".join(one.text for one in trace.context).encode().lower().split()))


def texts(trace):
    return (trace.question, trace.answer, *(one.text for one in trace.context))


def main():
    given = list(traces(200))
    characters = sum(len(text) for one in given for text in texts(one))
    print(f"{len(given)} traces with {characters / len(given):,.0f} characters each")
    redactor = load().privacy.redactor()
    panel = Panel({}, built_in())
    with panel.armed():
        calls = {"nothing": (id, forget), "word sets alone (yardstick)": (naive, forget)}
        calls |= {f"{function.__name__}, alone": (function, forget) for function in BUILT_IN}
        calls["panel"] = (panel.evaluate, forget)
        calls["redaction of all its text"] = (lambda trace: [redactor.text(one) for one in texts(trace)], forget)
        found = costs(calls, given)
    found |= costs({"panel, armed for each trace": (panel.evaluate, forget)}, given)
    yardstick = found["word sets alone (yardstick)"] - found["nothing"]
    for name, spent in found.items():
        print(f"{name:40}{spent - found['nothing']:8.1f}{(spent - found['nothing']) / yardstick:8.2f} x yardstick")


if __name__ == "__main__":
    main()
