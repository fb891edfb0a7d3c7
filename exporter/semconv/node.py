"""A span that some dialect speaks for, and what is asked of a dialect; knows no attribute names."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from msgspec import Struct

from ..trace import Document, LogRecord, Span, ToolDefinition
from .embedded import inside, parsed
from .messages import Message

Role = Literal["generation", "retrieval", "tool", "chain", "ignored"]


class Shape:
    """The set of names that spans of one kind carry, and which of the names asked for are among them."""

    __slots__ = ("known", "names")

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self.known: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {}

    def find(self, wanted: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """Return, of ``attribute`` and ``attribute#key`` names, the (attribute, key) pairs whose attribute is there."""
        parts = (name.partition("#") for name in wanted)
        self.known[wanted] = found = tuple((name, key) for name, _, key in parts if name in self.names)
        return found


_cached = lru_cache(maxsize=512)(Shape)
_FEW = 64


def shape_of(attributes: Mapping[str, Any]) -> Shape:
    """Return the shape of a span; the spans of a program have few, so those of ordinary size are kept."""
    names = frozenset(attributes)
    return _cached(names) if len(names) <= _FEW else Shape(names)


class Node:
    """A span with its dialect, its role and the log records that belong to it."""

    __slots__ = ("attributes", "dialect", "logs", "names", "role", "shape", "span")

    def __init__(self, span: Span, shape: Shape, dialect: "Dialect", role: Role) -> None:
        self.span = span
        self.attributes = span.attributes
        self.shape = shape
        self.names = shape.names
        self.dialect = dialect
        self.role = role
        self.logs: Sequence[LogRecord] = ()

    def get(self, name: str) -> Any:
        """Return the value of an attribute, None where it is absent or empty."""
        if name in self.names:
            value = self.attributes.get(name)
            return None if value == "" else value
        return None

    def pick(self, names: tuple[str, ...]) -> Any:
        """Return the first value that is neither absent nor ""; ``attribute#key`` looks inside a JSON object."""
        found = self.shape.known.get(names)
        for name, key in self.shape.find(names) if found is None else found:
            value = self.attributes.get(name)
            if key:
                value = inside(parsed(value), key)
            if value is not None and value != "":
                return value
        return None


class Fields(Struct, frozen=True, kw_only=True):
    """The attributes to try, in order, for what one model call says of itself."""

    request_model: tuple[str, ...]
    response_model: tuple[str, ...]
    provider: tuple[str, ...]
    response_id: tuple[str, ...]
    finish: tuple[str, ...]
    input_tokens: tuple[str, ...]
    output_tokens: tuple[str, ...]


class Format(Struct, frozen=True):
    """Whether JSON was requested, and the schema where that was sent."""

    json: bool = False
    schema: dict[str, Any] | None = None


UNASKED = Format()


def _nothing(_node: Node) -> list[Any]:
    return []


def _no_results(_node: Node) -> Sequence[str]:
    return ()


class Dialect(Struct, frozen=True, kw_only=True):
    """How to read a span of one convention. ``inputs`` and ``outputs`` give None where content was not sent."""

    name: str
    fields: Fields
    inputs: Callable[[Node], list[Message] | None]
    outputs: Callable[[Node], list[Message] | None]
    format: Callable[[Node], Format]
    documents: Callable[[Node], list[Document]] = _nothing
    query: Callable[[Node], str | None] = lambda _node: None
    tools: Callable[[Node], list[ToolDefinition]] = _nothing
    tool_name: tuple[str, ...] = ("gen_ai.tool.name",)
    tool_arguments: tuple[str, ...] = ("gen_ai.tool.call.arguments",)
    tool_id: tuple[str, ...] = ("gen_ai.tool.call.id",)
    tool_result: tuple[str, ...] = ("gen_ai.tool.call.result",)
    results: Callable[[Node], Sequence[str]] = _no_results
    reranks: Callable[[Node], bool] = lambda _node: False
