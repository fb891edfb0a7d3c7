"""Facts of a trace's calls apart from content: names, models, tokens, times, errors; reads no messages."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from msgspec.structs import astuple

from ..model.trace import CLIENT, Span
from .embedded import count, label
from .errors import ErrorKind, error_kind
from .node import AttributeSet, Fields, Node, place
from .shape import FieldRow
from .sources import Sources
from .story import Story

_FRAMEWORKS = frozenset({"strands-agents", "langchain", "langgraph", "crewai", "microsoft.agent_framework", "unknown"})
_LONGEST_ERROR = 200
_APP, _ROUTE = map(Sources.__struct_fields__.index, ("app", "route"))
_NOTHING = (None,) * len(Sources.__struct_fields__)
_NAMES = len(Fields.__struct_fields__)
_FOREIGN = " of a client"
"""Of rows for client spans: their ``http.route`` is the path of another service's interface."""


def told(story: Story, group: list[Node], sources: Sources) -> list[str | None]:
    """Return names, provider and what teams name themselves, one after the other; of a lone span all at once."""
    call = group[0]
    if len(story.spans) > 1 or call.logs:
        return [*names(story, group), provider(story, group), *chosen(story, call, sources)]
    kind = _FOREIGN if call.span.kind == CLIENT and "http.route" in call.names else ""
    row = call.shape.rows.get((call.dialect.name + kind, id(sources))) or _row(call, kind, sources)
    found = call.read(row, _resource.fields(call.span.resource, sources))
    if (runner := found[_NAMES]) is not None:
        found[_NAMES] = _provider(runner, call)
    return found


def _row(call: Node, kind: str, sources: Sources) -> FieldRow:
    dialect, chosen = call.dialect, list(astuple(sources))
    if kind == _FOREIGN:
        chosen[_ROUTE] = tuple(name for name in sources.route if name.partition("#")[0] != "http.route")
    wanted = (*astuple(dialect.fields), dialect.provider, *chosen)
    return call.shape.row(dialect.name + kind, sources, wanted)


def names(story: Story, group: list[Node]) -> list[str | None]:
    """Return requested model, answering model and response id as the call tells them.

    Its models may be told by another call, an agent or a chain.
    """
    found: list[str | None] = [None] * _NAMES
    for node in reversed(group):
        node.fill(found, node.dialect.fields, label)
    if len(story.nodes) > 1 and None in found[:2]:
        others: list[str | None] = [None] * _NAMES
        for node in reversed(story.nodes):
            if node.role in ("generation", "chain"):
                node.fill(others, node.dialect.fields, label)
        found[:2] = [own or other for own, other in zip(found[:2], others[:2], strict=True)]
    return found


def provider(story: Story, group: list[Node]) -> str | None:
    """Return who ran the model; frameworks put their own names there too."""
    for node in group if len(story.nodes) == 1 else chain(group, story.nodes):
        value = node.first(node.dialect.provider, label)
        if value and (found := _provider(value, node)) is not None:
            return found
    return None


def _provider(value: str, node: Node) -> str | None:
    if value.lower() in _FRAMEWORKS:
        return None
    return value.partition(".")[0] if node.dialect.name == "vercel" else value


def chosen(story: Story, call: Node, sources: Sources) -> list[str | None]:
    """Return the fields that teams name themselves, in the order of Sources: from spans and logs, else the resource."""
    found = _resource.fields(call.span.resource, sources)[_NAMES + 1 :]
    near = story.near(call)
    logs = [place(record.attributes) for record in call.logs]
    own = _everywhere([*near, *logs], sources)
    own[_APP] = own[_APP] and _first([call, *logs], sources.app)
    own[_ROUTE] = own[_ROUTE] and _first([*_around(story, call), *logs], sources.route)
    return [value or other for value, other in zip(own, found, strict=True)]


def _around(story: Story, call: Node) -> list[AttributeSet]:
    """Return where to look for the route: what encloses the call in its own service, outermost first, then the rest."""
    above, others = story.around(call)
    service = call.span.resource.get("service.name")
    own = [span for span in reversed(above) if span.resource.get("service.name") == service]
    foreign = [span for span in reversed(above) if span.resource.get("service.name") != service]
    return [_routed(span) for span in (*own, call.span, *foreign, *(node.span for node in others))]


def _routed(span: Span) -> AttributeSet:
    """Return a span's attributes; ``http.route`` of a client span is the path of another service's interface."""
    if span.kind != CLIENT or "http.route" not in span.attributes:
        return place(span.attributes)
    return place({name: value for name, value in span.attributes.items() if name != "http.route"})


