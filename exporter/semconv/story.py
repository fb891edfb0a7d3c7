"""The spans of one trace as a tree of nodes: its model calls, and what stands around each. Reads no content."""

from collections import deque
from collections.abc import Iterable, Sequence

from ..model.trace import LogRecord, Span
from .detect import classify
from .embedded import count, label
from .node import AttributeSet, Node, place

_MANY = 64
"""Nodes searched for a field that is on neither the answering call nor its ancestors, or for a call's twin."""


class Story:
    """The nodes of a trace, in order of start."""

    __slots__ = ("_around_calls", "_parents", "groups", "nodes", "spans")

    def __init__(self, spans: Sequence[Span], logs: Sequence[LogRecord]) -> None:
        self.spans = spans
        self.nodes = nodes = [node for node in map(classify, spans) if node is not None]
        if len(nodes) > 1:
            nodes.sort(key=lambda node: node.span.start)
        if logs and nodes:
            self._join(logs)
        self._parents = {span.span_id: span for span in spans} if len(spans) > 1 else {}
        self._around_calls: set[bytes] | None = None
        self._promote()
        calls = [node for node in nodes if node.role == "generation"]
        self.groups = self._distinct(calls) if len(calls) > 1 else [calls] if calls else []
        """The model calls in order of start; two packages that tell of one call are one group, the outermost first."""

    def _promote(self) -> None:
        """Settle what is a model call by its evidence alone: it is one where none stands inside it, else a chain."""
        likely = [node for node in self.nodes if node.role == "likely"]
        if not likely:
            return
        around: set[bytes] = set()
        for node in self.nodes:
            if node.role == "generation":
                self._mark_ancestors(node.span, around)
        for node in sorted(likely, key=lambda node: (-node.span.start, node.span.end)):
            node.role = "chain" if node.span.span_id in around else "generation"
            self._mark_ancestors(node.span, around)

    def _mark_ancestors(self, span: Span, marked: set[bytes]) -> None:
        current = span.parent_span_id
        while current in self._parents and current not in marked:
            marked.add(current)
            current = self._parents[current].parent_span_id

    def _join(self, logs: Sequence[LogRecord]) -> None:
        by_span: dict[bytes, list[LogRecord]] = {}
        for record in sorted(logs, key=lambda record: record.time):
            by_span.setdefault(record.span_id, []).append(record)
        for node in self.nodes:
            node.logs = by_span.get(node.span.span_id, ())

    def _distinct(self, calls: list[Node]) -> list[list[Node]]:
        by_id = {call.span.span_id: call for call in calls}
        nearest: dict[bytes, bytes | None] = {}
        groups: dict[bytes, list[Node]] = {}
        leaders: dict[bytes | str, bytes] = {}
        siblings: dict[bytes, deque[Node]] = {}
        """By their parent, the first call of each group, as many of the last ones as are looked at."""
        for call in sorted(calls, key=lambda call: (call.span.start, -call.span.end)):
            own = call.span.span_id
            outer = self._nearest(call.span, by_id, nearest)
            response = label(call.pick(call.dialect.fields.response_id))
            leader = leaders.get(outer) if outer else None
            if leader is None:
                leader = leaders.get(response) if response else _twin(call, siblings.get(call.span.parent_span_id, ()))
            if leader is None:
                siblings.setdefault(call.span.parent_span_id, deque(maxlen=_MANY)).append(call)
            leaders[own] = leader or own
            if response:
                leaders.setdefault(response, leaders[own])
            groups.setdefault(leaders[own], []).append(call)
        return list(groups.values())

    def _nearest(self, span: Span, wanted: dict[bytes, Node], known: dict[bytes, bytes | None]) -> bytes | None:
        """Return the nearest ancestor in ``wanted``; ``known`` keeps what was found, so that all walks are linear."""
        path: list[bytes] = []
        current = span.parent_span_id
        while current in self._parents and current not in known:
            if current in wanted:
                known[current] = current
                break
            known[current] = None
            path.append(current)
            current = self._parents[current].parent_span_id
        answer = known.get(current)
        for passed in path:
            known[passed] = answer
        return answer

    def ancestors(self, span: Span) -> list[Span]:
        """Return a span's ancestors as far as they were sent, the parent first."""
        found: list[Span] = []
        seen = {span.span_id}
        current = span.parent_span_id
        while (parent := self._parents.get(current)) is not None and current not in seen:
            found.append(parent)
            seen.add(current)
            current = parent.parent_span_id
        return found

    def chain_above(self, node: Node) -> Node | None:
        """Return the outermost agent or chain that a node is part of."""
        if not self._parents or not node.span.parent_span_id:
            return None
        chains = self._chains()
        above = [chains[span.span_id] for span in self.ancestors(node.span) if span.span_id in chains]
        return above[-1] if above else None

    def chains_above(self, node: Node) -> list[Node]:
        """Return the agents and chains that a node is part of, the outermost first."""
        if not self._parents or not node.span.parent_span_id:
            return []
        chains = self._chains()
        return [chains[span.span_id] for span in reversed(self.ancestors(node.span)) if span.span_id in chains]

    def _chains(self) -> dict[bytes, Node]:
        return {node.span.span_id: node for node in self.nodes if node.role == "chain"}

    def holds_calls(self, node: Node) -> bool:
        """Whether a model call stands inside a node: then it is a function around the call, and no tool."""
        if self._around_calls is None:
            self._around_calls = set()
            for group in self.groups:
                self._mark_ancestors(group[0].span, self._around_calls)
        return node.span.span_id in self._around_calls

    def outermost_chain(self) -> Node | None:
        """Return, of a trace without model calls, the agent or chain that ends last and is part of no other."""
        chains = self._chains()
        known: dict[bytes, bytes | None] = {}
        outermost = [node for node in chains.values() if self._nearest(node.span, chains, known) is None]
        return max(outermost, key=lambda node: node.span.end, default=None)

    def near(self, node: Node) -> list[AttributeSet]:
        """Return where to search for a field: the node, its span's ancestors outwards, then some other nodes."""
        if not self._parents:
            return [node]
        above, others = self.around(node)
        return [node, *(place(span.attributes) for span in above), *others]

    def around(self, node: Node) -> tuple[list[Span], list[Node]]:
        """Return a node's ancestors, the parent first, and some other nodes."""
        above = self.ancestors(node.span)
        seen = {node.span.span_id, *(span.span_id for span in above)}
        return above, [item for item in self.nodes[:_MANY] if item.span.span_id not in seen]


def _twin(call: Node, siblings: Iterable[Node]) -> bytes | None:
    """Return the group of the call that another package told of: a sibling around it in time, of equal usage.

    For a package that tells no response id; a second call of one program would come from the same package.
    """
    span = call.span
    for first in siblings:
        other = first.span
        if (
            other.scope != span.scope
            and other.start <= span.start
            and span.end <= other.end
            and _usage(call) in (_usage(first), (None, None))
        ):
            return other.span_id
    return None


def _usage(call: Node) -> tuple[int | None, int | None]:
    usage = call.dialect.usage
    return count(call.pick(usage.input_tokens)), count(call.pick(usage.output_tokens))
