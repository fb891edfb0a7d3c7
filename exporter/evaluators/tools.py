"""Called tools against the definitions that the model was given: `tool_calls`; never runs anything."""

from ..score import Score
from ..trace import ToolCall, ToolDefinition, Trace
from .registry import evaluator
from .structure import SENT


@evaluator("tool_calls", version="1")
def tool_calls(trace: Trace) -> bool | Score | None:
    """Called tools exist and their arguments validate; without definitions only that the arguments are JSON objects."""
    if not trace.tool_calls:
        return None
    definitions = {one.name: one for one in trace.tool_definitions}
    problems = [problem for call in trace.tool_calls if (problem := _problem(call, definitions))]
    if problems:
        bad = f"{len(problems)} of {len(trace.tool_calls)} calls: "
        return Score(1 - len(problems) / len(trace.tool_calls), False, bad + "; ".join(sorted(set(problems))))
    if not definitions:
        return Score(1.0, True, "no definitions were sent: checked only that the arguments are JSON objects")
    return True


def _problem(call: ToolCall, definitions: dict[str, ToolDefinition]) -> str:
    if definitions and call.name not in definitions:
        return "a tool that was not offered"
    arguments = {} if call.arguments in (None, "") else call.arguments
    if not isinstance(arguments, dict):
        return "arguments that are not a JSON object"
    parameters = definitions[call.name].parameters if definitions else None
    schema = SENT.get(parameters) if parameters else None
    return "arguments that do not validate" if schema and schema.problem(arguments) else ""
