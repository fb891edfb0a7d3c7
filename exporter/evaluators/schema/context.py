"""What the builder of a keyword knows: the schema around the keyword, and how to read its value."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .budget import ValidationRun
from .draft import Draft
from .errors import SchemaError, Where
from .expressions import ExpressionError
from .node import SchemaNode
from .resources import Resource

if TYPE_CHECKING:
    from .compiler import Compiler


class Context:
    """One schema while its keywords are compiled; ``where`` is its place."""

    __slots__ = ("_compiler", "_where", "draft", "resource", "schema")

    def __init__(self, compiler: "Compiler", schema: Mapping[str, Any], resource: Resource, where: Where) -> None:
        self._compiler = compiler
        self._where = where
        self.draft: Draft = compiler.draft
        self.schema = schema
        self.resource = resource

    @property
    def run(self) -> ValidationRun:
        """Whose steps the compilation takes."""
        return self._compiler.run

    def error(self, keyword: str, message: str) -> SchemaError:
        """What is wrong with a keyword, to be raised."""
        return SchemaError(message, (self._where, keyword, ""))

    def one(self, keyword: str, schema: Any, name: str = "") -> SchemaNode:
        """The node of a schema in a keyword."""
        where = self._where, keyword, name
        if not isinstance(schema, dict | bool):
            raise SchemaError("must be a schema", where)
        return self._compiler.node(schema, self.resource, where)

    def several(self, keyword: str, schemas: Any) -> list[SchemaNode]:
        """The nodes of a list of schemas in a keyword."""
        if not isinstance(schemas, list):
            raise self.error(keyword, "must be a list of schemas")
        return [self.one(keyword, schema, str(number)) for number, schema in enumerate(schemas)]

    def named(self, keyword: str, schemas: Any) -> dict[str, SchemaNode]:
        """The nodes of a mapping of names to schemas in a keyword."""
        return {name: self.one(keyword, schema, name) for name, schema in self.mapping(keyword, schemas).items()}

    def mapping(self, keyword: str, value: Any) -> dict[str, Any]:
        """The value of a keyword that must be a mapping."""
        if not isinstance(value, dict):
            raise self.error(keyword, "must be a mapping")
        return value

    def strings(self, keyword: str, value: Any = None) -> tuple[str, ...]:
        """The value of a keyword, or one within it, that must be a list of strings."""
        value = self.schema[keyword] if value is None else value
        self.run.spend(len(value) // 2 if isinstance(value, list) else 0)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.error(keyword, "must be a list of strings")
        return tuple(value)

    def number(self, keyword: str, value: Any) -> float:
        """The value of a keyword that must be a number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(keyword, "must be a number")
        return value

    def count(self, keyword: str, value: Any) -> int:
        """The value of a keyword that must be a whole number, not below 0."""
        number = self.number(keyword, value)
        if number < 0 or number != number // 1:
            raise self.error(keyword, "must be a whole number, not below 0")
        return int(number)

    def limit(self, keyword: str, default: Any) -> Any:
        """The whole number in another keyword of the schema, where the draft knows that; else the default."""
        known = keyword in self.schema and self.draft.anchor_keywords
        return self.count(keyword, self.schema[keyword]) if known else default

    def pattern(self, keyword: str, source: Any) -> Callable[[str, ValidationRun], bool]:
        """(text, run) → does the regular expression match anywhere in the text?"""
        if not isinstance(source, str):
            raise self.error(keyword, "must be a regular expression")
        try:
            return self._compiler.pattern(source)
        except ExpressionError as error:
            raise self.error(keyword, str(error)) from None

    def referred(self, keyword: str, reference: Any) -> SchemaNode:
        """The node that a reference leads to."""
        return self._compiler.referred(self._reference(keyword, reference), self.resource, (self._where, keyword, ""))

    def referred_dynamically(self, keyword: str, reference: Any) -> SchemaNode:
        """A node that passes values on to what ``$dynamicRef`` leads to."""
        where = self._where, keyword, ""
        return self._compiler.referred_dynamically(self._reference(keyword, reference), self.resource, where)

    def referred_recursively(self, keyword: str, reference: Any) -> SchemaNode:
        """A node that passes values on to what ``$recursiveRef`` leads to."""
        target = self.referred(keyword, reference)
        if "" not in self.resource.dynamic:
            return target
        return self._compiler.dynamic("", target)

    def _reference(self, keyword: str, reference: Any) -> str:
        if not isinstance(reference, str):
            raise self.error(keyword, "must be a URI reference")
        return reference
