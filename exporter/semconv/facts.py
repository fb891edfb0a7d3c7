"""What a trace's calls say of themselves beside content: names, models, tokens, times, errors; reads no messages."""

from collections.abc import Iterable, Sequence
from itertools import chain

from msgspec.structs import astuple

from ..trace import Span
from .embedded import count, label
from .node import Fields, Node, Place
from .sources import Sources
from .story import Story

_FRAMEWORKS = frozenset({"strands-agents", "langchain", "langgraph", "crewai", "microsoft.agent_framework", "unknown"})
_LONGEST_ERROR = 200
_APP, _ROUTE = map(Sources.__struct_fields__.index, ("app", "route"))
_CHOSEN = len(Sources.__struct_fields__)


def names(story: Story, group: list[Node]) -> list[str | None]:
    """Return requested model, answering model and response id as the call tells them.

    Its models may be told by another call, an agent or a chain.
    """
    found: list[str | None] = [None] * len(Fields.__struct_fields__)
    for node in group:
        node.fill(found, node.dialect.fields)
    if None in found[:2] and len(story.nodes) > 1:
        others = [*found]
        for node in story.nodes:
            if node.role in ("generation", "chain"):
                node.fill(others, node.dialect.fields)
        found[:2] = others[:2]
    return found


def provider(story: Story, group: list[Node]) -> str | None:
    """Return who ran the model; frameworks put their own names there too."""
    for node in group if len(story.nodes) == 1 else chain(group, story.nodes):
        value = label(node.pick(node.dialect.provider))
        if value and value.lower() not in _FRAMEWORKS:
            return value.partition(".")[0] if node.dialect.name == "vercel" else value
    return None


def chosen(call: Node, near: list[Place], sources: Sources) -> list[str | None]:
    """Return the fields that teams name themselves, in the order of Sources: from spans and logs, then the resource."""
    found: list[str | None] = [None] * _CHOSEN
    if len(near) == 1 and not call.logs:
        call.fill(found, sources)
    else:
        logs = [Place(record.attributes) for record in call.logs]
        found = [_search([*near, *logs], wanted) for wanted in astuple(sources)]
        found[_APP] = _search([call, *logs], sources.app)
        found[_ROUTE] = _search([*near[::-1], *logs], sources.route)
    Place(call.span.resource).fill(found, sources)
    return found


def _search(places: list[Place], wanted: tuple[str, ...]) -> str | None:
    """Return a field by the first of its names that any place has, from the first such place."""
    every = [(rank, at, name, key) for at, place in enumerate(places) for rank, name, key in place.shape.find(wanted)]
    for rank, at, name, key in sorted(every):
        if (found := label(places[at].first(((rank, name, key),)))) is not None:
            return found
    return None


def counted(nodes: Iterable[Node], field: str) -> int | None:
    """Return a token count from the first node that has it."""
    for node in nodes:
        value = node.pick(getattr(node.dialect, field))
        if value is not None and (found := count(value)) is not None:
            return found
    return None


def tokens(story: Story, field: str) -> int | None:
    """Sum a token count over the model calls, each once; a trace without any has what its root says."""
    if len(story.groups) == 1:
        return counted(story.groups[0], field)
    if not story.groups:
        root = story.outermost_chain()
        return None if root is None else counted((root,), field)
    found = [value for group in story.groups if (value := counted(group, field)) is not None]
    return sum(found) if found else None


def times(spans: Sequence[Span]) -> tuple[float | None, float | None]:
    """Return when the trace began (Unix seconds) and how long it took (seconds); None where nothing says so.

    No model answers in no time: a trace that ends as it starts was sent without an end.
    """
    if len(spans) == 1:
        start, end = spans[0].start, spans[0].end
    else:
        start = min((span.start for span in spans if span.start), default=0)
        end = max(span.end for span in spans)
    if not start:
        return None, None
    return start / 1e9, (end - start) / 1e9 if end > start else None


def failed(node: Node) -> bool:
    """Whether a span says that it failed."""
    if node.span.status_code == 2 or "error.type" in node.names:
        return True
    return "langfuse.observation.level" in node.names and node.get("langfuse.observation.level") == "ERROR"


def error(group: list[Node], outer: Node | None) -> str | None:
    """Return the error's type, or the first line of its message; never a stack."""
    for node in group if outer is None else [*group, outer]:
        if failed(node):
            return _error_type(node) or _error_message(node) or "error"
    return None


def _error_type(node: Node) -> str | None:
    if (name := label(node.get("error.type"))) is not None:
        return name[:_LONGEST_ERROR]
    for event in node.span.events:
        if event.name == "exception" and (name := label(event.attributes.get("exception.type"))):
            return name[:_LONGEST_ERROR]
    return None


def _error_message(node: Node) -> str | None:
    text = node.span.status_message or label(node.get("langfuse.observation.status_message")) or ""
    return text.strip().partition("\n")[0][:_LONGEST_ERROR] or None
