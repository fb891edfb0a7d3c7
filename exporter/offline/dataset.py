"""Rows of an offline suite (JSONL) → Traces, and what the panel says of them → rows. Streams; knows no file names."""

from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ..model.score import Evaluation, Failure, Outcome, Unscored
from ..model.trace import UNKNOWN, ContentState, Document, ToolCall, ToolDefinition, Trace
from ..recording.trace_document import explained
from ..runtime import mismatch
from ..semconv.finish import finish_reason
from .application import Ask, NoAnswerError, again
from .expected import Wanted

LONGEST_LINE: Final = 64 << 20
"""Bytes of one row; a longer line is an error, so that a file that is not JSONL does not fill the memory."""

_Name = Annotated[str, Meta(min_length=1)]
_Said = Evaluation | Unscored | Failure


class LineError(ValueError):
    """A line that is not a row; ``line`` counts from 1. The message holds nothing of the line's content."""

    def __init__(self, line: int, message: str) -> None:
        self.line = line
        super().__init__(f"line {line}: {message}")


class _Context(Struct):
    text: str
    id: str | int | None = None
    score: float | None = None


class _Call(Struct):
    name: _Name
    arguments: Any = None
    id: str | None = None


class _Definition(Struct):
    name: _Name
    parameters: dict[str, Any] | None = None


class _Row(Struct):
    """One case of a suite; a field that is not here is left alone."""

    id: str | int
    input: str | None = None
    output: str | dict[str, Any] | list[Any] | UnsetType | None = UNSET
    system_prompt: str | None = None
    earlier: list[str] | None = None
    context: list[str | _Context] | None = None
    tool_calls: list[_Call] | None = None
    tool_results: list[str] | None = None
    tool_definitions: list[_Definition] | None = None
    response_schema: dict[str, Any] | None = None
    finish_reason: str | None = None
    refusal: str | None = None
    app: str | None = None
    route: str | None = None
    expected: str | None = None
    rejected: str | None = None


class SuiteCase(Struct, frozen=True):
    """One row, ready to be scored: its id as it was given, its Trace, and what its answer should be."""

    id: str | int
    trace: Trace
    wanted: Wanted = Wanted()


class Result(Struct, frozen=True, omit_defaults=True):
    """One row of output: a score with its verdict, or why there is none (``unscored`` or ``failure``)."""

    id: str | int
    evaluator: str
    evaluator_version: str
    score: float | None
    verdict: str | None
    explanation: str
    unscored: str | None = None
    failure: str | None = None


_decoder: Final = msgspec.json.Decoder(_Row)


def cases(file: IO[bytes], ask: Ask | None = None, at_once: int = 1) -> Iterator[SuiteCase | LineError]:
    """The rows of a JSONL file, one at a time; a line that is not one comes as a LineError in its place.

    With ``ask`` an application answers the questions again, so many at once; a row without its answer is an error.
    """
    found = _lines(file)
    for number, line in enumerate(found if ask is None else again(found, ask, at_once), 1):
        if isinstance(line, NoAnswerError):
            yield LineError(number, f"no answer: {line}")
        elif len(line) > LONGEST_LINE:
            yield LineError(number, f"is longer than {LONGEST_LINE >> 20} MiB: is this JSONL?")
            return
        elif line.strip():
            yield _case(number, line)


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of a file, to the first that is too long."""
    while line := file.readline(LONGEST_LINE + 1):
        yield line
        if len(line) > LONGEST_LINE:
            return


def results(case: SuiteCase, outcome: Outcome, versions: dict[str, str]) -> Iterator[Result]:
    """A row for each evaluator of ``versions``, in that order, of those that said something."""
    everything: tuple[_Said, ...] = (*outcome.evaluations, *outcome.unscored, *outcome.failures)
    said = {one.evaluator: one for one in everything}
    for name, version in versions.items():
        if name in said:
            yield _result(case.id, version, said[name])


def encoded(rows: Iterable[Result]) -> bytes:
    """The rows as JSONL."""
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def _result(case_id: str | int, version: str, said: _Said) -> Result:
    if isinstance(said, Evaluation):
        why = explained(said, content=True)
        return Result(case_id, said.evaluator, said.evaluator_version, said.score, said.verdict, why)
    if isinstance(said, Unscored):
        return Result(case_id, said.evaluator, version, None, None, "", unscored=said.reason)
    return Result(case_id, said.evaluator, version, None, None, said.detail, failure=said.reason)


def _case(number: int, line: bytes) -> SuiteCase | LineError:
    try:
        row = _decoder.decode(line)
    except msgspec.ValidationError:
        return LineError(number, str(mismatch.of_json(line, _Row)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return LineError(number, "is not a JSON object")
    if row.output is UNSET and not row.refusal and not row.tool_calls:
        return LineError(number, 'has no "output" (null or "" if nothing was said), "refusal" or "tool_calls"')
    return SuiteCase(row.id, _trace(row), Wanted(row.expected, row.rejected))


def _trace(row: _Row) -> Trace:
    answer = _text(row.output)
    state: ContentState = "refused" if row.refusal else "answered" if answer or row.tool_calls else "empty"
    return Trace(
        trace_id=str(row.id),
        app=row.app or UNKNOWN,
        route=row.route or UNKNOWN,
        dialect="dataset",
        content_state=state,
        question=row.input,
        system_prompt=row.system_prompt,
        earlier=tuple(row.earlier or ()),
        answer="" if state == "empty" else answer,
        refusal=row.refusal or None,
        context=tuple(_document(one) for one in row.context or ()),
        tool_calls=tuple(ToolCall(name=one.name, arguments=_arguments(one), id=one.id) for one in row.tool_calls or ()),
        tool_results=tuple(row.tool_results or ()),
        tool_definitions=_definitions(row.tool_definitions or ()),
        json_requested=row.response_schema is not None,
        response_schema=row.response_schema,
        finish_reason=finish_reason(row.finish_reason),
    )


def _text(output: str | dict[str, Any] | list[Any] | UnsetType | None) -> str | None:
    if isinstance(output, UnsetType):
        return None
    return output if isinstance(output, str) or output is None else msgspec.json.encode(output).decode()


def _document(one: str | _Context) -> Document:
    if isinstance(one, str):
        return Document(text=one)
    return Document(text=one.text, id=None if one.id is None else str(one.id), score=one.score)


def _arguments(call: _Call) -> Any:
    """Arguments may be sent as JSON text, as models write them; text that is not JSON stays what it is."""
    if not isinstance(call.arguments, str):
        return call.arguments
    try:
        return msgspec.json.decode(call.arguments)
    except (msgspec.DecodeError, RecursionError):
        return call.arguments


def _definitions(given: Sequence[_Definition]) -> tuple[ToolDefinition, ...]:
    return tuple(ToolDefinition(name=one.name, parameters=one.parameters) for one in given)