def _everywhere(places: list[AttributeSet], sources: Sources) -> list[str | None]:
    """Return every field by the first of its names that any place has, from the first such place."""
    having: dict[int, list[AttributeSet]] = {}
    for one in places:
        _, direct, others = one.shape.plan(sources)
        for field, _ in chain(direct, others):
            having.setdefault(field, []).append(one)
    every = enumerate(astuple(sources))
    return [_first(having[field], names) if field in having else None for field, names in every]


def _first(places: list[AttributeSet], names: tuple[str, ...]) -> str | None:
    ranks = [(rank, at) for at, place in enumerate(places) for rank, _, _ in place.shape[names]]
    for rank, at in sorted(ranks):
        if (found := label(places[at].pick((names[rank],)))) is not None:
            return found
    return None


class _LastResource:
    """What the resource says that was asked last: it is one of very many spans."""

    def __init__(self) -> None:
        self._asked: tuple[Mapping[str, Any], Sources] | None = None
        self._found: list[str | None] = []

    def fields(self, resource: Mapping[str, Any], sources: Sources) -> list[str | None]:
        """Return the fields that teams name themselves, behind as many None as a call has names and a provider."""
        asked = self._asked
        if asked is None or asked[0] is not resource or asked[1] is not sources:
            self._asked = resource, sources
            where = place(resource)
            row = where.shape.rows.get(("", id(sources))) or where.shape.row("", sources, astuple(sources))
            self._found = [*[None] * (_NAMES + 1), *where.read(row, _NOTHING)]
        return self._found


_resource = _LastResource()


_UNCOUNTED: list[int | None] = [None] * 4


def tokens(story: Story, call: list[Node], counts: list[int | None]) -> list[int | None]:
    """Return input and output tokens, and those of the input that a cache gave or took, each model call's once.

    ``counts`` are those of one ``call``. Where no call tells its own, an agent or chain may: the outermost that does.
    """
    groups = story.groups
    if len(groups) == 1:
        found = counts
    else:
        sums = [counts if group is call else counted(group) for group in groups]
        found = [_sum(same) for same in zip(*sums, strict=True)] or _UNCOUNTED
    if found[:2] == [None, None] and len(story.nodes) > len(groups):
        chains = (counted([node]) for node in story.nodes if node.role == "chain")
        return next((told for told in chains if told[:2] != [None, None]), found)
    return found


def counted(group: list[Node]) -> list[int | None]:
    """Return the tokens of one call: input, output, read from a cache, written to a cache; the first two hold all."""
    found = list(_UNCOUNTED)
    for node in reversed(group):
        usage = node.dialect.usage
        if usage.details and type(details := node.parsed(usage.details)) is dict and "total" in details:
            told = _disjoint(details)
            found = [known if one is None else one for known, one in zip(found, told, strict=True)]
        else:
            node.fill(found, usage, count)
    given, _, read, written = found
    if given is not None and (apart := (read or 0) + (written or 0)) > given:
        found[0] = given + apart  # as Anthropic counts them: beside the others
    return found


def _disjoint(details: dict[str, Any]) -> list[int | None]:
    """Return the tokens of Langfuse's usage, whose counts add up to its total; else those that are named so."""
    counts = {name: known for name, value in details.items() if (known := count(value)) is not None}
    given = {name: one for name, one in counts.items() if name.startswith(("input", "prompt", "cache"))}
    made = {name: one for name, one in counts.items() if name.startswith(("output", "completion"))}
    read = _sum(one for name, one in given.items() if "cache" in name and "creation" not in name)
    written = _sum(one for name, one in given.items() if "creation" in name)
    if sum(given.values()) + sum(made.values()) == counts.get("total"):
        return [_sum(given.values()), _sum(made.values()), read, written]
    total = counts.get("input", counts.get("prompt_tokens")), counts.get("output", counts.get("completion_tokens"))
    return [*total, read, written]


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [value for value in counts if value is not None]
    return sum(known) if known else None


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


def error_kind_of(group: list[Node], outer: Node | None) -> ErrorKind | None:
    """Return the kind of the error, by its type and what its message says beside it; None where nothing failed."""
    node = next((node for node in (group if outer is None else [*group, outer]) if failed(node)), None)
    if node is None:
        return None
    told = [_error_type(node), _error_message(node)]
    told += [
        label(event.attributes.get("exception.message")) for event in node.span.events if event.name == "exception"
    ]
    return error_kind(" ".join(text[:_LONGEST_ERROR] for text in told if text))


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
