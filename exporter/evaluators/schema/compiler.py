"""Turns a schema into nodes, within a bound; knows no keyword."""

from collections.abc import Callable
from typing import Any

from .budget import ValidationRun
from .context import Context
from .draft import Draft
from .errors import SchemaError, Where
from .expressions import Expression
from .node import ANYTHING, NOTHING, TYPES, Place, SchemaNode, ScopedNode
from .resources import Resource, Resources

_NODE, _KEYWORD = 5, 7
"""Steps that it takes to make a node, and to build a keyword; some keywords take more."""

_HOPS = 100
"""References that lead to references, one after the other."""


class Compiler:
    """Makes the nodes of one schema as one draft reads it, within the steps of a run.

    Raises SchemaError where the schema cannot be used, BudgetError where the steps do not suffice.
    """

    def __init__(self, schema: Any, draft: Draft, run: ValidationRun) -> None:
        self.draft = draft
        self.run = run
        self._resources = Resources(schema, draft, run)
        self._nodes: dict[int, SchemaNode] = {}
        self._anchored: dict[str, dict[Resource, SchemaNode]] = {}
        """By the name of a dynamic anchor, the node that has it in each resource."""
        self._waiting: list[tuple[SchemaNode, Context]] = []
        self._expressions: dict[str, Callable[[str, ValidationRun], bool]] = {}
        self.root = self.node(schema, self._resources.root, None)
        while self._waiting:
            self._build(*self._waiting.pop())

    def _build(self, node: SchemaNode, context: Context) -> None:
        schema = context.schema
        for keyword, build in self.draft.keywords_of(schema):
            self.run.spend(_KEYWORD)
            build(node, schema[keyword], context)

    def node(self, schema: Any, resource: Resource, where: Where) -> SchemaNode:
        """The node of a subschema, the same one each time; its checks may be added later."""
        schema = self._meant(schema, where)
        if isinstance(schema, bool):
            return ANYTHING if schema else NOTHING
        node = self._nodes.get(id(schema))
        if node is None:
            self.run.spend(_NODE)
            resource = self._resources.of(schema)
            node = ScopedNode(resource) if self._resources.are_dynamic else SchemaNode()
            self._nodes[id(schema)] = node
            self._waiting.append((node, Context(self, schema, resource, where)))
        else:
            node.is_shared = True
        return node

    def _meant(self, schema: Any, where: Where) -> Any:
        """What a schema leads to that is a reference and nothing else, so that no level is spent on it."""
        for _ in range(_HOPS):
            if self._resources.are_dynamic or not self.draft.only_refers(schema):
                return schema
            schema = self._resolved(schema["$ref"], self._resources.of(schema), (where, "$ref", ""))
        raise SchemaError("leads to another reference without end", (where, "$ref", ""))

    def referred(self, reference: str, base: Resource, where: Where) -> SchemaNode:
        """The node that a reference leads to."""
        return self.node(self._resolved(reference, base, where), base, where)

    def _resolved(self, reference: str, base: Resource, where: Where) -> Any:
        try:
            return self._resources.resolve(reference, base)
        except SchemaError as error:
            raise SchemaError(error.message, where) from None

    def referred_dynamically(self, reference: str, base: Resource, where: Where) -> SchemaNode:
        """The node that a dynamic reference leads to, at first or always."""
        target = self._resolved(reference, base, where)
        node = self.node(target, base, where)
        anchor = reference.rpartition("#")[2]
        is_dynamic = isinstance(target, dict) and anchor and target.get("$dynamicAnchor") == anchor
        return self.dynamic(anchor, node) if is_dynamic else node

    def dynamic(self, anchor: str, otherwise: SchemaNode) -> SchemaNode:
        """A node that passes a value on to what has the anchor in the resource that was entered first."""
        targets = self._anchored.get(anchor)
        if targets is None:
            targets = self._anchored[anchor] = {
                resource: self.node(schema, resource, None)
                for resource, schema in self._resources.with_dynamic_anchor(anchor)
            }
        return _passing_on(targets, otherwise)

    def pattern(self, source: str) -> Callable[[str, ValidationRun], bool]:
        """(text, run) → does the expression match anywhere in the text? ExpressionError where it cannot be used."""
        found = self._expressions.get(source)
        if found is None:
            expression = Expression(source, self.run)
            found = self._expressions[source] = expression.found
        return found


def _passing_on(targets: dict[Resource, SchemaNode], otherwise: SchemaNode) -> SchemaNode:
    def target(run: ValidationRun) -> SchemaNode:
        return next((targets[one] for one in run.scope if one in targets), otherwise)

    def check(value: Any, run: ValidationRun, depth: int) -> Place | None:
        return target(run).check(value, run, depth)

    node = SchemaNode()
    node.add(TYPES, check)
    node.marks_names = (lambda value, run, depth, seen: target(run).names(value, run, depth, seen),)
    node.marks_items = (lambda value, run, depth, seen: target(run).items(value, run, depth, seen),)
    return node
