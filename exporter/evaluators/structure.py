"""Structured answers: is it JSON, and does it validate against the schema that was asked for: `json_schema`."""

from collections import OrderedDict
from pathlib import Path
from typing import Any, Self

import jsonschema_rs
import msgspec

from ..score import Score
from ..trace import Trace
from .registry import evaluator

_VALIDATORS = 256
_SCHEMA_LIMIT = 256 * 1024
_FENCE = "```"

_EXPORT_LIMITS = frozenset({2**power for power in range(6, 21)} | {2**power - 1 for power in range(6, 21)}) | frozenset(
    digit * 10**power for power in range(2, 6) for digit in (1, 2, 3, 4, 5, 8, 10, 12)
)
"""Lengths at which exporters are usually told to cut attribute values."""


class Schema:
    """A JSON schema, compiled; nothing that it refers to is ever fetched."""

    option_type = "JSON schema"

    def __init__(self, validator: Any) -> None:
        self._validator = validator

    @classmethod
    def parse(cls, value: object) -> Self:
        """Compile a schema given as a mapping; ValueError says what is wrong with it."""
        if not isinstance(value, dict | bool):
            raise TypeError(f"expected a JSON schema, got {type(value).__name__}")
        try:
            return cls(jsonschema_rs.validator_for(value, retriever=_refuse))
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
            raise ValueError(f"invalid JSON schema: {_first_line(error)}") from None

    def problem(self, instance: Any) -> str:
        """By which keyword the instance breaks the schema, or "" where it does not; quotes no content."""
        try:
            if self._validator.is_valid(instance):
                return ""
            error = next(self._validator.iter_errors(instance))
        except ValueError:  # jsonschema_rs: more than 255 levels
            return "is nested too deep"
        where = "/".join(str(part) for part in error.schema_path)
        return f"breaks the schema at {where}"[:200]


class SchemaFile(Schema):
    """A JSON schema in a file."""

    option_type = "file of a JSON schema"

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read and compile; ValueError says what is wrong with file or schema."""
        if not isinstance(value, str):
            raise TypeError(f"expected the name of a file, got {type(value).__name__}")
        try:
            return super().parse(msgspec.json.decode(Path(value).read_bytes()))
        except (OSError, msgspec.DecodeError) as error:
            raise ValueError(f"cannot read {value}: {error}") from None


class Schemas:
    """Compiled schemas by their JSON text, the least recently used forgotten first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: OrderedDict[bytes, Schema | None] = OrderedDict()

    def get(self, schema: dict[str, Any]) -> Schema | None:
        """The compiled schema, or None where it is not a valid one or too large."""
        try:
            key = msgspec.json.encode(schema, order="sorted")
        except (ValueError, RecursionError):
            return None
        if len(key) > _SCHEMA_LIMIT:
            return None
        if key not in self._known:
            self._known[key] = _compiled(schema)
            if len(self._known) > self._size:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]


def _compiled(schema: dict[str, Any]) -> Schema | None:
    try:
        return Schema.parse(schema)
    except ValueError:
        return None


SENT = Schemas(_VALIDATORS)
"""Schemas that traces carried; they repeat with every request of an application."""


@evaluator("json_schema", version="1")
def json_schema(
    trace: Trace, *, schema: Schema | None = None, schema_file: SchemaFile | None = None, allow_fence: bool = False
) -> bool | Score | None:
    """The answer is strict JSON and validates: against the schema that was requested, else the configured one."""
    wanted = schema or schema_file
    if not (trace.response_schema is not None or trace.json_requested or wanted) or trace.answer is None:
        return None
    if trace.refusal or not (trace.answer or not trace.tool_calls):
        return None
    if trace.response_schema is not None:
        wanted = SENT.get(trace.response_schema) or wanted
    text = _unfenced(trace.answer) if allow_fence else trace.answer
    try:
        instance = msgspec.json.decode(text.encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        return _unparsed(trace, error)
    problem = wanted.problem(instance) if wanted else ""
    return Score(0.0, explanation=f"the answer {problem}") if problem else True


def _unparsed(trace: Trace, error: Exception) -> Score | None:
    if isinstance(error, RecursionError):
        return Score(0.0, explanation="the answer is JSON nested too deep")
    if trace.finish_reason == "length":
        return Score(0.0, explanation="the answer is not JSON: the model stopped at its length limit")
    if "truncated" in str(error) and len(trace.answer or "") in _EXPORT_LIMITS:
        return None  # cut on its way to us, most likely: what the user saw cannot be known
    return Score(0.0, explanation="the answer is not JSON")


def _unfenced(text: str) -> str:
    stripped = text.strip()
    first, newline, rest = stripped.partition("\n")
    if first.rstrip() in (_FENCE, _FENCE + "json", _FENCE + "JSON") and newline and rest.endswith(_FENCE):
        return rest.removesuffix(_FENCE)
    return text


def _refuse(uri: str) -> Any:
    raise ValueError(f"references to other documents are not followed: {uri}")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
