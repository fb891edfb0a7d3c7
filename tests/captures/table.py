"""Holds every captured request against what the model really did; `make captures` prints it as a table.

Expectations are in expected.yaml and INDEX.json; what an instrumentation does not send is in not_sent.yaml, with the
reason. A field must be right or be listed there, and must not be listed there while it is right.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from exporter.decode import JSON, PROTOBUF, DecodeLimits, decode
from exporter.model.trace import UNKNOWN, Trace
from exporter.semconv import Sources, normalise

HERE = Path(__file__).parent
RECEIVED_AT = 1_795_421_000.0
"""A moment after the captures were made, in Unix seconds."""
FORMS = {"pb": PROTOBUF, "json": JSON, "rawjson": JSON}
FIELDS = (
    "question",
    "answer",
    "refusal",
    "documents",
    "model",
    "conversation",
    "prompt_version",
    "finish",
    "tool_calls",
    "state",
    "route",
    "tokens",
)
_ALWAYS = {"model": "gpt-4o-2024-08-06", "tool_calls": [], "refusal": None, "tokens": [42, 17]}


class Capture(NamedTuple):
    """One scenario as one instrumentation told of it, in one or more requests."""

    instrumentation: str
    scenario: str
    parts: tuple[tuple[str, str], ...]
    """(signal, file name without its form), in the order in which they were sent."""

    @property
    def name(self) -> str:
        return f"{self.instrumentation}.{self.scenario}"


class Absence(NamedTuple):
    """A row of not_sent.yaml."""

    instrumentations: str
    scenarios: str
    fields: tuple[str, ...]
    reason: str
    instead: dict[str, Any]

    def covers(self, capture: Capture, field: str) -> bool:
        return (
            field in self.fields
            and _matches(capture.instrumentation, self.instrumentations)
            and _matches(capture.scenario, self.scenarios)
        )


class Finding(NamedTuple):
    """One field of one capture: right, or not sent for a reason, or neither, which is a problem."""

    capture: Capture
    field: str
    absence: Absence | None
    problem: str


def _matches(name: str, patterns: str) -> bool:
    wanted = [pattern for pattern in patterns.split() if not pattern.startswith("!")]
    unwanted = [pattern[1:] for pattern in patterns.split() if pattern.startswith("!")]
    return any(fnmatchcase(name, p) for p in wanted) and not any(fnmatchcase(name, p) for p in unwanted)


@cache
def index() -> dict[str, Any]:
    """Return INDEX.json: the captures, and what the model really did."""
    found: dict[str, Any] = json.loads((HERE / "INDEX.json").read_text())
    return found


@cache
def _yaml(name: str) -> Any:
    return yaml.safe_load((HERE / name).read_text())


def captures() -> list[Capture]:
    """Return every capture of the index, by name."""
    parts = defaultdict(list)
    for entry in index()["captures"]:
        parts[entry["instrumentation"], entry["scenario"]].append((entry["signal"], entry["file"]))
    return [Capture(*key, tuple(sorted(found, reverse=True))) for key, found in sorted(parts.items())]


def absences() -> list[Absence]:
    """Return the rows of not_sent.yaml."""
    return [
        Absence(
            row["instrumentations"],
            row.get("scenarios", "*"),
            tuple(row["fields"]),
            row["reason"],
            row.get("instead", {}),
        )
        for row in _yaml("not_sent.yaml")
    ]


def traces(capture: Capture, form: str) -> list[Trace]:
    """Return the traces of a capture in the order in which they began, from protobuf or JSON."""
    spans, logs = defaultdict(list), defaultdict(list)
    for signal, file in capture.parts:
        body = (HERE / "requests" / f"{file}.{form}").read_bytes()
        batch = decode(signal, FORMS[form], body, DecodeLimits(), RECEIVED_AT)
        for span in batch.spans:
            spans[span.trace_id].append(span)
        for record in batch.logs:
            logs[record.trace_id].append(record)
    found = [normalise(trace_id, told, logs[trace_id], Sources()) for trace_id, told in spans.items()]
    shown = (
        trace
        for trace in found
        if trace and not (trace.content_state in _echoes(capture) and trace.question is trace.answer is None)
    )
    return sorted(shown, key=lambda trace: trace.started_at or 0)


def forms(capture: Capture) -> list[str]:
    """Return the forms in which a capture was kept."""
    first = capture.parts[0][1]
    return [form for form in FORMS if (HERE / "requests" / f"{first}.{form}").exists()]


def _echoes(capture: Capture) -> tuple[str, ...]:
    """Return the states of traces in which the provider's SDK tells of the same call, without its text."""
    return next(
        (tuple(row["states"]) for row in _yaml("expected.yaml")["echoes"] if _matches(capture.name, row["captures"])),
        (),
    )


def turns(capture: Capture) -> list[dict[str, Any]]:
    """Return what the traces of a capture must say."""
    expected = _yaml("expected.yaml")
    found = expected["scenarios"].get(capture.scenario)
    changes: dict[str, Any] = {}
    for patterns, change in expected["captures"].items():
        if _matches(capture.name, patterns):
            found = change.get("turns", found)
            changes |= {field: value for field, value in change.items() if field != "turns"}
    assert found is not None, f"{capture.name}: expected.yaml does not say what to expect"
    return [{field: _truth(value) for field, value in (_ALWAYS | turn | changes).items()} for turn in found]


