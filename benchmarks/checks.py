"""Measures the cheap checks on the lines of tests/checks/*.jsonl: false alarms and sensitivity; -v shows what is wrong.

``--data FOLDER`` also counts the alarms on the answers of public data that accuracy.py reads: English ones, of which
none should be one.
A line says whether it fails, and what of a trace the check looks at. A check that does not apply raises no alarm.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

from exporter.evaluators import BUILT_IN
from exporter.model.score import Score
from exporter.model.trace import Document, ToolCall, Trace

FOLDER = Path(__file__).parent.parent / "tests" / "checks"
RUN = {function.__evaluator__.name: function for function in BUILT_IN}
PUBLIC = ("grounding_ragtruth", "refusal_xstest", "grounding_begin", "citation_attributionbench")
NAMES = [name for name in RUN if (FOLDER / f"{name}.jsonl").exists()]


def lines(name):
    """Each line of a check as its trace, and whether it fails."""
    for line in (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        fails = row.pop("fails")
        row["context"] = tuple(Document(text=text) for text in row.get("context", ()))
        row["tool_results"] = tuple(row.get("tool_results", ()))
        row["earlier"] = tuple(row.get("earlier", ()))
        calls = enumerate(row.get("tool_calls", ()))
        row["tool_calls"] = tuple(ToolCall(name=call, arguments=given, id=f"{n}") for n, (call, given) in calls)
        yield Trace(trace_id=name, content_state="answered", **row), fails


def fails(name, trace):
    """Whether a check fails a trace."""
    said = RUN[name](trace)
    return said is False or getattr(said, "passed", None) is False


def measured(name):
    """How many lines fail and how many do not, how many of each were told wrongly, and those."""
    counts, wrong = Counter(), []
    for trace, right in lines(name):
        counts[right] += 1
        if fails(name, trace) != right:
            counts["missed" if right else "alarms"] += 1
            wrong.append(trace)
    return counts, wrong


def table():
    """The table of the README."""
    rows = ["| check | near misses | false alarms | failing | found |", "|---|---|---|---|---|"]
    for name in NAMES:
        counts, _ = measured(name)
        alarms, found = counts["alarms"] / counts[False], 1 - counts["missed"] / counts[True]
        rows.append(f"| `{name}` | {counts[False]} | {100 * alarms:.1f} % | {counts[True]} | {100 * found:.1f} % |")
    return "\n".join(rows)


def public(data):
    """For two checks, of the answers of public data: how many there are, how many it judges, how many it fails."""
    counts = {name: Counter() for name in ("private_data", "language_match")}
    for folder in PUBLIC:
        for line in (data / folder / "dev.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            context = tuple(Document(text=text) for text in row.get("context", ()))
            trace = Trace(trace_id="", question=row["input"], answer=row["output"], context=context)
            for name, count in counts.items():
                said = RUN[name](trace)
                count["answers"] += 1
                count["judged"] += isinstance(said, bool | Score)
                count["alarms"] += fails(name, trace)
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-v", action="store_true")
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args()
    print(table())
    for name, count in public(arguments.data).items() if arguments.data else ():
        print(f"{name}: {count['answers']} answers, {count['judged']} judged, {count['alarms']} alarms")
    for name in NAMES if arguments.v else ():
        for trace in measured(name)[1]:
            print(name, trace.question, trace.answer, trace.tool_calls, trace.tool_results, sep=" | ")


if __name__ == "__main__":
    main()
