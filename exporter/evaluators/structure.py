"""The evaluator `json_schema`: is the answer JSON, and does it validate against the requested schema?"""

from collections import OrderedDict
from hashlib import blake2b
from pathlib import Path
from typing import Any, Self

import msgspec

from ..model.score import Score, Skipped
from ..model.trace import Trace
from ..runtime import mismatch
from ..runtime.os_errors import why
from .export_limits import cut_on_export
from .registry import evaluator
from .schema import BudgetError, SchemaError, ValidationRun, Validator, compiled

JSON_LIMIT = 1 << 20
"""Characters of an answer that is read as JSON; of a longer one nothing can be said."""

_VALIDATORS, _STEPS_KEPT = 256, 200_000
_SCHEMA_LIMIT = 256 * 1024
_FENCE = "```"


class JsonSchema:
    """A JSON schema, compiled; nothing that it refers to is ever fetched."""

    option_type = "JSON schema"

    def __init__(self, validator: Validator, identity: str = "") -> None:
        self._validator = validator
        self.steps = validator.steps
        self.identity = identity

    @classmethod
    def parse(cls, value: object) -> Self:
        """Compile a schema given as a mapping; raises ValueError with what is wrong with it."""
        if not isinstance(value, dict | bool):
            raise TypeError(f"expected a JSON schema, got {type(value).__name__}")
        try:
            return cls(compiled(value), _digest(msgspec.json.encode(value, order="sorted")).hex())
        except SchemaError as error:
            raise ValueError(f"invalid JSON schema: {error}") from None
        except BudgetError:
            raise ValueError("invalid JSON schema: it has more keywords than can be compiled") from None

    def problem(self, instance: Any, run: ValidationRun | None = None) -> str:
        """By which keyword the instance breaks the schema, or "" where it does not; quotes no content.

        Raises BudgetError where that takes more steps than the run has left (by default, a run of its own).
        """
        where = self._validator.problem(instance, run or ValidationRun())
        return "" if where is None else f"breaks the schema at {where or 'its root'}"


class SchemaFile(JsonSchema):
    """A JSON schema in a file."""

    option_type = "file of a JSON schema"

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read and compile; raises ValueError with what is wrong with file or schema."""
        if not isinstance(value, str):
            raise TypeError(f"expected the name of a file, got {type(value).__name__}")
        try:
            content = Path(value).read_bytes()
        except OSError as error:
            raise ValueError(f"cannot read {value}: {why(error)}") from None
        try:
            return super().parse(msgspec.json.decode(content))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise ValueError(f"cannot read {value}: {mismatch.of_json(content, object)}") from None


class Schemas:
    """Compiled schemas by their JSON text, the least recently used forgotten first: so many, of so many steps at most.

    What a schema takes to compile also says how much memory it takes, some 70 bytes a step.
    """

    def __init__(self, size: int, steps: int = _STEPS_KEPT) -> None:
        self._size = size
        self._steps = steps
        self._known: OrderedDict[bytes, JsonSchema | SchemaError | BudgetError] = OrderedDict()
        self._taken = 0

    def get(self, schema: dict[str, Any], run: ValidationRun | None = None) -> JsonSchema | None:
        """The compiled schema, or None where it cannot be used; what it took to compile it is taken from the run.

        Raises BudgetError where the schema is too large, or that is more than the run has left.
        """
        try:
            text = msgspec.json.encode(schema, order="sorted")
        except (ValueError, RecursionError):
            return None
        if len(text) > _SCHEMA_LIMIT:
            raise BudgetError
        key = _digest(text)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = _compiled(schema)
            self._make_room(_steps(found))
        self._known.move_to_end(key)
        if isinstance(found, BudgetError):
            raise BudgetError
        if run is not None:
            run.spend(found.steps)
        return found if isinstance(found, JsonSchema) else None

    def _make_room(self, steps: int) -> None:
        self._taken += steps
        while len(self._known) > self._size or (self._taken > self._steps and len(self._known) > 1):
            self._taken -= _steps(self._known.popitem(last=False)[1])


def _digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=16).digest()


def _steps(known: JsonSchema | SchemaError | BudgetError) -> int:
    return known.steps if isinstance(known, JsonSchema) else 0


def _compiled(schema: dict[str, Any]) -> JsonSchema | SchemaError | BudgetError:
    try:
        return JsonSchema(compiled(schema))
    except (SchemaError, BudgetError) as error:
        return error.with_traceback(None)


SENT = Schemas(_VALIDATORS)
"""Schemas that traces carried; they repeat with every request of an application."""


@evaluator("json_schema", version="3")
def json_schema(
    trace: Trace, *, schema: JsonSchema | None = None, schema_file: SchemaFile | None = None, allow_fence: bool = False
) -> bool | Score | Skipped | None:
    """The answer is strict JSON and validates: against the schema that was requested, else the configured one."""
    configured = schema or schema_file
    if not (trace.response_schema is not None or trace.json_requested or configured) or trace.answer is None:
        return None
    if trace.refusal or not (trace.answer or not trace.tool_calls):
        return None
    text = _unfenced(trace.answer) if allow_fence else trace.answer
    if len(text) > JSON_LIMIT:
        raise BudgetError
    try:
        instance = msgspec.json.decode(text.encode("utf-8", "replace"))
    except RecursionError:
        return Score(0.0, explanation="the answer is JSON nested too deep")
    except (msgspec.DecodeError, ValueError):
        return _unparsed(trace, text)
    sent = None if trace.response_schema is None else SENT.get(trace.response_schema)
    wanted = sent or configured
    if wanted is None:
        return True if trace.response_schema is None else Skipped("schema")
    problem = wanted.problem(instance)
    return Score(0.0, explanation=f"the answer {problem}") if problem else True


def _unparsed(trace: Trace, text: str) -> Score | Skipped:
    if trace.finish_reason == "length":
        return Score(0.0, explanation="the answer is not JSON: the model stopped at its length limit")
    if cut_on_export(trace.answer or "") and mismatch.ends_early(text):
        return Skipped("not_captured")
    return Score(0.0, explanation="the answer is not JSON")


def _unfenced(text: str) -> str:
    stripped = text.strip()
    first, newline, rest = stripped.partition("\n")
    if first.rstrip() in (_FENCE, _FENCE + "json", _FENCE + "JSON") and newline and rest.endswith(_FENCE):
        return rest.removesuffix(_FENCE)
    return text