def _truth(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _truth(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_truth(item) for item in value]
    if not isinstance(value, str) or not value.startswith("truth."):
        return value
    found = index()["truth"]
    for key in value.split(".")[1:]:
        found = found[key]
    return found


def facts(trace: Trace) -> dict[str, Any]:
    """Return what is checked of a trace, in the terms of expected.yaml."""
    return {
        "question": trace.question,
        "answer": trace.answer,
        "refusal": trace.refusal,
        "documents": [f"{item.id}: {item.text}" for item in trace.context if item.text],
        "model": trace.model_version,
        "conversation": trace.conversation_id,
        "prompt_version": trace.prompt_version,
        "finish": trace.finish_reason,
        "tool_calls": [[call.name, call.arguments] for call in trace.tool_calls],
        "state": trace.content_state,
        "route": trace.route,
        "tokens": [trace.input_tokens, trace.output_tokens],
    }


def _is(actual: Any, expected: Any, field: str) -> bool:
    if isinstance(expected, dict):
        if "any" in expected:
            return actual in expected["any"]
        if "texts" in expected:
            return [item.partition(": ")[2] for item in actual] == [
                item.partition(": ")[2] for item in expected["texts"]
            ]
        if "json" in expected:
            return isinstance(actual, str) and actual[:1] == "{" and json.loads(actual) == expected["json"]
        return isinstance(actual, str) and actual.startswith(expected["starts"])
    if isinstance(actual, str) and isinstance(expected, str):
        return actual.strip() == expected.strip()
    if isinstance(expected, list) and field in ("conversation", "prompt_version"):
        return actual in expected
    return bool(actual == expected)


def _is_absent(actual: Any, field: str, absence: Absence) -> bool:
    if field in absence.instead:
        return _is(actual, absence.instead[field], field)
    return actual in (None, "", UNKNOWN, [], [None, None])


def _turn(trace: Trace, number: int, count: int, expected: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the turn that a trace tells of: by place, or by question where one turn was told twice."""
    if count == len(expected):
        return expected[number]
    return next((turn for turn in expected if _is(trace.question, turn.get("question"), "question")), expected[0])


def findings(capture: Capture) -> Iterator[Finding]:
    """Yield one finding for each field that is expected of a capture."""
    expected, found = turns(capture), traces(capture, "pb")
    if bool(expected) != bool(found) or len(found) < len(expected):
        yield Finding(capture, "state", None, f"{len(found)} traces, not {len(expected)}")
        return
    pairs = [(facts(trace), _turn(trace, i, len(found), expected)) for i, trace in enumerate(found)]
    for field in FIELDS:
        checks = [(told[field], turn[field]) for told, turn in pairs if field in turn]
        if checks:
            yield _finding(capture, field, checks)


def _finding(capture: Capture, field: str, checks: list[tuple[Any, Any]]) -> Finding:
    absence = next((row for row in absences() if row.covers(capture, field)), None)
    wrong = [(actual, wanted) for actual, wanted in checks if not _is(actual, wanted, field)]
    if not wrong:
        return Finding(capture, field, None, "")
    if absence is None:
        return Finding(capture, field, None, f"is {wrong[0][0]!r}, not {wrong[0][1]!r}")
    strange = [actual for actual, _ in wrong if not _is_absent(actual, field, absence)]
    return Finding(capture, field, absence, f"is {strange[0]!r}, neither right nor absent" if strange else "")


def stale() -> list[tuple[Absence, str]]:
    """Return (row, field) of not_sent.yaml that no capture lacks, and where it is sent after all."""
    used, right = defaultdict(set), defaultdict(list)
    for capture in captures():
        for finding in findings(capture):
            if finding.absence:
                used[finding.absence.reason, finding.absence.scenarios].add(finding.field)
            for row in absences() if not finding.absence else ():
                if row.covers(capture, finding.field) and _needed(capture, finding.field):
                    right[row.reason, row.scenarios, finding.field].append(capture.name)
    return [
        (row, f"{field} is sent by {', '.join(sent[:3])}" if sent else f"{field} is missing nowhere")
        for row in absences()
        for field in row.fields
        if (sent := right[row.reason, row.scenarios, field]) or field not in used[row.reason, row.scenarios]
    ]


def _needed(capture: Capture, field: str) -> bool:
    """Whether a capture has something to send there: of no tool call, nothing is what must be read."""
    return any(turn.get(field) not in (None, [], "", {"any": [None, ""]}) for turn in turns(capture))


def lines() -> Iterator[str]:
    """Yield the table and the reasons, line by line."""
    reasons: dict[str, int] = {}
    width = max(len(capture.name) for capture in captures())
    yield f"{'':{width}}  {'  '.join(FIELDS)}"
    for capture in captures():
        marks = {finding.field: _mark(finding, reasons) for finding in findings(capture)}
        cells = "  ".join(f"{marks.get(field, ''):{len(field)}}" for field in FIELDS)
        yield f"{capture.name:{width}}  {cells if marks else 'no LLM request in it'}".rstrip()
    yield "\nyes: as the model really did.  (n): the instrumentation does not send it, or not so:"
    yield from (f"{number:4}  {reason}" for reason, number in reasons.items())


def _mark(finding: Finding, reasons: dict[str, int]) -> str:
    if finding.problem:
        return "WRONG"
    return f"({reasons.setdefault(finding.absence.reason, len(reasons) + 1)})" if finding.absence else "yes"


def main() -> int:
    """Print the table; the exit code says whether anything is wrong."""
    wrong = [finding for capture in captures() for finding in findings(capture) if finding.problem]
    sys.stdout.writelines(f"{line}\n" for line in lines())
    sys.stdout.writelines(f"{finding.capture.name}: {finding.field} {finding.problem}\n" for finding in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
