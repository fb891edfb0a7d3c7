"""Scored traces and tables as text for people. Prints nothing itself; of terminals it knows only colours."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from ..config import Config
from ..evaluators.registry import Listed
from ..model.score import Outcome
from ..model.trace import Trace
from ..recording.trace_document import explained
from ..rules.compare import LEAST
from ..rules.slo import LAST_WEEK, Reach, reach

_COLOURS: Final = {"pass": "32", "fail": "31", "failure": "35", "unscored": "2", "bold": "1"}
_VERDICTS: Final = ("pass", "fail", "unscored", "failure")
_SHORT: Final = 100


class Paint:
    """Colours words where colour is wanted, and leaves them alone where it is not."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def __call__(self, text: str, kind: str) -> str:
        """The text in the colour of this kind of word."""
        return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if self._colour and kind in _COLOURS else text


class Summary:
    """Verdicts counted by evaluator."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {}

    def add(self, outcome: Outcome) -> None:
        """Count what the evaluators said of one trace."""
        for name, verdict in _verdicts(outcome):
            self._counts.setdefault(name, Counter())[verdict] += 1

    def lines(self) -> Iterator[str]:
        """A table of evaluators, with a share of passes wherever there are verdicts."""
        rows: list[tuple[str, ...]] = [("evaluator", *_VERDICTS, "pass rate")]
        for name, counts in self._counts.items():
            scored = counts["pass"] + counts["fail"]
            rate = f"{counts['pass'] / scored:.1%}" if scored else "-"
            rows.append((name, *(str(counts[verdict]) for verdict in _VERDICTS), rate))
        yield from table(rows, right=range(1, 6))


def trace_lines(trace: Trace, outcome: Outcome, paint: Paint) -> Iterator[str]:
    """One scored trace: where it comes from, what was said, and what each evaluator says of it."""
    yield paint(_header(trace), "bold")
    for name, text in (("question", trace.question), ("answer", trace.answer), ("refusal", trace.refusal)):
        if text:
            yield f"  {name:<9} {shortened(text)}"
    yield from (f"  {line}" for line in table([*_outcome_rows(outcome, paint)], right=(2,)))


def evaluator_lines(one: Listed) -> Iterator[str]:
    """One evaluator: its name and version, what it says, and its options."""
    yield f"{one.name}  version {one.version}, {one.kind}, {one.source}"
    yield f"    {one.summary}"
    yield from (
        f"      {line}" for line in table([(f"{n}:", kind, f"default {value}") for n, kind, value in one.options])
    )


def alert_lines(config: Config) -> Iterator[str]:
    """From what share of bad events each alert fires, and after how many events in its long window at the earliest."""
    rows: list[tuple[str, ...]] = [("slo", "objective", "alert", "fires above", "if all are bad", "at twice the share")]
    rows += [_alert_row(row) for row in reach(config.slos, config.alerting.widened(config.alerting.z))]
    for slo in config.slos:
        if LAST_WEEK in slo.alerts:
            rows.append((slo.name, "", LAST_WEEK, "2 or 1/2 x last week", f"{LEAST}", f"{LEAST}"))
    if len(rows) > 1:
        yield from ("", *table(rows, (1, 3, 4, 5)))
        yield "\nfires above: a share of bad events; then how many events the long window needs before it can fire"
    if silent := [slo.name for slo in config.slos if not slo.alerts]:
        yield f"recorded for panels, without alerts: {', '.join(silent)}"


def _alert_row(row: Reach) -> tuple[str, ...]:
    counts = ("-" if count is None else f"{count:,}" for count in (row.events_all_bad, row.events_twice_line))
    return (row.slo, f"{row.objective:f}", row.alert, f"{float(row.line) * 100:.4g}%", *counts)


def table(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> Iterator[str]:
    """Rows as aligned lines; columns named in ``right`` are aligned to the right. Colours take no room."""
    widths = [max(_width(cell) for cell in column) for column in zip(*rows, strict=True)]
    aligned_right = set(right)
    for row in rows:
        cells = []
        for number, (cell, width) in enumerate(zip(row, widths, strict=True)):
            space = " " * (width - _width(cell))
            cells.append(space + cell if number in aligned_right else cell + space)
        yield "  ".join(cells).rstrip()


def shortened(text: str, length: int = _SHORT) -> str:
    """The text in one line of at most this many characters, safe to show on a terminal."""
    line = "".join(c if c.isprintable() else " " for c in text[: 4 * length])
    line = " ".join(line.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def _header(trace: Trace) -> str:
    parts = [f"trace {trace.trace_id}", f"{trace.app} {trace.route}", trace.model_version]
    parts += [f"prompt {trace.prompt_version}", trace.content_state.replace("_", " ")]
    if trace.duration_seconds is not None:
        parts.append(f"{trace.duration_seconds:.3g} s")
    if trace.input_tokens is not None or trace.output_tokens is not None:
        parts.append(f"{_number(trace.input_tokens)} + {_number(trace.output_tokens)} tokens")
    return " · ".join(shortened(part) for part in (*parts, trace.dialect))


def _number(tokens: int | None) -> str:
    return "?" if tokens is None else str(tokens)


def _outcome_rows(outcome: Outcome, paint: Paint) -> Iterator[tuple[str, str, str, str]]:
    for one in outcome.evaluations:
        why = shortened(explained(one, content=True), 2 * _SHORT)
        yield one.evaluator, paint(one.verdict, one.verdict), f"{one.score:.2f}", why
    for failed in outcome.failures:
        yield failed.evaluator, paint("failure", "failure"), "-", shortened(f"{failed.reason}: {failed.detail}")
    for unscored in outcome.unscored:
        yield unscored.evaluator, paint("unscored", "unscored"), "-", unscored.reason.replace("_", " ")


def _verdicts(outcome: Outcome) -> Iterator[tuple[str, str]]:
    yield from ((one.evaluator, one.verdict) for one in outcome.evaluations)
    yield from ((one.evaluator, "unscored") for one in outcome.unscored)
    yield from ((one.evaluator, "failure") for one in outcome.failures)


def _width(cell: str) -> int:
    start = cell.find("m") + 1 if cell.startswith("\x1b[") else 0
    return len(cell) - start - (4 if start else 0)
