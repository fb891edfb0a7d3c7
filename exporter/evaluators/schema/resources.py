"""Identifiers inside a schema: resources by URI, their anchors, and the targets of references."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from .budget import ValidationRun
from .draft import Draft
from .errors import SchemaError

_SCHEMA, _URI = 3, 15
"""Steps that it takes to place a subschema, and to resolve a URI of no length."""

_SHOWN = 80


class Resource:
    """A schema with a URI of its own: its anchors; those that dynamic references may lead to are in ``dynamic``."""

    __slots__ = ("anchors", "dynamic", "root", "uri")

    def __init__(self, uri: str, root: Any) -> None:
        self.uri = uri
        self.root = root
        self.anchors: dict[str, Any] = {}
        self.dynamic: dict[str, Any] = {}


class Resources:
    """The resources of a schema, and in which of them each subschema lies (by its ``id``: the schema is kept)."""

    def __init__(self, schema: Any, draft: Draft, run: ValidationRun) -> None:
        self._draft = draft
        self._run = run
        self.are_dynamic = False
        """Whether any dynamic reference may lead to several places."""
        self._by_uri: dict[str, Resource] = {}
        self._of: dict[int, Resource] = {}
        self.root = Resource("", schema)
        self._by_uri[""] = self.root
        self._scan(schema, self.root)

    def of(self, schema: Any) -> Resource:
        """The resource in which a subschema lies."""
        return self._of[id(schema)]

    def with_dynamic_anchor(self, name: str) -> Iterator[tuple[Resource, Any]]:
        """The resources that have a dynamic anchor of that name, and what it marks."""
        for one in dict.fromkeys(self._by_uri.values()):
            if name in one.dynamic:
                self._run.spend(_SCHEMA)
                yield one, one.dynamic[name]

    def resolve(self, reference: str, base: Resource) -> Any:
        """The subschema that a reference leads to; SchemaError where this schema holds none such."""
        self._run.spend(_URI + len(reference))
        uri, fragment = urldefrag(_joined(base.uri, reference))
        resource = self._by_uri.get(uri)
        if resource is None:
            raise SchemaError(
                f"{reference[:_SHOWN]!r} is not in this schema; references to other documents are not followed"
            )
        fragment = unquote(fragment)
        if not fragment:
            return resource.root
        found = self._at(resource, fragment) if fragment[0] == "/" else resource.anchors.get(fragment)
        if not isinstance(found, dict | bool):
            raise SchemaError(f"{reference[:_SHOWN]!r} leads to no schema")
        return found

    def _at(self, resource: Resource, pointer: str) -> Any:
        """What lies at a JSON pointer; a schema in a place where none was known becomes known."""
        value = resource.root
        for token in pointer[1:].split("/"):
            resource = self._of.get(id(value), resource)
            value = _step(value, token.replace("~1", "/").replace("~0", "~"))
        if isinstance(value, dict) and id(value) not in self._of:
            self._scan(value, resource)
        return value

    def _scan(self, schema: Any, resource: Resource) -> None:
        """Note the resource of each subschema. Those in the way of a cycle are met once."""
        waiting = [(schema, resource)]
        while waiting:
            one, resource = waiting.pop()
            if not isinstance(one, dict) or id(one) in self._of:
                continue
            self._run.spend(_SCHEMA)
            resource = self._of[id(one)] = self._identified(one, resource)
            self.are_dynamic |= bool(resource.dynamic)
            waiting += [(inner, resource) for inner in self._draft.inside(one)]

    def _identified(self, schema: dict[str, Any], resource: Resource) -> Resource:
        draft = self._draft
        if draft.ref_stands_alone and "$ref" in schema:
            return resource
        given = schema.get(draft.id_keyword)
        if isinstance(given, str):
            self._run.spend(_URI + len(given))
            uri, fragment = urldefrag(_joined(resource.uri, given))
            if not given.startswith("#"):
                resource = self._known_as(uri, schema)
            if fragment:
                resource.anchors[fragment] = schema
        for name, is_dynamic in draft.anchors(schema):
            resource.anchors.setdefault(name, schema)
            if is_dynamic:
                resource.dynamic.setdefault(name, schema)
        if schema.get("$recursiveAnchor") is True and "$recursiveRef" in draft.keywords and resource.root is schema:
            resource.dynamic[""] = schema
        return resource

    def _known_as(self, uri: str, schema: dict[str, Any]) -> Resource:
        if schema is self.root.root:
            self.root.uri = uri
            return self._by_uri.setdefault(uri, self.root)
        return self._by_uri.setdefault(uri, Resource(uri, schema))


def _step(value: Any, token: str) -> Any:
    if isinstance(value, dict):
        return value.get(token)
    if isinstance(value, list) and token.isascii() and token.isdecimal() and len(token) < 8:
        return value[int(token)] if int(token) < len(value) else None
    return None


def _joined(base: str, reference: str) -> str:
    if not reference or reference.startswith("#"):
        return base + reference
    try:
        return urljoin(base, reference)
    except ValueError:
        raise SchemaError(f"{reference[:_SHOWN]!r} is no URI") from None
