"""A span that some dialect speaks for, and what is asked of a dialect; knows no attribute names."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from msgspec import Struct

from ..model.trace import Document, LogRecord, Span, ToolDefinition
from .embedded import filled, inside, label, labels, parsed
from .messages import Message
from .shape import FieldRow, Shape, shape_of

Role = Literal["generation", "retrieval", "tool", "chain", "likely", "ignored"]
"""What a span is; likely: a model call by what it carries, though its kind or operation is not known as one."""
_T = TypeVar("_T")


class AttributeSet(Struct, eq=False, gc=False):
    """A set of attributes: of a span, a log record or a resource."""

    attributes: Mapping[str, Any]
    shape: Shape
    names: frozenset[str]
    _parsed: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(<{len(self.names)} attributes>)"

    def get(self, name: str) -> Any:
        """Return the value of an attribute, None where it is absent or empty."""
        if name in self.names:
            value = self.attributes[name]
            return None if value == "" else value
        return None

    def parsed(self, name: str) -> Any:
        """Return what the JSON in an attribute holds, else its value; parsed once, so not to be changed."""
        if name not in self.names:
            return None
        known = self._parsed
        if known is None:
            known = self._parsed = {}
        elif name in known:
            return known[name]
        known[name] = value = parsed(self.get(name))
        return value

    def pick(self, names: tuple[str, ...]) -> Any:
        """Return the first value that is neither absent nor ""; ``attribute#key`` looks inside a JSON object."""
        for _, name, key in self.shape[names]:
            value = inside(self.parsed(name), key) if key else self.attributes[name]
            if value is not None and value != "":
                return value
        return None

    def first(self, names: tuple[str, ...], read: Callable[[Any], _T | None]) -> _T | None:
        """Return the first of the values that ``pick`` looks through that can be read."""
        for _, name, key in self.shape[names]:
            value = inside(self.parsed(name), key) if key else self.attributes[name]
            if value is not None and value != "" and (found := read(value)) is not None:
                return found
        return None

    def pick_parsed(self, names: tuple[str, ...]) -> Any:
        """Return what the JSON in the first of some attributes holds that is there and not empty."""
        for name in names:
            value = self.parsed(name)
            if value is not None and value != "":
                return value
        return None

    def flattened(self, prefix: str) -> list[dict[str, Any]]:
        """Rebuild the list of objects that was flattened as ``prefix.N.key.M.key``."""
        items = self.shape.flattened(prefix)
        return [item for tree in items if type(item := filled(tree, self.attributes)) is dict]

    def fill(self, found: list[_T | None], wanted: Struct, read: Callable[[Any], _T | None]) -> None:
        """Put what can be read of a struct's fields, which are names to pick by, into their places in a list."""
        attributes, shape = self.attributes, self.shape
        _, direct, others = shape.plans.get(id(wanted)) or shape.plan(wanted)
        for field, name in direct:
            if (value := read(attributes[name])) is not None:
                found[field] = value
        for field, names in others:
            if (value := self.first(names, read)) is not None:
                found[field] = value

    def read(self, row: FieldRow, otherwise: Sequence[str | None]) -> list[str | None]:
        """Return the labels of a row of fields, ``otherwise`` where there is none."""
        attributes = self.attributes
        values = None if row.get is None else labels(row.get(attributes))
        if values is None:
            found = list(otherwise)
            for field, name in row.direct:
                found[field] = label(attributes[name]) or found[field]
        else:
            found = list(row.in_order((*values, *otherwise)))
        for field, names in row.others:
            found[field] = self.first(names, label) or found[field]
        return found


def place(attributes: Mapping[str, Any]) -> AttributeSet:
    """Return a set of attributes as a place to look into."""
    shape = shape_of(attributes)
    return AttributeSet(attributes, shape, shape.names)


class Node(AttributeSet, kw_only=True, eq=False, gc=False):
    """A span with its dialect, its role and the log records that belong to it."""

    span: Span
    dialect: "Dialect"
    role: Role
    logs: Sequence[LogRecord] = ()


class Fields(Struct, frozen=True, kw_only=True):
    """The attributes to try, in order, for what names a model call and its models."""

    request_model: tuple[str, ...]
    response_model: tuple[str, ...]
    response_id: tuple[str, ...]


CACHE_READ = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.details.cache_read_tokens",
    "gen_ai.usage.cached_input_tokens",
)
CACHE_WRITE = (
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "gen_ai.usage.details.cache_write_tokens",
)


class UsageFields(Struct, frozen=True, kw_only=True):
    """The attributes to try, in order, for the tokens of one model call.

    ``details``: an attribute with an object of disjoint counts, whose names begin with input and output (Langfuse).
    """

    input_tokens: tuple[str, ...]
    output_tokens: tuple[str, ...]
    cache_read: tuple[str, ...] = CACHE_READ
    cache_write: tuple[str, ...] = CACHE_WRITE
    details: str = ""


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
    provider: tuple[str, ...]
    finish: tuple[str, ...]
    usage: UsageFields
    inputs: Callable[[Node], list[Message] | None]
    outputs: Callable[[Node], list[Message] | None]
    format: Callable[[Node], Format]
    documents: Callable[[Node], list[Document]] = _nothing
    passed: Callable[[Node], list[Document]] = _nothing
    """The documents that a chain was called with."""
    query: Callable[[Node], str | None] = lambda _node: None
    tools: Callable[[Node], list[ToolDefinition]] = _nothing
    tool_name: tuple[str, ...] = ("gen_ai.tool.name",)
    tool_arguments: tuple[str, ...] = ("gen_ai.tool.call.arguments",)
    tool_id: tuple[str, ...] = ("gen_ai.tool.call.id",)
    tool_result: tuple[str, ...] = ("gen_ai.tool.call.result",)
    results: Callable[[Node], Sequence[str]] = _no_results
    reranks: Callable[[Node], bool] = lambda _node: False
    is_fragment: Callable[[Node], bool] = lambda _node: False
    """Whether a chain without model calls is part of a request that another trace tells of."""
