"""What a trace's calls say of themselves beside content: names, models, tokens, times, errors; reads no messages."""

from collections.abc import Iterable, Sequence
from itertools import chain

from ..trace import UNKNOWN, Span
from .embedded import count, label, pick
from .node import Node
from .story import Story

_FRAMEWORKS = frozenset({"strands-agents", "langchain", "langgraph", "crewai", "microsoft.agent_framework", "unknown"})
_LONGEST_ERROR = 200


def named(nodes: Iterable[Node], field: str) -> str | None:
    """Return a name from a dialect's own field of the first node that has it."""
    for node in nodes:
        value = node.pick(getattr(node.dialect.fields, field))
        if value is not None and (found := label(value)) is not None:
            return found
    return None


def model(story: Story, group: list[Node], field: str) -> str | None:
    """Return a model's name from the call, else from another call, an agent or a chain."""
    found = named(group, field)
    if found is None and len(story.nodes) > 1:
        found = named((node for node in story.nodes if node.role in ("generation", "chain")), field)
    return found


def provider(story: Story, group: list[Node]) -> str | None:
    """Return who ran the model; frameworks put their own names there too."""
    for node in chain(group, story.nodes if len(story.nodes) > 1 else ()):
        value = label(node.pick(node.dialect.fields.provider))
        if value and value.lower() not in _FRAMEWORKS:
            return value.partition(".")[0] if node.dialect.name == "vercel" else value
    return None


def app(call: Node, names: tuple[str, ...]) -> str:
    """Return the program that made the call, "unknown" where the SDK made its name up."""
    value = place(names, (call.span,), call)
    return UNKNOWN if value is None or value.startswith("unknown_service") else value


def place(names: tuple[str, ...], places: Sequence[Span], call: Node) -> str | None:
    """Return a field that teams name themselves: each name in turn on spans and logs, then on the resource."""
    if len(places) == 1 and not call.logs:
        value = call.pick(names)
        found = label(value) if value is not None else None
    else:
        scopes = [span.attributes for span in places]
        scopes.extend(record.attributes for record in call.logs)
        found = next((v for name in names for scope in scopes if (v := label(pick(scope, (name,))))), None)
    if found is None and not call.span.resource.keys().isdisjoint(names):
        found = label(pick(call.span.resource, names))
    return found


def counted(nodes: Iterable[Node], field: str) -> int | None:
    """Return a token count from the first node that has it."""
    for node in nodes:
        value = node.pick(getattr(node.dialect.fields, field))
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
