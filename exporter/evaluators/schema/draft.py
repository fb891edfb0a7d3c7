"""What differs between drafts of JSON Schema."""

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

from msgspec import Struct

Builder = Callable[..., None]
"""(node, value of the keyword, Context): adds the keyword's checks to a node."""

_IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")
_OF_ITEMS = ("items", "prefixItems", "additionalItems", "unevaluatedItems", "contains")
_OF_PROPERTIES = ("additionalProperties", "unevaluatedProperties", "propertyNames")

HOLDING_SCHEMAS = frozenset((*_IN_PLACE, *_OF_ITEMS, *_OF_PROPERTIES, "contentSchema"))
"""Keywords whose value is a schema or a list of schemas."""

HOLDING_NAMED_SCHEMAS = frozenset(
    ("properties", "patternProperties", "dependentSchemas", "dependencies", "$defs", "definitions")
)
"""Keywords whose value maps names to schemas."""


_ALWAYS = frozenset(("$defs", "definitions", "then", "else"))


def inside(schema: Mapping[str, Any], keywords: Container[str]) -> list[Any]:
    """The values in a schema that are schemas, where those keywords mean something; others may be among them."""
    found: list[Any] = []
    for keyword, value in schema.items():
        if keyword not in keywords and keyword not in _ALWAYS:
            continue
        if keyword in HOLDING_NAMED_SCHEMAS and isinstance(value, dict):
            found += value.values()
        elif keyword in HOLDING_SCHEMAS:
            found += value if isinstance(value, list) else (value,)
    return found


class Draft(Struct, frozen=True, kw_only=True):
    """One draft: its keywords, in the order in which a value is checked, and how it names and refers to schemas."""

    name: str
    uri: str
    keywords: dict[str, Builder]
    id_keyword: str = "$id"
    anchor_keywords: tuple[str, ...] = ()
    ref_stands_alone: bool = False
    """Whether keywords beside ``$ref`` are ignored."""
    contains_evaluates: bool = False
    """Whether items that keep ``contains`` are evaluated items."""
    order: dict[str, int] = {}
    """The place of each keyword in ``keywords``."""

    def __post_init__(self) -> None:
        self.order.update({keyword: place for place, keyword in enumerate(self.keywords)})

    def inside(self, schema: Mapping[str, Any]) -> list[Any]:
        """The values in a schema that are schemas themselves."""
        return inside(schema, self.keywords)

    def keywords_of(self, schema: Mapping[str, Any]) -> list[tuple[str, Builder]]:
        """The keywords of a schema and who builds them, in the order in which values are checked."""
        if self.ref_stands_alone and "$ref" in schema:
            return [("$ref", self.keywords["$ref"])]
        present = self.keywords.keys() & schema.keys()
        return sorted(((one, self.keywords[one]) for one in present), key=lambda pair: self.order[pair[0]])

    def only_refers(self, schema: Any) -> bool:
        """Whether a schema is a reference and nothing else."""
        if not isinstance(schema, dict) or not isinstance(schema.get("$ref"), str):
            return False
        return self.ref_stands_alone or len(self.keywords.keys() & schema.keys()) == 1

    def anchors(self, schema: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
        """The names that a schema gives itself, and whether dynamic references may lead there."""
        for keyword in self.anchor_keywords:
            if isinstance(name := schema.get(keyword), str):
                yield name, keyword == "$dynamicAnchor"
