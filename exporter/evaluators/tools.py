"""The evaluator `tool_calls`: called tools against the definitions that the model was given; never runs anything."""

from collections.abc import Sequence

from ..model.score import Score, Skipped
from ..model.trace import ToolCall, ToolDefinition, Trace
from ..runtime import mismatch
from .export_limits import cut_on_export
from .registry import evaluator
from .schema import ValidationRun
from .structure import SENT, JsonSchema

_MOST = 1000
"""Calls of one answer that are looked at."""


@evaluator("tool_calls", version="3")
def tool_calls(trace: Trace) -> bool | Score | Skipped | None:
    """Called tools exist and their arguments validate; without definitions only that the arguments are JSON objects."""
    if not trace.tool_calls:
        return None
    tools = _Tools(trace.tool_definitions, may_be_cut=trace.finish_reason != "length")
    calls = trace.tool_calls[:_MOST]
    problems = [problem for call in calls if (problem := tools.problem(call))]
    cut = f"; looked at the first {_MOST} calls" if len(trace.tool_calls) > _MOST else ""
    if problems:
        bad = f"{len(problems)} of {len(calls)} calls: "
        return Score(1 - len(problems) / len(calls), False, bad + "; ".join(sorted(set(problems))) + cut)
    if tools.skipped:
        return tools.skipped
    if not trace.tool_definitions:
        return Score(1.0, True, "no definitions were sent: checked only that the arguments are JSON objects" + cut)
    return Score(1.0, True, cut.removeprefix("; ")) if cut else True


class _Tools:
    """The tools that the model was offered.

    ``skipped`` says why some call could not be looked at: its schema cannot be used, or its arguments were cut on
    their way here (not by the model, where ``may_be_cut``).
    """

    def __init__(self, definitions: Sequence[ToolDefinition], *, may_be_cut: bool) -> None:
        self._definitions = {one.name: one for one in definitions}
        self._schemas: dict[str, JsonSchema | None] = {}
        self._run = ValidationRun()
        self._may_be_cut = may_be_cut
        self.skipped: Skipped | None = None

    def problem(self, call: ToolCall) -> str:
        """What is wrong with a call, or ""; BudgetError where all calls together take more steps than they may."""
        definition = self._definitions.get(call.name)
        if self._definitions and definition is None:
            return "a tool that was not offered"
        arguments = {} if call.arguments in (None, "") else call.arguments
        if self._cut(arguments):
            self.skipped = Skipped("not_captured")
            return ""
        if not isinstance(arguments, dict):
            return "arguments that are not a JSON object"
        schema = self._schema(definition) if definition and definition.parameters else None
        return "arguments that do not validate" if schema and schema.problem(arguments, self._run) else ""

    def _cut(self, arguments: object) -> bool:
        return (
            self._may_be_cut
            and isinstance(arguments, str)
            and cut_on_export(arguments)
            and mismatch.ends_early(arguments)
        )

    def _schema(self, definition: ToolDefinition) -> JsonSchema | None:
        if definition.name not in self._schemas:
            self._schemas[definition.name] = SENT.get(definition.parameters or {}, self._run)
        schema = self._schemas[definition.name]
        if schema is None:
            self.skipped = Skipped("schema")
        return schema
